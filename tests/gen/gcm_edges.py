#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes test-vectors/aes256.txt and test-vectors/aes256_gcm.txt. Run in the repository's root.

Published cases stand here as literals; all are checked with the Python package `cryptography`
(Debian's python3-cryptography), which also computes the edge cases.
"""
from hashlib import shake_256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

H = bytes.fromhex
KEY = H("feffe9928665731c6d6a8f9467308308" * 2)
IV = H("cafebabefacedbaddecaf888")
TEXT = H("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
         "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255")
CIPHER = H("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
           "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad")
AAD = H("feedfacedeadbeeffeedfacedeadbeefabaddad2")

# name, key, nonce, aad, text, ciphertext, tag
SPEC = [
    ("gcm-spec-13", bytes(32), bytes(12), b"", b"", b"", H("530f8afbc74536b9a963b4f1c4cb738b")),
    ("gcm-spec-14", bytes(32), bytes(12), b"", bytes(16), H("cea7403d4d606b6e074ec5d3baf39d18"),
     H("d0d1c8a799996bf0265b98b5d48ab919")),
    ("gcm-spec-15", KEY, IV, b"", TEXT, CIPHER, H("b094dac5d93471bdec1a502270e3cc6c")),
    ("gcm-spec-16", KEY, IV, AAD, TEXT[:60], CIPHER[:60], H("76fc6ece0f4e1768cddf8853bb2d551b")),
]


def seal(key, nonce, aad, text):
    e = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    e.authenticate_additional_data(aad)
    return e.update(text) + e.finalize(), e.tag


def opens(key, nonce, aad, text, tag):
    d = Cipher(algorithms.AES(key), modes.GCM(nonce, tag, min_tag_length=12)).decryptor()
    d.authenticate_additional_data(aad)
    return d.update(text) + d.finalize()


def edges():
    lengths = set()
    for text in list(range(41)):
        lengths |= {(aad, text) for aad in (0, 1, 13, 16, 21)}
    for aad in list(range(41)):
        lengths |= {(aad, text) for text in (0, 1, 15, 16, 33)}
    bounds = [48, 63, 64, 65, 79, 80, 81, 111, 112, 113, 127, 128, 129, 175, 176, 177, 255, 256, 257]
    lengths |= {(0, n) for n in bounds} | {(5, n) for n in bounds} | {(n, 7) for n in bounds}
    lengths |= {(n, n) for n in bounds} | {(20, n) for n in (1023, 1024, 1025, 4095, 4096, 4097)}
    return sorted(lengths)


def put(f, name, key, nonce, aad, text, ciphertext, tag):
    assert opens(key, nonce, aad, ciphertext, tag) == text
    f.write(f"\ncase = {name}\nkey = {key.hex()}\nnonce = {nonce.hex()}\naad = {aad.hex()}\n"
            f"plaintext = {text.hex()}\nciphertext = {ciphertext.hex()}\ntag = {tag.hex()}\n".replace("= \n", "=\n"))


def main():
    with open("test-vectors/aes256.txt", "w", encoding="utf-8") as f:
        key, text = bytes(range(32)), H("00112233445566778899aabbccddeeff")
        want = H("8ea2b7ca516745bfeafc49904b496089")
        e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        assert e.update(text) == want
        f.write("# Source: FIPS 197, appendix C.3: AES-256, one block.\n# Written by tests/gen/gcm_edges.py\n"
                f"\ncase = fips197-c3\nkey = {key.hex()}\nplaintext = {text.hex()}\nciphertext = {want.hex()}\n")
    with open("test-vectors/aes256_gcm.txt", "w", encoding="utf-8") as f:
        f.write("# Source: gcm-spec-N: McGrew and Viega, The Galois/Counter Mode of Operation (GCM), appendix B,\n"
                "# the AES-256 cases with a 96-bit IV; -tag12 is the same with the tag cut to 12 bytes.\n"
                "# edge-A-T: A bytes of aad, T of text; all bytes are SHAKE-256 of the case name; computed with\n"
                "# the Python package `cryptography`.\n"
                "# Written by tests/gen/gcm_edges.py\n")
        for name, key, nonce, aad, text, ciphertext, tag in SPEC:
            assert seal(key, nonce, aad, text) == (ciphertext, tag), name
            put(f, name, key, nonce, aad, text, ciphertext, tag)
            put(f, name + "-tag12", key, nonce, aad, text, ciphertext, tag[:12])
        for aad_len, text_len in edges():
            name = f"edge-{aad_len}-{text_len}"
            b = shake_256(name.encode()).digest(44 + aad_len + text_len)
            key, nonce, aad, text = b[:32], b[32:44], b[44:44 + aad_len], b[44 + aad_len:]
            put(f, name, key, nonce, aad, text, *seal(key, nonce, aad, text))


main()
