#!/bin/sh
# SPDX-License-Identifier: ISC
# "svconn doctor": set-ups with one fault each, and one without. Usage: sh tests/doctor.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"

export HOME="$dir/home" XDG_CONFIG_HOME="$dir/home/.config" XDG_RUNTIME_DIR="$dir/run"
unset SVCONN_RELAY
mine=$XDG_CONFIG_HOME/svconn
mkdir -p "$mine" run other
alone=$(command -v setsid >/dev/null && echo setsid -w) # no terminal, so nobody can be asked

# finds NAME CODE TEXT OPTION...: doctor ends with CODE, and a line begins with TEXT (blanks as one)
finds() {
    name=$1 code=$2 text=$3
    shift 3
    $alone "$svconn" doctor "$@" >out 2>err </dev/null
    got=$?
    tr -s ' ' <out >lines
    if [ $got -eq "$code" ] && grep -q -- "^$text" lines && [ ! -s err ]; then pass "$name"
    else fail "$name" "exit code $got; \"$text\" expected in: $(cat out err)"; fi
}

finds "no key" 3 "FAULT key .*svconn keygen"
"$svconn" keygen -o "$mine/key" >me
me=$(key_of "$mine/key")
finds "a key and nothing else" 0 "ok key .*fingerprint $(sed -n 's/^fingerprint: //p' me)"
finds "no relay is named" 0 "note relay none is named"
finds "JSON" 0 '{"check":"key","state":"ok","text":"' --json
chmod 644 "$mine/key"
finds "a key that others can read" 3 "FAULT key .*chmod 600"
chmod 600 "$mine/key"
chmod 777 "$mine"
finds "a directory that others can change" 3 "FAULT directory .*(mode 777)"
chmod 700 "$mine"
echo nonsense >"$mine/known_peers"
finds "known_peers is no such file" 3 "FAULT known_peers .*line 1"
rm "$mine/known_peers"
echo nonsense >"$mine/known_relays"
finds "known_relays is no such file" 3 "FAULT known_relays .*line 1"
rm "$mine/known_relays"
echo "bob $(printf '%064x' 10) seen" >"$mine/known_peers"
finds "a peer that is only seen" 0 "note known_peers 1 entry of which 1 only seen"
rm "$mine/known_peers"
(ulimit -n 200 && finds "few descriptors" 0 "note descriptors only 200 open files" && exit $failed) || failed=1
chmod 755 run
mkdir -p run/svconn && chmod 755 run/svconn
finds "a runtime directory for everybody" 3 "FAULT runtime"
chmod 700 run/svconn

# ---- the relay ----
"$svconn" keygen -o relay.key >/dev/null
"$svconn" relay tcp://127.0.0.1:0 --key relay.key --log - >relay.log 2>&1 &
started="$started $!"
await "parties use" relay.log || fail "the relay starts" "$(cat relay.log)"
relay=$(sed -n 's|.*parties use relay://\([^/]*\)/.*|\1|p' relay.log)
finds "the relay, by its key" 0 "ok relay .*its key is the known one" --relay "$relay"
finds "the relay, without its key" 0 "note relay .*not in known_relays" --relay "${relay#*@}"
echo "${relay#*@} ${relay%@*}" >"$mine/known_relays"
finds "the relay, from known_relays" 0 "ok relay" --relay "${relay#*@}"
echo "${relay#*@} $me" >"$mine/known_relays"
finds "the relay has another key" 4 "FAULT relay .*ANOTHER KEY" --relay "${relay#*@}"
rm "$mine/known_relays"
finds "nobody listens there" 5 "FAULT relay .*Connection refused" --relay 127.0.0.1:1
finds "the first fault counts" 5 "FAULT peer" --relay 127.0.0.1:1 nobody

# ---- the peer ----
export SVCONN_RELAY="$relay"
finds "a peer that is not known" 4 "FAULT peer .*not in known_peers" bob
XDG_CONFIG_HOME="$dir/other" && mkdir -p other/svconn && "$svconn" keygen -o other/svconn/key >/dev/null
bob=$(key_of other/svconn/key)
XDG_CONFIG_HOME="$dir/home/.config"
"$svconn" peers trust bob "$bob" 2>/dev/null
finds "a peer that does not run" 5 "FAULT peer .*registered" bob
XDG_CONFIG_HOME="$dir/other" "$svconn" serve --forward 127.0.0.1:1 >serve.log 2>&1 &
started="$started $!"
await "listening on" serve.log || fail "serve starts" "$(cat serve.log)"
finds "a peer that does not let us in" 4 "FAULT peer .*peers trust NAME $me" bob
XDG_CONFIG_HOME="$dir/other" "$svconn" peers allow "$me" --name alice 2>/dev/null
finds "a peer that lets us in" 0 "ok peer it is there and lets us in, for .svconn forward.$" bob
finds "a token is not used up" 0 "note peer .*good once" 7KQ3-M2XD
finds "a peer whose key is not known" 0 "note peer something answers" "relay://$relay/$bob"
finds "no tokens were spent on it" 0 "ok relay"
if grep -q "wrong-token" relay.log; then fail "no wrong token" "$(cat relay.log)"; else pass "no wrong token"; fi
exit $failed
