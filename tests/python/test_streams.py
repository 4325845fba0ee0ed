# SPDX-License-Identifier: ISC
"""asyncio: streams and messages among ourselves, with a proxy between that can do what a bad link does."""
import asyncio
import gc
import os
import socket
import struct
import sys
import tempfile
import time
import unittest

import svconn
from lab import CLIENT_KEY, KINDS, PSK, SERVER_KEY, identity
from svconn import CLIENT, SERVER, Code, Config, Failure, Identity, State, UsageError

HERE = os.path.dirname(os.path.abspath(__file__))


def accept(kind, role):
    if kind == "psk":
        return ["client" if role == SERVER else "server"]
    return [CLIENT_KEY if role == SERVER else SERVER_KEY]


def options(kind, role, **more):
    own = {"hidden": True} if kind == "hidden" and role == SERVER else {}  # a client finds hidden servers by its list
    return {"identity": identity(kind, role), "accept": accept(kind, role), "config": Config(**own, **more)}


class Proxy:
    """Between client and server: `bad` changes what goes to the client; `stalled` holds all back; `cut` ends it."""

    def __init__(self, port):
        self.to, self.bad, self.stalled, self.writers, self.seen = port, None, False, [], 0

    async def start(self):
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def connected(self, reader, writer):
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.to)
        self.writers += [writer, other_writer]
        await asyncio.gather(self.pump(reader, other_writer, False), self.pump(other_reader, writer, True))

    async def pump(self, reader, writer, to_client):
        try:
            while True:
                data = await reader.read(4096)
                if not data:
                    break
                while self.stalled:
                    await asyncio.sleep(0.01)
                if to_client and self.bad:
                    data, self.bad = self.bad(data), None
                self.seen += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def cut(self, reset=False):
        for writer in self.writers:
            if reset:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            else:
                writer.close()

    def close(self):
        self.stalled = False
        self.cut()
        self.server.close()


class Base(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.servers = []
        self.errors = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: self.errors.append(context))
        self.alarm = loop.call_later(60, self.hangs)

    def hangs(self):
        for task in asyncio.all_tasks():
            task.print_stack()
            task.cancel()

    async def asyncTearDown(self):
        self.alarm.cancel()
        for server in self.servers:
            server.close()
        for _ in range(400):  # tasks that are ending
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if not others:
                break
            await asyncio.sleep(0.01)
        self.assertEqual(others, set(), "tasks are left")
        self.assertEqual(self.errors, [])

    async def serve(self, callback, kind="key", start=svconn.start_server, accept=None, **more):
        given = options(kind, SERVER, **more)
        if accept is not None:
            given["accept"] = accept
        server = await start(callback, "127.0.0.1", 0, **given)
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def call(self, port, kind="key", open=svconn.open_connection, close_timeout=10.0, **more):
        return await asyncio.wait_for(
            open("127.0.0.1", port, close_timeout=close_timeout, **options(kind, CLIENT, **more)), 20
        )

    async def pair(self, messages=False, proxy=False, server_options={}, **more):
        """(client, server) of one connection, and the proxy if one is wanted."""
        served = asyncio.get_running_loop().create_future()

        def callback(*stream):
            served.set_result(stream if len(stream) == 2 else stream[0])

        start = svconn.start_message_server if messages else svconn.start_server
        port = await self.serve(callback, start=start, **server_options)
        between = None
        if proxy:
            between = Proxy(port)
            port = await between.start()
            self.servers.append(between)
        client = await self.call(port, open=svconn.open_messages if messages else svconn.open_connection, **more)
        both = client, await asyncio.wait_for(served, 10)
        return (*both, between) if proxy else both

    async def fails(self, code, awaitable):
        with self.assertRaises(Failure) as caught:
            await asyncio.wait_for(awaitable, 10)
        self.assertEqual(caught.exception.code, code)


async def echo(reader, writer):
    while True:
        data = await reader.read(10000)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def echo_messages(stream):
    async with stream:
        async for message in stream:
            await stream.send_message(message)


class Streams(Base):
    async def test_like_asyncio(self):
        """read, readline, readuntil, readexactly, writelines, at_eof and get_extra_info, for each kind of identity"""
        for kind in KINDS:
            port = await self.serve(echo, kind)
            reader, writer = await self.call(port, kind)
            self.assertIs(type(reader), asyncio.StreamReader)
            self.assertIs(type(writer), asyncio.StreamWriter)
            writer.write(b"one\ntwo\n")
            writer.writelines([b"three;", b"", bytearray(b"four"), memoryview(b"five")])
            await writer.drain()
            self.assertEqual(await reader.readline(), b"one\n")
            self.assertEqual(await reader.readuntil(b";"), b"two\nthree;")
            self.assertEqual(await reader.readexactly(8), b"fourfive")
            self.assertFalse(reader.at_eof())
            self.assertEqual(writer.get_extra_info("peer"), identity(kind, SERVER).public)
            self.assertEqual(writer.get_extra_info("peername"), ("127.0.0.1", port))
            self.assertRegex(writer.get_extra_info("session").authenticator(), r"^[\d ]{23}$")
            self.assertTrue(writer.can_write_eof())
            writer.write(b"the end")
            writer.write_eof()
            self.assertEqual(await reader.read(), b"the end")
            self.assertTrue(reader.at_eof())
            with self.assertRaises(RuntimeError):
                writer.write(b"more")
            session = writer.get_extra_info("session")
            writer.close()
            self.assertTrue(writer.is_closing())
            await writer.wait_closed()
            self.assertEqual(session.state, State.NONE)  # it is wiped

    async def test_incomplete(self):
        """the end of the stream inside of readexactly and readuntil is IncompleteReadError, as with asyncio"""
        (reader, writer), (_, server) = await self.pair()
        server.write(b"abc")
        server.close()
        with self.assertRaises(asyncio.IncompleteReadError) as caught:
            await reader.readexactly(5)
        self.assertEqual(caught.exception.partial, b"abc")
        writer.close()
        await writer.wait_closed()

    async def test_half_close(self):
        """write_eof: the other direction goes on"""
        (reader, writer), (server_reader, server) = await self.pair()
        writer.write_eof()
        self.assertEqual(await server_reader.read(), b"")
        for i in range(5):
            server.write(b"%d\n" % i)
            self.assertEqual(await reader.readline(), b"%d\n" % i)
        server.close()
        self.assertEqual(await reader.read(), b"")
        await asyncio.wait_for(asyncio.gather(writer.wait_closed(), server.wait_closed()), 5)

    async def test_large(self):
        """megabytes both ways at the same time, over small and large messages"""
        for size in (100, 16384, 65535):
            port = await self.serve(echo, message_max=size)
            reader, writer = await self.call(port, message_max=size)
            data = os.urandom(300000 if size == 100 else 3000000)

            async def send():
                for at in range(0, len(data), 50000):
                    writer.write(data[at : at + 50000])
                    await writer.drain()
                writer.write_eof()

            _, back = await asyncio.gather(send(), reader.read())
            self.assertEqual(back, data)
            writer.close()
            await writer.wait_closed()

    async def test_backpressure(self):
        """a peer that does not read stops the writer, with little in memory; once it reads, all arrives"""
        (_, writer), (server_reader, server) = await self.pair()
        chunk, sent = os.urandom(10000), 0

        async def send():
            nonlocal sent
            while True:
                writer.write(chunk)
                sent += len(chunk)
                await writer.drain()
                await asyncio.sleep(0)

        task = asyncio.create_task(send())
        stopped = -1
        while sent != stopped:
            self.assertLess(sent, 20_000_000)  # most of it is in the kernel
            stopped = sent
            await asyncio.sleep(0.5)
        self.assertLess(len(server_reader._buffer), 300_000)
        self.assertLess(writer.transport.get_write_buffer_size(), 100_000)
        task.cancel()
        await asyncio.wait([task])
        writer.close()
        got = await server_reader.read()
        self.assertEqual(got, chunk * (sent // len(chunk)))
        server.close()
        await asyncio.gather(writer.wait_closed(), server.wait_closed())

    async def test_pause_is_not_silence(self):
        """who does not read for longer than the silence timeout keeps the session"""
        (reader, writer), (_, server) = await self.pair(
            keepalive_interval=0.2, silence_timeout=0.6, server_options={"keepalive_interval": 0.2, "silence_timeout": 0.6}
        )
        data = os.urandom(1_000_000)
        server.write(data)
        server.close()
        await asyncio.sleep(1.5)
        self.assertEqual(await reader.read(), data)
        writer.close()
        await asyncio.gather(writer.wait_closed(), server.wait_closed())

    async def test_stopped_process(self):
        """after a stop of the process what has come meanwhile counts first"""
        code = """if True:
            import asyncio, sys
            sys.path.insert(0, %r)
            import svconn, lab
            async def main():
                reader, writer = await svconn.open_connection("127.0.0.1", int(sys.argv[1]), identity=lab.identity("key", svconn.CLIENT),
                    accept=[lab.SERVER_KEY], config=svconn.Config(keepalive_interval=0.1, silence_timeout=0.5))
                while True:
                    line = await reader.readline()
                    if not line: break
                    writer.write(line)
                writer.close()
                await writer.wait_closed()
            asyncio.run(main())""" % HERE  # fmt: skip
        served = asyncio.get_running_loop().create_future()
        port = await self.serve(lambda r, w: served.set_result((r, w)), keepalive_interval=0.1, silence_timeout=60.0)
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(port))
        reader, writer = await asyncio.wait_for(served, 10)
        for i in range(2):
            writer.write(b"line\n")
            self.assertEqual(await asyncio.wait_for(reader.readline(), 5), b"line\n")
            child.send_signal(19)  # SIGSTOP
            await asyncio.sleep(1.2)
            child.send_signal(18)
        writer.write_eof()
        self.assertEqual(await reader.read(), b"")
        writer.close()
        await writer.wait_closed()
        self.assertEqual(await child.wait(), 0)

    async def test_hundred(self):
        """100 connections at the same time"""
        port = await self.serve(echo)

        async def one(i):
            reader, writer = await self.call(port)
            data = bytes([i]) * (1000 * i)
            writer.write(data)
            writer.write_eof()
            back = await reader.read()
            writer.close()
            await writer.wait_closed()
            return back == data

        self.assertEqual(await asyncio.gather(*(one(i) for i in range(100))), [True] * 100)

    async def test_renewal(self):
        """keys are renewed by request and by count, in both directions"""
        port = await self.serve(echo, renew_records=3)
        reader, writer = await self.call(port)
        session = writer.get_extra_info("session")
        for i in range(20):
            if i % 5 == 0:
                session.renew()
            writer.write(b"%d\n" % i)
            gc.collect()  # takes no task away
            self.assertEqual(await reader.readline(), b"%d\n" % i)
        self.assertGreater(min(session.key_ids()), 5)
        writer.close()
        await writer.wait_closed()


class Bad(Base):
    async def test_truncation(self):
        """the link ends between two records, inside of one, or is reset: a failure for readers and writers, no end of stream"""
        for how in ("between", "inside", "reset"):
            (reader, writer), (server_reader, server), proxy = await self.pair(proxy=True)
            server.write(b"one line\n")
            self.assertEqual(await reader.readline(), b"one line\n")
            read = asyncio.create_task(reader.read())
            if how == "inside":
                proxy.bad = lambda data: data[:-1]
                server.write(b"another line\n")
                await asyncio.sleep(0.1)
            proxy.cut(reset=how == "reset")
            await self.fails(Code.TRUNCATED, read)
            await self.fails(Code.TRUNCATED, server_reader.readexactly(1))
            with self.assertRaises(ConnectionError):
                writer.write(b"x")
                await writer.drain()
            await self.fails(Code.TRUNCATED, writer.wait_closed())
            await self.fails(Code.TRUNCATED, server.wait_closed())

    async def test_tampering(self):
        """a changed bit: TAG here, ABORTED there"""
        (reader, writer), (server_reader, server), proxy = await self.pair(proxy=True)
        proxy.bad = lambda data: data[:-1] + bytes([data[-1] ^ 1])
        server.write(b"hello")
        await self.fails(Code.TAG, reader.read())
        await self.fails(Code.ABORTED, server_reader.read())
        await self.fails(Code.TAG, writer.wait_closed())

    async def test_silence(self):
        """a link that is dead; and keep-alives that keep an idle one"""
        times = {"keepalive_interval": 0.1, "silence_timeout": 0.5}
        (reader, writer), (server_reader, server), proxy = await self.pair(proxy=True, server_options=times, **times)
        before = proxy.seen
        await asyncio.sleep(1)
        self.assertGreater(proxy.seen, before)
        proxy.stalled = True
        began = time.monotonic()
        await self.fails(Code.SILENT, reader.read())
        await self.fails(Code.SILENT, server_reader.read())
        self.assertLess(time.monotonic() - began, 5)

    async def test_close_timeout(self):
        """a peer that never closes: wait_closed says so in time"""
        (_, writer), (server_reader, server) = await self.pair(close_timeout=0.3)
        writer.write(b"x")
        writer.close()
        self.assertEqual(await server_reader.read(), b"x")
        began = time.monotonic()
        with self.assertRaisesRegex(TimeoutError, "did not close within 0.3 s"):
            await writer.wait_closed()
        self.assertLess(time.monotonic() - began, 3)
        server.write(b"x")
        with self.assertRaises(Failure):
            await server.drain()
            await server.wait_closed()

    async def test_close_drops(self):
        """what comes after close is dropped, and the peer gets all that was written before"""
        (_, writer), (server_reader, server) = await self.pair()
        data = os.urandom(500_000)
        writer.write(data)
        writer.close()
        for _ in range(100):
            server.write(bytes(10000))
            await server.drain()
        self.assertEqual(await server_reader.read(), data)
        server.close()
        await asyncio.gather(writer.wait_closed(), server.wait_closed())

    async def test_abort(self):
        """abort: a failure for both, at once"""
        (reader, writer), (server_reader, _) = await self.pair()
        writer.transport.abort()
        await self.fails(Code.CANCELLED, reader.read())
        await self.fails(Code.ABORTED, server_reader.read())

    async def test_refused(self):
        """strangers on either side, another context, the wrong psk: open_connection raises, nothing is served"""
        served = []
        stranger = Identity.ed25519(b"\x44" * 32)
        port = await self.serve(lambda r, w: served.append(r))
        with self.assertLogs("svconn", "INFO") as logs:
            for given, code in (
                ({"identity": stranger}, Code.ABORTED),
                ({"accept": [CLIENT_KEY]}, Code.REFUSED),
                ({"accept": []}, Code.REFUSED),
                ({"accept": ["server"]}, Code.REFUSED),
                ({"config": Config(context=b"other")}, Code.PROOF),
                ({"identity": Identity.psk(PSK, "client")}, Code.TYPE),
            ):
                with self.subTest(given=given):
                    await self.fails(code, svconn.open_connection("127.0.0.1", port, **{**options("key", CLIENT), **given}))
        self.assertIn("127.0.0.1", "".join(logs.output))
        port = await self.serve(lambda r, w: served.append(r), "psk")
        for given, code in (
            ({"identity": Identity.psk(b"\x44" * 32, "client")}, Code.PROOF),
            ({"identity": Identity.psk(PSK, "another")}, Code.ABORTED),
            ({"accept": ["another"]}, Code.REFUSED),
        ):
            await self.fails(code, svconn.open_connection("127.0.0.1", port, **{**options("psk", CLIENT), **given}))
        port = await self.serve(lambda r, w: served.append(r), "hidden")
        await self.fails(
            Code.UNKNOWN, svconn.open_connection("127.0.0.1", port, identity=stranger, accept=[CLIENT_KEY])
        )
        self.assertEqual(served, [])

    async def test_handshake_timeout(self):
        """a server that says nothing, or stops in the middle"""
        m1 = svconn.Session(SERVER, identity("key", SERVER)).wire_out()
        for said in (b"", m1[:50], m1):

            async def silent(reader, writer):
                writer.write(said)
                while await reader.read(1000):
                    pass
                writer.close()

            server = await asyncio.start_server(silent, "127.0.0.1", 0)
            self.servers.append(server)
            port = server.sockets[0].getsockname()[1]
            began = time.monotonic()
            await self.fails(Code.TIMEOUT, self.call(port, handshake_timeout=0.3))
            self.assertLess(time.monotonic() - began, 3)

    async def test_handshake_ends(self):
        """a link that ends in the handshake, and one that cannot be had"""
        m1 = svconn.Session(SERVER, identity("key", SERVER)).wire_out()
        for said, code in ((b"", Code.ABSENT), (m1[:50], Code.TRUNCATED), (b"HTTP/1.1 400 Bad Request\r\n\r\n", Code.VERSION)):

            def short(reader, writer):
                writer.write(said)
                writer.close()

            server = await asyncio.start_server(short, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            await self.fails(code, self.call(port))
            server.close()
        with self.assertRaises(ConnectionRefusedError):
            await self.call(port)

    async def test_callback_raises(self):
        """a server's callback that raises: the client sees a failure"""

        async def broken(reader, writer):
            await reader.readline()
            raise ZeroDivisionError

        port = await self.serve(broken)
        reader, writer = await self.call(port)
        writer.write(b"go\n")
        await self.fails(Code.ABORTED, reader.read())
        gc.collect()
        errors, self.errors = self.errors, []
        self.assertTrue(all(isinstance(e["exception"], ZeroDivisionError) for e in errors))

    async def test_usage(self):
        """mistakes are told where they are made"""
        me = identity("key", SERVER)
        for bad in (SERVER_KEY, "server", [b"short"], [SERVER_KEY.hex()]):
            with self.assertRaises((TypeError, UsageError)):
                await svconn.start_server(echo, "127.0.0.1", 0, identity=me, accept=bad)
        with self.assertRaises(UsageError):
            await svconn.start_server(echo, "127.0.0.1", 0, identity=me, accept=[], config=Config(pad_to=-1))
        port = await self.serve(echo)
        with self.assertRaises(UsageError):
            await self.call(port, pad_to=-1)


class Cancellation(Base):
    async def test_open(self):
        """open_connection is cancelled in the handshake: the link is closed"""
        gone = asyncio.get_running_loop().create_future()

        async def silent(reader, writer):
            gone.set_result(await reader.read(1000))
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        self.servers.append(server)
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(self.call(port))
        await asyncio.sleep(0.2)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(await asyncio.wait_for(gone, 5), bytes(16))  # the error packet

    async def test_read_and_drain(self):
        """read and drain are cancelled: nothing is lost"""
        (reader, writer), (server_reader, server) = await self.pair()
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.1)
        server.write(b"half")
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.1)
        server.write(b" and half\n")
        self.assertEqual(await reader.readline(), b"half and half\n")
        data = os.urandom(10_000_000)
        writer.write(data)
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.1)
        writer.write_eof()
        self.assertEqual(await server_reader.read(), data)
        writer.close()
        server.close()
        await asyncio.gather(writer.wait_closed(), server.wait_closed())

    async def test_messages(self):
        """receive_message and send_message are cancelled: no message is lost, none is sent"""
        client, server = await self.pair(messages=True)
        for i in range(3):
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(client.receive_message(), 0.05)
            await server.send_message(b"%d" % i)
            self.assertEqual(await client.receive_message(), b"%d" % i)
        sent = 0
        try:
            while True:
                await asyncio.wait_for(client.send_message(b"%7d" % sent + bytes(50000)), 0.5)
                sent += 1
        except asyncio.TimeoutError:
            pass
        client.write_eof()
        got = [message[:7] async for message in server]
        self.assertEqual(got, [b"%7d" % i for i in range(sent)])
        client.close()
        server.close()
        await asyncio.gather(client.wait_closed(), server.wait_closed())

    async def test_end_of_loop(self):
        """a program that ends without closing: the peer sees a failure, not the end of the stream"""
        (reader, writer), (server_reader, _) = await self.pair()
        for task in asyncio.all_tasks():  # as asyncio.run does with all
            if "_run" in repr(task) and writer.transport in task.get_coro().cr_frame.f_locals.values():
                task.cancel()
        await self.fails(Code.ABORTED, server_reader.read())
        await self.fails(Code.CANCELLED, reader.read())


class Messages(Base):
    async def test_messages(self):
        """whole messages of all sizes, empty ones too, for each kind of identity"""
        for kind in KINDS:
            port = await self.serve(echo_messages, kind, svconn.start_message_server)
            async with await self.call(port, kind, svconn.open_messages) as stream:
                self.assertEqual(stream.get_extra_info("peer"), identity(kind, SERVER).public)
                for size in (0, 0, 1, 15, 16384, 65535, 0):
                    message = os.urandom(size)
                    await stream.send_message(message)
                    self.assertEqual(await stream.receive_message(), message)
                with self.assertRaises(ValueError):
                    await stream.send_message(bytes(65536))
                stream.write_eof()
                self.assertIsNone(await stream.receive_message())
                self.assertIsNone(await stream.receive_message())
                with self.assertRaises(RuntimeError):
                    await stream.send_message(b"")

    async def test_backpressure(self):
        """a peer that does not take its messages stops the sender, empty messages too"""
        client, server = await self.pair(messages=True)
        for size in (0, 60000):
            sent = 0

            async def send():
                nonlocal sent
                while True:
                    await client.send_message(bytes(size))
                    sent += 1
                    if sent % 100 == 0:
                        await asyncio.sleep(0)

            task = asyncio.create_task(send())
            stopped = -1
            while sent != stopped:
                self.assertLess(sent, 1_000_000)
                stopped = sent
                await asyncio.sleep(0.5)
            self.assertLess(len(server._messages), 2000)
            self.assertLess(sum(map(len, server._messages)), 300_000)
            task.cancel()
            await asyncio.wait([task])
            for _ in range(sent):
                self.assertEqual(len(await server.receive_message()), size)
        client.close()
        server.close()
        await asyncio.gather(client.wait_closed(), server.wait_closed())

    async def test_before_failure(self):
        """messages that came whole before a failure come before it"""
        client, server, proxy = await self.pair(messages=True, proxy=True)
        for i in range(5):
            await server.send_message(b"%d" % i)
        await asyncio.sleep(0.1)
        proxy.cut()
        await asyncio.sleep(0.1)
        got = []
        with self.assertRaises(Failure) as caught:
            async for message in client:
                got.append(message)
        self.assertEqual((got, caught.exception.code), ([b"0", b"1", b"2", b"3", b"4"], Code.TRUNCATED))
        await self.fails(Code.TRUNCATED, client.send_message(b""))
        await self.fails(Code.TRUNCATED, client.wait_closed())

    async def test_context_manager(self):
        """an exception in async with aborts"""
        client, server = await self.pair(messages=True)
        with self.assertRaises(ZeroDivisionError):
            async with client:
                raise ZeroDivisionError
        await self.fails(Code.ABORTED, server.receive_message())

    async def test_two_readers(self):
        """two tasks in receive_message at once are a mistake that is told"""
        client, server = await self.pair(messages=True)
        task = asyncio.create_task(client.receive_message())
        await asyncio.sleep(0)
        with self.assertRaises(RuntimeError):
            await client.receive_message()
        await server.send_message(b"x")
        self.assertEqual(await task, b"x")
        client.close()
        server.close()
        await asyncio.gather(client.wait_closed(), server.wait_closed())


class Accepting(Base):
    async def test_functions(self):
        """accept as a function, as a coroutine function; one that does not answer, one that raises, one that is too slow"""

        def yes(session):
            session.accept_known([CLIENT_KEY])

        async def later(session):
            await asyncio.sleep(0.1)
            session.accept()

        for good in (yes, later):
            port = await self.serve(echo, accept=good)
            reader, writer = await self.call(port)
            writer.close()
            await writer.wait_closed()

        def nothing(session):
            pass

        def broken(session):
            raise ZeroDivisionError

        async def slow(session):
            await asyncio.sleep(5)

        port = await self.serve(echo)
        given = options("key", CLIENT, handshake_timeout=0.3)
        for bad, error in ((nothing, Failure), (broken, ZeroDivisionError), (slow, Failure)):
            given["accept"] = bad
            with self.assertRaises(error) as caught:
                await svconn.open_connection("127.0.0.1", port, **given)
            if error is Failure:
                self.assertEqual(caught.exception.code, Code.TIMEOUT if bad is slow else Code.REFUSED)

    async def test_psk_by_name(self):
        """a server that looks up the key of each name"""
        keys = {b"client": PSK}

        def accept(session):
            if session.state == State.NEEDS_PSK and session.peer[1:] in keys:
                session.give_psk(keys[session.peer[1:]])
            elif session.state == State.NEEDS_VERDICT:
                session.accept()

        types = svconn.PeerTypes.PSK | svconn.PeerTypes.ED25519
        port = await self.serve(echo, accept=accept, peer_types=types)
        for name, code in (("client", None), ("nobody", Code.ABORTED)):
            given = {"identity": Identity.psk(PSK, name), "accept": [SERVER_KEY], "config": Config(peer_types=types)}
            if code:
                await self.fails(code, svconn.open_connection("127.0.0.1", port, **given))
                continue
            _, writer = await svconn.open_connection("127.0.0.1", port, **given)
            writer.close()
            await writer.wait_closed()


class Wrapping(Base):
    async def test_unix(self):
        """wrap_connection and wrap_messages over UNIX sockets, and one session inside of another"""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "door")

            async def serve(reader, writer):
                outer = await svconn.wrap_connection(reader, writer, role=SERVER, **options("psk", SERVER))
                await echo_messages(await svconn.wrap_messages(*outer, role=SERVER, **options("key", SERVER)))

            self.servers.append(await asyncio.start_unix_server(serve, path))
            link = await asyncio.open_unix_connection(path)
            outer = await svconn.wrap_connection(*link, role=CLIENT, **options("psk", CLIENT))
            async with await svconn.wrap_messages(*outer, role=CLIENT, **options("key", CLIENT)) as stream:
                for size in (0, 5, 65535):
                    await stream.send_message(bytes(size))
                    self.assertEqual(await stream.receive_message(), bytes(size))
            self.assertEqual(stream.get_extra_info("peer"), identity("key", SERVER).public)

    async def test_pipes(self):
        """wrap_connection over the pipes of a child process"""
        code = """if True:
            import asyncio, sys
            sys.path.insert(0, %r)
            import svconn, test_streams as t
            async def main():
                loop = asyncio.get_running_loop()
                reader = asyncio.StreamReader()
                await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
                transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout)
                writer = asyncio.StreamWriter(transport, protocol, None, loop)
                await t.echo(*await svconn.wrap_connection(reader, writer, role=svconn.SERVER, **t.options("key", svconn.SERVER)))
            asyncio.run(main())""" % HERE  # fmt: skip
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=pipe, stdout=pipe)
        reader, writer = await svconn.wrap_connection(child.stdout, child.stdin, role=CLIENT, **options("key", CLIENT))
        data = os.urandom(500_000)
        writer.write(data)
        writer.write_eof()
        self.assertEqual(await reader.read(), data)
        writer.close()
        await writer.wait_closed()
        self.assertEqual(await asyncio.wait_for(child.wait(), 10), 0)


if __name__ == "__main__":
    unittest.main()
