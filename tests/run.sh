#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs each argument as a shell command, adds up its "pass NAME", "FAIL NAME" and "skip NAME: why" lines, and closes with one line
# "N passed, N failed" (", N skipped"). A command that ends badly without a FAIL line counts as one failure. V=1 shows every line.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT INT TERM
for command in "$@"; do
    sh -c "$command" >"$log" 2>&1
    status=$?
    p=$(grep -c '^pass ' "$log")
    f=$(grep -c '^FAIL ' "$log")
    s=$(grep -c '^skip ' "$log")
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        echo "FAIL $command: exit status $status" >>"$log"
        [ "${V:-}" ] || tail -n 40 "$log"
    elif [ "$f" -ne 0 ] && [ ! "${V:-}" ]; then
        grep -v '^pass ' "$log" | head -n 200
    fi
    if [ "${V:-}" ]; then cat "$log"; else grep '^skip ' "$log"; fi
    printf '  %-50.50s %5d passed' "$command" "$p"
    [ "$f" -eq 0 ] || printf ', %d failed' "$f"
    [ "$s" -eq 0 ] || printf ', %d skipped' "$s"
    echo
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo
if [ "$skipped" -eq 0 ]; then echo "$passed passed, $failed failed"; else echo "$passed passed, $failed failed, $skipped skipped"; fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
