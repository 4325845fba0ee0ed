# SPDX-License-Identifier: ISC
"""asyncio: streams and messages over any pair of asyncio streams.

A `_Transport` stands between an ordinary asyncio protocol (that of asyncio's own streams, or `MessageStream`) and the
streams of the link. It owns a session and one task with two helpers: one reads the link, one writes to it.
"""
from __future__ import annotations

import asyncio
import collections
import dataclasses
import inspect
import logging
import math
import re
from typing import Any, Awaitable, Callable, Deque, Dict, Iterable, Optional, Set, Tuple, Union, cast

from ._core import lib
from ._errors import Code, Failure, UsageError, WouldBlock
from ._session import CLIENT, SERVER, BytesLike, Config, Identity, Role, Session, State, join_keys

#: Who is welcome: public keys (32 bytes each) and names of pre-shared keys (str); or a function, or coroutine function,
#: that is called with the session whenever that asks something, and answers. What it leaves unanswered is refused.
Accept = Union[Iterable[Union[BytesLike, str]], Callable[[Session], Optional[Awaitable[None]]]]

Streams = Tuple[asyncio.StreamReader, asyncio.StreamWriter]

_READ = 1 << 16
_LIMIT = 1 << 16  # of asyncio's own streams
_RECORD = 1 << 14  # bytes of a stream in one message, as in TLS: a peer with smaller buffers than ours takes them
_LINGER = 1.0  # seconds
_TURNS = 8  # of the loop, from the socket to the session, through a session or two below
_QUESTIONS = (State.NEEDS_PROOF, State.NEEDS_PSK, State.NEEDS_VERDICT)

_log = logging.getLogger("svconn")
_tasks: Set[asyncio.Task[Any]] = set()  # those that run: a loop alone does not keep its tasks from the garbage collector


def _keep(task: Optional[asyncio.Task[Any]]) -> None:
    if task is not None:
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


def _size(message: bytes) -> int:
    """What a message that waits counts for: an empty one needs memory too."""
    return len(message) + 64


# ---- the handshake


def _policy(role: Role, accept: Accept, config: Config) -> Tuple[Callable[[Session], Optional[Awaitable[None]]], Config]:
    """What answers, and the config: a CLIENT that has a list of keys finds hidden servers among them."""
    if callable(accept):
        return accept, config
    if isinstance(accept, (str, bytes, bytearray, memoryview)):
        raise TypeError("accept is a list of public keys and names, or a function")
    wanted = list(accept)
    keys = tuple(bytes(key) for key in wanted if not isinstance(key, str))
    join_keys(keys)  # are they?
    if any(isinstance(name, str) and re.fullmatch("[0-9a-fA-F]{64}", name) for name in wanted):
        raise UsageError(Code.ARGUMENT, "a public key is given as bytes: bytes.fromhex (str is the name of a psk)")
    welcome = {bytes([lib.SVCONN_TYPE_ED25519]) + key for key in keys}
    welcome |= {bytes([lib.SVCONN_TYPE_PSK]) + name.encode() for name in wanted if isinstance(name, str)}
    if role == CLIENT and not config.known_servers:
        config = dataclasses.replace(config, known_servers=keys)

    def answer(session: Session) -> None:
        if session.state == State.NEEDS_VERDICT and session.peer in welcome:
            session.accept()

    return answer, config


async def _ask(session: Session, answer: Callable[[Session], Optional[Awaitable[None]]], seconds: Optional[float]) -> None:
    question = session.state
    result = answer(session)
    if result is not None:
        await asyncio.wait_for(result, seconds)
    if session.state != question:
        return
    if question == State.NEEDS_PROOF:
        session.abort()
    else:
        session.refuse()


async def _receive(session: Session, reader: asyncio.StreamReader) -> bytes:
    """Bytes from the link; none if it ended, and the session does not mind."""
    try:
        data = await reader.read(_READ)
    except OSError:
        data = b""
    if not data:
        session.wire_eof()
    return data


async def _handshake(
    session: Session,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Callable[[Session], Optional[Awaitable[None]]],
) -> bytes:
    """Until connected. Returns what came behind the handshake."""
    loop = asyncio.get_running_loop()
    data = b""
    while True:
        deadline = session.tick(loop.time())
        writer.write(session.wire_out())
        seconds = None if deadline is None else max(deadline - loop.time(), 0)
        state = session.state
        try:
            if state == State.CONNECTED:
                return data
            if state in _QUESTIONS:
                await _ask(session, answer, seconds)
            elif data:
                data = data[session.wire_in(data, loop.time()) :]
            else:
                data = await asyncio.wait_for(_receive(session, reader), seconds)
        except asyncio.TimeoutError:
            session.tick(loop.time())  # raises the session's own failure, if its time is over
            raise


async def _leave(session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float) -> None:
    """Brings out the last bytes and closes the link. After a failure what still comes is read and dropped for up to a
    second: a TCP socket that is closed with bytes unread takes the error packet back."""

    async def drop() -> None:
        while await reader.read(_READ):
            pass

    try:
        last = session.wire_out()
        writer.write(last)
        if last and session.state == State.FAILED:
            timeout = _LINGER
            try:
                await asyncio.wait_for(drop(), timeout)
            except (OSError, asyncio.TimeoutError):
                pass
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"the link did not take the last bytes within {timeout:g} s") from None
    except BaseException:
        writer.transport.abort()
        raise
    finally:
        session.wipe()


# ---- the transport


class _Transport(asyncio.Transport):
    """What an asyncio protocol talks to. Each write_message is one message, each data_received gets one."""

    def __init__(
        self,
        session: Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        protocol: asyncio.Protocol,
        message_max: int,
        close_timeout: float,
        came: bytes,
    ) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._reader, self._writer = reader, writer  # of the link
        self._protocol = protocol
        self._close_timeout = close_timeout
        self._message_max = message_max
        self._record = max(min(message_max, _RECORD), 1)
        # (asyncio's streams do not half-close where there is an sslcontext; we do, also over TLS)
        self._own: Dict[str, Any] = {"peer": session.peer, "session": session, "sslcontext": None}
        self._pending: Deque[bytes] = collections.deque()  # messages for which the session has no room yet
        self._size = 0  # of all of them
        self._high, self._low = 1 << 16, 1 << 14
        self._told_to_pause = False  # the protocol, by us
        self._paused = False  # we, by the protocol
        self._eof = False  # nothing more will be written
        self._close_sent = False
        self._peer_ended = False  # and the protocol knows
        self._closing = False
        self._timer: Optional[asyncio.TimerHandle] = None
        self._due = math.inf  # when it goes off, or has gone off
        self._close_timer: Optional[asyncio.TimerHandle] = None
        self._taken = asyncio.Event()  # a message was taken from the session
        self._output = asyncio.Event()  # look for bytes for the link
        self._result: asyncio.Future[Optional[Exception]] = self._loop.create_future()  # how it ended
        protocol.connection_made(self)
        _keep(self._loop.create_task(self._run(came)))

    # -- the work

    async def _run(self, came: bytes) -> None:
        helpers = [self._loop.create_task(self._read_link(came)), self._loop.create_task(self._write_link())]
        failure: Optional[Exception] = None
        self._turn()
        try:
            failure = await self._result
        except asyncio.CancelledError:  # the loop is being closed
            self._session.abort()
            failure = self._session.failure
            self._writer.write(self._session.wire_out())
            self._writer.close()
            raise
        else:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._session.abort()  # means nothing if the session is over
            try:
                await _leave(self._session, self._reader, self._writer, self._close_timeout)
            except OSError as e:
                failure = failure or e
        finally:
            for helper in helpers:
                helper.cancel()
            for timer in (self._timer, self._close_timer):
                if timer is not None:
                    timer.cancel()
            self._end(failure)
            self._session.wipe()
            self._protocol.connection_lost(failure)

    def _end(self, failure: Optional[Exception]) -> None:
        if not self._result.done():
            self._result.set_result(failure)

    async def _read_link(self, came: bytes) -> None:
        try:
            while True:
                data = memoryview(came)
                while data:
                    self._taken.clear()
                    used = self._session.wire_in(data, self._loop.time())
                    data = data[used:]
                    self._turn()
                    if data and not used:
                        await self._taken.wait()
                came = await _receive(self._session, self._reader)
                if not came:
                    break
            self._turn()
        except Exception as e:
            self._end(e)

    async def _write_link(self) -> None:
        try:
            while True:
                data = self._session.wire_out()
                if data:
                    self._writer.write(data)
                    await self._writer.drain()
                    self._turn()
                else:
                    self._output.clear()
                    await self._output.wait()
        except OSError as e:
            try:
                self._session.wire_eof()
                self._end(e)
            except Failure as failure:
                self._end(failure)
        except Exception as e:
            self._end(e)

    def _turn(self) -> None:
        """Does what can be done now. All that looks at the clock is called from here."""
        if self._result.done():
            return
        try:
            self._deliver()
            self._fill()
            self._arm()
            if self._session.state == State.CLOSED:
                self._end(None)
        except Exception as e:
            self._end(self._session.failure or e)

    def _push(self) -> None:
        """After a write: no more than that, and nothing is raised at the writer."""
        if self._result.done():
            return
        try:
            self._fill()
        except Exception as e:
            self._end(self._session.failure or e)

    def _deliver(self) -> None:
        while self._closing or not self._paused:
            message = self._session.recv()
            if message is None:
                break
            self._taken.set()
            if not self._closing:
                self._protocol.data_received(message)
        if self._session.ended and not self._peer_ended:
            self._peer_ended = True
            if not self._closing and not self._protocol.eof_received():
                self.close()

    def _fill(self) -> None:
        """Seals what is pending, as far as there is room."""
        while self._pending:
            try:
                self._session.send(self._pending[0], self._loop.time())
            except WouldBlock:
                break
            self._size -= _size(self._pending.popleft())
        if self._eof and not self._pending and not self._close_sent:
            self._close_sent = True
            self._session.close(self._loop.time())
        self._output.set()
        if self._size > self._high and not self._told_to_pause:
            self._told_to_pause = True
            self._protocol.pause_writing()
        elif self._size <= self._low and self._told_to_pause:
            self._told_to_pause = False
            self._protocol.resume_writing()

    def _arm(self) -> None:
        """Tells the session the time; _on_time does it when it is due."""
        now = self._loop.time()
        if now >= self._due:
            return
        when = self._session.tick(now)
        if when is None or when >= self._due:
            return  # a timer that is early does no harm
        if self._timer is not None:
            self._timer.cancel()
        self._due = when
        self._timer = self._loop.call_at(when, self._on_time, _TURNS)

    def _on_time(self, turns: int) -> None:
        """If the process was stopped, or the loop blocked, what has come meanwhile must count first; it takes some
        turns of the loop until it is here."""
        if turns > 0:
            self._loop.call_soon(self._on_time, turns - 1)
            return
        self._timer, self._due = None, math.inf
        self._turn()

    def _put(self, message: bytes) -> None:
        self._pending.append(message)
        self._size += _size(message)

    # -- for writers

    def write(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        self._check_write()
        for at in range(0, len(view), self._record):
            self._put(bytes(view[at : at + self._record]))
        self._push()

    def write_message(self, message: BytesLike) -> None:
        self._check_write()
        size = memoryview(message).nbytes
        if size > self._message_max:
            raise ValueError(f"a message of {size} bytes; Config.message_max is {self._message_max}")
        self._put(bytes(message))
        self._push()

    def _check_write(self) -> None:
        if self._eof:
            raise RuntimeError("nothing can be written after write_eof or close")

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """CLOSE. The other direction stays open."""
        self._eof = True
        self._push()
        self._loop.call_soon(self._turn)  # perhaps that was the last of both

    def set_write_buffer_limits(self, high: Optional[int] = None, low: Optional[int] = None) -> None:
        if high is None:
            high = 1 << 16 if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low

    def get_write_buffer_limits(self) -> Tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return self._size

    # -- for readers

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._loop.call_soon(self._turn)

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    # -- the end

    def close(self) -> None:
        """In order: what was written, CLOSE, then the peer's CLOSE. What else still comes is dropped."""
        if self._closing:
            return
        self._closing = self._eof = True
        seconds = self._close_timeout
        late = TimeoutError(f"the peer did not close within {seconds:g} s")
        self._close_timer = self._loop.call_later(seconds, self._end, late)
        self._loop.call_soon(self._turn)

    def abort(self) -> None:
        self._session.abort()
        self._end(self._session.failure)

    def is_closing(self) -> bool:
        return self._closing or self._result.done()

    # -- the rest

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._own[name] if name in self._own else self._writer.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


async def _begin(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    protocol: asyncio.Protocol,
    role: Role,
    identity: Identity,
    accept: Accept,
    config: Config,
    close_timeout: float,
) -> _Transport:
    """The handshake. If it fails, or is cancelled, the link is closed."""
    try:
        answer, config = _policy(role, accept, config)
        session = Session(role, identity, config)
    except BaseException:
        writer.close()
        raise
    try:
        came = await _handshake(session, reader, writer, answer)
    except Exception:
        session.abort()
        try:
            await _leave(session, reader, writer, _LINGER)
        except OSError:
            pass
        raise
    except BaseException:
        session.abort()
        writer.write(session.wire_out())
        writer.close()
        session.wipe()
        raise
    return _Transport(session, reader, writer, protocol, config.message_max, close_timeout, came)


# ---- streams


async def wrap_connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    role: Role,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
) -> Streams:
    """A session over a pair of asyncio streams of any kind, which then belongs to it. `role` is `SERVER` at the end that
    accepted the link.

    Returns asyncio's own `StreamReader` and `StreamWriter` once both ends are sure of each other. `write_eof` says that
    no more is coming, as does the peer's for `read`. A link that ends without that is a `Failure` (a ConnectionError)
    for everyone who reads or writes, never the end of the stream. `close` waits up to `close_timeout` seconds for the
    peer to close too; `wait_closed` raises what went wrong. `get_extra_info` also knows "peer" (as `Session.peer`) and
    "session" (for `authenticator`, `export`, `renew`).
    """
    loop = asyncio.get_running_loop()
    ours = asyncio.StreamReader(limit=limit, loop=loop)
    protocol = asyncio.StreamReaderProtocol(ours, loop=loop)
    transport = await _begin(reader, writer, protocol, role, identity, accept, config, close_timeout)
    return ours, asyncio.StreamWriter(transport, protocol, ours, loop)


async def open_connection(
    host: Optional[str] = None,
    port: Union[int, str, None] = None,
    *,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
    **kwds: Any,
) -> Streams:
    """Calls a server; see `wrap_connection`. What else is given goes to `asyncio.open_connection`."""
    reader, writer = await asyncio.open_connection(host, port, **kwds)
    return await wrap_connection(
        reader, writer, role=CLIENT, identity=identity, accept=accept, config=config, limit=limit, close_timeout=close_timeout
    )


async def start_server(
    client_connected_cb: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Optional[Awaitable[None]]],
    host: Union[str, Iterable[str], None] = None,
    port: Union[int, str, None] = None,
    *,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
    **kwds: Any,
) -> asyncio.AbstractServer:
    """Calls `client_connected_cb(reader, writer)` for each client that was accepted. Those that were not are logged
    ("svconn", INFO). If the callback raises, its connection is aborted. What else is given goes to
    `asyncio.start_server`."""

    async def wrap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams:
        return await wrap_connection(
            reader, writer, role=SERVER, identity=identity, accept=accept, config=config, limit=limit, close_timeout=close_timeout
        )

    async def serve(streams: Streams) -> None:
        try:
            await _called(client_connected_cb(*streams))
        except BaseException:
            streams[1].transport.abort()
            raise

    _check(identity, accept, config)
    return await _serve(wrap, serve, host, port, kwds)


def _check(identity: Identity, accept: Accept, config: Config) -> None:
    """A server finds its own mistakes before the first client comes."""
    _policy(SERVER, accept, config)
    Session(SERVER, identity, config).wipe()


async def _called(result: Optional[Awaitable[None]]) -> None:
    if inspect.isawaitable(result):
        await result


async def _serve(
    wrap: Callable[..., Awaitable[Any]], serve: Callable[[Any], Awaitable[None]], host: Any, port: Any, kwds: Dict[str, Any]
) -> asyncio.AbstractServer:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep(asyncio.current_task())
        try:
            wrapped = await wrap(reader, writer)
        except OSError as e:
            _log.info("%s: %s", writer.get_extra_info("peername"), e)
            return
        await serve(wrapped)

    return await asyncio.start_server(connected, host, port, **kwds)


# ---- messages


class MessageStream(asyncio.Protocol):
    """Whole messages over one connection. Made by `open_messages`, `start_message_server` and `wrap_messages`.

    `async for message in stream` ends when the peer has closed in order. `async with` closes, or aborts if there is an
    exception.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._transport: Optional[_Transport] = None
        self._messages: Deque[bytes] = collections.deque()
        self._size = 0
        self._failure: Optional[Exception] = None
        self._no_more = False
        self._paused = False
        self._reader: Optional[asyncio.Future[None]] = None
        self._room = asyncio.Event()
        self._room.set()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # -- the protocol, called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(_Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._messages.append(data)
        self._size += _size(data)
        if self._size > self._limit:
            self._paused = True
            self._link.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._no_more = True
        self._wake()
        return True

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._failure, self._no_more = exc, True
        self._wake()
        self._room.set()
        if not self._closed.done():
            if exc is None:
                self._closed.set_result(None)
            else:
                self._closed.set_exception(exc)
                self._closed.exception()  # it is no fault not to ask

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    @property
    def _link(self) -> _Transport:
        assert self._transport is not None
        return self._transport

    # -- for the application

    async def send_message(self, message: BytesLike) -> None:
        """Waits for room, then hands the message over. If it was cancelled, the message was not sent."""
        await self._room.wait()
        if self._failure is not None:
            raise self._failure
        self._link.write_message(message)

    async def receive_message(self) -> Optional[bytes]:
        """The next message; None if the peer has closed in order. What came whole before a failure comes before it."""
        while not self._messages:
            if self._failure is not None:
                raise self._failure
            if self._no_more:
                return None
            if self._reader is not None:
                raise RuntimeError("another task is in receive_message already")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        self._size -= _size(message)
        if self._paused and self._size <= self._limit // 2:
            self._paused = False
            self._link.resume_reading()
        return message

    def __aiter__(self) -> MessageStream:
        return self

    async def __anext__(self) -> bytes:
        message = await self.receive_message()
        if message is None:
            raise StopAsyncIteration
        return message

    def write_eof(self) -> None:
        """We send nothing more; the peer may."""
        self._link.write_eof()

    def close(self) -> None:
        """In order: what was sent, then the end of both directions. Messages that still come are dropped."""
        self._link.close()

    def abort(self) -> None:
        """At once; the peer is told."""
        self._link.abort()

    async def wait_closed(self) -> None:
        """Until the link is closed. Raises what went wrong."""
        await asyncio.shield(self._closed)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of asyncio's transports; also "peer" and "session"."""
        return self._link.get_extra_info(name, default)

    async def __aenter__(self) -> MessageStream:
        return self

    async def __aexit__(self, kind: Any, exc: Any, trace: Any) -> None:
        if exc is not None:
            self.abort()
            return
        self.close()
        await self.wait_closed()


async def wrap_messages(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    role: Role,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
) -> MessageStream:
    """As `wrap_connection`, for whole messages. `limit`: bytes of messages that wait for `receive_message`."""
    stream = MessageStream(limit)
    await _begin(reader, writer, stream, role, identity, accept, config, close_timeout)
    return stream


async def open_messages(
    host: Optional[str] = None,
    port: Union[int, str, None] = None,
    *,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
    **kwds: Any,
) -> MessageStream:
    """As `open_connection`, for whole messages."""
    reader, writer = await asyncio.open_connection(host, port, **kwds)
    return await wrap_messages(
        reader, writer, role=CLIENT, identity=identity, accept=accept, config=config, limit=limit, close_timeout=close_timeout
    )


async def start_message_server(
    client_connected_cb: Callable[[MessageStream], Optional[Awaitable[None]]],
    host: Union[str, Iterable[str], None] = None,
    port: Union[int, str, None] = None,
    *,
    identity: Identity,
    accept: Accept,
    config: Config = Config(),
    limit: int = _LIMIT,
    close_timeout: float = 10.0,
    **kwds: Any,
) -> asyncio.AbstractServer:
    """As `start_server`, for whole messages: calls `client_connected_cb(stream)`."""

    async def wrap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> MessageStream:
        return await wrap_messages(
            reader, writer, role=SERVER, identity=identity, accept=accept, config=config, limit=limit, close_timeout=close_timeout
        )

    async def serve(stream: MessageStream) -> None:
        try:
            await _called(client_connected_cb(stream))
        except BaseException:
            stream.abort()
            raise

    _check(identity, accept, config)
    return await _serve(wrap, serve, host, port, kwds)
