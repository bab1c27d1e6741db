# Held by tests/captures/decryption/test_session.py: values only.
"""What keys opened: pieces of plain bytes, and per connection how much of it."""

from dataclasses import dataclass, field
from typing import NamedTuple

LAYERS = ("tls", "quic", "mmtls", "mmtls-inner")


class Opened(NamedTuple):
    """A piece of what was encrypted, in the clear.

    A message of HTTP gives a piece for its head and one for its body; of other protocols a piece
    is what one end said until the other one answered. No piece is longer than
    `Limits.opened_piece_bytes`, and what two pieces hold does not overlap.

    Attributes:
        protocol: tcp or udp.
        source: address that sent it.
        source_port: its port.
        destination: address that it was sent to.
        destination_port: its port.
        frame: frame that completes the first record, or datagram, that carries some of it, from 1,
            as everywhere in phonehome.
        time: time of that frame in ns since 1970; None: it has none.
        layer: what was opened: one of `LAYERS`.
        what: what the piece is, in words: `http request head`, `http2 response body`, ….
        octets: the piece.
        stream: stream of HTTP/2 that it is of; 0: of none.
    """

    protocol: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    frame: int
    time: int | None
    layer: str
    what: str
    octets: bytes
    stream: int = 0


@dataclass
class Attempt:
    """What became of one connection that is encrypted.

    Attributes:
        protocol: tcp or udp.
        client: address and port of the end whose hello came, or that sent first.
        server: the other end.
        first_frame: first frame of it that says anything, from 1.
        layer: tls, quic or mmtls.
        keys_source: where a key for it comes from; None: there is none.
        has_hello: the hello of its client was captured.
        has_answer: that of its server was too.
        opened_bytes: plain bytes that the client sent, and that the server sent.
        requests: requests among them: of HTTP, or of MMTLS.
        failures: records for which there is a key that does not open them.
    """

    protocol: str
    client: tuple[str, int]
    server: tuple[str, int]
    first_frame: int
    layer: str
    keys_source: str | None = None
    has_hello: bool = False
    has_answer: bool = False
    opened_bytes: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    requests: int = 0
    failures: int = 0

    @property
    def is_opened(self) -> bool:
        """Something of it was opened."""
        return any(self.opened_bytes.values())
