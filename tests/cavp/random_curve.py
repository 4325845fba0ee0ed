#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""X25519 and Ed25519 of the library against tests/gen/curve_ref.py and, where it is, the package "cryptography".

    random_curve.py DRIVER [SEED [ROUNDS]]

Other inputs each time; SEED, which is printed, brings them back. Half of them are near something: the points of small
order, p, L, encodings that are not canonical. It protects the arithmetic where no frozen vector is.
"""
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gen"))
import curve_ref as ref  # noqa: E402

try:
    from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    ed25519 = x25519 = None

# The points of small order, [0]T to [7]T
T = ref.torsion()
r = random.Random()
failed = False


def raw_public(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def call(function, *args):
    driver.stdin.write(" ".join([function] + [a.hex() or "-" for a in args]) + "\n")
    driver.stdin.flush()
    line = driver.stdout.readline().strip()
    if not line:
        print(f"FAIL curve: the driver stopped at {function}")
        sys.exit(1)
    return line if line in ("good", "bad") else bytes.fromhex(line)


def some_scalar():
    near = r.choice([0, ref.L, 8 * ref.L, 2**252, 2**254, 2**255, 2**256 - 1])
    return ref.enc(r.choice([r.getrandbits(256), (near + r.randrange(-40, 40)) % 2**256, 1 << r.randrange(256)]))


def some_u():
    small = ref.num(ref.to_x25519(ref.encode(r.choice(T[1:]))))
    near = r.choice([0, ref.P, 2**255 - 1, small, small + ref.P])
    u = r.choice([r.getrandbits(255), (near + r.randrange(-2, 3)) % 2**255, near % 2**255, 1 << r.randrange(255)])
    return ref.enc(u | r.getrandbits(1) << 255)


def x25519_agrees():
    k, u = some_scalar(), some_u()
    want = ref.x25519(k, u)
    got = call("x25519", k, u)
    return got == (want if any(want) else "bad"), not any(want), (k, u)


def x25519_public_agrees():
    k = some_scalar()
    want = ref.x25519(k, ref.enc(9))
    if x25519:
        assert want == raw_public(x25519.X25519PrivateKey.from_private_bytes(k))
    return call("x25519public", k) == want, False, (k,)


def signing_agrees():
    seed, msg = r.randbytes(32), r.randbytes(r.choice([0, 1, 31, 32, 63, 64, r.randrange(300)]))
    if ed25519:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        public, signature = raw_public(key), key.sign(msg)
    else:
        public, signature = ref.public(seed), ref.sign(seed, msg)
    good = (call("edpublic", seed) == public and call("edsign", seed, msg) == signature
            and call("edverify", signature, public, msg) == "good")
    return good, False, (seed, msg)


def some_key():
    """(a, A): A encodes [a]B, perhaps with a part of small order; or a is 0 and A whatever it is"""
    a = r.randrange(1, ref.L)
    point = ref.times(a, ref.B)
    return r.choice([
        lambda: (a, ref.encode(point)),
        lambda: (a, ref.encode(point)),
        lambda: (a, ref.encode(ref.add(point, r.choice(T)))),
        lambda: (0, r.choice(ref.encodings(r.choice(T)))),
        lambda: (0, ref.enc(r.randrange(ref.P, 2**255) | r.getrandbits(1) << 255)),
        lambda: (0, r.randbytes(32)),
    ])()


def verifying_agrees():
    """A signature that is right, or right but for one thing"""
    (a, key), msg, n = some_key(), r.randbytes(5), r.randrange(ref.L)
    point = ref.times(n, ref.B)
    if r.random() < 0.3:
        point = ref.add(point, r.choice(T))
    if r.random() < 0.1:
        n, point = 0, ref.IDENTITY
    R = r.choice(ref.encodings(point))
    s = (n + ref.challenge(R, key, msg) * a) % ref.L
    if r.random() < 0.2:
        s = r.choice([s + ref.L, s + 2**253, s ^ 1 << r.randrange(256), r.getrandbits(256)]) % 2**256
    if r.random() < 0.1:
        R = bytes(x ^ (i == 7) for i, x in enumerate(R))
    signature = R + ref.enc(s)
    want = ref.verify(signature, key, msg)
    return (call("edverify", signature, key, msg) == "good") == want, not want, (signature, key, msg)


def keys_agree():
    _, key = some_key()
    want = ref.to_x25519(key) if ref.check(key) else "bad"
    return call("edmontgomery", key) == want, want == "bad", (key,)


def run(name, check, rounds, both=True):
    """both: some inputs must be accepted and some refused."""
    global failed
    refused = 0
    for _ in range(rounds):
        agrees, bad, inputs = check()
        refused += bad
        if not agrees:
            print("  " + " ".join(i.hex() or "-" for i in inputs))
            print(f"FAIL curve: {name}")
            failed = True
            return
    if both and refused in (0, rounds):
        print(f"FAIL curve: {name}: {refused} of {rounds} inputs are to be refused: nothing to choose")
        failed = True
    else:
        print(f"pass curve: {name}: {rounds} inputs, {refused} refused")


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    r.seed(seed)
    print(f"  random inputs: seed {seed}" + ("" if ed25519 else "; without the package cryptography"))
    run("X25519", x25519_agrees, 5 * rounds)
    run("X25519 public keys", x25519_public_agrees, 3 * rounds, both=False)
    run("Ed25519 signatures", signing_agrees, 3 * rounds if ed25519 else rounds, both=False)
    run("Ed25519 keys and their Montgomery form", keys_agree, rounds)
    run("Ed25519 verification", verifying_agrees, rounds)
    driver.stdin.close()
    if driver.wait() != 0:
        print(f"FAIL curve: the driver ended with status {driver.returncode}")
        sys.exit(1)
    sys.exit(1 if failed else 0)


driver = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
main()
