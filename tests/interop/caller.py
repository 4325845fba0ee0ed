# SPDX-License-Identifier: ISC
"""A caller of spec/tool.md, on svc1.py, that keeps the rules and breaks them. Called by tests/wire.sh:

caller.py PORT KEYFILE SERVERKEY ECHOPORT        the called side offers echo=127.0.0.1:ECHOPORT and off=127.0.0.1:1"""
import os
import select
import socket
import sys
import time

import svc1

HELLO, WELCOME, WAIT, SORRY = 1, 2, 3, 4
OPEN, OPENED, DATA, WINDOW, END, RESET = range(0x10, 0x16)
FIRST_WINDOW = 65536


def u32(n):
    return n.to_bytes(4, "big")


class Caller:
    def __init__(self, hello=None, seconds=10):
        self.sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        identity = svc1.Ed25519Identity(bytes.fromhex(open(sys.argv[2]).read()))
        self.s = svc1.Session("client", identity, os.urandom(32), known=[bytes.fromhex(sys.argv[3])], now=time.monotonic())
        self.until, self.got, self.ended = time.monotonic() + seconds, [], False
        self.wait(lambda: self.s.state == "open")
        if hello is not None:
            self.say(hello)

    def flush(self):
        packets = b"".join(self.s.packets)
        self.s.packets.clear()
        try:
            self.sock.sendall(packets)
        except OSError:
            self.ended = True

    def step(self):
        self.flush()
        if select.select([self.sock], [], [], 0.05)[0]:
            try:
                data = self.sock.recv(65536)
            except OSError:
                data = b""
            if data:
                self.s.receive(data, time.monotonic())
            else:
                self.s.end_of_link(time.monotonic())
                self.ended = True
        if self.s.state == "decide":
            self.s.accept(time.monotonic())
        while self.s.messages:
            self.got.append(bytes(self.s.take(time.monotonic())))
        self.flush()

    def wait(self, done):
        while not done() and not self.ended and time.monotonic() < self.until:
            self.step()
        return done()

    def say(self, *messages):
        for message in messages:
            while not self.s.may_send():
                self.step()
            self.s.send(message, time.monotonic())
        self.flush()  # all at once, so that they are read at once

    def find(self, *start):
        return [m for m in self.got if m[:len(start)] == bytes(start)]

    def awaits(self, *start):
        return self.wait(lambda: self.find(*start))

    def is_cut(self):
        """The other side ended the session with an error."""
        self.wait(lambda: self.s.state in ("failed", "done"))
        return self.s.state == "failed" and self.s.reason == "aborted"

    def leave(self):
        self.sock.close()


def hello(service=b"tunnel", version=1, instance=bytes(16)):
    return bytes([HELLO, version]) + instance + service


def message(kind, channel, rest=b""):
    return bytes([kind]) + u32(channel) + rest


def opening(channel, target=b"echo", window=0):
    return message(OPEN, channel, u32(window) + target)


def inside():
    c = Caller(hello())
    assert c.awaits(WELCOME), c.got
    return c


# ---- what is right ----
def streams_and_half_close():
    c = inside()
    c.say(opening(7), message(DATA, 7, b"abc"), message(DATA, 7), message(END, 7))
    assert c.awaits(END, 0, 0, 0, 7), c.got
    assert b"".join(m[5:] for m in c.find(DATA)) == b"abc" and c.find(OPENED)[0] == message(OPENED, 7, u32(0))
    c.say(opening(7), message(END, 7))  # the number is free again
    return c.wait(lambda: len(c.find(END)) == 2)


def windows():
    c = inside()
    size = 4 * FIRST_WINDOW
    c.say(opening(1))
    sent = 0
    while sent < size and time.monotonic() < c.until:
        may = FIRST_WINDOW + sum(int.from_bytes(m[5:], "big") for m in c.find(WINDOW))
        n = min(size - sent, may - sent, 16000)
        if n:
            c.say(message(DATA, 1, bytes(n)))
        sent += n
        c.step()
    first = sum(len(m) - 5 for m in c.find(DATA))
    c.wait(lambda: sum(len(m) - 5 for m in c.find(DATA)) >= FIRST_WINDOW)
    time.sleep(0.3)
    c.step()
    held = sum(len(m) - 5 for m in c.find(DATA))  # our window is used up: the rest waits
    c.say(message(WINDOW, 1, u32(size)))
    c.wait(lambda: sum(len(m) - 5 for m in c.find(DATA)) == size)
    return first <= FIRST_WINDOW and held == FIRST_WINDOW and sum(len(m) - 5 for m in c.find(DATA)) == size


def refusals():
    c = inside()
    c.say(opening(1, b"other"), opening(2, b"off"), opening(3, b""), message(DATA, 9, b"?"), message(RESET, 9, b"\1"))
    return c.awaits(RESET, 0, 0, 0, 1, 2) and c.awaits(RESET, 0, 0, 0, 2, 3) and c.awaits(RESET, 0, 0, 0, 3, 2)


def early_words():
    c = Caller(hello())
    c.say(opening(1), message(DATA, 1, b"early"))
    return c.awaits(DATA) and c.find(WELCOME)


def other_service():
    c = Caller(hello(b"doctor"))
    return c.awaits(SORRY, 2)


def replacement():
    one = Caller(hello(instance=b"i" * 16))
    assert one.awaits(WELCOME)
    other = Caller(hello(instance=b"j" * 16))
    assert other.awaits(WELCOME)
    again = Caller(hello(instance=b"i" * 16))
    assert again.awaits(WELCOME)
    other.step()
    return one.awaits(SORRY, 7) and not other.find(SORRY)


# ---- what is wrong: the session ends with an error ----
def wrong_more_than_the_window():
    """What comes back has no window, so the target stops reading some time."""
    c = inside()
    c.say(opening(1))
    for _ in range(1000):
        if c.ended or c.s.state == "failed":
            return True
        c.say(message(DATA, 1, bytes(60000)))
        c.step()
    return False


WRONG_HELLO = {
    "no HELLO": opening(1), "version": hello(version=2), "too short": hello()[:17], "too long": hello(b"x" * 33),
}
WRONG = {
    "short message": [message(DATA, 1)[:4]], "type": [message(0x16, 1)], "type of the layer below": [hello()],
    "OPENED": [opening(1), message(OPENED, 1, u32(0))], "channel 0": [opening(0)], "channel in use": [opening(1), opening(1)],
    "zero byte in the target": [opening(1, b"ec\0ho")], "long target": [opening(1, b"x" * 256)],
    "WINDOW too long": [opening(1), message(WINDOW, 1, bytes(5))], "WINDOW too large": [opening(1), message(WINDOW, 1, u32(2**31))],
    "WINDOW again and again": [opening(1)] + 2 * [message(WINDOW, 1, u32(2**31 - 1))],
    "DATA behind END": [opening(1), message(END, 1), message(DATA, 1, b"x")], "END twice": [opening(1), message(END, 1), message(END, 1)],
    "END with more": [opening(1), message(END, 1, b"x")], "RESET without a reason": [opening(1), message(RESET, 1)],
}


def main():
    failed = 0
    tests = [(f.__name__.replace("_", " "), f) for f in (
        streams_and_half_close, windows, refusals, early_words, other_service, replacement, wrong_more_than_the_window)]
    tests += [("wrong hello: " + name, lambda m=m: Caller(m).is_cut()) for name, m in WRONG_HELLO.items()]

    def breaks(messages):
        c = inside()
        c.say(*messages)
        return c.is_cut()
    tests += [("wrong: " + name, lambda m=m: breaks(m)) for name, m in WRONG.items()]
    for name, test in tests:
        try:
            good = test()
        except (AssertionError, OSError) as fault:
            good = False
            print("  ", repr(fault)[:300])
        print("pass" if good else "FAIL", "spec/tool.md,", name)
        failed |= not good
    return failed


sys.exit(main())
