"""The service that a conversation speaks, by the first bytes that each end sent."""

from dataclasses import dataclass

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.tables import Conversations

HEAD_BYTES = 16
"""Bytes of each end that are looked at."""

_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Heads:
    """The first bytes of one end of each conversation, filled up with zeros."""

    octets: NDArray[np.uint8]
    lengths: NDArray[np.int64]

    def of(self, rows: NDArray[np.intp]) -> "_Heads":
        """Those of these conversations alone."""
        return _Heads(self.octets[rows], self.lengths[rows])


class _Number:
    """Asks that an unsigned number in network order, under a mask, is one of these values."""

    def __init__(self, at: int, width: int, *values: int | range, mask: int = -1) -> None:
        self._columns = range(at, at + width)
        self._values = [v if isinstance(v, range) else range(v, v + 1) for v in values]
        self._mask = mask

    def holds(self, heads: _Heads) -> _Mask:
        """For each head, whether it is so."""
        number = np.zeros(len(heads.octets), dtype=np.int64)
        for column in self._columns:
            number = number << 8 | heads.octets[:, column]
        number &= self._mask
        found = np.zeros(len(number), dtype=np.bool_)
        for value in self._values:
            is_in_step = (number - value.start) % value.step == 0
            found |= (number >= value.start) & (number < value.stop) & is_in_step
        return found


class _Text:
    """Asks that the head begins with one of these texts."""

    def __init__(self, *texts: bytes) -> None:
        self._texts = [np.frombuffer(text, dtype=np.uint8) for text in texts]

    def holds(self, heads: _Heads) -> _Mask:
        """For each head, whether it is so."""
        found = np.zeros(len(heads.octets), dtype=np.bool_)
        for text in self._texts:
            found |= (heads.octets[:, : len(text)] == text).all(axis=1)
        return found


@dataclass(frozen=True)
class _Rule:
    """How a service is told: a protocol, a port of either end, and what all holds of a head."""

    service: str
    protocol: str
    ports: tuple[int, ...]
    """One of them takes part. Empty: any port."""
    least_bytes: int
    """A shorter head tells nothing."""
    conditions: tuple[_Number | _Text, ...]

    def holds(self, heads: _Heads) -> _Mask:
        """For each head, whether it shows the service."""
        found = heads.lengths >= self.least_bytes
        for condition in self.conditions:
            found = found & condition.holds(heads)
        return found


def services(conversations: dy.DataFrame[Conversations]) -> pl.Series:
    """The service of each conversation, in its order; null where none is recognised.

    The bytes decide, of whichever end shows it in the first of `RULES` that holds; a port is
    asked for as well where the bytes alone could be anything.
    """
    a_heads, b_heads = _heads(conversations["a_head"]), _heads(conversations["b_head"])
    ports = conversations.select(pl.col("a_port", "b_port").fill_null(-1)).to_numpy()
    found = np.zeros(len(conversations), dtype=np.uint32)
    for number, rule in enumerate(RULES, start=1):
        is_possible = (conversations["protocol"] == rule.protocol).to_numpy() & (found == 0)
        if rule.ports:
            is_possible &= np.isin(ports, rule.ports).any(axis=1)
        rows = np.flatnonzero(is_possible)
        is_shown = rule.holds(a_heads.of(rows)) | rule.holds(b_heads.of(rows))
        found[rows[is_shown]] = number
    words = pl.Series("service", [None, *(rule.service for rule in RULES)], dtype=pl.String)
    return words.gather(pl.Series(found))


def _heads(column: pl.Series) -> _Heads:
    """The first bytes of one end as numbers; none where nothing was captured."""
    heads = pl.DataFrame({"head": column.fill_null(b"")})
    padding = pl.lit(bytes(HEAD_BYTES))
    padded = heads.select((pl.col("head") + padding).bin.head(HEAD_BYTES)).to_series()
    octets = np.frombuffer(b"".join(padded.to_list()), dtype=np.uint8)
    lengths = heads.select(pl.col("head").bin.size().cast(pl.Int64)).to_series().to_numpy()
    return _Heads(octets.reshape(-1, HEAD_BYTES), lengths)


def _dns_header(at: int) -> tuple[_Number, ...]:
    """A header of DNS that can be true (RFC 1035, section 4.1.1), at an offset."""
    return (
        _Number(at + 2, 1, *(code << 3 for code in (0, 1, 2, 4, 5, 6)), mask=0x78),  # opcode
        _Number(at + 3, 1, 0, mask=0x40),  # the bit that is always zero
        _Number(at + 4, 2, range(65)),  # questions
        _Number(at + 6, 2, range(4097)),  # answers
        _Number(at + 4, 4, range(1, 1 << 32)),  # either of both
        _Number(at + 8, 2, range(257)),  # authorities
    )


HTTP_METHODS = (
    *(b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"),  # RFC 9110
    *(b"PROPFIND", b"PROPPATCH", b"MKCOL", b"COPY", b"MOVE", b"LOCK", b"UNLOCK"),  # RFC 4918
    b"REPORT",  # RFC 3253
)
"""Methods by which a request is recognised, with a path or a web address behind it."""

_REQUESTS = [method + target for method in HTTP_METHODS for target in (b" /", b" *", b" http")]
_VERSION_DIGITS = [range(0x3030 + 0x100 * tens, 0x303A + 0x100 * tens) for tens in range(10)]
_HOST_BEGINS: list[int | range] = [ord("["), range(ord("0"), ord(":")), range(ord("a"), ord("{"))]
_LENGTH = range(1, 1 << 16)

RULES = (
    # Records of MMTLS: alert, handshake, data, 0-RTT; version, length (Citizen Lab, 2024).
    _Rule(
        "mmtls",
        "tcp",
        (),
        5,
        (
            _Number(0, 1, 0x15, 0x16, 0x17, 0x19),
            _Number(1, 2, 0xF103, 0xF104),
            _Number(3, 2, _LENGTH),
        ),
    ),
    # Records of TLS: type, version, length (RFC 8446, section 5.1, and RFC 6520).
    _Rule(
        "tls",
        "tcp",
        (),
        5,
        (
            _Number(0, 1, range(20, 25)),
            _Number(1, 2, range(0x0300, 0x0305)),
            _Number(3, 2, range(1, (1 << 14) + 2049)),
        ),
    ),
    # A ClientHello in the form of SSL 2 (RFC 5246, appendix E.2).
    _Rule(
        "tls",
        "tcp",
        (),
        11,
        (
            _Number(0, 1, 0x80, mask=0x80),
            _Number(2, 1, 1),
            _Number(3, 2, range(0x0300, 0x0304)),
            _Number(5, 2, range(3, 1 << 16, 3)),
        ),
    ),
    _Rule("http", "tcp", (), 5, (_Text(*_REQUESTS, b"HTTP/1."),)),
    # A tunnel has a host and no path (RFC 9110, section 9.3.6).
    _Rule("http", "tcp", (), 9, (_Text(b"CONNECT "), _Number(8, 1, *_HOST_BEGINS))),
    # The preface of HTTP/2 (RFC 9113, section 3.4).
    _Rule("http", "tcp", (), 16, (_Text(b"PRI * HTTP/2.0\r\n"),)),
    # The line with which both ends begin (RFC 4253, section 4.2).
    _Rule("ssh", "tcp", (), 6, (_Text(b"SSH-2.", b"SSH-1."),)),
    # Over TCP, two octets of length stand before the header (RFC 1035, section 4.2.2).
    _Rule("dns", "tcp", (53,), 14, (_Number(0, 2, range(12, 1 << 16)), *_dns_header(2))),
    _Rule("dns", "udp", (53,), 12, _dns_header(0)),
    _Rule("mdns", "udp", (5353,), 12, _dns_header(0)),  # RFC 6762
    _Rule("llmnr", "udp", (5355,), 12, _dns_header(0)),  # RFC 4795
    # Operation, hardware type, length of the hardware address (RFC 2131, section 2).
    _Rule(
        "dhcp",
        "udp",
        (67, 68),
        16,
        (_Number(0, 1, 1, 2), _Number(1, 1, range(1, 256)), _Number(2, 1, range(17))),
    ),
    # Message type (RFC 8415, section 7.3).
    _Rule("dhcp", "udp", (546, 547), 4, (_Number(0, 1, range(1, 14)),)),
    # Version 1 to 4, any mode but the reserved one (RFC 5905, section 7.3).
    _Rule(
        "ntp",
        "udp",
        (123,),
        8,
        (
            _Number(0, 1, range(1 << 3, (4 << 3) + 1, 1 << 3), mask=0x38),
            _Number(0, 1, range(1, 8), mask=7),
        ),
    ),
    # UPnP Device Architecture 2.0, section 1.
    _Rule("ssdp", "udp", (1900,), 7, (_Text(b"M-SEARCH *", b"NOTIFY *", b"HTTP/1."),)),
    *(
        # Two zero bits, a length in steps of four, the magic cookie (RFC 8489, section 5).
        _Rule(
            "stun",
            protocol,
            (),
            8,
            (
                _Number(0, 1, 0, mask=0xC0),
                _Number(2, 2, range(0, 1 << 16, 4)),
                _Number(4, 4, 0x2112_A442),
            ),
        )
        for protocol in ("udp", "tcp")
    ),
    # Binding and shared secret requests and answers of the first STUN, which has no cookie
    # (RFC 3489, section 11.1).
    _Rule(
        "stun",
        "udp",
        (3478, 3479),
        16,
        (_Number(0, 1, 0, 1), _Number(1, 1, 1, 2, 0x11, 0x12), _Number(2, 2, range(0, 1 << 16, 4))),
    ),
    # Type and version of a record (RFC 6347, section 4.1).
    _Rule("dtls", "udp", (), 13, (_Number(0, 1, range(20, 26)), _Number(1, 2, 0xFEFF, 0xFEFD))),
    # Long header, version, length of the connection id: RFC 9000, RFC 9369, drafts up to 34,
    # versions kept to exercise negotiation (RFC 9000, section 15), Facebook's mvfst.
    *(
        _Rule(
            "quic",
            "udp",
            (),
            7,
            (_Number(0, 1, 0xC0, mask=0xC0), version, _Number(5, 1, range(21))),
        )
        for version in (
            _Number(1, 4, 1, 0x6B33_43CF, range(0xFF00_0001, 0xFF00_0023)),
            _Number(1, 4, 0x0A0A_0A0A, mask=0x0F0F_0F0F),
            _Number(1, 4, 0xFACE_B000, mask=0xFFFF_FFF0),
        )
    ),
    # Google's QUIC: Q046 to Q050 and T0xx with a long header, older ones behind public flags
    # and a connection id of eight bytes.
    *(
        _Rule(
            "quic",
            "udp",
            (),
            at + 4,
            (flags, _Number(at, 2, 0x5130, 0x5430), _Number(at + 2, 2, *_VERSION_DIGITS)),
        )
        for flags, at in ((_Number(0, 1, 0xC0, mask=0xC0), 1), (_Number(0, 1, 9, mask=0xC9), 9))
    ),
)
"""What is recognised, in the order in which it is asked; any other protocol has no service."""
