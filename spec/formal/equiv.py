#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the observational equivalence variants."""
import sys
from run import run
M = [("eq-cli", "CLIENTID"), ("eq-cli-more", "CLIENTID MORE"), ("eq-cli-fs", "CLIENTID LEAK_LTK"), ("eq-cli-y", "CLIENTID LEAK_Y"),
     ("eq-cli-oracle", "CLIENTID ORACLE"), ("eq-cli-tofu", "CLIENTID TOFU"),
     ("eq-cli-sdh", "CLIENTID STATICDH"), ("eq-cli-sdh-y", "CLIENTID STATICDH LEAK_Y"), ("eq-cli-sdh-or", "CLIENTID STATICDH ORACLE"),
     ("eq-sdh-y-light", "CLIENTID STATICDH LEAK_Y LIGHT"), ("eq-y-light", "CLIENTID LEAK_Y LIGHT"), ("eq-sdh-light", "CLIENTID STATICDH LIGHT"), ("eq-fs-light", "CLIENTID LEAK_LTK LIGHT"), ("eq-srv", "SERVERID"), ("eq-srv-recover", "SERVERID RECOVER"), ("eq-srv-rec-enc", "SERVERID RECOVER ENCPROOF"),
     ("eq-srv-cli", "SERVERCLI"), ("eq-srv-probe", "SERVERPROBE")]
only = set(sys.argv[1:])
out = open("results-equiv.tsv", "a" if only else "w")
D = dict(M)
for n in sys.argv[1:] or [m[0] for m in M]:
    f = D[n]
    res, dt = run(n, f.split(), 0, "equiv.pv.in", 900)
    v = " ; ".join(res)
    print(f"{n:15s} {dt:6.1f}s {v}", flush=True)
    out.write(f"{n}\t{f}\t{dt:.1f}\t{v}\n"); out.flush()
