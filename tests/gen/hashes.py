#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes sha256.txt, sha512.txt, hmac_sha256.txt and hkdf_sha256.txt in test-vectors. Run in the repository's root.

Published cases stand here as literals and are checked with Python's hashlib and hmac, which also
compute the others.
"""
import hashlib
import hmac as py_hmac

H = bytes.fromhex

ABC = b"abc"
M448 = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
M896 = (b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        b"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu")
FIPS = {
    "sha256": [
        ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", ABC),
        ("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", M448),
        ("cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1", M896),
        ("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", None),
    ],
    "sha512": [
        ("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", ABC),
        ("204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
         "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445", M448),
        ("8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
         "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909", M896),
        ("e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
         "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b", None),
    ],
}

# RFC 4231, test cases 1 to 7: key, data, HMAC-SHA-256 (case 5: its first 16 bytes)
RFC4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    (b"\xaa" * 131, b"This is a test using a larger than block-size key and a larger than block-size data."
     b" The key needs to be hashed before being used by the HMAC algorithm.",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
]

# RFC 5869, appendix A.1 to A.3: ikm, salt, info, prk, okm
RFC5869 = [
    (b"\x0b" * 22, bytes(range(13)), bytes(range(0xf0, 0xfa)),
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (bytes(range(0x50)), bytes(range(0x60, 0xb0)), bytes(range(0xb0, 0x100)),
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    (b"\x0b" * 22, b"", b"", "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]


def pattern(n, start=0):
    return bytes((start + i) % 251 for i in range(n))


def mac(key, data):
    return py_hmac.new(key, data, hashlib.sha256).digest()


def hkdf(ikm, salt, info, n):
    prk, okm, t, i = mac(salt or bytes(32), ikm), b"", b"", 0
    while len(okm) < n:
        i += 1
        t = mac(prk, t + info + bytes([i]))
        okm += t
    return prk, okm[:n]


def start(name, *source):
    f = open(f"test-vectors/{name}.txt", "w", encoding="utf-8")
    f.write("".join(f"# {line}\n" for line in source) + "# Written by tests/gen/hashes.py\n")
    return f


def put(f, name, **values):
    f.write(f"\ncase = {name}\n")
    for k, v in values.items():
        f.write(f'{k} = "{v}"\n' if isinstance(v, str) else f"{k} = {v.hex()}\n".replace("= \n", "=\n"))


def write_hash(alg):
    with start(alg, "Source: fips-180-N: the NIST examples for FIPS 180-4: 24, 448 and 896 bits, and one million 'a'",
               "(msg repeated `repeat` times); pattern-N: N bytes, byte i is i mod 251, from Python's hashlib.") as f:
        for i, (digest, msg) in enumerate(FIPS[alg]):
            more = {} if msg else {"repeat": "1000000"}
            assert hashlib.new(alg, msg or b"a" * 1000000).digest() == H(digest)
            put(f, f"fips-180-{i + 1}", msg=msg or b"a", **more, digest=H(digest))
        for n in [*range(257), 383, 384, 385, 511, 512, 513, 1000]:
            put(f, f"pattern-{n}", msg=pattern(n), digest=hashlib.new(alg, pattern(n)).digest())


def write_hmac():
    with start("hmac_sha256", "Source: rfc4231-N: RFC 4231, section 4 (case 5 gives 16 bytes only);",
               "key-K-data-N: pattern bytes, from Python's hmac.") as f:
        for i, (key, data, want) in enumerate(RFC4231):
            assert mac(key, data)[:len(H(want))] == H(want)
            put(f, f"rfc4231-{i + 1}", key=key, data=data, mac=H(want))
        for k in [0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 66, 127, 128, 129, 200]:
            for n in (0, 1, 55, 56, 64, 100):
                put(f, f"key-{k}-data-{n}", key=pattern(k, 7), data=pattern(n), mac=mac(pattern(k, 7), pattern(n)))


def write_hkdf():
    with start("hkdf_sha256", "Source: rfc5869-N: RFC 5869, appendix A.1 to A.3;",
               "salt-S-ikm-I-info-N-okm-L: pattern bytes, computed by RFC 5869 with Python's hmac.") as f:
        for i, (ikm, salt, info, prk, okm) in enumerate(RFC5869):
            assert hkdf(ikm, salt, info, len(H(okm))) == (H(prk), H(okm))
            put(f, f"rfc5869-{i + 1}", ikm=ikm, salt=salt, info=info, prk=H(prk), okm=H(okm))
        for s, i, n, length in [(0, 0, 0, 0), (0, 32, 10, 1), (32, 32, 0, 31), (32, 32, 40, 32), (32, 32, 40, 33),
                                (64, 32, 70, 63), (65, 64, 300, 64), (100, 1, 55, 65), (32, 32, 20, 255 * 32 - 1),
                                (32, 32, 20, 255 * 32)]:
            ikm, salt, info = pattern(i, 1), pattern(s, 100), pattern(n, 50)
            prk, okm = hkdf(ikm, salt, info, length)
            put(f, f"salt-{s}-ikm-{i}-info-{n}-okm-{length}", ikm=ikm, salt=salt, info=info, prk=prk, okm=okm)


write_hash("sha256")
write_hash("sha512")
write_hmac()
write_hkdf()
