#!/bin/sh
# SPDX-License-Identifier: ISC
# "svconn serve" and a caller in Python that was written from spec/tool.md. Usage: sh tests/wire.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
python3 -c 'import cryptography' 2>/dev/null || { echo "skip spec/tool.md: no python3 with cryptography (package: python3-cryptography)"; exit 0; }
export XDG_CONFIG_HOME="$dir/config" XDG_RUNTIME_DIR="$dir/run" PYTHONDONTWRITEBYTECODE=1
mkdir run
"$svconn" keygen -o server.key >/dev/null && "$svconn" keygen --hex -o caller.key >/dev/null
cat >echo.py <<'END'
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
with Server(("127.0.0.1", 0), Echo) as server:
    print("port", server.server_address[1], flush=True)
    server.serve_forever()
END
python3 echo.py >echo.log 2>&1 &
started="$started $!"
await "port" echo.log || fail "echo server" "$(cat echo.log)"
port=$(sed -n 's/^port //p' echo.log)
"$svconn" serve tcp://127.0.0.1:0 --key server.key --allow "$(key_of caller.key)" --ban-after 0 --forward echo=127.0.0.1:"$port" --forward off=127.0.0.1:1 >serve.log 2>&1 &
started="$started $!"
await "listening on" serve.log || fail "serve" "$(cat serve.log)"
door=$(sed -n 's|.*listening on tcp://127.0.0.1:||p' serve.log)
(cd "$root/interop" && exec python3 caller.py "$door" "$dir/caller.key" "$(key_of "$dir/server.key")") || failed=1
exit $failed
