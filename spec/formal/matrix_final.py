#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs every variant x query of the trace-property model, two at a time; writes results-final.tsv."""
import sys, re, concurrent.futures as cf
from run import run
M = [
 ("f-base", "NOLOW FIXPEER STATICDH", "1 2 3 4 5 6 7 8 10 11 12"),
 ("f-hidden", "NOLOW FIXPEER STATICDH HIDDEN", "1 2 3 4 5 6 7 8 10 11 12"),
 ("f-nosdh", "", "1 2 3 4 5 6 7 8"),
 ("f-fs", "NOLOW FIXPEER STATICDH LEAK_LTK", "1 2 3"),
 ("f-leak-y", "NOLOW FIXPEER STATICDH LEAK_Y", "1 2 3 4 5 6 7 8"),
 ("f-nosdh-y", "LEAK_Y", "4 5 6 14 15 16 20"),
 ("f-leak-s", "NOLOW FIXPEER STATICDH LEAK_S", "1 2 3 4 5 7 8"),
 ("f-leak-x", "NOLOW FIXPEER STATICDH LEAK_X", "4 5 6 17 18"),
 ("f-kci-c", "NOLOW FIXPEER STATICDH LEAK_A", "1 2 5 8"),
 ("f-kci-s", "NOLOW FIXPEER STATICDH LEAK_B LEAK_S", "3 4 7"),
 ("f-weak", "STATICDH NOCHECK MALSIG WEAKKEY", "1 2 3 4 5 6 7 8"),
 ("f-altenc", "NOLOW FIXPEER STATICDH ALTENC", "1 2 4 5 6"),
 ("f-oracle2", "NOLOW FIXPEER STATICDH ORACLE2", "1 2 4 5 8"),
 ("f-nosdh-or2", "ORACLE2 FIXPEER NOLOW", "1 2 5"),
 ("f-oracle", "NOLOW FIXPEER STATICDH ORACLE", "1 2 4 5 8"),
]
only = set(sys.argv[1:])
order = sys.argv[1:] or [m[0] for m in M]
D = {m[0]: m for m in M}
jobs = [(o.split(":")[0], D[o.split(":")[0]][1].split(), q) for o in order for q in (o.split(":")[1].split(",") if ":" in o else D[o][2].split())]
out = open("results-final.tsv", "a" if only else "w")
with cf.ThreadPoolExecutor(2) as ex:
    futs = {j[0] + "|" + j[2]: ex.submit(run, j[0], j[1], j[2], "final.pv.in", 900) for j in jobs}
    for n, f, q in jobs:
        res, dt = futs[n + "|" + q].result()
        v = " ; ".join(re.sub(r"^RESULT ", "", r) for r in res)
        verdict = "FALSE" if "is false" in v else "TRUE" if "is true" in v else "?"
        print(f"{n:12s} q{q:3s} {dt:6.1f}s {verdict:6s} {v[:150]}", flush=True)
        out.write(f"{n}\t{','.join(f)}\t{q}\t{dt:.1f}\t{verdict}\t{v}\n"); out.flush()
