#!/bin/sh
# SPDX-License-Identifier: ISC
# What is tried in the guest (BusyBox): svconn between two adapters, $A (hci0) and $B (hci1). Prints "pass NAME", "FAIL NAME", "skip
# NAME: why", and "measured ..." for people and for air.py. The kernel's command line says what: parts=a,b,c seed=N.
set -u
arg() { sed -n "s/.*\\b$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline; }
export NO_COLOR=1 ASAN_OPTIONS=log_path=/tmp/report UBSAN_OPTIONS=log_path=/tmp/report:print_stacktrace=1
umask 077
mkdir /tmp/work
cd /tmp/work || exit 1
random=$(arg seed) slow=$(arg slow)

pass() { echo "pass $1"; }
fail() { # name, what was seen
    echo "$2" | head -n 12 | sed 's/^/  /'
    echo "FAIL $1"
}
check() { # NAME CONDITION...
    checked=$1
    shift
    if "$@"; then pass "$checked"; else fail "$checked" "not true: $*
$(tail -n 4 server.log client.log 2>/dev/null)"; fi
}
now() { # in ms
    read -r up _ </proc/uptime
    echo $((${up%.*} * 1000 + (1${up#*.} - 100) * 10))
}
nap() { usleep $(($1 * 1000)); }
draw() { # a number below $1, to $drawn; the same ones in each boot with this seed
    random=$(((random * 1103515245 + 12345) % 2147483648))
    drawn=$((random / 65536 % $1))
}
until_true() { # MS COMMAND...; a program with sanitizers, on a busy machine, gets more
    until_end=$(($(now) + $1 * (slow ? 6 : 1)))
    shift
    until "$@"; do
        [ "$(now)" -lt $until_end ] || return 1
        nap 10
    done
}
says() { grep -qF -- "$1" "$2" 2>/dev/null; }
counts() { grep -c "$1" "$2"; }
has_more() { [ "$(counts "$1" "$2")" -gt "$3" ]; }
is_larger() { [ -e "$1" ] && [ "$(wc -c <"$1")" -gt "$2" ]; }
has_ended() { # a child of ours, which may be a zombie
    read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" || return 0
    [ "$state" = Z ]
}
# ends PID MS: to $code and $took; what does not end is killed
ends() {
    began=$(now)
    if ! until_true "$2" has_ended "$1"; then
        kill -KILL "$1"
        wait "$1"
        code="none after $2 ms"
        return
    fi
    took=$(($(now) - began))
    wait "$1"
    code=$?
}

# ---- the two ends ----
# Each connection gets a channel of its own, but where it is the same one that is tried
channel=0
next_channel() { channel=$((channel % 28 + 1)); }
roles() { # ab: A listens, B calls; ba: the other way round
    case $1 in
    ab) listener=$A caller=$B who="A listens, B calls" ;;
    ba) listener=$B caller=$A who="B listens, A calls" ;;
    esac
}
here() { echo "rfcomm://$listener/$channel"; }
there() { echo "rfcomm://$listener/$channel?from=$caller"; }

# serve COMMAND ADDRESS ARGUMENTS...: in the background, to $server and server.log
serve() {
    : >server.log # now, and not when it is about to start: its lines are counted
    svconn "$@" >server.out 2>server.log </dev/null &
    server=$!
    until_true 10000 says 'listening on ' server.log || fail "$1 starts" "$(cat server.log)"
}
echo_server() { serve echo-server "$(here)" --verbose "$@"; }
stop() { # it ends in order, code 0
    kill "$server"
    ends "$server" 5000
    [ "$code" = 0 ]
}
# call_echo FILE ARGUMENTS...: in the background, to $client, client.log and out
call_echo() {
    file=$1
    shift
    : >client.log
    : >out
    svconn echo "$(there)" "$file" --verbose "$@" >out 2>client.log </dev/null &
    client=$!
}
# comes_back NAME FILE ARGUMENTS...: there and back, all of it, and both ends end in order
comes_back() {
    echoed=$1 file=$2
    shift 2
    before=$(counts 'end: closed in order' server.log)
    call_echo "$file" "$@"
    ends $client 60000
    if [ "$code" != 0 ]; then fail "$echoed" "exit code $code: $(tail -n 3 client.log server.log)"
    elif ! cmp -s "$file" out; then fail "$echoed" "other bytes came back"
    elif ! until_true 3000 has_more 'end: closed in order' server.log "$before"; then fail "$echoed" "the server: $(tail -n 3 server.log)"
    else pass "$echoed"; fi
}
server_noticed() { has_more 'end: [a-z]*: ' server.log "$faults"; }

# ---- bytes, files, keys ----
part_echo() {
    for role in ab ba; do
        roles $role
        next_channel
        echo_server --key server.key --peer "$client_key"
        comes_back "echo, keys, $who" medium --key client.key --peer "$server_key"
        comes_back "echo, keys, messages of 100 bytes, $who" small --size 100 --key client.key --peer "$server_key"
        check "the listener names the adapter and the channel, $who" says "listening on rfcomm://$listener/$channel" server.log
        check "the server ends in order, $who" stop
        next_channel
        echo_server --psk psk --name north --peer name:south
        comes_back "echo, a pre-shared key, $who" medium --psk psk --name south --peer name:north
        stop
    done
    roles ab
    next_channel
    echo_server --key server.key --peer "$client_key" --hidden
    comes_back "echo, a hidden server" medium --key client.key --peer "$server_key" --hidden
    stop
    next_channel
    echo_server --key server.key --peer "$server_key"
    call_echo small --key client.key --peer "$server_key"
    ends $client 10000
    check "a client who is not known is not served" [ "$code" = 1 ]
    check "and gets no byte" [ ! -s out ]
    stop
    serve echo-server "rfcomm:///29" --verbose --key server.key --peer "$client_key"
    channel=29
    comes_back "rfcomm:///29 listens on every adapter: A" small --key client.key --peer "$server_key"
    roles ba
    comes_back "rfcomm:///29 listens on every adapter: B" small --key client.key --peer "$server_key"
    stop
    roles ab
    serve echo-server "rfcomm://$A/0" --verbose --key server.key --peer "$client_key"
    channel=$(sed -n "s|.*listening on rfcomm://$A/||p" server.log)
    comes_back "channel 0: the kernel chooses, the listener tells" small --key client.key --peer "$server_key"
    stop
}
part_pipe() {
    roles ab
    next_channel
    : >server.log
    svconn listen "$(here)" --key server.key --allow "$client_key" <medium >server.out 2>server.log &
    server=$!
    until_true 10000 says 'listening on ' server.log
    svconn connect "$(there)" --key client.key --peer "$server_key" <small >out 2>client.log &
    client=$!
    ends $client 30000
    check "connect ends in order" [ "$code" = 0 ]
    ends $server 10000
    check "listen ends in order" [ "$code" = 0 ]
    check "listen and connect: all bytes, both ways" sh -c "cmp -s small server.out && cmp -s medium out"

    next_channel
    mkdir web
    cp medium web/page
    httpd -p 127.0.0.1:8000 -h /tmp/work/web
    serve serve "$(here)" --key server.key --allow "$client_key" --forward web=127.0.0.1:8000
    svconn forward "$(there)" --key client.key --peer "$server_key" 8080=web >/dev/null 2>client.log &
    client=$!
    until_true 10000 says 8080 client.log
    for i in 1 2 3; do wget -q -O "page$i" http://127.0.0.1:8080/page & done
    fetched() { cmp -s web/page page1 && cmp -s web/page page2 && cmp -s web/page page3; }
    check "serve and forward: three pages at once" until_true 20000 fetched
    kill $client
    ends $client 5000
    check "serve ends in order" stop
    kill "$(pidof httpd)"
}
# receiver: waits for senders, into the directory in
receiver() { serve receive "$(here)" --key server.key --allow "$client_key" --into in --keep; }
send() { svconn send "$(there)" --key client.key --peer "$server_key" "$@" >out 2>client.log </dev/null; }
part_files() {
    roles ab
    mkdir -p in tree/deep/er tree/empty
    cp small tree/one
    cp medium "tree/deep/with a space"
    : >tree/deep/er/nothing
    next_channel
    receiver
    send large
    check "send: a file, code 0" [ $? -eq 0 ]
    check "send: the same file" cmp -s large in/large
    send tree
    check "send: a tree, code 0" [ $? -eq 0 ]
    check "send: the same tree" diff -r tree in/tree
    stop
    rm -r in tree
}
part_renewal() {
    roles ab
    next_channel
    echo_server --key server.key --peer "$client_key" --renew-every 7
    comes_back "renewal by both, every 7 records" medium --key client.key --peer "$server_key" --renew-every 7 --size 1000
    renewed=$(sed -n 's/.*sent: .* \([0-9]*\) new keys/\1/p' client.log) followed=$(sed -n 's/.*sent: .* \([0-9]*\) new keys/\1/p' server.log)
    echo "measured renewals in 60 messages: $renewed by the client, $followed by the server"
    check "renewal: the client took new keys" [ "${renewed:-0}" -ge 8 ]
    check "renewal: the server took new keys" [ "${followed:-0}" -ge 8 ]
    stop
}

# ---- what goes wrong on the way ----
# begins: a long echo, which has come to some point when this returns, at a time that the seed chooses
begins() {
    faults=$(counts 'end: [a-z]*: ' server.log)
    call_echo endless --key client.key --peer "$server_key"
    until_true 15000 is_larger out 30000
    draw 1200
    nap "$drawn"
}
ends_with_fault() { [ "$code" = 1 ] && says 'svconn: end: ' client.log; }
part_loss() {
    for round in 1 2 3 4; do
        case $round in 1 | 4) roles ab ;; *) roles ba ;; esac
        next_channel
        echo_server --key server.key --peer "$client_key"
        begins
        name="link lost after $drawn ms, by adapter $((round % 2)), $who"
        adapters drop $((round % 2)) >drop.log || fail "$name" "$(cat drop.log)"
        began=$(now)
        if until_true 5000 server_noticed; then pass "$name: the server notices, after $(($(now) - began)) ms"
        else fail "$name: the server notices" "$(tail -n 3 server.log)"; fi
        ends $client 5000
        check "$name: the client ends, code 1" ends_with_fault
        comes_back "$name: the same server serves at once again" small --key client.key --peer "$server_key"
        check "$name: the server ends in order" stop
    done
    roles ab
    next_channel
    echo_server --key server.key --peer "$client_key" --once
    begins
    adapters drop 0 >drop.log
    ends "$server" 5000
    check "link lost after $drawn ms: a server that serves once ends, code 1" [ "$code" = 1 ]
    ends $client 5000
    check "link lost after $drawn ms: the client of that server too" ends_with_fault
}
part_resume() {
    for round in 1 2; do
        case $round in 1) roles ab ;; 2) roles ba ;; esac
        next_channel
        mkdir in
        receiver
        svconn send "$(there)" --key client.key --peer "$server_key" --retry 60 large >out 2>client.log </dev/null &
        client=$!
        until_true 15000 is_larger in/.large.svconn-part 60000
        draw 500
        nap "$drawn"
        had=$(wc -c <in/.large.svconn-part)
        adapters drop $((round % 2)) >drop.log
        name="link lost after $drawn ms while a file is sent, $who"
        ends $client 40000
        check "$name: send comes back and ends, code 0" [ "$code" = 0 ]
        check "$name: the same file" cmp -s large in/large
        went=$(sed -n 's/.* there, \([0-9.]* [a-zA-Z]*\) sent.*/\1/p' client.log)
        echo "measured resume: $had bytes of $(wc -c <large) were there, $went sent in all"
        check "$name: receive ends in order" stop
        rm -r in
    done
    # A sender that was told not to come back, and the same command again
    roles ab
    next_channel
    mkdir in
    receiver
    svconn send "$(there)" --key client.key --peer "$server_key" --retry 0 large >out 2>client.log </dev/null &
    client=$!
    until_true 15000 is_larger in/.large.svconn-part 100000
    adapters drop 1 >drop.log
    ends $client 5000
    check "link lost, send --retry 0: ends, code 1" [ "$code" = 1 ]
    check "link lost, send --retry 0: what came is kept" is_larger in/.large.svconn-part 30000
    until_true 5000 says 'broken off' server.log
    had=$(wc -c <in/.large.svconn-part)
    send large --json
    check "the same command again: code 0" [ $? -eq 0 ]
    check "the same command again: the same file" cmp -s large in/large
    went=$(sed -n 's/.*"done":true.*"sent":\([0-9]*\).*/\1/p' out)
    check "the same command again: it sends what was not there, $had of $(wc -c <large) bytes were" [ $((${went:-0} + had)) -eq "$(wc -c <large)" ]
    stop
    rm -r in
}
part_kill() {
    for round in 1 2 3; do
        case $round in 2) roles ba ;; *) roles ab ;; esac
        next_channel
        echo_server --key server.key --peer "$client_key"
        begins
        kill -KILL $client
        began=$(now)
        name="client killed after $drawn ms, $who"
        if until_true 3000 server_noticed; then pass "$name: the server notices, after $(($(now) - began)) ms"
        else fail "$name: the server notices" "$(tail -n 3 server.log)"; fi
        wait $client 2>/dev/null
        comes_back "$name: it serves at once again" small --key client.key --peer "$server_key"
        begins
        kill -KILL "$server"
        ends $client 3000
        check "server killed after $drawn ms, $who: the client ends, code 1" ends_with_fault
        wait "$server" 2>/dev/null
    done
}
# cycles NAME COUNT ADDRESS: one session after another, at once
cycles() {
    wrong=0 slowest=0 i=0 all=$(now)
    while [ $i -lt "$2" ]; do
        began=$(now)
        svconn echo "$3" small --key client.key --peer "$server_key" >out 2>client.log </dev/null &
        client=$!
        ends $client 30000
        if [ "$code" != 0 ] || ! cmp -s small out; then
            wrong=$((wrong + 1))
            cp client.log wrong.log
        fi
        took=$(($(now) - began))
        [ $took -le $slowest ] || slowest=$took
        i=$((i + 1))
    done
    echo "measured $1: $2 sessions in $(($(now) - all)) ms, the slowest $slowest ms"
    if [ $wrong -eq 0 ]; then pass "$1: $2 sessions, one behind the other"
    else fail "$1: $2 sessions, one behind the other" "$wrong failed, one of them: $(tail -n 2 wrong.log)"; fi
}
part_again() {
    roles ab
    next_channel
    echo_server --key server.key --peer "$client_key"
    cycles "one channel" 30 "$(there)"
    stop
    serve echo-server "rfcomm://$A/10-13" --key server.key --peer "$client_key" --verbose
    cycles "four channels" 12 "rfcomm://$A/10-13?from=$B"
    stop
}
part_two() {
    roles ba
    next_channel
    svconn echo-server "$(here)" --key server.key --peer "$client_key" >/dev/null 2>other.log </dev/null &
    other=$!
    until_true 10000 says 'listening on ' other.log
    svconn echo "$(there)" medium --key client.key --peer "$server_key" >out3 2>client3.log </dev/null &
    third=$!
    roles ab
    serve echo-server "rfcomm://$A/14-16" --key server.key --peer "$client_key" --verbose
    svconn echo "rfcomm://$A/14-16?from=$B" medium --key client.key --peer "$server_key" >out1 2>client1.log </dev/null &
    first=$!
    svconn echo "rfcomm://$A/14-16?from=$B" medium --key client.key --peer "$server_key" >out2 2>client2.log </dev/null &
    second=$!
    for n in 1 2 3; do
        case $n in 1) client=$first ;; 2) client=$second ;; 3) client=$third ;; esac
        ends $client 40000
        if [ "$code" = 0 ] && cmp -s medium out$n; then pass "three sessions at the same time, two of them on a range of channels: $n"
        else fail "three sessions at the same time: $n" "exit code $code: $(tail -n 3 client$n.log)"; fi
    done
    stop
    server=$other
    stop
}
part_stop() {
    for victim in server client; do
        roles ab
        next_channel
        echo_server --key server.key --peer "$client_key"
        call_echo large --key client.key --peer "$server_key"
        until_true 15000 is_larger out 30000
        [ $victim = server ] && pid=$server || pid=$client
        kill -STOP "$pid"
        nap 1000
        stands=$(wc -c <out)
        nap 2000
        check "a $victim that reads nothing for 3 s: nothing moves" [ "$(wc -c <out)" -eq "$stands" ]
        kill -CONT "$pid"
        ends $client 60000
        check "a $victim that reads nothing for 3 s, and goes on: code 0" [ "$code" = 0 ]
        check "a $victim that reads nothing for 3 s, and goes on: the same bytes" cmp -s large out
        stop
    done
}

# ---- what cannot be ----
# says_why NAME CODE TEXT MS ARGUMENTS...: svconn ends with that code and says so, in time
says_why() {
    name="$1: code $2, \"$3\"" want=$2 text=$3 limit=$4
    shift 4
    svconn "$@" >out 2>client.log </dev/null &
    client=$!
    ends $client "$limit"
    if [ "$code" = "$want" ] && says "$text" client.log; then pass "$name"
    else fail "$name" "exit code $code after $took ms: $(tail -n 2 client.log)"; fi
}
some_address=00:11:22:33:44:55
calls_why() { # NAME CODE TEXT MS ADDRESS
    says_why "$1" "$2" "$3" "$4" echo "$5" small --key client.key --peer "$server_key"
}
listens_why() { # NAME CODE TEXT ADDRESS
    says_why "$1" "$2" "$3" 5000 echo-server "$4" --key server.key --peer "$client_key"
}
part_no_bluetooth() {
    calls_why "no Bluetooth in the kernel, to call" 3 "no RFCOMM" 5000 rfcomm://$some_address/3
    listens_why "no Bluetooth in the kernel, to listen" 3 "no RFCOMM" rfcomm:///3
}
part_no_adapter() {
    calls_why "no adapter, to call" 3 "no Bluetooth adapter" 5000 rfcomm://$some_address/3
    listens_why "no adapter, to listen" 3 "no Bluetooth adapter" rfcomm:///3
}
part_adapter_down() {
    calls_why "the adapter is down, to call" 3 "adapter is down" 5000 rfcomm://$some_address/3
    listens_why "the adapter is down, to listen" 3 "adapter is down" rfcomm:///3
    listens_why "an adapter that is not here, to listen" 3 "no Bluetooth adapter of this machine has that address" "rfcomm://$some_address/3"
}
part_errors() {
    roles ab
    next_channel
    calls_why "nobody listens on the channel" 1 "nobody listens on that channel" 15000 "$(there)"
    calls_why "nobody listens on two channels" 1 "nobody listens on that channel" 15000 "rfcomm://$A/20-21?from=$B"
    calls_why "an adapter that is not here, to call" 3 "no Bluetooth adapter of this machine has that address" 5000 "rfcomm://$A/3?from=$some_address"
    says_why "nobody listens, send" 5 "nobody listens on that channel" 15000 send "$(there)" --key client.key --peer "$server_key" small
    plain hold "$B" "$A" "$channel" >hold.log &
    hold=$!
    until_true 10000 says held hold.log
    calls_why "the channel is busy" 1 "busy" 20000 "$(there)"
    listens_why "somebody listens there" 3 "somebody listens on that channel already" "$(here)"
    kill $hold
    wait $hold
    next_channel
    echo_server --key server.key --peer "$client_key"
    # A channel on a link that is up gets through without a question of this kernel (no command to the controller is seen), so it is not
    # a matter of pass or FAIL here; on a new link it asks for a pairing (part_pairing).
    plain hold "$B" "$A" 30 >hold.log &
    hold=$!
    until_true 10000 says held hold.log
    svconn echo "$(there)&security=high" small --key client.key --peer "$server_key" >out 2>client.log </dev/null
    echo "measured security=high, not paired, while another channel is open: code $? (0: the kernel let it through)"
    kill $hold
    wait $hold
    stop
}
# For the first part of a boot that has adapters: the link must be new
part_pairing() {
    roles ab
    next_channel
    echo_server --key server.key --peer "$client_key"
    calls_why "security=high, not paired, on a new link" 1 "paired" 40000 "$(there)&security=high"
    stop
}
part_absent() {
    calls_why "a device that is not there" 1 "is the device near, switched on, and its address right?" 60000 "rfcomm://$some_address/3?from=$B"
    says_why "a device that is not there, send" 5 "is the device near, switched on, and its address right?" 60000 \
        send "rfcomm://$some_address/3?from=$B" --key client.key --peer "$server_key" small
}

# ---- what is measured ----
mtu() { # of a connection that runs, to $mtu
    mtu=
    until_true 10000 seen_mtu
}
seen_mtu() {
    mtu=$(awk '$3 == 1 { print $5; exit }' /sys/kernel/debug/bluetooth/rfcomm_dlc)
    [ "$mtu" ]
}
recorded() { # NAME COMMAND...: with all that adapter A heard and said in the meantime
    recorded_as=$1
    shift
    : >record.log
    record 0 "/out/$recorded_as.btsnoop" >record.log &
    recorder=$!
    until_true 5000 says recording record.log
    "$@"
    nap 300 # the last frames
    kill $recorder
    wait $recorder || fail "trace $recorded_as" "the recorder failed"
}
traced_plain() {
    plain call "$B" "$A" "$channel" marked || fail "trace plain: echo" "it failed"
}
part_trace() {
    roles ab
    marker=$(head -c 12 /dev/urandom | xxd -p)
    i=0
    while [ $i -lt 40 ]; do
        echo "$marker is a secret"
        i=$((i + 1))
    done >marked
    client_name=thermostat-in-the-kitchen server_name=board-in-the-cellar
    next_channel
    echo_server --key server.key --peer "$client_key"
    recorded keys comes_back "trace: keys" marked --key client.key --peer "$server_key"
    stop
    next_channel
    echo_server --key server.key --peer "$client_key" --hidden
    recorded hidden comes_back "trace: hidden server" marked --key client.key --peer "$server_key" --hidden
    stop
    next_channel
    echo_server --psk psk --name $server_name --peer name:$client_name
    recorded psk comes_back "trace: pre-shared key" marked --psk psk --name $client_name --peer name:$server_name
    stop
    next_channel
    plain serve "$A" "$channel" >server.log &
    server=$!
    until_true 10000 says listening server.log
    recorded plain traced_plain
    kill "$server"
    wait "$server"
    next_channel
    echo_server --key server.key --peer "$client_key"
    call_echo medium --key client.key --peer "$server_key"
    mtu
    ends $client 30000
    echo "measured RFCOMM MTU $mtu, by the kernel"
    recorded bulk comes_back "trace: messages of 16000 bytes" medium --key client.key --peer "$server_key"
    recorded fit comes_back "trace: messages of one frame" medium --size $((mtu - 16)) --key client.key --peer "$server_key"
    stop
    cat >/out/facts <<X
marker $marker
mtu $mtu
bytes $(wc -c <medium)
text $(wc -c <marked)
server_key $server_key
client_key $client_key
server_name $server_name
client_name $client_name
X
}
timed() { # NAME COMMAND...
    timed_as=$1
    shift
    began=$(now)
    if "$@" >out 2>client.log </dev/null && { [ "$timed_as" = plain ] || cmp -s large out; }; then
        echo "measured time $timed_as $(($(now) - began)) ms $(wc -c <large) bytes"
    else fail "speed: $timed_as" "$(tail -n 2 client.log)"; fi
}
part_speed() {
    roles ab
    channel=24
    echo_server --key server.key --peer "$client_key"
    plain serve "$A" 25 >plain.log &
    plain_server=$!
    until_true 10000 says listening plain.log
    for _ in 1 2 3 4 5; do
        timed plain plain call "$B" "$A" 25 large
        timed svconn svconn echo "$(there)" large --key client.key --peer "$server_key"
    done
    kill $plain_server
    wait $plain_server
    check "speed: the server ends in order" stop
}

# ---- all of it ----
public_key() { svconn id "$1" | sed -n 's/^public key: //p'; }
prepare() {
    head -c 20000 /dev/urandom >small
    head -c 60000 /dev/urandom >medium
    head -c $((slow ? 300000 : 600000)) /dev/urandom >large
    cat large large large large large large large large >endless
    svconn keygen -o server.key >/dev/null && svconn keygen -o client.key >/dev/null && svconn keygen --psk -o psk >/dev/null
    server_key=$(public_key server.key) client_key=$(public_key client.key)
    if [ ! "$server_key" ] || [ ! "$client_key" ]; then fail "keygen" "no key"; fi
}
# What the part wants of the machine, and no more
modules() {
    [ -d /sys/module/rfcomm ] && return
    for module in $(cat /modules/order); do
        options=
        [ "$module" = rfcomm ] && options=$(arg rfcomm_options)
        insmod "/modules/$module.ko" $options || fail "$module" "it does not load"
    done
}
controllers() {
    [ -d /sys/class/bluetooth/hci1 ] && return
    btvirt -B -l2 >btvirt.log 2>&1 &
    adapters wait 2 || fail "two controllers" "$(cat btvirt.log)"
}
adapters_up() {
    [ "${A:-}" ] && return
    adapters up 2 >adapters.log || fail "the adapters come up" "$(cat adapters.log)"
    A=$(sed -n 's/^hci0 //p' adapters.log) B=$(sed -n 's/^hci1 //p' adapters.log)
}
no_report() { # of a sanitizer
    reports=$(ls /tmp/report* 2>/dev/null)
    [ "$reports" ] || return 0
    cat $reports | head -n 12 | sed 's/^/  /'
    mv $reports /tmp/work/
    return 1
}

prepare
for part in $(arg parts | tr , ' '); do
    [ "$part" = no_bluetooth ] || modules
    case $part in no_bluetooth | no_adapter) ;; *) controllers ;; esac
    case $part in no_bluetooth | no_adapter | adapter_down) ;; *) adapters_up ;; esac
    part_began=$(now)
    "part_$part"
    if [ "$(arg sanitized)" ]; then check "$part: no report of a sanitizer" no_report; fi
    echo "measured part $part: $(($(now) - part_began)) ms"
done
