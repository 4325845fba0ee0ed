#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""run.py NAME FLAGS QUERY ... : builds one variant with cpp, runs ProVerif, prints the RESULT line."""
import subprocess, sys, os, time, re
B = os.path.dirname(os.path.abspath(__file__))
PV = os.environ.get("PROVERIF", "proverif")
def run(name, flags, q, src="final.pv.in", limit=300):
    os.makedirs(B + "/gen", exist_ok=True)
    os.makedirs(B + "/logs", exist_ok=True)
    out = f"{B}/gen/{name}-q{q}.pv"
    subprocess.check_call(["cpp", "-P", "-traditional-cpp", "-w", f"-DQUERY={q}"] + ["-D" + f for f in flags] +
                          [f"{B}/{src}", out])
    t = time.time()
    try:
        r = subprocess.run([PV, out], capture_output=True, text=True, timeout=limit)
        txt = r.stdout + r.stderr
        res = [l for l in txt.splitlines() if l.startswith("RESULT")] or ["RESULT (none) " + txt.strip()[-300:]]
    except subprocess.TimeoutExpired as e:
        txt, res = (e.stdout or b"").decode(errors="replace"), [f"RESULT timeout after {limit} s"]
    open(f"{B}/logs/{name}-q{q}.log", "w").write(txt)
    return res, time.time() - t
if __name__ == "__main__":
    name, flags, qs = sys.argv[1], [f for f in sys.argv[2].split(",") if f], sys.argv[3].split(",")
    for q in qs:
        res, dt = run(name, flags, q)
        for l in res: print(f"{name:14s} q{q:3s} {dt:6.1f}s  {l}", flush=True)
