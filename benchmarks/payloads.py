"""Application messages of the benchmark captures: TLS and QUIC hellos, DNS, HTTP.

Each function returns one message as bytes, complete and well formed, so that every
program under test has the same names to find.
"""

import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

QUIC_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001, section 5.2
QUIC_DATAGRAM = 1200  # RFC 9000, section 14.1: a client pads its Initial to this size
TLS_CIPHERS = struct.pack(
    "!9H", 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8
)
QUIC_CIPHERS = struct.pack("!3H", 0x1301, 0x1302, 0x1303)
X25519 = 0x001D
X25519_MLKEM768 = 0x11EC
HYBRID_KEY_BYTES = 1216
AAAA = 28
A = 1
CNAME = 5


def _sized(width: int, content: bytes) -> bytes:
    """The content behind its length in `width` bytes."""
    return len(content).to_bytes(width, "big") + content


def _extension(kind: int, content: bytes) -> bytes:
    """One TLS extension."""
    return struct.pack("!H", kind) + _sized(2, content)


def _client_extensions(
    name: str, noise: bytes, *, is_hybrid: bool, alpn: tuple[bytes, ...]
) -> bytes:
    """The extensions of a current mobile client, the name first."""
    shares = struct.pack("!H", X25519) + _sized(2, noise[64:96])
    groups = struct.pack("!3H", X25519, 0x0017, 0x0018)
    if is_hybrid:
        key = (noise * (HYBRID_KEY_BYTES // len(noise) + 1))[:HYBRID_KEY_BYTES]
        shares = struct.pack("!H", X25519_MLKEM768) + _sized(2, key) + shares
        groups = struct.pack("!H", X25519_MLKEM768) + groups
    return b"".join(
        [
            _extension(0, _sized(2, b"\x00" + _sized(2, name.encode()))),
            _extension(10, _sized(2, groups)),
            _extension(11, b"\x01\x00"),
            _extension(13, _sized(2, struct.pack("!4H", 0x0403, 0x0804, 0x0401, 0x0503))),
            _extension(16, _sized(2, b"".join(_sized(1, protocol) for protocol in alpn))),
            _extension(23, b""),
            _extension(43, _sized(1, struct.pack("!2H", 0x0304, 0x0303))),
            _extension(45, b"\x01\x01"),
            _extension(51, _sized(2, shares)),
        ]
    )


def _handshake(kind: int, content: bytes) -> bytes:
    """One TLS handshake message."""
    return bytes([kind]) + _sized(3, content)


def client_hello(name: str, noise: bytes, *, is_hybrid: bool) -> bytes:
    """A TLS record with a ClientHello for a server name (RFC 8446, section 4.1.2).

    `noise` is 96 random bytes or more: client random, session id, key. With a hybrid
    key share the hello is about 1,500 bytes and so needs two segments, as those of
    current browsers do.
    """
    extensions = _client_extensions(name, noise, is_hybrid=is_hybrid, alpn=(b"h2", b"http/1.1"))
    hello = b"".join(
        [b"\x03\x03", noise[:32], _sized(1, noise[32:64]), _sized(2, TLS_CIPHERS), b"\x01\x00"]
    )
    return b"\x16\x03\x01" + _sized(2, _handshake(1, hello + _sized(2, extensions)))


def server_hello(noise: bytes, *, encrypted_bytes: int) -> bytes:
    """A server's first flight: ServerHello, ChangeCipherSpec, one encrypted record."""
    extensions = _extension(51, struct.pack("!H", X25519) + _sized(2, noise[64:96]))
    extensions += _extension(43, b"\x03\x04")
    hello = b"\x03\x03" + noise[:32] + _sized(1, noise[32:64]) + b"\x13\x01\x00"
    record = b"\x16\x03\x03" + _sized(2, _handshake(2, hello + _sized(2, extensions)))
    filler = (noise * (encrypted_bytes // len(noise) + 1))[:encrypted_bytes]
    return record + b"\x14\x03\x03\x00\x01\x01" + b"\x17\x03\x03" + _sized(2, filler)


def server_hello_with_certificate(noise: bytes, chain: list[bytes]) -> bytes:
    """A TLS 1.2 server's first flight, certificates in the clear (RFC 5246, section 7.4)."""
    hello = b"\x03\x03" + noise[:32] + _sized(1, noise[32:64]) + b"\xc0\x2b\x00"
    listed = _sized(3, b"".join(_sized(3, certificate) for certificate in chain))
    curve_point = b"\x03\x00\x1d" + _sized(1, noise[64:96])
    signature = b"\x08\x07" + _sized(2, noise[:64])
    messages = [
        _handshake(2, hello + _sized(2, _extension(23, b"") + _extension(0xFF01, b"\x00"))),
        _handshake(11, listed),
        _handshake(12, curve_point + signature),
        _handshake(14, b""),
    ]
    return b"\x16\x03\x03" + _sized(2, b"".join(messages))


def http_request(name: str, number: int) -> bytes:
    """An HTTP/1.1 request with its Host field."""
    return (
        f"GET /v1/item/{number}?lang=en HTTP/1.1\r\nHost: {name}\r\n"
        "User-Agent: Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7)\r\n"
        "Accept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\n"
    ).encode()


def http_response(start: bytes, length: int) -> bytes:
    """The head of an HTTP/1.1 response and the start of its body of `length` bytes."""
    return (
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode() + start


def _dns_name(name: str) -> bytes:
    """A name as uncompressed labels."""
    return b"".join(_sized(1, label.encode()) for label in name.split(".")) + b"\x00"


def dns_query(name: str, identifier: int, *, is_v6: bool) -> bytes:
    """A question for the A record of a name, or for its AAAA record."""
    head = struct.pack("!6H", identifier, 0x0100, 1, 0, 0, 0)
    return head + _dns_name(name) + struct.pack("!2H", AAAA if is_v6 else A, 1)


def dns_response(name: str, identifier: int, addresses: list[bytes], alias: str | None) -> bytes:
    """The answer to `dns_query`: the addresses, behind a CNAME where there is an alias.

    The addresses are packed (4 or 16 bytes each) and all of one family.
    """
    kind = A if len(addresses[0]) == 4 else AAAA
    question = _dns_name(name) + struct.pack("!2H", kind, 1)
    owner = b"\xc0\x0c"  # a pointer to the question
    records = []
    if alias is not None:
        owner = _dns_name(alias)
        records.append(b"\xc0\x0c" + struct.pack("!2HI", CNAME, 1, 300) + _sized(2, owner))
    records.extend(
        owner + struct.pack("!2HI", kind, 1, 60) + _sized(2, address) for address in addresses
    )
    head = struct.pack("!6H", identifier, 0x8180, 1, len(records), 0, 0)
    return head + question + b"".join(records)


def _expand_label(secret: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, section 7.1)."""
    info = struct.pack("!H", length) + _sized(1, b"tls13 " + label.encode()) + b"\x00"
    return HKDFExpand(SHA256(), length, info).derive(secret)


def _initial_keys(connection: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, IV and header protection key of a client's Initial (RFC 9001, section 5.2)."""
    extract = HMAC(QUIC_SALT, SHA256())
    extract.update(connection)
    secret = _expand_label(extract.finalize(), "client in", 32)
    return (
        _expand_label(secret, "quic key", 16),
        _expand_label(secret, "quic iv", 12),
        _expand_label(secret, "quic hp", 16),
    )


def quic_initial(name: str, noise: bytes) -> bytes:
    """A client's QUIC v1 Initial of 1,200 bytes, encrypted, with a ClientHello inside.

    `noise` is 112 random bytes or more; the last 16 are the connection identifiers.
    """
    destination, source = noise[-16:-8], noise[-8:]
    extensions = _client_extensions(name, noise, is_hybrid=False, alpn=(b"h3",))
    extensions += _extension(57, b"\x0f" + _sized(1, source))
    hello = b"\x03\x03" + noise[:32] + b"\x00" + _sized(2, QUIC_CIPHERS) + b"\x01\x00"
    message = _handshake(1, hello + _sized(2, extensions))
    frames = b"\x06\x00" + struct.pack("!H", 0x4000 | len(message)) + message
    head = b"\xc0\x00\x00\x00\x01" + _sized(1, destination) + _sized(1, source) + b"\x00"
    rest = QUIC_DATAGRAM - len(head) - 2  # what the length field counts
    head += struct.pack("!H", 0x4000 | rest) + b"\x00"  # packet number 0 in one byte
    key, iv, protection = _initial_keys(destination)
    sealed = AESGCM(key).encrypt(iv, frames.ljust(rest - 1 - 16, b"\x00"), head)
    cipher = Cipher(algorithms.AES(protection), modes.ECB())  # noqa: S305, as RFC 9001, 5.4.3 asks
    mask = cipher.encryptor().update(sealed[3:19])
    first = bytes([head[0] ^ (mask[0] & 0x0F)])
    return first + head[1:-1] + bytes([head[-1] ^ mask[1]]) + sealed
