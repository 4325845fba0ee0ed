#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What an adapter heard and said: python3 tests/rfcomm/air.py DIRECTORY

Reads the traces that cases.sh has made (btsnoop, of the kernel's monitor socket), puts the fragments of the ACL link together (L2CAP), and
splits them into RFCOMM frames, each by its checksum. Prints "pass", "FAIL" and "measured" lines: the sizes of the handshake on the air, what
is left for data, and whether texts and identities can be read there. What must be found, in the traces that show it, is looked for too:
a search that finds nothing anywhere would prove nothing.
"""
import os
import struct
import sys
from collections import namedtuple

HEARD, SAID = "heard", "said"  # by the adapter that listens: from the caller, and to it
ACL = {4: SAID, 5: HEARD}
UIH = 0xEF
FINAL = 0x10  # in a UIH frame: a byte of credits stands before the payload
MESSAGE = 16000  # of "svconn echo", without --size
FIRST_CHANNEL = 0x40  # of L2CAP, of those that are made when they are needed: here they all are RFCOMM

Frame = namedtuple("Frame", "way dlci control payload size")  # size: with the head of L2CAP


def check(name, good, seen=""):
    if not good:
        print("  %s" % (seen or "it is not so"))
    print("%s air: %s" % ("pass" if good else "FAIL", name))


def packets(path):
    """(way, bytes) of each ACL packet"""
    data = open(path, "rb").read()
    if data[:16] != b"btsnoop\0" + struct.pack(">II", 1, 2001):
        raise ValueError("no btsnoop of a monitor")
    at = 16
    while at < len(data):
        size, stored, flags, _, _ = struct.unpack_from(">IIIIQ", data, at)
        if size != stored or at + 24 + stored > len(data):
            raise ValueError("a packet is cut off")
        if flags & 0xFFFF in ACL:
            yield ACL[flags & 0xFFFF], data[at + 24 : at + 24 + stored]
        at += 24 + stored


def l2cap(path):
    """(way, channel, payload), put together"""
    parts = {}
    for way, packet in packets(path):
        head, size = struct.unpack_from("<HH", packet)
        if size != len(packet) - 4:
            raise ValueError("an ACL packet has another length than it says")
        key = way, head & 0xFFF
        if (head >> 12) & 3 == 1:
            if key not in parts:
                raise ValueError("a fragment without its beginning: the recorder missed something")
            parts[key] += packet[4:]
        else:
            if key in parts:
                raise ValueError("a fragment without its end: the recorder missed something")
            parts[key] = packet[4:]
        wanted, channel = struct.unpack_from("<HH", parts[key])
        if len(parts[key]) == 4 + wanted:
            yield way, channel, parts.pop(key)[4:]
        elif len(parts[key]) > 4 + wanted:
            raise ValueError("an L2CAP packet that is too long")


def fcs(data):
    """3GPP TS 07.10, 5.2.1.6"""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xE0 if crc & 1 else 0)
    return 0xFF - crc


def frame(way, packet):
    address, control, length = packet[:3]
    head = 3 if length & 1 else 4
    length = length >> 1 if length & 1 else length >> 1 | packet[3] << 7
    covered = 2 if control & ~FINAL == UIH else head
    if fcs(packet[:covered]) != packet[-1]:
        raise ValueError("an RFCOMM frame with a wrong checksum: %s" % packet.hex())
    has_credits = control == UIH | FINAL
    if len(packet) != head + has_credits + length + 1:
        raise ValueError("an RFCOMM frame has another length than it says")
    return Frame(way, address >> 2, control, packet[head + has_credits : -1], len(packet) + 4)


class Trace:
    def __init__(self, directory, name):
        path = os.path.join(directory, name + ".btsnoop")
        self.name = name
        self.raw = b"".join(packet[4:] for _, packet in packets(path))
        self.frames = [frame(way, p) for way, channel, p in l2cap(path) if channel >= FIRST_CHANNEL]
        self.data = [f for f in self.frames if f.dlci != 0 and f.control & ~FINAL == UIH and f.payload]

    def stream(self, way):
        return b"".join(f.payload for f in self.data if f.way == way)

    def holds(self, what):
        """In a stream, or across anything that went over the link"""
        texts = what, what.hex().encode(), what.hex().upper().encode()
        return any(text in place for text in texts for place in (self.stream(HEARD), self.stream(SAID), self.raw))

    def turns(self):
        """[way, [frame, ...]]: who said how much before the other one did"""
        turns = []
        for f in self.data:
            if not turns or turns[-1][0] != f.way:
                turns.append((f.way, []))
            turns[-1][1].append(f)
        return turns

    def traffic(self):
        for way, text in ((HEARD, "caller to listener"), (SAID, "listener to caller")):
            frames = [f for f in self.data if f.way == way]
            largest = max((len(f.payload) for f in frames), default=0)
            print("measured %-7s %s: %d bytes in %d RFCOMM frames, the largest %d" %
                  (self.name, text, sum(len(f.payload) for f in frames), len(frames), largest))


def handshake(trace, mtu, m1, m2):
    """M1 and M3 are the SERVER's, who listens; M2 is the CLIENT's. Both wait for each other, so each turn is one message."""
    turns = trace.turns()[:3]
    sizes = [sum(len(f.payload) for f in frames) for _, frames in turns]
    check("%s: M1, M2 and M3 are %d, %d and 17 bytes on the air" % (trace.name, m1, m2),
          [way for way, _ in turns] == [SAID, HEARD, SAID] and sizes == [m1, m2, 17], "seen: %s %s" % ([w for w, _ in turns], sizes))
    counts = [len(frames) for _, frames in turns]
    expected = [-(-size // mtu) for size in sizes]
    if mtu >= 672:
        check("%s: M1, M2 and M3 are one frame each" % trace.name, counts == [1, 1, 1], "seen: %s" % counts)
    else:
        check("%s: M1, M2 and M3 are as many frames as the MTU of %d makes them" % (trace.name, mtu), counts == expected, "seen: %s" % counts)
    return sizes


def whole(trace, heard, said, size, message):
    """Nothing more and nothing less than the handshake, each message with 16 bytes around it, and the CLOSE of each side. (That the recorder
    missed a frame would be seen here too.)"""
    records = size + 16 * -(-size // message) + 17 if message else size
    expected = heard + records, said + records
    seen = len(trace.stream(HEARD)), len(trace.stream(SAID))
    check("%s: all bytes of the session are in the trace, and no others" % trace.name, seen == expected,
          "expected: %s, seen: %s" % (expected, seen))


def row(source, size):
    print("measured   %-34s %5d %10.1f %10.1f" % (source, size, size * 100 / 672, size * 100 / 1016))


def efficiency(trace, size, handshake):
    """Of size bytes of the application, from the caller: of the RFCOMM payload that carried them, and of all of L2CAP in that direction,
    behind the handshake"""
    payload = len(trace.stream(HEARD)) - handshake
    around = sum(f.size - len(f.payload) for f in trace.frames if f.way == HEARD)
    return size * 100 / payload, size * 100 / (payload + around)


def main(directory):
    facts = dict(line.split(None, 1) for line in open(os.path.join(directory, "facts")).read().splitlines())
    mtu, size, text_size = int(facts["mtu"]), int(facts["bytes"]), int(facts["text"])
    marker = facts["marker"].encode()
    server_key, client_key = bytes.fromhex(facts["server_key"]), bytes.fromhex(facts["client_key"])
    server_name, client_name = facts["server_name"].encode(), facts["client_name"].encode()
    traces = {name: Trace(directory, name) for name in ("keys", "hidden", "psk", "plain", "bulk", "fit")}
    for t in traces.values():
        t.traffic()
        check("%s: no frame is larger than the MTU" % t.name, max(len(f.payload) for f in t.data) <= mtu)
    keys, hidden, psk, plain, bulk, fit = traces.values()

    # What the search can find
    check("control: the text is there to be read without svconn", plain.holds(marker))
    check("control: a server that does not hide shows its key", keys.holds(server_key))
    check("control: with a pre-shared key the server shows its name", psk.holds(server_name))
    # What it must not
    for t in (keys, hidden, psk):
        check("%s: not the text" % t.name, not t.holds(marker))
    for t in (keys, hidden):
        check("%s: not the client's key" % t.name, not t.holds(client_key))
    check("hidden: not the server's key", not hidden.holds(server_key))
    check("psk: not the client's name", not psk.holds(client_name))

    # Table II of the paper
    m1, m2, m3 = handshake(keys, mtu, 134, 151)
    h1, h2, h3 = handshake(hidden, mtu, 117, 151)
    p1, p2, p3 = handshake(psk, mtu, 70 + len(server_name), 87 + len(client_name))
    whole(keys, m2, m1 + m3, text_size, MESSAGE)
    whole(hidden, h2, h1 + h3, text_size, MESSAGE)
    whole(psk, p2, p1 + p3, text_size, MESSAGE)
    whole(plain, 0, 0, text_size, 0)
    whole(bulk, m2, m1 + m3, size, MESSAGE)
    whole(fit, m2, m1 + m3, size, mtu - 16)
    print("measured Table II, as seen on the air   size, bytes  % of 672  % of 1016")
    row("Server, M1: its key, signature", m1)
    row("Client, M2: its key, signature", m2)
    row("Server, M3", m3)
    row("Server, M1 and M3", m1 + m3)
    row("Server hidden, M1", h1)
    row("Pre-shared key: server, M1", p1)
    row("Pre-shared key: client, M2", p2)
    for t, text in ((fit, "messages of one frame (%d bytes)" % (mtu - 16)), (bulk, "messages of 16000 bytes")):
        of_payload, of_all = efficiency(t, size, m2)
        print("measured available bandwidth at MTU %d, %s: %.2f %% of RFCOMM payload, %.2f %% of all bytes of L2CAP" %
              (mtu, text, of_payload, of_all))
        check("%s: at least %.1f %% of RFCOMM payload is for data" % (t.name, (mtu - 20) * 100 / mtu), of_payload >= (mtu - 20) * 100 / mtu)


if __name__ == "__main__":
    main(sys.argv[1])
