#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes crypto/ed25519_table.c: constants of edwards25519 and multiples of its base point. Run in the
repository's root. Everything is computed here from the definitions in RFC 8032, section 5.1."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from curve_ref import B, D, L, P, ROOT, times


def words(n):
    return ["0x%016x" % (n >> 64 * i & (2**64 - 1)) for i in range(4)]


def entry(point):
    x, y = point
    assert (-x * x + y * y - 1 - D * x * x % P * y * y) % P == 0
    rows = [", ".join(words(v % P)) for v in (y + x, y - x, 2 * D * x * y)]
    return "{" + (",\n" + " " * 9).join(rows) + "}"


def main():
    out = ["/* SPDX-License-Identifier: ISC */",
           "/* Made by tests/gen/ed25519_table.py: do not edit. See ed25519_table.h. */",
           '#include "ed25519_table.h"', "", "#ifndef SVCONN_SMALL /* else: curve25519_small.c */", ""]
    for name, value, what in (("d", D, "d = -121665 / 121666"), ("2d", 2 * D % P, "2 d"),
                              ("root", ROOT, "a square root of -1: 2^((p - 1) / 4)")):
        out += ["/* %s */" % what,
                "const uint64_t svconn_ed25519_%s[4] = {\n    %s,\n};" % (name, ", ".join(words(value))), ""]
    for when, combs, teeth, steps, window in (("#ifndef SVCONN_LARGE_TABLES", 2, 5, 26, 5), ("#else", 13, 5, 4, 8)):
        out += [when, "const uint64_t svconn_ed25519_comb[%d][%d][12] = {" % (combs, 2**(teeth - 1))]
        for j in range(combs):
            out.append("    {")
            for i in range(2**(teeth - 1)):
                n = 2**(steps * (teeth - 1)) + sum((1 if i >> t & 1 else -1) * 2**(steps * t) for t in range(teeth - 1))
                out.append("        " + entry(times((n << steps * teeth * j) % L, B)) + ",")
            out.append("    },")
        out += ["};", "", "const uint64_t svconn_ed25519_odd[%d][12] = {" % 2**(window - 2)]
        for i in range(2**(window - 2)):
            out.append("    " + entry(times(2 * i + 1, B)).replace("\n    ", "\n") + ",")
        out += ["};"]
    out += ["#endif", "#endif", ""]
    with open("crypto/ed25519_table.c", "w") as f:
        f.write("\n".join(out))


main()
