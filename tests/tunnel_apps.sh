#!/bin/sh
# SPDX-License-Identifier: ISC
# Real programs by way of svconn serve, forward, listen and connect, across a relay of ours. Usage: sh tests/tunnel_apps.sh path/to/svconn path/to/ends [PART...]
#
# The parts: vnc rsync git postgres nginx ssh ends blocked stopped cut. What is not installed is skipped, and said. Everything happens on loopback
# and in a temporary directory.
set -u
[ $# -ge 2 ] && [ -x "$1" ] && [ -x "$2" ] || { echo "usage: sh $0 path/to/svconn path/to/ends [PART...]" >&2; exit 2; }
ends=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
program=$1
shift 2
parts=${*:-vnc rsync git postgres nginx ssh ends blocked stopped cut}
for bin in /usr/lib/postgresql/*/bin; do [ ! -d "$bin" ] || PATH=$PATH:$bin; done
suite=tunnel
set -- "$program"
. "$(dirname "$0")/servers.sh"
stop_postgres() { # else it would leave shared memory
    [ ! -s pg/data/postmaster.pid ] || kill -INT "$(head -n 1 pg/data/postmaster.pid)"
}
trap 'stop_postgres; finish' EXIT

check() { # NAME CONDITION...
    name=$1
    shift
    if "$@"; then pass "tunnel: $name"
    else fail "tunnel: $name" "$(tail -n 3 far.log near.log relay.log "${log:-/dev/null}" 2>/dev/null)"; fi
}
is_there() { [ -s "$1" ]; }

# ---- us: near, far, and a relay between them ----
be() { # WHO: with the files of WHO, and nobody else's
    export HOME="$dir/$1" XDG_CONFIG_HOME="$dir/$1/config" XDG_STATE_HOME="$dir/$1/state" XDG_DATA_HOME="$dir/$1/data" XDG_RUNTIME_DIR="$dir/$1/run"
}
as() { # WHO PROGRAM...
    (
        be "$1"
        shift
        exec "$@"
    )
}
make_key() { # WHO: the key to $key
    mkdir -p "$1/run" "$1/config/svconn" && "$svconn" keygen -o "$1/config/svconn/key" >"$1.pub" 2>&1 || { echo "FAIL tunnel: keygen: $(cat "$1.pub")"; exit 1; }
    key=$(sed -n 's/^public key: //p' "$1.pub")
}
run_relay() { # is also what a killed one is started by again
    : >relay.log # now: the words of the one before must not be taken for its own
    "$svconn" relay "tcp://127.0.0.1:$relay_port" --key relay.key --source-new 100000 --source-open 1000 --source-joined 1000 2>relay.log </dev/null &
    relay_pid=$!
    started="$started $relay_pid"
    await 'parties use ' relay.log
}
run_serve() { # what it serves is in $targets
    : >far.log
    # shellcheck disable=SC2086
    (be far && exec "$svconn" serve --relay "$relay" --allow "$near" $targets) >/dev/null 2>far.log </dev/null &
    far_pid=$!
    started="$started $far_pid"
    await 'listening on ' far.log
}
serve_also() { # NAME=TARGET: serve is started again with one more
    targets="$targets --forward $1"
    [ -z "$far_pid" ] || { kill "$far_pid" && until_true 30 has_ended "$far_pid"; }
    run_serve || fail "tunnel: serve" "$(tail -n 5 far.log)"
}
forward() { # [LISTEN=]TARGET...: for one test; the port of the first to $entry, the process to $tunnel
    near_log=near.$((near_logs = near_logs + 1)).log
    (be near && exec "$svconn" forward --relay "$relay" "$far" "$@") >/dev/null 2>$near_log </dev/null &
    tunnel=$!
    started="$started $tunnel"
    ln -sf $near_log near.log
    await 'forwarding ' $near_log || { fail "tunnel: forward $*" "$(cat $near_log)"; return 1; }
    entry=$(sed -n 's/^svconn: forwarding 127\.0\.0\.1:\([0-9]*\) to .*/\1/p' $near_log | head -n 1)
}
hang_up() { # ends what forward began
    kill "$tunnel"
    check "$1: forward ends when it is told to" until_true 20 has_ended "$tunnel"
    stop "$tunnel"
}
near_logs=0 far_pid='' targets='' log=''
make_key near && near=$key
make_key far && far=$key
"$svconn" keygen -o relay.key >relay.pub || exit 1
free_port
relay_port=$port
run_relay || { echo "FAIL tunnel: relay: $(cat relay.log)"; exit 1; }
relay=$(sed -n 's/^public key: //p' relay.pub)@127.0.0.1:$relay_port
head -c 60000000 /dev/urandom >large
if ! "$svconn" serve --help >/dev/null 2>&1 || ! "$svconn" forward --help >/dev/null 2>&1; then
    echo "FAIL tunnel: svconn has no serve or no forward"
    exit 1
fi

# ---- VNC ----
start_screen() { # NAME PROGRAM OPTIONS...: an X server; its display to $screen
    name=$1
    shift
    rm -f "$name.display"
    "$@" -displayfd 3 3>"$name.display" >"$name.log" 2>&1 </dev/null &
    started="$started $!"
    until_true 30 is_there "$name.display" || { fail "tunnel: VNC: $name" "$(tail -n 5 "$name.log")"; return 1; }
    screen=:$(cat "$name.display")
}
photograph() { import -display "$1" -window "$2" "$3" 2>/dev/null; } # SCREEN WINDOW FILE
looks_the_same() { # the viewer's window, and what the server shows
    window=$(DISPLAY=$near_screen xdotool search --name TigerVNC 2>/dev/null | tail -n 1)
    [ "$window" ] && photograph "$far_screen" root far.png && photograph "$near_screen" "$window" near.png &&
        [ "$(compare -metric AE far.png near.png null: 2>&1)" = 0 ]
}
is_pointed_at() { xdotool getmouselocation 2>/dev/null | grep -q "x:$1 y:$2 "; }
pointer_is_at() { DISPLAY=$far_screen is_pointed_at "$1" "$2"; }
part_vnc() {
    have VNC Xtigervnc tigervnc-standalone-server && have VNC xtigervncviewer tigervnc-viewer && have VNC Xvfb xvfb || return
    have VNC import imagemagick && have VNC display imagemagick && have VNC xdotool xdotool || return
    free_port
    vnc_port=$port
    start_screen "VNC server" Xtigervnc -rfbport $vnc_port -SecurityTypes None -localhost -geometry 640x480 -depth 24 || return
    far_screen=$screen
    start_screen "screen of the viewer" Xvfb -screen 0 800x600x24 -nolisten tcp || return
    near_screen=$screen
    convert -seed 7 -size 640x480 plasma:fractal picture.png
    display -display "$far_screen" -window root picture.png 2>display.log
    photograph "$far_screen" root far.png
    check "VNC: there is a picture" [ "$(identify -format %k far.png)" -gt 1000 ]
    # A relay of its own, which keeps what it sees
    free_port
    "$svconn" relay "tcp://127.0.0.1:$port" --key relay.key --capture seen 2>vnc_relay.log </dev/null &
    vnc_relay=$!
    started="$started $vnc_relay"
    await 'parties use ' vnc_relay.log
    (be far && exec "$svconn" serve --relay "${relay%:*}:$port" --allow "$near" --forward "vnc=127.0.0.1:$vnc_port") >/dev/null 2>vnc_far.log </dev/null &
    vnc_far=$!
    started="$started $vnc_far"
    await 'listening on ' vnc_far.log
    main_relay=$relay relay=${relay%:*}:$port log=vnc_far.log
    if forward 0=vnc; then
        xtigervncviewer -display "$near_screen" -AutoSelect=0 -PreferredEncoding=ZRLE -NoJPEG=1 -FullColor=1 -RemoteResize=0 -AlertOnFatalError=0 \
            "127.0.0.1::$entry" >viewer.log 2>&1 </dev/null &
        viewer=$!
        started="$started $viewer"
        check "VNC: the viewer shows the screen of the server, every pixel" until_true 60 looks_the_same
        DISPLAY=$near_screen xdotool mousemove --window "$window" 123 45 click 1
        check "VNC: the server follows the mouse of the viewer" until_true 20 pointer_is_at 123 45
        convert picture.png -flip flipped.png
        display -display "$far_screen" -window root flipped.png 2>display.log
        check "VNC: and shows it when it has changed" until_true 30 looks_the_same
        stop $viewer
        head -c 1 large | socat -t 2 - "TCP:127.0.0.1:$vnc_port" | head -c 7 >direct
        check "VNC: the protocol begins with RFB 003" grep -q 'RFB 003' direct
        cat seen.* >seen
        check "VNC: the relay saw many bytes" [ "$(wc -c <seen)" -gt 100000 ]
        if grep -aq 'RFB 003' seen; then fail "tunnel: VNC: the relay saw nothing of the protocol" "it saw RFB 003"
        else pass "tunnel: VNC: the relay saw nothing of the protocol"; fi
        hang_up VNC
    fi
    relay=$main_relay log=
    stop $vnc_far && stop $vnc_relay
}

# ---- rsync and git, by way of listen --exec and connect ----
listen_as() { # WHO COMMAND: stays at the relay under a key of its own, which goes to $key
    make_key "$1"
    (be "$1" && exec "$svconn" listen --relay "$relay" --keep --allow "$near" --exec "$2") >/dev/null 2>"$1.log" </dev/null &
    listener=$!
    started="$started $listener"
    await 'listening on ' "$1.log" || { fail "tunnel: listen --exec '$2'" "$(cat "$1.log")"; return 1; }
}
make_tree() { # DIRECTORY
    mkdir -p "$1/a/b" "$1/empty"
    head -c 20000000 large >"$1/large"
    : >"$1/a/nothing"
    ln -s ../large "$1/a/link"
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do tail -c $((i * i * i * 100)) large >"$1/a/b/file $i"; done
}
is_same_tree() { diff -r --no-dereference "$1" "$2" >diff.log 2>&1; }
part_rsync() {
    have rsync rsync rsync || return
    make_tree tree
    mkdir -p module
    cp -a tree/. module
    cat >rsyncd.conf <<X
use chroot = no
munge symlinks = no
[files]
path = $dir/module
read only = no
X
    [ "$(id -u)" -ne 0 ] || sed -i '1i uid = root\ngid = root' rsyncd.conf
    # (as the help has it: would its standard input be no socket, it would wait for connections at a port)
    listen_as rsync_far "rsync --daemon --config='$dir/rsyncd.conf'" || return
    log=rsync_far.log
    connect="$svconn connect --relay $relay $key"
    as near env RSYNC_CONNECT_PROG="$connect" timeout 60 rsync -a rsync://far/files/ pulled/ 2>rsync.log
    check "rsync: a tree from there" is_same_tree tree pulled
    rm -rf tree/a/b && mv tree/large tree/a/moved && echo new >tree/new
    as near env RSYNC_CONNECT_PROG="$connect" timeout 60 rsync -a --delete tree/ rsync://far/files/ 2>>rsync.log
    check "rsync: and a changed one to there" is_same_tree tree module
    stop $listener
    log=
}
part_git() {
    have git git git || return
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ALLOW_PROTOCOL=ext:git:file GIT_TERMINAL_PROMPT=0
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
    mkdir -p repositories
    git init -q --bare repositories/it.git
    git init -q origin && head -c 5000000 large >origin/file && git -C origin add file && git -C origin commit -qm first
    git -C origin push -q "$dir/repositories/it.git" HEAD:refs/heads/main
    git -C repositories/it.git symbolic-ref HEAD refs/heads/main
    listen_as git_far "exec git daemon --inetd --export-all --enable=receive-pack --base-path='$dir/repositories' '$dir/repositories'" || return
    log=git_far.log
    as near timeout 60 git clone -q "ext::$svconn connect --relay $relay $key %G/it.git" cloned 2>git.log
    check "git: clone" same origin/file cloned/file
    tail -c 5000000 large >cloned/file && git -C cloned commit -qam second
    printf '#!/bin/sh\nexec "%s" connect --relay %s %s\n' "$svconn" "$relay" "$key" >proxy && chmod +x proxy
    as near env GIT_PROXY_COMMAND="$dir/proxy" timeout 60 git -C cloned push -q git://far/it.git HEAD:refs/heads/main 2>>git.log
    check "git: push, by GIT_PROXY_COMMAND" [ "$(git -C repositories/it.git rev-parse main)" = "$(git -C cloned rev-parse HEAD)" ]
    check "git: what was pushed is whole" git -C repositories/it.git fsck --strict
    stop $listener
    log=
}

# ---- PostgreSQL, from TCP to a UNIX socket and from a UNIX socket to TCP ----
run_postgres() { exec $as_postgres postgres -D pg/data -k "$dir/pg" -h 127.0.0.1 -p "$port" -F; }
sum_of() { psql -X -q -U postgres -d postgres "$@" -c "copy (select i, repeat(md5(i::text), 20) from generate_series(1, 20000) i) to stdout" 2>>psql.log | cksum; }
part_postgres() {
    have PostgreSQL initdb postgresql && have PostgreSQL psql postgresql-client && have PostgreSQL pgbench postgresql || return
    as_postgres=
    mkdir -p pg near_pg
    if [ "$(id -u)" -eq 0 ]; then # it does not run as root
        have PostgreSQL runuser util-linux && id postgres >/dev/null 2>&1 || return
        as_postgres="runuser -u postgres --" && chown postgres pg
    fi
    $as_postgres initdb -D pg/data -A trust -U postgres -N >initdb.log 2>&1 || { fail "tunnel: PostgreSQL: initdb" "$(tail -n 5 initdb.log)"; return; }
    start PostgreSQL run_postgres || return
    postgres=$server postgres_port=$port
    until_true 30 psql -X -q -h 127.0.0.1 -p $postgres_port -U postgres -c 'select 1' >/dev/null 2>&1
    serve_also "pg-unix=unix:$dir/pg/.s.PGSQL.$postgres_port"
    serve_also "pg-tcp=127.0.0.1:$postgres_port"
    log=psql.log
    if forward 0=pg-unix "unix:$dir/near_pg/.s.PGSQL.5432=pg-tcp"; then
        until_true 20 [ -S near_pg/.s.PGSQL.5432 ]
        direct=$(sum_of -h 127.0.0.1 -p $postgres_port)
        check "PostgreSQL: psql to a UNIX socket, 13 MB" [ "$direct" = "$(sum_of -h 127.0.0.1 -p "$entry")" ]
        check "PostgreSQL: psql from a UNIX socket, 13 MB" [ "$direct" = "$(sum_of -h "$dir/near_pg")" ]
        timeout 60 pgbench -q -i -s 1 -n -h 127.0.0.1 -p "$entry" -U postgres postgres >pgbench.log 2>&1
        timeout 60 pgbench -n -c 10 -j 2 -t 50 -h 127.0.0.1 -p "$entry" -U postgres postgres >>pgbench.log 2>&1
        check "PostgreSQL: pgbench, 10 clients at once" grep -q 'actually processed: 500/500' pgbench.log
        timeout 60 pgbench -n -C -c 10 -t 10 -S -h "$dir/near_pg" -U postgres postgres >pgbench2.log 2>&1
        check "PostgreSQL: pgbench, a connection for each of 100 transactions" grep -q 'actually processed: 100/100' pgbench2.log
        hang_up PostgreSQL
    fi
    stop_postgres
    wait $postgres
    log=
}

# ---- nginx ----
run_nginx() {
    cat >nginx.conf <<X
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log stderr;
events { worker_connections 2000; }
http {
    access_log off;
    client_body_temp_path $dir/nginx_body; proxy_temp_path $dir/nginx_1; fastcgi_temp_path $dir/nginx_2; uwsgi_temp_path $dir/nginx_3; scgi_temp_path $dir/nginx_4;
    server { listen 127.0.0.1:$port backlog=2000; root $dir/www; }
}
X
    exec nginx -p "$dir" -e stderr -c "$dir/nginx.conf"
}
part_nginx() {
    have nginx nginx nginx-light && have nginx curl curl || return
    mkdir -p www/many got
    cp large www/large
    i=1
    while [ $i -le 1000 ]; do
        echo "this is $i"
        i=$((i + 1))
    done | (cd www/many && split -l 1 -a 3 -d --additional-suffix=.txt - '')
    for f in www/many/?00.txt; do head -c 300000 large >>"$f"; done
    start nginx run_nginx || return
    nginx=$server
    serve_also "web=127.0.0.1:$port"
    log=curl.log
    if forward 0=web; then
        timeout 120 curl -sS -Z --parallel-max 100 -H 'Connection: close' "http://127.0.0.1:$entry/many/[000-999].txt" -o 'got/#1.txt' 2>curl.log
        check "nginx: 1,000 requests, 100 at once, each with its answer" is_same_tree www/many got
        timeout 60 curl -sS "http://127.0.0.1:$entry/large" -o got_large 2>>curl.log
        check "nginx: 60 MB" same large got_large
        hang_up nginx
    fi
    stop $nginx
    log=
}

# ---- ssh ----
part_ssh() {
    have ssh ssh openssh-client && have ssh sshd openssh-server || return
    start_sshd ssh || return
    sshd=$server ssh_port=$port
    echo "far $(cut -d ' ' -f 1,2 host_key.pub)" >known_hosts
    set -- -F none -i "$dir/user_key" -o IdentityAgent=none -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o HostKeyAlias=far \
        -o "UserKnownHostsFile=$dir/known_hosts" -o LogLevel=ERROR -o BatchMode=yes
    if ! ssh "$@" -p $ssh_port "$(id -un)@127.0.0.1" true 2>ssh.log </dev/null; then
        echo "skip tunnel: ssh: sshd does not let the user $(id -un) in; is the account locked?"
        stop $sshd
        return
    fi
    serve_also "ssh=127.0.0.1:$ssh_port"
    log=ssh.log
    as near timeout 60 ssh "$@" -o "ProxyCommand=$svconn forward --quiet --relay $relay $far -=ssh" "$(id -un)@far" 'cat; exit 7' <large >ssh_out 2>ssh.log
    check "ssh by ProxyCommand: the exit code of the command there" [ $? -eq 7 ]
    check "ssh by ProxyCommand: 60 MB there and back" same large ssh_out
    stop $sshd
    log=
}

# ---- connections that end in all the ways there are ----
start_ends() {
    "$ends" serve >ends.log 2>ends.err </dev/null &
    ends_pid=$!
    started="$started $ends_pid"
    await 'listening on ' ends.log
    serve_also "ends=127.0.0.1:$(sed -n 's/^listening on //p' ends.log)"
}
calls() { # WHAT [BYTES [FILE]]: its last words to $said
    timeout 100 "$ends" call "$entry" "$@" >call.log 2>call.err
    code=$?
    said=$(tail -n 1 call.log)
    [ $code -eq 0 ]
}
part_ends() {
    log=call.err
    forward 0=ends || return
    for n in 0 1 100000 20000000; do
        check "half-close: $n bytes, our end, then the answer" calls c $n
        check "half-close: $n bytes from there, their end, then as many to there" calls s $n
        check "half-close: and they came" until_true 20 grep -q "^got $n behind our end" ends.log
    done
    check "20 MB there and back at once" calls e 20000000
    calls r
    check "a reset there is a reset here" [ "$said" = reset ]
    before=$(grep -c '^reset' ends.log)
    calls R
    check "a reset here is a reset there" until_true 20 has_more '^reset' ends.log "$before"
    # Nobody listens at the target
    free_port
    serve_also "nobody=127.0.0.1:$port"
    forward_before=$tunnel
    if forward 0=nobody; then
        socat -u "TCP:127.0.0.1:$entry" - >nobody.out 2>nobody.err
        check "a target that is not there: the connection ends at once" [ ! -s nobody.out ]
        hang_up "a target that is not there"
    fi
    tunnel=$forward_before
    hang_up half-close
    log=
}
has_more() { [ "$(grep -c "$1" "$2")" -gt "$3" ]; }
memory_of() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }

# ---- back-pressure: who does not read stops the one who sends to him, and nobody else ----
part_blocked() {
    log=call.err
    forward 0=ends || return
    "$ends" call "$entry" l 200000000 "$dir/go" >late_up.log 2>late_up.err &
    late_up=$!
    "$ends" call "$entry" L 100000000 "$dir/go" >late_down.log 2>late_down.err &
    late_down=$!
    started="$started $late_up $late_down"
    check "a server that does not read: who sends to it has to wait" await 'blocked after' late_up.log
    check "meanwhile another connection: 20 MB there and back" calls e 20000000
    check "meanwhile a new one: half-close" calls c 1000
    far_memory=$(memory_of $far_pid) near_memory=$(memory_of $tunnel)
    check "what is not read is not kept: serve took $far_memory kB" [ "$far_memory" -lt 65536 ]
    check "what is not read is not kept: forward took $near_memory kB" [ "$near_memory" -lt 65536 ]
    : >go
    wait $late_up
    check "then it reads, and gets all 200 MB" grep -q '^fine' late_up.log
    wait $late_down
    check "a caller that reads late gets all 100 MB" grep -q '^fine' late_down.log
    rm go
    hang_up back-pressure
    log=
}

# ---- a side that stands still for a while ----
part_stopped() {
    log=call.err
    forward 0=ends || return
    for victim in forward serve relay; do
        case $victim in forward) pid=$tunnel ;; serve) pid=$far_pid ;; relay) pid=$relay_pid ;; esac
        "$ends" call "$entry" e 300000000 >stopped.log 2>stopped.err &
        caller=$!
        started="$started $caller"
        sleep 0.3
        kill -STOP "$pid"
        sleep 5
        check "$victim stands still for 5 s: so does the connection" [ ! -s stopped.log ]
        kill -CONT "$pid"
        wait $caller
        check "$victim stands still for 5 s: nothing is lost" grep -q '^fine' stopped.log
    done
    hang_up "a stop"
    log=
}

# ---- what is between is killed, and comes back ----
works_again() { calls e 100000; }
open_idle() {
    : >idle.log # now: the words of the one before must not be taken for its own
    "$ends" call "$entry" i >idle.log 2>idle.err &
    idle=$!
    started="$started $idle"
    await open idle.log
}
part_cut() {
    log=near.log
    forward 0=ends || return
    open_idle
    kill -9 $relay_pid
    wait $relay_pid 2>/dev/null
    check "the relay is killed: an open connection ends" until_true 60 has_ended $idle
    check "the relay is killed: as a fault, not in order" grep -q '^reset' idle.log
    run_relay
    check "the relay is back: so is the way" until_true 60 works_again
    open_idle
    kill -9 "$far_pid"
    wait "$far_pid" 2>/dev/null
    check "serve is killed: an open connection ends" until_true 60 has_ended $idle
    check "serve is killed: as a fault, not in order" grep -q '^reset' idle.log
    run_serve
    check "serve is back: so is the way" until_true 60 works_again
    check "forward was there all the time" kill -0 "$tunnel"
    open_idle
    before=$(grep -c '^reset' ends.log)
    kill -9 "$tunnel"
    wait "$tunnel" 2>/dev/null
    check "forward is killed: a fault for the target" until_true 90 has_more '^reset' ends.log "$before"
    forward 0=ends || return
    check "another forward: it works" works_again
    hang_up "a cut"
    log=
}

case " $parts " in *' ends '* | *' blocked '* | *' stopped '* | *' cut '*) start_ends ;; esac
for part in $parts; do
    [ ! "${V:-}" ] || echo "-- $part"
    "part_$part"
done
if [ "$far_pid" ]; then
    kill "$far_pid"
    check "serve ends when it is told to" until_true 20 has_ended "$far_pid"
fi
exit $failed
