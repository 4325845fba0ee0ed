#!/bin/sh
# SPDX-License-Identifier: ISC
# The program over a serial line, which is a pair of pseudo-terminals with tests/serial/wire.c between them: sessions of every
# command, processes that are killed, noise, a line that is unplugged. Usage: sh tests/serial.sh path/to/svconn
set -u
. "$(dirname "$0")/program.sh"
wire_program=$(dirname "$svconn")/tests/serial/wire
[ -x "$wire_program" ] || { echo "FAIL serial: no $wire_program (make tests)"; exit 1; }
HOME=$dir/home
export HOME
mkdir home in out
unset SVCONN_RELAY

says() { grep -qF -- "$1" "$2"; }
check() { # NAME CONDITION...
    check_name=$1
    shift
    if "$@"; then pass "serial: $check_name"
    else fail "serial: $check_name" "$(echo "not true: $*"; tail -n 6 server.log err 2>/dev/null)"; fi
}
# ends_with CODE PID: within a minute
ends_with() {
    : >guard.$2 # taken away, the guard leaves; a signal would be lost while it starts
    (i=0; while [ $i -lt 600 ] && [ -e guard.$2 ]; do sleep 0.1; i=$((i + 1)); done; [ ! -e guard.$2 ] || kill -9 "$2") >/dev/null 2>&1 8>&- 9>&- &
    wait "$2"
    got=$?
    rm -f guard.$2
    [ $got -eq "$1" ] || echo "  exit code $got instead of $1"
    [ $got -eq "$1" ]
}

for k in server client; do "$svconn" keygen -o $k.key >/dev/null || exit 1; done
server_key=$(key_of server.key) client_key=$(key_of client.key)
head -c 100000 /dev/urandom >some
head -c 1000000 /dev/urandom >in/large

# plug: a new line, from a to b; its commands to descriptor 9
plug() {
    rm -f a b commands
    mkfifo commands
    "$wire_program" a b "${SEED:-77}" <commands >/dev/null 2>wire.log &
    wire=$!
    started="$started $wire"
    exec 9>commands
    await ready wire.log || { echo "FAIL serial: no line: $(cat wire.log)"; exit 1; }
}
unplug() {
    exec 9>&-
    kill $wire
    wait $wire 2>/dev/null
}
# serves COMMAND...: the listening side at b, in the background
serves() {
    : >server.log
    "$svconn" "$@" --key server.key >server.out 2>server.log </dev/null 9>&- &
    server=$!
    started="$started $server"
    await 'listening on serial:' server.log || { echo "FAIL serial: $1 does not start: $(cat server.log)"; exit 1; }
}
echo_server() { serves echo-server "serial:$dir/b" --peer "$client_key" --verbose; }
echoes() { # [ARGUMENTS]
    timeout 60 "$svconn" echo "serial:$dir/a" --key client.key --peer "$server_key" "$@" <some >back 2>err 9>&- && same some back
}
stops() { # SIGTERM: exit code 0
    kill "$server"
    ends_with 0 "$server"
}
# begins: a caller who stays, with a session; its input on descriptor 8
begins() {
    rm -f input && mkfifo input
    "$svconn" echo "serial:$dir/a" --key client.key --peer "$server_key" <input >back 2>err 9>&- &
    client=$!
    started="$started $client"
    exec 8>input
    head -c 20000 some >&8
    tries=0
    until [ -s back ] || [ $tries -eq 3000 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    [ -s back ]
}

# ---- one session after another ----
plug
echo_server
for n in 1 2 3; do check "echo, session $n" echoes; done
check "in use: the second program is told so" sh -c '! "$1" echo serial:"$2"/b --peer any </dev/null >out.txt 2>err && grep -q "another program uses it" err' - "$svconn" "$dir"
check "and it did no harm" echoes
check "sessions end in order at the server too" [ "$(grep -c 'end: closed in order' server.log)" -ge 3 ]

# ---- processes that are killed ----
check "a session that stays" begins
kill -9 $client
wait $client 2>/dev/null
exec 8>&-
check "a caller was killed: the next one gets through" echoes
check "a session that stays, again" begins
kill -9 "$server"
wait "$server" 2>/dev/null
echo_server
check "the server was killed, another one started: the caller's session ends, code 1" ends_with 1 $client
check "and it says why" says "svconn: end: " err
exec 8>&-
check "the next call gets through" echoes

# ---- SIGTERM ----
check "SIGTERM while nobody is there: code 0" stops
echo_server
check "a session that stays, for the third time" begins
check "SIGTERM in a session: code 0" stops
check "its caller learns of it: code 1" ends_with 1 $client
exec 8>&-
rm -f back
"$svconn" echo "serial:$dir/a" --key client.key --peer "$server_key" <some >back 2>err 9>&- &
client=$!
started="$started $client"
sleep 0.2
echo_server
check "a caller who came first waits for the server" ends_with 0 $client
check "SIGTERM again" stops

# ---- pre-shared keys, --once, no marks ----
head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >psk
printf '\n' >>psk
: >server.log # here and below: the words of the one before must not be taken for its own
"$svconn" echo-server "serial:$dir/b?speed=57600" --psk psk --name server --once >/dev/null 2>server.log </dev/null 9>&- &
server=$!
started="$started $server"
await 'listening on ' server.log
check "a pre-shared key" sh -c '"$1" echo "serial:$2/a?speed=57600" --psk psk --name client <some >back 2>err && cmp -s some back' - "$svconn" "$dir"
check "echo-server --once ends with it, code 0" ends_with 0 $server

# ---- listen and connect ----
: >server.log
"$svconn" listen "serial:$dir/b" --key server.key --allow "$client_key" >heard 2>server.log <some 9>&- &
server=$!
started="$started $server"
await 'listening on ' server.log
timeout 60 "$svconn" connect "serial:$dir/a" --key client.key --peer "$server_key" <in/large >back 2>err 9>&-
check "connect: code 0" [ $? -eq 0 ]
check "listen: code 0" ends_with 0 $server
check "a pipe, both ways" same in/large heard
check "a pipe, the other way" same some back

# ---- serve and forward: a session through the session ----
"$svconn" echo-server tcp://127.0.0.1:0 --key server.key --peer "$client_key" >/dev/null 2>inner.log </dev/null 9>&- &
started="$started $!"
await 'listening on ' inner.log
port=$(sed -n 's/^svconn: listening on .*://p' inner.log)
serves serve "serial:$dir/b" --allow "$client_key" --forward "inner=127.0.0.1:$port"
"$svconn" forward "serial:$dir/a" --key client.key --peer "$server_key" "unix:$dir/here=inner" >/dev/null 2>forward.log </dev/null 9>&- &
forward=$!
started="$started $forward"
tries=0
until [ -S here ] || [ $tries -eq 3000 ]; do
    sleep 0.02
    tries=$((tries + 1))
done
through() { timeout 60 "$svconn" echo "unix:$dir/here" --key client.key --peer "$server_key" <some >back 2>err && same some back; }
check "forward: a connection" through
check "forward: another" through
kill -9 "$server"
wait "$server" 2>/dev/null
serves serve "serial:$dir/b" --allow "$client_key" --forward "inner=127.0.0.1:$port"
comes_back() {
    tries=0
    until through; do
        [ $tries -lt 50 ] || return 1
        tries=$((tries + 1))
        sleep 0.2
    done
}
check "forward comes back by itself when the server was killed" comes_back
kill $forward
check "forward: SIGTERM" ends_with 0 $forward
check "serve: SIGTERM" stops

# ---- files, with noise ----
receives() { serves receive "serial:$dir/b" --allow "$client_key" --into out --keep; }
receives
sends() { # CODE ARGUMENTS...
    want=$1
    shift
    timeout 100 "$svconn" send "serial:$dir/a" --key client.key --peer "$server_key" "$@" >/dev/null 2>err </dev/null 9>&-
    got=$?
    [ $got -eq "$want" ] || echo "  exit code $got instead of $want"
    [ $got -eq "$want" ]
}
check "send" sends 0 some
check "the file is there" same some out/some
echo "noise 150000" >&9
check "send through noise: it goes on where it was, until all is there" sends 0 in/large
echo "noise 0" >&9
await "noise 0, " wire.log
check "there was noise" sh -c '! grep -q "noise 0, 0 damaged" wire.log'
check "not a byte is wrong" same in/large out/large
check "receive: SIGTERM" stops

# ---- doctor, which looks in a process of its own ----
"$svconn" doctor "serial:$dir/a" --key client.key --peer "$server_key" >doctor.log 2>&1 9>&- &
doctor=$!
sleep 1
timeout 1 "$svconn" echo-server "serial:$dir/a" --peer any --once >/dev/null 2>err </dev/null 9>&-
check "doctor calls" says "another program uses it" err
kill $doctor
wait $doctor 2>/dev/null
timeout 1 "$svconn" echo-server "serial:$dir/a" --peer any --once >/dev/null 2>err </dev/null 9>&-
check "doctor, ended, gives the device back" says "listening on" err

# ---- unplugged ----
echo_server
check "a session that stays, for the last time" begins
unplug
check "unplugged: the server ends, code 1" ends_with 1 "$server"
check "and says that the device is gone" says "the device is gone (unplugged?)" server.log
check "the caller ends, code 1" ends_with 1 $client
exec 8>&-
check "a device that is not there: no call" sh -c '! "$1" echo serial:"$2"/a --peer any </dev/null >out.txt 2>err && grep -q "no such device" err' - "$svconn" "$dir"
plug
echo_server
unplug
check "unplugged while nobody is there: the server ends, code 1" ends_with 1 "$server"
check "says so once" [ "$(grep -c 'the device is gone' server.log)" -eq 1 ]
exit $failed
