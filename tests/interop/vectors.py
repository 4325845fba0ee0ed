# SPDX-License-Identifier: ISC
"""The format of test vectors (spec/vectors.md): a list of (case name, [(name, value), ...])."""


def parse(text):
    cases = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name:
            raise ValueError(f"line {number}: no name = value")
        if name == "case":
            cases.append((value, []))
        elif not cases:
            raise ValueError(f"line {number}: a value before the first case")
        elif value.startswith('"') and value.endswith('"') and len(value) >= 2:
            cases[-1][1].append((name, value[1:-1]))
        else:
            cases[-1][1].append((name, bytes.fromhex(value)))
    return cases


def read(path):
    with open(path, encoding="utf-8") as file:
        return parse(file.read())


def write(cases, comments):
    """The text of a file. str becomes quoted text, bytes become hexadecimal."""
    lines = [("# " + c).rstrip() for c in comments]
    for case, values in cases:
        lines += ["", "case = " + case]
        lines += [f"{name} = " + (f'"{v}"' if isinstance(v, str) else v.hex()) for name, v in values]
    return "\n".join(line.rstrip() for line in lines) + "\n"
