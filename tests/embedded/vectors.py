#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Some of the vectors of test-vectors/ as C arrays, for images that have no files. Usage: vectors.py test-vectors >vectors.h"""
import os
import re
import sys

SHA = r"fips-180-[123]$|pattern-(0|1|55|56|63|64|65|111|112|119|127|128|129|200)$"
FILES = [  # file, table, the fields in their order, which cases
    ("sha256", "sha256", "msg digest", SHA),
    ("sha512", "sha512", "msg digest", SHA),
    ("hkdf_sha256", "hkdf", "salt ikm info prk okm", r"rfc5869|salt-.*okm-(1|33|64)$"),
    ("aes256_gcm", "gcm", "key nonce aad plaintext ciphertext tag", r"gcm-spec|edge-(0-1|0-15|0-16|0-17|0-31|1-33|12-64|13-100|16-128|20-129)$"),
    ("x25519", "x25519", "scalar u out", r"rfc7748-(5.2-[12]|6.1-.*-.*)$|small-order-(0|1|4|7|13)$|non-canonical-(3|9|18)$|scalar-edge-.-9$"),
    ("ed25519", "sign", "seed public_key msg signature scalar u", r"rfc8032|sign-(32|111|127|seed-ff)$"),
    ("ed25519", "verify", "public_key msg signature valid",
     r"verify-(good|S-plus-(1|15)L|S-L|S-0|S-max|wrong-message|negative-.*|R-identity-0|R-torsion-1|A-mixed-1-R-.*|A-small-order-[0-3]-0)$"),
]
SVC = ["open, context", "hidden", "hidden, context, padding", "psk", "psk, context, padding", "server key, client psk", "server psk, client key",
       "server key, client custom, hidden", "server custom, client psk", "custom", "close: both at once", "renewal: by the sender of c2s",
       "renewal: three steps of s2c before the other side sends", "renewal: both at once"]


def cases(path):
    for part in re.split(r"^case = ", open(path, encoding="utf-8").read(), flags=re.M)[1:]:
        name, *lines = part.splitlines()
        yield name, [re.match(r"(\S+) = ?(.*)$", line).groups() for line in lines if line and not line.startswith("#")]


def data(text):
    return text[1:-1].encode() if text.startswith('"') else bytes.fromhex(text)


def spell(b):
    return "{" + ",".join(map(str, b or b"\0")) + "}"


class Pool:
    """Each byte string once."""
    def __init__(self):
        self.names = {}

    def bytes(self, b):
        if b not in self.names:
            self.names[b] = f"vec_{len(self.names)}"
            print(f"static const uint8_t {self.names[b]}[] = {spell(b)};")
        return f"{{{self.names[b]}, {len(b)}}}"


def svc_case(pool, name, lines):
    one = {k: data(v) for k, v in lines}
    want = ["context", "server_identity", "server_secret", "server_random", "client_identity", "client_secret", "client_random", "M1", "M2", "M3",
            "authenticator", "export", "known"]
    queue = {"c2s": [], "s2c": []}
    events, sent = [], None
    for k, v in lines:
        side, _, what = k.partition("_")
        if side not in queue:
            continue
        if what in ("send", "close"):
            sent = (what, data(v))
        elif what == "renew":
            events.append(f"{{EVENT_RENEW, {int(side == 's2c')}, {pool.bytes(b'')}, {pool.bytes(b'')}}}")
        elif what == "wire":
            queue[side].append(data(v))
            events.append(f"{{EVENT_{sent[0].upper()}, {int(side == 's2c')}, {pool.bytes(sent[1])}, {pool.bytes(data(v))}}}")
        elif what in ("take", "take_close"):
            kind = "TAKE" if what == "take" else "TAKE_CLOSE"
            events.append(f"{{EVENT_{kind}, {int(side == 's2c')}, {pool.bytes(data(v))}, {pool.bytes(queue[side].pop(0))}}}")
        elif what != "key":
            sys.exit(f"{name}: {k}?")
    fields = ", ".join(pool.bytes(one.get(k, b"")) for k in want)
    pad_to = len(one["E_plain"]) if any(one["padding"]) else 0
    return (f'{{"{name}", {int(one.get("hidden") == bytes([1]))}, {pad_to}, '
            f"{fields}, {len(events)}, (const svc_event[]){{{', '.join(events)}}}}},")


def main():
    pool = Pool()
    print("/* Made by tests/embedded/vectors.py */")
    for file, table, fields, which in FILES:
        rows = []
        for name, lines in cases(os.path.join(sys.argv[1], file + ".txt")):
            d = dict(lines)
            names = fields.split()
            if re.match(which, name) and all(f in d for f in names):
                rows.append(f'{{"{name}", {{' + ", ".join(pool.bytes(data(d[f])) for f in names) + "}},")
        print(f"static const vec_case {table}_cases[] = {{\n" + "\n".join(rows) + "\n};")
    keys = []
    for name, lines in cases(os.path.join(sys.argv[1], "ed25519.txt")):
        accept = [v for k, v in lines if k == "accept"]
        if accept:
            some = [data(v) for k, v in lines if k == "public_key"][:4]
            keys += [f'{{"{name}", {{{pool.bytes(k)}, {pool.bytes(data(accept[0]))}}}}},' for k in some]
    print("static const vec_case key_cases[] = {\n" + "\n".join(keys) + "\n};")
    svc = dict(cases(os.path.join(sys.argv[1], "svc1.txt")))
    rows = [svc_case(pool, name, svc[name]) for name in SVC]
    print("static const svc_case svc_cases[] = {\n" + "\n".join(rows) + "\n};")


main()
