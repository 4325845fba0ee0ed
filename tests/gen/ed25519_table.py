#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes crypto/ed25519_table.c: constants of edwards25519 and multiples of its base point. Run in the
repository's root. Everything is computed here from the definitions in RFC 8032, section 5.1."""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
L = 2**252 + 27742317777372353535851937790883648493


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P)


def times(n, a):
    if n < 0:
        return times(-n, (-a[0] % P, a[1]))
    r = (0, 1)
    while n:
        if n & 1:
            r = add(r, a)
        a = add(a, a)
        n >>= 1
    return r


def base_point():
    """y = 4/5, x even."""
    y = 4 * pow(5, -1, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * ROOT % P
    assert x * x % P == x2
    return (P - x if x & 1 else x, y)


def words(n):
    return ["0x%016x" % (n >> 64 * i & (2**64 - 1)) for i in range(4)]


def entry(point):
    x, y = point
    assert (-x * x + y * y - 1 - D * x * x % P * y * y) % P == 0
    rows = [", ".join(words(v % P)) for v in (y + x, y - x, 2 * D * x * y)]
    return "{" + (",\n" + " " * 9).join(rows) + "}"


def main():
    b = base_point()
    out = ["/* SPDX-License-Identifier: ISC */",
           "/* Made by tests/gen/ed25519_table.py: do not edit. See ed25519_table.h. */",
           '#include "ed25519_table.h"', ""]
    for name, value, what in (("d", D, "d = -121665 / 121666"), ("2d", 2 * D % P, "2 d"),
                              ("root", ROOT, "a square root of -1: 2^((p - 1) / 4)")):
        out += ["/* %s */" % what,
                "const uint64_t svconn_ed25519_%s[4] = {\n    %s,\n};" % (name, ", ".join(words(value))), ""]
    out += ["const uint64_t svconn_ed25519_comb[13][16][12] = {"]
    for j in range(13):
        out.append("    {")
        for i in range(16):
            n = 2**16 + sum((1 if i >> t & 1 else -1) * 2**(4 * t) for t in range(4))
            out.append("        " + entry(times((n << 20 * j) % L, b)) + ",")
        out.append("    },")
    out += ["};", "", "const uint64_t svconn_ed25519_odd[64][12] = {"]
    for i in range(64):
        out.append("    " + entry(times(2 * i + 1, b)).replace("\n    ", "\n") + ",")
    out += ["};", ""]
    with open("crypto/ed25519_table.c", "w") as f:
        f.write("\n".join(out))


main()
