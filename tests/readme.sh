#!/bin/sh
# SPDX-License-Identifier: ISC
# The C programs in README.md are the ones in examples/, line for line.
set -u
for f in server client; do
    if awk -v want="examples/$f.c" '
        $0 == "<!-- " want " -->" { on = 1; next }
        on == 1 && /^```c$/ { on = 2; next }
        on == 2 && /^```$/ { exit }
        on == 2 { print }' README.md | cmp -s - "examples/$f.c"; then echo "pass README shows examples/$f.c"
    else echo "FAIL README shows examples/$f.c"; fi
done
