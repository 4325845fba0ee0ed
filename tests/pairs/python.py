# SPDX-License-Identifier: ISC
"""One end of a pair, with the package svconn: python.py server KIND | client KIND PORT"""
import asyncio
import sys

import svconn
from svconn import CLIENT, SERVER, Config, Identity, Role, Session

SEEDS = {SERVER: b"\x11" * 32, CLIENT: b"\x22" * 32}
PSK = b"\x33" * 32


def config(role: Role, kind: str) -> Config:
    hidden = kind == "hidden"
    known = (Identity.ed25519(SEEDS[SERVER]).public_key,) if hidden and role == CLIENT else ()
    return Config(hidden=hidden and role == SERVER, known_servers=known, message_max=16384)


def identity(role: Role, kind: str) -> Identity:
    return Identity.psk(PSK, role.name.lower()) if kind == "psk" else Identity.ed25519(SEEDS[role])


def accept(role: Role, kind: str) -> list:
    other = CLIENT if role == SERVER else SERVER
    return [other.name.lower()] if kind == "psk" else [Identity.ed25519(SEEDS[other]).public_key]


async def server(kind: str) -> str:
    link = asyncio.get_running_loop().create_future()
    door = await asyncio.start_server(lambda *streams: link.set_result(streams), "127.0.0.1", 0)
    print("port", door.sockets[0].getsockname()[1], flush=True)
    reader, writer = await link
    door.close()
    async with await svconn.wrap_messages(
        reader, writer, role=SERVER, identity=identity(SERVER, kind), accept=accept(SERVER, kind), config=config(SERVER, kind)
    ) as stream:
        digits = stream.get_extra_info("session").authenticator()
        async for message in stream:
            await stream.send_message(message)
    return digits


async def client(kind: str, port: str) -> str:
    async with await svconn.open_messages(
        "127.0.0.1", int(port), identity=identity(CLIENT, kind), accept=accept(CLIENT, kind), config=config(CLIENT, kind)
    ) as stream:
        session: Session = stream.get_extra_info("session")
        digits = session.authenticator()
        for message in (b"", b"hello", bytes(7 * i % 256 for i in range(5000))):
            if len(message) == 5000:
                session.renew()
            await stream.send_message(message)
            if await stream.receive_message() != message:
                raise ValueError(f"the echo of {len(message)} bytes is another one")
        stream.write_eof()
        if await stream.receive_message() is not None:
            raise ValueError("a message that nobody asked for")
    return digits


if __name__ == "__main__":
    try:
        work = server(sys.argv[2]) if sys.argv[1] == "server" else client(*sys.argv[2:4])
        print("authenticator", asyncio.run(asyncio.wait_for(work, 30)))
    except Exception as e:
        sys.exit(f"{type(e).__name__}: {e}")
