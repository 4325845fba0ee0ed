#!/bin/sh
# SPDX-License-Identifier: ISC
# The C programs in README.md are the ones in examples/, line for line, and the numbers in docs/embedded.md those of the table.
set -u
for f in server client; do
    if awk -v want="examples/$f.c" '
        $0 == "<!-- " want " -->" { on = 1; next }
        on == 1 && /^```c$/ { on = 2; next }
        on == 2 && /^```$/ { exit }
        on == 2 { print }' README.md | cmp -s - "examples/$f.c"; then echo "pass README shows examples/$f.c"
    else echo "FAIL README shows examples/$f.c"; fi
done
if command -v "${PYTHON:-python3}" >/dev/null 2>&1; then "${PYTHON:-python3}" tests/embedded/table.py page
else echo "skip docs/embedded.md shows rows of tests/embedded/budget.tsv: no Python here (Debian: python3)"; fi
