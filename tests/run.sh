#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs each argument as a shell command, adds up its "pass NAME", "FAIL NAME" and "skip NAME: why" lines, and closes with one line
# "N passed, N failed" (", N skipped"). A command that ends badly without a FAIL line counts as one failure. As many at a time as there
# are processors, or JOBS of them; reported in the order given. V=1 shows every line.
set -u
passed=0 failed=0 skipped=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'kill $workers 2>/dev/null; exit 1' INT TERM

work() { # takes the next command that nobody has taken, as long as there is one
    n=0
    for command in "$@"; do
        n=$((n + 1))
        mkdir "$dir/$n" 2>/dev/null || continue
        sh -c "$command" >"$dir/$n/log" 2>&1
        echo $? >"$dir/$n/running"
        mv "$dir/$n/running" "$dir/$n/status"
    done
}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)} workers=
while [ "$jobs" -gt 0 ]; do
    work "$@" &
    workers="$workers $!"
    jobs=$((jobs - 1))
done

n=0
for command in "$@"; do
    n=$((n + 1)) log=$dir/$n/log
    while [ ! -e "$dir/$n/status" ]; do sleep 0.1; done
    status=$(cat "$dir/$n/status")
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
