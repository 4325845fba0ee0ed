# SPDX-License-Identifier: ISC
"""asyncio streams against the C program: svconn echo and svconn echo-server, in both roles."""
import asyncio
import os
import re
import signal
import tempfile

import svconn
from lab import CLIENT_KEY, CLIENT_SEED, KINDS, PROGRAM, PSK, SERVER_KEY, SERVER_SEED
from svconn import CLIENT, SERVER, Code, Config, Identity
from test_streams import Base, echo, echo_messages, options


class Program(Base):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.directory = tempfile.TemporaryDirectory()
        self.children = []
        for name, secret in (("server", SERVER_SEED), ("client", CLIENT_SEED), ("psk", PSK)):
            path = self.path(name)
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(secret.hex() + "\n")

    async def asyncTearDown(self):
        for child in self.children:
            if child.returncode is None:
                child.kill()
                await child.wait()
        self.directory.cleanup()
        await super().asyncTearDown()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def arguments(self, kind, role):
        own, other = ("server", CLIENT_KEY) if role == SERVER else ("client", SERVER_KEY)
        if kind == "psk":
            return ["--psk", self.path("psk"), "--name", own]
        hidden = ["--hidden"] if kind == "hidden" else []
        return ["--key", self.path(own), "--peer", other.hex()] + hidden

    async def run_program(self, *arguments, **kwds):
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(PROGRAM, *arguments, stdout=pipe, stderr=pipe, **kwds)
        self.children.append(child)
        return child

    async def c_server(self, kind, *more):
        child = await self.run_program("echo-server", "tcp://127.0.0.1:0", "--verbose", *self.arguments(kind, SERVER), *more)
        return child, await self.port_of(child)

    async def port_of(self, child):
        while True:
            line = (await asyncio.wait_for(child.stderr.readline(), 10)).decode()
            self.assertNotEqual(line, "")
            found = re.search(r"listening on .*:(\d+)$", line)
            if found:
                return int(found[1])

    async def test_client(self):
        """a Python client and svconn echo-server: streams, renewal by both, the same digits, closed in order"""
        for kind in KINDS:
            child, port = await self.c_server(kind, "--once", "--renew-every", "4")
            reader, writer = await self.call(port, kind, renew_records=5)
            session = writer.get_extra_info("session")
            digits, peer = session.authenticator(), writer.get_extra_info("peer")
            self.assertEqual(peer, b"\2server" if kind == "psk" else b"\1" + SERVER_KEY)
            data = os.urandom(500_000)

            async def send():
                for at in range(0, len(data), 7000):
                    if at % 70000 == 0:
                        session.renew()
                    writer.write(data[at : at + 7000])
                    await writer.drain()

            _, back = await asyncio.gather(send(), reader.readexactly(len(data)))
            self.assertEqual(back, data)
            self.assertGreater(min(session.key_ids()), 10)
            writer.write_eof()
            self.assertEqual(await reader.read(), b"")
            writer.close()
            await writer.wait_closed()
            _, said = await child.communicate()
            self.assertEqual(child.returncode, 0, said)
            self.assertIn(digits, said.decode())

    async def test_server(self):
        """svconn echo and a Python server: streams and messages"""
        data = os.urandom(500_000)
        with open(self.path("data"), "wb") as file:
            file.write(data)
        for kind in KINDS:
            for callback, start in ((echo, svconn.start_server), (echo_messages, svconn.start_message_server)):
                port = await self.serve(callback, kind, start, renew_records=6)
                more = ["--renew-every", "3", "--size", "30000"] + (["--early"] if kind != "hidden" else [])
                child = await self.run_program("echo", f"tcp://127.0.0.1:{port}", self.path("data"), *self.arguments(kind, CLIENT), *more)
                back, said = await asyncio.wait_for(child.communicate(), 30)
                self.assertEqual(child.returncode, 0, said)
                self.assertTrue(back == data)

    async def test_context(self):
        """another context, another psk, another key, at either end: both know that it failed, and why"""
        stranger = Identity.ed25519(b"\x44" * 32)
        for kind, given, code in (
            ("key", {"config": Config(context=b"tie")}, Code.PROOF),
            ("psk", {"identity": Identity.psk(b"\x44" * 32, "client")}, Code.PROOF),
            ("key", {"identity": stranger}, Code.ABORTED),
            ("key", {"accept": [CLIENT_KEY]}, Code.REFUSED),
            ("hidden", {"accept": [CLIENT_KEY]}, Code.UNKNOWN),
        ):
            child, port = await self.c_server(kind, "--once")
            await self.fails(code, svconn.open_connection("127.0.0.1", port, **{**options(kind, CLIENT), **given}))
            await child.communicate()
            self.assertNotEqual(child.returncode, 0)
        port = await self.serve(echo, accept=[SERVER_KEY])
        with self.assertLogs("svconn", "INFO") as logs:
            child = await self.run_program("echo", f"tcp://127.0.0.1:{port}", os.devnull, *self.arguments("key", CLIENT))
            await child.communicate()
            self.assertNotEqual(child.returncode, 0)
        self.assertIn(str(svconn.Failure(Code.REFUSED)), "".join(logs.output))

    async def test_killed(self):
        """the program is killed: TRUNCATED, in both roles"""
        child, port = await self.c_server("key")
        reader, writer = await self.call(port)
        writer.write(b"hello")
        self.assertEqual(await reader.readexactly(5), b"hello")
        child.send_signal(signal.SIGKILL)
        await self.fails(Code.TRUNCATED, reader.read())

        served = asyncio.get_running_loop().create_future()
        port = await self.serve(lambda r, w: served.set_result(r))
        pipe = asyncio.subprocess.PIPE
        child = await self.run_program("echo", f"tcp://127.0.0.1:{port}", "-", *self.arguments("key", CLIENT), stdin=pipe)
        reader = await asyncio.wait_for(served, 10)
        child.send_signal(signal.SIGKILL)
        await self.fails(Code.TRUNCATED, reader.read())

    async def test_fifty(self):
        """50 Python clients of one svconn echo-server; 20 svconn echo and one Python server"""
        child, port = await self.c_server("key")

        async def one(i):
            async with await self.call(port, open=svconn.open_messages) as stream:
                for size in (0, i, 1000 * i):
                    await stream.send_message(bytes(size))
                    if await stream.receive_message() != bytes(size):
                        return False
            return True

        self.assertEqual(await asyncio.gather(*(one(i) for i in range(50))), [True] * 50)
        port = await self.serve(echo)
        with open(self.path("data"), "wb") as file:
            file.write(os.urandom(100_000))

        async def call():
            child = await self.run_program("echo", f"tcp://127.0.0.1:{port}", self.path("data"), *self.arguments("key", CLIENT))
            back, said = await child.communicate()
            return child.returncode, len(back)

        self.assertEqual(await asyncio.gather(*(call() for _ in range(20))), [(0, 100_000)] * 20)
