"""The servers that the sample app talks to, each a real stack: OpenSSL, aioquic, dnspython.

Certificates are made anew for each recording and their keys never leave the temporary directory.
"""

import asyncio
import datetime as dt
import http.server
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent
from aioquic.quic.packet import QuicProtocolVersion
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sample.plan import RESOLVER, Destination

WANTED = "x-wanted"
_FROM = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_UNTIL = dt.datetime(2036, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Certificates:
    """Where the files of one recording lie: the authority, and chain and key by host."""

    authority: Path
    chains: Mapping[str, Path]


def make_certificates(hosts: list[str], directory: Path) -> Certificates:
    """An authority and one certificate per host, valid for exactly that name."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Sample authority", None, authority_key, authority_key)
    path = directory / "authority.pem"
    path.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    chains = {}
    for host in hosts:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate(host, authority.subject, key, authority_key)
        chains[host] = directory / f"{host}.pem"
        chains[host].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
        )
    return Certificates(path, chains)


def _certificate(
    name: str,
    issuer: x509.Name | None,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def start_servers(destinations: tuple[Destination, ...], certificates: Certificates) -> None:
    """Starts every server in this thread's network; returns once all of them listen."""
    _start_resolver(destinations)
    for destination in destinations:
        if destination.kind == "quic":
            _start_quic(destination, certificates.chains[destination.host])
        elif destination.kind == "binary":
            _run(socketserver.ThreadingTCPServer(_place(destination), _Echo))
        else:
            _start_http(destination, destinations, certificates)


def _place(destination: Destination) -> tuple[str, int]:
    return destination.recorded, destination.port


def _run(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Http(http.server.BaseHTTPRequestHandler):
    """Takes any upload and answers with as many bytes as the request wants."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Parrot", ""
    answers: Mapping[str, bytes] = {}

    def setup(self) -> None:
        self.request.settimeout(600)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def do_POST(self) -> None:
        """Reads the body, then answers."""
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(bytes(int(self.headers[WANTED])))

    def do_GET(self) -> None:
        """Answers a name look-up over HTTP, or with as many bytes as wanted."""
        name = self.path.partition("?dn=")[2]
        self._answer(self.answers[name] if name else bytes(int(self.headers[WANTED])))

    def _answer(self, body: bytes) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


class _HttpServer(http.server.ThreadingHTTPServer):
    """An HTTP server on IPv4 or IPv6, on TLS when it is given a context."""

    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, object]:
        """The connection; its handshake is left to the thread that serves it."""
        connection, client = self.socket.accept()
        if self.context is not None:
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, client


def _start_http(
    destination: Destination,
    destinations: tuple[Destination, ...],
    certificates: Certificates,
) -> None:
    answers = {
        other.host: other.address.encode() for other in destinations if other.lookup == "httpdns"
    }
    handler = type("Handler", (_Http,), {"answers": answers})
    family = socket.AF_INET6 if ":" in destination.recorded else socket.AF_INET
    kind = type("Server", (_HttpServer,), {"address_family": family})
    server = kind(_place(destination), handler)
    if destination.host in certificates.chains:
        server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.context.load_cert_chain(certificates.chains[destination.host])
        if destination.kind == "certificate":
            server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    _run(server)


class _Echo(socketserver.StreamRequestHandler):
    """A protocol of the app's own: two lengths, the message; zeros of the second length back."""

    def handle(self) -> None:
        """Serves messages until the other end closes."""
        while head := self.rfile.read(8):
            size, wanted = struct.unpack("!II", head)
            self.rfile.read(size)
            self.wfile.write(struct.pack("!II", wanted, 0) + bytes(wanted))


class _Http3(QuicConnectionProtocol):
    """An HTTP/3 server that answers with as many bytes as the request wants."""

    _http: H3Connection | None = None
    _wanted = 0

    def quic_event_received(self, event: QuicEvent) -> None:
        """Answers when a request is complete."""
        self._http = self._http or H3Connection(self._quic)
        for part in self._http.handle_event(event):
            if isinstance(part, HeadersReceived):
                self._wanted = int(dict(part.headers)[WANTED.encode()])
            elif isinstance(part, DataReceived) and part.stream_ended:
                self._http.send_headers(part.stream_id, [(b":status", b"200")])
                self._http.send_data(part.stream_id, bytes(self._wanted), end_stream=True)
                self.transmit()


def _start_quic(destination: Destination, chain: Path) -> None:
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=H3_ALPN,
        supported_versions=[QuicProtocolVersion.VERSION_1],
    )
    configuration.load_cert_chain(chain, chain)
    is_listening = threading.Event()

    async def run() -> None:
        host, port = _place(destination)
        await serve(host, port, configuration=configuration, create_protocol=_Http3)
        is_listening.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    is_listening.wait()


def _start_resolver(destinations: tuple[Destination, ...]) -> None:
    known = {destination.host: destination for destination in destinations}

    class Datagrams(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            query, line = self.request
            line.sendto(answer(query, known, is_datagram=True), self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(2):
                query = self.rfile.read(struct.unpack("!H", head)[0])
                reply = answer(query, known, is_datagram=False)
                self.wfile.write(struct.pack("!H", len(reply)) + reply)

    _run(socketserver.ThreadingUDPServer((RESOLVER, 53), Datagrams))
    _run(socketserver.ThreadingTCPServer((RESOLVER, 53), Stream))


def answer(query: bytes, known: Mapping[str, Destination], *, is_datagram: bool) -> bytes:
    """The resolver's reply: the addresses that the capture is to show, not those recorded on.

    A name that is looked up over TCP gets an empty datagram that says "truncated".
    """
    asked = dns.message.from_wire(query)
    question = asked.question[0]
    reply = dns.message.make_response(asked, recursion_available=True)
    destination = known[question.name.to_text(omit_final_dot=True)]
    if is_datagram and destination.lookup == "tcp":
        reply.flags |= dns.flags.TC
        return reply.to_wire()
    owner = question.name.to_text()
    if destination.alias is not None:
        alias = f"{destination.alias}."
        reply.answer.append(dns.rrset.from_text(owner, 300, "IN", "CNAME", alias))
        owner = alias
    kind = "AAAA" if ":" in destination.address else "A"
    if question.rdtype == dns.rdatatype.from_text(kind):
        reply.answer.append(dns.rrset.from_text(owner, 300, "IN", kind, destination.address))
    return reply.to_wire()
