# SPDX-License-Identifier: ISC
"""Identities and sessions: svconn.h for Python. No input, no output, no threads of its own."""
from __future__ import annotations

import enum
import hmac
import os
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any, Iterable, NoReturn, Optional, Tuple, Union

from ._core import ffi, lib
from ._errors import Code, Failure, UsageError, check

BytesLike = Union[bytes, bytearray, memoryview]

__version__ = str(ffi.string(lib.SVCONN_VERSION), "ascii")

MESSAGE_MAX: int = lib.SVCONN_MESSAGE_MAX  #: the longest message of the protocol


class Role(enum.IntEnum):
    """SERVER is who accepted the link; CLIENT is the other one."""

    CLIENT = lib.SVCONN_CLIENT
    SERVER = lib.SVCONN_SERVER


CLIENT = Role.CLIENT
SERVER = Role.SERVER


class State(enum.IntEnum):
    """Where a session is. What may be called when: docs/states.md of svconn."""

    NONE = lib.SVCONN_NONE  #: wiped
    HANDSHAKE = lib.SVCONN_HANDSHAKE  #: carry bytes
    NEEDS_PROOF = lib.SVCONN_NEEDS_PROOF  #: asks for `Session.prove` over `Session.proof_message()`
    NEEDS_PSK = lib.SVCONN_NEEDS_PSK  #: asks for `Session.give_psk` for the name in `Session.peer`
    NEEDS_VERDICT = lib.SVCONN_NEEDS_VERDICT  #: is `Session.peer` whom we want? `Session.accept`, `Session.refuse`
    CONFIRMING = lib.SVCONN_CONFIRMING  #: CLIENT: our part is on its way; early messages may be sent
    CONNECTED = lib.SVCONN_CONNECTED  #: messages flow
    CLOSED = lib.SVCONN_CLOSED  #: in order, both ways: carry what is in `Session.wire_out`, then close the link
    FAILED = lib.SVCONN_FAILED  #: `Session.failure` says why: carry what is in `Session.wire_out`, close the link


class Early(enum.IntEnum):
    """May a CLIENT send before the SERVER has confirmed? (spec/protocol.md, section 3.8)"""

    IF_SAFE = lib.SVCONN_EARLY_IF_SAFE
    NEVER = lib.SVCONN_EARLY_NEVER
    ALWAYS = lib.SVCONN_EARLY_ALWAYS


class PeerTypes(enum.IntFlag):
    """Kinds of peers that are taken."""

    LIKE_OURS = 0
    ED25519 = lib.SVCONN_PEER_ED25519
    PSK = lib.SVCONN_PEER_PSK
    CUSTOM = lib.SVCONN_PEER_CUSTOM


def _bad(sentence: str) -> UsageError:
    return UsageError(Code.ARGUMENT, sentence)


def _bytes(data: BytesLike) -> Any:
    """The bytes in their place. They stay there as long as the result lives."""
    if isinstance(data, str):
        raise TypeError("bytes are wanted here, not str")
    if not isinstance(data, bytes) and not memoryview(data).c_contiguous:
        raise BufferError("the bytes must lie one behind the other")  # PyPy would take others
    return ffi.from_buffer("uint8_t[]", data)


def _take_secret(secret: BytesLike, what: str, if_zero: Code = Code.ARGUMENT) -> Any:
    """A copy of 32 secret bytes, to be wiped by the caller. They are wiped where they were, if they may be written."""
    view = memoryview(secret)
    if view.nbytes != 32:
        raise _bad(f"{what} has 32 bytes, not {view.nbytes}")
    if hmac.compare_digest(view, bytes(32)):
        raise UsageError(if_zero, f"{what} is all zero: was it wiped by an earlier call?")
    copy = ffi.new("uint8_t[32]")
    ffi.memmove(copy, _bytes(secret), 32)
    if not view.readonly:
        ffi.memmove(_bytes(secret), bytes(32), 32)
    return copy


def _wipe(memory: Any) -> None:
    ffi.memmove(memory, bytes(ffi.sizeof(memory)), ffi.sizeof(memory))


def join_keys(keys: Iterable[BytesLike]) -> bytes:
    """Public keys, one behind the other."""
    if isinstance(keys, (bytes, bytearray, memoryview, str)):
        raise TypeError("a list of public keys is wanted here")
    joined = b""
    for key in keys:
        if isinstance(key, str) or len(key) != 32:
            raise _bad("a public key is 32 bytes (in hexadecimal digits: bytes.fromhex)")
        joined += bytes(key)
    return joined


def _ms(seconds: float) -> int:
    try:
        ms = round(seconds * 1000)
    except (ValueError, OverflowError):  # not a number, infinite
        ms = -1
    if not 0 <= ms < 1 << 63:
        raise _bad(f"{seconds} is no time")
    return ms


def _now(now: Optional[float]) -> int:
    return _ms(time.monotonic() if now is None else now)


def fingerprint(identity: BytesLike) -> str:
    """30 digits in groups of 5 for an identity (type and body, as in `Session.peer`), for people to compare."""
    out = ffi.new("char[36]")
    lib.svconn_fingerprint(out, _bytes(identity), len(identity))
    return str(ffi.string(out), "ascii")


class Identity:
    """Who we are. Made by `Identity.ed25519`, `Identity.psk` or `Identity.custom`; good for any number of sessions.

    Holds a secret outside of Python's objects. It is erased by `wipe`, at the end of a `with` block, or when nobody
    needs the identity any more. Sessions that were begun with it have their own copy, which is erased with them.
    """

    __slots__ = ("_id", "_kept", "_end", "__weakref__")

    def __init__(self) -> None:
        self._id = ffi.new("svconn_identity *")
        self._kept: Any = None  # the bytes of a custom identity
        self._end = weakref.finalize(self, lib.svconn_identity_wipe, self._id)

    @classmethod
    def ed25519(cls, seed: BytesLike) -> Identity:
        """An Ed25519 key. `seed`: the private key of RFC 8032, 32 bytes; use it for nothing else. A bytearray is
        filled with zeros, so that no copy stays behind; bytes cannot be."""
        me, copy = cls(), _take_secret(seed, "the seed of a key")
        lib.svconn_identity_ed25519(me._id, copy)
        _wipe(copy)
        return me

    @classmethod
    def psk(cls, key: BytesLike, name: Union[str, BytesLike]) -> Identity:
        """A pre-shared key: 32 random bytes, never a password. The two parties have different names, of up to 64 bytes.
        A bytearray is filled with zeros."""
        text = name.encode() if isinstance(name, str) else bytes(name)
        if len(text) > lib.SVCONN_NAME_MAX:
            raise _bad(f"a name has up to {lib.SVCONN_NAME_MAX} bytes, not {len(text)}")
        me, copy = cls(), _take_secret(key, "a pre-shared key")
        err = lib.svconn_identity_psk(me._id, copy, _bytes(text), len(text))
        _wipe(copy)
        check(err)
        return me

    @classmethod
    def custom(cls, identity: BytesLike) -> Identity:
        """The application's own: the first byte, 0x80 to 0xff, is the type. The session asks for each proof
        (`State.NEEDS_PROOF`)."""
        me = cls()
        me._kept = ffi.new("uint8_t[]", bytes(identity))
        check(lib.svconn_identity_custom(me._id, me._kept, len(identity)))
        return me

    @property
    def public(self) -> bytes:
        """What the peer will see as `Session.peer`: one byte for the type, then the public key, the name, or the
        application's own. Empty when it was wiped."""
        n = ffi.new("size_t *")
        where = lib.svconn_identity_bytes(self._id, n)
        return bytes(ffi.buffer(where, n[0])) if where and self._end.alive else b""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of an Ed25519 public key, for the peer's list of those that it accepts."""
        public = self.public
        if public[:1] != bytes([lib.SVCONN_TYPE_ED25519]):
            raise UsageError(Code.STATE, "this identity has no public key: it is of another kind, or wiped")
        return public[1:]

    def wipe(self) -> None:
        """Erases the secret. New sessions cannot be made with it."""
        self._end()

    def __enter__(self) -> Identity:
        return self

    def __exit__(self, *exc: object) -> None:
        self.wipe()

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity is neither copied nor stored")


@dataclass(frozen=True)
class Config:
    """What two ends agree on, and limits. The defaults are those of the C library. Times are in seconds, None: never."""

    context: bytes = b""  #: both ends must have the same (up to 255 bytes), such as "chat 1"; it is never sent
    peer_types: PeerTypes = PeerTypes.LIKE_OURS  #: the kinds of peers that are taken
    hidden: bool = False  #: SERVER with an Ed25519 key: hides it from those who do not know it
    early: Early = Early.IF_SAFE  #: CLIENT, `Session` alone: streams begin when the SERVER has confirmed
    pad_to: int = 0  #: CLIENT: pads its identity and proof to a multiple of so many bytes
    known_servers: Tuple[bytes, ...] = ()  #: CLIENT: public keys that a hidden SERVER may have
    renew_records: int = 1 << 20  #: a new key after so many records, 1 to 2^20
    renew_bytes: int = 1 << 30  #: after so many bytes, 1 to 2^30
    renew_interval: float = 120.0  #: after so long, up to 120 s
    handshake_timeout: Optional[float] = 10.0
    keepalive_interval: Optional[float] = 20.0
    silence_timeout: Optional[float] = 60.0  #: a peer of whom nothing was heard for so long is gone
    #: The longest message to send and to receive. A session has two buffers of this size. With custom identities and
    #: with pad_to also: at least as much as identity, proof and padding together.
    message_max: int = MESSAGE_MAX


def _limit(value: int, name: str, least: int, most: int) -> int:
    if not least <= value <= most:
        raise _bad(f"{name} is from {least} to {most}, not {value}")
    return value


def _interval(seconds: Optional[float], name: str) -> int:
    if seconds is None:
        return int(lib.SVCONN_OFF)
    return _limit(_ms(seconds), f"{name} in milliseconds", 1, lib.SVCONN_OFF - 1)


class Session:
    """One session over one link, without input or output: carry bytes with `wire_in` and `wire_out`, tell the time with
    `tick`, answer when `state` asks, then `send` and `recv` messages.

    Errors are `UsageError` (the session is as it was) and `Failure` (final; send what is in `wire_out`, close the link).
    Times are seconds of any clock that only goes forward, None: time.monotonic().

    Keys and buffers lie outside of Python's objects. They are erased by `wipe`, at the end of a `with` block, or when
    nobody needs the session any more. Calls from several threads wait for each other. Not to be used on both sides of
    os.fork.
    """

    __slots__ = ("_s", "_n", "_lock", "_end", "role", "__weakref__")

    role: Role

    def __init__(
        self, role: Role, identity: Identity, config: Config = Config(), *, seed: Optional[BytesLike] = None
    ) -> None:
        """`seed`: 32 random bytes that are used for nothing else, if not from os.urandom. A bytearray is wiped."""
        if not identity._end.alive:
            raise UsageError(Code.STATE, "the identity is wiped")
        me = ffi.new("svconn_identity *")
        c = ffi.new("svconn_config *")
        message_max = _limit(config.message_max, "message_max", 0, MESSAGE_MAX)
        size = max(message_max + lib.SVCONN_OVERHEAD + lib.SVCONN_BUFFER_RESERVE, lib.SVCONN_BUFFER_MIN)
        rx, tx = ffi.new("uint8_t[]", size), ffi.new("uint8_t[]", size)
        context = ffi.new("uint8_t[]", bytes(config.context))
        known = ffi.new("uint8_t[]", join_keys(config.known_servers))  # (a zero byte behind each is cffi's)

        c.role = Role(role)
        c.identity = me
        c.context, c.context_len = context, len(config.context)
        c.peer_types = _limit(config.peer_types, "peer_types", 0, 7)
        c.hidden = bool(config.hidden)
        c.early = Early(config.early)
        c.pad_to = _limit(config.pad_to, "pad_to", 0, 65535)
        c.known_servers, c.known_servers_count = ffi.cast("const public_key *", known), len(known) // 32
        c.renew_records = _limit(config.renew_records, "renew_records", 1, 1 << 20)
        c.renew_bytes = _limit(config.renew_bytes, "renew_bytes", 1, 1 << 30)
        c.renew_ms = _limit(_ms(config.renew_interval), "renew_interval in milliseconds", 1, 120000)
        c.handshake_ms = _interval(config.handshake_timeout, "handshake_timeout")
        c.keepalive_ms = _interval(config.keepalive_interval, "keepalive_interval")
        c.silence_ms = _interval(config.silence_timeout, "silence_timeout")

        self.role = Role(role)
        self._s = ffi.new("svconn *")
        self._n = ffi.new("size_t *")
        self._lock = threading.RLock()  # cffi lets other threads run during each call
        # The finalizer holds everything that the session points to until the session is wiped.
        self._end = weakref.finalize(self, _erase, self._s, me, (c, rx, tx, context, known, identity._kept))
        ffi.memmove(me, identity._id, ffi.sizeof("svconn_identity"))
        secret = _take_secret(os.urandom(32) if seed is None else seed, "the seed of a session", Code.SEED)
        err = lib.svconn_init(self._s, c, secret, rx, size, tx, size)
        if err != Code.OK:
            _wipe(secret)
            self._end()
            check(err)

    # -- the link

    def wire_in(self, data: BytesLike, now: Optional[float] = None) -> int:
        """Takes bytes from the link, in pieces of any size, and says how many. The rest is to be offered again: the
        session waits for the application, with a question to answer or a message to fetch."""
        source = _bytes(data)
        with self._lock:
            check(lib.svconn_wire_in(self._s, source, len(source), self._n, _now(now)))
            return int(self._n[0])

    def wire_out(self, most: Optional[int] = None) -> bytes:
        """Bytes for the link; up to `most` of them. What is returned counts as sent."""
        with self._lock:
            where = lib.svconn_wire_out(self._s, self._n)
            size = self._n[0] if most is None else min(self._n[0], max(most, 0))
            data = bytes(ffi.buffer(where, size)) if size else b""
            check(lib.svconn_wire_sent(self._s, size))
            return data

    def wire_eof(self) -> None:
        """The link has ended. A `Failure`, now or behind the last whole message, if the peer had not closed before."""
        with self._lock:
            check(lib.svconn_wire_eof(self._s))

    def tick(self, now: Optional[float] = None) -> Optional[float]:
        """Tells the time: sends keep-alives, ends what is overdue. Returns when to call it next; None: never."""
        next_ms = ffi.new("uint64_t *")
        with self._lock:
            check(lib.svconn_tick(self._s, _now(now), next_ms))
        return None if next_ms[0] == 0xFFFFFFFFFFFFFFFF else int(next_ms[0]) / 1000

    @property
    def state(self) -> State:
        with self._lock:
            return State(lib.svconn_status(self._s))

    @property
    def failure(self) -> Optional[Failure]:
        """Why the session has failed; None if it has not."""
        with self._lock:
            err = lib.svconn_error(self._s)
        return Failure(Code(err)) if err else None

    # -- who is there

    @property
    def peer(self) -> Optional[bytes]:
        """The peer's identity: one byte for the type (1: Ed25519, 2: pre-shared key, 0x80 and above: the application's
        own), then the public key, the name, or the application's bytes. None as long as it is not known. In
        `State.NEEDS_PSK` a mere claim; in `State.NEEDS_VERDICT` proven, but for the application's own types."""
        with self._lock:
            where = lib.svconn_peer(self._s, self._n)
            return bytes(ffi.buffer(where, self._n[0])) if where else None

    def accept(self) -> None:
        """The peer is welcome. For an application's own type it also says: `peer_proof` was verified."""
        with self._lock:
            check(lib.svconn_accept(self._s))

    def refuse(self) -> None:
        """The peer is not welcome: the session fails, with `Code.REFUSED`."""
        with self._lock:
            check(lib.svconn_refuse(self._s))

    def accept_known(self, public_keys: Iterable[BytesLike]) -> None:
        """Accepts a peer with one of these Ed25519 keys, and refuses all others."""
        keys = _bytes(join_keys(public_keys))
        with self._lock:
            check(lib.svconn_accept_known(self._s, ffi.cast("const public_key *", keys), len(keys) // 32))

    def give_psk(self, key: BytesLike) -> None:
        """The pre-shared key for the name in `peer`. A bytearray is filled with zeros, unless this is a `UsageError`."""
        with self._lock:
            if self.state != State.NEEDS_PSK:
                raise UsageError(Code.STATE)
            copy = _take_secret(key, "a pre-shared key")
            err = lib.svconn_give_psk(self._s, copy)
            _wipe(copy)
            check(err)

    def proof_message(self) -> bytes:
        """The bytes that `prove` wants a proof over."""
        out = ffi.new("uint8_t[]", lib.SVCONN_PROOF_MESSAGE_MAX)
        with self._lock:
            check(lib.svconn_proof_message(self._s, out, self._n))
            return bytes(ffi.buffer(out, self._n[0]))

    def prove(self, proof: BytesLike) -> None:
        """Our proof over `proof_message()`."""
        source = _bytes(proof)
        with self._lock:
            check(lib.svconn_prove(self._s, source, len(source)))

    def peer_proof(self) -> Tuple[bytes, bytes]:
        """The peer's proof, and the bytes that it must cover."""
        proof, proof_len = ffi.new("const uint8_t **"), ffi.new("size_t *")
        text = ffi.new("uint8_t[]", lib.SVCONN_PROOF_MESSAGE_MAX)
        with self._lock:
            check(lib.svconn_peer_proof(self._s, proof, proof_len, text, self._n))
            return bytes(ffi.buffer(proof[0], proof_len[0])), bytes(ffi.buffer(text, self._n[0]))

    # -- messages

    def send(self, message: BytesLike, now: Optional[float] = None) -> None:
        """Seals one message, of 0 to `Config.message_max` bytes. `WouldBlock`: no room before more of `wire_out` is
        taken."""
        source = _bytes(message)
        with self._lock:
            check(lib.svconn_send(self._s, source, len(source), _now(now)))

    def recv(self) -> Optional[bytes]:
        """One received message; None if there is none now (or never again: `ended`). What came whole before a failure
        is returned before it is raised."""
        message = ffi.new("const uint8_t **")
        with self._lock:
            err = lib.svconn_recv(self._s, message, self._n)
            if err in (Code.AGAIN, Code.END):
                return None
            check(err)
            copy = bytes(ffi.buffer(message[0], self._n[0]))
            lib.svconn_recv_done(self._s)  # a failure by what follows is returned by the next svconn_recv
            return copy

    @property
    def ended(self) -> bool:
        """The peer has closed, in order, and all its messages were received."""
        message = ffi.new("const uint8_t **")
        with self._lock:
            return bool(lib.svconn_recv(self._s, message, self._n) == Code.END)

    def close(self, now: Optional[float] = None) -> None:
        """We send nothing more; the peer may. Go on receiving until `ended`."""
        with self._lock:
            check(lib.svconn_close(self._s, _now(now)))

    def abort(self) -> None:
        """Ends at once: a failure with `Code.CANCELLED`, of which the peer is told."""
        with self._lock:
            lib.svconn_abort(self._s)

    def renew(self) -> None:
        """A new key for the next record, and for what the peer sends then. (It happens by itself as well.)"""
        with self._lock:
            check(lib.svconn_renew(self._s))

    # -- what else a session knows

    def export(self, label: str, length: int, context: BytesLike = b"") -> bytes:
        """A key for another purpose, equal at both ends: 1 to 8160 bytes for a label and a context."""
        if "\0" in label:
            raise _bad("a label has no zero byte")
        out, source = ffi.new("uint8_t[]", _limit(length, "length", 1, 8160)), _bytes(context)
        with self._lock:
            check(lib.svconn_export(self._s, label.encode(), source, len(source), out, length))
        key = bytes(ffi.buffer(out))
        _wipe(out)
        return key

    def authenticator(self) -> str:
        """20 digits, "12345 12345 12345 12345", for two people to compare over another channel."""
        out = ffi.new("char[24]")
        with self._lock:
            check(lib.svconn_authenticator(self._s, out))
        return str(ffi.string(out), "ascii")

    def key_ids(self) -> Tuple[int, int]:
        """The numbers of the keys for sending and for receiving, for logs. 0: none."""
        ids = ffi.new("unsigned[2]")
        with self._lock:
            lib.svconn_key_ids(self._s, ids, ids + 1)
        return int(ids[0]), int(ids[1])

    def wipe(self) -> None:
        """Ends it in any state, and erases it and its buffers."""
        with self._lock:
            self._end()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.wipe()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session is neither copied nor stored")


def _erase(s: Any, me: Any, _kept: Any) -> None:
    lib.svconn_wipe(s)
    lib.svconn_identity_wipe(me)
