#!/bin/sh
# SPDX-License-Identifier: ISC
# svconn send and svconn receive, from outside: names of all kinds, kill -9 of either side until all is there, a full disk, a peer that
# stands still. Usage: sh tests/files.sh path/to/svconn. FILES_MB: size of the large tree; default 16.
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
HOME=$dir/home
export HOME
mkdir home in out
unset SVCONN_RELAY

check() { # NAME CONDITION...
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name" "$(echo "not true: $*"; tail -n 8 send.err receive.err 2>/dev/null)"; fi
}
trees_are_same() { diff -r --no-dereference "$1" "$2" >diff.txt 2>&1 || { head -n 5 diff.txt; return 1; }; }
no_parts() { [ -z "$(find out -name '*.svconn-part')" ]; }
says() { grep -qF -- "$1" "$2"; }

"$svconn" keygen -o a.pem >/dev/null && "$svconn" keygen -o b.pem >/dev/null || exit 1
a=$(key_of a.pem) b=$(key_of b.pem) at=tcp://127.0.0.1:0

# receive ARGUMENTS...: in the background, at the same address each time
receive() {
    : >receive.err
    "$svconn" receive "$at" --key a.pem --allow "$b" --into out "$@" >receive.out 2>receive.err </dev/null &
    receiver=$!
    started="$started $receiver"
    await 'listening on ' receive.err || { fail "receive: it starts" "$(cat receive.err)"; exit 1; }
    at=$(sed -n 's/^svconn: listening on //p' receive.err | head -n 1)
}
# sends CODE ARGUMENTS...: ends with that exit code
sends() {
    want=$1
    shift
    timeout 100 "$svconn" send "$at" --peer "$a" --key b.pem "$@" >send.out 2>send.err </dev/null
    got=$?
    [ $got -eq "$want" ] || echo "  exit code $got instead of $want: svconn send $*"
    [ $got -eq "$want" ]
}
end_of_receiver() { wait "$receiver" 2>/dev/null; }
stop_receiver() {
    kill "$receiver" 2>/dev/null
    end_of_receiver
}

# ---- a tree ----
mkdir -p in/tree/deep/er/est in/tree/empty
printf 'one\n' >in/tree/one
: >in/tree/nothing
head -c 300000 /dev/urandom >"in/tree/deep/with spaces and 'quotes' \$(x) \\ *"
head -c 70000 /dev/urandom >in/tree/deep/er/-rf
printf 'x' >in/tree/deep/er/est/.hidden
ln -s ../one in/tree/deep/link
ln -s missing in/tree/dangling
truncate -s 20000000 in/tree/hole 2>/dev/null || : >in/tree/hole
chmod 4755 in/tree/one
chmod 400 in/tree/deep/er/-rf
touch -d '2001-02-03 04:05:06' in/tree/one 2>/dev/null
receive
check "send: a tree" sends 0 in/tree
end_of_receiver
check "receive: without --keep it ends with the sender, code 0" [ $? -eq 0 ]
check "send: the same tree is there" trees_are_same in/tree out/tree
check "receive: no setuid, no rights beyond the umask" [ "$(find out/tree/one -perm 700) $(find out/tree/deep/er/-rf -perm 400)" = "out/tree/one out/tree/deep/er/-rf" ]
check "send: times" [ -z "$(find out/tree/one -newer in/tree/one)$(find in/tree/one -newer out/tree/one)" ]
check "receive: a hole stays one" [ "$(du -k out/tree/hole | cut -f 1)" -lt 1000 ]
check "send: no progress where no terminal is" [ "$(tr -d '\n' <send.err | tr -c '[:print:]' '#' | grep -c '#')" -eq 0 ]
check "send: one line tells the end" says "6 of 6 files are there" send.err
check "receive: the same count in the offer" says "offers tree: 6 files, 20.4 MB" receive.err
check "receive: and at the end" says "received: 6 files stored, 20.4 MB came" receive.err
check "send: nothing on standard output" [ ! -s send.out ]

receive --list
printf 'changed\n' >in/tree/one
mkfifo in/tree/fifo
check "send: again, with a changed file: code 6" sends 6 in/tree --json
end_of_receiver
check "receive: code 6 too" [ $? -eq 6 ]
check "receive: what is there is kept" [ "$(cat out/tree/one)" = one ]
check "send: and says so" says "something with this name is there already" send.err
check "send: a pipe is left out" says "tree/fifo was not sent: it is no file" send.err
check "send --json: a line for each" grep -qx '{"file":"tree/one","result":"refused","bytes":8,"text":"something with this name is there already"}' send.out
check "send --json: the end" grep -q '"done":false.*"refused":1,"failed":1.*"exit":6' send.out
rm in/tree/fifo
receive --overwrite --list
check "receive --overwrite" sends 0 in/tree
end_of_receiver
check "receive --overwrite: it is the new one" trees_are_same in/tree out/tree
check "receive --list" [ "$(cat receive.out)" = tree/one ]
rm -rf out/tree

printf 'evil' >"in/$(printf 'a\033[31m\nb')"
printf 'evil' >in/.profile
receive
check "send: names with control bytes" sends 0 in/a* in/.profile
end_of_receiver
check "receive: they are harmless" [ "$(cd out && echo * | tr ' ' '\n' | tr '\n' ' ')" = "_.profile a%1B[31m%0Ab " ]
check "receive: nor do they paint the terminal" [ "$(cat send.err receive.err | grep -c "$(printf '\033')")" -eq 0 ]
check "receive: the dot that is gone is told" says "began with a dot" receive.err
rm -rf out/* in/a* in/.profile out/.[a-z]*

printf 'x' >in/single
receive --keep
check "send --json: one file" sends 0 in/single in/tree/dangling in/tree/empty --json
check "send: 1 of 1 file is there" says "1 of 1 file is there" send.err
check "send --json: links and directories are no files" grep -q '"done":true,"stopped":false,"files":1,"stored":1,"same":0,' send.out
check "send --json: a line for each, by its kind" [ "$(cut -d : -f 1 send.out | sort | tr -d '\n')" = '{"directory"{"done"{"file"{"link"' ]
check "send: again" sends 0 in/single
check "send: no speed of nothing" says "1 of 1 file is there, 0 bytes sent" send.err
check "send: no speed of nothing, really" [ "$(grep -c '/s' send.err)" -eq 0 ]
stop_receiver
check "receive: 1 file" says "received: 1 file stored, 1 byte came" receive.err
check "receive: 1 was there" says "received: 0 files stored, 1 was there, 0 bytes came" receive.err
rm -rf out/* in/single

# ---- told to stop ----
has_part() { [ -s out/.huge.svconn-part ]; }
# stopped SIGNAL ARGUMENTS...: send is told to stop while bytes go
stopped() {
    signal=$1
    shift
    "$svconn" send "$at" --peer "$a" --key b.pem in/huge "$@" >send.out 2>send.err </dev/null &
    sender=$!
    started="$started $sender"
    tries=0
    until has_part || [ $tries -gt 500 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    kill "-$signal" $sender
    wait $sender
    [ $? -eq 1 ]
}
stop_line="svconn: stopped; the same command goes on where it was"
printf x >in/huge # the rest is a hole, which is nothing in a part
if truncate -s 6000000000 in/huge 2>/dev/null; then
    for signal in INT TERM HUP; do
        rm -f out/.huge*
        receive
        check "SIG$signal: send ends with code 1" stopped $signal --json
        check "SIG$signal: one line says so" [ "$(cat send.err)" = "$stop_line" ]
        check "SIG$signal: and the last line of --json" [ "$(grep -c '"done":false,"stopped":true,.*"exit":1}$' send.out)$(wc -l <send.out)" = 11 ]
        end_of_receiver
        check "SIG$signal: receive ends with code 1" [ $? -eq 1 ]
        check "SIG$signal: the session was closed in order" [ "$(grep -c 'broken off' receive.err)$(grep -c 'svconn: .*abort' receive.err)" = 10 ]
        check "SIG$signal: what came is kept" has_part
    done
    rm -f in/huge out/.huge*
fi
if command -v python3 >/dev/null; then
    receive --keep
    head -c 3000000 /dev/urandom >"in/a file with a name that is longer than a terminal is wide, which was a fault"
    python3 - "$svconn" send "$at" --peer "$a" --key b.pem in/a* >/dev/null 2>send.err <<'END'
import fcntl, os, pty, re, struct, sys, termios
for columns in 40, 80:
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execv(sys.argv[1], sys.argv[1:])
    seen = b""
    try:
        while more := os.read(fd, 65536):
            seen += more
    except OSError:
        pass
    lines = [len(x) for x in re.split(rb"[\r\n]", seen) if not x.startswith(b"svconn:")]
    if os.waitpid(pid, 0)[1] or max(lines) != columns - 1:
        sys.exit("columns %d: %r" % (columns, seen))
END
    check "progress: as wide as the terminal, 40 and 80 columns" [ $? -eq 0 ]
    stop_receiver
    rm -f in/a* out/a*
fi
receive
kill -STOP "$receiver"
"$svconn" send "$at" --peer "$a" --key b.pem in/tree --json >send.out 2>send.err </dev/null &
sender=$!
sleep 0.5
kill $sender
wait $sender
check "SIGTERM while it dials: code 1" [ $? -eq 1 ]
check "SIGTERM while it dials: one line says so" [ "$(cat send.err)" = "$stop_line" ]
check "SIGTERM while it dials: --json too" grep -q '^{"done":false,"stopped":true,' send.out
kill -CONT "$receiver"
stop_receiver
at=tcp://127.0.0.1:0

# ---- what cannot be ----
check "send: a file that is not there" sends 3 in/missing
check "send: says which" says "in/missing" send.err
check "send: no standard input" sends 2 -
check "send: / has no name" sends 3 /
at=tcp://127.0.0.1:1
check "send: nobody there: at once, code 5" sends 5 in/tree
at=tcp://127.0.0.1:0

# ---- limits and disks ----
receive --max-bytes 100000
check "receive --max-bytes: code 6" sends 6 in/tree
end_of_receiver
check "receive --max-bytes: says so" says "more than is taken here" send.err
rm -rf out/tree
(
    ulimit -f 200 # blocks of 512 bytes, or of 1024
    receive
    echo "$receiver $at" >limited
    wait "$receiver"
) &
started="$started $!"
while [ ! -s limited ]; do sleep 0.05; done
read -r receiver at <limited
rm -f in/tree/hole
check "receive: a file size limit: code 6, and it goes on with the others" sends 6 in/tree
check "send: names the file" says "larger than a file may be there" send.err
wait
receive
check "send: what was missing" sends 0 in/tree
end_of_receiver
check "send: all is there" trees_are_same in/tree out/tree
check "receive: no part is left" no_parts
small=
if mkdir small && mount -t tmpfs -o size=2m none small 2>/dev/null; then
    small=1
    head -c 3000000 /dev/urandom >in/three
    : >receive.err # else the line of the one before is found
    "$svconn" receive "$at" --key a.pem --allow "$b" --into small >receive.out 2>receive.err </dev/null &
    receiver=$!
    started="$started $receiver"
    await 'listening on ' receive.err
    check "receive: a full disk: code 6" sends 6 in/three in/tree
    check "send: a sentence about the full disk" says "the disk is full there, so the rest was not sent" send.err
    check "receive: the part is kept" [ -s small/.three.svconn-part ]
    end_of_receiver
    umount small
    rm -f in/three
fi
[ "$small" ] || echo "skip a full disk: no tmpfs can be mounted here"

# ---- kill -9, at any time, until all is there ----
rm -rf out/*
mb=${FILES_MB:-16}
mkdir in/large
for i in 1 2 3 4 5 6 7 8; do head -c $((mb * 60000)) /dev/urandom >in/large/part$i; done
head -c $((mb * 500000)) /dev/urandom >in/large/half
mkdir in/large/small
i=0
while [ $i -lt 400 ]; do
    echo "$i" >in/large/small/$i
    i=$((i + 1))
done
receive --keep
kills=0 code=1
while [ $kills -lt 12 ]; do
    "$svconn" send "$at" --peer "$a" --key b.pem in/large --retry 0 >send.out 2>send.err </dev/null &
    sender=$!
    sleep "0.$(awk -v s="$kills$$" 'BEGIN { srand(s); printf "%02d", 3 + int(rand() * 40) }')"
    if [ $((kills % 2)) -eq 0 ]; then victim=$sender; else victim=$receiver; fi
    kill -9 "$victim" 2>/dev/null
    wait "$sender" 2>/dev/null
    code=$?
    if [ "$victim" = "$receiver" ]; then
        wait "$receiver" 2>/dev/null
        receive --keep
    fi
    kills=$((kills + 1))
    [ $code -eq 0 ] && rm -rf out/large # it was faster; again
done
check "kill -9 of either side, twelve times; then it goes through" sends 0 in/large
check "kill -9: all is there" trees_are_same in/large out/large
check "kill -9: no part is left" no_parts
rm -rf out/large

truncate -s 3000000000 in/hollow 2>/dev/null && {
    "$svconn" send "$at" --peer "$a" --key b.pem in/hollow --retry 0 >send.out 2>send.err </dev/null &
    sender=$!
    sleep 1
    kill -9 $sender
    wait $sender 2>/dev/null
    sleep 0.2
    check "kill -9 in a long hole: what came of it counts" [ "$(find out -name '.hollow.svconn-part' -size +3000)" ]
    rm -f in/hollow out/.hollow.svconn-part
}
for signal in INT TERM; do
    "$svconn" send "$at" --peer "$a" --key b.pem in/large >send.out 2>send.err </dev/null &
    sender=$!
    sleep 0.1
    kill -STOP "$receiver"
    kill -$signal $sender # (a shell without job control ignores SIGINT for what runs in the background; the handler is set all the same)
    sleep 0.2
    kill -CONT "$receiver"
    wait $sender
    check "SIG$signal: not all is there, and the exit code says so" [ $? -eq 1 ]
    check "SIG$signal: and a sentence" says "the same command goes on" send.err
    rm -rf out/large
done

# the sender comes back by itself
"$svconn" send "$at" --peer "$a" --key b.pem in/large >send.out 2>send.err </dev/null &
sender=$!
started="$started $sender"
i=0 # who is lost before the first session is there is not called again
while [ ! -e out/.large.svconn-part ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i + 1)); done
kill -9 "$receiver"
wait "$receiver" 2>/dev/null
receive --keep
wait $sender
check "send: comes back by itself when the receiver was killed" [ $? -eq 0 ]
check "send: and everything is there" trees_are_same in/large out/large
rm -rf out/large
"$svconn" send "$at" --peer "$a" --key b.pem in/large >send.out 2>send.err </dev/null &
sender=$!
started="$started $sender"
sleep 0.1
kill -STOP "$receiver"
sleep 1
kill -CONT "$receiver"
sleep 0.05
kill -STOP "$sender"
sleep 1
kill -CONT "$sender"
wait $sender
check "SIGSTOP of either side for a second" [ $? -eq 0 ]
check "SIGSTOP: everything is there" trees_are_same in/large out/large
rm -rf out/large
"$svconn" send "$at" --peer "$a" --key b.pem in/large >send1.out 2>send1.err </dev/null &
sender=$!
sends 0 in/large >/dev/null # or 6: some were just coming from the other one
wait $sender
check "two senders of the same at once: once more, and all is well" sends 0 in/large
check "two senders: what is there is right" trees_are_same in/large out/large
stop_receiver
check "receive: no part is left at the end" no_parts
exit $failed
