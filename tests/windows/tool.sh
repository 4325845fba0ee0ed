# SPDX-License-Identifier: ISC
# Part of tests/windows.sh: connect, listen, peers, forward, serve, sessions, send, receive and demo, each between the program of Windows and that of this
# system, in both roles, through a relay that runs here. Both have keys and files of their own: $tmp/system and $tmp/windows.

# on SIDE COMMAND...: with the files of this side
on() {
    side=$1 command=$2
    shift 2
    case $command in
    peers) set -- "$@" --known-peers "$tmp/$side/known_peers" --authorized "$tmp/$side/authorized_peers" ;;
    relay | keygen | id | sessions | demo) ;;
    *) set -- "$@" --key "$tmp/$side/key" --known-peers "$tmp/$side/known_peers" --known-relays "$tmp/$side/known_relays" ;;
    esac
    # (the second one is another person with the program of Windows)
    if [ "$side" = system ]; then set -- "$build/svconn" "$command" "$@"; else set -- $run "$dir/svconn.exe" "$command" "$@"; fi
    $become timeout 90 "$@"
}
key_of() { on "$1" id "$tmp/$1/key" 2>/dev/null | tr -d '\r' | sed -n 's/^public key: //p'; }

# await PATTERN FILE: a line that this sed command prints
await() {
    i=0 found=
    while [ -z "$found" ] && [ $i -lt 300 ]; do
        found=$(sed -n "$1" "$2" 2>/dev/null | tr -d '\r' | head -n 1)
        [ "$found" ] || sleep 0.1
        i=$((i + 1))
    done
    echo "$found"
}
listening='s/.*listening on \([^ ]*\)$/\1/p'
show() { for f in "$@"; do head -n 6 "$f" | sed "s,^,    $(basename "$f"): ,"; done; }
# same NAME FILE FILE: byte for byte
alike() {
    cmp -s "$2" "$3"
    judge "$1" $?
}

# called SIDE COMMAND...: in the background; its address is in $address, its process in $called
called() {
    rm -f "$tmp/called.out" "$tmp/called.err"
    (become=exec && on "$@" <"$called_input" >"$tmp/called.out" 2>"$tmp/called.err") &
    called=$!
    background="$background $called"
    address=$(await "${called_words:-$listening}" "$tmp/called.err")
}
called_input=/dev/null become= of=

set_up_tool() {
    build=$(cd "$build" && pwd) dir=$(cd "$dir" && pwd)
    mkdir -m 700 "$tmp/system" "$tmp/windows" "$tmp/second"
    for s in system windows second; do on $s keygen -o "$tmp/$s/key" >/dev/null 2>&1 && chmod 600 "$tmp/$s/key"; done
    system_key=$(key_of system) windows_key=$(key_of windows) second_key=$(key_of second)
    "$build/svconn" keygen -o "$tmp/relay.key" >/dev/null 2>&1
    relay_key=$("$build/svconn" id "$tmp/relay.key" | sed -n 's/^public key: //p')
    "$build/svconn" relay tcp://127.0.0.1:0 --key "$tmp/relay.key" --source-new 1000 >"$tmp/relay.out" 2>"$tmp/relay.err" &
    background="$background $!"
    relay=$(await 's,.*relaying on tcp://,,p' "$tmp/relay.err")
    head -c 3000000 /dev/urandom >"$tmp/there"
    head -c 2000001 /dev/urandom >"$tmp/back"
}

# ---- peers ----
peers() {
    on windows peers trust system "$system_key" 2>"$tmp/said" && [ -s "$tmp/windows/known_peers" ]
    judge "peers trust" $?
    on windows peers allow system 2>"$tmp/said" && grep -q 'system may come now' "$tmp/said"
    judge "peers allow" $?
    on system peers trust system "$system_key" 2>/dev/null
    on system peers allow system 2>/dev/null
    on windows peers list --json >"$tmp/one" 2>&1
    on system peers list --json >"$tmp/two" 2>&1
    [ -s "$tmp/one" ] && cmp -s "$tmp/one" "$tmp/two" && cmp -s "$tmp/windows/known_peers" "$tmp/system/known_peers"
    judge "peers: the files and the list are those of this system's program" $?
    on windows peers trust system "$windows_key" 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'another key' "$tmp/said"
    judge "peers: another key is refused" $?
    on windows peers forget nobody 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'nobody of the name "nobody" is known' "$tmp/said"
    judge "peers forget: nobody of that name" $?
    on windows peers forget system 2>/dev/null && on windows peers deny system 2>/dev/null && on windows peers 2>"$tmp/said" && grep -q 'nobody is known yet' "$tmp/said"
    judge "peers forget, deny" $?
    # several at once: each change is under the lock
    for i in 1 2 3 4 5 6; do on windows peers trust "many$i" "$(printf '%064d' $i | sed "s/^0/$i/")" 2>"$tmp/many$i" & many="${many:-} $!"; done
    wait $many
    [ "$(grep -c '^many' "$tmp/windows/known_peers")" -eq 6 ]
    judge "peers: six changes at once, and all are there" $?
    # whoever may read the lock could keep it
    lock=$tmp/windows/known_peers.lock
    [ -e "$lock" ] && ls -l "$lock" | grep -q '^-rw....---'
    judge "peers: the lock is for us alone" $?
    chmod 666 "$lock"
    on windows peers trust many7 "$(printf '%064d' 7)" 2>"$tmp/said" && ls -l "$lock" | grep -q '^-rw....---'
    judge "peers: the lock of an older version is for us alone from the next change on" $?
    chmod 666 "$tmp/windows/known_peers"
    on windows peers >"$tmp/said" 2>&1
    [ $? -eq 3 ] && grep -q 'can be changed by others' "$tmp/said"
    judge "peers: a file that others can change is not believed" $?
    mkdir "$tmp/clé ключ"
    chmod 700 "$tmp/clé ключ"
    timeout 60 $run "$dir/svconn.exe" peers trust system "$system_key" --known-peers "$tmp/clé ключ/known peers" 2>/dev/null && [ -s "$tmp/clé ключ/known peers" ]
    judge "peers: a path with blanks and letters of others" $?
    rm -f "$tmp"/windows/known_peers* "$tmp"/windows/authorized_peers* "$tmp"/system/known_peers* "$tmp"/system/authorized_peers*
    for pair in 'system windows' 'windows system' 'windows second' 'second windows'; do
        set -- $pair
        eval "k=\$${2}_key"
        on "$1" peers trust "$2" "$k" 2>/dev/null && on "$1" peers allow "$2" 2>/dev/null
    done
    usual=$(echo "$WINEPREFIX"/drive_c/users/*/AppData/Roaming)
    rm -rf "$usual/svconn"
    timeout 60 $run "$dir/svconn.exe" keygen >/dev/null 2>&1 && timeout 60 $run "$dir/svconn.exe" peers trust system "$system_key" 2>/dev/null &&
        [ -s "$usual/svconn/key" ] && [ -s "$usual/svconn/known_peers" ]
    judge "the usual files are in %APPDATA%\\svconn" $?
    rm -rf "$usual/svconn"
}

# ---- connect and listen ----
# SIDE of listen, that of connect: 3 MB one way, 2 MB the other, both inputs end
pipe_pair() {
    called_input=$tmp/back
    called "$1" listen --relay "$relay_key@$relay" --allow "$2"
    called_input=/dev/null
    on "$2" connect --relay "$relay_key@$relay" --peer "$1" "${address##*/}" <"$tmp/there" >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && cmp -s "$tmp/there" "$tmp/called.out" && cmp -s "$tmp/back" "$tmp/caller.out"
    status=$?
    judge "listen on $1, connect on $2: 3 MB there, 2 MB back, by the relay$of" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err"
}
# The end of one input is heard while the other direction goes on: an answer that is made after the end
half_closed() {
    mkfifo "$tmp/answer"
    called_input=$tmp/answer
    (
        exec 3>"$tmp/answer"
        i=0
        while ! grep -q 'the last line' "$tmp/called.out" 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
        sleep 0.3
        echo 'answer' >&3
    ) &
    called "$1" listen tcp://127.0.0.1:0 --allow "$2"
    called_input=/dev/null
    printf 'the first line\nthe last line\n' | on "$2" connect "$address" --peer "$1" >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && [ "$(cat "$tmp/caller.out")" = answer ] && [ "$(sed -n 2p "$tmp/called.out")" = 'the last line' ]
    status=$?
    judge "listen on $1, connect on $2: the answer comes after the end of the question" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/called.out"
    rm -f "$tmp/answer"
}
# Another key than the one that is known; and a caller who may not come
wrong_keys() {
    called "$1" listen tcp://127.0.0.1:0 --allow "$2"
    on "$2" connect "$address" --peer "$(printf '%064d' 7)" </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    kill "$called" 2>/dev/null
    wait "$called"
    [ $caller -eq 4 ] && grep -q 'ANOTHER KEY' "$tmp/caller.err"
    status=$?
    judge "listen on $1, connect on $2: another key is refused, and told" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err"
    called "$1" listen tcp://127.0.0.1:0 --allow "$(printf '%064d' 7)"
    on "$2" connect "$address" --peer "$1" </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    kill "$called" 2>/dev/null
    wait "$called"
    [ $caller -eq 4 ] && grep -q 'perhaps our key is not allowed there' "$tmp/caller.err"
    status=$?
    judge "listen on $1, connect on $2: who may not come does not" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err"
}
nobody_there() {
    on windows connect tcp://127.0.0.1:1 --peer system </dev/null >/dev/null 2>"$tmp/said"
    [ $? -eq 5 ] && grep -q 'refused (nobody listens there)' "$tmp/said"
    judge "connect: nobody listens there is 5" $?
    on windows connect --relay "$relay" system </dev/null >/dev/null 2>"$tmp/said"
    [ $? -eq 4 ] && grep -q "the relay $relay is not known yet, and there is no terminal to ask at" "$tmp/said"
    judge "a relay that is not known: nobody to ask, so no" $?
    echo "$relay $relay_key" >"$tmp/windows/known_relays"
    on windows connect --relay "$relay" system </dev/null >/dev/null 2>"$tmp/said"
    [ $? -eq 5 ]
    status=$?
    judge "a relay in known_relays is known; the peer is not there: 5" $status
    [ $status -eq 0 ] || show "$tmp/said"
}


# ---- serve and forward ----
# SIDE of serve, that of forward: a service of this system behind the one, 1 MB to it and back by the other
forward_pair() {
    called "$1" serve --relay "$relay_key@$relay" --allow "$2" --forward "echo=127.0.0.1:$service_port" --audit "$tmp/$1.audit"
    rm -f "$tmp/caller.err"
    (become=exec && on "$2" forward --relay "$relay_key@$relay" "$1" 0=echo >"$tmp/caller.out" 2>"$tmp/caller.err" </dev/null) &
    caller=$!
    background="$background $caller"
    port=$(await 's/.*forwarding 127.0.0.1:\([0-9]*\) to echo.*/\1/p' "$tmp/caller.err")
    for i in 1 2 3; do timeout 60 python3 "$tmp/client.py" "$port" "$tmp/back" >"$tmp/got$i" 2>"$tmp/said" & eval "c$i=$!"; done
    wait $c1 $c2 $c3
    cmp -s "$tmp/back" "$tmp/got1" && cmp -s "$tmp/back" "$tmp/got2" && cmp -s "$tmp/back" "$tmp/got3"
    status=$?
    judge "serve on $1, forward on $2: three times 2 MB to a service and back, by the relay$of" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/said"
    on "$2" forward --relay "$relay_key@$relay" "$1" -=no-such-target </dev/null >"$tmp/said" 2>&1
    [ $? -eq 1 ] && grep -q 'does not offer this target' "$tmp/said"
    judge "serve on $1, forward on $2: a target that is not offered" $?
    kill $caller 2>/dev/null
    stop_called
    wait $caller 2>/dev/null
    grep -q '"event":"begin"' "$tmp/$1.audit" && grep -q '"event":"stream"' "$tmp/$1.audit"
    judge "serve on $1: the audit log" $?
}
stop_called() {
    kill "$called" 2>/dev/null
    wait "$called" 2>/dev/null
}

# ---- sessions ----
# What is the same on both sides: without names, keys, ports, times and the widths of columns
plain() { # SERVER CALLER
    eval "k=\$${2}_key"
    tr -d '\r' | sed -E "s/$k/KEY/g; s/\b$1\b/HERE/g; s/\b$2\b/THERE/g; s/127\.0\.0\.1:[0-9]+/FROM/g; s/\b[0-9]+s\b/SECONDS/g; s/\"since\":\"[-0-9:TZ]*\"/SINCE/; s/\"seconds\":[0-9]+/SECONDS/; s/ +/ /g"
}
asks() { # NAME OPTION...: the answer and the exit code, from the server's side
    asked_for=$1
    shift
    on "$here" sessions --control "$tmp/$here.sock" "$@" >"$tmp/answer.out" 2>"$tmp/answer.err"
    { echo "$asked_for: $?"; cat "$tmp/answer.out" "$tmp/answer.err"; } | plain "$here" "$there" >>"$tmp/sessions.$here"
}
sessions_of() { # SIDE of serve and sessions, that of forward: what is seen goes to $tmp/sessions.SIDE
    here=$1 there=$2
    called "$1" serve tcp://127.0.0.1:0 --allow "$2" --forward "echo=127.0.0.1:$service_port" --control "$tmp/$1.sock" --audit "$tmp/$1.log"
    asks nobody
    rm -f "$tmp/caller.err"
    (become=exec && on "$2" forward "$address" --peer "$1" 0=echo >"$tmp/caller.out" 2>"$tmp/caller.err" </dev/null) &
    caller=$!
    background="$background $caller"
    port=$(await 's/.*forwarding 127.0.0.1:\([0-9]*\) to echo.*/\1/p' "$tmp/caller.err")
    timeout 60 python3 "$tmp/client.py" "$port" "$tmp/back" >"$tmp/got1" 2>"$tmp/said"
    await 's/.*"event":"stream".*/yes/p' "$tmp/$1.log" >"$tmp/said" # then it has counted all
    asks table
    asks json --json
    asks absent --end 4711
    asks process --end "$1/4711"
    asks end --end 1
    wait "$caller"
    echo "the caller: $?" >>"$tmp/sessions.$1"
    await 's/.*"event":"end".*/yes/p' "$tmp/$1.log" >"$tmp/said"
    asks after
}
sessions_alike() {
    rm -f "$tmp"/sessions.*
    sessions_of system windows
    stop_called
    sessions_of windows system
    alike "sessions: the table, --json, --end and exit codes are those of this system's program" "$tmp/sessions.system" "$tmp/sessions.windows"
    grep -q '^json: 0$' "$tmp/sessions.windows" && grep -q '"in":2000001' "$tmp/sessions.windows" && grep -q '^the caller: 4$' "$tmp/sessions.windows"
    status=$?
    judge "sessions: a session is counted, and ended" $status
    cmp -s "$tmp/sessions.system" "$tmp/sessions.windows" && [ $status -eq 0 ] || diff "$tmp/sessions.system" "$tmp/sessions.windows"
}
# fails NAME WORDS COMMAND...: exit code 3, and these words
fails() {
    fails_name=$1 words=$2
    shift 2
    "$@" >"$tmp/said" 2>&1
    [ $? -eq 3 ] && grep -qF -- "$words" "$tmp/said"
    status=$?
    judge "$fails_name" $status
    [ $status -eq 0 ] || show "$tmp/said"
}
# serves_with PATH: what a second process says that wants this place; it stays, so it is ended
serves_with() {
    rm -f "$tmp/other.err"
    (become=exec && on windows serve tcp://127.0.0.1:0 --allow system --forward 80 --control "$1" >"$tmp/other.out" 2>"$tmp/other.err" </dev/null) &
    other=$!
    background="$background $other"
    await "$listening" "$tmp/other.err" >"$tmp/said"
    # the socket is made after "listening on" was said
    i=0
    until grep -q 'cannot make the control socket' "$tmp/other.err" || on windows sessions --control "$1" >"$tmp/said" 2>&1 || [ $i -ge 20 ]; do sleep 0.2; i=$((i + 1)); done
}
# Strangers on the same machine, who know the port at most (the server is that of sessions_alike)
sessions_strangers() {
    cat >"$tmp/stranger.py" <<'END'
import re, socket, sys, time
port, nonce = re.fullmatch(r'svconn-control (\d+) ([0-9a-f]{64})\n', open(sys.argv[1], newline='').read()).groups()
def call():
    return socket.create_connection(('127.0.0.1', int(port)), timeout=10)
def answer(c):
    try:
        got = b''
        while True:
            b = c.recv(4096)
            if not b: return got
            got += b
    except ConnectionResetError:
        return b''
what = sys.argv[2]
if what == 'silent': # of these so many that no room is left
    held = [call() for _ in range(150)]
    print('held', flush=True)
    time.sleep(60)
elif what == 'half': # nothing more comes, and he is not waited for
    c, began = call(), time.time()
    c.sendall(nonce[:40].encode())
    print(answer(c) == b'' and 1 < time.time() - began < 8)
else:
    c = call()
    words = {'right': nonce, 'wrong': '0' * 64, 'near': nonce[:-1] + '0123456789abcdef'[int(nonce[-1], 16) ^ 1], 'none': ''}[what]
    c.sendall((words + 'list\n' * 40).encode() if what == 'none' else (words + 'end 1\n').encode())
    print(answer(c).decode().strip())
END
    for what in right wrong near none half; do
        python3 "$tmp/stranger.py" "$tmp/windows.sock" $what >"$tmp/said" 2>&1
        case $what in
        right) want='{"error":"there is no session 1"}' ;;
        half) want=True ;;
        *) want= ;;
        esac
        [ "$(cat "$tmp/said")" = "$want" ]
        status=$?
        judge "sessions: a stranger with a nonce: $what" $status
        [ $status -eq 0 ] || show "$tmp/said"
    done
    python3 "$tmp/stranger.py" "$tmp/windows.sock" silent >"$tmp/strangers" 2>&1 &
    strangers=$!
    background="$background $strangers"
    await 's/^held/held/p' "$tmp/strangers" >"$tmp/said"
    on windows sessions --control "$tmp/windows.sock" >"$tmp/said" 2>&1 && grep -q 'nobody is connected' "$tmp/said"
    status=$?
    judge "sessions: 150 strangers who say nothing are not in the way" $status
    [ $status -eq 0 ] || show "$tmp/said"
    kill $strangers
}
# The files (the server is that of sessions_alike)
sessions_files() {
    cp "$tmp/windows.sock" "$tmp/stale.sock"
    fails "sessions: the file of a process that ended" 'has ended' on windows sessions --control "$tmp/stale.sock"
    chmod 644 "$tmp/stale.sock"
    fails "sessions: a file that others can read is not believed" 'others can read or change it' on windows sessions --control "$tmp/stale.sock"
    serves_with "$tmp/stale.sock"
    grep -q 'cannot make the control socket.*others can read or change it' "$tmp/other.err"
    judge "sessions: a file of others is not replaced" $?
    kill $other
    wait $other 2>/dev/null
    chmod 600 "$tmp/stale.sock"
    serves_with "$tmp/stale.sock"
    on windows sessions --control "$tmp/stale.sock" 2>&1 | grep -q 'stale: nobody is connected'
    judge "sessions: the file of a process that ended is replaced" $?
    kill $other
    wait $other 2>/dev/null
    serves_with "$tmp/windows.sock"
    grep -q 'cannot make the control socket.*a process that runs has it' "$tmp/other.err"
    judge "sessions: the file of a process that runs is not replaced" $?
    kill $other
    wait $other 2>/dev/null
    (umask 077 && echo 'my notes' >"$tmp/notes")
    serves_with "$tmp/notes"
    grep -q 'cannot make the control socket.*something else of this name' "$tmp/other.err" && [ "$(cat "$tmp/notes")" = 'my notes' ]
    judge "sessions: another file is not replaced" $?
    kill $other
    wait $other 2>/dev/null
    fails "sessions: another file is none" 'it is no control socket' on windows sessions --control "$tmp/notes"
    fails "sessions: no file" 'No such file' on windows sessions --control "$tmp/no such file"
    stop_called # which ends it as the task manager does
    i=0
    while [ -e "$tmp/windows.sock" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    [ ! -e "$tmp/windows.sock" ]
    judge "sessions: the file goes with its process" $?
}
# Without --control
sessions_usual() {
    usual=$(echo "$WINEPREFIX"/drive_c/users/*/AppData/Local)/svconn
    rm -rf "$usual"
    fails "sessions: nothing runs" 'nothing of yours that takes sessions runs here' on windows sessions
    called windows serve tcp://127.0.0.1:0 --allow system --forward 80
    first=$called
    called windows listen tcp://127.0.0.1:0 --allow system --keep --exec 'echo hello'
    i=0
    while [ "$(ls "$usual/run" | wc -l)" -ne 2 ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    cp "$usual"/run/serve-*.sock "$usual/run/serve-99999.sock"
    chmod 600 "$usual"/run/serve-99999.sock
    on windows sessions >"$tmp/said" 2>"$tmp/said.err"
    code=$?
    [ $code -eq 0 ] && [ "$(tr -d '\r' <"$tmp/said" | tr '\n' ' ' | sed 's/-[0-9]*:/:/g')" = 'listen:  serve: ' ] && [ "$(grep -c 'nobody is connected' "$tmp/said.err")" -eq 2 ]
    status=$?
    judge "sessions: two processes in the usual directory" $status
    [ $status -eq 0 ] || show "$tmp/said" "$tmp/said.err"
    [ ! -e "$usual/run/serve-99999.sock" ]
    judge "sessions: what a process left behind is removed" $?
    chmod 777 "$usual/run"
    fails "sessions: a directory that others can write to is not used" 'set LOCALAPPDATA' on windows sessions
    chmod 700 "$usual/run"
    kill "$first"
    wait "$first" 2>/dev/null
    stop_called
    rm -rf "$usual"
}
sessions() {
    sessions_alike
    sessions_strangers
    sessions_files
    sessions_usual
}

# ---- send and receive ----
file_pair() { # SIDE of receive, that of send
    into=$tmp/inbox.$1.$2
    mkdir -m 700 "$into"
    called "$1" receive --relay "$relay_key@$relay" --allow "$2" --into "$into"
    (cd "$tmp/tree" && on "$2" send --relay "$relay_key@$relay" --peer "$1" "${address##*/}" 'big file' "$directory" empty) >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && diff -r "$tmp/tree" "$into" >"$tmp/said"
    status=$?
    judge "receive on $1, send on $2: 5 MB, directories, names with blanks and letters of others, by the relay" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/said"
    [ "$(stat -c %Y "$tmp/tree/big file")" = "$(stat -c %Y "$into/big file")" ]
    judge "receive on $1, send on $2: the time of a file" $?
    # again: nothing is sent twice; and a file that is another one now is kept
    echo 'another' >"$into/empty"
    called "$1" receive tcp://127.0.0.1:0 --allow "$2" --into "$into"
    (cd "$tmp/tree" && on "$2" send --peer "$1" "$address" 'big file' empty --json) >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "6 6" ] && grep -q '"file":"big file","result":"same"' "$tmp/caller.out" && [ "$(cat "$into/empty")" = another ] &&
        grep -q 'something with this name is there already' "$tmp/caller.err"
    status=$?
    judge "receive on $1, send on $2: again, and what is there is kept" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"
}
# What is no name on Windows becomes one
names_of_windows() {
    mkdir -m 700 "$tmp/strange" "$tmp/strange.in"
    for n in 'a:b' 'back\slash' 'NUL.txt' 'dot.' 'q?'; do echo "$n" >"$tmp/strange/$n"; done
    called windows receive tcp://127.0.0.1:0 --allow system --into "$tmp/strange.in"
    on system send --peer windows "$address" "$tmp/strange" >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && [ "$(ls "$tmp/strange.in/strange" | LC_ALL=C sort | tr '\n' ' ')" = '%4EUL.txt a%3Ab back%5Cslash dot%2E q%3F ' ]
    status=$?
    judge "receive: names that Windows has not" $status
    [ $status -eq 0 ] || { show "$tmp/called.err" "$tmp/caller.err"; ls "$tmp/strange.in/strange"; }
}
# The short name of a directory whose name begins with a dot is not that directory: "--keep-dots" was not given
short_names() {
    mkdir -m 700 "$tmp/short" "$tmp/short.in" "$tmp/short.in/.ssh"
    short=$(cd "$tmp" && $run cmd /c 'dir /x /a short.in' 2>/dev/null | tr -d '\r' | sed -n 's/.*<DIR> *\([^ ]*~[^ ]*\)  *\.ssh$/\1/p')
    if [ -z "$short" ]; then
        echo "skip windows $name: there are no short names here"
        return
    fi
    mkdir "$tmp/short/$short"
    for n in "$short/authorized_keys" 'PROGRA~1' 'notes~2.txt' 'not so short~1' 'old.c~'; do echo "$n" >"$tmp/short/$n"; done
    called windows receive tcp://127.0.0.1:0 --allow system --into "$tmp/short.in"
    (cd "$tmp/short" && on system send --peer windows "$address" *) >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && [ -z "$(ls -A "$tmp/short.in/.ssh")" ] && [ -e "$tmp/short.in/PROGRA%7E1" ] && [ -e "$tmp/short.in/notes%7E2.txt" ] &&
        [ -e "$tmp/short.in/not so short~1" ] && [ -e "$tmp/short.in/old.c~" ]
    status=$?
    judge "receive: the short name of something else" $status
    [ $status -eq 0 ] || { show "$tmp/called.err" "$tmp/caller.err"; ls -AR "$tmp/short.in"; }
}
# What was cut off goes on
resumed() {
    mkdir -m 700 "$tmp/cut"
    head -c 2000000 "$tmp/tree/big file" >"$tmp/cut/.big file.svconn-part"
    called windows receive tcp://127.0.0.1:0 --allow system --into "$tmp/cut"
    on system send --peer windows "$address" "$tmp/tree/big file" --json >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ "$? $caller" = "0 0" ] && cmp -s "$tmp/tree/big file" "$tmp/cut/big file" && [ ! -e "$tmp/cut/.big file.svconn-part" ] &&
        grep -q '"sent":3000000' "$tmp/caller.out"
    status=$?
    judge "receive on windows: a part of 2 MB that is there is not sent again" $status
    [ $status -eq 0 ] || { show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"; ls -la "$tmp/cut"; }
}

file_parts() {
    file_pair windows system
    file_pair system windows
    names_of_windows
    short_names
    resumed
}

set_up_files() {
    directory=$(printf 'cl\303\251 \320\272\320\273\321\216\321\207')
    mkdir -p "$tmp/tree/$directory/in it"
    head -c 5000000 /dev/urandom >"$tmp/tree/big file"
    head -c 100 /dev/urandom >"$tmp/tree/$directory/in it/one"
    head -c 70000 /dev/zero >"$tmp/tree/$directory/zeros"
    : >"$tmp/tree/empty"
    touch -d '2021-03-04 05:06:07 UTC' "$tmp/tree/big file"
    cat >"$tmp/service.py" <<'END'
import socket, threading
def one(c):
    got = b''
    while True:
        b = c.recv(65536)
        if not b: break
        got += b
    c.sendall(got)
    c.close()
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
while True:
    threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()
END
    cat >"$tmp/client.py" <<'END'
import socket, sys, threading
c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
def push():
    c.sendall(open(sys.argv[2], 'rb').read())
    c.shutdown(socket.SHUT_WR)
threading.Thread(target=push).start()
while True:
    b = c.recv(65536)
    if not b: break
    sys.stdout.buffer.write(b)
END
    python3 "$tmp/service.py" >"$tmp/service.port" &
    background="$background $!"
    service_port=$(await 's/^\([0-9]*\)$/\1/p' "$tmp/service.port")
}

files_and_ports() {
    set_up_files
    forward_pair windows system
    forward_pair system windows
    sessions
    file_parts
}


# ---- relay ----
# What tests the relay of this system, at that of Windows; and the others of both, by way of it
relays() {
    printf '#!/bin/sh\nexec python3 "%s" %s "%s" "$@"\n' "$PWD/tests/windows/interrupt.py" "$run" "$dir/svconn.exe" >"$tmp/relay_of_windows"
    chmod +x "$tmp/relay_of_windows"
    export SVCONN_TEST_RELAY="$tmp/relay_of_windows"
    was=$run run=
    for t in relay relay_forward relay_limits relay_names relay_churn; do
        make --no-print-directory BUILD="$build" "$build/tests/test_$t" >"$tmp/said" 2>&1
        report "test_$t" "$build/tests/test_$t" "tests/test_$t.c"
    done
    run=$was
    unset SVCONN_TEST_RELAY
    here=$relay of=' of windows'
    $run "$dir/svconn.exe" relay tcp://127.0.0.1:0 --key "$tmp/relay.key" --log "$tmp/relay.log" >/dev/null 2>"$tmp/relay.windows" &
    at_windows=$!
    background="$background $at_windows"
    relay=$(await 's,.*relaying on tcp://,,p' "$tmp/relay.windows")
    pipe_pair windows system
    pipe_pair system windows
    pipe_pair windows second
    forward_pair system windows
    on windows connect --relay "$relay_key@$relay" --peer system 0000-0000 </dev/null >/dev/null 2>"$tmp/said"
    [ $? -eq 4 ] && grep -q '"event":"wrong-token","conn":[0-9]*,"source":"127.0.0.1"' "$tmp/relay.log"
    status=$?
    judge "relay: a wrong token, and from where it came" $status
    [ $status -eq 0 ] || { show "$tmp/said" && tail -n 2 "$tmp/relay.log"; }
    grep -q '"event":"joined"' "$tmp/relay.log" && [ -z "$(find "$tmp/relay.log" -perm /o=rwx)" ]
    judge "relay --log: a line for each event, in a file for us alone" $?
    for s in system windows; do
        on $s connect --relay "$(printf '%064d' 7)@$relay" --peer "$windows_key" 0000-0000 </dev/null >/dev/null 2>"$tmp/said"
        [ $? -eq 4 ] && grep -q ', not the one of the address' "$tmp/said"
        status=$?
        judge "relay: another key than the caller on $s knows" $status
        [ $status -eq 0 ] || show "$tmp/said"
    done
    kill $at_windows
    wait $at_windows 2>/dev/null
    relay=$here of=
    for s in system windows; do
        on $s relay unix:x >/dev/null 2>"$tmp/said.$s"
        echo $? >>"$tmp/said.$s"
    done
    alike "relay: an address of another kind is refused in the same words" "$tmp/said.system" "$tmp/said.windows"
    asked '^C' relay tcp://127.0.0.1:0 --capture "$tmp/captured"
    code=$?
    [ $code -eq 0 ] && grep -q 'ending: nobody is joined' "$tmp/seen"
    status=$?
    judge "Ctrl-C ends a relay in order" $status
    [ $status -eq 0 ] || show "$tmp/seen"
    [ -e "$tmp/captured.listen" ] && [ -e "$tmp/captured.call" ] && [ -z "$(find "$tmp"/captured.* -perm /o=rwx)" ]
    judge "relay --capture: what it writes is for us alone" $?
}

# A pipe of Windows for standard error that nobody reads: those who cause lines must not stop the relay
unread() {
    cat >"$tmp/unread.c" <<'END'
#include <windows.h>
int main(void) { /* runs what stands behind our name, and takes it along */
    HANDLE in, out, job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit = {.BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
    SECURITY_ATTRIBUTES a = {.nLength = sizeof a, .bInheritHandle = TRUE};
    STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION p;
    wchar_t *line = wcschr(GetCommandLineW(), L' ');
    how.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    how.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    if (!line || !CreatePipe(&in, &out, &a, 0)) return 1;
    how.hStdError = out;
    if (!CreateProcessW(NULL, line + 1, NULL, NULL, TRUE, 0, NULL, NULL, &how, &p)) return 1;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit, sizeof limit);
    AssignProcessToJobObject(job, p.hProcess);
    WaitForSingleObject(p.hProcess, INFINITE);
    return 0;
}
END
    cat >"$tmp/visit.py" <<'END'
import socket, sys, time
def visit(): # the relay lets go of who says nothing that it knows
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as s:
        s.settimeout(20)
        s.sendall(bytes(200))
        try:
            while s.recv(100):
                pass
        except ConnectionError:
            pass
for i in range(600):
    for again in range(100):
        try:
            visit()
            break
        except ConnectionRefusedError:
            if i:
                raise
            time.sleep(0.1)
END
    $cc -o "$tmp/unread.exe" "$tmp/unread.c"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    $run "$tmp/unread.exe" "$(in_wine "$dir/svconn.exe")" relay "tcp://127.0.0.1:$port" --log - --source-new 10000 >/dev/null 2>&1 </dev/null &
    holder=$!
    background="$background $holder"
    timeout 120 python3 "$tmp/visit.py" "$port" 2>"$tmp/said"
    status=$?
    judge "relay --log -: it goes on while nobody reads what it says" $status
    [ $status -eq 0 ] || tail -n 1 "$tmp/said"
    kill $holder
}

# asked_program COMMAND WHAT [ARGUMENT]: with a code of exit behind COMMAND; who is refused ends with 4
asked_program() {
    for code in 0 1; do
        called windows listen tcp://127.0.0.1:0 --allow system --ask-program "$1 $code${3:+ $3}"
        on system connect "$address" --peer windows </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
        caller=$?
        stop_called
        [ $caller -eq $((4 * code)) ]
        status=$?
        judge "listen --ask-program on windows: $2 $code" $status
        [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err"
    done
}

# ---- a person, and commands ----
in_wine() { echo "Z:$1" | tr / '\\'; }
# asked ANSWERS COMMAND...: of the program of Windows, at a console; what is seen is in $tmp/seen
asked() {
    answers=$1
    shift
    timeout 90 python3 tests/windows/console.py "$answers" $run "$dir/svconn.exe" "$@" >"$tmp/seen" 2>&1
}
questions() {
    files="--known-peers $tmp/asked/known_peers --known-relays $tmp/asked/known_relays"
    mkdir -m 700 "$tmp/asked"
    for answer in no yes; do
        printf 'system %s seen\n' "$system_key" >"$tmp/asked/known_peers"
        asked $answer peers verify system --known-peers "$tmp/asked/known_peers"
        code=$?
        if [ $answer = yes ]; then want=0 word=verified; else want=4 word=seen; fi
        [ "$code" -eq $want ] && grep -q " $word\$" "$tmp/asked/known_peers"
        judge "a person at the console says $answer: peers verify" $?
    done
    rm -f "$tmp"/asked/known_peers*
    called system listen tcp://127.0.0.1:0 --allow windows
    asked verified connect "$address" --key "$tmp/windows/key" $files
    code=$?
    wait "$called"
    [ $code -eq 0 ] && [ "$(cat "$tmp/asked/known_peers")" = "$address $system_key verified" ]
    status=$?
    judge "a person at the console verifies a key that is new" $status
    [ $status -eq 0 ] || show "$tmp/seen" "$tmp/called.err"
    called system listen --relay "$relay_key@$relay" --allow windows
    asked yes connect "${address##*/}" --relay "$relay" --peer "$system_key" --key "$tmp/windows/key" $files
    code=$?
    wait "$called"
    [ $code -eq 0 ] && [ "$(cat "$tmp/asked/known_relays")" = "$relay $relay_key" ]
    status=$?
    judge "a person at the console knows the relay" $status
    [ $status -eq 0 ] || show "$tmp/seen" "$tmp/called.err"
    # The port is chosen beforehand: what is seen comes at the end
    for answer in no yes; do
        port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        asked $answer listen "tcp://127.0.0.1:$port" --allow ask --key "$tmp/windows/key" $files &
        called=$!
        background="$background $called"
        hex=$(printf ':%04X 00000000:0000 0A' "$port") i=0 # in the table of this system, as a call would be the one that it waits for
        until grep -q "$hex" /proc/net/tcp || [ $i -eq 500 ]; do sleep 0.1; i=$((i + 1)); done
        echo 'hello' | on system connect "tcp://127.0.0.1:$port" --peer windows >"$tmp/caller.out" 2>"$tmp/caller.err"
        caller=$?
        wait "$called"
        if [ $answer = yes ]; then want=0; else want=4; fi
        [ $caller -eq $want ] && if [ $answer = yes ]; then grep -q hello "$tmp/seen"; else ! grep -q hello "$tmp/seen"; fi
        status=$?
        judge "a person at the console says $answer to a caller" $status
        [ $status -eq 0 ] || show "$tmp/seen" "$tmp/caller.err"
    done
    for c in id doctor; do
        asked letmein $c --key-command "set /p word=Passphrase:>con& type $(in_wine "$tmp/windows/key")"
        [ $? -eq 0 ] && grep -q 'Passphrase:.*letmein' "$tmp/seen" && tr -d ' \r\n' <"$tmp/seen" | grep -qE "$windows_key|okkey"
        status=$?
        judge "$c on windows: a key command asks at the console" $status
        [ $status -eq 0 ] || show "$tmp/seen"
    done
    asked '^C' serve tcp://127.0.0.1:0 --allow any --forward 80 --key "$tmp/windows/key"
    code=$?
    [ $code -eq 0 ] && grep -q 'listening on' "$tmp/seen"
    status=$?
    judge "Ctrl-C ends serve in order" $status
    [ $status -eq 0 ] || show "$tmp/seen"
    run_directory=$(echo "$WINEPREFIX"/drive_c/users/*/AppData/Local/svconn/run)
    [ -d "$run_directory" ] && [ -z "$(ls "$run_directory")" ]
    judge "... and no control socket is left" $?
}
# What was received into the directory where a command is started is not taken for the shell. (That cmd.exe itself does not look
# there, either, cannot be seen here: Wine's does.)
planted() {
    printf '#include <stdio.h>\nint main(void) { puts("planted"); return 0; }\n' >"$tmp/planted.c"
    mkdir -m 700 "$tmp/planted"
    $cc -o "$tmp/planted/cmd.exe" "$tmp/planted.c"
    was=$PWD
    cd "$tmp/planted" || return
    called windows listen tcp://127.0.0.1:0 --allow system --exec 'echo wanted line'
    on system connect "$address" --peer windows </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
    wait "$called"
    cd "$was" || return
    grep -q '^wanted line' "$tmp/caller.out"
    status=$?
    judge "listen --exec on windows: a cmd.exe in the current directory is not the shell" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"
}
commands_of_users() {
    called windows listen tcp://127.0.0.1:0 --allow system --exec 'echo %SVCONN_NAME%& findstr wanted'
    printf 'not this\r\nwanted line\r\n' | on system connect "$address" --peer windows >"$tmp/caller.out" 2>"$tmp/caller.err"
    caller=$?
    wait "$called"
    [ $caller -eq 0 ] && grep -q '^system' "$tmp/caller.out" 
    status=$?
    judge "listen --exec on windows: a command for the caller" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"
    asked_program "exit" "it ends with"
}

# What stands in quotes for cmd.exe stays so, at the beginning, at the end and between
quotes() {
    cat >"$tmp/say.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) { /* show FILE, exit CODE, or what there is, each in brackets */
    if (argc > 2 && strcmp(argv[1], "exit") == 0) return atoi(argv[2]);
    if (argc > 2 && strcmp(argv[1], "show") == 0) {
        FILE *f = fopen(argv[2], "r");
        for (int c; f && (c = getc(f)) != EOF;) putchar(c);
        return f == NULL;
    }
    for (int i = 1; i < argc; i++) printf("[%s]", argv[i]);
    return 0;
}
END
    mkdir -m 700 "$tmp/quotes" "$tmp/quotes/my programs" "$tmp/quotes/my keys"
    $cc -o "$tmp/quotes/my programs/say.exe" "$tmp/say.c" && cp "$tmp/windows/key" "$tmp/quotes/my keys/key one"
    was=$PWD
    cd "$tmp/quotes" || return
    for c in '"my programs\say.exe" show "my keys\key one"' 'type "my keys\key one"' '"my programs\say.exe" show "my keys\key one" 2>nul' \
        '"my programs\say.exe" exit 0 "a b" & type "my keys\key one"' ' "my programs\say.exe"  show  "my keys\key one" '; do
        timeout 60 $run "$dir/svconn.exe" id --key-command "$c" 2>"$tmp/said" </dev/null | tr -d '\r' | grep -q "^public key: $windows_key"
        status=$?
        judge "--key-command on windows: $c" $status
        [ $status -eq 0 ] || show "$tmp/said"
    done
    timeout 60 $run "$dir/svconn.exe" id --key-command '"my programs\say.exe" exit 7 "a b"' >/dev/null 2>"$tmp/said" </dev/null
    [ $? -eq 3 ] && grep -q 'ended with exit status 7;' "$tmp/said"
    judge "--key-command on windows: the exit status of a program in quotes" $?
    for c in '"my programs\say.exe" one "two words" "last words"' '"my programs\say.exe"   one "two words" "last words" 2>nul'; do
        called windows listen tcp://127.0.0.1:0 --allow system --exec "$c"
        on system connect "$address" --peer windows </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
        wait "$called"
        [ "$(tr -d '\r' <"$tmp/caller.out")" = '[one][two words][last words]' ]
        status=$?
        judge "listen --exec on windows: $c" $status
        [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"
    done
    asked_program "\"my programs\\say.exe\" exit" "a program in quotes ends with" '"a b"'
    cd "$was" || return
}

# A program for a caller has its own input and output and our standard error, and nothing of ours besides
handles() {
    cat >"$tmp/handles.c" <<'END'
#include <stdio.h>
#include <windows.h>
int main(void) {
    int n = 0;
    DWORD about;
    for (ULONG_PTR h = 4; h < 4096; h += 4) n += GetHandleInformation((HANDLE)h, &about) && (about & HANDLE_FLAG_INHERIT);
    printf("inherited %d", n);
    return 0;
}
END
    $cc -o "$tmp/handles.exe" "$tmp/handles.c"
    called windows listen tcp://127.0.0.1:0 --allow system --exec "$(in_wine "$tmp/handles.exe")"
    on system connect "$address" --peer windows </dev/null >"$tmp/caller.out" 2>"$tmp/caller.err"
    wait "$called"
    [ "$(cat "$tmp/caller.out")" = 'inherited 3' ]
    status=$?
    judge "listen --exec on windows: a program has three handles, and no other of ours" $status
    [ $status -eq 0 ] || show "$tmp/called.err" "$tmp/caller.err" "$tmp/caller.out"
}

# ---- a service ----
# Wine's service manager goes with the last program, so another one stays meanwhile
sc() { timeout 60 $run sc "$@" 2>/dev/null | tr -d '\r'; }
# of_sc NAME LINE: the number in this line of "sc query"
of_sc() { sc query "$1" | sed -n "s/^ *$2 *: \([0-9]*\) .*/\1/p"; }
# starts NAME COMMAND...: as a service of this name, until it runs or has ended; its log is $tmp/a log/NAME
starts() {
    started=$1
    shift
    rm -f "$tmp/a log/$started"
    sc create "$started" start= demand binPath= "\"$(in_wine "$dir/svconn.exe")\" service \"$(in_wine "$tmp/a log/$started")\" $*" >/dev/null
    services="$services $started"
    sc start "$started" >"$tmp/said"
    i=0
    while [ "$(of_sc "$started" STATE)" = 2 ] && [ $i -lt 50 ]; do sleep 0.3; i=$((i + 1)); done
}
# ended NAME WORDS: its state and exit codes in the end are STOPPED and these, and its log has the words
ended() {
    i=0
    while [ "$(of_sc "$1" STATE)" != 1 ] && [ $i -lt 80 ]; do sleep 0.4; i=$((i + 1)); done
    [ "$(of_sc "$1" STATE) $(of_sc "$1" WIN32_EXIT_CODE) $(of_sc "$1" SERVICE_EXIT_CODE)" = "1 $2" ] && grep -q "$3" "$tmp/a log/$1"
}
# judge_service WHAT STATUS NAME
judge_service() {
    judge "$1" "$2"
    [ "$2" -eq 0 ] || { sc query "$3" | sed 's/^/    /'; show "$tmp/a log/$3" "$tmp/caller.err"; }
}
service_serves() {
    starts svserve serve --relay "$relay_key@$relay" --allow windows --allow ask --forward "echo=127.0.0.1:$service_port" $at_system
    [ "$(await 's/.*listening on relay:.*/yes/p' "$tmp/a log/svserve")" ] && [ "$(of_sc svserve STATE)" = 4 ]
    judge_service "service: serve is running" $? svserve
    rm -f "$tmp/caller.err"
    (become=exec && of_windows forward --relay "$relay_key@$relay" system 0=echo >"$tmp/caller.out" 2>"$tmp/caller.err" </dev/null) &
    caller=$!
    background="$background $caller"
    port=$(await 's/.*forwarding 127.0.0.1:\([0-9]*\) to echo.*/\1/p' "$tmp/caller.err")
    timeout 60 python3 "$tmp/client.py" "$port" "$tmp/back" >"$tmp/got1" 2>"$tmp/said"
    cmp -s "$tmp/back" "$tmp/got1"
    judge_service "service: 2 MB there and back by way of it" $? svserve
    on second forward --relay "$relay_key@$relay" --peer "$system_key" "$system_key" 0=echo >"$tmp/caller.out" 2>"$tmp/stranger.err" </dev/null
    [ $? -eq 4 ]
    status=$?
    judge_service "service: nobody can be asked, so a stranger is told no" $status svserve
    [ $status -eq 0 ] || show "$tmp/stranger.err"
    sc stop svserve >/dev/null
    ended svserve '0 0' 'serve: ended, exit code 0$' && grep -q 'the other side ends' "$tmp/caller.err"
    judge_service "service: it is stopped in order, and who is there is told" $? svserve
    kill $caller 2>/dev/null
    wait $caller 2>/dev/null
    [ -s "$tmp/a log/svserve" ] && ! grep -qvE '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z svconn: ' "$tmp/a log/svserve" && ls -l "$tmp/a log/svserve" | grep -q '^-rw....---'
    judge_service "service: each line of the log has the time, and it is for us alone" $? svserve
}
service_fails() {
    starts svwrong serve --no-such-option
    ended svwrong '1066 2' 'Z svconn: serve: there is no option --no-such-option'
    judge_service "service: a wrong command line is specific error 2, and a sentence in the log" $? svwrong
    starts svnone no-such-command
    ended svnone '1066 2' 'there is no command "no-such-command"'
    judge_service "service: a command that is not there" $? svnone
    sc create svnolog start= demand binPath= "\"$(in_wine "$dir/svconn.exe")\" service \"$(in_wine "$tmp/nowhere/log")\" serve" >/dev/null
    services="$services svnolog"
    sc start svnolog >"$tmp/said"
    echo nothing >"$tmp/a log/svnolog"
    ended svnolog '1066 3' nothing
    judge_service "service: a log that cannot be written is specific error 3" $? svnolog
    timeout 60 $run "$dir/svconn.exe" service "$(in_wine "$tmp/a log/by hand")" serve >"$tmp/said" 2>&1
    [ $? -eq 2 ] && grep -q 'for the service manager.*svconn service --help' "$tmp/said" && [ ! -e "$tmp/a log/by hand" ]
    judge "service: by hand it says whom it is for" $?
    "$build/svconn" service log serve >"$tmp/said" 2>&1
    [ $? -eq 2 ] && grep -q 'there is no command "service"' "$tmp/said" && ! "$build/svconn" --help | grep -q '^  service'
    judge "service: there is none on this system" $?
}
# What no signal interrupts, and what goes on after the first one
service_hurries() {
    python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()
print("here", flush=True)
time.sleep(300)' >"$tmp/silent" &
    silent=$!
    background="$background $silent"
    starts svdial forward "tcp://127.0.0.1:$(await 's/^\([0-9]*\)$/\1/p' "$tmp/silent")" --wait 0=80 $at_system
    await 's/^here$/yes/p' "$tmp/silent" >"$tmp/said"
    sc stop svdial >/dev/null
    ended svdial '0 0' 'forward: ending, as the service manager wants' && ! grep -q 'exit code' "$tmp/a log/svdial"
    judge_service "service: it is stopped while it waits for an answer" $? svdial
    kill $silent
    starts svrelay relay tcp://127.0.0.1:0 --key "$(in_wine "$tmp/relay.key")"
    other=$(await 's,.*relaying on tcp://,,p' "$tmp/a log/svrelay")
    mkfifo "$tmp/open"
    called_input=$tmp/open
    (exec 3>"$tmp/open" && sleep 60) &
    holder=$!
    background="$background $holder"
    called system listen --relay "$relay_key@$other" --allow windows
    called_input=/dev/null
    of_windows connect --relay "$relay_key@$other" --peer system "${address##*/}" <"$tmp/open" >"$tmp/caller.out" 2>"$tmp/caller.err" &
    caller=$!
    background="$background $caller"
    await 's/.*connected.*/yes/p' "$tmp/called.err" >"$tmp/said"
    before=$(date +%s)
    sc stop svrelay >/dev/null
    ended svrelay '0 0' 'may go on for 300 seconds' && grep -q 'relay: ended, exit code 0' "$tmp/a log/svrelay"
    status=$? took=$(($(date +%s) - before))
    [ $status -eq 0 ] && [ $took -ge 18 ]
    judge_service "service: a relay lets pairs go on for 20 seconds ($took)" $? svrelay
    kill $holder 2>/dev/null
    wait "$called" "$caller" 2>/dev/null
}
# The service has the key and the files of "system", so callers are those of "windows": with the program of this system
of_windows() { $become timeout 90 "$build/svconn" "$@" --key "$tmp/windows/key" --known-peers "$tmp/windows/known_peers" --known-relays "$tmp/windows/known_relays"; }
services() {
    services=
    mkdir -p "$tmp/a log"
    at_system="--key $(in_wine "$tmp/system/key") --known-peers $(in_wine "$tmp/system/known_peers") --known-relays $(in_wine "$tmp/system/known_relays")"
    $run "$dir/svconn.exe" echo-server tcp://127.0.0.1:0 --key "$tmp/windows/key" >"$tmp/stays" 2>&1 &
    stays=$!
    background="$background $stays"
    await "$listening" "$tmp/stays" >"$tmp/said"
    service_serves
    service_fails
    service_hurries
    for s in $services; do sc delete "$s" >/dev/null; done
    kill "$stays"
    wait "$stays" 2>/dev/null
}

# ---- doctor ----
# finds NAME CODE TEXT OPTION...: it ends with CODE, and a line begins with TEXT (blanks as one)
finds() {
    what=$1 want=$2 text=$3
    shift 3
    timeout 120 $run "$dir/svconn.exe" doctor "$@" >"$tmp/found" 2>"$tmp/said" </dev/null
    code=$?
    tr -s ' ' <"$tmp/found" >"$tmp/lines"
    [ $code -eq "$want" ] && grep -q -- "^$text" "$tmp/lines" && [ ! -s "$tmp/said" ]
    status=$?
    judge "doctor: $what" $status
    [ $status -eq 0 ] || { echo "    exit code $code, \"$text\" expected in:" && show "$tmp/found" "$tmp/said"; }
}
# finds_as_here NAME CODE TEXT OPTION...: and says the same, word for word, as the program of this system with the same files, but for
# places, limits and the words of the system for an error
finds_as_here() {
    finds "$@"
    what=$1 want=$2
    shift 3
    rm -rf "$tmp/here" && mkdir -m 700 "$tmp/here" && cp -r "$mine" "$tmp/here/" && chmod 700 "$tmp/here/svconn"
    [ ! -e "$tmp/here/svconn/key" ] || chmod 600 "$tmp/here/svconn/key"
    XDG_CONFIG_HOME="$tmp/here" timeout 120 setsid -w "$build/svconn" doctor "$@" >"$tmp/found.here" 2>"$tmp/said" </dev/null
    code=$?
    for found in found found.here; do
        sed -n -E '/^(ok|note|FAULT) +(key|known_|authorized_|random|clock|relay|peer)/,/^ +next/p' "$tmp/$found" | grep -vE '^(ok|note|FAULT) +(home|directory|descriptors|runtime)' |
            sed 's,[^ ]*[/\\]svconn[/\\],,' | tr '[:upper:]' '[:lower:]' >"$tmp/$found.lines"
    done
    [ $code -eq "$want" ] && [ -s "$tmp/found.lines" ] && cmp -s "$tmp/found.lines" "$tmp/found.here.lines"
    status=$?
    judge "doctor: $what, in the words of this system's" $status
    [ $status -eq 0 ] || { echo "    exit code $code" && diff "$tmp/found.here.lines" "$tmp/found.lines" | head -n 10; }
}
doctor_files() {
    finds "no key, and no directory" 3 'FAULT key .*svconn keygen'
    grep -q '^note directory .*AppData.*svconn: this is not there yet' "$tmp/lines"
    judge "doctor: the directory that is not there yet" $?
    timeout 60 $run cmd /c "set APPDATA=& $(in_wine "$dir/svconn.exe") doctor" >"$tmp/found" 2>&1 </dev/null
    [ $? -eq 3 ] && tr -s ' ' <"$tmp/found" | grep -q '^FAULT directory .*APPDATA is not set'
    judge "doctor: no APPDATA" $?
    mkdir -m 700 "$mine" && cp "$tmp/windows/key" "$mine/key" && chmod 600 "$mine/key"
    fingerprint=$("$build/svconn" id "$mine/key" | sed -n 's/^fingerprint: //p')
    finds_as_here "a key and nothing else" 0 "ok key .*fingerprint $fingerprint"
    finds "JSON" 0 '{"check":"key","state":"ok","text":"' --json
    printf -- '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n' >"$mine/key"
    finds "a key under a password" 3 'FAULT key .*encrypted with a password.*told how to change'
    cp "$tmp/windows/key" "$mine/key"
    chmod 644 "$mine/key"
    finds "a key that others can read" 3 'FAULT key .*do: icacls "C:.*svconn.key" /inheritance:r /grant:r ".*:F"$'
    chmod 600 "$mine/key"
    mkdir -m 700 "$tmp/ключ two"
    cp "$tmp/windows/key" "$tmp/ключ two/key" && chmod 666 "$tmp/ключ two/key"
    finds "the advice holds for a path with blanks and letters of others" 3 'FAULT key .*ключ two/key can be read.* do: icacls ".*/ключ two/key" /inh' --key "$tmp/ключ two/key"
    rm -r "$tmp/ключ two"
    chmod 777 "$mine"
    finds "a directory that others can change" 3 'FAULT directory .*can be changed by others'
    grep -q '^ next: icacls "C:.*svconn" /inheritance:r /grant:r ".*:(OI)(CI)F"$' "$tmp/lines"
    judge "doctor: rights for what is in the directory, too" $?
    chmod 700 "$mine"
    if [ "$(id -u)" -eq 0 ]; then
        chown 1 "$mine/key"
        finds "a key of somebody else" 3 'FAULT key .*belongs to somebody else.*takeown'
        chown 0 "$mine/key"
    fi
    for book in known_peers authorized_peers known_relays; do
        echo nonsense >"$mine/$book" && chmod 600 "$mine/$book"
        finds_as_here "$book is no such file" 3 "FAULT $book .*line 1"
        chmod 666 "$mine/$book"
        finds "$book can be changed by others" 3 "FAULT $book .*$book can be changed by others"
        rm "$mine/$book"
    done
    echo "bob $(printf '%064x' 10) seen" >"$mine/known_peers"
    echo "$(printf '%064x' 10) bob until=2020-01-01" >"$mine/authorized_peers"
    chmod 600 "$mine"/*_peers
    finds_as_here "a peer that is only seen, and one whose time is over" 0 'note known_peers 1 entry of which 1 only seen'
    rm "$mine"/*_peers
    finds "a key from a command" 0 "ok key type .*fingerprint $fingerprint" --key-command "type \"$(in_wine "$tmp/windows/key")\""
    finds "a key command that fails" 3 'FAULT key not for us --key-command: the command ended with exit status 7; try' --key-command 'echo not for us 1>&2& exit 7'
}
doctor_way() {
    finds_as_here "the relay, by its key" 0 'ok relay .*its key is the known one' --relay "$relay_key@$relay"
    finds_as_here "the relay, without its key" 0 'note relay .*not in known_relays' --relay "$relay"
    echo "$relay $relay_key" >"$mine/known_relays" && chmod 600 "$mine/known_relays"
    finds_as_here "the relay, from known_relays" 0 'ok relay' --relay "$relay"
    echo "$relay $windows_key" >"$mine/known_relays"
    finds_as_here "the relay has another key" 4 'FAULT relay .*ANOTHER KEY' --relay "$relay"
    rm "$mine/known_relays"
    finds "nobody listens there" 5 'FAULT relay .*connection refused' --relay 127.0.0.1:1
    finds_as_here "a proxy that is not there" 5 'FAULT relay .*127.0.0.1:1' --relay "$relay_key@$relay" --via socks5://127.0.0.1:1
    finds "the first fault counts" 5 'FAULT peer' --relay 127.0.0.1:1 nobody
    relayed="--relay $relay_key@$relay"
    finds_as_here "a peer that is not known" 4 'FAULT peer .*not in known_peers' $relayed bob
    timeout 60 $run "$dir/svconn.exe" peers trust bob "$system_key" 2>/dev/null
    finds_as_here "a peer that does not run" 5 'FAULT peer .*registered' $relayed bob
    called system serve $relayed --authorized "$tmp/doctor.authorized" --forward 127.0.0.1:1
    finds_as_here "a peer that does not let us in" 4 "FAULT peer .*peers trust NAME $windows_key" $relayed bob
    "$build/svconn" peers allow "$windows_key" --name alice --authorized "$tmp/doctor.authorized" 2>/dev/null
    finds_as_here "a peer that lets us in" 0 'ok peer it is there and lets us in, for .svconn forward.$' $relayed bob
    finds_as_here "a token is not used up" 0 'note peer .*good once' $relayed 7KQ3-M2XD
    finds_as_here "a peer whose key is not known" 0 'note peer something answers' $relayed "relay://$relay_key@$relay/$system_key"
    asked yes doctor --relay "$relay" bob # (wine makes cursor movements of blanks)
    [ $? -eq 4 ] && tr -d ' \r\n' <"$tmp/seen" | grep -q 'noterminaltoaskat' && [ ! -e "$mine/known_relays" ]
    status=$?
    judge "doctor: nobody is asked at the console" $status
    [ $status -eq 0 ] || show "$tmp/seen"
    stop_called
}
# Who ends doctor ends what it started
doctor_ends() {
    printf '#include <stdio.h>\n#include <windows.h>\nint main(void) { fclose(fopen("began", "w")); Sleep(4000); fclose(fopen("lived", "w")); return 0; }\n' >"$tmp/wait.c"
    $cc -o "$tmp/wait.exe" "$tmp/wait.c"
    (cd "$tmp" && exec $run "$dir/svconn.exe" doctor --key-command '.\wait.exe' >/dev/null 2>&1 </dev/null) &
    doctor=$!
    background="$background $doctor"
    i=0
    until [ -e "$tmp/began" ] || [ $i -eq 300 ]; do sleep 0.1; i=$((i + 1)); done
    kill "$doctor"
    sleep 6
    [ -e "$tmp/began" ] && [ ! -e "$tmp/lived" ]
    judge "doctor: who ends it ends what it waits for" $?
}
doctor_finds() {
    mine=$(echo "$WINEPREFIX"/drive_c/users/*/AppData/Roaming)/svconn
    rm -rf "$mine"
    doctor_files
    doctor_way
    doctor_ends
    rm -rf "$mine"
}

# ---- demo ----
# demos_alike NAME CODE OPTION...: both end with CODE and the same words, but for keys, digits, bytes that look random, and places
demos_alike() {
    what=$1 want=$2 codes=
    shift 2
    for s in system windows; do
        on $s demo "$@" <"$demo_input" >"$tmp/demo.out" 2>"$tmp/demo.err"
        codes="$codes $?"
        cat "$tmp/demo.out" "$tmp/demo.err" | tr -d '\r' >"$tmp/demo.$s.said"
        sed -E 's/[0-9]{5}( [0-9]{5}){3,5}/DIGITS/; s/( [0-9a-f]{2}){16}/ BYTES/' "$tmp/demo.$s.said" >"$tmp/demo.$s"
    done
    [ "$codes" = " $want $want" ] && [ -s "$tmp/demo.windows" ] && cmp -s "$tmp/demo.system" "$tmp/demo.windows"
    status=$?
    judge "demo: $what, as on this system" $status
    [ $status -eq 0 ] || { echo "    exit codes$codes" && diff "$tmp/demo.system" "$tmp/demo.windows" | head -n 10; }
}
demo_input=/dev/null
left_behind() { ls "$demo_tmp" | grep '^svconn-demo-'; }
demo_parts() { ps axww | grep -F "$(basename "$1")" | grep -vc grep; }
# Who ends the demo by force ends its processes, too
demo_ends() {
    $run "$dir/svconn.exe" demo --seconds 60 >"$tmp/said" 2>&1 </dev/null &
    demo=$!
    background="$background $demo"
    i=0 parts=0
    until [ $parts -ge 2 ] || [ $i -ge 300 ]; do
        sleep 0.1
        i=$((i + 1)) stays=$(left_behind)
        [ -z "$stays" ] || parts=$(demo_parts "$stays")
    done
    kill $demo
    wait $demo 2>/dev/null
    i=0
    until [ "$(demo_parts "$stays")" -eq 0 ] || [ $i -ge 50 ]; do sleep 0.1; i=$((i + 1)); done
    [ $parts -ge 2 ] && [ "$(demo_parts "$stays")" -eq 0 ]
    status=$?
    judge "demo: who ends it by force ends its processes" $status
    [ $status -eq 0 ] || ps axww | grep -F "$stays"
    # (what is made in it gets its list, but not by wine)
    [ "$stays" ] && [ -d "$demo_tmp/$stays" ] && [ -z "$(find "$demo_tmp/$stays" -maxdepth 0 -perm /o=rwx)" ]
    judge "demo: its directory is for us alone" $?
    rm -rf "$demo_tmp/$stays"
}
demo_tells() {
    demo_tmp=$($run cmd /c 'echo %TMP%' 2>/dev/null | tr -d '\r' | tr '\\' / | sed "s,^[Cc]:,$WINEPREFIX/drive_c,")
    rm -rf "${demo_tmp:?}"/svconn-demo-* # of a run that failed
    demos_alike "with nothing" 0 --seconds 80
    grep -q '^demo: everything is as it should be$' "$tmp/demo.windows.said" && [ "$(grep -c '^  ok ' "$tmp/demo.windows.said")" -eq 16 ]
    judge "demo: all that it checks is as it should be" $?
    demo_input=$tmp/called.in
    echo 'a short line' >"$demo_input"
    demos_alike "with an input" 0 --seconds 80
    demo_input=/dev/null
    demos_alike "--help" 0 --help
    demos_alike "a number that is too small" 2 --seconds 0
    demos_alike "two files" 2 one two
    demos_alike "a file that is not there" 3 "$tmp/no such file"
    sleep 3 | on windows demo --seconds 80 >"$tmp/said" 2>"$tmp/said.err"
    [ $? -eq 0 ] && grep -q 'sends a built-in text (200000 bytes)' "$tmp/said" && [ ! -s "$tmp/said.err" ]
    judge "demo: a pipe that stays silent is not meant for it" $?
    head -c 5000000 /dev/zero | on windows demo --seconds 80 >"$tmp/said" 2>"$tmp/said.err"
    [ $? -eq 0 ] && grep -q '(4194304 bytes, the most that the demo takes)' "$tmp/said"
    judge "demo: a pipe with more than it takes" $?
    mkdir -m 700 "$tmp/clé tmp"
    timeout 90 $run cmd /c "set TMP=$(in_wine "$tmp/clé tmp")& $(in_wine "$dir/svconn.exe") demo --seconds 80 $(in_wine "$tmp/back")" >"$tmp/said" 2>"$tmp/said.err" </dev/null
    [ $? -eq 0 ] && grep -qF 'back (2000001 bytes)' "$tmp/said" && [ -z "$(ls "$tmp/clé tmp")" ]
    status=$?
    judge "demo: a file; the temporary directory has blanks and letters of others in its name, and is empty again" $status
    [ $status -eq 0 ] || { show "$tmp/said" "$tmp/said.err"; ls "$tmp/clé tmp"; }
    timeout 60 $run cmd /c "set TMP=$(in_wine "$tmp/nowhere")& $(in_wine "$dir/svconn.exe") demo" >"$tmp/said" 2>&1 </dev/null
    [ $? -eq 3 ] && grep -q 'cannot make a temporary directory Z:.*nowhere.svconn-demo-.*No such file or directory; TMP may name another place' "$tmp/said"
    judge "demo: no place for temporary files" $?
    asked '^C' demo --seconds 60
    [ $? -eq 1 ] && tr -d ' \r\n' <"$tmp/seen" | grep -q 'demo:brokenoff'
    status=$?
    judge "demo: Ctrl-C ends it in order" $status
    [ $status -eq 0 ] || show "$tmp/seen"
    [ -d "$demo_tmp" ] && [ -z "$(left_behind)" ]
    judge "demo: nothing is left in the temporary directory" $?
    demo_ends
}

# The headers of the answer are read, whatever their case; both programs say the same
wrong_websocket() {
    cat >"$tmp/websocket.py" <<'END'
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nCONNECTION: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n')
    c.close()
END
    python3 "$tmp/websocket.py" >"$tmp/websocket.port" &
    background="$background $!"
    port=$(await 's/^\([0-9]*\)$/\1/p' "$tmp/websocket.port")
    for s in system windows; do
        on $s connect "ws://127.0.0.1:$port/" --peer "$windows_key" </dev/null >/dev/null 2>"$tmp/said.$s"
        eval "code_$s=$?"
    done
    [ "$code_system" -eq "$code_windows" ] && [ -s "$tmp/said.windows" ] && cmp -s "$tmp/said.system" "$tmp/said.windows"
    status=$?
    judge "ws:// with a wrong answer is refused in the same words" $status
    [ $status -eq 0 ] || show "$tmp/said.system" "$tmp/said.windows"
}

tool() {
    if ! command -v python3 >/dev/null; then
        echo "skip windows $name: a service and a person at the console are played by Python 3"
        return
    fi
    set_up_tool
    peers
    pipe_pair windows system
    pipe_pair system windows
    pipe_pair windows second
    half_closed windows system
    half_closed system windows
    wrong_keys windows system
    wrong_keys system windows
    nobody_there
    wrong_websocket
    files_and_ports
    relays
    unread
    services
    questions
    planted
    commands_of_users
    quotes
    handles
    doctor_finds
    demo_tells
}
