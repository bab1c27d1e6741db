"""What reading one message can find beside its names: how a name is spelled, and what is odd."""

from bisect import bisect_left
from typing import NamedTuple

FAULTS = (
    "dns_cut",  # ends before the records that it announces: a lie, or the snap length
    "dns_malformed",  # a pointer forward, a name too long, a length beyond its record
    "tls_malformed",  # a length inside a hello reaches beyond what encloses it
    "certificate_malformed",  # a certificate that cannot be read
    "quic_undecryptable",  # a packet that begins QUIC, and that its own keys do not open
    "http_two_hosts",  # two Host lines that differ: the first one counts
    "name_too_long",  # an SNI or Host of more than `LONGEST_NAME` octets: left out
)
"""The kinds of oddity of the layer `name`."""

_MARK_BYTES = 160
_BACKSLASH = 0x5C
_DOT = 0x2E
_PLAIN = bytes(octet for octet in range(0x21, 0x7F) if octet != _BACKSLASH)
_SPELLING = tuple(
    chr(octet).lower() if octet in _PLAIN else f"\\x{octet:02x}" for octet in range(256)
)
_PRINTABLE = _PLAIN + b" "
_SHOWN = tuple(chr(octet) if octet in _PRINTABLE else f"\\x{octet:02x}" for octet in range(256))
_LABEL_SPELLING = tuple(
    f"\\x{_DOT:02x}" if octet == _DOT else text for octet, text in enumerate(_SPELLING)
)


class Fault(NamedTuple):
    """One thing in a message that cannot be believed.

    Attributes:
        kind: one of `FAULTS`.
        needed_bytes: bytes that it takes; None where it is not about length.
        got_bytes: bytes that were there, or that are allowed; None as above.
    """

    kind: str
    needed_bytes: int | None = None
    got_bytes: int | None = None


class Moment(NamedTuple):
    """The frame in which something was complete, and its time in ns since 1970."""

    frame: int
    time: int


class Marks:
    """Which frame brought the bytes of a message up to which length."""

    def __init__(self) -> None:
        self._lengths: list[int] = []
        self._moments: list[Moment] = []

    @property
    def held_bytes(self) -> int:
        """Memory that the marks take, about."""
        return _MARK_BYTES * len(self._lengths)

    def note(self, length: int, moment: Moment) -> None:
        """Remember that the message reached `length` at `moment`."""
        self._lengths.append(length)
        self._moments.append(moment)

    def reached(self, length: int) -> Moment:
        """The moment at which the message first had `length` bytes."""
        return self._moments[bisect_left(self._lengths, length)]


def spelled(octets: bytes) -> str:
    r"""A name as text: lower case, no final dot, octets that are no visible ASCII as `\xNN`.

    A backslash is spelled `\x5c`, so that two names never share a spelling.
    """
    name = octets.rstrip(b".")
    if name.translate(None, _PLAIN):
        return "".join(_SPELLING[octet] for octet in name)
    return name.lower().decode("ascii")


def spelled_labels(labels: list[bytes]) -> str:
    r"""DNS labels as text, as `spelled` does it; a dot inside a label is spelled `\x2e`."""
    name = b".".join(labels)
    if name.translate(None, _PLAIN) or name.count(b".") >= len(labels):
        return ".".join("".join(_LABEL_SPELLING[octet] for octet in label) for label in labels)
    return name.lower().decode("ascii")


def shown(octets: bytes, most: int) -> str:
    r"""Text of a message as it stands, octets that are no printable ASCII as `\xNN`.

    Of what is longer than `most` octets the first ones, with `…` behind them.
    """
    kept = octets[:most]
    text = "".join(_SHOWN[octet] for octet in kept) if kept.translate(None, _PRINTABLE) else ""
    return (text or kept.decode("ascii", "replace")) + ("…" if len(octets) > most else "")
