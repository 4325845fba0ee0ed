# SPDX-License-Identifier: ISC
"""test-vectors/svc1.txt through Session: every byte on the link, every message, every reason. The format: spec/vectors.md."""
import hashlib
import hmac
import os
import random
import sys
import unittest

from lab import ROOT
from svconn import CLIENT, SERVER, Config, Early, Failure, Identity, PeerTypes, Session, State

sys.path.insert(0, os.path.join(ROOT, "tests", "interop"))
import vectors  # noqa: E402

# RFC 8032, test 2
STRANGER = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ANY = PeerTypes.ED25519 | PeerTypes.PSK | PeerTypes.CUSTOM


class Case:
    def __init__(self, name, lines):
        self.name, self.lines = name, lines
        self.first = {}
        for key, value in lines:
            self.first.setdefault(key, value)

    def get(self, key, default=None):
        return self.first.get(key, default)

    def all(self, key):
        return [value for name, value in self.lines if name == key]


CASES = [Case(*case) for case in vectors.read(os.path.join(ROOT, "test-vectors", "svc1.txt"))]
POSITIVE = [case for case in CASES if case.get("input") is None and case.name != "early, with renewal"]
NEGATIVE = [case for case in CASES if case.get("input") is not None]


def identity(case, side):
    public, secret = case.get(side + "_identity"), case.get(side + "_secret")
    if public[0] == 1:
        return Identity.ed25519(secret)
    if public[0] == 2:
        return Identity.psk(secret, public[1:])
    return Identity.custom(public)


def pad_to(case):
    padding = int.from_bytes(case.get("padding", b""), "big")
    proof = 64 if case.get("client_identity")[0] == 1 else 32
    text = 2 + len(case.get("client_identity")) + 2 + proof
    return next(n for n in range(1, 65536) if -text % n == padding) if padding else 0


class Party:
    """A session and its application."""

    def __init__(self, case, side):
        self.case, self.side = case, side
        self.other = "client" if side == "server" else "server"
        self.now = 0.0
        self.refused = None
        options = {"context": case.get("context", b""), "peer_types": ANY, "keepalive_interval": 1.0}
        if side == "server":
            options["hidden"] = case.get("hidden") == b"\1"
        else:
            known = case.get("known", b"")
            options["known_servers"] = tuple(known[i : i + 32] for i in range(0, len(known), 32))
            if case.get("hidden") == b"\1" and case.get("known") is None:
                options["known_servers"] = (STRANGER, case.get("server_identity")[1:33])
            options["pad_to"] = pad_to(case)
            if case.get("early") is not None:
                options["early"] = Early.ALWAYS
        role = SERVER if side == "server" else CLIENT
        seed = bytearray(case.get(side + "_random"))
        self.session = Session(role, identity(case, side), Config(**options), seed=seed)
        assert seed == bytes(32)
        self.answer()

    def mac(self, side, text):
        return hmac.new(self.case.get(side + "_secret", b""), text, hashlib.sha256).digest()

    def refuse(self, why):
        self.refused = why
        self.session.refuse()

    def verdict(self):
        peer = self.session.peer
        proof, text = self.session.peer_proof()
        if (peer is None or peer[0] >= 0x80) and not hmac.compare_digest(proof, self.mac(self.other, text)):
            self.refuse("confirm" if text.startswith(b"SVC1 server confirm\0") else "proof")
        elif self.case.get("refuse") is not None:
            self.refuse("refused")
        else:
            self.session.accept()

    def answer(self):
        s = self.session
        try:
            while s.state in (State.NEEDS_PROOF, State.NEEDS_PSK, State.NEEDS_VERDICT):
                if s.state == State.NEEDS_PROOF:
                    s.prove(self.mac(self.side, s.proof_message()))
                elif s.state == State.NEEDS_VERDICT:
                    self.verdict()
                elif len(self.case.get(self.other + "_secret", b"")) == 32:
                    s.give_psk(self.case.get(self.other + "_secret"))
                else:
                    self.refuse("refused")
        except Failure:
            pass  # the session keeps it

    def feed(self, data, messages=None):
        while data:
            try:
                used = self.session.wire_in(data, self.now)
            except Failure:
                used = len(data)
            data = data[used:]
            self.answer()
            if messages is not None:
                self.fetch(messages)
                if self.session.state == State.FAILED:
                    return
            else:
                assert used, "the session is stuck"

    def fetch(self, messages):
        try:
            for message in iter(self.session.recv, None):
                messages.append(message)
        except Failure:
            pass


def pieces(data, how):
    """how: an int (so many bytes at once), a Random, or ("cut", place)"""
    at = 0
    if isinstance(how, tuple):
        yield data[: how[1]]
        at, how = how[1], len(data)
    while at < len(data):
        n = how if isinstance(how, int) else how.randrange(2 << how.randrange(16))
        yield data[at : at + n]
        at += n


class Positive(unittest.TestCase):
    def carry(self, party, data):
        for piece in pieces(data, self.how):
            party.feed(piece)

    def check_connected(self, party):
        s, case = party.session, party.case
        self.assertEqual(s.state, State.CONNECTED)
        self.assertEqual(s.authenticator().replace(" ", ""), case.get("authenticator"))
        self.assertEqual(s.export("test label", 80, b"\1\2\3"), case.get("export"))
        peer = case.get(party.other + "_identity")
        self.assertEqual(s.peer, peer if len(peer) <= 65 else None)

    def run_case(self, case, how):
        self.how = how
        client, server = Party(case, "client"), Party(case, "server")
        self.assertEqual(server.session.wire_out(), case.get("M1"))
        self.carry(client, case.get("M1"))
        self.assertEqual(client.session.wire_out(), case.get("M2"))
        self.carry(server, case.get("M2"))
        self.assertEqual(server.session.wire_out(), case.get("M3"))
        self.check_connected(server)
        if case.get("early") is None:
            self.carry(client, case.get("M3"))
            self.check_connected(client)
        queue = {"c2s": [], "s2c": []}
        for name, value in case.lines:
            way, _, what = name.partition("_")
            if name == "confirmed":
                self.assertEqual(client.session.state, State.CONFIRMING)
                self.carry(client, case.get("M3"))
                self.check_connected(client)
            elif name == "rounds":
                self.rounds(client, server, int.from_bytes(value, "big"))
            elif way in queue:
                sender, receiver = (client, server) if way == "c2s" else (server, client)
                self.event(what, value, sender, receiver, queue[way])
        for party in (client, server):
            self.assertEqual(party.session.wire_out(), b"")
            self.assertIsNone(party.session.failure)
            party.session.wipe()

    def event(self, what, value, sender, receiver, queue):
        if what == "renew":
            sender.session.renew()
        elif what == "send":
            sender.session.send(value, sender.now)
        elif what == "close":
            sender.session.close(sender.now)
        elif what == "keepalive":
            sender.session.tick(sender.now)
            sender.now += 1.0
            sender.session.tick(sender.now)
        elif what == "wire":
            self.assertEqual(sender.session.wire_out(), value)
            queue.append(value)
        elif what.startswith("take"):
            self.carry(receiver, queue.pop(0))
            self.assertEqual(receiver.session.recv(), value if what == "take" else None)
            if what == "take":
                self.assertIsNone(receiver.session.recv())
            self.assertEqual(receiver.session.ended, what == "take_close")
        else:
            self.assertEqual(what, "key")  # what follows from the chain shows in the records

    def rounds(self, client, server, n):
        for _ in range(n):
            client.session.renew()
            for one, other in ((client, server), (server, client)):
                one.session.send(b"", 0.0)
                other.feed(one.session.wire_out())
                self.assertEqual(other.session.recv(), b"")

    def test_positive(self):
        """svc1.txt: the positive cases, byte for byte; whole messages, single bytes, pieces of random lengths"""
        self.assertGreaterEqual(len(POSITIVE), 56)
        for case in POSITIVE:
            for how in (1 << 20,) if case.get("rounds") else (1 << 20, 1, random.Random(1)):
                with self.subTest(case=case.name, how=how):
                    self.run_case(case, how)

    def test_early_keepalive(self):
        """svc1.txt: early, with renewal"""
        self.skipTest("it has a keep-alive before the confirmation, which no public call sends")


class Negative(unittest.TestCase):
    def run_case(self, case, how):
        party = Party(case, case.get("to"))
        output, messages = party.session.wire_out(), []
        for piece in pieces(case.get("input"), how):
            party.feed(piece, messages)
            output += party.session.wire_out()
        if case.get("eof") is not None:
            try:
                party.session.wire_eof()
            except Failure:
                pass
            party.fetch(messages)
        output += party.session.wire_out()
        self.assertEqual(party.session.state, State.FAILED)
        reason = party.session.failure.reason
        self.assertEqual(party.refused if reason == "refused" else reason, case.get("reason"), case.get("about"))
        self.assertEqual(output, case.get("output"))
        self.assertEqual(messages, case.all("message"))
        with self.assertRaises(Failure) as caught:
            party.session.recv()
        self.assertEqual(caught.exception.code, party.session.failure.code)
        party.session.wipe()

    def test_negative(self):
        """svc1.txt: the negative cases: the same messages, output and reason; at once, and cut into two"""
        self.assertGreaterEqual(len(NEGATIVE), 505)
        for number, case in enumerate(NEGATIVE):
            size = len(case.get("input"))
            step = 13 if size < 1000 else size // 100
            for how in [size or 1] + [("cut", at) for at in range(1 + number % step, size, step)]:
                with self.subTest(case=case.name, how=how):
                    self.run_case(case, how)

    def test_bytes(self):
        """svc1.txt: the negative cases, in single bytes"""
        for case in NEGATIVE:
            with self.subTest(case=case.name):
                self.run_case(case, 1)


class Spoilt(unittest.TestCase):
    def test_spoilt(self):
        """svc1.txt: a changed bit of any value of a case is seen"""
        case = next(case for case in POSITIVE if case.name == "open, context")
        unseen = {"y", "Y", "x", "X", "T1", "pS", "p", "T2", "dh", "es", "ck", "T3", "client_key", "pC", "E_plain", "E",
                  "T4", "K_M", "chain_c2s", "chain_s2c", "exporter", "M3_plain", "padding"}  # fmt: skip
        for i, (name, value) in enumerate(case.lines):
            if name in unseen or name.endswith("_identity") or not value:
                continue  # not looked at here; of an Ed25519 identity it is the secret that counts
            spoilt = value[:-1] + "x" if isinstance(value, str) else value[:-1] + bytes([value[-1] ^ 1])
            lines = list(case.lines)
            lines[i] = (name, spoilt)
            with self.subTest(value=name):
                with self.assertRaises((AssertionError, Failure)):
                    Positive().run_case(Case(case.name, lines), 1 << 20)


if __name__ == "__main__":
    unittest.main()
