# SPDX-License-Identifier: MIT
"""Machines in the middle, between veridoh and an upstream: one that knows octets (Wire), one that
ends TLS and knows HTTP/2 frames (Frames), and one that only shakes hands (Handshake)."""
import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading

logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # broken pipes are the matter here
RST = struct.pack("ii", 1, 0)
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = 24


class Loop:
    """An asyncio loop in a thread of its own; calls into it are made from the test's thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)


class Middle:
    """What listens; subclasses say what becomes of a connection."""

    def __init__(self, loop, address="127.0.0.1", tls=None):
        self.loop, self.pairs, self.tls = loop, set(), tls
        self.port = loop.call(self.listen(address, 0))
        self.address = address

    async def listen(self, address, port):
        self.server = await asyncio.start_server(self.accept, address, port, ssl=self.tls,
                                                 reuse_address=True)
        return self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.pairs.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self.pairs.discard(writer)
            with contextlib.suppress(Exception):
                writer.close()

    def reset(self):
        """TCP RST on every connection that is open."""
        async def now():
            for writer in list(self.pairs):
                raw = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
                writer.transport.abort()
        self.loop.call(now())

    def shut(self):
        """Nobody listens any more; what is open stays."""
        async def now():
            self.server.close()
        self.loop.call(now())

    def open_again(self):
        self.loop.call(self.listen(self.address, self.port))


class Wire(Middle):
    """Octets both ways. `silent`: taken and kept, nothing is passed on. `begin_s`: passed on only
    after that time. `target` may change for connections that come later."""

    silent = False
    begin_s = 0.0

    def __init__(self, loop, target, address="127.0.0.1"):
        self.target = target
        super().__init__(loop, address)

    async def serve(self, reader, writer):
        if self.begin_s:
            await asyncio.sleep(self.begin_s)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.pairs.add(up_writer)
        up = asyncio.ensure_future(self.pass_on(reader, up_writer))
        down = asyncio.ensure_future(self.pass_on(up_reader, writer))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel(), down.cancel()
            self.pairs.discard(up_writer)
            up_writer.close()

    async def pass_on(self, reader, writer):
        while octets := await reader.read(65536):
            if self.silent:
                continue
            writer.write(octets)
            await writer.drain()


class Frames(Middle):
    """TLS ends here. `fault` takes a frame of the upstream's and gives the frames to pass on."""

    def __init__(self, loop, target, server_tls, client_tls):
        self.target, self.client_tls, self.fault = target, client_tls, None
        super().__init__(loop, tls=server_tls)

    async def serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(
            "127.0.0.1", self.target, ssl=self.client_tls, server_hostname="upstream.test")
        up = asyncio.ensure_future(self.upwards(reader, writer, up_writer))
        down = asyncio.ensure_future(self.downwards(up_reader, writer))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel(), down.cancel()
            up_writer.close()

    async def upwards(self, reader, writer, up_writer):
        up_writer.write(await reader.readexactly(PREFACE))
        acks = 0
        while True:
            kind, flags, stream, payload = await read_frame(reader)
            if kind == SETTINGS and flags & ACK:
                acks += 1
                if acks > 1:
                    continue  # of the storm, which the upstream knows nothing of
            if kind == DATA and self.fault and self.fault.refills and not flags & END_STREAM:
                writer.write(frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", len(payload))))
            up_writer.write(frame(kind, flags, stream, payload))
            await up_writer.drain()

    async def downwards(self, reader, writer):
        while True:
            one = await read_frame(reader)
            for out in self.fault(*one) if self.fault else [frame(*one)]:
                writer.write(out)
            await writer.drain()


async def read_frame(reader):
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    stream = int.from_bytes(head[5:], "big") & 0x7fffffff
    return head[3], head[4], stream, await reader.readexactly(length)


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class Fault:
    refills = False
    greets = False  # it changes SETTINGS: only connections that begin later show it
    lawful = False  # no reason to ask another upstream

    def __call__(self, kind, flags, stream, payload):
        return [frame(kind, flags, stream, payload)]


class SettingsStorm(Fault):
    """Two thousand SETTINGS before every answer, each of which wants an ACK."""

    def __call__(self, kind, flags, stream, payload):
        storm = [frame(SETTINGS, 0, 0, struct.pack("!HI", 3, 100))] * 2000
        return (storm if kind == HEADERS else []) + super().__call__(kind, flags, stream, payload)


class TinyWindows(Fault):
    """Sixteen octets of a question may leave, then sixteen more (RFC 9113 6.9.2)."""

    refills = greets = lawful = True

    def __call__(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            payload += struct.pack("!HI", 4, 16)
        if kind == WINDOW_UPDATE and stream:
            return []
        return super().__call__(kind, flags, stream, payload)


class OneStream(Fault):
    """One stream at a time, in place of the server's own limit."""

    greets = lawful = True

    def __call__(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            payload += struct.pack("!HI", 3, 1)
        return super().__call__(kind, flags, stream, payload)


class StuckStream(Fault):
    """Of one stream nothing comes any more."""

    lawful = True
    stuck = None

    def __call__(self, kind, flags, stream, payload):
        if kind == HEADERS:
            self.stuck = self.stuck or stream
        return [] if stream and stream == self.stuck else super().__call__(kind, flags, stream, payload)


class ZeroGoaway(Fault):
    """In place of every twentieth answer a GOAWAY, which says that nothing was taken."""

    answers, left_out = 0, None

    def __call__(self, kind, flags, stream, payload):
        self.answers += kind == HEADERS
        if kind == HEADERS and self.answers % 20 == 0:
            self.left_out = stream
            return [frame(GOAWAY, 0, 0, struct.pack("!II", 0, 0))]
        return [] if stream and stream == self.left_out else super().__call__(kind, flags, stream, payload)


class OversizeHeaders(Fault):
    """Every answer's header block goes on for another 80 KiB of CONTINUATION."""

    def __call__(self, kind, flags, stream, payload):
        if kind != HEADERS:
            return super().__call__(kind, flags, stream, payload)
        value = b"j" * 8000
        literal = b"\x00\x06x-junk" + b"\x7f" + integer(len(value) - 127) + value
        block = [frame(CONTINUATION, 0, stream, literal)] * 10
        return [frame(kind, flags & ~END_HEADERS, stream, payload), *block,
                frame(CONTINUATION, END_HEADERS, stream, b"")]


def integer(value):
    """The rest of an HPACK integer (RFC 7541 5.1)."""
    octets = bytearray()
    while value >= 128:
        octets.append(value % 128 + 128)
        value //= 128
    return bytes([*octets, value])


class UnknownFrames(Fault):
    """Frames of types that nobody knows are to be ignored (RFC 9113 4.1)."""

    lawful = True

    def __call__(self, kind, flags, stream, payload):
        strange = [] if kind == SETTINGS else [frame(0xee, 0xff, stream, b"?" * 77)]  # first is SETTINGS
        return strange + super().__call__(kind, flags, stream, payload)


class ForbiddenFrames(Fault):
    """DATA on stream 0 before every answer (RFC 9113 6.1)."""

    def __call__(self, kind, flags, stream, payload):
        bad = [frame(DATA, 0, 0, b"?")] if kind == HEADERS else []
        return bad + super().__call__(kind, flags, stream, payload)


class EarlyGoaway(Fault):
    """GOAWAY in mid-flight: what is above half of the streams is never answered."""

    def __init__(self):
        self.done = False

    def __call__(self, kind, flags, stream, payload):
        if kind != HEADERS or self.done:
            return super().__call__(kind, flags, stream, payload)
        self.done = True
        return super().__call__(kind, flags, stream, payload) + [
            frame(GOAWAY, 0, 0, struct.pack("!II", stream, 0))]


class Handshake(Middle):
    """TLS with the certificate of `tls`, and nothing after it."""

    async def serve(self, reader, writer):
        await reader.read()


class Alert(Middle):
    """A fatal handshake_failure for every ClientHello (RFC 8446 6.2)."""

    async def serve(self, reader, writer):
        await reader.read(1)
        writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))
        await writer.drain()


class Blackhole:
    """A listener whose queue is full: further SYNs are dropped, as by a filter."""

    def __init__(self, address="127.0.0.1", family=socket.AF_INET):
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.bind((address, 0))
        self.socket.listen(0)
        self.port = self.socket.getsockname()[1]
        self.fill = []
        for _ in range(3):
            one = socket.socket(family, socket.SOCK_STREAM)
            one.setblocking(False)
            one.connect_ex((address, self.port))
            self.fill.append(one)

    def close(self):
        for one in [self.socket, *self.fill]:
            one.close()
