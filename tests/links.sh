#!/bin/sh
# SPDX-License-Identifier: ISC
# Sessions through real proxies, relays, tunnels and forwarders, as Debian has them. Usage: sh tests/links.sh path/to/svconn
#
# Through each of them 5 MB of random bytes go to an echo server and come back: all of them, and both ends end in order. Then it is
# killed while a session runs, which both ends must take for a fault. What is not installed is skipped, and said. Everything happens on
# loopback and in a temporary directory.
set -u
[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: sh tests/links.sh path/to/svconn" >&2; exit 2; }
svconn=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
if [ ! -r /proc/net/tcp ] || ! command -v ps >/dev/null; then
    echo "pass nothing was run"
    echo "skip links: this needs /proc/net/tcp and ps, to see when a proxy is ready and to stop it whole"
    exit 0
fi
dir=$(mktemp -d) || exit 1
failed=0 started=
PATH=$PATH:/usr/sbin:/sbin
umask 077

# Parents first and stopped, so that they cannot make new children meanwhile
kill_tree() {
    kill -STOP "$1" 2>/dev/null || return 0
    for child in $(ps -o pid= --ppid "$1"); do kill_tree "$child"; done
    kill -KILL "$1" 2>/dev/null
}
finish() { # what is no child of ours any more has ended, and the number may be somebody else's
    for pid in $started; do
        [ "$(ps -o ppid= -p "$pid" | tr -d ' ')" != $$ ] || kill_tree "$pid"
    done
    wait 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$dir" || exit 1
chmod 711 . # squid changes its user
mkdir -m 777 public

pass() { echo "pass $1"; }
fail() { # name, what was seen
    echo "  $2" | head -n 20
    echo "FAIL $1"
    failed=1
}
# have NAME PROGRAM PACKAGE: is it here? Else a line says what is missing.
have() {
    command -v "$2" >/dev/null && return 0
    echo "skip links: $1: no $2 here (Debian: $3)"
    return 1
}

# until_true SECONDS COMMAND...
until_true() {
    tries=$(($1 * 50))
    shift
    until "$@"; do
        [ $tries -gt 0 ] || return 1
        sleep 0.02
        tries=$((tries - 1))
    done
}
says() { grep -qF -- "$1" "$2" 2>/dev/null; }
has_ended() { # a child of ours, which may be a zombie
    state=$(ps -o stat= -p "$1") || return 0
    case $state in Z*) return 0 ;; *) return 1 ;; esac
}
is_larger() { [ "$(wc -c <"$1")" -gt "$2" ]; }

# ---- background processes ----
is_taken() { # a port, by any socket
    grep -qi ":$(printf %04X "$1") " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
is_ready() { # a port on which somebody listens
    grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp
}
# Below the ports that the system chooses itself
free_port() {
    while :; do
        port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
        is_taken $port || return 0
    done
}
is_ready_or_ended() { is_ready "$port" || has_ended "$proxy"; }

# start NAME FUNCTION: runs the function, which must exec a server on $port, in the background; its id to $proxy. A port that somebody
# else took meanwhile is tried again.
start() {
    for _ in 1 2 3; do
        free_port
        "$2" >"$1.log" 2>&1 </dev/null &
        proxy=$!
        started="$started $proxy"
        until_true 20 is_ready_or_ended
        if ! has_ended $proxy && is_ready $port; then return 0; fi
        kill_tree $proxy
    done
    fail "links: $1" "it did not start: $(tail -n 5 "$1.log")"
    return 1
}
stop() {
    kill_tree "$1"
    wait "$1" 2>/dev/null
}

# ---- the two ends ----
for k in server client; do "$svconn" keygen -o $k.key >$k.pub || exit 1; done
key_of() { sed -n 's/^public key: //p' "$1.pub"; }
server_key=$(key_of server) client_key=$(key_of client)
head -c 5000000 /dev/urandom >large
printf 'me' >user.name
printf 's3cret, @:%%' >password

"$svconn" echo-server tcp://127.0.0.1:0 --key server.key --peer "$client_key" --verbose >/dev/null 2>server.log </dev/null &
started="$started $!"
until_true 20 says 'listening on ' server.log || { echo "FAIL links: echo-server: $(cat server.log)"; exit 1; }
tcp=$(sed -n 's/^svconn: listening on //p' server.log) target=
target=${tcp##*:}

ends() { grep -c "$1" "$2"; }
has_more_ends() { [ "$(ends "$1" "$2")" -gt "$3" ]; }

# both_ways NAME SERVER-LOG ARGUMENTS...: 5 MB there and back
both_ways() {
    name="links: $1: 5 MB there and back, both end in order" log=$2
    shift 2
    before=$(ends 'end: closed in order' "$log")
    timeout 60 "$svconn" echo --key client.key --peer "$server_key" "$@" <large >out 2>err
    code=$?
    if [ $code -ne 0 ]; then fail "$name" "exit code $code: $(tail -n 5 err)"
    elif ! cmp -s large out; then fail "$name" "other bytes came back"
    elif ! until_true 10 has_more_ends 'end: closed in order' "$log" "$before"; then fail "$name" "the server: $(tail -n 3 "$log")"
    else pass "$name"; fi
}

# cut NAME SERVER-LOG VICTIM ARGUMENTS...: what is between is killed while a session runs. VICTIM: a process, or "child" for the child of
# our client
cut() {
    name="links: $1: killed midway, a fault at both ends" log=$2 victim=$3
    shift 3
    rm -f input && mkfifo input
    before=$(ends 'end: [a-z]*: ' "$log")
    "$svconn" echo --key client.key --peer "$server_key" "$@" <input >out 2>err &
    client=$!
    started="$started $client"
    exec 9>input
    head -c 300000 large >&9
    until_true 20 is_larger out 100000
    if [ "$victim" = child ]; then
        for child in $(ps -o pid= --ppid $client); do kill_tree "$child"; done
    else kill_tree "$victim"; fi
    if ! until_true 20 has_ended $client; then
        kill_tree $client
        fail "$name" "our client goes on: $(tail -n 3 err)"
    else
        wait $client
        code=$?
        if [ $code -ne 1 ] || ! grep -q '^svconn: end: ' err; then fail "$name" "exit code $code: $(tail -n 3 err)"
        elif ! until_true 20 has_more_ends 'end: [a-z]*: ' "$log" "$before"; then fail "$name" "the server: $(tail -n 3 "$log")"
        else pass "$name"; fi
    fi
    exec 9>&-
}

# refuses NAME TEXT ARGUMENTS...: no link; TEXT is said, and no password
refuses() {
    name="links: $1" text=$2
    shift 2
    timeout 60 "$svconn" echo --key client.key --peer "$server_key" "$@" <large >out 2>err
    code=$?
    if [ $code -eq 1 ] && says "$text" err && ! says s3cret err; then pass "$name"
    else fail "$name" "\"$text\" expected; exit code $code: $(tail -n 3 err)"; fi
}

# A port where nobody listens, as a target that cannot be reached
free_port
nobody=$port

# ---- HTTP proxies ----
tinyproxy_conf() { printf 'Port %s\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nMaxClients 20\n%s\n' "$port" "$1" >tinyproxy.conf; }
run_tinyproxy() { tinyproxy_conf "" && exec tinyproxy -d -c tinyproxy.conf; }
run_tinyproxy_auth() { tinyproxy_conf "BasicAuth me s3cret" && exec tinyproxy -d -c tinyproxy.conf; }
printf 's3cret\n' >plain
printf 'wr0ng\n' >wrong
if have tinyproxy tinyproxy tinyproxy; then
    if start tinyproxy run_tinyproxy; then
        both_ways tinyproxy server.log "$tcp" --via "http://127.0.0.1:$port"
        both_ways "tinyproxy, by names" server.log "tcp://localhost:$target" --via "http://localhost:$port"
        refuses "tinyproxy: a target that is not there" "proxy 1 (http://127.0.0.1:$port), asked for 127.0.0.1 port $nobody: " \
            "tcp://127.0.0.1:$nobody" --via "http://127.0.0.1:$port"
        cut tinyproxy server.log $proxy "$tcp" --via "http://127.0.0.1:$port"
        stop $proxy
        refuses "tinyproxy: stopped" "cannot connect to proxy 1 (http://127.0.0.1:$port): Connection refused" "$tcp" --via "http://127.0.0.1:$port"
    fi
    if start "tinyproxy with a password" run_tinyproxy_auth; then
        both_ways "tinyproxy with a password" server.log "$tcp" --via "http://me@127.0.0.1:$port" --via-password plain
        refuses "tinyproxy: no password" "it wants a user and a password (40" "$tcp" --via "http://127.0.0.1:$port"
        refuses "tinyproxy: another password" "(40" "$tcp" --via "http://me@127.0.0.1:$port" --via-password wrong
        stop $proxy
    fi
fi

squid_conf() {
    cat >public/squid.conf <<X
http_port 127.0.0.1:$port
$1
http_access deny all
cache deny all
cache_mem 1 MB
access_log none
cache_log $dir/public/squid.log
pid_filename none
netdb_filename none
coredump_dir $dir/public
pinger_enable off
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
X
    chmod 644 public/squid.conf
    ulimit -n 1024 # it makes tables for as many descriptors as it may have
}
run_squid() { squid_conf "http_access allow all" && exec squid -N -f "$dir/public/squid.conf"; }
run_squid_auth() {
    squid_conf "auth_param basic program /usr/lib/squid/basic_ncsa_auth $dir/public/passwd
acl known proxy_auth REQUIRED
acl nobody port $nobody
http_access allow known !nobody" && exec squid -N -f "$dir/public/squid.conf"
}
if have squid squid squid; then
    if start squid run_squid; then
        both_ways squid server.log "$tcp" --via "http://127.0.0.1:$port"
        refuses "squid: a target that is not there" "it could not reach that host (503" "tcp://127.0.0.1:$nobody" --via "http://127.0.0.1:$port"
        cut squid server.log $proxy "$tcp" --via "http://127.0.0.1:$port"
        stop $proxy
    fi
    if have "squid with a password" openssl openssl && [ -x /usr/lib/squid/basic_ncsa_auth ]; then
        echo "me:$(openssl passwd -apr1 's3cret, @:%')" >public/passwd
        chmod 644 public/passwd
        if start "squid with a password" run_squid_auth; then
            both_ways "squid with a password" server.log "$tcp" --via "http://me@127.0.0.1:$port" --via-password password
            refuses "squid: no password" "it wants a user and a password (407" "$tcp" --via "http://127.0.0.1:$port"
            refuses "squid: another password" "it does not take this user and password" "$tcp" --via "http://me@127.0.0.1:$port" --via-password wrong
            refuses "squid: not allowed" "not allowed by the rules of the proxy (403" "tcp://127.0.0.1:$nobody" --via "http://me@127.0.0.1:$port" --via-password password
            stop $proxy
        fi
    fi
fi

run_ncat_http() { exec ncat -l 127.0.0.1 "$port" --proxy-type http --proxy-auth me:s3cret; }
# (not ncat at both places: it waits for each write, so two of them that are full in both directions wait for each other)
run_ncat() { exec ncat -l 127.0.0.1 "$port" -k --sh-exec "exec socat - TCP:127.0.0.1:$target"; }
if have ncat ncat ncat; then
    if start "ncat as HTTP proxy" run_ncat_http; then
        both_ways "ncat as HTTP proxy with a password" server.log "$tcp" --via "http://me@127.0.0.1:$port" --via-password plain
        refuses "ncat: no password" "it wants a user and a password (407" "$tcp" --via "http://127.0.0.1:$port"
        cut "ncat as HTTP proxy" server.log $proxy "$tcp" --via "http://me@127.0.0.1:$port" --via-password plain
        stop $proxy
    fi
    both_ways "exec: ncat" server.log "exec:exec ncat 127.0.0.1 $target"
    cut "exec: ncat" server.log child "exec:exec ncat 127.0.0.1 $target"
    if have "ncat --sh-exec" socat socat && start ncat run_ncat; then
        both_ways "ncat --sh-exec" server.log "tcp://127.0.0.1:$port"
        cut "ncat --sh-exec" server.log $proxy "tcp://127.0.0.1:$port"
        stop $proxy
    fi
fi

# ---- SOCKS5 proxies ----
run_microsocks() { exec microsocks -i 127.0.0.1 -p "$port"; }
run_microsocks_auth() { exec microsocks -i 127.0.0.1 -p "$port" -u me -P 's3cret, @:%'; }
if have microsocks microsocks microsocks; then
    if start microsocks run_microsocks; then
        both_ways microsocks server.log "$tcp" --via "socks5://127.0.0.1:$port"
        both_ways "microsocks, by names" server.log "tcp://localhost:$target" --via "socks5://localhost:$port"
        refuses "microsocks: a target that is not there" "refused by the host (nobody listens there)" "tcp://127.0.0.1:$nobody" --via "socks5://127.0.0.1:$port"
        refuses "microsocks: is no HTTP proxy" "proxy 1 (http://127.0.0.1:$port), asked for " "$tcp" --via "http://127.0.0.1:$port"
        cut microsocks server.log $proxy "$tcp" --via "socks5://127.0.0.1:$port"
        stop $proxy
    fi
    if start "microsocks with a password" run_microsocks_auth; then
        both_ways "microsocks with a password" server.log "$tcp" --via "socks5://me@127.0.0.1:$port" --via-password password
        refuses "microsocks: no password" "it wants a user and a password" "$tcp" --via "socks5://127.0.0.1:$port"
        refuses "microsocks: another password" "it does not take this user and password" "$tcp" --via "socks5://me@127.0.0.1:$port" --via-password wrong
        stop $proxy
    fi
fi

run_danted() {
    cat >danted.conf <<X
logoutput: stderr
internal: 127.0.0.1 port = $port
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: $(id -un)
user.unprivileged: $(id -un)
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks block { from: 0.0.0.0/0 to: 127.0.0.0/8 port = $nobody }
socks pass { from: 0.0.0.0/0 to: 127.0.0.0/8 }
X
    exec danted -N 1 -f danted.conf -p danted.pid
}
if have danted danted dante-server && start danted run_danted; then
    both_ways danted server.log "$tcp" --via "socks5://127.0.0.1:$port"
    refuses "danted: not allowed" "not allowed by the rules of the proxy" "tcp://127.0.0.1:$nobody" --via "socks5://127.0.0.1:$port"
    cut danted server.log $proxy "$tcp" --via "socks5://127.0.0.1:$port"
    stop $proxy
fi

# ---- one behind the other ----
if have "a chain of proxies" microsocks microsocks && have "a chain of proxies" tinyproxy tinyproxy &&
    start "first of two" run_microsocks; then
    first=$port first_pid=$proxy
    if start "second of two" run_tinyproxy_auth; then
        chain="socks5://127.0.0.1:$first,http://me@127.0.0.1:$port"
        both_ways "SOCKS, then HTTP" server.log "$tcp" --via "$chain" --via-password plain
        both_ways "HTTP, then SOCKS, then HTTP" server.log "$tcp" --via "http://me@127.0.0.1:$port,socks5://127.0.0.1:$first" --via-password plain
        refuses "a chain: the second refuses" "proxy 2 (http://127.0.0.1:$port), asked for 127.0.0.1 port $target: " \
            "$tcp" --via "$chain" --via-password wrong
        refuses "a chain: the second is not there" "proxy 1 (socks5://127.0.0.1:$first), asked for 127.0.0.1 port $nobody: refused by the host" \
            "$tcp" --via "socks5://127.0.0.1:$first,http://127.0.0.1:$nobody"
        cut "a chain, the second one" server.log $proxy "$tcp" --via "$chain" --via-password plain
        stop $proxy
    fi
    stop $first_pid
fi

# ---- forwarders ----
run_socat() { exec socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "TCP:127.0.0.1:$target"; }
run_haproxy() {
    cat >haproxy.cfg <<X
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend f
    bind 127.0.0.1:$port
    default_backend b
backend b
    server s 127.0.0.1:$target
X
    exec haproxy -db -f haproxy.cfg
}
nginx_module=
for module in /usr/lib/nginx/modules /usr/share/nginx/modules; do
    [ -e $module/ngx_stream_module.so ] && nginx_module=$module/ngx_stream_module.so
done
run_nginx() {
    cat >nginx.conf <<X
load_module $nginx_module;
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log stderr;
events {}
stream { server { listen 127.0.0.1:$port; proxy_pass 127.0.0.1:$target; } }
X
    exec nginx -p "$dir" -e stderr -c "$dir/nginx.conf"
}
forwards() { # NAME FUNCTION
    start "$1" "$2" || return
    both_ways "$1" server.log "tcp://127.0.0.1:$port"
    cut "$1" server.log $proxy "tcp://127.0.0.1:$port"
    stop $proxy
}
if have haproxy haproxy haproxy; then forwards haproxy run_haproxy; fi
if have nginx nginx nginx; then
    if [ "$nginx_module" ]; then forwards "nginx stream" run_nginx
    else echo "skip links: nginx stream: nginx has no stream module here (Debian: libnginx-mod-stream)"; fi
fi
if have socat socat socat; then
    forwards socat run_socat
    socat "UNIX-LISTEN:$dir/forward,fork" "TCP:127.0.0.1:$target" 2>socat.log &
    proxy=$!
    started="$started $proxy"
    until_true 20 [ -S forward ]
    both_ways "socat from a UNIX socket" server.log "unix:$dir/forward"
    cut "socat from a UNIX socket" server.log $proxy "unix:$dir/forward"
    stop $proxy
    both_ways "exec: socat" server.log "exec:exec socat - TCP:127.0.0.1:$target"
    cut "exec: socat" server.log child "exec:exec socat - TCP:127.0.0.1:$target"
fi

# ---- tunnels ----
run_tls() { exec socat "OPENSSL-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,cert=tls.pem,verify=0" "TCP:127.0.0.1:$target"; }
if have "TLS tunnels" openssl openssl; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 -keyout tls.key -out tls.crt 2>openssl.log
    cat tls.key tls.crt >tls.pem
    if have "a TLS tunnel of socat" socat socat && start "a TLS tunnel of socat" run_tls; then
        s_client="exec:exec openssl s_client -quiet -connect 127.0.0.1:$port 2>/dev/null"
        both_ways "exec: openssl s_client" server.log "$s_client"
        cut "exec: openssl s_client, the other end" server.log $proxy "$s_client"
        stop $proxy
        if start "a TLS tunnel of socat" run_tls; then
            both_ways "exec: socat with TLS at both ends" server.log "exec:exec socat - OPENSSL:127.0.0.1:$port,verify=0"
            stop $proxy
        fi
    fi
    # The server too has a child for its link; it serves one.
    free_port
    "$svconn" echo-server "exec:exec openssl s_server -quiet -accept 127.0.0.1:$port -naccept 1 -cert tls.crt -key tls.key" \
        --key server.key --peer "$client_key" --verbose >/dev/null 2>tls_server.log </dev/null &
    tls_server=$!
    started="$started $tls_server"
    if until_true 20 is_ready $port; then
        both_ways "exec: openssl s_server and s_client" tls_server.log "exec:exec openssl s_client -quiet -connect 127.0.0.1:$port 2>/dev/null"
        if until_true 10 has_ended $tls_server; then
            wait $tls_server
            code=$?
            if [ $code -eq 0 ]; then pass "links: exec: openssl s_server: exit code of the server"
            else fail "links: exec: openssl s_server: exit code of the server" "exit code $code: $(tail -n 3 tls_server.log)"; fi
        else fail "links: exec: openssl s_server: exit code of the server" "it goes on: $(tail -n 3 tls_server.log)"; fi
    else fail "links: exec: openssl s_server" "it did not start: $(tail -n 3 tls_server.log)"; fi
    kill_tree $tls_server
fi

# sshd for root wants an empty /run/sshd; it gets one that nobody else sees
login=$(id -un) private=
if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then private='mount -t tmpfs none /run && mkdir /run/sshd && '; fi
run_sshd() {
    cat >sshd_config <<X
ListenAddress 127.0.0.1:$port
HostKey $dir/host_key
AuthorizedKeysFile $dir/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X
    exec ${private:+unshare -m} sh -c "${private}exec $(command -v sshd) -D -e -f '$dir/sshd_config'"
}
if have "ssh -W" ssh openssh-client && have "ssh -W" sshd openssh-server; then
    ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f user_key
    if [ "$private" ] && ! unshare -m sh -c "${private}true" 2>/dev/null; then
        echo "skip links: exec: ssh -W: sshd wants a directory /run/sshd, and root may not make one for it alone here"
    elif start "exec: ssh -W" run_sshd; then
        ssh="exec ssh -F none -p $port -i '$dir/user_key' -o IdentityAgent=none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
        ssh="$ssh -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -W 127.0.0.1:$target $login@127.0.0.1"
        if sh -c "$ssh" </dev/null 2>&1 | grep -q 'Permission denied'; then
            echo "skip links: exec: ssh -W: sshd does not let the user $login in; is the account locked?"
        else
            both_ways "exec: ssh -W" server.log "exec:$ssh"
            cut "exec: ssh -W, the client" server.log child "exec:$ssh"
            cut "exec: ssh -W, the server" server.log $proxy "exec:$ssh"
        fi
        stop $proxy
    fi
fi

# ---- the transit relay of magic-wormhole ----
run_transit() { exec twistd3 --nodaemon --pidfile= transitrelay --port "tcp:$port:interface=127.0.0.1"; }
token() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
# at_wormhole ARGUMENTS...: a server at the relay, once
at_wormhole() {
    : >wormhole.log # now, and not when the server is about to start: its lines are counted
    "$svconn" echo-server "$at" --key server.key --peer "$client_key" --verbose --once "$@" >/dev/null 2>wormhole.log </dev/null &
    once=$!
    started="$started $once"
}
# ended CODE: the exit code of that server
ended() {
    if until_true 20 has_ended $once; then
        wait $once
        code=$?
    else code="none, it goes on"; fi
    if [ "$code" = "$1" ]; then pass "links: wormhole: exit code $1 of the server"
    else fail "links: wormhole: exit code $1 of the server" "it is $code: $(tail -n 3 wormhole.log)"; fi
}
if have wormhole twistd3 python3-twisted; then
    if ! twistd3 --help 2>/dev/null | grep -q '^ *transitrelay '; then
        echo "skip links: wormhole: twistd3 knows no transitrelay here (Debian: magic-wormhole-transit-relay)"
    elif start wormhole run_transit; then
        relay=$proxy relay_port=$port at=wormhole://127.0.0.1:$port/$(token)
        at_wormhole
        both_ways wormhole wormhole.log "$at"
        ended 0
        if have "wormhole by way of a proxy" microsocks microsocks && start "a proxy before a wormhole" run_microsocks; then
            at=wormhole://127.0.0.1:$relay_port/$(token)
            at_wormhole --via "socks5://127.0.0.1:$port"
            both_ways "wormhole, both by way of a proxy" wormhole.log "$at" --via "socks5://127.0.0.1:$port"
            ended 0
            stop $proxy
        fi
        at=wormhole://127.0.0.1:$relay_port/$(token)
        at_wormhole
        cut wormhole wormhole.log $relay "$at"
        ended 1
        refuses "wormhole: the relay is not there" "Connection refused" "$at"
        stop $relay
    fi
fi

exit $failed
