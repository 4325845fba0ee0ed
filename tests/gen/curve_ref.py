#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""X25519 (RFC 7748) and Ed25519 (RFC 8032) with Python's big integers: slow, plain, written from the RFCs.

Run in the repository's root it checks itself against the RFCs' vectors (which stand here as literals), and against the
"cryptography" package if it is there, and writes test-vectors/x25519.txt and test-vectors/ed25519.txt.
"""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1)
H = bytes.fromhex


def num(b):
    return int.from_bytes(b, "little")


def enc(n):
    return n.to_bytes(32, "little")


# ---- X25519: RFC 7748, 5
def clamp(k):
    return num(k) & ~7 & (2**255 - 1) | 2**254


def x25519(k, u):
    e, x1 = clamp(k), num(u) % 2**255 % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = e >> t & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
    if swap:
        x2, z2 = x3, z3
    return enc(x2 * pow(z2, P - 2, P) % P)


# ---- edwards25519: RFC 8032, 5.1
def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P)


def neg(a):
    return (-a[0] % P, a[1])


def times(n, a):
    r = IDENTITY
    while n:
        if n & 1:
            r = add(r, a)
        a = add(a, a)
        n >>= 1
    return r


def encode(a):
    return enc(a[1] | (a[0] & 1) << 255)


def decode(b):
    """The point, or None: strictly as 5.1.3."""
    y, sign = num(b) % 2**255, num(b) >> 255
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * ROOT % P
    if x * x % P != x2 or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x, y)


B = decode(enc(4 * pow(5, -1, P) % P))


def expand(seed):
    h = hashlib.sha512(seed).digest()
    return clamp(h[:32]), h[32:]


def public(seed):
    return encode(times(expand(seed)[0], B))


def challenge(r, a, msg):
    return num(hashlib.sha512(r + a + msg).digest()) % L


def sign(seed, msg):
    s, prefix = expand(seed)
    r = num(hashlib.sha512(prefix + msg).digest()) % L
    rb = encode(times(r, B))
    return rb + enc((r + challenge(rb, public(seed), msg) * s) % L)


def check(key):
    a = decode(key)
    return a is not None and times(8, a) != IDENTITY


def verify(sig, key, msg):
    s = num(sig[32:])
    if len(sig) != 64 or s >= L or not check(key):
        return False
    k = challenge(sig[:32], key, msg)
    return encode(add(times(s, B), neg(times(k, decode(key))))) == sig[:32]


def to_x25519(key):
    y = num(key) % 2**255
    return enc((1 + y) * pow(1 - y, -1, P) % P)


def seed_to_x25519(seed):
    return enc(expand(seed)[0])


def torsion():
    """[i]T, i = 0 to 7, for a T of order 8."""
    y = 2
    while True:
        a = decode(enc(y))
        t = times(L, a) if a else IDENTITY
        if times(4, t) != IDENTITY:
            return [times(i, t) for i in range(8)]
        y += 1


def encodings(a):
    """All 32-byte strings that a lax decoder takes for the point a."""
    signs = (0, 1) if a[0] == 0 else (a[0] & 1,)
    return [enc(y | s << 255) for y in (a[1], a[1] + P) if y < 2**255 for s in signs]


# ---- published vectors
X_5_2 = [
    ("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
]
X_ROUNDS = [
    (1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
    (1000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
    (1000000, "7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424"),
]
X_6_1 = ("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
         "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
         "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
         "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
MSG1023 = H(
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355"
    "f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc"
    "6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b"
    "199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b8"
    "32f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d"
    "206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562"
    "9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40"
    "cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553"
    "878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0"
    "917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26"
    "401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3"
    "dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301"
    "651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f"
    "92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401ade"
    "bf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab4"
    "7b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
    "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb37"
    "97aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7"
    "7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315c"
    "f4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef"
    "68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0"
)
E_7_1 = [
    ("test1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", b"",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("test2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", b"\x72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("test3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", b"\xaf\x82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("test1024", "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
     "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e", MSG1023,
     "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
     "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03"),
    ("sha-abc", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", hashlib.sha512(b"abc").digest(),
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
]


def seed_of(name):
    """32 bytes that look random."""
    return hashlib.sha256(b"svconn test vector " + name.encode()).digest()


class Writer:
    def __init__(self, path, source):
        self.path, self.lines = path, ["# " + s for s in source]

    def case(self, name, *pairs):
        self.lines += ["", "case = " + name]
        for key, value in pairs:
            text = '"%s"' % value if isinstance(value, str) else value.hex()
            self.lines.append((key + " = " + text).rstrip())

    def close(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("\n".join(self.lines) + "\n")


def write_x25519():
    w = Writer("test-vectors/x25519.txt", [
        "Source: rfc7748-*: RFC 7748, sections 5.2 and 6.1; the others: computed from the RFC by tests/gen/curve_ref.py,",
        "which wrote this file. out is X25519(scalar, u). rounds: the iteration of 5.2, begun with scalar = u = 9.",
        "An all-zero out must be reported as a failure.",
    ])
    for i, (k, u, out) in enumerate(X_5_2):
        assert x25519(H(k), H(u)).hex() == out
        w.case("rfc7748-5.2-%d" % (i + 1), ("scalar", H(k)), ("u", H(u)), ("out", H(out)))
    for n, out in X_ROUNDS:
        k = u = enc(9)
        for _ in range(n if n <= 1000 else 0):
            k, u = x25519(k, u), k
        assert n > 1000 or k.hex() == out
        w.case("rfc7748-5.2-rounds-%d" % n, ("rounds", str(n)), ("out", H(out)))
    a, ka, b, kb, z = map(H, X_6_1)
    assert (x25519(a, enc(9)), x25519(b, enc(9)), x25519(a, kb), x25519(b, ka)) == (ka, kb, z, z)
    for name, k, u, out in (("alice", a, enc(9), ka), ("bob", b, enc(9), kb),
                            ("alice-bob", a, kb, z), ("bob-alice", b, ka, z)):
        w.case("rfc7748-6.1-" + name, ("scalar", k), ("u", u), ("out", out))
    k = seed_of("x25519")
    small = sorted({0, 1, P - 1} | {num(to_x25519(encode(t))) for t in torsion() if t != IDENTITY})
    assert len(small) == 5
    forms = [n + m for n in small for m in (0, P) if n + m < 2**255]
    for i, u in enumerate(n | top << 255 for n in forms for top in (0, 1)):
        assert x25519(k, enc(u)) == bytes(32)
        w.case("small-order-%d" % i, ("scalar", k), ("u", enc(u)), ("out", bytes(32)))
    for n in list(range(2, 19)):
        for u in (n + P, n + P | 1 << 255):
            out = x25519(k, enc(u))
            assert out == x25519(k, enc(n)) != bytes(32)
            w.case("non-canonical-%d%s" % (n, "-top" if u >> 255 else ""), ("scalar", k), ("u", enc(u)), ("out", out))
    edges = [0, 1, 7, 8, L, L - 1, 8 * L % 2**256, 2**254, 2**255 - 8, 2**256 - 1, 2**255, 2**254 + 8]
    for i, e in enumerate(edges):
        for u in (9, 2**255 - 20, P - 2, num(ka)):
            out = x25519(enc(e), enc(u))
            w.case("scalar-edge-%d-%x" % (i, u % 65536), ("scalar", enc(e)), ("u", enc(u)), ("out", out))
    w.close()


def verify_cases(w):
    def case(name, key, msg, sig, want, why=""):
        assert verify(sig, key, msg) == want, name
        w.case(name, ("public_key", key), ("msg", msg), ("signature", sig), ("valid", "yes" if want else "no"),
               *([("why", why)] if why else []))

    seed, msg = seed_of("verify"), b"verify"
    a, key, sig = expand(seed)[0], public(seed), sign(seed, msg)
    r, s = sig[:32], num(sig[32:])
    case("verify-good", key, msg, sig, True)
    for n in range(1, 16):
        if s + n * L < 2**256:
            case("verify-S-plus-%dL" % n, key, msg, r + enc(s + n * L), False, "S + %d L: malleability" % n)
    case("verify-S-negative", key, msg, r + enc(L - s), False)
    for name, n in (("L", L), ("L-1", L - 1), ("L+1", L + 1), ("0", 0), ("2^253", 2**253), ("2^253+S", 2**253 + s),
                    ("2^254+S", 2**254 + s), ("2^255+S", 2**255 + s), ("max", 2**256 - 1)):
        case("verify-S-" + name, key, msg, r + enc(n), False)
    case("verify-wrong-message", key, msg + b"!", sig, False)
    case("verify-empty-message", key, b"", sig, False)
    case("verify-wrong-key", public(seed_of("other")), msg, sig, False)
    case("verify-negative-key", encode(neg(decode(key))), msg, sig, False)
    case("verify-negative-R", key, msg, enc(num(r) ^ 1 << 255) + sig[32:], False)

    # r = 0: R is the identity, and [S]B - [k]A is it too. Only its canonical encoding is right.
    for i, rb in enumerate(encodings(IDENTITY)):
        k = challenge(rb, key, msg)
        case("verify-R-identity-%d" % i, key, msg, rb + enc(k * a % L), i == 0,
             "R is the identity" + ("" if i == 0 else ", not canonical"))
    t = torsion()
    # R with a part of small order, A without: right only with the cofactor.
    for i in range(1, 8):
        rb = encode(add(times(77, B), t[i]))
        case("verify-R-torsion-%d" % i, key, msg, rb + enc((77 + challenge(rb, key, msg) * a) % L), False,
             "right only if the equation is multiplied by 8")
    # A of mixed order: [S]B - [k]A = [r]B - [k]T.
    for i in (1, 2, 4):
        mixed, n = encode(add(decode(key), t[i])), 0
        assert check(mixed)
        for want, part in ((True, 0), (False, 0), (True, 1)):
            while True:
                n += 1
                rb = encode(add(times(n, B), neg(t[part])))
                k = challenge(rb, mixed, msg)
                if (encode(neg(times(k, t[i]))) == encode(neg(t[part]))) == want and (part == 0 or i == 1):
                    break
                if part == 1 and i != 1:
                    break
            if part == 1 and i != 1:
                continue
            case("verify-A-mixed-%d-R-%d-%s" % (i, part, "right" if want else "wrong"), mixed, msg,
                 rb + enc((n + k * a) % L), want, "" if want else "right only if the equation is multiplied by 8")
    # A of small order: with R = [S]B - [k]A anyone signs. All encodings.
    for i, p in enumerate(t):
        for j, form in enumerate(encodings(p)):
            n = 0
            while True:
                n += 1
                rb = encode(times(n, B))
                if times(challenge(rb, form, msg), p) == IDENTITY:
                    break
            case("verify-A-small-order-%d-%d" % (i, j), form, msg, rb + enc(n), False, "a key of small order")


def key_cases(w):
    t = torsion()
    base = decode(public(seed_of("keys")))
    mixed = [add(base, p) for p in t]
    groups = [
        ("keys-good", [public(seed_of("key %d" % i)) for i in range(8)], True),
        ("keys-mixed-order", [encode(p) for p in mixed], True),
        ("keys-base-point", [encode(B), encode(neg(B)), encode(times(L - 1, B))], True),
        ("keys-small-order", [f for p in t for f in encodings(p)], False),
        ("keys-not-canonical", [enc(y | s << 255) for y in range(P, 2**255) for s in (0, 1)], False),
        ("keys-minus-zero", [enc(1 | 1 << 255), enc(P - 1 | 1 << 255)], False),
        ("keys-off-curve", [enc(y | s << 255) for y in range(2, 40) for s in (0, 1) if decode(enc(y)) is None], False),
        ("keys-small-y", [enc(y | s << 255) for y in range(2, 40) for s in (0, 1) if decode(enc(y)) is not None], True),
        ("keys-large-y", [enc(y | s << 255) for y in range(P - 40, P - 1) for s in (0, 1)
                          if decode(enc(y)) is not None], True),
    ]
    for name, keys, want in groups:
        assert keys and all(check(k) == want for k in keys), name
        w.case(name, *[("public_key", k) for k in keys], ("accept", "yes" if want else "no"))


def write_ed25519():
    w = Writer("test-vectors/ed25519.txt", [
        "Source: rfc8032-*: RFC 8032, section 7.1; the others: computed from the RFCs by tests/gen/curve_ref.py, which",
        "wrote this file. Cases with seed: signing; scalar and u are the X25519 form of the key pair. Cases with valid:",
        "verification, by the rule of crypto/crypto.h. Cases with accept: public keys, each to be accepted or not.",
    ])
    cases = [("rfc8032-" + n, H(s), H(k), m, H(g)) for n, s, k, m, g in E_7_1]
    for n in (0, 1, 31, 32, 63, 64, 79, 80, 95, 96, 111, 127, 128, 129, 255):
        seed, msg = seed_of("sign %d" % n), (seed_of("msg") * 8)[:n]
        cases.append(("sign-%d" % n, seed, public(seed), msg, sign(seed, msg)))
    for seed in (bytes(32), b"\xff" * 32):
        cases.append(("sign-seed-" + seed[:1].hex(), seed, public(seed), b"", sign(seed, b"")))
    for name, seed, key, msg, sig in cases:
        assert (public(seed), sign(seed, msg), verify(sig, key, msg)) == (key, sig, True), name
        scalar, u = seed_to_x25519(seed), to_x25519(key)
        assert x25519(scalar, enc(9)) == u
        w.case(name, ("seed", seed), ("public_key", key), ("msg", msg), ("signature", sig),
               ("scalar", scalar), ("u", u))
    verify_cases(w)
    key_cases(w)
    w.close()


def cross_check():
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519 as ed, x25519 as xd
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError:
        print("no python3-cryptography: not cross-checked")
        return

    def raw(key):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    for i in range(50):
        k, msg = seed_of("cross %d" % i), bytes(i)
        u = xd.X25519PrivateKey.from_private_bytes(k).public_key()
        peer = xd.X25519PrivateKey.from_private_bytes(seed_of("peer"))
        assert raw(u) == x25519(k, enc(9))
        assert peer.exchange(u) == x25519(seed_of("peer"), raw(u))
        e = ed.Ed25519PrivateKey.from_private_bytes(k)
        assert raw(e.public_key()) == public(k) and e.sign(msg) == sign(k, msg)
        assert verify(sign(k, msg), public(k), msg)


def main():
    cross_check()
    write_x25519()
    write_ed25519()


if __name__ == "__main__":
    main()
