#!/bin/sh
# SPDX-License-Identifier: ISC
# The program over links that are not plain descriptors: WebSocket, through relays of other makers (websockify, nginx), and
# files in a directory. Usage: sh tests/frames_links.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"

# check NAME CONDITION...: a test command, and on failure what was said
check() {
    name=$1
    shift
    if "$@"; then echo "pass $name"; else
        failed=1
        for f in err server.log relay.log nginx.log; do [ -s $f ] && sed "s/^/  $f: /" $f | tail -n 8; done
        echo "FAIL $name"
    fi
}
has() { grep -qF -- "$1" "$2"; }

# Until somebody listens on the port; in vain if process $2 has ended.
await_port() {
    tries=0
    until bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"' "$1" 2>/dev/null; do
        kill -0 "$2" 2>/dev/null && [ $tries -lt 1000 ] || return 1
        sleep 0.03
        tries=$((tries + 1))
    done
}

# serve ADDRESS: one connection; $server is its process, $port its port
serve() {
    : >server.log
    "$svconn" echo-server "$1" --key s.pem --peer "$client_key" --once --verbose 2>server.log </dev/null >/dev/null &
    server=$!
    started="$started $server"
    case $1 in tcp:*)
        await 'listening on ' server.log
        port=$(sed -n 's/^svconn: listening on .*:\([0-9]*\)$/\1/p' server.log)
        ;;
    esac
}

# on_some_port COMMAND: a relay on a port that is free; COMMAND holds @ for its number. $relay: process, $relay_port
on_some_port() {
    for try in 1 2 3 4 5 6 7 8; do
        relay_port=$((20000 + ($$ * 7 + try * 1009 + ${offset:-0}) % 30000))
        # shellcheck disable=SC2046,SC2086 # words without spaces
        $(echo "$1" | sed "s/@/$relay_port/g") >relay.log 2>&1 </dev/null &
        relay=$!
        if await_port "$relay_port" "$relay" && kill -0 "$relay" 2>/dev/null; then
            started="$started $relay"
            return 0
        fi
        kill "$relay" 2>/dev/null
        wait "$relay" 2>/dev/null
    done
    return 1
}

# echo_through ADDRESS NAME: 5 MB there and back, and both ends end in order
echo_through() {
    "$svconn" echo "$1" --key c.pem --peer "$server_key" --verbose data >back 2>err
    code=$?
    check "$2: exit code 0" [ $code -eq 0 ]
    check "$2: 5 MB come back unchanged" same data back
    wait "$server"
    server_code=$?
    check "$2: the server ends with 0" [ $server_code -eq 0 ]
    check "$2: both closed in order" eval "has 'end: closed in order' err && has 'end: closed in order' server.log"
}

"$svconn" keygen -o s.pem >/dev/null && "$svconn" keygen -o c.pem >/dev/null || exit 1
server_key=$("$svconn" id s.pem | sed -n 's/^public key: //p')
client_key=$("$svconn" id c.pem | sed -n 's/^public key: //p')
head -c 5000000 /dev/urandom >data

# ---- WebSocket ----
serve tcp://127.0.0.1:0
"$svconn" echo "ws://127.0.0.1:$port" --key c.pem --peer "$server_key" data >back 2>err
code=$?
check "ws: a server without WebSocket is exit code 1" [ $code -eq 1 ]
check "ws: and is explained" grep -qE 'did not switch to WebSocket|is it a WebSocket server' err
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null

if ! command -v websockify >/dev/null || ! command -v bash >/dev/null; then
    echo "skip websockify: not here (Debian: websockify, bash), so WebSocket was tried against no relay of another maker"
else
    serve tcp://127.0.0.1:0
    check "websockify: runs" on_some_port "websockify 127.0.0.1:@ 127.0.0.1:$port"
    echo_through "ws://127.0.0.1:$relay_port" websockify
    check "websockify: saw no error" eval '! grep -qiE "traceback|error|exception" relay.log'
    kill "$relay"
    wait "$relay" 2>/dev/null

    if [ -x /usr/sbin/nginx ]; then nginx=/usr/sbin/nginx; else nginx=$(command -v nginx); fi
    if [ ! "$nginx" ]; then echo "skip nginx: not here (Debian: nginx-light)"
    else
        serve tcp://127.0.0.1:0
        on_some_port "websockify 127.0.0.1:@ 127.0.0.1:$port"
        websocket_port=$relay_port offset=501
        cat >nginx.model <<X
daemon off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3; scgi_temp_path $dir/t4; uwsgi_temp_path $dir/t5;
    server {
        listen 127.0.0.1:PORT;
        location /ws/ {
            proxy_pass http://127.0.0.1:$websocket_port;
            proxy_http_version 1.1;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection "upgrade";
        }
    }
}
X
        for try in 1 2 3 4; do # the port is in the file
            p=$((20000 + ($$ * 11 + try * 907) % 30000))
            sed "s/PORT/$p/" nginx.model >nginx.conf
            "$nginx" -c "$dir/nginx.conf" >relay.log 2>&1 </dev/null &
            relay=$!
            await_port $p $relay && kill -0 $relay 2>/dev/null && break
            wait $relay
        done
        started="$started $relay"
        "$svconn" echo "ws://127.0.0.1:$p/" --key c.pem --peer "$server_key" data >back 2>err
        check "nginx: a page that is none of WebSocket is explained" has 'answered "HTTP/1.1 ' err
        echo_through "ws://127.0.0.1:$p/ws/x?token=1" nginx
        kill "$relay"
    fi
fi

# ---- a directory ----
serve "dir:$dir/a directory"
await 'own fingerprint' server.log
echo_through "dir:$dir/a directory" dir
check "dir: nothing is left behind" [ -z "$(ls -A "$dir/a directory")" ]
"$svconn" echo "dir:$dir/none" --key c.pem --peer "$server_key" data >back 2>err
code=$?
check "dir: no such directory is exit code 1" eval '[ $code -eq 1 ] && has "is it mounted" err'

# A server that goes on: left-overs of a caller that was killed do not stop it, and the next one is served.
: >server.log
"$svconn" echo-server "dir:$dir/shared" --key s.pem --peer "$client_key" --verbose 2>server.log </dev/null >/dev/null &
many=$!
started="$started $many"
await 'own fingerprint' server.log
mkdir "$dir/shared/svconn-00000000000000000000000000000000"
"$svconn" echo "dir:$dir/shared" --key c.pem --peer "$server_key" data >back 2>err
one=$?
head -c 1000 data >little
"$svconn" echo "dir:$dir/shared" --key c.pem --peer "$server_key" little >back 2>err
two=$?
check "dir: one caller after the other" [ "$one $two" = "0 0" ]
check "dir: the second one's data too" same little back
exit $failed
