"""The sample app: does one planned step at a time and counts what its sockets took and gave.

The counts come from the sockets alone, so they are a witness that has never seen a packet.
"""

import contextlib
import json
import random
import socket
import ssl
import struct
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import dns.flags
import dns.message
import dns.query
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ProtocolNegotiated
from aioquic.quic.packet import QuicProtocolVersion
from sample.plan import RESOLVER, Destination, Step
from sample.servers import WANTED

_T = TypeVar("_T")
_QUIET_S = 1.0


@dataclass
class Tally:
    """Bytes of one destination in one phase, counted at the app's own end.

    `socket_…` is what was given to and got from the kernel's socket, `message_…` what the app
    meant to say before HTTP, TLS or QUIC wrapped it.
    """

    socket_up_bytes: int = 0
    socket_down_bytes: int = 0
    message_up_bytes: int = 0
    message_down_bytes: int = 0


class _Stream(Protocol):
    """A connection that carries bytes in order, encrypted or not."""

    def send(self, data: bytes) -> None:
        """Sends all of it."""

    def receive(self) -> bytes:
        """At least one byte; nothing at the end."""

    def close(self) -> None:
        """Closes politely and reads what is left."""


@dataclass
class _Plain:
    """A TCP connection whose bytes are counted."""

    line: socket.socket
    tally: Tally

    def send(self, data: bytes) -> None:
        self.line.sendall(data)
        self.tally.socket_up_bytes += len(data)

    def receive(self) -> bytes:
        data = self.line.recv(65_536)
        self.tally.socket_down_bytes += len(data)
        return data

    def close(self) -> None:
        self.line.shutdown(socket.SHUT_WR)
        while self.receive():
            pass
        self.line.close()


class _Tls:
    """TLS over a counted connection: OpenSSL works on memory, so that its records are counted."""

    def __init__(self, plain: _Plain, context: ssl.SSLContext, name: str | None) -> None:
        self.plain = plain
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._until_done(self._tls.do_handshake)

    def _until_done(self, act: Callable[[], _T]) -> _T:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._flush()
                self._in.write(self.plain.receive())
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if data := self._out.read():
            self.plain.send(data)

    def send(self, data: bytes) -> None:
        self._until_done(lambda: self._tls.write(data))

    def receive(self) -> bytes:
        return self._until_done(lambda: self._tls.read(65_536))

    def close(self) -> None:
        # The server's own farewell is not waited for here; it is read below, as bytes.
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()
        self.plain.close()


@dataclass
class App:
    """Parrot on its phone: runs steps in this thread's network and remembers what it sent.

    `tallies` is keyed by host and phase; the phase is null outside the timeline.
    """

    version: str
    destinations: dict[str, Destination]
    authority: Path
    rng: random.Random
    tallies: dict[tuple[str, int | None], Tally] = field(default_factory=lambda: defaultdict(Tally))

    def __post_init__(self) -> None:
        self._push: _Tls | None = None

    def run(self, step: Step, phase: int | None) -> None:
        """Does the step; returns once the answer is in and, mostly, the connection closed.

        Raises:
            ValueError: a resolver's answer is not the planned address.
        """
        destination = self.destinations[step.host]
        tally = self.tallies[step.host, phase]
        if destination.kind == "push":
            self._beat(destination, step, tally)
            return
        self._look_up(destination)
        if destination.kind == "quic":
            self._post_over_quic(destination, step, tally)
            return
        stream = self._connect(destination, tally)
        if destination.kind == "binary":
            self._talk(stream, step, tally)
        else:
            self._http(stream, destination, step, tally)
        stream.close()

    def _look_up(self, destination: Destination) -> None:
        if destination.lookup not in ("udp", "tcp"):
            return
        found = set()
        for kind in ("A", "AAAA"):
            query = dns.message.make_query(destination.host, kind)
            reply = dns.query.udp(query, RESOLVER, timeout=5, ignore_unexpected=True)
            if reply.flags & dns.flags.TC:
                reply = dns.query.tcp(query, RESOLVER, timeout=5)
            found |= {record.to_text() for section in reply.answer for record in section}
        if destination.address not in found:
            raise ValueError(f"{destination.host}: expected {destination.address}, got {found}")

    def _connect(self, destination: Destination, tally: Tally) -> _Plain | _Tls:
        plain = _Plain(socket.create_connection(_place(destination), timeout=20), tally)
        if destination.kind not in ("https", "push", "certificate"):
            return plain
        context = ssl.create_default_context(cafile=self.authority)
        if destination.kind == "certificate":
            context.check_hostname = False
            return _Tls(plain, context, None)
        return _Tls(plain, context, destination.host)

    def _beat(self, destination: Destination, step: Step, tally: Tally) -> None:
        """A request on the one connection that stays open from registration to the end."""
        if self._push is None:
            self._look_up(destination)
            stream = self._connect(destination, tally)
            if not isinstance(stream, _Tls):
                raise TypeError("push runs over TLS")
            self._push = stream
        self._push.plain.tally = tally
        self._http(self._push, destination, step, tally)

    def _http(self, stream: _Stream, destination: Destination, step: Step, tally: Tally) -> None:
        body = self._body(step.body)
        # A look-up over HTTP is sent to a bare address: that is the point of it.
        host = destination.address if destination.kind == "httpdns" else destination.host
        method = "POST" if body else "GET"
        head = f"{method} {step.path} HTTP/1.1\r\nHost: {host}\r\n"
        head += f"User-Agent: Parrot/{self.version}\r\n"
        if destination.kind != "httpdns":
            head += f"{WANTED}: {step.reply}\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n" if body else "\r\n"
        stream.send(head.encode() + body)
        tally.message_up_bytes += len(body)
        tally.message_down_bytes += _read_http(stream)

    def _talk(self, stream: _Stream, step: Step, tally: Tally) -> None:
        """Three messages of the app's own protocol, the sizes of the step in all."""
        for size, wanted in zip(_thirds(step.body), _thirds(step.reply), strict=True):
            stream.send(struct.pack("!II", size, wanted) + self._body(size))
            got = b""
            while len(got) < 8 + wanted:
                got += _more(stream)
            tally.message_up_bytes += size
            tally.message_down_bytes += wanted

    def _body(self, size: int) -> bytes:
        """A message of that many bytes: a few readable fields, then what stands for content."""
        if not size:
            return b""
        fields = {"app": "parrot", "version": self.version, "device": "8f4e-sample", "data": ""}
        empty = json.dumps(fields)
        fields["data"] = self.rng.randbytes(size).hex()[: max(0, size - len(empty))]
        return json.dumps(fields).encode()[:size]

    def _post_over_quic(self, destination: Destination, step: Step, tally: Tally) -> None:
        configuration = QuicConfiguration(
            alpn_protocols=H3_ALPN,
            server_name=destination.host,
            supported_versions=[QuicProtocolVersion.VERSION_1],
        )
        configuration.load_verify_locations(cadata=self.authority.read_bytes())
        quic = QuicConnection(configuration=configuration)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.connect(_place(destination))
            quic.connect(_place(destination), time.monotonic())
            missing = self._run_quic(quic, line, step, tally)
        if missing:
            raise ValueError(f"{destination.host}: {missing} bytes of the answer are missing")

    def _run_quic(self, quic: QuicConnection, line: socket.socket, step: Step, tally: Tally) -> int:
        """Drives the connection until it has been closed and quiet; the bytes still missing."""
        http: H3Connection | None = None
        missing, heard = step.reply, time.monotonic()
        while time.monotonic() - heard < _QUIET_S:
            _send_datagrams(quic, line, tally)
            line.settimeout(0.02)
            try:
                data = line.recv(65_536)
            except TimeoutError:
                if (quic.get_timer() or time.monotonic() + 1) <= time.monotonic():
                    quic.handle_timer(time.monotonic())
                continue
            heard = time.monotonic()
            tally.socket_down_bytes += len(data)
            quic.receive_datagram(data, line.getpeername(), heard)
            while event := quic.next_event():
                if isinstance(event, ProtocolNegotiated):
                    http = H3Connection(quic)
                    self._request(http, quic, step, tally)
                for part in http.handle_event(event) if http else ():
                    if isinstance(part, DataReceived):
                        missing -= len(part.data)
                        tally.message_down_bytes += len(part.data)
                        if part.stream_ended:
                            quic.close()
        return missing

    def _request(self, http: H3Connection, quic: QuicConnection, step: Step, tally: Tally) -> None:
        body = self._body(step.body)
        stream = quic.get_next_available_stream_id()
        fields = {
            ":method": "POST",
            ":scheme": "https",
            ":authority": step.host,
            ":path": step.path,
            WANTED: str(step.reply),
        }
        http.send_headers(stream, [(name.encode(), text.encode()) for name, text in fields.items()])
        http.send_data(stream, body, end_stream=True)
        tally.message_up_bytes += len(body)


def _send_datagrams(quic: QuicConnection, line: socket.socket, tally: Tally) -> None:
    for data, _ in quic.datagrams_to_send(time.monotonic()):
        line.send(data)
        tally.socket_up_bytes += len(data)


def _place(destination: Destination) -> tuple[str, int]:
    return destination.recorded, destination.port


def _thirds(size: int) -> list[int]:
    third = size // 3
    return [third, third, size - 2 * third]


def _read_http(stream: _Stream) -> int:
    """Reads one response; the length of its body."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(stream)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    left = length - len(body)
    while left > 0:
        left -= len(_more(stream))
    return length


def _more(stream: _Stream) -> bytes:
    data = stream.receive()
    if not data:
        raise ConnectionError("the server closed in the middle of an answer")
    return data
