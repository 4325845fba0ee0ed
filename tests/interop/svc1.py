# SPDX-License-Identifier: ISC
"""SVC-1 without input or output. Section numbers are those of spec/protocol.md.

A Session is fed with receive() and end_of_link(), and leaves what it wants to send in `packets`, one entry for each message or record.
Time is a number of seconds that the caller passes; the session has no clock."""
import hashlib
import hmac
from collections import deque
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSION = b"\x01"
FIELD_MAX = 16384           # 3.9
MESSAGE_MAX = 65535         # 5.1
ID_MAX = 32767              # 5.1
KEY_RECORDS = 2**20         # 5.3
KEY_BYTES = 2**30           # 5.3
ERROR_PACKET = bytes(16)    # 7.1
CONFIRM, CLOSE, KEEPALIVE = 0, 1, 2


class Failure(Exception):
    """7.1. The reason is one of the words of spec/vectors.md."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Short(Exception):
    """The field has not arrived completely."""


# ---- 1.1, 1.2: notation and algorithms -------------------------------------------------------------------------

def u16(n):
    return n.to_bytes(2, "big")


def lp(z):
    return u16(len(z)) + z


def h(label, *parts):
    return hashlib.sha256(label + b"\0" + b"".join(parts)).digest()


def hmac_sha256(key, message):
    return hmac.digest(key, message, "sha256")


extract = hmac_sha256       # RFC 5869, 2.2: HMAC(salt, ikm)


def expand(prk, info, n):   # RFC 5869, 2.3
    out = block = b""
    i = 1
    while len(out) < n:
        block = hmac_sha256(prk, block + info + bytes([i]))
        out += block
        i += 1
    return out[:n]


def seal(key, nonce, aad, plain, tag):
    sealed = AESGCM(key).encrypt(nonce, plain, aad)     # GCM truncates its tag to the first bytes (SP 800-38D)
    return sealed[:len(sealed) - 16 + tag]


def unseal(key, nonce, aad, sealed, tag):
    """The plaintext, or None."""
    if len(sealed) < tag:
        return None
    mode = modes.GCM(nonce, sealed[len(sealed) - tag:], min_tag_length=tag)
    opener = Cipher(algorithms.AES(key), mode).decryptor()
    opener.authenticate_additional_data(aad)
    plain = opener.update(sealed[:len(sealed) - tag])
    try:
        return plain + opener.finalize()
    except InvalidTag:
        return None


def x25519(k, u):
    try:
        return X25519PrivateKey.from_private_bytes(k).exchange(X25519PublicKey.from_public_bytes(u))
    except ValueError:                                  # the package refuses the all-zero result
        raise Failure("dh") from None


def x25519_public(k):
    return X25519PrivateKey.from_private_bytes(k).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


# ---- 1.3: Ed25519, exactly (formulas: RFC 8032, 5.1.3 and 5.1.4) -----------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)      # a square root of -1
NEUTRAL = (0, 1, 1, 0)


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, i = b - a, d - c, d + c, b + a
    return e * f % P, g * i % P, f * g % P, e * i % P


def point_neg(p):
    return -p[0] % P, p[1], p[2], -p[3] % P


def point_mul(s, p):
    q = NEUTRAL
    while s:
        if s & 1:
            q = point_add(q, p)
        p = point_add(p, p)
        s >>= 1
    return q


def point_encode(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_decode(data):
    """The point, or None. y >= p does not decode, nor does x = 0 with the sign bit set."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@lru_cache(4096)
def key_acceptable(a):
    point = point_decode(a)
    return point is not None and point_encode(point_mul(8, point)) != point_encode(NEUTRAL)


@lru_cache(4096)
def ed25519_verify(a, message, signature):
    if len(signature) != 64 or not key_acceptable(a):
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L
    return point_encode(point_add(point_mul(s, BASE), point_mul(k, point_neg(point_decode(a))))) == r


def montgomery(a):
    y = int.from_bytes(a, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, "little")


# ---- 2: identities and proofs ----------------------------------------------------------------------------------

class Ed25519Identity:
    def __init__(self, seed):
        self.seed = seed
        key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
        self.wire = b"\x01" + key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.secret = seed                              # 3.1

    def prove(self, label, t):
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(label + b"\0" + t)

    def scalar(self):
        return hashlib.sha512(self.seed).digest()[:32]


class PskIdentity:
    def __init__(self, psk, name):
        self.psk, self.wire, self.secret = psk, b"\x02" + name, psk

    def prove(self, label, t):
        return psk_proof(self.psk, label, t)


class CustomIdentity:
    """Types 80 to ff. `proof(label, hash)` is the application's."""

    def __init__(self, wire, proof):
        self.wire, self.prove, self.secret = wire, proof, b""


def psk_proof(psk, label, t):
    return hmac_sha256(expand(psk, b"SVC1 psk proof", 32), label + b"\0" + t)


def psk_es(psk):
    return expand(psk, b"SVC1 psk mix", 32)


def check_identity(kind, size):
    """2.1: the type, then the length that belongs to it."""
    if kind == 1:
        good = size == 33
    elif kind == 2:
        good = 1 <= size <= 65
    elif kind >= 0x80:
        good = 1 <= size <= FIELD_MAX
    else:
        raise Failure("type")
    if not good:
        raise Failure("format")


def proof_size_ok(kind, size):
    return size == {1: 64, 2: 32}.get(kind, size) and size <= FIELD_MAX


def digits(value, count):
    text = str(value % 10**count).zfill(count)
    return " ".join(text[i:i + 5] for i in range(0, count, 5))


def fingerprint(identity):
    return digits(int.from_bytes(h(b"SVC1 fingerprint", identity)[:16], "big"), 30)


# ---- 3.3: hashes and keys of the negotiation -------------------------------------------------------------------

def ephemeral(seed, secret, context):                   # 3.1
    return expand(extract(b"SVC1 ephemeral", seed + secret), context, 32)


def hash_t1(context, y_public, wid, id_s):
    return h(b"SVC1 server hello", lp(context), VERSION, y_public, lp(wid), lp(id_s))


def hidden_key(y_public, id_s):
    return expand(extract(y_public, id_s), b"SVC1 hidden", 32)


def hash_t2(t1, p, x_public):
    return h(b"SVC1 client hello", t1, lp(p), x_public)


def hash_t3(t2, id_c):
    return h(b"SVC1 client proof", t2, lp(id_c))


def client_key(ck):
    return expand(ck, b"SVC1 client key", 32)


def seal_e(ck, plain):
    return seal(client_key(ck), bytes(12), u16(len(plain) + 16), plain, 16)


def hash_t4(t3, e):
    return h(b"SVC1 session", t3, lp(e))


def master(ck, t4):
    return expand(ck, b"SVC1 master\0" + t4, 32)


# ---- 5: one direction of the record layer ----------------------------------------------------------------------

def successor(key_id):
    return key_id % ID_MAX + 1


def record_key(chain):                                  # 4
    both = expand(chain, b"SVC1 key", 44)
    return both[:32], both[32:]


def next_chain(chain):
    return expand(chain, b"SVC1 next", 32)


def nonce(iv, counter):
    return (int.from_bytes(iv, "big") ^ counter).to_bytes(12, "big")


class Direction:
    """5.2. `born` is the time of derivation."""

    def __init__(self, chain, now):
        self.id, self.chain, self.born, self.counter, self.bytes = 1, chain, now, 0, 0
        self.key, self.iv = record_key(chain)

    def step(self, now):
        self.id, self.chain, self.born, self.counter, self.bytes = successor(self.id), next_chain(self.chain), now, 0, 0
        self.key, self.iv = record_key(self.chain)

    def count(self, size):
        self.counter += 1
        self.bytes += size

    def seal(self, control, plain):
        head = u16(self.id | (0x8000 if control else 0)) + u16(len(plain))
        record = head + seal(self.key, nonce(self.iv, self.counter), head, plain, 12)
        self.count(len(plain))
        return record

    def check(self, key_id):
        """5.4, before a tag is looked at."""
        if key_id == self.id:
            if self.counter >= KEY_RECORDS or self.bytes >= KEY_BYTES:
                raise Failure("key-limit")
        elif key_id != successor(self.id) or self.counter == 0:
            raise Failure("key-id")

    def open(self, record, now):
        """The plaintext, and whether a step was made. check() was called before."""
        head, sealed = record[:4], record[4:]
        key_id = int.from_bytes(head[:2], "big") & ID_MAX
        stepped = key_id != self.id
        if stepped:
            chain = next_chain(self.chain)
            key, iv = record_key(chain)
            plain = unseal(key, nonce(iv, 0), head, sealed, 12)
        else:
            plain = unseal(self.key, nonce(self.iv, self.counter), head, sealed, 12)
        if plain is None:
            raise Failure("tag")
        if stepped:
            self.id, self.chain, self.key, self.iv, self.born, self.counter, self.bytes = key_id, chain, key, iv, now, 0, 0
        self.count(len(plain))
        return plain, stepped


# ---- the session -----------------------------------------------------------------------------------------------

class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if len(self.data) - self.at < n:
            raise Short
        self.at += n
        return bytes(self.data[self.at - n:self.at])

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def rest(self):
        return bytes(self.data[self.at:])


class Session:
    """state: "hello" (waits for M1 or M2), "decide" (waits for accept() or refuse()), "confirm" (CLIENT, waits for M3),
    "open", "done" (both CLOSEs passed, or the link ended after the peer's), "failed" (see reason).

    psk_for(name) gives the psk for a peer of type 02; the default is the own one (2.2).
    verify(identity, label, hash, proof) decides on proofs of types 80 to ff.
    known: the SERVER keys, 32 bytes each, that a CLIENT tries in hidden mode.
    trace: None, or a dictionary that receives every intermediate value (for test vectors)."""

    def __init__(self, role, identity, seed, *, context=b"", hidden=False, known=(), padding=0, early=False, psk_for=None,
                 verify=None, max_message=MESSAGE_MAX, renew_records=KEY_RECORDS, renew_bytes=KEY_BYTES, renew_age=120,
                 handshake=10, keepalive=20, silence=60, now=0, trace=None):
        if len(context) > 255 or len(seed) != 32 or role not in ("server", "client"):
            raise ValueError("context, seed or role")
        if renew_records > KEY_RECORDS or renew_bytes > KEY_BYTES or renew_age > 120:
            raise ValueError("limits may be lower, not higher (5.3)")
        if hidden and role == "server" and identity.wire[0] != 1:
            raise ValueError("hidden mode exists for type 01 only (3.3)")
        check_identity(identity.wire[0], len(identity.wire))
        self.role, self.identity, self.context, self.hidden, self.known = role, identity, context, hidden, list(known)
        self.padding, self.early, self.verify, self.max_message = padding, early, verify, max_message
        self.psk_for = psk_for or (lambda name: identity.psk if isinstance(identity, PskIdentity) else None)
        self.renew_records, self.renew_bytes, self.renew_age = renew_records, renew_bytes, renew_age
        self.keepalive_after, self.silence_after = keepalive, silence
        self.deadline = None if handshake is None else now + handshake
        self.trace = trace
        self.state, self.reason, self.peer = "hello", "", None
        self.packets, self.messages, self.arrived = [], deque(), bytearray()
        self.got_bytes = self.close_sent = self.close_received = self.renewal = False
        self.keepalives, self.behind = 0, 0
        self.last_sent = self.last_received = now
        self.exporter = None
        self.private = ephemeral(seed, identity.secret, context)
        self.public = x25519_public(self.private)
        self._note(**{"y" if role == "server" else "x": self.private, "Y" if role == "server" else "X": self.public})
        if role == "server":
            self._make_m1()

    def _note(self, **values):
        if self.trace is not None:
            self.trace.update(values)

    # ---- 3.4: the SERVER makes M1
    def _make_m1(self):
        id_s = self.identity.wire
        wid = b"" if self.hidden else id_s
        self.t1 = hash_t1(self.context, self.public, wid, id_s)
        proof = self.p = self.identity.prove(b"SVC1 server hello", self.t1)
        if self.hidden:
            key = hidden_key(self.public, id_s)
            self.p = seal(key, bytes(12), b"", proof, 16)
            self._note(hidden_key=key)
        m1 = VERSION + self.public + lp(wid) + lp(self.p)
        self._note(T1=self.t1, pS=proof, p=self.p, M1=m1)
        self.packets.append(m1)

    # ---- what comes from the link
    def receive(self, data, now=0):
        if self.state in ("failed", "done"):
            return
        self.got_bytes |= bool(data)
        self.arrived += data
        if self.state == "decide" and len(self.arrived) >= 4 and not int.from_bytes(self.arrived[:2], "big") & ID_MAX:
            self._fail("aborted")                       # 7.2, while the application still thinks
        self._run(now)

    def _run(self, now):
        try:
            while self.state in ("hello", "confirm", "open"):
                if self.state == "hello":
                    self._read_m1() if self.role == "client" else self._read_m2()
                else:
                    self._read_record(now)
        except Short:
            pass
        except Failure as failure:
            self._fail(failure.reason)

    def end_of_link(self, now=0):
        """7.3. Nothing can be sent any more, so there is no error packet."""
        if self.state in ("failed", "done"):
            return
        if self.state == "open" and self.close_received:
            self.state = "done"
        else:
            self._fail("truncated" if self.got_bytes else "absent")

    def _fail(self, reason):
        self.state, self.reason, self.exporter = "failed", reason, None
        self.private = self.sending = self.receiving = None
        if reason not in ("aborted", "truncated", "absent"):
            self.packets.append(ERROR_PACKET)

    # ---- 3.5: the CLIENT reads M1 and makes M2
    def _read_m1(self):
        r = Reader(self.arrived)
        version = r.take(1)
        if version != VERSION:
            raise Failure("aborted" if version == b"\0" else "version")
        self.y_public = r.take(32)
        wid_size = r.u16()
        if wid_size > FIELD_MAX:
            raise Failure("limit")
        wid = b""
        if wid_size:
            kind = r.take(1)
            check_identity(kind[0], wid_size)
            wid = kind + r.take(wid_size - 1)
        p_size = r.u16()
        if p_size > FIELD_MAX:
            raise Failure("limit")
        if not (proof_size_ok(wid[0], p_size) if wid else p_size == 80):
            raise Failure("format")
        self.p = r.take(p_size)
        del self.arrived[:r.at]
        if wid:
            id_s, proof = wid, self.p
        else:
            for id_s in (b"\x01" + a for a in self.known):
                proof = unseal(hidden_key(self.y_public, id_s), bytes(12), b"", self.p, 16)
                if proof is not None:
                    break
            else:
                raise Failure("unknown")
        if id_s == self.identity.wire:
            raise Failure("self")
        if id_s[0] == 1 and not key_acceptable(id_s[1:]):
            raise Failure("key")
        self.t1 = hash_t1(self.context, self.y_public, wid, id_s)
        if not self._proof_ok(id_s, b"SVC1 server hello", self.t1, proof):
            raise Failure("proof")
        self.peer, self.state = id_s, "decide"

    def _make_m2(self, now):
        t2 = hash_t2(self.t1, self.p, self.public)
        dh = x25519(self.private, self.y_public)
        kind = self.peer[0]
        es = b""
        if kind == 1:
            es = x25519(self.private, montgomery(self.peer[1:]))
        elif kind == 2:
            es = psk_es(self.psk_for(self.peer[1:]))
        ck = extract(t2, dh + es)
        t3 = hash_t3(t2, self.identity.wire)
        proof = self.identity.prove(b"SVC1 client proof", t3)
        plain = lp(self.identity.wire) + lp(proof) + bytes(self.padding)
        e = seal_e(ck, plain)
        m2 = self.public + lp(e)
        self._note(T2=t2, dh=dh, es=es, ck=ck, T3=t3, client_key=client_key(ck), pC=proof, E_plain=plain, E=e, M2=m2)
        if len(e) > FIELD_MAX:
            raise ValueError("identity, proof and padding do not fit into E")
        self.packets.append(m2)
        self._keys(ck, es, hash_t4(t3, e), now)
        self.state = "confirm"

    # ---- 3.6: the SERVER reads M2 and makes M3
    def _read_m2(self):
        if self.arrived[:16] == ERROR_PACKET:
            raise Failure("aborted")
        r = Reader(self.arrived)
        x_public = r.take(32)
        size = r.u16()
        if size > FIELD_MAX:
            raise Failure("limit")
        if size < 16:
            raise Failure("format")
        e = r.take(size)
        del self.arrived[:r.at]
        t2 = hash_t2(self.t1, self.p, x_public)
        private, self.private = self.private, None      # it serves one M2
        dh = x25519(private, x_public)
        es = b""
        if isinstance(self.identity, Ed25519Identity):
            es = x25519(self.identity.scalar(), x_public)
        elif isinstance(self.identity, PskIdentity):
            es = psk_es(self.identity.psk)
        ck = extract(t2, dh + es)
        plain = unseal(client_key(ck), bytes(12), u16(size), e, 16)
        if plain is None:
            raise Failure("seal")
        r = Reader(plain)
        try:
            id_c = r.take(r.u16())
            proof = r.take(r.u16())
        except Short:
            raise Failure("format") from None
        if any(r.rest()):
            raise Failure("padding")
        if not id_c:
            raise Failure("format")
        check_identity(id_c[0], len(id_c))
        if id_c == self.identity.wire:
            raise Failure("self")
        if id_c[0] == 1 and not key_acceptable(id_c[1:]):
            raise Failure("key")
        t3 = hash_t3(t2, id_c)
        if not proof_size_ok(id_c[0], len(proof)) or not self._proof_ok(id_c, b"SVC1 client proof", t3, proof):
            raise Failure("proof")
        self.peer, self.state = id_c, "decide"
        self._accepted = (ck, es, hash_t4(t3, e))

    def _proof_ok(self, identity, label, t, proof):
        if identity[0] == 1:
            return ed25519_verify(identity[1:], label + b"\0" + t, proof)
        if identity[0] == 2:
            psk = self.psk_for(identity[1:])
            return psk is not None and hmac.compare_digest(proof, psk_proof(psk, label, t))
        return self.verify is not None and self.verify(identity, label, t, proof)

    def accept(self, now=0):
        """3.5 step 7, 3.6 step 7."""
        if self.state != "decide":
            raise ValueError("nobody to accept")
        try:
            if self.role == "client":
                self._make_m2(now)
            else:
                ck, es, t4 = self._accepted
                del self._accepted
                self._keys(ck, es, t4, now)
                self._connected(now)
                self._send(True, self._confirmation(es), now)
        except Failure as failure:
            return self._fail(failure.reason)
        self._run(now)

    def refuse(self):
        if self.state == "decide":
            self._fail("refused")

    # ---- 4: keys
    def _keys(self, ck, es, t4, now):
        k_m = master(ck, t4)
        c2s, s2c, self.exporter = (expand(k_m, label, 32) for label in (b"SVC1 c2s", b"SVC1 s2c", b"SVC1 exporter"))
        mine, other = (c2s, s2c) if self.role == "client" else (s2c, c2s)
        self.sending, self.receiving = Direction(mine, now), Direction(other, now)
        self.t4, self.es, self.private = t4, es, None
        self._note(T4=t4, K_M=k_m, chain_c2s=c2s, chain_s2c=s2c, exporter=self.exporter)

    def _confirmation(self, es):
        plain = bytes([CONFIRM]) + (b"" if es else self.identity.prove(b"SVC1 server confirm", self.t4))
        self._note(M3_plain=plain)
        return plain

    def _connected(self, now):
        self.state, self.last_sent, self.last_received = "open", now, now

    def export(self, label, ctx, n):
        if self.state not in ("open", "done"):
            raise ValueError("not connected (3.7)")
        if n > 8160:
            raise ValueError("n at most 8160")
        return expand(self.exporter, b"SVC1 export\0" + lp(label) + lp(ctx), n)

    def authenticator(self):
        return digits(int.from_bytes(self.export(b"authenticator", b"", 16), "big"), 20)

    # ---- 5.3: sending
    def _send(self, control, plain, now):
        d = self.sending
        if d.counter and (self.behind > 0 or d.counter >= self.renew_records or d.bytes >= self.renew_bytes
                          or now - d.born > self.renew_age or self.renewal):
            d.step(now)
            self.behind -= 1
            self.renewal = False
        self.packets.append(d.seal(control, plain))
        self.last_sent = now

    def may_send(self):
        """3.8: early records by default if es is not empty, else only on request."""
        return not self.close_sent and (self.state == "open" or self.state == "confirm" and bool(self.es or self.early))

    def send(self, message, now=0):
        self._may()
        if len(message) > MESSAGE_MAX:
            raise ValueError("message too long")
        self._send(False, message, now)

    def keepalive(self, now=0):
        self._may()
        self._send(True, bytes([KEEPALIVE]), now)

    def close(self, now=0):
        self._may()
        self._send(True, bytes([CLOSE]), now)
        self.close_sent = True
        if self.close_received:
            self.state = "done"

    def _may(self):
        if not self.may_send():
            raise ValueError("may not send now")

    def renew(self):
        """5.3: the application asks for renewal; it happens with the next record that may make a step."""
        self.renewal = True

    # ---- 3.7, 5.4: receiving
    def _read_record(self, now):
        r = Reader(self.arrived)
        head, size = r.u16(), r.u16()
        key_id = head & ID_MAX
        if key_id == 0:
            raise Failure("aborted")
        if self.close_received:
            raise Failure("after-close")
        self.receiving.check(key_id)
        if size > self.max_message and not head & 0x8000:
            raise Failure("limit")
        r.take(size + 12)
        record = bytes(self.arrived[:r.at])
        del self.arrived[:r.at]
        plain, stepped = self.receiving.open(record, now)
        self.behind += stepped
        self.last_received = now
        if self.state == "confirm":
            self._read_m3(head, plain, now)
        elif not head & 0x8000:
            self.messages.append(plain)
        elif plain == bytes([KEEPALIVE]):
            self.keepalives += 1
        elif plain == bytes([CLOSE]):
            self.close_received = True
            if self.close_sent:
                self.state = "done"
        else:
            raise Failure("control")

    def _read_m3(self, head, plain, now):
        if not head & 0x8000 or plain[:1] != bytes([CONFIRM]):
            raise Failure("confirm")
        proof = plain[1:]
        if len(proof) > FIELD_MAX:
            raise Failure("limit")
        if self.es:
            good = not proof
        else:
            good = (proof_size_ok(self.peer[0], len(proof))
                    and self._proof_ok(self.peer, b"SVC1 server confirm", self.t4, proof))
        if not good:
            raise Failure("confirm")
        self._connected(now)

    def take(self, now=0):
        """The oldest message. The silence deadline does not run while one waits (6)."""
        message = self.messages.popleft()
        if not self.messages:
            self.last_received = max(self.last_received, now)
        return message

    # ---- 6: time
    def next_time(self):
        """When tick() has something to do, or None."""
        if self.state in ("hello", "decide", "confirm"):
            return self.deadline
        times = []
        if self.state == "open" and self.keepalive_after is not None and not self.close_sent:
            times.append(self.last_sent + self.keepalive_after)
        if self.state == "open" and self.silence_after is not None and not self.close_received and not self.messages:
            times.append(self.last_received + self.silence_after)
        return min(times, default=None)

    def tick(self, now):
        when = self.next_time()
        if when is None or now < when:
            return
        if self.state != "open":
            self._fail("timeout")
        elif (self.silence_after is not None and not self.close_received and not self.messages
              and now >= self.last_received + self.silence_after):
            self._fail("silent")
        else:
            self._send(True, bytes([KEEPALIVE]), now)

    def take_output(self):
        data = b"".join(self.packets)
        self.packets.clear()
        return data
