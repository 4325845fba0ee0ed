#!/bin/sh
# SPDX-License-Identifier: ISC
# The two programs of README do what README says. Usage: sh tests/examples.sh DIRECTORY-OF-PROGRAMS
set -u
dir=$1
tmp=$(mktemp -d) || exit 1
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
head -c 32 /dev/urandom >"$tmp/psk"
head -c 32 /dev/urandom >"$tmp/other"

round() { # NAME SERVER-KEY CLIENT-KEY: prints what the client printed; its status
    rm -f "$tmp/sock"
    "$dir/server" "$tmp/$1" "unix:$tmp/sock" 2>"$tmp/server.err" &
    server=$!
    i=0
    while [ ! -S "$tmp/sock" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
    "$dir/client" "$tmp/$2" "unix:$tmp/sock" "hello, world" 2>"$tmp/client.err"
    status=$?
    wait $server
    return $status
}

if [ "$(round psk psk)" = "hello, world" ]; then echo "pass examples: the message comes back"
else cat "$tmp/server.err" "$tmp/client.err"; echo "FAIL examples: the message comes back"; fi
if round psk other >/dev/null; then echo "FAIL examples: another key is refused"
else echo "pass examples: another key is refused"; fi

# ---- a board on a serial line, with the program at the other end
svconn=$dir/../svconn wire=$dir/../tests/serial/wire board=
mkfifo "$tmp/commands"
"$svconn" keygen --psk -o "$tmp/board.psk" 2>/dev/null
"$wire" "$tmp/a" "$tmp/b" <"$tmp/commands" >"$tmp/wire.log" 2>&1 &
line=$!
exec 9>"$tmp/commands"
trap 'kill $server $board $line 2>/dev/null; rm -rf "$tmp"' EXIT
i=0
while [ ! -e "$tmp/b" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
"$dir/board" "$tmp/board.psk" "$tmp/a" 2>"$tmp/board.err" 9>&- &
board=$!
desk() { "$svconn" echo "serial:$tmp/b" --psk "$tmp/board.psk" --name desk 9>&- 2>"$tmp/desk.err"; }
says_back() { # NAME
    if [ "$(echo "$1" | desk)" = "$1" ]; then echo "pass examples: board: $1"
    else cat "$tmp/board.err" "$tmp/desk.err"; echo "FAIL examples: board: $1"; fi
}
says_back "the message comes back"
says_back "and in another session"
sleep 5 9>&- | "$svconn" echo "serial:$tmp/b" --psk "$tmp/board.psk" --name desk 9>&- 2>/dev/null &
killed=$!
sleep 1
kill -KILL $killed
wait $killed 2>/dev/null
says_back "after a caller that died"
echo "noise 20" >&9
desk </dev/null
echo "noise 0" >&9
says_back "after noise"
exec 9>&-

# ---- the same board with a random source that fails: it ends before it opens the line
dies() { # NAME SOURCE
    "$dir/board" "$tmp/board.psk" "$tmp/nowhere" "$2" 2>"$tmp/board.err"
    if grep -q "random source has failed" "$tmp/board.err"; then echo "pass examples: board: $1"
    else cat "$tmp/board.err"; echo "FAIL examples: board: $1"; fi
}
dies "no sessions from a source that is zero" /dev/zero
dies "no sessions from a source that gives too little" /dev/null
head -c 4096 /dev/urandom >"$tmp/dice"
"$dir/board" "$tmp/board.psk" "$tmp/nowhere" "$tmp/dice" 2>"$tmp/board.err"
if grep -q "nowhere" "$tmp/board.err" && [ "$(wc -c <"$tmp/board.psk.last")" -eq 16 ]; then echo "pass examples: board: it keeps 16 bytes of a start"
else cat "$tmp/board.err"; echo "FAIL examples: board: it keeps 16 bytes of a start"; fi
dies "no sessions from a source that begins the same each time" "$tmp/dice"

if [ "$("$dir/gatt")" = "$(printf 'board hears: open the door\nphone hears: it is open')" ]; then echo "pass examples: records over GATT"
else echo "FAIL examples: records over GATT"; fi
