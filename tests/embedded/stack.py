#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Worst case of the stack, from what gcc writes with -fstack-usage -fcallgraph-info=su: the sum of the frames of the deepest chain of calls.

Usage: stack.py NAME=FUNCTION[,FUNCTION...]... -- FILE.ci...
For each NAME one line: "NAME BYTES chain". Refused, with exit status 1: recursion, a frame whose size is not known when it is compiled (alloca,
arrays of variable length), a call through a pointer, a call of something that is in none of the files (but for helpers of the compiler, which are
counted as HELPER bytes and named)."""
import re
import sys

HELPER = 32
HELPERS = re.compile(r"__aeabi_|__gnu_thumb1_case_|__(lshr|ash[lr])di3$|__clz[sd]i2$|(mem(cpy|move|set|cmp))$")


def main():
    split = sys.argv.index("--")
    roots = [a.split("=") for a in sys.argv[1:split]]
    frame, kind, calls = {}, {}, {}
    for path in sys.argv[split + 1:]:
        for line in open(path, encoding="utf-8"):
            node = re.match(r'node: \{ title: "([^"]+)" label: "([^"]*)"', line)
            if node:
                size = re.search(r"(\d+) bytes \(([^)]*)\)", node.group(2))
                if size:
                    frame[node.group(1)], kind[node.group(1)] = int(size.group(1)), size.group(2)
            edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', line)
            if edge:
                calls.setdefault(edge.group(1), set()).add(edge.group(2))

    faults, helpers, deepest = set(), set(), {}

    def short(function):
        return function.split(":")[-1]

    def walk(function, path):
        if function in path:
            faults.add("recursion: " + " > ".join(map(short, path[path.index(function):] + (function,))))
            return 0, ()
        if function in deepest:
            return deepest[function]
        if function == "__indirect_call":
            faults.add(f"a call through a pointer in {short(path[-1])}")
            return 0, ()
        if function not in frame:
            if not HELPERS.match(function):
                faults.add(f"{short(path[-1]) if path else 'asked for'}: {function} is in none of the files")
            helpers.add(function)
            return HELPER, ((function, HELPER),)
        if kind[function] != "static":
            faults.add(f"{short(function)}: a frame that is {kind[function]}")
        below = max((walk(c, path + (function,)) for c in sorted(calls.get(function, ()))), default=(0, ()))
        deepest[function] = frame[function] + below[0], ((short(function), frame[function]),) + below[1]
        return deepest[function]

    # Names that two files have as static functions stay apart: gcc titles those with their file.
    for name, functions in roots:
        worst, chain = max(walk(f, ()) for f in functions.split(","))
        print(name, worst, " > ".join(f"{f}({n})" for f, n in chain))
    everything = set(frame)
    for function in sorted(everything):
        walk(function, ())
    for fault in sorted(faults):
        print("refused:", fault, file=sys.stderr)
    if helpers:
        print(f"# helpers of the compiler and of the C library, {HELPER} bytes each: {' '.join(sorted(helpers))}")
    return 1 if faults else 0


sys.exit(main())
