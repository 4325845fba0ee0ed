# SPDX-License-Identifier: ISC
"""Replays test-vectors/svc1.txt (spec/vectors.md) with svc1.py, both roles.   check_vectors.py [--quick | --self-test] [FILE]
--quick leaves out the case of 32,767 renewals, which takes 20 s."""
import copy
import os
import sys
from collections import deque

import svc1
import vectors

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test-vectors", "svc1.txt")
DECOY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")     # RFC 8032, 7.1, test 2
GIVEN = ("context", "hidden", "known", "server_identity", "server_secret", "server_random", "client_identity", "client_secret",
         "client_random", "padding")
VALUES = ("y Y x X T1 pS p M1 T2 dh es ck T3 client_key pC E_plain E M2 T4 K_M chain_c2s chain_s2c exporter M3_plain M3 "
          "authenticator export").split()
CONTENT = ("message", "output", "reason")       # what a negative case promises


class Mismatch(Exception):
    pass


def expect(what, seen, wanted):
    if seen != wanted:
        show = [v.hex() if isinstance(v, bytes) else repr(v) for v in (seen, wanted)]
        raise Mismatch(f"{what}: is {show[0][:200]} instead of {show[1][:200]}")


def vector_proof(key):
    """Type 80 in the vectors: HMAC-SHA-256(k, l || 00 || T)."""
    return lambda label, t: svc1.hmac_sha256(key, label + b"\0" + t)


def identity(wire, secret):
    if wire[0] == 1:
        who = svc1.Ed25519Identity(secret)
    elif wire[0] == 2:
        who = svc1.PskIdentity(secret, wire[1:])
    else:
        who = svc1.CustomIdentity(wire, vector_proof(secret))
    expect("identity of this secret", who.wire, wire)
    return who


def party(given, role, **options):
    """The session of one party, from what a case gives."""
    other = "client" if role == "server" else "server"
    me = identity(given[role + "_identity"], given[role + "_secret"])
    peer_secret = given.get(other + "_secret", b"")
    psk = me.psk if isinstance(me, svc1.PskIdentity) else peer_secret
    hidden = given.get("hidden") == b"\1"
    if role == "client":
        known = given["known"] if "known" in given else DECOY + given["server_identity"][1:] if hidden else b""
        options.update(known=[known[i:i + 32] for i in range(0, len(known), 32)],
                       padding=int.from_bytes(given.get("padding", b""), "big"))
    return svc1.Session(role, me, given[role + "_random"], context=given.get("context", b""), hidden=hidden,
                        psk_for=lambda name: psk, **options,
                        verify=lambda who, label, t, proof: proof == vector_proof(peer_secret)(label, t))


class Positive:
    """Fed with the lines of one case in their order."""

    def __init__(self, names):
        self.late = "confirmed" in names
        self.names, self.given, self.trace = names, {}, None
        self.wire, self.stepped, self.queues = None, False, {"c2s": deque(), "s2c": deque()}

    def handshake(self):
        client_trace, server_trace = {}, {}
        self.server = party(self.given, "server", trace=server_trace)
        self.client = party(self.given, "client", trace=client_trace, early="early" in self.names)
        self.client.receive(self.server.take_output())
        expect("failure of the client", self.client.reason, "")
        expect("identity that the client sees", self.client.peer, self.given["server_identity"])
        self.client.accept()
        self.server.receive(self.client.take_output())
        expect("failure of the server", self.server.reason, "")
        expect("identity that the server sees", self.server.peer, self.given["client_identity"])
        self.server.accept()
        self.m3 = self.server.take_output()
        for name in set(client_trace) & set(server_trace):
            expect(f"{name} of the server and of the client", server_trace[name], client_trace[name])
        self.trace = {**client_trace, **server_trace, "M3": self.m3}
        self.trace["authenticator"] = self.server.authenticator().replace(" ", "")
        self.trace["export"] = self.server.export(b"test label", b"\1\2\3", 80)
        if not self.late:
            self.confirm()

    def confirm(self):
        self.client.receive(self.m3)
        expect("state of the client", (self.client.state, self.client.reason), ("open", ""))
        expect("authenticator of the client", self.client.authenticator(), self.server.authenticator())
        expect("export of the client", self.client.export(b"test label", b"\1\2\3", 80), self.trace["export"])

    def feed(self, name, value):
        if name in GIVEN:
            self.given[name] = value
            return
        if self.trace is None:
            self.handshake()
        if name in self.trace:
            expect(name, self.trace[name], value)
        else:
            self.action(name, value)

    def action(self, name, value):
        if name not in ("c2s_key", "s2c_key", "c2s_wire", "s2c_wire"):
            expect("record without its line", self.wire, None)
        if name == "early":
            expect("client before M3", (self.client.state, value), ("confirm", b""))
        elif name == "confirmed":
            expect(name, value, b"")
            self.confirm()
        elif name == "rounds":
            self.rounds(int.from_bytes(value, "big"))
        else:
            way, _, what = name.partition("_")
            if way not in self.queues:
                raise Mismatch(f"no such name: {name}")
            ends = (self.client, self.server) if way == "c2s" else (self.server, self.client)
            self.direction(way, what, value, *ends)

    def direction(self, way, what, value, sender, receiver):
        if what == "renew":
            expect(what, value, b"")
            sender.renew()
        elif what in ("send", "keepalive", "close"):
            before = sender.sending.id
            if what == "send":
                sender.send(value)
            else:
                expect(what, value, b"")
                getattr(sender, what)()
            self.wire, self.stepped = sender.take_output(), sender.sending.id != before
        elif what == "key":
            d = sender.sending
            expect("step", self.stepped, True)
            expect(f"{way}_key", d.chain + d.key + d.iv, value)
            self.stepped = False
        elif what == "wire":
            expect("step without its line", self.stepped, False)
            expect(f"{way}_wire", self.wire, value)
            self.queues[way].append(self.wire)
            self.wire = None
        elif what in ("take", "take_keepalive", "take_close"):
            keepalives, closed = receiver.keepalives, receiver.close_received
            receiver.receive(self.queues[way].popleft())
            expect("failure", receiver.reason, "")
            got = [receiver.take() for _ in range(len(receiver.messages))], receiver.keepalives - keepalives, receiver.close_received > closed
            expect(f"{way}_{what}", got, ([value], 0, False) if what == "take" else ([], what == "take_keepalive", what == "take_close"))
            if what != "take":
                expect(what, value, b"")
        else:
            raise Mismatch(f"no such name: {way}_{what}")

    def rounds(self, count):
        for _ in range(count):
            self.client.renew()
            for sender, receiver in ((self.client, self.server), (self.server, self.client)):
                sender.send(b"")
                receiver.receive(sender.take_output())
                expect("failure in a round", receiver.reason, "")
                expect("message of a round", receiver.take(), b"")

    def end(self):
        expect("record without its line", self.wire, None)
        missing = [n for n in VALUES if n not in self.names]
        missing += ["hidden_key"] if self.given.get("hidden") == b"\1" and "hidden_key" not in self.names else []
        expect("values that are not there", missing, [])


def run_party(session, data, refuse, eof, piece):
    """One party alone; returns (messages, output, reason)."""
    for i in range(0, len(data), piece):
        session.receive(data[i:i + piece])
        if session.state == "decide":
            session.refuse() if refuse else session.accept()
    if eof:
        session.end_of_link()
    return [session.take() for _ in range(len(session.messages))], session.take_output(), session.reason


def check_negative(values, pieces=(1 << 30, 1)):
    given = {name: value for name, value in values if name in GIVEN}
    rest = {name: value for name, value in values if name not in GIVEN}
    unknown = set(rest) - {"to", "input", "message", "output", "reason", "about", "refuse", "eof"}
    expect("names that are not known", unknown, set())
    for piece in pieces:
        seen = run_party(party(given, rest["to"]), rest["input"], "refuse" in rest, "eof" in rest, piece)
        expect("messages", seen[0], [value for name, value in values if name == "message"])
        expect("output", seen[1], rest["output"])
        expect("reason", seen[2], rest["reason"])


def check_positive(values):
    case = Positive([name for name, _ in values])
    for name, value in values:
        case.feed(name, value)
    case.end()


def check(values):
    check_negative(values) if "reason" in dict(values) else check_positive(values)


def spoil(value):
    """The same value with one byte changed; an empty one gets a byte."""
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1"


def self_test(values):
    """The names of the values whose defect was not noticed, and how many were planted."""
    missed, planted = [], 0
    if "reason" in dict(values):
        for i, (name, value) in enumerate(values):
            if name in CONTENT:
                planted += 1
                try:
                    check_negative(values[:i] + [(name, spoil(value))] + values[i + 1:], (1 << 30,))
                    missed.append(name)
                except Mismatch:
                    pass
        return missed, planted
    world = Positive([name for name, _ in values])
    for i, (name, value) in enumerate(values):
        planted += 1
        other = copy.deepcopy(world)            # the state in front of this line, so that only what follows it is replayed
        try:
            other.feed(name, spoil(value))
            for line in values[i + 1:]:
                other.feed(*line)
            missed.append(name)
        except (Mismatch, svc1.Failure, ValueError, IndexError):
            pass
        world.feed(name, value)
    return missed, planted


def main(arguments):
    test_self, quick = "--self-test" in arguments, "--quick" in arguments
    files = [a for a in arguments if not a.startswith("-")]
    cases = vectors.read(files[0] if files else FILE)
    failed, total = not cases, 0
    for name, values in cases:
        wrong = ""
        if quick and any(n == "rounds" for n, _ in values):
            print(f"skip vectors in python: {name}: takes 20 s; check_vectors.py without --quick")
            continue
        try:
            if test_self:
                missed, planted = self_test(values)
                total += planted
                wrong = "defects that nobody noticed: " + " ".join(missed) if missed or not planted else ""
            else:
                check(values)
        except (Mismatch, svc1.Failure, ValueError, KeyError, IndexError) as error:
            wrong = f"{type(error).__name__}: {error}"
        title = ("self-test of " if test_self else "") + "vectors in python: " + name
        if wrong:
            print("  " + wrong)
        print(("FAIL " if wrong else "pass ") + title)
        failed = failed or bool(wrong)
    if test_self:
        print(f"  {total} defects were planted")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
