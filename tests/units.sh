#!/bin/sh
# SPDX-License-Identifier: ISC
# systemd reads the units of packaging/systemd without a complaint, and finds the program where "make install" puts it.
# Usage: sh tests/units.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
command -v systemd-analyze >/dev/null || { echo "skip units: systemd-analyze is not installed (package: systemd)"; exit 0; }
mkdir units run
export XDG_RUNTIME_DIR="$dir/run"

verify() { # NAME FILE OPTION...: the units want /usr/local/bin/svconn, which may not be there
    name=$1 file=$2
    shift 2
    sed "s|/usr/local/bin/svconn|$svconn|" "$root/../packaging/systemd/$file" >"units/$name"
    if systemd-analyze "$@" verify "units/$name" >out 2>&1 && ! grep -F "$name" out >complaints; then pass "unit $name"
    else fail "unit $name" "$(cat out)"; fi
}
verify svconn-serve.service user/svconn-serve.service --user
verify svconn-forward@home.service user/svconn-forward@.service --user
verify svconn-relay.service svconn-relay.service
echo "[Service]" >units/bad.service
if systemd-analyze --user verify units/bad.service >out 2>&1; then echo "skip units: systemd-analyze finds no fault in a wrong unit here"
else pass "a wrong unit is found"; fi
exit $failed
