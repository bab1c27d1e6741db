"""The bytes of a window that may hold a name, cut out by the compiled loop.

Packets stay narrow: payload is kept only where a name can be: DNS messages, and the begin of
each message in a TCP stream that looks like a TLS hello or an HTTP message.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.layout import (
    EXCERPT_CONVERSATION,
    EXCERPT_FRAME,
    EXCERPT_FROM_B,
    EXCERPT_INCARNATION,
    EXCERPT_KIND,
    EXCERPT_LENGTH,
    EXCERPT_MESSAGE,
    EXCERPT_NAME_AT,
    EXCERPT_NAME_LENGTH,
    EXCERPT_POSITION,
    EXCERPT_SHAPE,
    EXCERPT_START,
    EXCERPT_TIME,
)

DATAGRAM = 1
"""A whole UDP payload from port 53 that is marked as an answer, as far as it was captured."""
STREAM = 2
"""Part of a TCP stream: begin of a TLS hello or of an HTTP message, and what follows it."""
DNS_STREAM = 3
"""Part of a TCP stream from or to port 53: messages, each behind two octets of length."""

REQUEST_DATAGRAM = 4
"""A whole UDP payload that begins like an HTTP request (SSDP), as far as it was captured."""
QUIC = 6
"""A whole UDP payload that may begin a connection of QUIC, as far as it was captured."""
SERVER_HELLO = 7
"""No bytes: a TLS ServerHello that the loop has read; its version and cipher are the shape."""
DTLS = 8
"""A whole UDP payload that begins with a handshake record of DTLS, as far as it was captured."""
SAMPLE = 9
"""No bytes: what the loop says of the first ones of a side that begins like nothing known.

`message` holds how many octets were looked at, `position` their entropy in microbits, `shape` the
kind and the framing (`content_lists`).
"""
OWNER = 5
"""What says who owns the conversation; `message` holds the kind of tag, `position` a number."""
MARK = 10
"""The comment of a packet that marks the begin of a phase; of no conversation."""
PAYLOAD = 11
"""All payload of a segment or datagram, to be searched, where that was asked for.

`message` is 1 for a datagram, 0 for a segment; `shape` has the ports: from, times 65,536, and to.
"""


MMTLS_BYTES = 1 << 20
"""Of a direction of a stream of MMTLS, the records in so many first bytes are counted."""


@dataclass(frozen=True)
class Excerpts:
    """Pieces of payload, in file order; every array has one entry per piece.

    Attributes:
        frame: frame that carried it, from 1.
        time: its time in ns since 1970; the smallest int64 where there is none.
        conversation: conversation that carried it.
        is_from_b: 1 where end b sent it.
        kind: `DATAGRAM`, `STREAM`, `DNS_STREAM`, `REQUEST_DATAGRAM`, `QUIC`, `SERVER_HELLO`,
            `DTLS`, `SAMPLE`, `OWNER`, `MARK` or `PAYLOAD`.
        incarnation: how often the ports had been used again before, for TCP.
        message: position in the stream at which the message begins that the piece belongs to.
        position: position in the stream of the piece's first byte; pieces may overlap,
            repeat, and come out of order.
        start: where the piece begins in `data`.
        length: bytes of it in `data`.
        name_at: where in `data` the server name begins that the loop has read.
        name_length: its length; 0: the message names none; -1: it is still to be read.
        shape: of a ClientHello that the loop has read, a hash of what tells its software: the
            same number, the same fingerprint. Of a ServerHello, its version and its cipher suite.
        data: all pieces, one after the other.
    """

    frame: NDArray[np.int64]
    time: NDArray[np.int64]
    conversation: NDArray[np.int32]
    is_from_b: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    incarnation: NDArray[np.int32]
    message: NDArray[np.int64]
    position: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int32]
    name_at: NDArray[np.int64]
    name_length: NDArray[np.int32]
    shape: NDArray[np.int64]
    data: NDArray[np.uint8]

    def only(self, is_kept: NDArray[np.bool_]) -> "Excerpts":
        """Some of the pieces; all of the bytes."""
        columns = {
            field.name: getattr(self, field.name)[is_kept]
            for field in fields(self)
            if field.name != "data"
        }
        return replace(self, **columns)


def excerpts_of(rows: NDArray[np.int64], data: NDArray[np.uint8]) -> Excerpts:
    """Excerpts from their rows and bytes; both arrays may be overwritten afterwards."""
    column = np.array(rows.T, order="C")
    return Excerpts(
        frame=column[EXCERPT_FRAME],
        time=column[EXCERPT_TIME],
        conversation=column[EXCERPT_CONVERSATION].astype(np.int32),
        is_from_b=column[EXCERPT_FROM_B].astype(np.uint8),
        kind=column[EXCERPT_KIND].astype(np.uint8),
        incarnation=column[EXCERPT_INCARNATION].astype(np.int32),
        message=column[EXCERPT_MESSAGE],
        position=column[EXCERPT_POSITION],
        start=column[EXCERPT_START],
        length=column[EXCERPT_LENGTH].astype(np.int32),
        name_at=column[EXCERPT_NAME_AT],
        name_length=column[EXCERPT_NAME_LENGTH].astype(np.int32),
        shape=column[EXCERPT_SHAPE],
        data=data.copy(),
    )
