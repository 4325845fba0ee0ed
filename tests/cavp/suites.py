#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Published vectors against the library, through tests/cavp/driver.c.

    suites.py cavp DRIVER DIR          Debian's python3-cryptography-vectors
    suites.py wycheproof DRIVER DIR    JSON files of Project Wycheproof

A case is a dict of strings. For each file there is a check(case), which is True if the library agrees with the case;
what a file has and the library has not is counted and named. In each file one case is spoilt, and the check must see
it.
"""
import collections
import json
import os
import subprocess
import sys


class Driver:
    def __init__(self, path):
        self.pipe = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, function, *args):
        """Hex in, hex out; None if the library refused."""
        self.pipe.stdin.write(" ".join([function] + [a or "-" for a in args]) + "\n")
        self.pipe.stdin.flush()
        line = self.pipe.stdout.readline().strip()
        if not line:
            print(f"FAIL {suite}: the driver stopped at {function}")
            sys.exit(1)
        return None if line == "bad" else "" if line == "-" else line


suite, failed, call = "", False, None


# ---- one file ------------------------------------------------------------------------------------------------------

def spoil(value):
    """The hex string with one bit changed."""
    return value[:-1] + "%x" % (int(value[-1], 16) ^ 1)


def spoilt_case_is_caught(cases, check, fields):
    """Changes a bit of the first value that has one, among fields, in the first case that must hold."""
    for case in cases:
        for field in fields:
            if case.get(field) and check(case):
                return not check({**case, field: spoil(case[field])})
    return False


def report(name, cases, check, expected, not_ours=()):
    """expected: the fields whose change must be seen. not_ours: what does not apply, a reason for each case."""
    global failed
    wrong = [c for c in cases if not check(c)]
    for c in wrong[:5]:
        print("  " + ", ".join(f"{k} = {v[:160]}" for k, v in c.items() if not k.startswith("_")))
    if wrong:
        print(f"FAIL {suite} {name}: {len(wrong)} of {len(cases)} cases")
        failed = True
    elif cases:
        print(f"pass {suite} {name}: {len(cases)} cases")
    if cases and not wrong:
        caught = spoilt_case_is_caught(cases, check, expected)
        print(("pass" if caught else "FAIL") + f" {suite} {name}: a wrong value would be seen")
        failed = failed or not caught
    for reason, n in collections.Counter(not_ours).items():
        print(f"skip {suite} {name}: {n} cases do not apply: {reason}")


def split(cases, why_not):
    """The cases that apply, and the reason for each other one."""
    reasons = [why_not(c) for c in cases]
    return [c for c, r in zip(cases, reasons) if not r], [r for r in reasons if r]


# ---- what each kind of case says -----------------------------------------------------------------------------------

def sealed(c):
    """AES-256-GCM, both ways; "invalid": must not open"""
    key, iv, aad, text, ct, tag = (c[k] for k in ("key", "iv", "aad", "pt", "ct", "tag"))
    if c.get("result") == "invalid":
        return call("open", key, iv, aad, ct, tag) is None
    return (call("seal", key, iv, aad, text, "%02x" % (len(tag) // 2)) == ct + tag
            and call("open", key, iv, aad, ct, tag) == text)


def hmac(c):
    return (call("hmac", c["key"], c["msg"]) == c["tag"]) == (c.get("result") != "invalid")


def hkdf(c):
    prk = call("extract", c["salt"], c["ikm"])
    return c.get("prk", prk) == prk and call("expand", prk, c["info"], "%04x" % int(c["size"])) == c["okm"]


def x25519(c):
    zero = c["shared"] == "00" * 32
    return call("x25519", c["private"], c["public"]) == (None if zero else c["shared"])


def ed25519_verify(c):
    return (call("edverify", c["sig"], c["pk"], c["msg"]) == "good") == (c["result"] == "valid")


def ed25519(c):
    return (call("edpublic", c["seed"]) == c["pk"] and call("edsign", c["seed"], c["msg"]) == c["sig"]
            and call("edverify", c["sig"], c["pk"], c["msg"]) == "good"
            and call("edverify", spoil(c["sig"]), c["pk"], c["msg"]) is None)


def sha(bits):
    return lambda c: call(f"sha{bits}", c["msg"]) == c["md"]


def monte(bits):
    return lambda c: call(f"monte{bits}", c["seed"]) == c["md"]


# ---- AES-256 alone: the library has counter mode only, which gives E(key, any block); the rest is made of it

def blocks(text):
    return [text[i:i + 32] for i in range(0, len(text), 32)]


def xor(a, b):
    return "".join("%02x" % (x ^ y) for x, y in zip(bytes.fromhex(a), bytes.fromhex(b)))


def aes(mode, c):
    """CIPHERTEXT of PLAINTEXT, by nothing but E"""
    state, out, key = c.get("iv", ""), "", c["key"]
    for b in blocks(c["plaintext"]):
        if mode == "ECB":
            out += call("aes", key, b)
        elif mode == "CBC":
            state = call("aes", key, xor(state, b))
            out += state
        elif mode == "CFB128":
            state = xor(call("aes", key, state), b)
            out += state
        elif mode == "OFB":
            state = call("aes", key, state)
            out += xor(state, b)
        elif mode == "CTR":
            out += xor(call("aes", key, state), b)
            state = "%032x" % ((int(state, 16) + 1) % 2**128)
    return out == c["ciphertext"]


# ---- the format of NIST's files ------------------------------------------------------------------------------------

def rsp(path):
    """Cases as dicts in lower case. A section line, [Name = value] or [NAME], belongs to each case behind it."""
    section, cases, case = {}, [], {}
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if line.startswith("[") or not line or line.startswith("#"):
            if line.startswith("["):
                name, _, value = line.strip("[]").partition("=")
                section[name.strip().lower()] = value.strip().lower()
            if case and not line.startswith("#"):
                cases.append({**{"_" + k: v for k, v in section.items()}, **case})
                case = {}
            if line in ("[ENCRYPT]", "[DECRYPT]"):
                section["direction"] = line.strip("[]").lower()
        else:
            name, _, value = line.partition("=")
            case[name.strip().lower()] = value.strip().lower()
    return cases + ([{**{"_" + k: v for k, v in section.items()}, **case}] if case else [])


def rename(case, **names):
    return {**{k: v for k, v in case.items() if k.startswith("_")},
            **{new: case.get(old, "") for new, old in names.items()}}


# ---- the package python3-cryptography-vectors ----------------------------------------------------------------------

def cavp_gcm(path, name):
    def why_not(c):
        if c["_keylen"] != "256":
            return f"a key of {c['_keylen']} bits; here 256 only"
        if c["_ivlen"] != "96":
            return f"an IV of {c['_ivlen']} bits; here 96 only"
        return f"a tag of {c['_taglen']} bits; here 96 to 128" if int(c["_taglen"]) < 96 else ""

    cases = [dict(rename(c, key="key", iv="iv", aad="aad", pt="pt", ct="ct", tag="tag"),
                  result="invalid" if "fail" in c else "valid") for c in rsp(path) if "key" in c]
    ours, rest = split(cases, why_not)
    report(name, ours, sealed, ["ct", "tag"], rest)


def cavp_sha(path, name):
    bits = 256 if "256" in name else 512
    cases = [{"msg": c["msg"][:int(c["len"]) // 4], "md": c["md"]} for c in rsp(path) if "msg" in c]
    report(name, cases, sha(bits), ["md"])


def cavp_monte(path, name):
    cases, bits = [], 256 if "256" in name else 512
    for c in rsp(path):
        if "seed" in c:
            seed = c["seed"]
        elif "md" in c:
            cases.append({"seed": seed, "md": c["md"]})
            seed = c["md"]
    report(name, cases, monte(bits), ["md"])


def cavp_aes(path, name, mode):
    def why_not(c):
        if mode in ("ECB", "CBC") and c["_direction"] == "decrypt":
            return "decryption; the library has no inverse cipher"
        return ""

    ours, rest = split([c for c in rsp(path) if "key" in c], why_not)
    report(name, ours, lambda c: aes(mode, c), ["ciphertext"], rest)


def cavp_hmac(path, name):
    cases = [rename(c, key="key", msg="msg", tag="md") for c in rsp(path) if "key" in c]
    ours, rest = split(cases, lambda c: "" if len(c["tag"]) == 64 else "a truncated MAC")
    report(name, ours, hmac, ["tag"], rest)


def cavp_hkdf(path, name):
    cases, case = [], {}
    for c in rsp(path):  # blank lines stand inside cases here
        case = c if "count" in c else {**case, **c}
        if "okm" in case:
            cases.append({**rename(case, ikm="ikm", salt="salt", info="info", size="l", okm="okm"),
                          **({"prk": case["prk"]} if "prk" in case else {})})
    report(name, cases, hkdf, ["okm", "prk"])


def cavp_ed25519(path, name):
    cases = []
    for line in open(path, encoding="ascii"):
        secret, public, msg, signed = line.split(":")[:4]
        cases.append({"seed": secret[:64], "pk": public, "msg": msg, "sig": signed[:128]})
    report(name, cases, ed25519, ["sig", "pk"])


def cavp_x25519(path, name):
    names = {"private": "input_scalar", "public": "input_u", "shared": "output_u"}
    cases = [rename(c, **names) for c in rsp(path) if "input_u" in c]
    report(name, cases, x25519, ["shared"])


def cavp_files():
    """(file, function) for all that we read"""
    for kind in ("Decrypt", "EncryptExtIV"):
        yield from ((f"ciphers/AES/GCM/gcm{kind}{size}.rsp", cavp_gcm) for size in (128, 192, 256))
    yield from ((f"hashes/SHA2/SHA{n}{kind}Msg.rsp", cavp_sha) for n in (256, 512) for kind in ("Short", "Long"))
    yield from ((f"hashes/SHA2/SHA{n}Monte.rsp", cavp_monte) for n in (256, 512))
    for mode in ("ECB", "CBC", "CFB128", "OFB"):
        for kind in ("GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT"):
            folder = "CFB" if mode == "CFB128" else mode
            yield f"ciphers/AES/{folder}/{mode}{kind}256.rsp", lambda p, n, mode=mode: cavp_aes(p, n, mode)
    yield "ciphers/AES/CTR/aes-256-ctr.txt", lambda p, n: cavp_aes(p, n, "CTR")
    yield "HMAC/rfc-4231-sha256.txt", cavp_hmac
    yield "KDF/rfc-5869-HKDF-SHA256.txt", cavp_hkdf
    yield "KDF/hkdf-generated.txt", cavp_hkdf
    yield "asymmetric/Ed25519/sign.input", cavp_ed25519
    yield "asymmetric/X25519/rfc7748.txt", cavp_x25519


OTHER = "another algorithm or format"


def why_other(path):
    """Why a file of the package is not read"""
    name = os.path.basename(path)
    if name.endswith((".py", ".pyc")) or "readme" in name.lower():
        return "no vectors"
    if path.startswith("hashes/SHA2/SHA") and name.endswith("Monte.txt"):
        return OTHER if "_" in name or name[3:6] not in ("256", "512") else "the same as the .rsp file beside it"
    if path.startswith("ciphers/AES/"):
        return "AES with 128 or 192 bits, or in another mode; here AES-256-GCM (and what counter mode gives)"
    if path.startswith(("asymmetric/Ed25519/", "asymmetric/X25519/")):
        return "key files in DER and PEM; the library reads no such file"
    return OTHER


def cavp(directory):
    seen = set()
    print("  AES-256 is reached by its counter mode, as GCM uses it: E(key, block) is the stream from there")
    for name, function in cavp_files():
        seen.add(name)
        path = os.path.join(directory, name)
        if os.path.exists(path):
            function(path, name)
        else:
            print(f"skip {suite} {name}: not in this release of the package")
    others = [os.path.relpath(os.path.join(d, f), directory) for d, _, files in os.walk(directory) for f in files]
    reasons = collections.defaultdict(list)
    for name in sorted(set(others) - seen):
        reasons[why_other(name)].append(name)
    for reason, names in reasons.items():
        places = sorted({os.path.dirname(n) for n in names})
        print(f"skip {suite}: {len(names)} files do not apply: {reason}")
        print("  " + " ".join(p or "." for p in places))


# ---- Project Wycheproof --------------------------------------------------------------------------------------------

def wycheproof_cases(path):
    for group in json.load(open(path, encoding="utf-8"))["testGroups"]:
        outer = {k: v for k, v in group.items() if isinstance(v, int)}
        if "publicKey" in group:
            outer["pk"] = group["publicKey"]["pk"]
        for test in group["tests"]:
            yield {k: str(v) for k, v in {**outer, **test}.items() if k != "flags"}


def no_gcm(c):
    if c["keySize"] != "256":
        return f"a key of {c['keySize']} bits; here 256 only"
    if c["ivSize"] != "96":
        return "an IV of another size than 96 bits"
    return "" if 96 <= int(c["tagSize"]) <= 128 else "a tag of another size than 96 to 128 bits"


def no_ed25519(c):
    if len(c["pk"]) != 64:
        return "a public key of another size than 32 bytes (refused before)"
    return "" if len(c["sig"]) == 128 else "a signature of another size than 64 bytes (refused before)"


def no_hmac(c):
    return "" if c["tagSize"] == "256" else "a truncated MAC"


def no_hkdf(c):
    return "" if int(c["size"]) <= 255 * 32 else "more than 8160 bytes: the caller's duty (svconn_export refuses it)"


def no_x25519(c):
    return "" if len(c["public"]) == len(c["private"]) == 64 else "a key of another size than 32 bytes"


WYCHEPROOF = {
    "aes_gcm_test.json": (sealed, no_gcm, ["ct", "tag"]),
    "ed25519_test.json": (ed25519_verify, no_ed25519, ["sig", "pk"]),
    "hkdf_sha256_test.json": (hkdf, no_hkdf, ["okm"]),
    "hmac_sha256_test.json": (hmac, no_hmac, ["tag"]),
    "x25519_test.json": (x25519, no_x25519, ["shared"]),
}


def wycheproof(directory):
    for name, (check, why_not, expected) in WYCHEPROOF.items():
        path = os.path.join(directory, name)
        if not os.path.exists(path):
            print(f"skip {suite} {name}: not in that directory")
            continue
        cases = [{**c, "pt": c.get("msg", "")} for c in wycheproof_cases(path)]
        ours, rest = split(cases, why_not)
        report(name, ours, check, expected, rest)
    others = [f for f in os.listdir(directory) if f.endswith(".json") and f not in WYCHEPROOF]
    if others:
        print(f"skip {suite}: {len(others)} other JSON files: other algorithms or forms of keys")


def main():
    global suite, call
    if len(sys.argv) != 4 or sys.argv[1] not in ("cavp", "wycheproof"):
        sys.exit(__doc__)
    suite, call = sys.argv[1], Driver(sys.argv[2])
    (cavp if suite == "cavp" else wycheproof)(sys.argv[3])
    call.pipe.stdin.close()
    if call.pipe.wait() != 0:
        print(f"FAIL {suite}: the driver ended with status {call.pipe.returncode}")
        sys.exit(1)
    sys.exit(1 if failed else 0)


main()
