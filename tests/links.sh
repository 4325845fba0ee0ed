#!/bin/sh
# SPDX-License-Identifier: ISC
# Sessions through real proxies, relays, tunnels and forwarders, as Debian has them. Usage: sh tests/links.sh path/to/svconn
#
# Through each of them 5 MB of random bytes go to an echo server and come back: all of them, and both ends end in order. Then it is
# killed while a session runs, which both ends must take for a fault. What is not installed is skipped, and said. Everything happens on
# loopback and in a temporary directory.
set -u
suite=links
. "$(dirname "$0")/servers.sh"
mkdir -m 777 public

says() { grep -qF -- "$1" "$2" 2>/dev/null; }
is_larger() { [ "$(wc -c <"$1")" -gt "$2" ]; }

# ---- the two ends ----
for k in server client; do "$svconn" keygen -o $k.key >$k.pub || exit 1; done
server_key=$(key_of server.key) client_key=$(key_of client.key)
head -c 5000000 /dev/urandom >large
printf 'me' >user.name
printf 's3cret, @:%%' >password

"$svconn" echo-server tcp://127.0.0.1:0 --key server.key --peer "$client_key" --verbose >/dev/null 2>server.log </dev/null &
started="$started $!"
await 'listening on ' server.log || { echo "FAIL links: echo-server: $(cat server.log)"; exit 1; }
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
        cut tinyproxy server.log $server "$tcp" --via "http://127.0.0.1:$port"
        stop $server
        refuses "tinyproxy: stopped" "cannot connect to proxy 1 (http://127.0.0.1:$port): Connection refused" "$tcp" --via "http://127.0.0.1:$port"
    fi
    if start "tinyproxy with a password" run_tinyproxy_auth; then
        both_ways "tinyproxy with a password" server.log "$tcp" --via "http://me@127.0.0.1:$port" --via-password plain
        refuses "tinyproxy: no password" "it wants a user and a password (40" "$tcp" --via "http://127.0.0.1:$port"
        refuses "tinyproxy: another password" "(40" "$tcp" --via "http://me@127.0.0.1:$port" --via-password wrong
        stop $server
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
        cut squid server.log $server "$tcp" --via "http://127.0.0.1:$port"
        stop $server
    fi
    if have "squid with a password" openssl openssl && [ -x /usr/lib/squid/basic_ncsa_auth ]; then
        echo "me:$(openssl passwd -apr1 's3cret, @:%')" >public/passwd
        chmod 644 public/passwd
        if start "squid with a password" run_squid_auth; then
            both_ways "squid with a password" server.log "$tcp" --via "http://me@127.0.0.1:$port" --via-password password
            refuses "squid: no password" "it wants a user and a password (407" "$tcp" --via "http://127.0.0.1:$port"
            refuses "squid: another password" "it does not take this user and password" "$tcp" --via "http://me@127.0.0.1:$port" --via-password wrong
            refuses "squid: not allowed" "not allowed by the rules of the proxy (403" "tcp://127.0.0.1:$nobody" --via "http://me@127.0.0.1:$port" --via-password password
            stop $server
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
        cut "ncat as HTTP proxy" server.log $server "$tcp" --via "http://me@127.0.0.1:$port" --via-password plain
        stop $server
    fi
    both_ways "exec: ncat" server.log "exec:exec ncat 127.0.0.1 $target"
    cut "exec: ncat" server.log child "exec:exec ncat 127.0.0.1 $target"
    if have "ncat --sh-exec" socat socat && start ncat run_ncat; then
        both_ways "ncat --sh-exec" server.log "tcp://127.0.0.1:$port"
        cut "ncat --sh-exec" server.log $server "tcp://127.0.0.1:$port"
        stop $server
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
        cut microsocks server.log $server "$tcp" --via "socks5://127.0.0.1:$port"
        stop $server
    fi
    if start "microsocks with a password" run_microsocks_auth; then
        both_ways "microsocks with a password" server.log "$tcp" --via "socks5://me@127.0.0.1:$port" --via-password password
        refuses "microsocks: no password" "it wants a user and a password" "$tcp" --via "socks5://127.0.0.1:$port"
        refuses "microsocks: another password" "it does not take this user and password" "$tcp" --via "socks5://me@127.0.0.1:$port" --via-password wrong
        stop $server
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
    cut danted server.log $server "$tcp" --via "socks5://127.0.0.1:$port"
    stop $server
fi

# ---- one behind the other ----
if have "a chain of proxies" microsocks microsocks && have "a chain of proxies" tinyproxy tinyproxy &&
    start "first of two" run_microsocks; then
    first=$port first_pid=$server
    if start "second of two" run_tinyproxy_auth; then
        chain="socks5://127.0.0.1:$first,http://me@127.0.0.1:$port"
        both_ways "SOCKS, then HTTP" server.log "$tcp" --via "$chain" --via-password plain
        both_ways "HTTP, then SOCKS, then HTTP" server.log "$tcp" --via "http://me@127.0.0.1:$port,socks5://127.0.0.1:$first" --via-password plain
        refuses "a chain: the second refuses" "proxy 2 (http://127.0.0.1:$port), asked for 127.0.0.1 port $target: " \
            "$tcp" --via "$chain" --via-password wrong
        refuses "a chain: the second is not there" "proxy 1 (socks5://127.0.0.1:$first), asked for 127.0.0.1 port $nobody: refused by the host" \
            "$tcp" --via "socks5://127.0.0.1:$first,http://127.0.0.1:$nobody"
        cut "a chain, the second one" server.log $server "$tcp" --via "$chain" --via-password plain
        stop $server
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
    cut "$1" server.log $server "tcp://127.0.0.1:$port"
    stop $server
}
if have haproxy haproxy haproxy; then forwards haproxy run_haproxy; fi
if have nginx nginx nginx; then
    if [ "$nginx_module" ]; then forwards "nginx stream" run_nginx
    else echo "skip links: nginx stream: nginx has no stream module here (Debian: libnginx-mod-stream)"; fi
fi
if have socat socat socat; then
    forwards socat run_socat
    socat "UNIX-LISTEN:$dir/forward,fork" "TCP:127.0.0.1:$target" 2>socat.log &
    server=$!
    started="$started $server"
    until_true 20 [ -S forward ]
    both_ways "socat from a UNIX socket" server.log "unix:$dir/forward"
    cut "socat from a UNIX socket" server.log $server "unix:$dir/forward"
    stop $server
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
        cut "exec: openssl s_client, the other end" server.log $server "$s_client"
        stop $server
        if start "a TLS tunnel of socat" run_tls; then
            both_ways "exec: socat with TLS at both ends" server.log "exec:exec socat - OPENSSL:127.0.0.1:$port,verify=0"
            stop $server
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

login=$(id -un)
if have "ssh -W" ssh openssh-client && have "ssh -W" sshd openssh-server; then
    if start_sshd "exec: ssh -W"; then
        ssh="exec ssh -F none -p $port -i '$dir/user_key' -o IdentityAgent=none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
        ssh="$ssh -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -W 127.0.0.1:$target $login@127.0.0.1"
        if sh -c "$ssh" </dev/null 2>&1 | grep -q 'Permission denied'; then
            echo "skip links: exec: ssh -W: sshd does not let the user $login in; is the account locked?"
        else
            both_ways "exec: ssh -W" server.log "exec:$ssh"
            cut "exec: ssh -W, the client" server.log child "exec:$ssh"
            cut "exec: ssh -W, the server" server.log $server "exec:$ssh"
        fi
        stop $server
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
        relay=$server relay_port=$port at=wormhole://127.0.0.1:$port/$(token)
        at_wormhole
        both_ways wormhole wormhole.log "$at"
        ended 0
        if have "wormhole by way of a proxy" microsocks microsocks && start "a proxy before a wormhole" run_microsocks; then
            at=wormhole://127.0.0.1:$relay_port/$(token)
            at_wormhole --via "socks5://127.0.0.1:$port"
            both_ways "wormhole, both by way of a proxy" wormhole.log "$at" --via "socks5://127.0.0.1:$port"
            ended 0
            stop $server
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
