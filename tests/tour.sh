#!/bin/sh
# SPDX-License-Identifier: ISC
# The two terminals of README.md, as they stand there but for the ports and the directory. Usage: sh tests/tour.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
command -v python3 >/dev/null || { echo "skip tour of README: no python3, whose web server is the target"; exit 0; }
mkdir build run && ln -s "$svconn" build/svconn
export XDG_RUNTIME_DIR="$dir/run"

# Three ports that are free now
set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*[x.getsockname()[1] for x in s])')
web=$1 door=$2 here=$3
# part TERMINAL N: its N-th block
part() {
    awk -v want="<!-- terminal $1 -->" -v n="$2" '$0 == want { on = ++seen == n; next } on && !/^    / { exit } on' "$root/../README.md" |
        sed "s/:8000/:$web/; s/:8387/:$door/; s/8080=/$here=/"
}
for block in "1 1" "2 1" "1 2" "2 2"; do
    [ "$(part ${block% *} ${block#* } | wc -l)" -gt 0 ] || fail "README has block $block" "nothing found"
done

echo "it works" >page.txt
python3 -u -m http.server "$web" --bind 127.0.0.1 >web.log 2>&1 &
started="$started $!"
await "Serving HTTP" web.log || fail "the web server that is the target" "$(cat web.log)"
one=$(part 1 1) two=$(part 2 1) serve=$(part 1 2) forward=$(part 2 2)
sh -ec "$one" >one.log 2>&1 || fail "terminal 1, keys" "$(cat one.log)"
sh -ec "$two" >two.log 2>&1 || fail "terminal 2, keys" "$(cat two.log)"
# the last command of a block stays: it takes the place of the shell, so that it can be ended
last() { sed '$s/^ *svconn/exec svconn/'; }
settings() { echo "$1" | head -n 2; }
sh -ec "$(settings "$one"; echo "$serve" | last)" >serve.log 2>&1 &
started="$started $!"
await "listening on" serve.log || fail "terminal 1, serve" "$(cat serve.log)"
sh -ec "$(settings "$two"; echo "$forward" | last)" >forward.log 2>&1 &
started="$started $!"
await "forwarding" forward.log || fail "terminal 2, forward" "$(cat forward.log)"
got=$(python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:$here/page.txt', timeout=20).read().decode(), end='')" 2>&1)
if [ "$got" = "it works" ]; then pass "README: two terminals, from nothing to a forwarded port"
else fail "README: two terminals" "$got $(cat serve.log forward.log)"; fi
exit $failed
