"""Records real conversations: OpenSSL and aioquic on both ends, what they send written as frames.

Both ends live in this process and talk through memory, so that nothing depends on a network, and
each message is a frame of its own. Certificates and keys are made anew and lie nowhere but in the
folder that the test gives.
"""

import datetime as dt
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from aioquic.h3.connection import H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.small_captures import (
    ACK,
    FIN,
    HOST,
    PHONE,
    PHONE_MAC,
    PUSH,
    REMOTE,
    ROUTER_MAC,
    SYN,
    Frame,
    ethernet,
    tcp,
    udp,
)

_SEGMENT = 1_400
_STEP = 0.01
_IDLE_ROUNDS = 8


@cache
def certificate() -> tuple[bytes, bytes]:
    """A certificate for `HOST` that signs itself, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2036, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@dataclass
class Line:
    """A TCP connection between the phone and a remote, as the frames that a capture holds."""

    port: int = 40_000
    remote: str = REMOTE
    remote_port: int = 443
    at: float = 0.0
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._phone, self._remote = (PHONE, self.port), (self.remote, self.remote_port)
        self._sent = {True: 1, False: 1}
        self._frame(b"", is_up=True, flags=SYN, seq=0)
        self._frame(b"", is_up=False, flags=SYN | ACK, seq=0)
        self._frame(b"", is_up=True, flags=ACK)

    def _frame(self, octets: bytes, *, is_up: bool, flags: int, seq: int | None = None) -> None:
        ends = (self._phone, self._remote) if is_up else (self._remote, self._phone)
        macs = (PHONE_MAC, ROUTER_MAC) if is_up else (ROUTER_MAC, PHONE_MAC)
        number = self._sent[is_up] if seq is None else seq
        segment = tcp(*ends, octets, seq=number, ack=self._sent[not is_up], flags=flags)
        self.frames.append(ethernet(segment, *macs).at(self.at))
        self.at += _STEP

    def send(self, octets: bytes, *, is_up: bool) -> None:
        for begin in range(0, len(octets), _SEGMENT):
            piece = octets[begin : begin + _SEGMENT]
            self._frame(piece, is_up=is_up, flags=PUSH | ACK)
            self._sent[is_up] += len(piece)

    def close(self) -> None:
        self._frame(b"", is_up=True, flags=FIN | ACK)
        self._frame(b"", is_up=False, flags=FIN | ACK)


def contexts(
    folder: Path, version: ssl.TLSVersion, alpn: Sequence[str]
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a client and a server that speak this version; the client logs its keys."""
    chain, private = certificate()
    (folder / "chain.pem").write_bytes(private + chain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "chain.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=chain.decode())
    client.keylog_filename = str(folder / "keys.log")
    for context in (client, server):
        context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(list(alpn))
    return client, server


class Tls:
    """A TLS connection over a line, both ends of it.

    The keys of the client are appended to `keys.log` in the folder.
    """

    def __init__(
        self,
        folder: Path,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        *,
        alpn: Sequence[str] = (),
        line: Line | None = None,
    ) -> None:
        self.line = line or Line()
        client, server = contexts(folder, version, alpn)
        self._wires = {side: (ssl.MemoryBIO(), ssl.MemoryBIO()) for side in (True, False)}
        self._ends = {
            True: client.wrap_bio(*self._wires[True], server_hostname=HOST),
            False: server.wrap_bio(*self._wires[False], server_side=True),
        }
        self._shake_hands()

    def _shake_hands(self) -> None:
        waiting = {True, False}
        while waiting:
            for is_up in (True, False):
                try:
                    self._ends[is_up].do_handshake()
                    waiting.discard(is_up)
                except ssl.SSLWantReadError:
                    pass
                self._carry(is_up=is_up)

    def _carry(self, *, is_up: bool) -> None:
        octets = self._wires[is_up][1].read()
        self._wires[not is_up][0].write(octets)
        self.line.send(octets, is_up=is_up)

    def say(self, octets: bytes, *, is_up: bool) -> None:
        """One end says this, in records of its own."""
        self._ends[is_up].write(octets)
        self._carry(is_up=is_up)
        got = b""
        while len(got) < len(octets):
            got += self._ends[not is_up].read(65_536)
        assert got == octets

    def close(self) -> None:
        self.line.close()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A request of HTTP/1.1 with a body."""
    head = [f"POST {path} HTTP/1.1", f"Host: {HOST}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def answered(body: bytes, *headers: str) -> bytes:
    """Its response."""
    head = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


class Quic:
    """A QUIC connection over UDP, both ends of it aioquic.

    The keys of the client are appended to `keys.log` in the folder.
    """

    def __init__(
        self, folder: Path, alpn: Sequence[str], *, port: int = 41_000, at: float = 0.0
    ) -> None:
        chain, private = certificate()
        (folder / "chain.pem").write_bytes(private + chain)
        self.frames: list[Frame] = []
        self._now, self._port = at, port
        with (folder / "keys.log").open("a") as log:
            ours = QuicConfiguration(
                is_client=True,
                alpn_protocols=list(alpn),
                server_name=HOST,
                secrets_log_file=log,
                verify_mode=ssl.CERT_NONE,
            )
            theirs = QuicConfiguration(is_client=False, alpn_protocols=list(alpn))
            theirs.load_cert_chain(folder / "chain.pem", folder / "chain.pem")
            self.client = QuicConnection(configuration=ours)
            self.client.connect((REMOTE, 443), now=at)
            self.server = QuicConnection(
                configuration=theirs,
                original_destination_connection_id=self.client.original_destination_connection_id,
            )
            self.carry()

    def carry(self) -> None:
        """Hand over all that either end wants to send."""
        idle = 0
        while idle < _IDLE_ROUNDS:
            moved = self._carry_one_way(is_up=True) + self._carry_one_way(is_up=False)
            idle = 0 if moved else idle + 1
            self._now += _STEP
            for end in (self.client, self.server):
                if (end.get_timer() or self._now + 1) < self._now:
                    end.handle_timer(self._now)

    def _carry_one_way(self, *, is_up: bool) -> int:
        sender, receiver = (self.client, self.server) if is_up else (self.server, self.client)
        phone, remote = (PHONE, self._port), (REMOTE, 443)
        ends = (phone, remote) if is_up else (remote, phone)
        macs = (PHONE_MAC, ROUTER_MAC) if is_up else (ROUTER_MAC, PHONE_MAC)
        datagrams = sender.datagrams_to_send(self._now)
        for octets, _ in datagrams:
            self.frames.append(ethernet(udp(*ends, octets), *macs).at(self._now))
            receiver.receive_datagram(octets, ends[0], self._now)
        return len(datagrams)

    def say(self, octets: bytes, *, is_up: bool, stream: int = 0) -> None:
        """One end says this on a stream."""
        (self.client if is_up else self.server).send_stream_data(stream, octets)
        self.carry()

    def post(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """The client sends a request of HTTP/3, the server answers."""
        ours, theirs = H3Connection(self.client), H3Connection(self.server)
        self.carry()
        stream = self.client.get_next_available_stream_id()
        ours.send_headers(stream, list(headers))
        ours.send_data(stream, body, end_stream=True)
        self.carry()
        theirs.send_headers(stream, [(b":status", b"200")])
        theirs.send_data(stream, b"answer", end_stream=True)
        self.carry()
