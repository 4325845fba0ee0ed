#!/bin/sh
# SPDX-License-Identifier: ISC
# Every binding and platform that has a peer here (tests/pairs/NAME.sh) against every other, and itself, as server and as client, with each kind of
# identities. A pair passes if both end in order and show the same authenticator. PAIRS="c rust" chooses some of them.
#
# tests/pairs/NAME.sh, from the root of the tree, after make:
#   build               makes what it needs in build/pairs/NAME. Status 77, and a sentence on standard error: a tool is missing, it is skipped
#   server KIND         listens on 127.0.0.1, prints "port N"; echoes each message of one client until END, closes; prints "authenticator DIGITS"
#   client KIND PORT    sends an empty message, "hello", and, with a new key (svconn_renew), 5000 bytes (7 * i) mod 256; compares each echo; closes;
#                       prints "authenticator DIGITS"
# Both give up after 30 s, and take only the peer that is expected. KIND: key (Ed25519; seeds: 32 bytes 0x11 of the server, 0x22 of the client), hidden
# (the same, and the server is hidden), psk (32 bytes 0x33; names "server" and "client"). No context. Messages are up to 16384 bytes.
set -u
kinds='key hidden psk'

one_server() { # SERVER CLIENT...: all that one server does
    server=$1
    shift
    tmp=$(mktemp -d) || exit 1
    background=
    trap 'kill $background 2>/dev/null; rm -rf "$tmp"' EXIT
    trap 'exit 1' INT TERM
    for client in "$@"; do
        for kind in $kinds; do pair; done
    done
}

pair() {
    : >"$tmp/server.out"
    timeout 60 sh "tests/pairs/$server.sh" server "$kind" >"$tmp/server.out" 2>&1 &
    background=$!
    i=0
    until port=$(sed -n 's/^port \([0-9][0-9]*\)\r*$/\1/p' "$tmp/server.out") && [ "$port" ]; do
        i=$((i + 1))
        if [ $i -gt 300 ] || ! kill -0 $background 2>/dev/null; then break; fi
        sleep 0.1
    done
    timeout 60 sh "tests/pairs/$client.sh" client "$kind" "${port:-0}" >"$tmp/client.out" 2>&1
    client_status=$?
    wait $background
    server_status=$?
    # (Windows ends lines in another way)
    one=$(sed -n 's/^authenticator \([0-9 ]*\)\r*$/\1/p' "$tmp/server.out")
    other=$(sed -n 's/^authenticator \([0-9 ]*\)\r*$/\1/p' "$tmp/client.out")
    if [ $server_status -eq 0 ] && [ $client_status -eq 0 ] && [ ${#one} -eq 23 ] && [ "$one" = "$other" ]; then
        echo "pass pairs: $server serves $client, $kind"
    else
        echo "FAIL pairs: $server serves $client, $kind (status $server_status and $client_status)"
        sed "s/^/  $server: /" "$tmp/server.out"
        sed "s/^/  $client: /" "$tmp/client.out"
    fi
}

if [ $# -gt 0 ]; then
    one_server "$@"
    exit 0
fi

names=
for file in tests/pairs/*.sh; do
    name=$(basename "$file" .sh)
    [ "$name" = run ] || names="$names $name"
done
names=${PAIRS:-$names}

# Builds come before all pairs, so that nothing else takes their time; what they have to say is told in the report.
mkdir -p build/pairs
ready='' reports='' name=''
for name in $names; do
    log=build/pairs/$name.log
    sh "tests/pairs/$name.sh" build >"$log" 2>&1
    case $? in
    0)
        ready="$ready $name"
        continue
        ;;
    77) echo "skip pairs: $name: $(tail -n 1 "$log")" >"build/pairs/$name.report" ;;
    *) (cat "$log" && echo "FAIL pairs: $name is not built") >"build/pairs/$name.report" ;;
    esac
    reports="$reports $name"
done

set --
for name in $ready; do set -- "$@" "sh tests/pairs/run.sh $name$ready"; done
[ "$ready" ] || set -- "echo 'pass nothing was run'"
for name in $reports; do set -- "$@" "cat build/pairs/$name.report"; done
exec sh tests/run.sh "$@"
