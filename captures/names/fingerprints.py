"""What a ClientHello shows of the software that sent it: versions, ALPN, JA3 and JA4.

JA3 is Salesforce's method (github.com/salesforce/ja3), JA4 FoxIO's of TLS clients
(github.com/FoxIO-LLC/ja4, BSD-3-Clause). Both leave out GREASE (RFC 8701). Two apps with one
fingerprint use one library, set up alike; a fingerprint is no proof of an app.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_HEADER = 4
_VERSION = slice(4, 6)
_BEFORE_SESSION = 38
_SERVER_NAME, _GROUPS, _FORMATS, _SIGNATURES, _ALPN = 0x0000, 0x000A, 0x000B, 0x000D, 0x0010
_VERSIONS, _ECH = 0x002B, 0xFE0D
_GREASE = 0x0A0A
_TELLING = (_GROUPS, _FORMATS, _SIGNATURES, _ALPN, _VERSIONS)
_MOST = 99
_EMPTY_HASH = "0" * 12
_VERSION_WORDS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
TLS, QUIC, DTLS = "t", "q", "d"


class Fingerprint(NamedTuple):
    """What one ClientHello shows.

    Attributes:
        version: highest version that it offers, as its number; 0x0304 is TLS 1.3.
        alpn: application protocols that it offers, in its order, as sent.
        ja3: MD5 of JA3's text, hex.
        ja4: JA4.
        is_ech: it carries Encrypted Client Hello (type 0xfe0d), real or GREASE: the server
            name in the clear may be a cover.
    """

    version: int
    alpn: tuple[bytes, ...]
    ja3: str
    ja4: str
    is_ech: bool


def fingerprint(message: bytes, transport: str = TLS) -> Fingerprint | None:
    """What a ClientHello shows, from its handshake header on; None: it is cut, or it lies.

    Args:
        message: the whole message.
        transport: `TLS`, `QUIC` or `DTLS`, the first letter of JA4.
    """
    try:
        return _fingerprint(message, transport)
    except IndexError:
        return None


class _Offer(NamedTuple):
    """What of a ClientHello its fingerprint is made of; most hellos of an app have the same."""

    transport: str
    legacy: int
    ciphers: bytes
    kinds: tuple[int, ...]
    contents: tuple[bytes, ...]


def _fingerprint(message: bytes, transport: str) -> Fingerprint | None:
    stop = _HEADER + int.from_bytes(message[1:_HEADER], "big")
    if message[0] != 1 or stop > len(message):
        return None
    at = _BEFORE_SESSION
    at += 1 + message[at]
    if transport == DTLS:
        at += 1 + message[at]  # the cookie
    begin, at = at + 2, at + 2 + (message[at] << 8 | message[at + 1])
    ciphers = message[begin:at]
    at += 1 + message[at]
    said = list(_extensions(message, at, stop))
    first = dict(reversed(said))
    legacy = int.from_bytes(message[_VERSION], "big")
    kinds = tuple(kind for kind, _ in said)
    return _of(
        _Offer(transport, legacy, ciphers, kinds, tuple(first.get(kind, b"") for kind in _TELLING))
    )


@lru_cache(maxsize=4_096)
def _of(offer: _Offer) -> Fingerprint:
    """The fingerprint of all hellos that offer this."""
    contents = dict(zip(_TELLING, offer.contents, strict=True))
    version = _highest(contents[_VERSIONS], offer.legacy)
    alpn = tuple(_protocols(contents[_ALPN]))
    ciphers = _numbers(offer.ciphers)
    return Fingerprint(
        version=version,
        alpn=alpn,
        ja3=_ja3(offer, ciphers, contents),
        ja4=_ja4(f"{offer.transport}{_word(version)}", ciphers, offer.kinds, contents),
        is_ech=_ECH in offer.kinds,
    )


def _numbers(octets: bytes) -> list[int]:
    """Numbers of two octets each, without GREASE."""
    found = [octets[i] << 8 | octets[i + 1] for i in range(0, len(octets) - 1, 2)]
    return [number for number in found if not is_grease(number)]


def is_grease(number: int) -> bool:
    """Whether a number means nothing and is sent so that servers get used to it (RFC 8701)."""
    return number & 0x0F0F == _GREASE and number >> 8 == number & 0xFF


def _extensions(message: bytes, at: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Type and content of each extension, without GREASE; of one that comes twice, both.

    Raises:
        IndexError: one ends behind the message.
    """
    if at == stop:
        return
    if at + 2 > stop or at + 2 + (message[at] << 8 | message[at + 1]) != stop:
        raise IndexError
    at += 2
    while at < stop:
        if at + 4 > stop:
            raise IndexError
        kind = message[at] << 8 | message[at + 1]
        begin, at = at + 4, at + 4 + (message[at + 2] << 8 | message[at + 3])
        if at > stop:
            raise IndexError
        if not is_grease(kind):
            yield kind, message[begin:at]


def _protocols(content: bytes) -> Iterator[bytes]:
    """The protocols that ALPN offers, without GREASE, as far as they fit."""
    at = 2
    while at < len(content):
        text = content[at + 1 : at + 1 + content[at]]
        at += 1 + content[at]
        if len(text) != 2 or not is_grease(int.from_bytes(text, "big")):  # noqa: PLR2004 # octets
            yield text


def _highest(content: bytes, legacy: int) -> int:
    """The highest version offered; of DTLS, whose numbers fall, too."""
    known = [n for n in _numbers(content[1:]) if n in _VERSION_WORDS]
    return max(known, key=lambda number: _VERSION_WORDS[number], default=legacy)


def _word(version: int) -> str:
    """A version as JA4 spells it."""
    return _VERSION_WORDS.get(version, "00")


def _ja3(offer: _Offer, ciphers: list[int], contents: dict[int, bytes]) -> str:
    formats = contents[_FORMATS]
    lists = (
        [offer.legacy],
        ciphers,
        offer.kinds,
        _numbers(contents[_GROUPS][2:]),
        formats[1 : 1 + formats[0]] if formats else (),
    )
    text = ",".join("-".join(map(str, numbers)) for numbers in lists)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _ja4(begin: str, ciphers: list[int], kinds: Sequence[int], contents: dict[int, bytes]) -> str:
    is_named = "d" if _SERVER_NAME in kinds else "i"
    counts = f"{min(len(ciphers), _MOST):02}{min(len(kinds), _MOST):02}"
    first = begin + is_named + counts + _ends(next(_protocols(contents[_ALPN]), b""))
    hashed = sorted(_hex(kind for kind in kinds if kind not in {_SERVER_NAME, _ALPN}))
    signatures = list(_hex(_numbers(contents[_SIGNATURES][2:])))
    behind = ",".join(hashed) + ("_" + ",".join(signatures) if signatures else "")
    return f"{first}_{_hash(','.join(sorted(_hex(ciphers))))}_{_hash(behind)}"


def _hex(numbers: Iterable[int]) -> Iterator[str]:
    return (f"{number:04x}" for number in numbers)


def _ends(text: bytes) -> str:
    """First and last character of a protocol, of its hex form where one is no letter or digit."""
    if not text:
        return "00"
    ends = text[:1] + text[-1:]
    if ends.isalnum():
        return ends.decode("ascii")
    return text.hex()[0] + text.hex()[-1]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else _EMPTY_HASH
