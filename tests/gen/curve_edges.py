#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes tests/curve_edges.h: [S]B - [k]A for points A of all orders and for scalars at the edges, as one SHA-256 for each A. Run in the repository's
root."""

import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from curve_ref import B, L, add, check, enc, encode, neg, times, torsion

SCALARS = [0, 1, 2, 8, L - 2, L - 1, L, L + 1, 2 * L, 4 * L, 7 * L, 2**254, 2**255 - 1]


def rows(b):
    return ",\n     ".join(", ".join("0x%02x" % x for x in b[i:i + 16]) for i in range(0, 32, 16))


def main():
    t = torsion()
    some = times(0x123456789abcdef123456789abcdef123456789abcdef, B)
    points = t + [B, neg(B), some] + [add(some, x) for x in t[1:5]] + [add(B, t[7])]
    sums = [times(s, B) for s in SCALARS]
    out = ["/* SPDX-License-Identifier: ISC */", "/* Made by tests/gen/curve_edges.py: do not edit. */", "#ifndef SVCONN_TEST_CURVE_EDGES_H",
           "#define SVCONN_TEST_CURVE_EDGES_H", "", "#include <stdint.h>", "", "static const uint8_t edge_scalars[%d][32] = {" % len(SCALARS)]
    out += ["    {%s}," % rows(enc(s)) for s in SCALARS]
    out += ["};", "", "/* A; whether it may be a key; the SHA-256 of the encodings of all [S]B - [k]A, k the outer loop */", "static const struct {",
            "    uint8_t point[32], accepted, sha256[32];", "} edge_points[%d] = {" % len(points)]
    for a in points:
        h = hashlib.sha256()
        for k in SCALARS:
            ka = neg(times(k, a))
            for sb in sums:
                h.update(encode(add(sb, ka)))
        out.append("    {{%s},\n     %d,\n     {%s}}," % (rows(encode(a)), check(encode(a)), rows(h.digest())))
    out += ["};", "", "#endif", ""]
    with open("tests/curve_edges.h", "w") as f:
        f.write("\n".join(out))


main()
