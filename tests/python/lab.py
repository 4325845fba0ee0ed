# SPDX-License-Identifier: ISC
"""Two sessions in one process, and what several tests share."""
import os

from svconn import CLIENT, SERVER, Config, Identity, Session, State
from svconn._core import ffi

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROGRAM = os.path.abspath(os.environ.get("SVCONN", os.path.join(ROOT, "build", "svconn")))

SERVER_SEED, CLIENT_SEED, PSK = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
SERVER_KEY = Identity.ed25519(SERVER_SEED).public_key
CLIENT_KEY = Identity.ed25519(CLIENT_SEED).public_key
KINDS = ("key", "hidden", "psk")


def identity(kind, role):
    if kind == "psk":
        return Identity.psk(PSK, role.name.lower())
    return Identity.ed25519(SERVER_SEED if role == SERVER else CLIENT_SEED)


def config(kind, role, **options):
    if kind == "hidden" and role == SERVER:
        options["hidden"] = True
    if kind == "hidden" and role == CLIENT:
        options["known_servers"] = (SERVER_KEY,)
    return Config(**options)


def make(kind, role, **options):
    return Session(role, identity(kind, role), config(kind, role, **options))


def answer(session):
    """Accepts who is expected: the other of the two."""
    if session.state == State.NEEDS_VERDICT:
        server = session.role == CLIENT
        if session.peer[0] == 2:
            session.accept() if session.peer[1:] == (b"server" if server else b"client") else session.refuse()
        else:
            session.accept_known([SERVER_KEY if server else CLIENT_KEY])


def feed(session, data, piece=None, now=0.0):
    """All of it, in pieces of so many bytes; answers what the session asks."""
    while data:
        used = session.wire_in(data[:piece], now)
        answer(session)
        assert used or session.state == State.CONNECTED, "the session is stuck"
        data = data[used:]


def carry(one, other, piece=None):
    """Until neither has anything for the link."""
    moved = True
    while moved:
        moved = False
        for a, b in ((one, other), (other, one)):
            data = a.wire_out()
            if data:
                feed(b, data, piece)
                moved = True


def connected(kind="key", **options):
    """(client, server)"""
    client, server = make(kind, CLIENT, **options), make(kind, SERVER, **options)
    carry(server, client)
    assert client.state == server.state == State.CONNECTED
    return client, server


def memory(session):
    """The session's struct and both buffers, as they are."""
    s, _me, (_config, rx, tx, *_) = session._end.peek()[2]
    return bytes(ffi.buffer(s)), bytes(ffi.buffer(rx)), bytes(ffi.buffer(tx))
