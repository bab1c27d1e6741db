"""A server on this machine that answers as a test wants, however wrongly."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = bytes | Callable[[socket.socket], None]


@dataclass
class Server:
    """What is served, by path without its query; and what was asked."""

    base: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


def whole(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An answer, its length told."""
    told = len(body) if length is None else length
    head = (f"HTTP/1.1 {status}", f"Content-Length: {told}", *headers)
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def unlengthed(body: bytes) -> bytes:
    """An answer that ends where the connection does."""
    return b"HTTP/1.1 200 OK\r\n\r\n" + body


def elsewhere(url: str) -> bytes:
    """An answer that sends to another address."""
    return whole(b"", "302 Found", f"Location: {url}")


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a port of its own, until the block ends; with TLS if a context is given."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        scheme = "https" if context else "http"
        server = Server(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}")
        thread = threading.Thread(target=_accept, args=(listening, server, context), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def certificate(folder: Path, host: str = "127.0.0.1") -> Path:
    """A certificate that its own key signed, for an address, with the key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)  # noqa: FBT003
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)  # noqa: FBT003
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def _accept(listening: socket.socket, server: Server, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connected, _ = listening.accept()
            if context:
                connected = context.wrap_socket(connected, server_side=True)
        except ssl.SSLError:
            continue
        except OSError:
            return
        threading.Thread(target=_answer, args=(connected, server), daemon=True).start()


def _answer(connected: socket.socket, server: Server) -> None:
    with connected, suppress(OSError):
        question = b""
        while b"\r\n\r\n" not in question:
            part = connected.recv(4096)
            if not part:
                return
            question += part
        target = question.split(b" ")[1].decode()
        server.asked.append(target)
        answer = server.answers.get(target.partition("?")[0], whole(b"", "404 Not Found"))
        if callable(answer):
            answer(connected)
        else:
            connected.sendall(answer)
