"""Builds what packets carry, excerpts of it, and the table of conversations, by hand."""

import ssl
import struct
from dataclasses import dataclass

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.captures.kernels.excerpts import STREAM, Excerpts
from phonehome.captures.tables import Conversations

PHONE, REMOTE = "192.168.1.5", "203.0.113.7"
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Piece:
    """One piece of payload; `position` is that of its first byte in its stream."""

    octets: bytes
    frame: int = 1
    kind: int = STREAM
    conversation: int = 0
    is_from_b: bool = False
    incarnation: int = 0
    message: int = 0
    position: int = 0
    time: int | None = None


def excerpts(*pieces: Piece) -> Excerpts:
    """Pieces as the arrays of one window; without a time of its own, frame n came at second n."""
    lengths = [len(piece.octets) for piece in pieces]
    times = [p.frame * SECOND if p.time is None else p.time for p in pieces]
    return Excerpts(
        frame=np.array([p.frame for p in pieces], dtype=np.int64),
        time=np.array(times, dtype=np.int64),
        conversation=np.array([p.conversation for p in pieces], dtype=np.int32),
        is_from_b=np.array([p.is_from_b for p in pieces], dtype=np.uint8),
        kind=np.array([p.kind for p in pieces], dtype=np.uint8),
        incarnation=np.array([p.incarnation for p in pieces], dtype=np.int32),
        message=np.array([p.message for p in pieces], dtype=np.int64),
        position=np.array([p.position for p in pieces], dtype=np.int64),
        start=np.cumsum([0, *lengths], dtype=np.int64)[:-1],
        length=np.array(lengths, dtype=np.int32),
        name_at=np.zeros(len(pieces), dtype=np.int64),
        name_length=np.full(len(pieces), -1, dtype=np.int32),
        shape=np.zeros(len(pieces), dtype=np.int64),
        data=np.frombuffer(b"".join(p.octets for p in pieces), dtype=np.uint8),
    )


NO_KINDS = {
    f"{end}_{kind}_bytes": 0 for end in "ab" for kind in ("handshake", "application", "keep_alive")
}
"""Of conversations made by hand: nothing is known of records."""


def conversations(*b_ports: int | None, protocol: str = "tcp") -> dy.DataFrame[Conversations]:
    """One conversation of the phone, end a, with the remote, end b, for each port of b."""
    return Conversations.validate(
        pl.DataFrame(
            {
                "conversation": range(len(b_ports)),
                "protocol": protocol,
                "a_address": PHONE,
                "a_port": [50_000 + number for number in range(len(b_ports))],
                "b_address": REMOTE,
                "b_port": list(b_ports),
                "opener": None,
                "handshake": None,
                **NO_KINDS,
                "acknowledged": None,
                "answered": None,
                "handshake_hop_limit": None,
                "a_mac": None,
                "b_mac": None,
                "a_head": None,
                "b_head": None,
            },
            schema=Conversations.create_empty().schema,
        )
    )


def openssl_hello(name: str | None) -> bytes:
    """The record with which OpenSSL opens a connection to a host of this name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake cannot end without an answer")


def sized(octets: bytes, width: int) -> bytes:
    """Octets behind their length."""
    return len(octets).to_bytes(width, "big") + octets


def server_name(name: bytes) -> bytes:
    """The extension that carries a server name."""
    return b"\x00\x00" + sized(sized(b"\x00" + sized(name, 2), 2), 2)


def hello_message(*extensions: bytes) -> bytes:
    """A ClientHello from its handshake header on; padding stands before the extensions."""
    padding = b"\x00\x15" + sized(bytes(9), 2)
    body = b"\x03\x03" + bytes(32) + sized(b"s" * 32, 1) + sized(b"\x13\x01", 2) + sized(b"\0", 1)
    return b"\x01" + sized(body + sized(padding + b"".join(extensions), 2), 3)


def records(message: bytes, *cuts: int) -> bytes:
    """A handshake message in records that end at these offsets and at its end."""
    begins, ends = (0, *cuts), (*cuts, len(message))
    parts = [message[begin:end] for begin, end in zip(begins, ends, strict=True)]
    return b"".join(b"\x16\x03\x01" + sized(part, 2) for part in parts)


def hello(name: bytes) -> bytes:
    """A stream that begins with a ClientHello for this name."""
    return records(hello_message(server_name(name)))


def dns_header(*counts: int, flags: int = 0x8180) -> bytes:
    """The header of a DNS response; counts of questions, answers, authorities, additionals."""
    return struct.pack("!6H", 7, flags, *(*counts, 0, 0, 0, 0)[:4])


def dns_name(*labels: bytes) -> bytes:
    """A name of DNS without pointers."""
    return b"".join(sized(label, 1) for label in labels) + b"\0"


def dns_pointer(offset: int) -> bytes:
    """A compression pointer."""
    return struct.pack("!H", 0xC000 | offset)


def dns_record(owner: bytes, kind: int, data: bytes, network: int = 1) -> bytes:
    """A resource record."""
    return owner + struct.pack("!HHI", kind, network, 60) + sized(data, 2)


def dns_answer(name: bytes, *addresses: bytes) -> bytes:
    """A response that gives IPv4 addresses to the one name asked for, a final dot left out."""
    question = dns_name(*name.split(b".")) + b"\0\x01\0\x01"
    answers = [dns_record(dns_pointer(12), 1, address) for address in addresses]
    return dns_header(1, len(answers)) + question + b"".join(answers)
