# SPDX-License-Identifier: ISC
# Read by the scripts that try the program (". program.sh", with the path of the program as $1): $svconn; $dir, a new directory
# that is the current one and is removed at the end, with every process in $started.
[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: sh $0 path/to/svconn" >&2; exit 2; }
svconn=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
dir=$(mktemp -d) || exit 1
failed=0 started=
export NO_COLOR=1
umask 077

finish() {
    for pid in $started; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null # some tidy up
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$dir" || exit 1

pass() { echo "pass $1"; }
fail() { # name, what was seen
    echo "  $2" | head -n 20
    echo "FAIL $1"
    failed=1
}

# await TEXT FILE: until a line of FILE holds TEXT, for a minute at most
await() {
    tries=0
    until grep -qF -- "$1" "$2" 2>/dev/null; do
        [ $tries -lt 3000 ] || return 1
        sleep 0.02
        tries=$((tries + 1))
    done
}

key_of() { "$svconn" id "$1" | sed -n 's/^public key: //p'; }
same() { cmp -s "$1" "$2"; }
