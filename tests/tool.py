# SPDX-License-Identifier: ISC
"""What tests/tool.sh needs beside the program.

tool.py echo ADDRESS FILE            an echo server at tcp or unix:PATH; writes its port into FILE
tool.py talk ADDRESS                 standard input to a connection, half-close, the rest to standard output; 3: it was reset
tool.py terminal FILE EXPECTED=>ANSWER ... -- COMMAND...   at a terminal of its own; FILE gets what was shown there
tool.py signal NUMBER TEXT FILE -- COMMAND...   the signal comes when TEXT is in FILE (standard error of COMMAND)
tool.py json FILE                    every line is a JSON object with time and event
tool.py hostile CASE PORT KEYFILE SERVERKEY     plays a caller that breaks the rules; prints how it ended"""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time

GUARD = 60


def connect(address):
    if address.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(address[5:])
    else:
        host, port = address.rsplit(":", 1)
        s = socket.create_connection((host, int(port)))
    s.settimeout(GUARD)
    return s


def echo(address, file):
    if address.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address[5:])
        listener.listen(100)
        name = address
    else:
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        name = str(listener.getsockname()[1])
    with open(file + ".new", "w", encoding="ascii") as f:
        f.write(name)
    os.rename(file + ".new", file)

    def serve(s):
        try:
            while data := s.recv(1 << 16):
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        s.close()
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def talk(address):
    s = connect(address)

    def send():
        try:
            while data := os.read(0, 1 << 16):
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    threading.Thread(target=send, daemon=True).start()
    try:
        while data := s.recv(1 << 16):
            os.write(1, data)
    except ConnectionResetError:
        return 3
    return 0


def terminal(file, words):
    at = words.index("--")
    steps, command = [w.split("=>", 1) for w in words[:at]], words[at + 1:]
    saved = [os.dup(fd) for fd in (0, 1, 2)]
    pid, master = pty.fork()
    if pid == 0:
        os.dup2(0, 9)     # while nobody has the terminal open, reading the other end fails
        for fd in (0, 1, 2):
            os.dup2(saved[fd], fd)
        for fd in saved:
            os.close(fd)
        os.execvp(command[0], command)
    shown, seen, until = b"", 0, time.monotonic() + GUARD
    while time.monotonic() < until:
        if select.select([master], [], [], 0.2)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                data = b""
            if not data:
                break
            shown += data
        while steps and (found := shown.find(steps[0][0].encode(), seen)) >= 0:
            seen = found + len(steps[0][0])
            time.sleep(0.05)                    # what was typed before the question is thrown away
            os.write(master, steps.pop(0)[1].encode() + b"\n")
    with open(file, "wb") as f:
        f.write(shown)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def send_signal(number, text, file, command):
    with open(file, "wb") as err:
        child = subprocess.Popen(command, stderr=err, restore_signals=True, start_new_session=True,
                                 preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    until = time.monotonic() + GUARD
    while time.monotonic() < until and child.poll() is None:
        with open(file, encoding="utf-8", errors="replace") as f:
            if text in f.read():
                break
        time.sleep(0.02)
    if child.poll() is None:
        time.sleep(0.05)
        child.send_signal(int(number))
    try:
        return child.wait(GUARD)
    except subprocess.TimeoutExpired:
        child.kill()
        return 99


def check_json(file):
    with open(file, encoding="ascii") as f:
        lines = f.readlines()
    for line in lines:
        o = json.loads(line)
        if not ("time" in o and "event" in o and line.endswith("\n")):
            return 1
    return 0 if lines else 1


def hostile(case, port, key, server):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "interop"))
    import peer
    import svc1
    with open(key, encoding="ascii") as f:
        me = svc1.Ed25519Identity(bytes.fromhex(f.read().strip()))
    instance = bytes(range(16))

    def hello(version=1, service=b"pipe", who=instance):
        return bytes([1, version]) + who + service

    def call():
        sock = socket.create_connection(("127.0.0.1", int(port)))
        session = svc1.Session("client", me, os.urandom(32), known=[bytes.fromhex(server)], now=time.monotonic())
        link = peer.Link(sock, session, timeout=GUARD, decide=lambda who: True)
        link.handshake()
        return link

    def say(link, *messages):
        for m in messages:
            if link.session.state == "open":
                link.session.send(m, time.monotonic())
        return link

    def ending(link):
        link.wait(lambda: bool(link.session.close_received))
        words = [f"{m[0]:02x}" + (f":{m[1]}" if m[0] == 4 else "") for m in link.session.messages]
        reason = link.finish()
        return " ".join(words + [reason or "closed"])

    open_1 = bytes([0x10, 0, 0, 0, 1, 0, 0, 0, 0])
    cases = {
        "version": [hello(version=2)],
        "service": [hello(service=b"files")],
        "long": [hello(service=b"x" * 33)],
        "short": [hello()[:17]],
        "empty": [b""],
        "early": [open_1],
        "nul": [hello(service=b"pipe\0")],
        "twice": [hello(), hello()],
        "mad": [hello(), bytes([0x12]) * 5, bytes([0x99])],
        "below": [hello(), bytes([2])],
        "data": [hello(), open_1, bytes([0x12, 0, 0, 0, 1]) + bytes(65530), bytes([0x12, 0, 0, 0, 1]) + bytes(7)],
    }
    if case in cases:
        print(ending(say(call(), *cases[case])))
        return 0
    if case == "replace":                       # two sessions of one instance: the first has to go
        first = say(call(), hello())
        first.wait(lambda: bool(first.session.messages))
        second = say(call(), hello())
        second.wait(lambda: bool(second.session.messages))
        print("second", second.session.messages[0].hex())
        print("first", ending(first))
        second.finish()
        return 0
    if case == "beside":                        # instances of zeros replace nobody
        links = [say(call(), hello(who=bytes(16))) for _ in range(2)]
        for link in links:
            link.wait(lambda: bool(link.session.messages))
        print([link.session.messages[0].hex() for link in links], links[0].session.state)
        for link in links:
            link.finish()
        return 0
    return 2


def main(argv):
    what, rest = argv[1], argv[2:]
    if what == "echo":
        return echo(*rest)
    if what == "talk":
        return talk(*rest)
    if what == "terminal":
        return terminal(rest[0], rest[1:])
    if what == "signal":
        return send_signal(rest[0], rest[1], rest[2], rest[4:])
    if what == "json":
        return check_json(*rest)
    if what == "hostile":
        return hostile(*rest)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
