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
