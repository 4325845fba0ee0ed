# SPDX-License-Identifier: ISC
"""A blocking SVC-1 peer over TCP, with svc1.py: an echo server and an echo client.

peer.py server PORT | client PORT   --key FILE [--peer HEX]... [--hidden] [--psk FILE --name NAME] [--context TEXT]
Files hold 64 hexadecimal digits. The address is 127.0.0.1. The client sends each line of its standard input as one message."""
import argparse
import os
import select
import socket
import sys
import time

import svc1


class Link:
    """A session on a socket. piece: bytes for each send and receive, 0 for any number. mangle(number, packet) returns the bytes to send in its place
    and whether to go on afterwards (False: the link ends here); number counts what this side sends (a handshake message or a record).
    decide(identity) accepts (True), refuses (False), or has not decided yet (None)."""

    def __init__(self, sock, session, piece=0, mangle=None, timeout=30, decide=None):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.sock, self.session, self.piece, self.mangle = sock, session, piece, mangle
        self.decide = decide or (lambda identity: True)
        self.until = time.monotonic() + timeout
        self.outgoing, self.number, self.ended = bytearray(), 0, False

    def collect(self):
        """What the session wants to send goes into the outgoing bytes."""
        for packet in self.session.packets:
            goes_on = True
            if self.mangle:
                packet, goes_on = self.mangle(self.number, packet)
            self.number += 1
            self.outgoing += packet
            if not goes_on:
                self.ended = True
                break
        self.session.packets.clear()

    def turn(self):
        """Moves some bytes; waits if there are none."""
        self.collect()
        if self.ended:
            return
        s = self.session
        now = time.monotonic()
        when = s.next_time()
        wait = self.until - now
        if wait <= 0:
            raise TimeoutError("the peer took too long")
        if when is not None:
            wait = min(wait, max(0, when - now))
        readable, writable, _ = select.select([self.sock], [self.sock] if self.outgoing else [], [], wait)
        now = time.monotonic()
        try:
            if writable:
                sent = self.sock.send(self.outgoing[:self.piece or 1 << 16])
                del self.outgoing[:sent]
            if readable:
                data = self.sock.recv(self.piece or 1 << 16)
                if data:
                    s.receive(data, now)
                else:
                    s.end_of_link(now)
        except (BrokenPipeError, ConnectionResetError):
            self.outgoing.clear()
            s.end_of_link(now)
        if s.state == "decide":
            verdict = self.decide(s.peer)
            if verdict is not None:
                s.accept(now) if verdict else s.refuse()
        s.tick(now)

    def wait(self, done):
        """Until done() holds or the session is over."""
        while not done() and self.session.state not in ("done", "failed") and not self.ended:
            self.turn()

    def handshake(self):
        self.wait(lambda: self.session.state == "open")

    def flush(self):
        """Everything is given to the system, or the peer is gone."""
        if not self.ended:
            self.collect()
        while self.outgoing:
            if not select.select([], [self.sock], [], max(0, self.until - time.monotonic()))[1]:
                raise TimeoutError("the peer does not read")
            try:
                del self.outgoing[:self.sock.send(self.outgoing[:self.piece or 1 << 16])]
            except (BrokenPipeError, ConnectionResetError):
                break

    def finish(self):
        """Closes in order (7.3), or as the session failed; returns the reason, "" for a good end."""
        if self.session.state == "open" and not self.ended:
            if not self.session.close_sent:
                self.session.close(time.monotonic())
            self.wait(lambda: False)
        self.flush()
        self.linger()
        return self.session.reason

    def linger(self):
        """Reads what is still on its way and throws it away, so that closing does not reset the connection under our last bytes."""
        until = time.monotonic() + 5
        try:
            if self.ended:                              # a link that breaks in one direction: a test of the other side
                self.sock.shutdown(socket.SHUT_WR)
            while select.select([self.sock], [], [], max(0, until - time.monotonic()))[0] and self.sock.recv(1 << 16):
                pass
        except OSError:
            pass
        self.sock.close()


def echo_server(link, renew=False, on_message=None):
    """Sends every message back until the peer closes. renew: with every record."""
    s = link.session
    link.handshake()
    while s.state == "open" and not link.ended and not (s.close_received and not s.messages):
        link.wait(lambda: bool(s.messages or s.close_received))
        while s.messages and s.state == "open":
            if renew:
                s.renew()
            message = s.take(time.monotonic())
            s.send(on_message(message) if on_message else message, time.monotonic())
    return link.finish()


def echo_client(link, messages, renew=False, early=0, window=1 << 18):
    """Sends the messages, returns (what came back, reason). early: how many may go before the SERVER's confirmation."""
    s, back, sent, on_way = link.session, [], 0, 0
    link.wait(lambda: s.state in ("confirm", "open") if early else s.state == "open")
    while len(back) < len(messages) and s.state in ("confirm", "open") and not link.ended:
        while sent < len(messages) and s.may_send() and (not on_way or on_way + len(messages[sent]) <= window):
            if s.state == "confirm" and sent >= early:
                break
            if renew:
                s.renew()
            s.send(messages[sent], time.monotonic())
            on_way += len(messages[sent]) + 16
            sent += 1
        link.wait(lambda: bool(s.messages) or (s.state == "open" and sent < len(messages) and not on_way))
        while s.messages:
            back.append(s.take(time.monotonic()))
            on_way -= len(back[-1]) + 16
        if s.close_received:
            break
    return back, link.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("port", type=int)
    for name in ("key", "psk", "name", "context"):
        parser.add_argument("--" + name, default="")
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--hidden", action="store_true")
    a = parser.parse_args()

    def secret(path):
        with open(path, encoding="ascii") as file:
            return bytes.fromhex(file.read().strip())
    me = svc1.PskIdentity(secret(a.psk), a.name.encode()) if a.psk else svc1.Ed25519Identity(secret(a.key))
    print("identity: " + me.wire.hex(), file=sys.stderr)
    peers = [bytes.fromhex(p) for p in a.peer]
    if a.role == "server":
        with socket.create_server(("127.0.0.1", a.port)) as listener:
            print(f"listening on tcp://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
            sock = listener.accept()[0]
    else:
        sock = socket.create_connection(("127.0.0.1", a.port))
    session = svc1.Session(a.role, me, os.urandom(32), context=a.context.encode(), hidden=a.hidden, known=peers, now=time.monotonic())
    link = Link(sock, session, timeout=86400, decide=lambda who: who[0] == 2 or not peers or who[1:] in peers)
    if a.role == "server":
        reason = echo_server(link)
    else:
        back, reason = echo_client(link, [line for line in sys.stdin.buffer])
        sys.stdout.buffer.write(b"".join(back))
    print(reason or "closed in order", file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
