#!/bin/sh
# SPDX-License-Identifier: ISC
# Two relays behind HAProxy, as docs/relay.md shows it. Usage: sh tests/relay_pool.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
if ! command -v haproxy >/dev/null 2>&1; then
    echo "pass nothing was run"
    echo "skip two relays behind HAProxy: no haproxy here (Debian: haproxy)"
    exit 0
fi
. "$root/tests/program.sh"

check() { # NAME CONDITION...
    name=$1
    shift
    if "$@"; then echo "pass $name"; else
        tail -n 20 ./*.log
        echo "FAIL $name"
    fi
}

awk '/<!-- packaging\/haproxy\/relays.cfg -->/ { on = 1; next } on == 1 && /^```/ { on = 2; next } on == 2 && /^```/ { exit } on == 2' \
    "$root/docs/relay.md" >shown.cfg
check "docs/relay.md shows packaging/haproxy/relays.cfg" cmp -s shown.cfg "$root/packaging/haproxy/relays.cfg"

# The ports of the example may be taken: 100 of a range that is seldom used, a few tries
base=$((30000 + $$ % 200 * 10))
for try in 1 2 3 4 5; do
    base=$((base + 10))
    sed "s/:8386/127.0.0.1:$base/; s/:8401/127.0.0.1:$((base + 1))/; s/:8402/127.0.0.1:$((base + 2))/; s/127.0.0.1:9401/127.0.0.1:$((base + 3))/; s/127.0.0.1:9402/127.0.0.1:$((base + 4))/" \
        "$root/packaging/haproxy/relays.cfg" >relays.cfg
    haproxy -db -f relays.cfg >haproxy.log 2>&1 &
    haproxy=$!
    started="$started $haproxy"
    sleep 0.5
    kill -0 $haproxy 2>/dev/null && break
done
check "HAProxy takes the example" kill -0 "$haproxy"

for key in relay a b; do "$svconn" keygen -o $key.key >/dev/null; done
for n in 1 2; do
    "$svconn" relay "tcp://127.0.0.1:$((base + 2 + n))" --key relay.key --proxy-protocol --name "127.0.0.1:$((base + n))" --log log$n --source-new 3 2>relay$n.log &
    started="$started $!"
    await "parties use" relay$n.log
done
sleep 2.5 # HAProxy looks every two seconds who is there
head -c 200000 /dev/urandom >data
for n in 1 2 3 4; do
    "$svconn" echo-server "relay://$(key_of relay.key)@127.0.0.1:$base/" --key a.key --peer "$(key_of b.key)" --once 2>server$n.log &
    server=$!
    started="$started $server"
    await "listening on" server$n.log
    at=$(sed -n 's/.*listening on //p' server$n.log)
    "$svconn" echo "$at" data --key b.key --peer "$(key_of a.key)" >out 2>client$n.log
    check "pair $n: a token from whichever relay leads the caller to that one" cmp -s out data
    wait $server
done
check "both relays had pairs" [ "$(grep -l '"joined"' log1 log2 2>/dev/null | wc -l)" -eq 2 ]
