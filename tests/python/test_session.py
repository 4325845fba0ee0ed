# SPDX-License-Identifier: ISC
"""Session without input and output: splits, wrong peers, tampering, caller faults, time, wiping."""
import array
import copy
import gc
import hashlib
import hmac
import os
import pickle
import subprocess
import sys
import threading
import unittest
import weakref

import svconn
from lab import CLIENT_KEY, KINDS, PSK, SERVER_KEY, SERVER_SEED, carry, connected, feed, make, memory
from lab import identity as who
from svconn import (
    CLIENT, SERVER, Code, Config, Early, Failure, Identity, PeerTypes, Session, State, SvconnError, UsageError, WouldBlock,
)  # fmt: skip
from svconn._core import ffi, lib


def fails(test, code, call, *args):
    with test.assertRaises(Failure) as caught:
        call(*args)
    test.assertEqual(caught.exception.code, code)


def faults(test, code, call, *args, **kwds):
    with test.assertRaises(UsageError) as caught:
        call(*args, **kwds)
    test.assertEqual(caught.exception.code, code)


class Handshake(unittest.TestCase):
    def test_kinds(self):
        """keys, hidden and psk: both ends are connected, know each other and agree"""
        for kind in KINDS:
            client, server = connected(kind)
            self.assertEqual(client.authenticator(), server.authenticator())
            self.assertRegex(client.authenticator(), r"^\d{5}( \d{5}){3}$")
            self.assertEqual(client.export("label", 64, b"x"), server.export("label", 64, b"x"))
            self.assertNotEqual(client.export("label", 64, b"x"), client.export("label", 64, b"y"))
            self.assertEqual(client.peer, who(kind, SERVER).public)
            self.assertEqual(server.peer, who(kind, CLIENT).public)
            self.assertEqual(client.key_ids(), (1, 1))

    def test_every_split(self):
        """every split of every flight in two, and all in single bytes"""
        for kind in KINDS:
            self.whole(kind, lambda data: [data[i : i + 1] for i in range(len(data))])
            for flight in range(4):
                size = self.whole(kind, lambda data: [data])[flight]
                for at in range(size + 1):
                    self.whole(kind, lambda data: [data[:at], data[at:]], flight)

    def whole(self, kind, cut, only=None):
        """One connection. Returns the lengths of its flights: M1, M2, M3, two messages and CLOSE."""
        client, server = make(kind, CLIENT), make(kind, SERVER)
        sizes = []
        for one, other in ((server, client), (client, server), (server, client)):
            sizes.append(self.fly(one, other, cut if only in (None, len(sizes)) else lambda data: [data]))
        client.send(b"", 0.0)
        client.send(b"hello", 0.0)
        client.close(0.0)
        got = []
        data = client.wire_out()
        sizes.append(len(data))
        for piece in cut(data) if only in (None, 3) else [data]:
            while True:
                piece = piece[server.wire_in(piece, 0.0) :]
                message = server.recv()
                if message is None:
                    break
                got.append(message)
        self.assertEqual(got, [b"", b"hello"])
        self.assertTrue(server.ended)
        return sizes

    def fly(self, one, other, cut):
        data = one.wire_out()
        for piece in cut(data):
            feed(other, piece)
        return len(data)

    def test_partial_out(self):
        """wire_out in pieces"""
        session = make("key", SERVER)
        m1 = b"".join(iter(lambda: session.wire_out(7), b""))
        self.assertEqual(len(m1), 134)
        self.assertEqual(session.wire_out(), b"")

    def test_wrong_peers(self):
        """strangers, ourselves, another context, another psk, an unknown hidden server: refused for that reason"""
        stranger = Identity.ed25519(b"\x44" * 32)

        def meet(client, server, client_reason, server_reason):
            def run():
                for _ in range(4):
                    for one, other in ((server, client), (client, server)):
                        try:
                            feed(other, one.wire_out())
                        except Failure:
                            pass

            run()
            self.assertEqual((client.failure.reason, server.failure.reason), (client_reason, server_reason))
            for s in (client, server):
                self.assertEqual(s.state, State.FAILED)
                fails(self, s.failure.code, s.recv)

        meet(Session(CLIENT, stranger), make("key", SERVER), "aborted", "refused")
        meet(make("key", CLIENT), Session(SERVER, stranger), "refused", "aborted")
        meet(Session(CLIENT, who("key", SERVER)), make("key", SERVER), "self", "aborted")
        meet(make("key", CLIENT, context=b"a"), make("key", SERVER, context=b"b"), "proof", "aborted")
        meet(make("key", CLIENT), make("key", SERVER, hidden=True), "unknown", "aborted")
        meet(Session(CLIENT, Identity.psk(b"\x55" * 32, "client")), make("psk", SERVER), "proof", "aborted")
        meet(make("psk", CLIENT), make("key", SERVER), "type", "aborted")

    def test_psk_by_name(self):
        """a server with a key of its own, and the psk of each client by its name"""
        for psk, state in ((PSK, State.CONNECTED), (b"\x44" * 32, State.FAILED)):
            types = PeerTypes.PSK | PeerTypes.ED25519
            server = Session(SERVER, who("key", SERVER), Config(peer_types=types))
            client = Session(CLIENT, who("psk", CLIENT), Config(peer_types=types))
            feed(client, server.wire_out())
            server.wire_in(client.wire_out())
            self.assertEqual(server.state, State.NEEDS_PSK)
            self.assertEqual(server.peer, b"\2client")
            faults(self, Code.ARGUMENT, server.give_psk, b"short")
            key = bytearray(psk)
            if state == State.CONNECTED:
                server.give_psk(key)
                server.accept()
            else:
                fails(self, Code.PROOF, server.give_psk, key)
            self.assertEqual(key, bytes(32))
            self.assertEqual(server.state, state)

    def test_custom(self):
        """identities of the application's own, with HMAC for a proof, in both roles"""

        def mac(key, text):
            return hmac.new(key, text, hashlib.sha256).digest()

        for right in (b"k", b"j"):
            client = Session(CLIENT, Identity.custom(b"\x80client" + bytes(500)), Config(message_max=2000))
            server = Session(SERVER, Identity.custom(bytearray(b"\x80server")), Config(message_max=2000))
            questions = []
            try:
                for _ in range(4):
                    for one, other in ((server, client), (client, server)):
                        for s in (one, other):
                            while s.state in (State.NEEDS_PROOF, State.NEEDS_VERDICT):
                                questions.append((s.role, s.state))
                                if s.state == State.NEEDS_PROOF:
                                    faults(self, Code.STATE, s.peer_proof)
                                    s.prove(mac(b"k", s.proof_message()))
                                else:
                                    faults(self, Code.STATE, s.proof_message)
                                    proof, text = s.peer_proof()
                                    s.accept() if proof == mac(right, text) else s.refuse()
                        data = one.wire_out()
                        other.wire_in(data)
            except Failure as e:
                self.assertEqual((right, e.code), (b"j", Code.ABORTED))
                self.assertIn(Code.REFUSED, [s.failure.code for s in (client, server)])
                continue
            self.assertEqual(right, b"k")
            self.assertEqual(client.state, State.CONNECTED)
            self.assertEqual(client.peer, b"\x80server")
            self.assertIsNone(server.peer)  # too long to be kept
            self.assertEqual(len(questions), 6)

    def test_early(self):
        """messages before the confirmation, if the config allows them"""
        for early, state in ((Early.IF_SAFE, True), (Early.NEVER, False)):
            server, client = make("key", SERVER), make("key", CLIENT, early=early)
            feed(client, server.wire_out())
            self.assertEqual(client.state, State.CONFIRMING)
            faults(self, Code.STATE, client.authenticator)
            if not state:
                faults(self, Code.STATE, client.send, b"early")
                continue
            client.send(b"early", 0.0)
            feed(server, client.wire_out())
            self.assertEqual(server.recv(), b"early")

    def test_padding(self):
        """pad_to: M2 has the length that it asks for"""
        sizes = set()
        for size in (0, 128, 1000):
            server, client = make("key", SERVER), make("key", CLIENT, pad_to=size)
            feed(client, server.wire_out())
            sizes.add(len(client.wire_out()))
        self.assertEqual(sizes, {151, 34 + 128 + 16, 34 + 1000 + 16})


class Messages(unittest.TestCase):
    def test_sizes(self):
        """messages of many sizes, both ways, as bytes, bytearray, memoryview and array"""
        client, server = connected()
        for size in [0, 1, 15, 16, 17, 255, 256, 4096, 16384, 65535]:
            message = bytes(i * 7 & 255 for i in range(size))
            for form in (message, bytearray(message), memoryview(message), array.array("B", message)):
                for one, other in ((client, server), (server, client)):
                    one.send(form, 0.0)
                    feed(other, one.wire_out())
                    self.assertEqual(other.recv(), message)
                    self.assertIsNone(other.recv())

    def test_flow(self):
        """WouldBlock while there is no room; wire_in takes less while messages wait; nothing is lost"""
        client, server = connected(message_max=1000)
        sent = received = 0
        wire = b""
        while received < 500:
            try:
                while sent < 500:
                    client.send(b"%4d" % sent + bytes(sent), 0.0)
                    sent += 1
            except WouldBlock as e:
                self.assertEqual(e.code, Code.AGAIN)
            wire += client.wire_out(300)
            wire = wire[server.wire_in(wire, 0.0) :]
            message = server.recv()
            if message is not None:
                self.assertEqual(message, b"%4d" % received + bytes(received))
                received += 1

    def test_renewal(self):
        """renew: new keys in both directions"""
        client, server = connected()
        for i in range(5):
            client.send(b"x", 0.0)
            client.renew()
            client.send(b"y", 0.0)
            carry(client, server)
            self.assertEqual([server.recv(), server.recv()], [b"x", b"y"])
            server.send(b"z", 0.0)
            carry(client, server)
            self.assertEqual(client.recv(), b"z")
            self.assertEqual(client.key_ids(), server.key_ids()[::-1])
        self.assertEqual(client.key_ids(), (6, 6))

    def test_close(self):
        """close: half, then whole; the end of the link means nothing then"""
        client, server = connected()
        client.send(b"last", 0.0)
        client.close(0.0)
        faults(self, Code.STATE, client.send, b"more")
        carry(client, server)
        self.assertFalse(server.ended)
        self.assertEqual(server.recv(), b"last")
        self.assertTrue(server.ended)
        self.assertIsNone(server.recv())
        server.send(b"still", 0.0)
        server.close(0.0)
        self.assertEqual(server.state, State.CLOSED)
        feed(client, server.wire_out())
        self.assertEqual(client.recv(), b"still")
        self.assertEqual(client.state, State.CLOSED)
        client.wire_eof()
        server.wire_eof()
        self.assertIsNone(client.failure)

    def test_truncation(self):
        """the end of the link without CLOSE is a failure, behind the whole messages"""
        client, server = connected()
        fails(self, Code.TRUNCATED, client.wire_eof)
        client, server = connected()
        client.send(b"one", 0.0)
        client.send(b"two", 0.0)
        data = client.wire_out()
        server.wire_in(data[:-1], 0.0)
        server.wire_eof()
        self.assertEqual(server.recv(), b"one")
        self.assertFalse(server.ended)
        fails(self, Code.TRUNCATED, server.recv)
        fails(self, Code.ABSENT, make("key", CLIENT).wire_eof)

    def test_tampering(self):
        """any changed bit of any flight, a record left out, twice, or in another order: failure, no wrong message"""
        for kind in KINDS:
            for flight in range(3):
                for bit in range(0, 8 * (134, 151, 17)[flight], 37):
                    self.change(kind, flight, bit)
        for order in ([1], [0, 0], [0, 2], [0, 1, 1]):
            client, server = connected()
            records, got = [], []
            for i in range(3):
                client.send(b"message %d" % i, 0.0)
                records.append(client.wire_out())
            with self.assertRaises(Failure) as caught:
                for i in order:
                    server.wire_in(records[i], 0.0)
                    got.extend(iter(server.recv, None))
            self.assertEqual(caught.exception.code, Code.TAG)
            self.assertEqual(got, [b"message %d" % i for i in order[:-1]])

    def change(self, kind, flight, bit):
        client, server = make(kind, CLIENT), make(kind, SERVER)
        flights = ((server, client), (client, server), (server, client))
        try:
            for i, (one, other) in enumerate(flights):
                data = bytearray(one.wire_out())
                if i == flight and bit // 8 < len(data):
                    data[bit // 8] ^= 1 << bit % 8
                feed(other, bytes(data))
        except Failure:
            return
        # a length that grew: the rest is waited for, and does not come
        with self.assertRaises(Failure):
            while True:
                other.wire_in(bytes(10000))
                if other.recv() is not None:
                    self.fail("a changed flight was taken")

    def test_bits_of_a_record(self):
        """any changed bit of a record: failure"""
        for bit in range(8 * 21):
            client, server = connected()
            client.send(b"hello", 0.0)
            data = bytearray(client.wire_out())
            data[bit // 8] ^= 1 << bit % 8
            with self.assertRaises(Failure):
                server.wire_in(data, 0.0)
                self.assertIsNone(server.recv())
                server.wire_eof()


class Faults(unittest.TestCase):
    def unchanged(self, session, code, call, *args, **kwds):
        before = memory(session)
        faults(self, code, call, *args, **kwds)
        self.assertEqual(memory(session), before)

    def test_states(self):
        """what is called in the wrong state leaves the session as it was, to the last byte"""
        client, server = connected()
        waiting = make("key", CLIENT)
        asking = make("key", CLIENT)
        asking.wire_in(make("key", SERVER).wire_out(), 0.0)
        self.assertEqual(asking.state, State.NEEDS_VERDICT)
        for session in (client, waiting):
            for call in (session.accept, session.refuse, session.proof_message, session.peer_proof):
                self.unchanged(session, Code.STATE, call)
            self.unchanged(session, Code.STATE, session.accept_known, [])
            self.unchanged(session, Code.STATE, session.give_psk, PSK)
            self.unchanged(session, Code.STATE, session.prove, b"")
        for session in (asking, waiting):
            self.unchanged(session, Code.STATE, session.send, b"x", 0.0)
            self.unchanged(session, Code.STATE, session.close, 0.0)
            self.unchanged(session, Code.STATE, session.renew)
            self.unchanged(session, Code.STATE, session.authenticator)
            self.unchanged(session, Code.STATE, session.export, "x", 32)

    def test_arguments(self):
        """bad arguments leave the session as it was, to the last byte"""
        client, server = connected(message_max=100)
        self.unchanged(client, Code.SIZE, client.send, bytes(1000), 0.0)
        for label, length in (("x", 0), ("x", 8161), ("x", -1), ("a\0b", 32), ("authenticator", 32), ("x" * 65536, 32)):
            self.unchanged(client, Code.ARGUMENT, client.export, label, length)
        self.unchanged(client, Code.ARGUMENT, client.export, "x", 32, bytes(65536))
        for now in (-1.0, float("nan"), float("inf"), 1e30):
            self.unchanged(client, Code.ARGUMENT, client.tick, now)
            self.unchanged(client, Code.ARGUMENT, client.send, b"x", now)
        asking = make("key", CLIENT)
        asking.wire_in(make("key", SERVER).wire_out(), 0.0)
        self.unchanged(asking, Code.ARGUMENT, asking.accept_known, [bytes(31)])
        self.unchanged(asking, Code.ARGUMENT, asking.accept_known, [SERVER_KEY.hex()])
        before = memory(client)
        for call in (client.send, client.wire_in, client.prove, asking.accept_known, lambda x: client.export("x", 32, x)):
            with self.assertRaises(TypeError):
                call("text")
        with self.assertRaises(TypeError):
            asking.accept_known(SERVER_KEY)
        with self.assertRaises((ValueError, BufferError)):
            client.send(memoryview(b"abcdef")[::2])
        self.assertEqual(memory(client), before)

    def test_config(self):
        """bad configs and identities are caller faults that say what is wrong"""
        me = who("key", CLIENT)
        for options in (
            {"context": bytes(256)}, {"message_max": -1}, {"message_max": 65536}, {"pad_to": 65536}, {"pad_to": -1},
            {"renew_records": 0}, {"renew_records": (1 << 20) + 1}, {"renew_bytes": 1 << 31}, {"renew_interval": 121.0},
            {"renew_interval": 0.0}, {"handshake_timeout": 0.0}, {"silence_timeout": -1.0}, {"keepalive_interval": 1e10},
            {"keepalive_interval": float("nan")}, {"peer_types": 8}, {"hidden": True}, {"known_servers": (b"x",)},
        ):  # fmt: skip
            with self.subTest(options=options):
                faults(self, Code.ARGUMENT, Session, CLIENT, me, Config(**options))
        faults(self, Code.ARGUMENT, Identity.ed25519, bytes(32))
        faults(self, Code.ARGUMENT, Identity.ed25519, bytes(31))
        faults(self, Code.ARGUMENT, Identity.psk, bytes(32), "a")
        faults(self, Code.ARGUMENT, Identity.psk, PSK, "a" * 65)
        for bad in (b"", b"\x7f", b"\1" + SERVER_KEY):
            faults(self, Code.ARGUMENT, Identity.custom, bad)
        faults(self, Code.SEED, Session, CLIENT, me, seed=bytes(32))
        faults(self, Code.ARGUMENT, Session, CLIENT, me, seed=bytes(33))
        with self.assertRaises(ValueError):
            Session(3, me)

    def test_wiped_seed_again(self):
        """a bytearray that was wiped by one call is refused by the next"""
        seed = bytearray(SERVER_SEED)
        Identity.ed25519(seed)
        self.assertEqual(seed, bytes(32))
        faults(self, Code.ARGUMENT, Identity.ed25519, seed)
        view = memoryview(bytearray(SERVER_SEED))
        self.assertEqual(Identity.ed25519(view).public_key, SERVER_KEY)
        self.assertEqual(view, bytes(32))

    def test_errors(self):
        """one hierarchy; codes, short names and sentences are those of the library; exceptions can be pickled"""
        for kind in (UsageError, Failure, WouldBlock):
            self.assertTrue(issubclass(kind, SvconnError))
        self.assertTrue(issubclass(Failure, ConnectionError))
        self.assertFalse(issubclass(UsageError, OSError))
        self.assertEqual(sorted(Code), sorted(set(Code)))
        for code in Code:
            self.assertEqual(code.reason.replace("-", "_").upper(), code.name)
        failure = pickle.loads(pickle.dumps(Failure(Code.TAG)))
        self.assertEqual((failure.code, failure.reason, failure.errno), (Code.TAG, "tag", None))
        self.assertEqual(str(failure), "A record was changed, replayed, dropped or reordered on the way.")
        # nothing is missing: each number that the library has a sentence for has a code
        unknown = ffi.string(lib.svconn_strerror(1000))
        self.assertEqual([n for n in range(256) if ffi.string(lib.svconn_strerror(n)) != unknown], sorted(Code))

    def test_copies(self):
        """sessions and identities are not copied, not pickled"""
        for thing in (make("key", CLIENT), who("key", CLIENT)):
            with self.assertRaises(TypeError):
                copy.copy(thing)
            with self.assertRaises(TypeError):
                pickle.dumps(thing)


class Time(unittest.TestCase):
    def test_handshake(self):
        """the handshake has its deadline"""
        session = make("key", CLIENT, handshake_timeout=2.5)
        self.assertEqual(session.tick(100.0), 102.5)
        self.assertEqual(session.tick(102.4), 102.5)
        fails(self, Code.TIMEOUT, session.tick, 102.5)
        session = make("key", CLIENT, handshake_timeout=None)
        self.assertIsNone(session.tick(0.0))

    def test_keepalive_and_silence(self):
        """keep-alives keep a session; silence ends it"""
        client, server = connected(keepalive_interval=1.0, silence_timeout=3.0)
        for now in range(1, 20):
            for one, other in ((client, server), (server, client)):
                one.tick(float(now))
                feed(other, one.wire_out(), now=float(now))
        self.assertEqual(server.tick(21.9), 22.0)
        fails(self, Code.SILENT, server.tick, 22.0)
        self.assertEqual(server.wire_out()[-16:], bytes(16))

    def test_default_clock(self):
        """without a time it is time.monotonic()"""
        import time

        session = make("key", CLIENT)
        self.assertAlmostEqual(session.tick(), time.monotonic() + 10, delta=1)


class Wiping(unittest.TestCase):
    def is_wiped(self, kept):
        s, me, (_config, rx, tx, *_) = kept
        return not any(map(any, (bytes(ffi.buffer(x)) for x in (s, me, rx, tx))))

    def test_wipe(self):
        """wipe, the end of a with block, and nobody's need: session, identity and buffers are all zero"""
        for how in ("wipe", "with", "del", "cycle"):
            client, server = connected()
            client.send(b"secret", 0.0)
            kept = client._end.peek()[2]  # holds what the session points to
            self.assertFalse(self.is_wiped(kept))
            if how == "wipe":
                client.wipe()
                client.wipe()
                self.assertEqual(client.state, State.NONE)
            elif how == "with":
                with client:
                    pass
            else:
                if how == "cycle":
                    cycle = [client]
                    cycle.append(cycle)
                    del cycle
                del client
                gc.collect()
            self.assertTrue(self.is_wiped(kept), how)

    def test_after_wipe(self):
        """a session that was wiped refuses all, and harms nothing"""
        client, server = connected()
        client.wipe()
        for call in (client.accept, client.refuse, client.renew, client.recv, client.wire_eof, client.authenticator):
            faults(self, Code.STATE, call)
        for call in (client.send, client.wire_in, client.prove):
            faults(self, Code.STATE, call, b"x")
        self.assertEqual((client.wire_out(), client.peer, client.failure, client.key_ids()), (b"", None, None, (0, 0)))
        self.assertFalse(client.ended)
        client.abort()

    def test_identity(self):
        """an identity is erased when it is wiped or gone; sessions have a copy of their own"""
        me = who("key", CLIENT)
        kept = me._id
        server, client = make("key", SERVER), Session(CLIENT, me)
        me.wipe()
        self.assertFalse(any(bytes(ffi.buffer(kept))))
        self.assertEqual(me.public, b"")
        faults(self, Code.STATE, lambda: me.public_key)
        faults(self, Code.STATE, Session, CLIENT, me)
        carry(server, client)
        self.assertEqual(client.state, State.CONNECTED)
        with who("psk", CLIENT) as me:
            kept = me._id
            faults(self, Code.STATE, lambda: me.public_key)
        self.assertFalse(any(bytes(ffi.buffer(kept))))
        me = who("key", CLIENT)
        kept = me._id
        del me
        gc.collect()
        self.assertFalse(any(bytes(ffi.buffer(kept))))

    def test_failed_init(self):
        """a session that does not begin leaves no secret"""
        seen = []

        class Spy(weakref.finalize):
            __slots__ = ()

            def __init__(self, *args):
                super().__init__(*args)
                seen.append(args[2:])

        import svconn._session as module

        plain, module.weakref.finalize = weakref.finalize, Spy
        try:
            me, seed = who("key", CLIENT), bytearray(b"\x77" * 32)
            faults(self, Code.ARGUMENT, Session, CLIENT, me, Config(hidden=True), seed=seed)
        finally:
            module.weakref.finalize = plain
        self.assertTrue(self.is_wiped(seen[-1]))
        self.assertEqual(seed, bytes(32))

    def test_exit(self):
        """at the end of the interpreter sessions and identities are wiped"""
        code = """if True:
            import atexit, lab, svconn._session as m
            client, server = lab.connected()
            s, me, (config, rx, *rest) = client._end.peek()[2]
            def secrets(): return [any(bytes(m.ffi.buffer(x))) for x in (s, me, rx)]
            print(secrets())
            atexit._run_exitfuncs()
            print(secrets())"""
        here = os.path.dirname(os.path.abspath(__file__))
        out = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
        self.assertEqual(out.stdout, f"{[True] * 3}\n{[False] * 3}\n", out.stderr)

    def test_threads(self):
        """threads that use one session at the same time wait for each other"""
        client, server = connected()
        got = []

        def work():
            for _ in range(300):
                try:
                    client.send(b"x" * 50, 0.0)
                except WouldBlock:
                    pass
                got.append(client.wire_out())
                client.recv(), client.state, client.key_ids()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertIsNone(client.failure)
        self.assertEqual(sum(map(len, got)) % 66, 0)


class Small(unittest.TestCase):
    def test_names(self):
        """version, fingerprint, public parts"""
        self.assertRegex(svconn.__version__, r"^\d+\.\d+\.\d+$")
        self.assertRegex(svconn.fingerprint(who("key", SERVER).public), r"^\d{5}( \d{5}){5}$")
        self.assertEqual(who("psk", CLIENT).public, b"\2client")
        self.assertEqual(Identity.psk(PSK, b"\xff").public, b"\2\xff")
        self.assertEqual(Identity.custom(b"\x90abc").public, b"\x90abc")
        self.assertEqual(who("key", CLIENT).public, b"\1" + CLIENT_KEY)

    def test_config_c(self):
        """each option of Config reaches the C library"""
        from dataclasses import fields

        values = {
            "context": b"tie", "peer_types": PeerTypes.PSK, "hidden": True, "early": Early.ALWAYS, "pad_to": 77,
            "known_servers": (SERVER_KEY,), "renew_records": 5, "renew_bytes": 6, "renew_interval": 0.007,
            "handshake_timeout": 0.008, "keepalive_interval": None, "silence_timeout": 0.01, "message_max": 999,
        }  # fmt: skip
        self.assertEqual(set(values), {f.name for f in fields(Config)})
        s = Session(SERVER, who("key", SERVER), Config(**values))
        c, rx, tx, context, known, _ = s._end.peek()[2][2]
        got = [c.role, bytes(ffi.buffer(c.context, c.context_len)), c.peer_types, c.hidden, c.early, c.pad_to]
        self.assertEqual(got, [2, b"tie", 2, 1, 2, 77])
        got = [c.renew_records, c.renew_bytes, c.renew_ms, c.handshake_ms, c.keepalive_ms, c.silence_ms]
        self.assertEqual(got, [5, 6, 7, 8, 0xFFFFFFFF, 10])
        self.assertEqual(bytes(ffi.buffer(ffi.cast("char *", c.known_servers), 32 * c.known_servers_count)), SERVER_KEY)
        self.assertEqual((len(rx), len(tx)), (999 + 49, 999 + 49))

    def test_defaults(self):
        """the defaults of Config are those of the C library: as with zeros, where those are known from outside"""
        s = make("key", CLIENT)
        self.assertEqual(s.tick(0.0), 10.0)
        client, server = connected()
        self.assertEqual(client.tick(0.0), 20.0)
        client, server = connected(keepalive_interval=None)
        self.assertEqual(client.tick(0.0), 60.0)


if __name__ == "__main__":
    unittest.main()
