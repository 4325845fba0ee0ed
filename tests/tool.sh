#!/bin/sh
# SPDX-License-Identifier: ISC
# serve, forward, listen, connect and sessions, from outside: alice is called, bob calls, carol is a stranger.
# Usage: sh tests/tool.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"

py=
for p in ${PYTHON:-} /usr/bin/python3 python3; do
    if "$p" -c 'import pty' 2>/dev/null; then py=$p; break; fi
done
if [ -z "$py" ]; then
    echo "skip tool: targets, terminals and hostile callers are played by Python 3"
    exit 0
fi
helper=$root/tool.py
alone=$(command -v setsid >/dev/null && echo setsid) # no terminal, so nobody can be asked
[ "$alone" ] || { echo "skip tool: without setsid (util-linux) the questions would go to the terminal here"; exit 0; }

check() { # NAME CONDITION...
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name" "$(echo "not true: $*"; for f in out err tty log; do [ -s $f ] && head -n 12 $f | sed "s/^/    $f: /"; done)"; fi
}
says() { grep -qF -- "$1" "$2"; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# as WHO COMMAND...: with the files of this person
as() {
    home=$dir/$1
    shift
    env -u XDG_CONFIG_HOME -u SVCONN_RELAY HOME="$home" XDG_RUNTIME_DIR="$home" "$@"
}
# run WHO CODE COMMAND...: without a terminal, without input; output in out and err
run() {
    who=$1 want=$2
    shift 2
    as "$who" "$alone" -w "$svconn" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$want" ] && return 0
    echo "  exit code $got instead of $want: svconn $*"
    head -n 10 err | sed 's/^/    /'
    return 1
}
# start WHO LOG COMMAND...: in the background, with standard input from $input; waits until it works; $pid, $address
input=/dev/null
start() {
    who=$1 log=$2
    shift 2
    : >"$log"
    env -u XDG_CONFIG_HOME -u SVCONN_RELAY HOME="$dir/$who" XDG_RUNTIME_DIR="$dir/$who" "$alone" "$svconn" "$@" \
        >"$log.out" 2>"$log" <"$input" &
    pid=$!
    started="$started $pid"
    await 'ing ' "$log"
    address=$(sed -n 's/^svconn: listening on //p' "$log" | head -n 1)
}
stop() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
# ends PID: waits for its end; its exit code. It is killed after a minute
ends() {
    (sleep 60; kill -9 "$1") >/dev/null 2>&1 &
    guard=$!
    wait "$1"
    code=$?
    kill "$guard" 2>/dev/null
    return $code
}
# greets LOG OPTIONS...: alice says hello to whoever may come, at $address
greets() {
    log=$1
    shift
    start alice "$log" listen tcp://127.0.0.1:0 --keep --exec 'echo hello' "$@"
}
# calls NAME WHO CODE [OPTIONS]: the exit code, and hello only with code 0
calls() {
    call_name=$1 call_who=$2 call_code=$3
    shift 3
    hello=$([ "$call_code" -eq 0 ] && echo hello)
    if run "$call_who" "$call_code" connect "$address" "$@" && [ "$(cat out)" = "$hello" ]; then pass "$call_name"
    else fail "$call_name" "said: $(cat out err)"; fi
}
port_of() { sed -n "s/^svconn: forwarding 127.0.0.1:\([0-9]*\) to $2 .*/\1/p" "$1" | tail -n 1; }

for who in alice bob carol; do
    mkdir -p $who/.config/svconn
    as $who "$svconn" keygen --hex -o $who/.config/svconn/key >$who.id
done
key() { sed -n 's/^public key: //p' "$1.id"; }
print_of() { sed -n "s/^fingerprint: //p" "$1.id"; }
alice=$(key alice) bob=$(key bob) carol=$(key carol)
run bob 0 peers trust alice "$alice"
run alice 0 peers trust bob "$bob"
run alice 0 peers allow bob
head -c 3000000 /dev/urandom >large
printf 'to the called side\n' >in1
printf 'to the caller\n' >in2
"$py" "$helper" echo tcp echo.port & started="$started $!"
"$py" "$helper" echo unix:"$dir/echo.sock" echo.unix & started="$started $!"
for f in echo.port echo.unix; do until [ -s $f ]; do sleep 0.02; done; done
echo_port=$(cat echo.port)
talk() { "$py" "$helper" talk "$@"; }
echoes() { # NAME ADDRESS: all of the large file comes back, behind a half-close
    if talk "$2" <large >back && same large back; then pass "$1"; else fail "$1" "$(wc -c <back) of 3000000 bytes came back"; fi
}

# ---- serve and forward ----
start alice serve.log serve tcp://127.0.0.1:0 --forward echo="127.0.0.1:$echo_port" --forward local=unix:"$dir/echo.sock" \
    --forward nobody=127.0.0.1:1 --audit audit.log
serve_pid=$pid serve_at=$address
run bob 0 peers trust alice "$alice" "$serve_at"
start bob forward.log forward alice 0=echo unix:"$dir/here=local" "0=$echo_port" 0=nobody 0=other
forward_pid=$pid port=$(port_of forward.log echo)
await 'to local at alice' forward.log
echoes "serve: a name, over TCP" "127.0.0.1:$port"
echoes "serve: a UNIX socket here leads to a UNIX socket there" unix:"$dir/here"
echoes "serve: a target by its port" "127.0.0.1:$(port_of forward.log "$echo_port")"
talk "127.0.0.1:$(port_of forward.log nobody)" </dev/null >out
check "serve: where nobody listens, the connection is reset" [ $? -eq 3 ]
check "serve: ... and forward says why" await "nobody listens there" forward.log
talk "127.0.0.1:$(port_of forward.log other)" </dev/null >out
check "serve: what is not offered is reset" [ $? -eq 3 ]
check "serve: ... and forward says so" await "does not offer this target" forward.log
check "forward: a UNIX socket is for its owner alone" [ "$(ls -l here | cut -c1-10)" = "srw-------" ]
start bob forward2.log forward alice 0=echo
forward2_pid=$pid
for i in 1 2 3; do talk "127.0.0.1:$port" <large >back$i & eval "talk$i=\$!"; done
echoes "forward: two of one key at once" "127.0.0.1:$(port_of forward2.log echo)"
wait "$talk1" "$talk2" "$talk3"
check "forward: three streams at the same time" eval 'same large back1 && same large back2 && same large back3'
for i in 1 2; do printf '%s' "$i" | as bob "$alone" "$svconn" forward alice -=echo >stdio$i 2>err; done
check "forward -=: standard input and output" [ "$(cat stdio1 stdio2)" = 12 ]

# ---- sessions ----
run alice 0 sessions
check "sessions: a row for each" [ "$(grep -c ' bob .* tunnel .* connected$' out)" -eq 2 ]
run alice 0 sessions --json
check "sessions --json: objects in lines" "$py" -c 'import json; o = [json.loads(l) for l in open("out")]; assert len(o) == 2 and {x["peer"] for x in o} == {"'"$bob"'"}, o
assert sum(x["in"] for x in o) > 15000000 and {x["state"] for x in o} == {"connected"}, o'
run bob 3 sessions
run alice 3 sessions --end 4711
check "sessions --end: no such session" says "no session 4711" err
as alice "$svconn" sessions --json >out
number=$(sed -n '$s/.*"number":\([0-9]*\).*/\1/p' out)
run alice 0 sessions --end "$number"
check "sessions --end: says so" says "session $number of" err
ends "$forward2_pid"
check "sessions --end: the caller ends with exit code 4" [ $? -eq 4 ]
check "sessions --end: ... and says why" says "somebody there ended the session" forward2.log
check "sessions --end: ... and does not come back" eval '! says "coming back" forward2.log'
check "sessions --end: the others stay" eval 'talk "127.0.0.1:$port" <in1 >back; same in1 back'

# ---- coming back ----
port_there=${serve_at##*:}
stop "$serve_pid"
check "serve: SIGTERM ends it in order" await "the other side ends" forward.log
check "serve: no socket file is left" [ -z "$(ls alice/svconn)" ]
start alice serve2.log serve "tcp://127.0.0.1:$port_there" --forward echo="127.0.0.1:$echo_port" --audit audit.log
serve_pid=$pid
check "forward: comes back to a serve that was started again" await "back at alice" forward.log
echoes "forward: new connections work then" "127.0.0.1:$port"
stop "$forward_pid"
check "forward: SIGTERM removes its socket file" [ ! -e here ]

# ---- the audit log ----
mv audit.log audit.1
kill -HUP "$serve_pid"
tries=0
until [ -e audit.log ] || [ $tries -ge 500 ]; do sleep 0.02; tries=$((tries + 1)); done
printf x | as bob "$svconn" forward alice -=echo >out 2>err
await '"event":"end"' audit.log
run carol 4 forward "$serve_at" --peer "$alice" 0=echo
check "audit: an attempt that was refused" await '"event":"attempt"' audit.log
check "audit: SIGHUP opens it again: begin, stream, end" [ "$(grep -Eo '"event":"(begin|stream|end)"' audit.log | tr '\n' ' ')" = '"event":"begin" "event":"stream" "event":"end" ' ]
check "audit: the key of who was refused, and why" grep -q "\"peer\":\"$carol\".*\"why\":\"not allowed\"" audit.log
check "audit: JSON" "$py" "$helper" json audit.log
check "audit: JSON, the old file" "$py" "$helper" json audit.1
check "audit: every session has its line" [ "$(grep -c '"event":"begin"' audit.1)" -ge 5 ]
check "audit: as many ends as begins" [ "$(grep -c '"event":"begin"' audit.1)" -eq "$(grep -c '"event":"end"' audit.1)" ]
check "audit: a file for its owner alone" [ "$(ls -l audit.log | cut -c1-10)" = "-rw-------" ]
check "audit: no secret in it" eval '! grep -qF -e "$(cat alice/.config/svconn/key)" -e "$(cat bob/.config/svconn/key)" audit.log audit.1'
stop "$serve_pid"

# ---- pipes ----
input=in2
start alice pipe.log listen tcp://127.0.0.1:0
input=/dev/null
as bob "$alone" "$svconn" connect "$address" --peer alice <in1 >out 2>err
check "connect: exit code 0" [ $? -eq 0 ]
ends "$pid"
check "listen: exit code 0" [ $? -eq 0 ]
check "pipe: both ways" eval 'same in1 pipe.log.out && same in2 out'
: >pipe.log
: >pipe.log.out
{ await 'to the called' pipe.log.out; cat large; } | as alice "$alone" "$svconn" listen tcp://127.0.0.1:0 >pipe.log.out 2>pipe.log &
await 'listening on ' pipe.log
address=$(sed -n 's/^svconn: listening on //p' pipe.log)
as bob "$alone" -w "$svconn" connect "$address" --peer alice <in1 >out 2>err
check "pipe: what comes behind the end of the other half arrives" same large out
# The half of the called side is over at once, and who reads there is slow: the caller waits until all was taken.
slow_reader() { # TEXT COMMAND...: the reader waits before it does COMMAND with what comes; exit codes to $code and $code_there
    rm -f slow slow.go && mkfifo slow
    (
        exec <slow
        until [ -e slow.go ]; do sleep 0.05; done
        exec "$@"
    ) >slow.out &
    reader=$!
    : >pipe.log
    env -u XDG_CONFIG_HOME -u SVCONN_RELAY HOME="$dir/alice" XDG_RUNTIME_DIR="$dir/alice" "$alone" "$svconn" \
        listen tcp://127.0.0.1:0 2>pipe.log </dev/null >slow &
    pid=$!
    started="$started $pid"
    await 'listening on ' pipe.log
    address=$(sed -n 's/^svconn: listening on //p' pipe.log)
    as bob "$alone" "$svconn" connect "$address" --peer alice <large >out 2>err &
    caller=$!
    sleep 1
    : >slow.go
    wait "$caller"
    code=$?
    wait "$pid"
    code_there=$?
    wait "$reader"
}
slow_reader cat
check "pipe: a slow reader gets all of it" same large slow.out
check "pipe: exit code 0 at both sides" [ "$code $code_there" = "0 0" ]
slow_reader true
check "pipe: a reader that leaves late is a failure at both sides" [ "$code $code_there" = "1 3" ]
greets keep.log
calls "listen --exec: what the command writes" bob 0 --peer alice
calls "listen --keep: and again" bob 0 --peer alice
run bob 4 forward "$address" --peer alice 0=1
check "listen: forward is told which command to use" says 'svconn connect' err
stop "$pid"
start alice cat.log listen tcp://127.0.0.1:0 --exec cat
as bob "$alone" "$svconn" connect "$address" --peer alice <large >out 2>err
check "listen --exec: a command that reads and writes" same large out
ends "$pid"
check "listen --exec: exit code 0 at the end" [ $? -eq 0 ]

# ---- standard input and output in trouble ----
start alice full.log listen tcp://127.0.0.1:0 --keep --exec 'cat large'
as bob "$alone" "$svconn" connect "$address" --peer alice >/dev/full 2>err </dev/null
code=$?
check "connect: a full disk is trouble here (exit code 3)" [ $code -eq 3 ]
check "connect: a full disk is said" says "standard output" err
as bob "$alone" "$svconn" connect "$address" --peer alice 2>err <&- | cat >out
check "connect: standard input closed" same large out
as bob "$alone" "$svconn" connect "$address" --peer alice 2>err </dev/null >&-
check "connect: standard output closed is trouble here (exit code 3)" [ $? -eq 3 ]
stop "$pid"
input=in1
start alice full.log listen tcp://127.0.0.1:0
input=/dev/null
started_pid=$pid
"$py" "$helper" signal 9 "is here" full.log -- sh -c "exec env HOME=$dir/bob XDG_RUNTIME_DIR=$dir/bob $svconn connect $address --peer alice </dev/zero >/dev/null" 2>/dev/null &
killer=$!
await 'is here' full.log
ends "$killer"
ends "$started_pid"
check "listen: a caller that was killed is a failure (exit code 1)" [ $? -eq 1 ]

# ---- who may come in ----
greets door.log
calls "door: a key that is not allowed (exit code 4)" carol 4 --peer "$alice"
check "door: the caller is told what to do there" says "svconn peers trust NAME $carol" err
check "door: alice is told what to do" await "to allow it:  svconn peers trust NAME $carol" door.log
stop "$pid"
allows() { # NAME OPTIONS, then codes for bob and carol
    name=$1 opts=$2
    # shellcheck disable=SC2086 # words
    greets door.log $opts
    calls "door: $name: bob" bob "$3" --peer alice
    calls "door: $name: carol" carol "$4" --peer "$alice"
    stop "$pid"
}
sed "s/^bob .*/& /; s/verified/seen/" alice/.config/svconn/known_peers >seen
printf 'kate %s verified\n' "$carol" >kate
allows "--allow any" "--allow any" 0 0
allows "--allow known" "--allow known --known-peers kate" 4 0
allows "--allow known is verified" "--allow known --known-peers seen" 4 4
allows "--allow seen" "--allow seen --known-peers seen" 0 4
allows "--allow NAME" "--allow kate --known-peers kate" 4 0
allows "--allow KEY" "--allow $carol" 4 0
allows "--allow both" "--allow authorized --allow $carol" 0 0
allows "--allow is instead of the file" "--allow kate --known-peers kate" 4 0
run alice 2 listen tcp://127.0.0.1:0 --allow nobody
check "door: --allow of nobody we know" says "--allow nobody" err
authorized() { # NAME OPTIONS CODE [LISTEN-OPTIONS]
    printf '%s bob %s\n' "$bob" "$2" >authorized
    # shellcheck disable=SC2086 # words
    greets door.log --authorized authorized ${4:-}
    calls "authorized_peers: $1" bob "$3" --peer alice
    stop "$pid"
}
authorized "only= of another service" only=tunnel 4
check "authorized_peers: only= says so" says "may not use this service" err
authorized "only= of this one" "only=tunnel only=pipe" 0
authorized "forward= alone is for tunnels" forward=echo 4
authorized "forward= and only= together" "forward=echo only=pipe" 0
authorized "a file with a bad line allows nobody, whoever else allows the key" "only=pipe
nonsense" 4 "--allow any"
check "authorized_peers: ... and that is held against nobody" eval 'says "authorized_peers cannot be read" door.log && ! says "not served" door.log'
authorized "from= elsewhere" from=192.0.2.0/24 4
authorized "from= here" "from=192.0.2.0/24 from=127.0.0.0/8" 0
authorized "until= past" until=2020-12-31 4
check "authorized_peers: until= is in the log" says "its time is over" door.log
authorized "until= future" until=2999-12-31 0
authorized "a restriction counts whoever else allows the key" until=2020-12-31 4 "--allow any"
authorized "ask without a terminal is no" ask 4
authorized "no-ask beats --ask" no-ask 0 --ask
authorized "a file that makes no sense lets nobody in" nonsense=1 4
printf '%s bob forward=echo\n' "$bob" >authorized
start alice door.log serve tcp://127.0.0.1:0 --forward echo="127.0.0.1:$echo_port" --forward local=unix:"$dir/echo.sock" --authorized authorized
printf x | as bob "$alone" "$svconn" forward "$address" --peer alice -=echo >out 2>err
check "authorized_peers: forward= of this target" [ "$(cat out)" = x ]
printf x | as bob "$alone" "$svconn" forward "$address" --peer alice -=local >out 2>err
check "authorized_peers: forward= of another" [ $? -eq 1 ]
check "authorized_peers: forward= says so" says "not to us" err
stop "$pid"
printf '%s bob sessions=1\n' "$bob" >authorized
start alice door.log serve tcp://127.0.0.1:0 --forward echo="127.0.0.1:$echo_port" --authorized authorized
door_pid=$pid there=$address
start bob one.log forward "$there" --peer alice 0=echo
address=$there
run bob 1 forward "$address" --peer alice 0=echo
check "authorized_peers: sessions= is full" says "too many sessions of this key" err
check "authorized_peers: ... which is no crime" eval 'run bob 1 forward "$address" --peer alice 0=echo; run bob 1 forward "$address" --peer alice 0=echo; run bob 1 forward "$address" --peer alice 0=echo; run bob 1 forward "$address" --peer alice 0=echo; run bob 1 forward "$address" --peer alice 0=echo; ! says banned door.log'
stop "$pid"
stop "$door_pid"

# ---- asked ----
greets ask.log --ask-program 'env >asked; exit 0'
calls "--ask-program: yes" bob 0 --peer alice
check "--ask-program: the caller is told to wait, and the digits" grep -Eq 'somebody is asked over there.* [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5}$' err
digits=$(sed -n 's/.*seen here: //p' err)
check "--ask-program: what it is told" [ "$(grep -cx -e SVCONN_NAME=bob -e SVCONN_KEY="$bob" -e SVCONN_SERVICE=pipe -e 'SVCONN_FROM=127.0.0.1:[0-9]*' -e "SVCONN_DIGITS=$digits" -e 'SVCONN_FINGERPRINT=[0-9 ]*' asked)" -eq 6 ]
stop "$pid"
greets ask.log --ask-program 'exit 3'
calls "--ask-program: no (exit code 4)" bob 4 --peer alice
check "--ask-program: no, in words" says "refused by who was asked" err
stop "$pid"
greets ask.log --ask-program 'trap "" TERM; echo $$ >hangs; while :; do sleep 1; done'
"$py" "$helper" signal 2 "somebody is asked" hung.err -- env HOME="$dir/bob" XDG_RUNTIME_DIR="$dir/bob" "$svconn" connect "$address" --peer alice >out
tries=0
until [ -s hangs ] || [ $tries -ge 500 ]; do sleep 0.02; tries=$((tries + 1)); done
await '#1: ' ask.log
tries=0
until gone "$(cat hangs)" || [ $tries -ge 500 ]; do sleep 0.02; tries=$((tries + 1)); done
check "--ask-program: one that hangs is killed when the caller leaves" gone "$(cat hangs)"
run alice 0 sessions
check "--ask-program: ... and alice goes on" says "nobody is connected" err
stop "$pid"

# at_terminal WHO STEPS... -- COMMAND...: exit code in $got; what was shown in tty
at_terminal() {
    at_who=$1
    shift
    as "$at_who" "$py" "$helper" terminal tty "$@" >out 2>err </dev/null
    got=$?
}
ask_alice() { # NAME OPTIONS QUESTION ANSWER CODE-OF-BOB
    : >ask.log
    # shellcheck disable=SC2086 # words
    as alice "$py" "$helper" terminal tty "$3=>$4" -- "$svconn" listen tcp://127.0.0.1:0 --keep --exec 'echo hello' $2 >ask.out 2>ask.log </dev/null &
    pid=$!
    started="$started $pid"
    await 'listening on ' ask.log
    address=$(sed -n 's/^svconn: listening on //p' ask.log)
    calls "$1" "${6:-bob}" "$5" --peer "$alice"
    # the terminal's process ends with its only child
    kill "$(cd alice/svconn && ls | sed -n 's/listen-\([0-9]*\).sock/\1/p')"
    wait "$pid"
}
ask_alice "--ask: yes" --ask "Let it in? Type yes: " yes 0
check "--ask: who, what, from where, and the digits" eval 'says "bob wants to come in (pipe), from 127.0.0.1:" tty && grep -Eq "sees: [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5}" tty'
ask_alice "--ask: anything else is no (exit code 4)" --ask "Let it in? Type yes: " y 4
ask_alice "--allow ask: a stranger, yes" "--allow ask" "Type yes: " yes 0 carol
check "--allow ask: the key is shown" says "$carol" tty
ask_alice "--allow ask: a stranger, no" "--allow ask" "Type yes: " no 4 carol
ask_alice "--confirm: wrong digits" --confirm "type them here: " "12345 12345 12345 12345" 4
check "--confirm: wrong digits, in words" says "the digits are not the same" ask.log

# ---- first contact ----
greets first.log --allow any
run carol 4 connect "$address"
check "first contact: no terminal, no connection (exit code 4), and what to do" says "svconn peers trust NAME $alice" err
check "first contact: nothing was remembered" [ ! -e carol/.config/svconn/known_peers ]
check "first contact: alice did nothing" eval '! says "is here" first.log'
run carol 0 peers trust friend "$alice"
check "first contact: somebody whom we know may still be the wrong one" run carol 4 connect "$address"
check "first contact: ... so --peer is wanted" says "--peer friend" err
run carol 0 peers forget friend
rm -f carol/.config/svconn/known_peers
at_terminal carol "anything else ends: =>no" -- "$svconn" connect "$address"
check "first contact: no (exit code 4)" [ $got -eq 4 ]
check "first contact: the key and the fingerprint are shown" eval 'says "$alice" tty && says "$(sed -n "s/^fingerprint: //p" alice.id)" tty'
at_terminal carol "anything else ends: =>y" -- "$svconn" connect "$address"
check "first contact: y is not yes" [ $got -eq 4 ]
at_terminal carol "anything else ends: =>verified" -- "$svconn" connect "$address"
check "first contact: verified, by its address" eval '[ $got -eq 0 ] && says hello out && grep -qF "$address $alice verified" carol/.config/svconn/known_peers'
run carol 0 peers forget "$address"
at_terminal carol "anything else ends: =>yes" -- "$svconn" connect "$address"
check "first contact: yes is seen, not verified" eval '[ $got -eq 0 ] && says hello out && grep -qF "$address $alice seen" carol/.config/svconn/known_peers'
run carol 0 connect "$address"
check "first contact: the second time nobody is asked, but reminded" eval 'says "peers verify" err && says hello out'
run carol 0 connect "$address" --quiet
check "connect --quiet: says nothing" [ ! -s err ]
run carol 0 connect "$address" --verbose
check "connect --verbose: who is there" says "$alice" err

# ---- a key that changed ----
rm -f got
stop "$pid"
start alice changed.log listen tcp://127.0.0.1:0 --allow any --keep --exec 'cat >got'
printf '%s %s verified\n' "$address" "$bob" >changed
printf 'a secret' >secret
as carol "$alone" -w "$svconn" connect "$address" --known-peers changed >out 2>err <secret
check "changed key: exit code 4" [ $? -eq 4 ]
check "changed key: both fingerprints are shown" eval 'says "ANOTHER KEY" err && says "$(print_of alice)" err && says "$(print_of bob)" err && ! says "$alice" err'
check "changed key: there is no way on but to forget" eval 'says "peers forget" err && ! grep -qi "continue" err'
check "changed key: nothing was sent" eval '[ ! -e got ] && ! says "is here" changed.log'
at_terminal carol "yes=>yes" -- "$svconn" connect "$address" --known-peers changed
check "changed key: nobody is asked at a terminal either" eval '[ $got -eq 4 ] && [ ! -s tty ]'
stop "$pid"

# ---- bans and filters ----
greets ban.log --ban-after 2 --audit ban.audit
calls "ban: the first failure" carol 4 --peer "$alice"
calls "ban: the second failure" carol 4 --peer "$alice"
check "ban: said" await "is not served for 600 seconds" ban.log
run carol 5 connect "$address" --peer "$alice"
check "ban: the source is not served, whoever it is" run bob 5 connect "$address" --peer alice
check "ban: in the audit log" says '"why":"banned"' ban.audit
stop "$pid"
greets ban.log --ban-after 2
for i in 1 2 3; do run carol 4 connect "$address" --peer "$alice"; run bob 0 connect "$address" --peer alice; done
check "ban: a success forgets the failures of a source" run bob 0 connect "$address" --peer alice
check "ban: nobody was asked about the key, so it is not banned itself" eval '! says "banned" ban.log'
stop "$pid"
greets ban.log --ban-after 2 --allow any --ask-program '[ "$SVCONN_NAME" = bob ]'
for i in 1 2; do run carol 4 connect "$address" --peer "$alice"; run bob 0 connect "$address" --peer alice; done
check "ban: a key about which somebody said no too often" eval 'run carol 4 connect "$address" --peer "$alice"; says "banned" ban.log'
check "ban: ... and no other key" run bob 0 connect "$address" --peer alice
stop "$pid"
greets from.log --from 192.0.2.0/24 --audit from.audit
run bob 5 connect "$address" --peer alice
check "--from: others get nothing" says '"why":"filtered"' from.audit
stop "$pid"
greets from.log --from 127.0.0.0/8 --not-from 127.0.0.1
run bob 5 connect "$address" --peer alice && pass "--not-from: beats --from" || fail "--not-from: beats --from" "$(cat err)"
stop "$pid"

# ---- at a relay ----
start alice relay.log relay tcp://127.0.0.1:0 --key alice/.config/svconn/key --drain 1
relay_pid=$pid
await 'parties use' relay.log
relay=$(sed -n 's/^svconn: parties use relay:\/\/\(.*\)\/$/\1/p' relay.log)
start alice serve.log serve --relay "$relay" --forward echo="127.0.0.1:$echo_port" --ban-after 1
serve_pid=$pid
await 'the other side does' serve.log
: >nobody
sed "s/ tcp:.*//" bob/.config/svconn/known_peers >bob/known
start bob forward.log forward --relay "$relay" --known-peers bob/known alice 0=echo
forward_pid=$pid port=$(port_of forward.log echo)
echoes "relay: a name" "127.0.0.1:$port"
printf x | as bob "$alone" "$svconn" forward --relay "$relay" --known-peers nobody "$alice" -=echo >out 2>err
check "relay: a key" [ "$(cat out)" = x ]
run carol 4 forward --relay "$relay" "$alice" 0=echo
run carol 4 forward --relay "$relay" "$alice" 0=echo
printf x | as bob "$alone" "$svconn" forward --relay "$relay" --known-peers bob/known alice -=echo >out 2>err
check "relay: nobody else is banned by the relay's address" [ "$(cat out)" = x ]
start alice token.log serve --relay "$relay" --token --forward echo="127.0.0.1:$echo_port"
token_pid=$pid
await 'the other side does' token.log
token=$(sed -n 's/.*the other side does: svconn forward --relay [^ ]* \([^ ]*\) .*/\1/p' token.log)
printf x | as bob "$alone" "$svconn" forward --relay "$relay" "$token" --peer alice -=echo >out 2>err
check "relay: a token" [ "$(cat out)" = x ]
ends "$token_pid"
check "relay: a token is for one, and serve ends in order" [ $? -eq 0 ]
run bob 4 forward --relay "$relay" "$token" --peer alice 0=echo
check "relay: a token that was used (exit code 4)" says "token" err
input=in2
start alice pair.log listen --relay "$relay" --pairing link
input=/dev/null
check "pairing: the file is for its owner alone" [ "$(ls -l link | cut -c1-10)" = "-rw-------" ]
await 'the other side does' pair.log
as carol "$alone" "$svconn" connect pairing:link <in1 >out 2>err
check "pairing: a stranger with the file comes in" eval 'ends "$pid" && same in1 pair.log.out && same in2 out'
check "pairing: no secret is said" eval '! grep -qF "$(sed "s/.*#//" link)" pair.log err'
relay_port=${relay##*:}
kill "$relay_pid"
ends "$relay_pid"
await "coming back" forward.log
start alice relay2.log relay "tcp://127.0.0.1:$relay_port" --key alice/.config/svconn/key --drain 1
check "relay: forward and serve come back to a relay that was started again" await "back at alice" forward.log
echoes "relay: ... and new connections work" "127.0.0.1:$port"
stop "$forward_pid"
stop "$serve_pid"

# ---- Ctrl-C ----
interrupt() { # NAME WHO TEXT COMMAND...
    int_name=$1 int_who=$2 text=$3
    shift 3
    as "$int_who" "$py" "$helper" signal 2 "$text" int.err -- "$svconn" "$@" >out </dev/null
    got=$?
    left=$(ls -d here.* alice/svconn/* bob/svconn/* 2>/dev/null)
    if [ "$got" -ne 99 ] && [ -z "$left" ]; then pass "Ctrl-C: $int_name"; else fail "Ctrl-C: $int_name" "left: $left; code $got; $(cat int.err)"; fi
}
nobody=127.0.0.1:1
interrupt "serve" alice "listening" serve tcp://127.0.0.1:0 --forward "$nobody"
interrupt "serve on a UNIX socket" alice "listening" serve unix:here.s --forward "$nobody"
interrupt "serve at a relay" alice "other side does" serve --relay "$relay" --forward "$nobody"
interrupt "serve at a relay that is not there" alice "" serve --relay "$(echo "$relay" | cut -c1-65)127.0.0.1:1" --forward "$nobody"
interrupt "listen" alice "listening" listen tcp://127.0.0.1:0
start alice int.log serve tcp://127.0.0.1:0 --forward x="$nobody"
mv alice/svconn alice/away # its own socket is no left-over
interrupt "forward" bob "forwarding" forward "$address" --peer alice 0=x unix:here.f=x
check "Ctrl-C: forward: exit code 0" [ $got -eq 0 ]
stop "$pid"
start alice int.log listen tcp://127.0.0.1:0 --ask-program 'sleep 30' --keep --exec cat
rm -rf alice/away alice/svconn
interrupt "forward, while it waits" bob "somebody is asked" connect "$address" --peer alice
stop "$pid"

# ---- hostile callers, by the second implementation ----
if "$py" -c 'import cryptography' 2>/dev/null; then
    greets hostile.log --audit hostile.audit --ban-after 0
    hostile() { "$py" "$helper" hostile "$1" "${address##*:}" bob/.config/svconn/key "$alice"; }
    hostile_case() { # CASE WHAT-COMES-BACK NAME
        seen=$(hostile "$1" 2>&1 | tail -n 1)
        case "$seen" in $2) pass "hostile caller: $3" ;; *) fail "hostile caller: $3" "$seen" ;; esac
    }
    hostile_case version "04:2 closed" "a version that does not exist"
    hostile_case long aborted "a service name that is too long"
    hostile_case short aborted "a HELLO that is too short"
    hostile_case empty aborted "an empty message"
    hostile_case early aborted "OPEN before HELLO"
    hostile_case twice "02 aborted" "HELLO twice"
    hostile_case mad "02 aborted" "a type that does not exist"
    hostile_case below "02 aborted" "WELCOME to the called side"
    hostile_case data "02 11*aborted" "more than the window"
    seen=$(hostile service)
    check "hostile caller: another service is told the right one" [ "$seen" = "04:2 closed" ]
    seen=$(hostile nul)
    check "hostile caller: a NUL behind the service is another service" [ "$seen" = "04:2 closed" ]
    seen=$(hostile replace)
    check "a new session of the same instance replaces the old one" [ "$seen" = "second 02
first 02 04:7 closed" ]
    seen=$(hostile beside)
    check "an instance of zeros replaces nobody" [ "$seen" = "['02', '02'] open" ]
    calls "hostile callers: alice still serves" bob 0 --peer alice
    check "hostile callers: the audit log is JSON" "$py" "$helper" json hostile.audit
    stop "$pid"
else
    echo "skip tool: hostile callers need Python's cryptography (Debian: python3-cryptography)"
fi

# ---- exit codes ----
run bob 2 connect
check "exit code 2: the command line" says "something is missing" err
run bob 3 connect tcp://127.0.0.1:1 --key missing --peer alice
check "exit code 3: a file here" says missing err
run bob 4 connect nobody-we-know
check "exit code 4: a name that is not known" says "not in known_peers" err
run bob 5 connect tcp://127.0.0.1:1 --peer alice
check "exit code 5: nobody is there" says "nobody listens there" err
run bob 5 connect --relay "$relay" --known-peers bob/known alice
check "exit code 5: nobody is registered there" [ -s err ]
run bob 3 forward "$address" --peer alice "127.0.0.1:$echo_port=x"
check "exit code 3: a port that is taken" says "cannot listen" err
run bob 2 forward "$address" --peer alice -=x 0=y
check "exit code 2: - goes alone" says "goes alone" err

exit $failed
