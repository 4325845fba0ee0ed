# SPDX-License-Identifier: ISC
"""The program svconn against svc1.py over TCP, both roles.   run.py PROGRAM [--long]"""
import hashlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import svc1
from peer import Link, echo_client, echo_server

TIMEOUT = 60        # seconds for any one process
FAILED = []
running = []


def expect(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f"{what}: {seen!r:.300} instead of {wanted!r:.300}")


def case(name, test, *arguments):
    start = time.monotonic()
    try:
        test(*arguments)
        print("pass " + name, flush=True)
    except (AssertionError, OSError, ValueError, LookupError, subprocess.TimeoutExpired) as error:
        print(f"  {type(error).__name__}: {error}\nFAIL {name}", flush=True)
        FAILED.append(name)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.reader.join()
        running.clear()
        if os.environ.get("TIMES"):
            print(f"  {time.monotonic() - start:.2f} s")


# ---- the program -----------------------------------------------------------------------------------------------

class Bench:
    """Keys in files, for both sides, and how to start the program."""

    def __init__(self, program, directory):
        self.program, self.directory = os.path.abspath(program), directory
        self.key = {}
        for name in ("server", "client", "other"):
            seed = os.urandom(32)
            self.write(name, seed)
            self.key[name] = svc1.Ed25519Identity(seed)
        self.psk, self.other_psk = os.urandom(32), os.urandom(32)
        self.write("psk", self.psk)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, secret):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secret.hex() + "\n")

    def public(self, name):
        return self.key[name].wire[1:]

    def start(self, *arguments, stdin=b""):
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            sink = tempfile.TemporaryFile()
            process = subprocess.Popen([self.program, *arguments], stdin=source, stdout=sink, stderr=subprocess.PIPE)
        process.sink, process.lines, process.news = sink, [], threading.Condition()
        process.reader = threading.Thread(target=listen, args=(process,))
        process.reader.start()
        running.append(process)
        return process


def listen(process):
    """Keeps the messages of the program, so that it never waits for us."""
    for line in process.stderr:
        with process.news:
            process.lines.append(line.decode("utf-8", "replace"))
            process.news.notify()


def wait_for(process, pattern):
    """Until a message of the program matches; returns the match."""
    with process.news:
        found = process.news.wait_for(lambda: re.search(pattern, "".join(process.lines)), TIMEOUT)
    if not found:
        raise AssertionError(f"the program did not say {pattern!r}: {''.join(process.lines)}")
    return found


class Outcome:
    """How the program ended: code, output, log (text), reason (of the last connection that ended)."""

    def __init__(self, process):
        self.code = process.wait(TIMEOUT)
        process.reader.join()
        process.stderr.close()
        self.log = "".join(process.lines)
        process.sink.seek(0)
        self.output = process.sink.read()
        process.sink.close()
        ends = re.findall(r"end: ([^:\n]*)", self.log)
        self.reason = ends[-1] if ends else self.log

    def renewed(self):
        """New keys: (sent, received)."""
        return tuple(int(n) for n in re.findall(r"(\d+) new keys", self.log)[-2:])

    def good(self):
        expect("exit code; log: " + self.log, self.code, 0)
        expect("end", self.reason, "closed in order")

    def bad(self, *reasons):
        if self.code == 0 or self.reason not in reasons:
            raise AssertionError(f"exit code {self.code}, {self.reason} instead of {reasons}; log: {self.log}")


def options(bench, role, mode, context, verbose=("--verbose",)):
    """The program's options for a way to identify; role is the program's."""
    other = "client" if role == "server" else "server"
    if mode == "psk":
        words = ["--psk", bench.path("psk"), "--name", role]
    else:
        words = ["--key", bench.path(role), "--peer", bench.public(other).hex()]
    return words + (["--hidden"] if mode == "hidden" else []) + (["--context", context] if context else []) + list(verbose)


def session(bench, role, mode="open", context="", **more):
    """The Python side in the given role."""
    me = more.pop("me", None) or (svc1.PskIdentity(bench.psk, role.encode()) if mode == "psk" else bench.key[role])
    if mode == "hidden" and role == "client":
        more.setdefault("known", [bench.public("other"), bench.public("server")])
    return svc1.Session(role, me, more.pop("seed", None) or os.urandom(32), context=context.encode(), hidden=mode == "hidden",
                        now=time.monotonic(), **more)


def c_client(bench, mode, talk, *words, stdin=b"", context="", program_context=None, verbose=("--verbose",), **more):
    """The program is the CLIENT; talk(socket, session) is the SERVER. Returns (Outcome, what talk returns, session)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        told = context if program_context is None else program_context
        process = bench.start("echo", address, *options(bench, "client", mode, told, verbose), *words, stdin=stdin)
        sock = listener.accept()[0]
    s = session(bench, "server", mode, context, **more)
    result = talk(sock, s)
    return Outcome(process), result, s


def c_server(bench, mode, talk, *words, context="", program_context=None, **more):
    """The program is the SERVER, for one connection."""
    told = context if program_context is None else program_context
    process = bench.start("echo-server", "tcp://127.0.0.1:0", *options(bench, "server", mode, told), "--once", *words)
    port = int(wait_for(process, r"listening on tcp://127.0.0.1:(\d+)").group(1))
    sock = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    s = session(bench, "client", mode, context, **more)
    result = talk(sock, s)
    return Outcome(process), result, s


def serve(renew=False, on_message=None, **how):
    return lambda sock, s: echo_server(Link(sock, s, **how), renew, on_message)


def ask(messages, renew=False, early=0, **how):
    return lambda sock, s: echo_client(Link(sock, s, **how), messages, renew, early)


def sample(size):
    return hashlib.shake_256(str(size).encode()).digest(size)


# ---- what must work --------------------------------------------------------------------------------------------

def works_client(bench, mode, words=(), size=1000, text=sample(30000), context="", **talk):
    """The program, as a CLIENT, sends text in messages of this size."""
    out, reason, s = c_client(bench, mode, serve(**talk), "--size", str(size), *words, stdin=text, context=context)
    expect("reason in python", reason, "")
    out.good()
    expect("what came back", out.output, text)
    return out, s


def works_server(bench, mode, messages, words=(), context="", padding=0, early=0, renew=False, **talk):
    out, (back, reason), s = c_server(bench, mode, ask(messages, renew, early, **talk), *words, context=context, padding=padding)
    expect("reason in python", reason, "")
    out.good()
    if back != messages:
        raise AssertionError("the echo is not what was sent")
    return out, s


def same_numbers(bench, out, s, other):
    """What two people compare: authenticator (4) and fingerprint (4) as the program shows them."""
    expect("authenticator", re.findall(r"authenticator: ([\d ]+)", out.log), [s.authenticator()])
    expect("fingerprint", re.findall(r"peer fingerprint: ([\d ]+)", out.log), [svc1.fingerprint(bench.key[other].wire)])


def people(bench):
    same_numbers(bench, *works_client(bench, "open"), "server")
    same_numbers(bench, *works_server(bench, "open", [b"a"]), "client")


def early_client(bench, mode):
    """The program sends behind M2 at once: the SERVER answers only after it has seen a record."""
    s_box = []

    def talk(sock, s):
        s_box.append(s)
        return echo_server(Link(sock, s, decide=lambda who: True if len(s_box[0].arrived) >= 16 else None))
    out, reason, _ = c_client(bench, mode, talk, "--early", stdin=sample(5000))
    expect("reason in python", reason, "")
    out.good()
    expect("what came back", out.output, sample(5000))


def not_early(bench):
    """Without --early the program sends nothing before M3."""
    def talk(sock, s):
        link = Link(sock, s, decide=lambda who: None)
        link.wait(lambda: s.state == "decide")
        quiet = not select.select([sock], [], [], 0.2)[0] and not s.arrived
        link.decide = lambda who: True
        s.accept(time.monotonic())
        return quiet, echo_server(link)
    out, result, _ = c_client(bench, "open", talk, stdin=sample(100))
    expect("quiet before M3, and the end", result, (True, ""))
    out.good()


def renewals(bench, role, by, count):
    words = ("--renew-every", "1") if by in ("C", "both") else ()
    renew = by in ("python", "both")
    if role == "client":
        out, s = works_client(bench, "open", words, 1, sample(count), renew=renew)
    else:
        out, s = works_server(bench, "open", [sample(n % 5) for n in range(count)], words, renew=renew)
    sent, received = out.renewed()
    if (by != "python" and sent < count - 2) or (by != "C" and received < count - 2):
        raise AssertionError(f"only {sent} and {received} new keys for {count} messages")
    # the program counts without the CLOSE records, each of which may have made one step more
    for what, id_here, there in (("receiving", s.receiving.id, sent), ("sending", s.sending.id, received)):
        if (id_here - 1 - there) % svc1.ID_MAX not in (0, 1):
            raise AssertionError(f"{what} with key id {id_here} after {there} steps of the program")


def wrap(bench, count):
    """The program takes a new key with each record, the SERVER follows; the ids of both directions pass 32767."""
    text = sample(count)
    out, reason, s = c_client(bench, "open", serve(), "--size", "1", "--renew-every", "1", stdin=text, verbose=())
    expect("reason in python", reason, "")
    expect("exit code; log: " + out.log, out.code, 0)
    if out.output != text:
        raise AssertionError("the echo is not what was sent")
    # count messages and CLOSE: count steps
    expect("key id of the program", s.receiving.id, count % svc1.ID_MAX + 1)
    if s.sending.id > 100:
        raise AssertionError(f"key id of the SERVER: {s.sending.id}")


def keepalives(bench):
    """KEEPALIVE in between is ignored by the program."""
    def talk(sock, s):
        link = Link(sock, s)
        link.handshake()
        for i in range(20):
            s.keepalive(time.monotonic())
            if i % 3 == 0:
                s.renew()
            s.send(b"%d" % i, time.monotonic())
        link.wait(lambda: len(s.messages) == 20)
        return [s.take() for _ in range(20)], link.finish()
    out, result, _ = c_server(bench, "open", talk)
    expect("echo", result, ([b"%d" % i for i in range(20)], ""))
    out.good()


def stopped(bench):
    """SIGTERM ends the program's server in order: its peer sees CLOSE (7.3), and its own CLOSE is waited for."""
    process = bench.start("echo-server", "tcp://127.0.0.1:0", *options(bench, "server", "open", ""))
    port = int(wait_for(process, r"listening on tcp://127.0.0.1:(\d+)").group(1))
    s = session(bench, "client")
    link = Link(socket.create_connection(("127.0.0.1", port), TIMEOUT), s)
    link.handshake()
    s.send(b"last", time.monotonic())
    link.wait(lambda: bool(s.messages))
    process.send_signal(signal.SIGTERM)
    link.wait(lambda: s.close_received)
    expect("CLOSE", s.close_received, True)
    expect("message", s.take(), b"last")
    link.finish()
    Outcome(process)


def close_by_python_server(bench):
    """The SERVER closes before it has sent everything back: the program must not take that for success."""
    def talk(sock, s):
        link = Link(sock, s)
        link.handshake()
        link.wait(lambda: bool(s.messages))
        return link.finish()
    out, reason, s = c_client(bench, "open", talk, "--size", "100", stdin=sample(1000))
    expect("reason in python", (reason, s.state), ("", "done"))
    if out.code == 0:
        raise AssertionError("exit code 0 although nothing came back: " + out.log)


# ---- what must be refused --------------------------------------------------------------------------------------

def refuses_client(bench, mode, reasons, python_reasons=("aborted",), words=(), mangle=None, stdin=b"text", decide=None, **more):
    out, reason, s = c_client(bench, mode, serve(mangle=mangle, decide=decide), *words, stdin=stdin, **more)
    out.bad(*reasons)
    if reason not in python_reasons:
        raise AssertionError(f"reason in python: {reason!r} instead of {python_reasons}; the program: {out.log}")
    expect("output", out.output, b"")


def refuses_server(bench, mode, reasons, python_reasons=("aborted",), words=(), mangle=None, messages=(b"text",), decide=None, **more):
    out, (back, reason), s = c_server(bench, mode, ask(list(messages), mangle=mangle, decide=decide), *words, **more)
    out.bad(*reasons)
    if reason not in python_reasons:
        raise AssertionError(f"reason in python: {reason!r} instead of {python_reasons}; the program: {out.log}")


def flipped(number, at, bit=1):
    """A mangle that changes one bit of one packet."""
    def mangle(n, packet):
        if n == number:
            packet = bytearray(packet)
            packet[at] ^= bit
        return packet, True
    return mangle


def cut(number, keep):
    """A mangle that sends only the first bytes of one packet and ends the link."""
    return lambda n, packet: (packet, True) if n < number else (packet[:keep], False)


def every_byte_of_m1(bench, mode):
    """Each byte of M1 changed: the program gives the reason that the Python CLIENT gives for the same bytes."""
    length = len(session(bench, "server", mode).take_output())
    for at in range(length):
        server = session(bench, "server", mode)
        data = bytearray(server.take_output())
        data[at] ^= 1 << at % 8
        shadow = session(bench, "client", mode, known=[bench.public("server")])
        shadow.receive(bytes(data))
        shadow.end_of_link()

        def talk(sock, s):
            with sock:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(TIMEOUT)
                answer = b""
                while True:
                    piece = sock.recv(100)
                    if not piece:
                        return answer
                    answer += piece
        out, answer, _ = c_client(bench, mode, talk, stdin=b"text")
        if at in (33, 34) and out.reason == "truncated":
            continue                        # 3.5 does not say whether a wid that is too long for its type is awaited
        out.bad(shadow.reason)
        expect(f"byte {at}: what the program sends", answer, shadow.take_output())


def every_byte_of_m2(bench, mode):
    """Each byte of M2 changed, with many connections to one server process, which serves on."""
    process = bench.start("echo-server", "tcp://127.0.0.1:0", *options(bench, "server", mode, ""))
    port = int(wait_for(process, r"listening on tcp://127.0.0.1:(\d+)").group(1))

    def connect():
        return socket.create_connection(("127.0.0.1", port), TIMEOUT)
    probe = session(bench, "client", mode)
    m1 = session(bench, "server", mode).take_output()
    probe.receive(m1)
    probe.accept()
    length = len(probe.take_output())
    for at in range(length):
        s = session(bench, "client", mode)
        change = flipped(0, at, 1 << at % 8 if at not in (32, 33) else 0x80)
        if at == 33:                        # a longer E than there is: the SERVER waits until the link ends
            link = Link(connect(), s, mangle=lambda n, packet: (change(n, packet)[0], False))
        else:
            link = Link(connect(), s, mangle=change)
        link.handshake()
        link.finish()
        number = at + 1
        reason = wait_for(process, r"#%d: end: ([^:\n]*)\n|#%d: end: ([^:\n]*):" % (number, number))
        reason = reason.group(1) or reason.group(2)
        expect(f"byte {at}: reason of the program", reason, {32: "limit", 33: "truncated"}.get(at, "seal"))
        if at != 33:
            expect(f"byte {at}: reason in python", s.reason, "aborted")
    back, reason = echo_client(Link(connect(), session(bench, "client", mode)), [b"still there"])
    expect("afterwards", (back, reason), ([b"still there"], ""))
    process.send_signal(signal.SIGTERM)
    expect("exit code", Outcome(process).code, 0)


# ---- what only takes long --------------------------------------------------------------------------------------

def key_limit(bench, size, count):
    """A CLIENT that never takes a new key: the program accepts the records up to the limit of 5.4, and not one more."""
    def talk(sock, s):
        sock.settimeout(TIMEOUT)
        link = Link(sock, s, timeout=600)
        link.handshake()
        s.keepalive_after = None      # they would count too, on a slow machine
        message = bytes(size)
        for i in range(count + 1):
            # past 5.3, which would make a step here
            s.packets.append(s.sending.seal(False, message))
            if i % 64 == 0 or i == count:
                link.wait(lambda: len(link.outgoing) < 1 << 20 if not link.collect() else False)
                s.messages.clear()
                s.renewal = False
        link.wait(lambda: False)
        return s.reason
    out, reason, _ = c_server(bench, "open", talk)
    out.bad("key-limit")
    received = int(re.search(r"received: (\d+) messages", out.log).group(1))
    expect("messages until then", received, count)


def time_of_program(bench):
    """An idle connection: KEEPALIVE from the program after 20 s. A peer that sends nothing at all: handshake deadline, 10 s."""
    process = bench.start("echo-server", "tcp://127.0.0.1:0", *options(bench, "server", "open", ""))
    port = int(wait_for(process, r"listening on tcp://127.0.0.1:(\d+)").group(1))
    idle = session(bench, "client", keepalive=None)
    link = Link(socket.create_connection(("127.0.0.1", port), TIMEOUT), idle)
    mute = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    link.handshake()
    start = time.monotonic()
    expect("end of the mute one", wait_for(process, r"#2: end: (\w*)").group(1), "timeout")
    if not 8 < time.monotonic() - start < 15:
        raise AssertionError(f"deadline after {time.monotonic() - start} s")
    mute.close()
    link.wait(lambda: idle.keepalives > 0)
    if not 18 < time.monotonic() - start < 26:
        raise AssertionError(f"KEEPALIVE after {time.monotonic() - start} s")
    expect("reason in python", link.finish(), "")
    process.send_signal(signal.SIGTERM)
    Outcome(process)


# ---- svc1.py alone: what vectors cannot show -------------------------------------------------------------------

def pair(bench, **client):
    server, s = session(bench, "server"), None
    s = svc1.Session("client", bench.key["client"], os.urandom(32), now=0, **client)
    server = svc1.Session("server", bench.key["server"], os.urandom(32), now=0)
    s.receive(server.take_output(), 0)
    s.accept(0)
    server.receive(s.take_output(), 0)
    server.accept(0)
    s.receive(server.take_output(), 0)
    return s, server


def python_time(bench):
    s = session(bench, "client")
    s = svc1.Session("client", bench.key["client"], os.urandom(32), now=5)
    s.tick(14.9)
    expect("before the deadline", s.state, "hello")
    s.tick(15)
    expect("deadline", (s.reason, s.take_output()), ("timeout", svc1.ERROR_PACKET))
    s, server = pair(bench)
    s.send(b"a", 1)
    server.receive(s.take_output(), 1)
    expect("next", s.next_time(), 21)
    s.tick(21)
    server.receive(s.take_output(), 21)
    expect("keep-alive", server.keepalives, 1)
    server.tick(82)
    expect("silence does not run while a message waits", server.reason, "")
    server.take(82)
    server.take_output()
    server.tick(141)
    server.take_output()
    server.tick(142)
    expect("silence", server.reason, "silent")


def python_limits(bench):
    for limits, steps in ((dict(renew_records=3), 3), (dict(renew_bytes=300), 3), (dict(renew_age=9), 1)):
        s, server = pair(bench, **limits)
        for i in range(10):
            s.send(bytes(100), 2 * i)
            server.receive(s.take_output(), 2 * i)
        expect(f"steps with {limits}", (s.sending.id - 1, server.reason), (steps if "renew_age" not in limits else 1, ""))
    s, server = pair(bench)
    server.receiving.counter = s.sending.counter = svc1.KEY_RECORDS
    server.receive(s.sending.seal(False, b""))
    expect("records", server.reason, "key-limit")
    s, server = pair(bench, max_message=10)
    server.send(bytes(10))
    server.send(bytes(11))
    s.receive(server.take_output())
    expect("size", (s.reason, len(s.messages)), ("limit", 1))


# ---- all -------------------------------------------------------------------------------------------------------

def main(arguments):
    programs = [a for a in arguments if not a.startswith("-")]
    if len(programs) != 1:
        print("usage: run.py PROGRAM [--long]", file=sys.stderr)
        return 2
    directory = tempfile.mkdtemp()
    try:
        everything(Bench(programs[0], directory), "--long" in arguments)
    finally:
        shutil.rmtree(directory)
    return 1 if FAILED else 0


def everything(bench, long):
    case("python: deadlines and keep-alive (6)", python_time, bench)
    case("python: renewal by records, bytes and age (5.3)", python_limits, bench)
    sizes = [0, 1, 2, 15, 16, 17, 255, 256, 4095, 4096, 16383, 16384, 32768, 65534, 65535]
    messages = [sample(n) for n in sizes]
    for mode in ("open", "hidden", "psk"):
        case(f"interop: C client, python server: {mode}", works_client, bench, mode)
        case(f"interop: python client, C server: {mode}", works_server, bench, mode, [b"one", b"", b"three"])
    for context in ("example 1.0", "c" * 255, "\u00e4\u20ac"):
        case(f"interop: C client: context of {len(context.encode())} bytes", works_client, bench, "open", (), 1000, b"text", context)
        case(f"interop: C server: context of {len(context.encode())} bytes", works_server, bench, "open", [b"text"], (), context)
    case("interop: authenticator and fingerprint", people, bench)
    for size in (1, 16000, 65535):
        case(f"interop: C client: messages of {size} bytes", works_client, bench, "open", (), size, sample(3 * size + size // 2))
    case("interop: C server: messages of 0 to 65535 bytes", works_server, bench, "open", messages)
    case("interop: C server: the same, psk", works_server, bench, "psk", messages)
    for mode in ("open", "hidden", "psk"):
        case(f"interop: C client: early records, {mode}", early_client, bench, mode)
        case(f"interop: C server: early records, {mode}", lambda m=mode: works_server(bench, m, [b"1", b"", b"3", b"4"], early=3))
    case("interop: C client: nothing before M3 unless asked", not_early, bench)
    for padding in (0, 1, 155, 16384 - 16 - 101):
        case(f"interop: C server: padding of {padding} bytes", lambda p=padding: works_server(bench, "open", [b"a"], padding=p))
    case("interop: C client: one byte at a time", lambda: works_client(bench, "open", size=100, text=sample(500), piece=1))
    case("interop: C server: one byte at a time", lambda: works_server(bench, "hidden", [sample(n) for n in (0, 1, 300)], piece=1))
    case("interop: C server: KEEPALIVE between messages", keepalives, bench)
    case("interop: C server: stopped by SIGTERM, which is no silent end", stopped, bench)
    case("interop: C client: the SERVER closes too early", close_by_python_server, bench)
    for role in ("client", "server"):
        for by in ("C", "python", "both"):
            case(f"interop: C {role}: 3000 renewals by {by}", renewals, bench, role, by, 3000)

    # another identity, context or secret
    other = ("--peer", bench.public("other").hex())
    wrong = dict(me=bench.key["other"])
    case("refusal: C client: another SERVER key", lambda: refuses_client(bench, "open", ("refused",), **wrong))
    case("refusal: C client: another SERVER key, hidden", lambda: refuses_client(bench, "hidden", ("unknown",), **wrong))
    case("refusal: C server: another CLIENT key", lambda: refuses_server(bench, "open", ("refused",), **wrong))
    case("refusal: C server: another CLIENT key, hidden", lambda: refuses_server(bench, "hidden", ("refused",), **wrong))
    case("refusal: C client: its own key", lambda: refuses_client(bench, "open", ("self",), me=bench.key["client"]))
    case("refusal: C server: its own key", lambda: refuses_server(bench, "open", ("aborted",), ("self",), me=bench.key["server"]))
    for mode in ("open", "hidden", "psk"):
        case(f"refusal: C client: another context, {mode}", lambda m=mode: refuses_client(bench, m, ("proof",), context="a", program_context="b"))
        case(f"refusal: C server: another context, {mode}",
             lambda m=mode: refuses_server(bench, m, ("aborted",), ("proof",), context="a", program_context="b"))
    case("refusal: C client: another psk", lambda: refuses_client(bench, "psk", ("proof",), me=svc1.PskIdentity(bench.other_psk, b"server")))
    case("refusal: C server: another psk", lambda: refuses_server(bench, "psk", ("aborted",), ("proof",), me=svc1.PskIdentity(bench.other_psk, b"client")))
    case("refusal: C client: its own name", lambda: refuses_client(bench, "psk", ("self",), me=svc1.PskIdentity(bench.psk, b"client")))
    case("refusal: C client: the SERVER refuses", lambda: refuses_client(bench, "open", ("aborted",), ("refused",), decide=lambda who: False))
    case("refusal: C server: the CLIENT refuses", lambda: refuses_server(bench, "open", ("aborted",), ("refused",), decide=lambda who: False))

    # changed bytes: packet 0 is M1 or M2; for a SERVER packet 1 is M3
    for mode in ("open", "hidden", "psk"):
        case(f"refusal: C client: every byte of M1 changed, {mode}", every_byte_of_m1, bench, mode)
    for mode in ("open", "psk"):
        case(f"refusal: C server: every byte of M2 changed, {mode}", every_byte_of_m2, bench, mode)
    for name, number in (("M3", 1), ("the first message", 2)):
        for at, what, reason in ((4, "ciphertext", "tag"), (-1, "tag", "tag"), (1, "key id", "aborted"), (0, "key id", "key-id")):
            case(f"refusal: C client: {name}, {what} changed: {reason}",
                 lambda n=number, a=at, r=reason: refuses_client(bench, "open", (r,), ("", "aborted", "truncated"), mangle=flipped(n, a)))
    for at, what, reason in ((4, "ciphertext", "tag"), (-1, "tag", "tag"), (1, "key id", "aborted"), (0, "key id", "key-id")):
        case(f"refusal: C server: the first message, {what} changed: {reason}",
             lambda a=at, r=reason: refuses_server(bench, "open", (r,), ("aborted",) if r != "aborted" else ("truncated",), mangle=flipped(1, a)))

    # the link ends: number of the packet, bytes of it that still come
    for name, number, keep, reason in (("before M1", 0, 0, "absent"), ("in M1", 0, 60, "truncated"), ("before M3", 1, 0, "truncated"), ("in M3", 1, 9, "truncated"),
                                       ("before the first message", 2, 0, "truncated"), ("in the first message", 2, 10, "truncated")):
        case(f"refusal: C client: the link ends {name}",
             lambda n=number, k=keep, r=reason: refuses_client(bench, "open", (r,), ("",), mangle=cut(n, k)))
    for name, number, keep, reason in (("before M2", 0, 0, "absent"), ("in M2", 0, 60, "truncated"), ("before the first message", 1, 0, "truncated"),
                                       ("in the first message", 1, 10, "truncated"), ("before CLOSE", 2, 0, "truncated"), ("in CLOSE", 2, 3, "truncated")):
        case(f"refusal: C server: the link ends {name}",
             lambda n=number, k=keep, r=reason: refuses_server(bench, "open", (r,), ("",), mangle=cut(n, k)))

    if long:
        case("long: C client: key id 32767 and then 1", wrap, bench, svc1.ID_MAX + 13)
        case("long: C server: the limit of 2^20 records under one key", key_limit, bench, 0, svc1.KEY_RECORDS)
        case("long: C server: the limit of 2^30 bytes under one key", key_limit, bench, 65535, -(-svc1.KEY_BYTES // 65535))
        case("long: the program's deadline and keep-alive", time_of_program, bench)
    else:
        print("skip long interop: run.py PROGRAM --long (all key ids over TCP, the limits of a key, deadlines: about two minutes)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
