#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The table of what the library costs on chips (budget.tsv) and the goals (goals.tsv). A file TARGET-PROFILE holds what count.sh printed.

    table.py check FILE       one column against budget.tsv: pass, FAIL or skip
    table.py report DIR       the goals, and what has shrunk
    table.py show DIR         all that was measured
    table.py accept DIR       writes budget.tsv from it, and its rows in docs/embedded.md
    table.py page             are those the rows of budget.tsv?
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUDGET, GOALS = os.path.join(HERE, "budget.tsv"), os.path.join(HERE, "goals.tsv")
PAGE = os.path.join(HERE, "..", "..", "docs", "embedded.md")
MARK = "<!-- tests/embedded/budget.tsv -->\n"
PAGE_COLUMNS = ["m0-small", "m0-fast", "m4-small", "m4-fast", "rv32-small", "rv32-fast"]
PAGE_ROWS = ["flash_client_key", "flash_client_psk", "flash_all", "ram_session", "stack_bound_handshake", "insns_key_client", "insns_seal_per_byte"]
COLUMNS = [f"{t}-{p}" for t in ("m0", "m3", "m4", "rv32") for p in ("small", "fast")]
GROWTH = 0.02
FRAMES = 64
SLACK = {"flash": 16, "ram": 4, "stack": 16, "insns": 200, "slices": 5}


def column(path):
    with open(path, encoding="utf-8") as f:
        return dict(line.split()[:2] for line in f if not line.startswith("#") and line.strip())


def measured(directory):
    return {c: column(os.path.join(directory, c)) for c in COLUMNS if os.path.exists(os.path.join(directory, c))}


def budget():
    if not os.path.exists(BUDGET):
        return {}
    with open(BUDGET, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#") and line.strip()]
    return {c: {r[0]: r[i + 1] for r in rows[1:] if r[i + 1] != "-"} for i, c in enumerate(rows[0][1:])}


def compare(old, new):
    """Rows that grew beyond what is allowed, rows that shrank as much, rows that only one has."""
    grew, shrank = [], []
    for row in new:
        if row == "gcc" or row not in old:
            continue
        a, b = float(old[row]), float(new[row])
        slack = 0.5 if row.endswith("_per_byte") else SLACK[row.split("_")[0]]
        if b > a * (1 + GROWTH) and b > a + slack:
            grew.append((row, old[row], new[row]))
        if b < a * (1 - GROWTH) and b < a - slack:
            shrank.append((row, old[row], new[row]))
    return grew, shrank, sorted(set(old) - set(new)), sorted(set(new) - set(old))


def check(path):
    name = os.path.basename(path)
    title = "budget " + name.replace("-", " ")
    new, old = column(path), budget().get(name)
    # What was seen cannot be deeper than what was computed, but for the frames of measure.c itself.
    bad = 0
    for row in [r for r in new if r.startswith("stack_") and not r.startswith("stack_bound_")]:
        operation = row[6:].split("/")[0]
        bound = new.get("stack_bound_" + ("handshake" if operation.startswith(("key_", "psk_")) else operation))
        if bound and int(new[row]) > int(bound) + FRAMES:
            print(f"FAIL {title}: {row}: {new[row]} bytes were used, but the bound is {bound}")
            bad = 1
    if old is None:
        print(f"skip {title}: budget.tsv has no such column")
        return bad
    if old["gcc"] != new["gcc"]:
        print(f"skip {title}: the table was made with gcc {old['gcc']}, this is {new['gcc']}: not compared")
        return bad
    grew, _, gone, _ = compare(old, new)
    for row, a, b in grew:
        print(f"FAIL {title}: {row} grew from {a} to {b} (make embedded-accept, if that is wanted)")
    for row in gone:
        print(f"FAIL {title}: {row} was not measured")
    missed = [(row, value, limit) for _, row, value, limit in goals({name: new}) if value > limit]
    for row, value, limit in missed:
        print(f"FAIL {title}: {row} is {text(value)}, and the goal {text(limit)} (goals.tsv)")
    for group in ("flash", "ram", "stack", "insns"):
        rows = [r for r in new if r.startswith(group)]
        if not any(r in rows for r, _, _ in grew + missed):
            print(f"pass {title}: {group}, {len(rows)} numbers")
    return 1 if grew or gone or missed or bad else 0


def goals(got):
    with open(GOALS, encoding="utf-8") as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            name, rows, limit = line.split()
            if name not in got:
                continue
            for row in [r for r in got[name] if r == rows or (rows.endswith("*") and r.startswith(rows[:-1]))]:
                yield name, row, float(got[name][row]), float(limit)


def text(n):
    return f"{n:,.1f}".removesuffix(".0").replace(",", " ")


def report(directory):
    got, old, met, total = measured(directory), budget(), 0, 0
    print(f"{'goal':46} {'measured':>12} {'limit':>12}")
    for name, row, value, limit in goals(got):
        met += value <= limit
        total += 1
        print(f"{name:12} {row:33} {text(value):>12} {text(limit):>12}   {'met' if value <= limit else 'NOT MET'}")
    print(f"{met} of {total} goals are met (goals.tsv)")
    for name, new in got.items():
        if name not in old or old[name]["gcc"] != new["gcc"]:
            continue
        _, shrank, _, more = compare(old[name], new)
        for row, a, b in shrank:
            print(f"{name}: {row} shrank from {a} to {b}: make embedded-accept keeps it")
        if more:
            print(f"{name}: not in budget.tsv yet: {' '.join(more)}")


def table(got):
    rows = []
    for c in got.values():
        rows += [r for r in c if r not in rows]
    yield ["row", *got]
    for row in rows:
        yield [row, *(c.get(row, "-") for c in got.values())]


def show(directory):
    for row in table(measured(directory)):
        print(f"{row[0]:28}" + "".join(f"{x:>12}" for x in row[1:]))


def accept(directory):
    got = measured(directory)
    missing = [c for c in COLUMNS if c not in got]
    if missing:
        sys.exit(f"not measured: {' '.join(missing)}; budget.tsv is as it was")
    with open(BUDGET, "w", encoding="utf-8") as f:
        f.write("# What the library costs on chips, made by make embedded-accept; docs/embedded.md says how to read it.\n"
                "# TARGET-small: -Os -DSVCONN_SMALL   TARGET-fast: -O2\n")
        for row in table(got):
            f.write("\t".join(row) + "\n")
    with open(PAGE, encoding="utf-8") as f:
        before, rest = f.read().split(MARK, 1)
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(before + MARK + excerpt() + rest[rest.index("\n\n"):])


def excerpt():
    """The rows of budget.tsv that the page shows."""
    old = budget()
    rows = [["row", *PAGE_COLUMNS], ["---"] + ["---:"] * len(PAGE_COLUMNS)]
    rows += [[f"`{r}`", *(text(float(old[c][r])) for c in PAGE_COLUMNS)] for r in PAGE_ROWS]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def page():
    with open(PAGE, encoding="utf-8") as f:
        good = MARK + excerpt() + "\n\n" in f.read()
    print("pass" if good else "FAIL", "docs/embedded.md shows rows of tests/embedded/budget.tsv" + ("" if good else " that are not these: make embedded-accept"))
    return 0 if good else 1


commands = {"check": check, "report": report, "show": show, "accept": accept, "page": page}
if len(sys.argv) < 2 or sys.argv[1] not in commands or len(sys.argv) != (2 if sys.argv[1] == "page" else 3):
    sys.exit(__doc__)
sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
