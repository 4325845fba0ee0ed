# SPDX-License-Identifier: ISC
"""Makes test-vectors/svc1.txt (spec/vectors.md), the same bytes every time.   gen_vectors.py [--check] [FILE]"""
import hashlib
import sys
from collections import deque

import svc1
import vectors
from check_vectors import DECOY, FILE, VALUES, identity, party, run_party, vector_proof
from svc1 import L, P

COMMENTS = """Source: tests/interop/gen_vectors.py, written from spec/protocol.md. The format: spec/vectors.md.
Made by "make vectors". No randomness: secrets and seeds are hashes of their names.
Not here: key-limit (2^20 records or 2^30 bytes in one input), timeout and silent (no time passes), limits on the size of a message
(an implementation chooses its own).""".split("\n")

CASES = []


def secret(name):
    return hashlib.sha256(b"SVC-1 test vectors: " + name.encode()).digest()


# ---- what is given ---------------------------------------------------------------------------------------------

def wire(kind, who):
    """An identity, and the secret that belongs to it. kind: 1, 2 (the name is who), or a type from 0x80 with a body."""
    if kind == 1:
        key = secret(who + " key")
        return svc1.Ed25519Identity(key).wire, key
    if kind == 2:
        return b"\x02" + who.encode(), secret("psk")
    return bytes([kind]) + who.encode(), secret(who + " custom key")


def given(name, server=1, client=1, context=b"", hidden=False, padding=0, **changes):
    """server and client: a type, or (identity, secret)."""
    server = server if isinstance(server, tuple) else wire(server, "server")
    client = client if isinstance(client, tuple) else wire(client, "client")
    values = {"context": context}
    if hidden:
        values["hidden"] = b"\1"
    values.update(server_identity=server[0], server_secret=server[1], server_random=secret(name + " server random"),
                  client_identity=client[0], client_secret=client[1], client_random=secret(name + " client random"),
                  padding=svc1.u16(padding))
    values.update(changes)
    return values


# ---- positive cases --------------------------------------------------------------------------------------------

class Positive:
    """Runs both sessions and writes down every line."""

    def __init__(self, name, early=False, **options):
        self.start = given(name, **options)
        self.lines = list(self.start.items())
        trace = {}
        self.server = party(self.start, "server", trace=trace)
        self.client = party(self.start, "client", trace=trace, early=early)
        self.client.receive(self.server.take_output())
        self.client.accept()
        self.server.receive(self.client.take_output())
        self.server.accept()
        self.m3 = trace["M3"] = self.server.take_output()
        trace["authenticator"] = self.server.authenticator().replace(" ", "")
        trace["export"] = self.server.export(b"test label", b"\1\2\3", 80)
        for value in VALUES:
            if value == "p" and self.start.get("hidden"):
                self.lines.append(("hidden_key", trace["hidden_key"]))
            self.lines.append((value, trace[value]))
        self.queues = {"c2s": deque(), "s2c": deque()}
        if early:
            self.line("early")
        else:
            self.client.receive(self.m3)
        CASES.append((name, self.lines))

    def line(self, name, value=b""):
        self.lines.append((name, value))

    def confirmed(self):
        self.line("confirmed")
        self.client.receive(self.m3)

    def ends(self, way):
        return (self.client, self.server) if way == "c2s" else (self.server, self.client)

    def renew(self, way):
        self.ends(way)[0].renew()
        self.line(way + "_renew")

    def record(self, way, what, message=b""):
        sender = self.ends(way)[0]
        before = sender.sending.id
        sender.send(message) if what == "send" else getattr(sender, what)()
        self.line(f"{way}_{what}", message)
        d = sender.sending
        if d.id != before:
            self.line(way + "_key", d.chain + d.key + d.iv)
        record = sender.take_output()
        self.line(way + "_wire", record)
        self.queues[way].append((what, record))

    def send(self, way, message):
        self.record(way, "send", message)

    def keepalive(self, way):
        self.record(way, "keepalive")

    def close(self, way):
        self.record(way, "close")

    def take(self, way):
        what, record = self.queues[way].popleft()
        receiver = self.ends(way)[1]
        receiver.receive(record)
        assert not receiver.reason, receiver.reason
        if what == "send":
            self.line(way + "_take", receiver.take())
        else:
            self.line(f"{way}_take_{what}")

    def pass_on(self, way, message):
        self.send(way, message)
        self.take(way)

    def chat(self, *messages):
        """The messages, by turns of the CLIENT and the SERVER."""
        for i, message in enumerate(messages):
            self.pass_on("s2c" if i % 2 else "c2s", message)

    def finish(self, first="c2s"):
        for way in (first, "s2c" if first == "c2s" else "c2s"):
            self.close(way)
            self.take(way)

    def rounds(self, count):
        self.line("rounds", svc1.u16(count))
        for _ in range(count):
            self.client.renew()
            for sender, receiver in ((self.client, self.server), (self.server, self.client)):
                sender.send(b"")
                receiver.receive(sender.take_output())
                receiver.take()


def positives():
    hello = b"hello", b"", b"\0" * 16, b"good bye"
    long_name = "n" * 64
    for name, options in (
            ("open", {}),
            ("open, context", dict(context=b"example 1.0")),
            ("open, context of 255 bytes", dict(context=bytes(range(255)))),
            ("open, padding to 256", dict(padding=256 - 2 - 33 - 2 - 64)),
            ("open, padding of 1 byte", dict(padding=1)),
            ("open, largest E", dict(padding=16384 - 16 - 2 - 33 - 2 - 64)),
            ("hidden", dict(hidden=True)),
            ("hidden, context, padding", dict(hidden=True, context=b"example 1.0", padding=155)),
            ("psk", dict(server=2, client=2)),
            ("psk, context, padding", dict(server=2, client=2, context=b"\0", padding=300)),
            ("psk, empty name of the server", dict(server=wire(2, ""), client=2)),
            ("psk, empty name of the client", dict(server=2, client=wire(2, ""))),
            ("psk, names of 64 bytes", dict(server=wire(2, long_name), client=wire(2, "m" + long_name[1:]))),
            ("server key, client psk", dict(server=1, client=2)),
            ("server key, client psk, hidden", dict(server=1, client=2, hidden=True)),
            ("server psk, client key", dict(server=2, client=1)),
            ("server key, client custom", dict(server=1, client=0x80)),
            ("server key, client custom, hidden", dict(server=1, client=0x80, hidden=True)),
            ("server custom, client key", dict(server=0x80, client=1)),
            ("server custom, client psk", dict(server=0x80, client=2)),
            ("server psk, client custom", dict(server=2, client=0x80)),
            ("custom", dict(server=0x80, client=0x80, context=b"c", padding=7)),
            ("custom, empty bodies", dict(server=(b"\x80", secret("a")), client=(b"\xff", secret("b")))),
            ("custom, long identities", dict(server=wire(0x80, "s" * 2000), client=wire(0x80, "c" * 2000)))):
        case = Positive(name, **options)
        case.chat(*hello)
        case.finish("s2c" if len(name) % 2 else "c2s")

    for way, other in (("c2s", "s2c"), ("s2c", "c2s")):
        case = Positive(f"close: {way} first, the other goes on")
        case.pass_on(way, b"last")
        case.close(way)
        case.send(other, b"on its way")
        case.take(way)
        case.take(other)
        case.pass_on(other, b"after the peer's CLOSE")
        case.keepalive(other)
        case.take(other)
        case.close(other)
        case.take(other)
    case = Positive("close: both at once")
    case.close("c2s")
    case.close("s2c")
    case.take("s2c")
    case.take("c2s")

    case = Positive("keep-alive")
    for way in ("s2c", "c2s", "c2s", "s2c"):
        case.keepalive(way)
        case.take(way)
    case.pass_on("c2s", b"data")
    case.finish()

    early = b"early 1", b"", b"early 3"
    for name, options in (("early", {}), ("early, hidden", dict(hidden=True)), ("early, psk", dict(server=2, client=2)),
                          ("early, custom, by request", dict(server=0x80, client=0x80))):
        case = Positive(name, early=True, **options)
        for message in early:
            case.send("c2s", message)
        case.take("c2s")
        case.send("s2c", b"before the CLIENT has M3")
        case.confirmed()
        case.take("c2s")
        case.take("s2c")
        case.take("c2s")
        case.chat(b"late", b"late too")
        case.finish()
    case = Positive("early, with renewal", early=True)
    case.send("c2s", b"key 1")
    case.renew("c2s")
    case.send("c2s", b"key 2")
    case.keepalive("c2s")
    case.take("c2s")
    case.take("c2s")
    case.send("s2c", b"the SERVER follows")
    case.confirmed()
    case.take("c2s")
    case.take("s2c")
    case.finish()

    for way, other in (("c2s", "s2c"), ("s2c", "c2s")):
        case = Positive(f"renewal: by the sender of {way}")
        case.pass_on(way, b"1")
        case.renew(way)
        case.pass_on(way, b"2")
        case.pass_on(other, b"follows, or has sent nothing under its key yet")
        case.pass_on(other, b"once more")
        case.pass_on(way, b"no step")
        case.finish(other)
        case = Positive(f"renewal: asked before the first record of {way}")
        case.renew(way)
        case.pass_on(way, b"1")
        case.pass_on(way, b"2")
        case.pass_on(way, b"3")
        case.chat(b"4", b"5")
        case.finish()
        case = Positive(f"renewal: three steps of {way} before the other side sends")
        case.pass_on(other, b"0")
        for i in range(4):
            case.renew(way)
            case.send(way, b"%d" % i)
        for i in range(4):
            case.take(way)
        for i in range(6):
            case.pass_on(other, b"after %d" % i)
        case.pass_on(way, b"end")
        case.finish()
        case = Positive(f"renewal: {way}, with records of the other side on their way")
        case.chat(b"a", b"b")
        case.send(other, b"old key 1")
        case.send(other, b"old key 2")
        case.renew(way)
        case.send(way, b"new key")
        case.send(way, b"new key, second record")
        case.take(other)
        case.take(way)
        case.send(other, b"follows")
        for _ in range(2):
            case.take(other)
        case.take(way)
        case.pass_on(way, b"no step")
        case.finish(way)
        case = Positive(f"renewal: a step of {way} that follows clears its own request")
        case.chat(b"a", b"b")
        case.renew(other)
        case.pass_on(other, b"other renews")
        case.renew(way)
        case.pass_on(way, b"one step")
        case.pass_on(way, b"no step")
        case.pass_on(other, b"no step")
        case.finish()
        case = Positive(f"renewal: with control records of {way}")
        case.chat(b"a", b"b")
        case.renew(way)
        case.keepalive(way)
        case.take(way)
        case.keepalive(other)
        case.take(other)
        case.renew(way)
        case.close(way)
        case.take(way)
        case.close(other)
        case.take(other)
    case = Positive("renewal: both at once")
    case.chat(b"a", b"b")
    for _ in range(3):
        case.renew("c2s")
        case.renew("s2c")
        case.send("c2s", b"x")
        case.send("s2c", b"y")
        case.take("c2s")
        case.take("s2c")
    case.chat(b"no step", b"no step")
    case.finish()
    case = Positive("renewal: both at once, one of them twice")
    case.chat(b"a", b"b")
    case.renew("c2s")
    case.send("c2s", b"x")
    case.renew("c2s")
    case.send("c2s", b"x again")
    case.renew("s2c")
    case.send("s2c", b"y")
    for way in ("c2s", "c2s", "s2c"):
        case.take(way)
    case.chat(b"no step", b"follows", b"no step", b"no step")
    case.finish()

    for name, options in (("renewal: hidden", dict(hidden=True)), ("renewal: psk", dict(server=2, client=2)),
                          ("renewal: custom", dict(server=0x80, client=0x80))):
        case = Positive(name, **options)
        case.chat(b"a", b"b")
        case.renew("s2c")
        case.chat(b"c", b"d", b"e", b"f")
        case.finish()
    for seed in ("one", "two", "three"):
        mixture("mixture " + seed)

    case = Positive("300 records under one key")
    for i in range(300):
        case.pass_on("c2s", b"%d" % i)
    case.pass_on("s2c", b"one")
    case.finish()

    case = Positive("messages of 15 to 1000 bytes")
    for size in (15, 16, 17, 31, 32, 33, 255, 256, 257, 1000):
        case.pass_on("c2s" if size % 2 else "s2c", bytes(i % 251 for i in range(size)))
    case.finish()
    case = Positive("message of 65535 bytes")
    case.pass_on("s2c", bytes(i * i % 253 for i in range(65535)))
    case.pass_on("s2c", b"")
    case.finish()

    case = Positive("key id: 32767 and then 1")
    case.chat(b"first", b"first")
    case.rounds(32765)
    case.chat(b"no step", b"no step")
    for i in range(4):
        case.renew("s2c" if i % 2 else "c2s")
        case.chat(b"a", b"b")
    case.finish()


def mixture(name):
    """A long talk whose course is drawn from a hash."""
    case = Positive(name)
    dice = hashlib.shake_256(secret(name)).digest(1200)
    for i in range(0, len(dice), 3):
        way = ("c2s", "s2c")[dice[i] & 1]
        what = dice[i + 1] % 10
        if what < 4 and case.queues[way]:
            case.take(way)
        elif what < 7:
            case.send(way, dice[i:i + dice[i + 2] % 4])
        elif what == 7:
            case.keepalive(way)
        else:
            case.renew(way)
    for way in ("c2s", "s2c"):
        while case.queues[way]:
            case.take(way)
    case.finish()


# ---- negative cases --------------------------------------------------------------------------------------------

def negative(name, to, reason, about, data, values, messages=(), eof=False, refuse=False):
    """The reason and the messages are stated by hand, and must be what the session under test shows; its output is recorded."""
    name = f"{to}: {reason}: {name}"
    seen = run_party(party(values, to), data, refuse, eof, 1 << 30)
    if run_party(party(values, to), data, refuse, eof, 7) != seen:
        raise SystemExit(f"{name}: it matters in which pieces the bytes arrive")
    if (seen[0], seen[2]) != (list(messages), reason):
        raise SystemExit(f"{name}: {seen[2] or 'no failure'}, {seen[0]}")
    lines = list(values.items()) + [("to", to), ("input", data)]
    lines += [("eof", b"")] * eof + [("refuse", b"")] * refuse + [("message", m) for m in messages]
    CASES.append((name, lines + [("output", seen[1]), ("reason", reason), ("about", about)]))


def make_m1(values, wid=None, prove=None, y_public=None, context=None, version=b"\1", p=None):
    """A SERVER that may lie. prove: from T1 to pS, default the honest one. y_public: default the honest one."""
    honest = party(values, "server")
    y_public = y_public or honest.public
    hidden = values.get("hidden") == b"\1"
    wid = values["server_identity"] if wid is None else wid
    t1 = svc1.hash_t1(values["context"] if context is None else context, y_public, b"" if hidden else wid, wid)
    if p is None:
        p = prove(t1) if prove else honest.identity.prove(b"SVC1 server hello", t1)
        if hidden:
            p = svc1.seal(svc1.hidden_key(y_public, wid), bytes(12), b"", p, 16)
    return version + y_public + svc1.lp(b"" if hidden else wid) + svc1.lp(p)


def meet(values, up_to):
    """Honest parties: the trace of the CLIENT, and both sessions, run up to M1, M2 or M3."""
    trace = {}
    server, client = party(values, "server"), party(values, "client", trace=trace)
    m1 = server.take_output()
    client.receive(m1)
    client.accept()
    m2 = client.take_output()
    m3 = b""
    if up_to == 3:
        server.receive(m2)
        server.accept()
        m3 = server.take_output()
        client.receive(m3)
        assert client.state == server.state == "open"
    return trace, server, client, m1, m2, m3


def make_m2(values, id_c=None, prove=None, padding=b"", plain=None, e=None):
    """A CLIENT that may lie. prove: from T3 to the proof. plain: in place of the whole plaintext; e: from ck to E."""
    trace = meet(values, 2)[0]
    id_c = values["client_identity"] if id_c is None else id_c
    if plain is None:
        t3 = svc1.hash_t3(trace["T2"], id_c)
        proof = prove(t3) if prove else identity(values["client_identity"], values["client_secret"]).prove(b"SVC1 client proof", t3)
        plain = svc1.lp(id_c) + svc1.lp(proof) + padding
    e = e(trace["ck"]) if e else svc1.seal_e(trace["ck"], plain)
    return trace["X"] + svc1.lp(e)


def flip(data, at, bit=1):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]


# -- keys, points and signatures that must not pass

def sign(scalar, public, message, r_wire=None, r=None):
    """An Ed25519 signature whose R and public key may be odd (1.3). r_wire: R = 0 or of small order, so r is 0."""
    r = (int.from_bytes(hashlib.sha512(b"r" + message).digest(), "little") % L if r is None else r) if r_wire is None else 0
    r_wire = r_wire or svc1.point_encode(svc1.point_mul(r, svc1.BASE))
    k = int.from_bytes(hashlib.sha512(r_wire + public + message).digest(), "little") % L
    return r_wire + ((r + k * scalar) % L).to_bytes(32, "little"), k


def clamped(seed):
    n = bytearray(hashlib.sha512(seed).digest()[:32])
    n[0] &= 248
    n[31] = n[31] & 127 | 64
    return int.from_bytes(n, "little")


def torsion():
    """A point of order 8."""
    y = 2
    while True:
        point = svc1.point_decode(y.to_bytes(32, "little"))
        point = point and svc1.point_mul(L, point)
        if point and svc1.point_encode(svc1.point_mul(4, point)) != svc1.point_encode(svc1.NEUTRAL):
            return point
        y += 1


def le(n):
    return n.to_bytes(32, "little")


SIGN_BIT = 1 << 255
TORSION = torsion()
SMALL = [svc1.point_encode(svc1.point_mul(i, TORSION)) for i in range(8)]
OFF_CURVE = next(y for y in range(2, 50) if svc1.point_decode(le(y)) is None)
ON_CURVE = next(y for y in range(3, 19) if svc1.key_acceptable(le(y)))
BAD_KEYS = [(f"small order, {i} times a point of order 8", key) for i, key in enumerate(SMALL)] + [
    ("x = 0 with the sign bit, y = 1", le(1 | SIGN_BIT)),
    ("x = 0 with the sign bit, y = -1", le(P - 1 | SIGN_BIT)),
    ("y = p", le(P)), ("y = p with the sign bit", le(P | SIGN_BIT)),
    ("y = p + 1", le(P + 1)), ("y = p + 1 with the sign bit", le(P + 1 | SIGN_BIT)),
    (f"y = p + {ON_CURVE}, which is on the curve", le(P + ON_CURVE)),
    ("y = 2^255 - 1", le(SIGN_BIT - 1)), ("all bits set", le(2**256 - 1)),
    ("not on the curve", le(OFF_CURVE)), ("not on the curve, with the sign bit", le(OFF_CURVE | SIGN_BIT))]
ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504      # a u of order 8
ORDER_8_TOO = 39382357235489614581723060781553021112529911719440698176882885853963445705823
BAD_POINTS = [(name, le(u | high)) for high in (0, SIGN_BIT) for name, u in (
    ("0", 0), ("1", 1), ("of order 8", ORDER_8), ("of order 8, the other", ORDER_8_TOO), ("p - 1", P - 1), ("p", P), ("p + 1", P + 1))]
BAD_POINTS = [(name + (", highest bit set" if point[31] & 128 else ""), point) for name, point in BAD_POINTS]


def bad_signatures(seed):
    """(name, about, from a signed message to a signature that must not verify)."""
    key = svc1.Ed25519Identity(seed)
    public, a = key.wire[1:], clamped(seed)

    def honest(m):
        return sign(a, public, m)[0]

    def s_plus(n):
        return lambda m: honest(m)[:32] + le(int.from_bytes(honest(m)[32:], "little") + n * L)

    return [
        ("a bit of R", "1.3", lambda m: flip(honest(m), 0)),
        ("a bit of S", "1.3", lambda m: flip(honest(m), 32)),
        ("the sign bit of R", "1.3", lambda m: flip(honest(m), 31, 128)),
        ("S + L", "1.3: S < L", s_plus(1)),
        ("S + 2 L", "1.3: S < L", s_plus(2)),
        ("all zero", "1.3", lambda m: bytes(64)),
        ("R = p + 1, the identity not in canonical form", "1.3: comparing bytes refuses every non-canonical R",
         lambda m: sign(a, public, m, le(P + 1))[0]),
        ("R = identity with the sign bit", "1.3: comparing bytes refuses every non-canonical R",
         lambda m: sign(a, public, m, le(1 | SIGN_BIT))[0]),
        ("R with a small-order part", "1.3: the equation without cofactor", lambda m: with_torsion(a, public, m)),
    ]


def with_torsion(a, public, message):
    r = int.from_bytes(hashlib.sha512(b"r" + message).digest(), "little") % L
    wire_r = svc1.point_encode(svc1.point_add(svc1.point_mul(r, svc1.BASE), TORSION))
    k = int.from_bytes(hashlib.sha512(wire_r + public + message).digest(), "little") % L
    return wire_r + le((r + k * a) % L)


def mixed_key(seed):
    """A public key with a part of order 8, and (from a message and whether the equation without cofactor holds) a signature by it."""
    a = clamped(seed)
    public = svc1.point_encode(svc1.point_add(svc1.point_mul(a, svc1.BASE), TORSION))

    def proof(message, right):
        r = 1
        while True:
            signature, k = sign(a, public, message, r=r)
            if (k % 8 == 0) == right:
                return signature
            r += 1
    return public, proof


# -- to the CLIENT

def client_m1():
    case = given("client M1")
    m1 = make_m1(case)
    custom, psk, hidden = given("client custom", server=0x80), given("client psk", server=2, client=2), given("client hidden", hidden=True)

    def bad(name, reason, about, data, values=case, **more):
        negative(name, "client", reason, about, data, values, **more)

    bad("no byte", "absent", "7.3: the link ended before the first byte", b"", eof=True)
    for name, at in (("1 byte", 1), ("in Y", 20), ("before len wid", 33), ("in len wid", 34), ("before wid", 35), ("in wid", 50),
                     ("before len p", 68), ("in len p", 69), ("before p", 70), ("in p", 133)):
        bad("M1, " + name, "truncated", "7.3: a failed handshake", m1[:at], eof=True)
    for values, name in ((case, "open"), (hidden, "hidden"), (psk, "psk"), (custom, "custom")):
        bad("after M1, " + name, "truncated", "7.3: a failed handshake", make_m1(values), values, eof=True)
    for first in (2, 3, 0x16, 0x53, 0x80, 0xff):
        bad(f"{first:02x}", "version", "3.5 step 1", bytes([first]))
    bad("02 in a good M1", "version", "3.5 step 1, 13", b"\2" + m1[1:])
    bad("SSH", "version", "3.5 step 1", b"SSH-2.0-OpenSSH_9.2\r\n", eof=True)
    bad("first byte of M1 is 00", "aborted", "7.2: decided by the first byte", b"\0")
    bad("error packet in place of M1", "aborted", "7.2", bytes(16))
    bad("00 in a good M1", "aborted", "7.2", b"\0" + m1[1:])

    start = m1[:33]
    for values, name in ((case, ""), (hidden, ", hidden"), (psk, ", psk")):
        for size in (16385, 65535):
            bad(f"len wid {size}{name}", "limit", "3.5 step 2, 3.9; decided as soon as it is known", start + svc1.u16(size), values)
    for size in (16385, 65535):
        bad(f"len p {size}", "limit", "3.5 step 2, 3.9; decided as soon as it is known", m1[:68] + svc1.u16(size))
        bad(f"len p {size}, custom", "limit", "3.5 step 2, 3.9",
            start + svc1.lp(custom["server_identity"]) + svc1.u16(size), custom)
        bad(f"len p {size}, hidden", "limit", "3.5 step 2, 3.9", start + svc1.u16(0) + svc1.u16(size), hidden)
    for size in (1, 2, 32, 34, 16384):
        bad(f"type 01 of {size} bytes", "format", "3.5 step 2: the length of the identity",
            start + svc1.lp((m1[35:68] + bytes(size))[:size]) + svc1.lp(bytes(64)))
    for size in (66, 255, 16384):
        bad(f"type 02 of {size} bytes", "format", "3.5 step 2: the length of the identity",
            start + svc1.lp(b"\2" + b"n" * (size - 1)) + svc1.lp(bytes(32)), psk)
    for size in (0, 32, 63, 65, 80):
        bad(f"proof of type 01 of {size} bytes", "format", "3.5 step 2: the length of the proof", m1[:68] + svc1.lp(bytes(size)))
    for size in (0, 31, 33, 64):
        bad(f"proof of type 02 of {size} bytes", "format", "3.5 step 2: the length of the proof", make_m1(psk, p=bytes(size)), psk)
    for size in (0, 16, 64, 79, 81):
        bad(f"hidden p of {size} bytes", "format", "3.5 step 2: hidden mode: 80", make_m1(hidden, p=bytes(size)), hidden)
    for kind in (0, 3, 0x40, 0x7f):
        for size in (1, 33):
            bad(f"{kind:02x}, {size} bytes", "type", "2.1", start + svc1.lp((bytes([kind]) + m1[36:68])[:size]) + svc1.lp(bytes(64)))

    bad("other keys are known", "unknown", "3.5 step 3", make_m1(hidden), {**hidden, "known": DECOY + wire(1, "other")[0][1:]})
    bad("one other key is known", "unknown", "3.5 step 3", make_m1(hidden), {**hidden, "known": DECOY})
    for at in (35 + 2, 35 + 2 + 64, -1):
        bad(f"hidden M1, byte {at % 117} changed", "unknown", "3.5 step 3", flip(make_m1(hidden), at), hidden)
    bad("hidden M1, Y changed", "unknown", "3.3: Y is in the key of p", flip(make_m1(hidden), 1), hidden)
    bad("hidden M1 by another key", "unknown", "3.5 step 3", make_m1({**hidden, "server_secret": secret("x"),
        "server_identity": svc1.Ed25519Identity(secret("x")).wire}), hidden)

    same = given("client self", server=wire(1, "client"))
    for values, name in ((same, "open"), ({**same, "hidden": b"\1"}, "hidden"), (given("client self psk", server=wire(2, "client"), client=2), "psk"),
                         (given("client self custom", server=wire(0x80, "client"), client=0x80), "custom")):
        bad("own M1, " + name, "self", "3.5 step 4: reflection", make_m1(values), values)
    bad("own identity with a wrong proof", "self", "3.5 step 4 comes before the proof", make_m1(same, prove=lambda t1: bytes(64)), same)

    for name, key in BAD_KEYS:
        bad(name, "key", "1.3, 3.5 step 5", make_m1(case, wid=b"\1" + key, prove=lambda t1: sign(0, key, b"SVC1 server hello\0" + t1)[0]))

    seed = case["server_secret"]
    for name, about, forge in bad_signatures(seed):
        bad(name, "proof", about + "; 3.5 step 6", make_m1(case, prove=lambda t1: forge(b"SVC1 server hello\0" + t1)))
        bad(name + ", hidden", "proof", about + "; 3.5 step 6", make_m1(hidden, prove=lambda t1: forge(b"SVC1 server hello\0" + t1)), hidden)
    public, proof = mixed_key(secret("mixed order"))
    bad("key of mixed order, right only with cofactor", "proof", "1.3: the equation without cofactor",
        make_m1(case, wid=b"\1" + public, prove=lambda t1: proof(b"SVC1 server hello\0" + t1, False)))
    bad("key of mixed order is accepted, then the link ends", "truncated", "1.3: only [8]A = identity is refused",
        make_m1(case, wid=b"\1" + public, prove=lambda t1: proof(b"SVC1 server hello\0" + t1, True)), eof=True)
    bad("R = identity is accepted, then the link ends", "truncated", "1.3: R may be of small order",
        make_m1(case, prove=lambda t1: sign(clamped(seed), case["server_identity"][1:], b"SVC1 server hello\0" + t1, le(1))[0]), eof=True)
    honest = identity(case["server_identity"], seed)
    for label in (b"SVC1 client proof", b"SVC1 server confirm", b"SVC1 server hell"):
        bad(f'label "{label.decode()}"', "proof", "3.3", make_m1(case, prove=lambda t1: honest.prove(label, t1)))
    bad("signed without the label", "proof", "2.2", make_m1(case, prove=lambda t1: sign(clamped(seed), honest.wire[1:], t1)[0]))
    for values, name in ((case, "open"), (hidden, "hidden"), (psk, "psk"), (custom, "custom")):
        bad("another context, " + name, "proof", "3.1, 3.3: the context is in T1", make_m1(values, context=b"x"), values)
    bad("Y changed", "proof", "3.3: Y is in T1", flip(m1, 5))
    bad("signed by another key", "proof", "3.5 step 6", make_m1(case, wid=wire(1, "other")[0]))
    bad("hidden proof moved to open mode", "proof", "3.3: wid is in T1", m1[:70] + sign(clamped(seed), m1[36:68],
        b"SVC1 server hello\0" + svc1.hash_t1(b"", m1[1:33], b"", m1[35:68]))[0])
    bad("wrong psk", "proof", "3.5 step 6", make_m1(psk), {**psk, "client_secret": secret("another psk")})
    for at in (-1, -32):
        bad(f"psk proof, byte {at % 32} changed", "proof", "3.5 step 6", flip(make_m1(psk), at), psk)
        bad(f"custom proof, byte {at % 32} changed", "proof", "3.5 step 6", flip(make_m1(custom), at), custom)
    for size in (0, 31, 16384):
        bad(f"custom proof of {size} bytes", "proof", "2.2: the application decides", make_m1(custom, p=bytes(size)), custom)
    for values, name in ((case, "open"), (hidden, "hidden"), (psk, "psk"), (custom, "custom")):
        bad(name, "refused", "3.5 step 7: nothing is sent before", make_m1(values), values, refuse=True)

    for name, point in BAD_POINTS:
        bad("Y = " + name, "dh", "1.2, 3.5 step 8", make_m1(case, y_public=point))
    bad("Y = 0, psk", "dh", "1.2, 3.5 step 8", make_m1(psk, y_public=bytes(32)), psk)
    bad("Y = 0, hidden", "dh", "1.2, 3.5 step 8", make_m1(hidden, y_public=bytes(32)), hidden)
    bad("Y = 0, custom", "dh", "1.2, 3.5 step 8", make_m1(custom, y_public=bytes(32)), custom)
    bad("Y = 0, but refused first", "refused", "3.5: step 7 comes before step 8", make_m1(case, y_public=bytes(32)), refuse=True)
    for name, point in (("with the highest bit set", flip(m1[1:33], 31, 128)), ("= p + 9", le(P + 9)), ("= 2^255 - 1", le(SIGN_BIT - 1))):
        bad(f"Y {name} is accepted, then the link ends", "truncated", "1.2: a non-canonical u is accepted",
            make_m1(case, y_public=point), eof=True)


def client_m3():
    case = given("client M3")
    custom = given("client M3 custom", server=0x80)

    def first(name, reason, about, make, values=case, eof=False):
        """make: from the SERVER's sending direction, before its M3, to what is sent in its place."""
        trace, _, _, m1, _, _ = meet(values, 2)
        d = svc1.Direction(trace["chain_s2c"], 0)
        negative(name, "client", reason, about, m1 + make(d, trace), values, eof=eof)

    def stepped(d):
        d.step(0)
        return d

    m3 = meet(case, 3)[5]
    for at in (1, 2, 3, 4, 5, 16):
        first(f"M3 after {at} bytes", "truncated", "7.3: a failed handshake", lambda d, t: m3[:at], eof=True)
    first("error packet in place of M3", "aborted", "7.2", lambda d, t: bytes(16))
    first("first 4 bytes of an error packet in place of M3", "aborted", "7.2: decided by header and len", lambda d, t: bytes(4))
    first("key id 0 in a control record", "aborted", "5.4 step 1", lambda d, t: b"\x80\0\0\1")
    first("key id 0 and a length", "aborted", "5.4 step 1", lambda d, t: b"\0\0\xff\xff")
    first("M3 with key id 2", "key-id", "5.4 step 3: counter > 0", lambda d, t: stepped(d).seal(True, b"\0"))
    first("M3 with key id 3", "key-id", "5.4 step 4", lambda d, t: stepped(stepped(d)).seal(True, b"\0"))
    first("M3 with key id 32767", "key-id", "5.4 step 4", lambda d, t: b"\xff\xff" + d.seal(True, b"\0")[2:])
    for at in (4, 5, 16):
        first(f"M3, byte {at} changed", "tag", "3.7 step 1", lambda d, t: flip(d.seal(True, b"\0"), at))
    first("M3 without the control bit", "tag", "5.1: the header is in the additional data", lambda d, t: flip(d.seal(True, b"\0"), 0, 128))
    first("M3, len 0", "tag", "5.1: len is in the additional data", lambda d, t: flip(d.seal(True, b"\0"), 3))
    first("M2 comes back", "key-id", "7: reflection", lambda d, t: t["M2"])
    first("M3 under the keys of the other direction", "tag", "4: directions have different labels",
          lambda d, t: svc1.Direction(t["chain_c2s"], 0).seal(True, b"\0"))
    first("M3 with counter 1", "tag", "5.1", lambda d, t: [d.seal(True, b"\0"), d.seal(True, b"\0")][1])
    for name, control, plain in (("data record", False, b"\0"), ("empty data record", False, b""), ("CLOSE", True, b"\1"),
                                 ("KEEPALIVE", True, b"\2"), ("type 03", True, b"\3"), ("type ff", True, b"\xff"), ("empty control record", True, b""),
                                 ("00 in front of CLOSE", True, b"\0\1"), ("one byte too many", True, b"\0\0"), ("proof where none may be", True, bytes(65))):
        first(name, "confirm", "3.7, 7.3", lambda d, t: d.seal(control, plain))
    first("proof where none may be, psk", "confirm", "3.7 step 2", lambda d, t: d.seal(True, bytes(33)), given("client M3 psk", server=2, client=2))
    first("proof where none may be, hidden", "confirm", "3.7 step 2", lambda d, t: d.seal(True, bytes(65)), given("client M3 hidden", hidden=True))

    key = custom["server_secret"]
    for name, rest in (("custom, no proof", lambda t: b""),
                       ("custom, proof changed", lambda t: flip(vector_proof(key)(b"SVC1 server confirm", t["T4"]), 0)),
                       ("custom, proof cut", lambda t: vector_proof(key)(b"SVC1 server confirm", t["T4"])[:-1]),
                       ("custom, one byte behind the proof", lambda t: vector_proof(key)(b"SVC1 server confirm", t["T4"]) + b"\0"),
                       ("custom, the proof of M1", lambda t: vector_proof(key)(b"SVC1 server hello", t["T4"])),
                       ("custom, proof over T3", lambda t: vector_proof(key)(b"SVC1 server confirm", t["T3"])),
                       ("custom, proof by another key", lambda t: vector_proof(secret("x"))(b"SVC1 server confirm", t["T4"]))):
        first(name, "confirm", "3.7 step 2", lambda d, t: d.seal(True, b"\0" + rest(t)), custom)
    first("custom, type 01 in front of the proof", "confirm", "3.7 step 1",
          lambda d, t: d.seal(True, b"\1" + vector_proof(key)(b"SVC1 server confirm", t["T4"])), custom)


# -- to the SERVER

def server_m2():
    case = given("server M2")
    hidden, psk = given("server hidden", hidden=True), given("server psk", server=2, client=2)
    custom, mixed = given("server custom", client=0x80), given("server mixed", client=2)
    m2 = make_m2(case)

    def bad(name, reason, about, data, values=case, **more):
        negative(name, "server", reason, about, data, values, **more)

    bad("no byte", "absent", "7.3: the link ended before the first byte", b"", eof=True)
    for name, at in (("1 byte", 1), ("15 bytes", 15), ("16 bytes", 16), ("31 bytes", 31), ("before len E", 32), ("in len E", 33), ("before E", 34),
                     ("in E", 100), ("but for the last byte", len(m2) - 1)):
        bad("M2, " + name, "truncated", "7.3: a failed handshake", m2[:at], eof=True)
    bad("15 zero bytes", "truncated", "3.6 step 1: an error packet has 16", bytes(15), eof=True)
    bad("error packet in place of M2", "aborted", "3.6 step 1, 7.2", bytes(16))
    bad("16 zero bytes, then others", "aborted", "3.6 step 1", bytes(16) + m2[16:])
    for size in (16385, 65535):
        bad(f"len E {size}", "limit", "3.6 step 2, 3.9; decided as soon as it is known", m2[:32] + svc1.u16(size))
    for size in (0, 1, 15):
        bad(f"len E {size}", "format", "3.2: E is at least a tag", m2[:32] + svc1.lp(m2[34:34 + size]))
    bad("len E 0, X = 0 behind 16 other bytes", "format", "3.6: step 2 comes before step 3", b"\1" + bytes(33))

    for name, point in BAD_POINTS:
        if point[:16] != bytes(16):
            bad("X = " + name, "dh", "1.2, 3.6 step 3", point + m2[32:])
    bad("X = p, psk", "dh", "1.2, 3.6 step 3", le(P) + m2[32:], psk)
    bad("X = p - 1, hidden", "dh", "1.2, 3.6 step 3", le(P - 1) + m2[32:], hidden)

    for at, name in ((34, "first byte of E"), (100, "middle of E"), (-16, "tag"), (-1, "last byte"), (0, "X"), (20, "X, byte 20")):
        bad(name + " changed", "seal", "3.6 step 4", flip(m2, at))
    bad("highest bit of X changed", "seal", "3.3: X is in T2 as it was sent", flip(m2, 31, 128))
    bad("E is a tag only", "seal", "3.6 step 4", m2[:32] + svc1.lp(bytes(16)))
    bad("E without its last byte", "seal", "3.6 step 4", m2[:32] + svc1.lp(m2[34:-1]))
    bad("E of 16384 zero bytes", "seal", "3.9: as long as it may be; 3.6 step 4", m2[:32] + svc1.lp(bytes(16384)))
    bad("len E is in the additional data", "seal", "3.3", make_m2(case, e=lambda ck: svc1.seal(svc1.client_key(ck), bytes(12), b"", bytes(110), 16)))
    bad("M2 for another M1", "seal", "10.9: each y serves one M2", make_m2({**case, "server_random": secret("another M1")}))
    bad("M2 with another context", "seal", "3.1, 3.3", make_m2({**case, "context": b"x"}))
    bad("M2 with another psk", "seal", "2.2: es", make_m2({**psk, "server_secret": secret("x"), "client_secret": secret("x")}), psk)
    bad("M2 for another SERVER key", "seal", "2.2: es", make_m2({**case, "server_secret": secret("x"),
        "server_identity": svc1.Ed25519Identity(secret("x")).wire}))
    bad("M2 for open mode", "seal", "3.3: wid is in T1", make_m2({k: v for k, v in hidden.items() if k != "hidden"}), hidden)
    own = party(case, "server").take_output()
    size = int.from_bytes(own[32:34], "big")
    bad("own M1 comes back", "limit" if size > 16384 else "truncated", "reflection: M1 is no M2", own, eof=size <= 16384)

    id_c, proof = svc1.lp(case["client_identity"]), svc1.lp(bytes(64))
    for name, plain in (("empty", b""), ("1 byte", b"\0"), ("len idC beyond the end", svc1.u16(34) + id_c[2:]), ("len idC 65535", b"\xff\xff" + id_c[2:] + proof),
                        ("only idC", id_c), ("half of len proof", id_c + b"\0"), ("len proof beyond the end", id_c + svc1.u16(65) + bytes(64)),
                        ("len proof 65535", id_c + b"\xff\xff" + bytes(64)), ("len idC swallows the proof", svc1.u16(34) + id_c[2:] + proof),
                        ("empty idC", bytes(2) + proof), ("all zero", bytes(101))):
        bad("plaintext of E: " + name, "format", "3.6 step 4 and 5", make_m2(case, plain=plain))
    for kind, sizes in ((1, (1, 32, 34, 100)), (2, (66, 300))):
        for size in sizes:
            bad(f"type {kind:02x} of {size} bytes", "format", "3.6 step 5: the length of the identity",
                make_m2(case, plain=svc1.lp(bytes([kind]) + b"n" * (size - 1)) + svc1.lp(bytes(64 if kind == 1 else 32))))
    for name, padding in (("first byte", b"\1" + bytes(9)), ("last byte", bytes(9) + b"\1"), ("middle", bytes(5) + b"\x80" + bytes(5)),
                          ("the only byte", b"\xff"), ("byte 300", bytes(300) + b"\1" + bytes(20))):
        bad(name, "padding", "3.6 step 4", make_m2(case, padding=padding))
    bad("before the type", "padding", "3.6: step 4 comes before step 5", make_m2(case, plain=svc1.lp(b"\0") + proof + b"\1"))
    bad("before the own identity", "padding", "3.6: step 4 comes before step 5", make_m2(case, plain=svc1.lp(case["server_identity"]) + proof + b"\1"))
    for kind in (0, 3, 0x40, 0x7f):
        for size in (1, 33):
            bad(f"{kind:02x}, {size} bytes", "type", "2.1, 3.6 step 5", make_m2(case, plain=svc1.lp((bytes([kind]) + id_c[3:])[:size]) + proof))

    for values, name in ((case, "open"), (hidden, "hidden"), (psk, "psk"), (given("server custom too", server=0x80, client=0x80), "custom")):
        bad("own identity, " + name, "self", "3.6 step 5: reflection; it comes before the proof",
            make_m2(values, id_c=values["server_identity"], prove=lambda t3: bytes(64)), values)
    for name, key in BAD_KEYS:
        bad(name, "key", "1.3, 3.6 step 5", make_m2(case, id_c=b"\1" + key, prove=lambda t3: sign(0, key, b"SVC1 client proof\0" + t3)[0]))

    seed = case["client_secret"]
    for name, about, forge in bad_signatures(seed):
        bad(name, "proof", about + "; 3.6 step 6", make_m2(case, prove=lambda t3: forge(b"SVC1 client proof\0" + t3)))
    public, mixed_proof = mixed_key(secret("mixed order"))
    bad("key of mixed order, right only with cofactor", "proof", "1.3: the equation without cofactor",
        make_m2(case, id_c=b"\1" + public, prove=lambda t3: mixed_proof(b"SVC1 client proof\0" + t3, False)))
    bad("key of mixed order is accepted, then the link ends", "truncated", "1.3: only [8]A = identity is refused",
        make_m2(case, id_c=b"\1" + public, prove=lambda t3: mixed_proof(b"SVC1 client proof\0" + t3, True)), eof=True)
    bad("R = identity is accepted, then the link ends", "truncated", "1.3: R may be of small order",
        make_m2(case, prove=lambda t3: sign(clamped(seed), case["client_identity"][1:], b"SVC1 client proof\0" + t3, le(1))[0]), eof=True)
    honest = identity(case["client_identity"], seed)
    for label in (b"SVC1 server hello", b"SVC1 server confirm", b"SVC1 client proo"):
        bad(f'label "{label.decode()}"', "proof", "3.3", make_m2(case, prove=lambda t3: honest.prove(label, t3)))
    bad("over T2 in place of T3", "proof", "3.3", make_m2(case, prove=lambda t3: honest.prove(b"SVC1 client proof", meet(case, 2)[0]["T2"])))
    bad("by another key", "proof", "3.6 step 6", make_m2(case, id_c=wire(1, "other")[0]))
    bad("the SERVER's own signature of M1", "proof", "3.6 step 6", make_m2(case, prove=lambda t3: own[70:]))
    for values, name, sizes in ((case, "type 01", (0, 63, 65, 128)), (mixed, "type 02", (0, 31, 33, 64)), (custom, "custom", (0, 31, 33, 4000))):
        for size in sizes:
            bad(f"{name}, {size} bytes", "proof", "2.2: the length, too", make_m2(values, prove=lambda t3: bytes(size)), values)
    for values, name in ((mixed, "client psk"), (custom, "custom"), (psk, "psk")):
        who = identity(values["client_identity"], values["client_secret"])
        for at in (0, -1):
            bad(f"{name}, byte {at % 32} changed", "proof", "3.6 step 6",
                make_m2(values, prove=lambda t3: flip(who.prove(b"SVC1 client proof", t3), at)), values)
        bad(name + ", another identity with the proof of this one", "proof", "3.3: idC is in T3",
            make_m2(values, id_c=values["client_identity"] + b"x",
                    prove=lambda t3: who.prove(b"SVC1 client proof", svc1.hash_t3(meet(values, 2)[0]["T2"], who.wire))), values)
    bad("client psk, another psk", "proof", "3.6 step 6", make_m2({**mixed, "client_secret": secret("x")}), mixed)
    for values, name in ((case, "open"), (hidden, "hidden"), (psk, "psk"), (custom, "custom")):
        bad(name, "refused", "3.6 step 7", make_m2(values), values, refuse=True)
    bad("with early records", "refused", "3.6 step 7: they are not handed over", make_m2(case) + svc1.Direction(
        meet(case, 2)[0]["chain_c2s"], 0).seal(False, b"early"), case, refuse=True)
    for name, point in (("with the highest bit set", None), ("= p + 9", le(P + 9))):
        bad(f"X {name} is accepted, then the link ends", "truncated", "1.2: a non-canonical u is accepted", odd_x(case, point), eof=True)


def odd_x(values, point):
    """An M2 whose X is not canonical: the honest X with its highest bit set, or p + 9 (then both shared secrets are public)."""
    trace = meet(values, 2)[0]
    server = party(values, "server")
    x_public = point or flip(trace["X"], 31, 128)
    dh, es = trace["dh"], trace["es"]
    if point:
        dh, es = server.public, svc1.montgomery(values["server_identity"][1:])
    t2 = svc1.hash_t2(server.t1, server.p, x_public)
    ck = svc1.extract(t2, dh + es)
    who = identity(values["client_identity"], values["client_secret"])
    plain = svc1.lp(who.wire) + svc1.lp(who.prove(b"SVC1 client proof", svc1.hash_t3(t2, who.wire)))
    return x_public + svc1.lp(svc1.seal_e(ck, plain))


# -- records, to both

def records(to):
    case = given(f"{to} records")
    peer_of = 1 if to == "client" else 2

    def bad(name, reason, about, make, messages=(), eof=False, values=case):
        """make: from the peer's sending direction to the bytes behind the handshake."""
        met = meet(values, 3)
        start = met[3] + met[5] if to == "client" else met[4]
        negative(name, to, reason, about, start + make(met[peer_of].sending), values, messages, eof)

    def join(*parts):
        """Bytes of several records; a part is a plaintext of a data record, (control plaintext,), or "step"."""
        def make(d):
            out = b""
            for part in parts:
                if part == "step":
                    d.step(0)
                else:
                    out += d.seal(True, part[0]) if isinstance(part, tuple) else d.seal(False, part)
            return out
        return make

    def then(before, make):
        return lambda d: join(*before)(d) + make(d)

    def with_id(key_id, make=join(b"x"), control=0):
        return lambda d: svc1.u16(key_id | control) + make(d)[2:]

    def again(d):
        record = d.seal(False, b"a")
        return record + record

    def second_first(d):
        one, two = d.seal(False, b"a"), d.seal(False, b"b")
        return two + one

    def skipping(count):
        def make(d):
            for _ in range(count):
                d.seal(False, b"lost")
            return d.seal(False, b"a")
        return make

    bad("after the handshake", "truncated", "7.3", join(), eof=True)
    bad("after a message", "truncated", "7.3", join(b"a"), [b"a"], eof=True)
    bad("after an empty message", "truncated", "7.3", join(b""), [b""], eof=True)
    bad("after KEEPALIVE", "truncated", "7.3", join((b"\2",)), eof=True)
    for at in (1, 3, 4, 5, 20):
        bad(f"in a record, after {at} bytes", "truncated", "7.3", lambda d: join(b"message")(d)[:at], eof=True)
    bad("in the second record", "truncated", "7.3", then([b"a"], lambda d: join(b"b")(d)[:-1]), [b"a"], eof=True)
    bad("in the first record of a new key", "truncated", "7.3", then([b"a", "step"], lambda d: join(b"b")(d)[:-1]), [b"a"], eof=True)

    bad("error packet", "aborted", "7.2", lambda d: bytes(16))
    bad("4 bytes of it", "aborted", "7.2: decided by header and len", lambda d: bytes(4))
    bad("after messages", "aborted", "7.2", then([b"a", b""], lambda d: bytes(16)), [b"a", b""])
    bad("key id 0, control bit", "aborted", "5.4 step 1", with_id(0, join((b"\2",)), 0x8000))
    bad("key id 0, a whole record", "aborted", "5.4 step 1", with_id(0))
    bad("key id 0, largest len", "aborted", "5.4 step 1: before the size", lambda d: b"\0\0\xff\xff")
    bad("after CLOSE", "aborted", "5.4 step 1 comes before 7.3", then([(b"\1",)], lambda d: bytes(16)))

    for at, name in ((4, "first byte"), (5, "second byte"), (-12, "tag"), (-1, "last byte")):
        bad(name + " changed", "tag", "5.4", lambda d: flip(join(b"message")(d), at))
    bad("len changed", "tag", "5.1: additional data", lambda d: (lambda r: r[:2] + svc1.u16(6) + r[4:])(join(b"message")(d)))
    bad("control bit set", "tag", "5.1: additional data", lambda d: flip(join(b"\2")(d), 0, 128))
    bad("control bit cleared", "tag", "5.1: additional data", lambda d: flip(join((b"\2",))(d), 0, 128))
    bad("second record changed", "tag", "5.4", then([b"a"], lambda d: flip(join(b"b")(d), -1)), [b"a"])
    bad("replayed", "tag", "10.9", again, [b"a"])
    bad("order changed", "tag", "10.9", second_first)
    bad("one record lost", "tag", "10.9", skipping(1))
    bad("256 records lost", "tag", "5.1: the counter has 64 bits", skipping(256))
    bad("zeros", "tag", "5.4", lambda d: b"\0\1\0\0" + bytes(12))
    bad("largest len, zeros", "tag", "5.4", lambda d: b"\0\1\xff\xff" + bytes(65535 + 12))
    met = meet(case, 3)
    other = met[3 - peer_of].sending
    bad("own record comes back", "tag", "4: directions have different labels", lambda d: other.seal(False, b"mine"))
    bad("tag of 16 bytes", "key-id", "5.1: the tag has 12 bytes, so its last 4 are taken for a header", long_tag, [b"a"])
    bad("new key id, old key", "tag", "5.4 step 3", then([b"a"], with_id(2)), [b"a"])
    bad("old key id, new key", "tag", "5.4 step 2", then([b"a", "step"], with_id(1)), [b"a"])
    bad("first record of a new key changed", "tag", "5.4 step 3", then([b"a", "step"], lambda d: flip(join(b"b")(d), 4)), [b"a"])
    bad("first record of a new key lost", "tag", "5.4 step 3: counter 0", then([b"a", "step"], skipping(1)), [b"a"])
    bad("second record of a new key replayed", "tag", "10.9", then([b"a", "step", b"b"], again), [b"a", b"b", b"a"])

    bad("skipped", "key-id", "5.4 step 4", join(b"a", "step", "step", b"b"), [b"a"])
    bad("old", "key-id", "5.4 step 4", then([b"a", "step", b"b"], with_id(1)), [b"a", b"b"])
    bad("32767", "key-id", "5.4 step 4", then([b"a"], with_id(32767)), [b"a"])
    bad("32767, control record", "key-id", "5.4 step 4", then([b"a"], with_id(32767, join((b"\2",)), 0x8000)), [b"a"])
    bad("after three steps", "key-id", "5.4 step 4", join(b"a", "step", b"b", "step", b"c", "step", b"d", "step", "step", b"e"), [b"a", b"b", b"c", b"d"])
    if to == "server":
        bad("successor before any record", "key-id", "5.4 step 3: counter > 0", join("step", b"a"))
        bad("successor before any record, old key", "key-id", "5.4 step 3: counter > 0", with_id(2))

    for name, plain in (("empty", b""), ("type 03", b"\3"), ("type ff", b"\xff"), ("type 80", b"\x80"), ("CLOSE with a rest", b"\1\0"),
                        ("KEEPALIVE with a rest", b"\2\0"), ("KEEPALIVE with a long rest", b"\2" + bytes(1000)), ("CONFIRM", b"\0"),
                        ("CONFIRM with a proof", bytes(65))):
        bad(name, "control", "5.1", join((plain,)))
        bad(name + ", after messages", "control", "5.1", join(b"a", (plain,)), [b"a"])
    bad("unknown, first record of a new key", "control", "5.1", join(b"a", "step", (b"\4",)), [b"a"])

    for name, part in (("data", b"b"), ("empty data", b""), ("a second CLOSE", (b"\1",)), ("KEEPALIVE", (b"\2",)), ("unknown control record", (b"\7",))):
        bad(name, "after-close", "7.3: CLOSE is the last record of its direction", join(b"a", (b"\1",), part), [b"a"])
    bad("a new key", "after-close", "7.3", join((b"\1",), "step", b"b"))
    bad("a wrong tag", "after-close", "7.3: before the tag", then([(b"\1",)], lambda d: flip(join(b"b")(d), -1)))
    bad("a wrong key id", "after-close", "7.3: before the key id", then([(b"\1",)], with_id(9)))

    custom = given(f"{to} records custom", server=0x80, client=0x80)
    psk = given(f"{to} records psk", server=2, client=2)
    for values, name in ((custom, "custom"), (psk, "psk")):
        bad("after messages, " + name, "truncated", "7.3", join(b"a", b"b"), [b"a", b"b"], True, values)


def long_tag(d):
    iv, counter, head = d.iv, d.counter, svc1.u16(d.id) + svc1.u16(1)
    d.seal(False, b"a")
    return head + svc1.seal(d.key, svc1.nonce(iv, counter), head, b"a", 16)


def make():
    CASES.clear()
    positives()
    client_m1()
    client_m3()
    server_m2()
    records("client")
    records("server")
    names = [name for name, _ in CASES]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    return vectors.write(CASES, COMMENTS)


def main(arguments):
    files = [a for a in arguments if not a.startswith("-")]
    path = files[0] if files else FILE
    text = make()
    if "--check" in arguments:
        with open(path, encoding="utf-8", newline="") as file:
            if file.read() != text:
                print(f"{path} is not what gen_vectors.py makes", file=sys.stderr)
                return 1
        return 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
