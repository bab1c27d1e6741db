"""ClientHellos in the Initial packets of QUIC (RFC 9000, RFC 9001; version 2: RFC 9369).

Initial packets are encrypted with keys that follow from what stands in their own header, so that
whoever sees the first one can read it. Google's older QUIC says its hello (CHLO) in the clear.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from phonehome.captures.names.faults import Fault, Marks, Moment
from phonehome.captures.names.tls import hello
from phonehome.captures.words import LONGEST_NAME

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LONGEST_HELLO = 1 << 16
"""Bytes of the stream of CRYPTO frames that are put together."""
PENDING_BYTES = 16 << 20
"""Memory for hellos of which a part is missing."""
MOST_FRAMES = 4_096
"""Frames of one packet that are read."""

_V1, _V2, _DRAFT_29, _RESERVED = 1, 0x6B3343CF, 0xFF00001D, 0x0A0A0A0A
_TAG_BYTES = 16
_SAMPLE_BYTES = 16
_LONGEST_ID = 20
_PING, _ACK, _ACK_ECN, _CRYPTO, _GOOGLE_CRYPTO = 1, 2, 3, 6, 8
_PADDED = re.compile(b"\0*")
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))
_CHLO, _CHLO_ENTRY, _GOOGLE = b"CHLO", 8, b"Q0"
_OWN_VERSION, _LONG_VERSION = 9, 1
_HEADER = 4
_CONNECTION_COST = 512
_PIECE_COST = 128
_SETTLED = 1 << 16
_MOST_TAGS = 128
_SHORTEST_FIRST_ID = 8
_MOST_IDS = 16
_SALT_V1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_SALT_V2 = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")
_SALT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
_SALT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")
_SALT_22 = bytes.fromhex("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a")
_SALT_Q050 = bytes.fromhex("504574efd066fe2f9d945cfcdbd3a7f0d3b56b45")
_SALT_T050 = bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310")
_SALT_T051 = bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d")
_SALTS = {
    _V1: _SALT_V1,
    _V2: _SALT_V2,
    **{0xFF000000 + draft: _SALT_29 for draft in range(29, 35)},
    **{0xFF000000 + draft: _SALT_23 for draft in range(23, 29)},
    **{0xFF000000 + draft: _SALT_22 for draft in (21, 22)},
    0xFACEB001: _SALT_22,
    0xFACEB002: _SALT_23,
    0x51303530: _SALT_Q050,
    0x54303530: _SALT_T050,
    0x54303531: _SALT_T051,
}
"""Salt of each version whose Initial packets can be read; drafts 33 and 34 have that of v1."""
_SALTS |= {0xFF000021: _SALT_V1, 0xFF000022: _SALT_V1}


class QuicHello(NamedTuple):
    """What one connection says of itself.

    Attributes:
        message: the ClientHello, from its handshake header on, as far as it came; empty where the
            name was said in Google's own way.
        name: octets of the name that a CHLO says; None: `message` has it, if anything has.
        fault: why it could not be read, or None.
    """

    message: bytes = b""
    name: bytes | None = None
    fault: Fault | None = None


Side = tuple[int, int]
"""Conversation, and whether end b spoke."""
Said = tuple[Side, Moment, QuicHello]
"""Who says something, when it was complete, and what it is."""


class _Keys(NamedTuple):
    """Keys of the client's Initial packets."""

    protection: "CipherContext"
    cipher: "AESGCM"
    iv: bytes


class _Packet(NamedTuple):
    """The header of an Initial packet; offsets in its datagram."""

    version: int
    begin: int
    destination: bytes
    number_at: int
    end: int


class _Connection:
    """A connection whose hello is not complete."""

    def __init__(self, others: Iterable[bytes] = ()) -> None:
        self.ids: list[bytes] = []
        self.others = frozenset(others)
        self.pieces: dict[int, bytes] = {}
        self.marks = Marks()
        self.cost_bytes = 0

    def account(self) -> int:
        """What it costs to keep it is computed anew: by how much that has changed."""
        before = self.cost_bytes
        held_bytes = sum(len(piece) + _PIECE_COST for piece in self.pieces.values())
        self.cost_bytes = _CONNECTION_COST + self.marks.held_bytes + held_bytes
        return self.cost_bytes - before

    def hello(self) -> bytes:
        """The bytes of the stream without a gap, from its begin."""
        found = bytearray()
        for begin in sorted(self.pieces):
            if begin > len(found):
                break
            found += self.pieces[begin][len(found) - begin :]
        return bytes(found)


class QuicReader:
    """Reads hellos out of datagrams that may hold Initial packets of a client.

    Args:
        pending_bytes: memory for hellos of which a part is missing; beyond it the oldest is given
            up, and read as far as it came.

    Attributes:
        given_up: how many were given up.
    """

    def __init__(self, pending_bytes: int = PENDING_BYTES) -> None:
        self.given_up = 0
        self._most_pending_bytes = pending_bytes
        self._pending_bytes = 0
        self._open: OrderedDict[Side, _Connection] = OrderedDict()
        self._settled: OrderedDict[Side, set[bytes]] = OrderedDict()

    def read(self, side: Side, datagram: bytes, moment: Moment) -> Iterator[Said]:
        """What connections say, now that this datagram completes it, or there is no more room.

        Args:
            side: conversation, and whether end b sent the datagram.
            datagram: the payload of UDP.
            moment: when it came.
        """
        settled = self._settled.get(side)
        if settled is not None and not _is_another(datagram, settled):
            return
        name = plain_name(datagram) if _is_plain(datagram) else None
        if name is not None:
            self._settle(side)
            yield side, moment, _named(name)
            return
        connection = self._open.get(side) or _Connection(settled or ())
        is_opened, is_closed = False, False
        for packet in _initials(datagram):
            frames = _opened(datagram, packet, connection)
            if frames is None:
                is_closed = True
            else:
                is_opened = True
                _collect(frames, connection.pieces)
        if is_closed and not is_opened and not connection.ids:
            yield side, moment, QuicHello(fault=Fault("quic_undecryptable"))
        if is_opened:
            yield from self._progress(side, connection, moment)

    def _progress(self, side: Side, connection: _Connection, moment: Moment) -> Iterator[Said]:
        """The hello, if it is complete; else it is remembered as far as it came."""
        stream = connection.hello()
        connection.marks.note(len(stream), moment)
        if stream[:4] == _CHLO:
            self._settle(side, connection)
            yield side, moment, _named(plain_name(stream) or b"")
            return
        stated = _HEADER + int.from_bytes(stream[1:_HEADER], "big")
        if stream and stream[0] != 1:
            self._settle(side, connection)
        elif len(stream) >= max(stated, _HEADER):
            self._settle(side, connection)
            yield side, moment, QuicHello(message=stream[:stated])
        else:
            self._open[side] = connection
            self._pending_bytes += connection.account()
            while self._pending_bytes > self._most_pending_bytes:
                self.given_up += 1
                yield from self._unfinished(next(iter(self._open)))

    def _unfinished(self, side: Side) -> Iterator[Said]:
        """A hello as far as it came, when its name was there; nothing more is expected of it."""
        connection = self._open[side]
        self._settle(side, connection)
        message = connection.hello()
        if message:
            moment = connection.marks.reached(hello(message).end or len(message))
            yield side, moment, QuicHello(message=message)

    def _settle(self, side: Side, connection: _Connection | None = None) -> None:
        """Expect nothing more of this connection; another may begin on the same ports."""
        if (opened := self._open.pop(side, None)) is not None:
            self._pending_bytes -= opened.cost_bytes
        self._settled[side] = {*connection.ids, *connection.others} if connection else set()
        if len(self._settled) > _SETTLED:
            self._settled.popitem(last=False)

    def finish(self) -> Iterator[Said]:
        """What is there of hellos that never became complete; afterwards there are none."""
        for side in list(self._open):
            yield from self._unfinished(side)


def _is_another(datagram: bytes, ids: set[bytes]) -> bool:
    """Whether a datagram begins a connection beside those with these destinations.

    The first destination that a client names has eight octets or more (RFC 9000, section 7.2) and
    opens the packet. A server's later choice does not, and is remembered, so as to be tried once.
    """
    for packet in _initials(datagram):
        to = packet.destination
        if to in ids or len(to) < _SHORTEST_FIRST_ID or len(ids) >= _MOST_IDS:
            continue
        if _opened(datagram, packet, _Connection()) is not None:
            return True
        ids.add(to)
    return False


def _is_plain(datagram: bytes) -> bool:
    """Whether this is of a version of Google's QUIC that may say its hello in the clear.

    Its own header has public flags and a connection ID of eight octets before the version.
    """
    at = _LONG_VERSION if datagram[:1] >= b"\x80" else _OWN_VERSION
    return datagram[at : at + 2] == _GOOGLE


def _named(name: bytes) -> QuicHello:
    """What a CHLO says, if it is a name."""
    if len(name) > LONGEST_NAME:
        return QuicHello(fault=Fault("name_too_long", len(name), LONGEST_NAME))
    return QuicHello(name=name)


def plain_name(octets: bytes) -> bytes | None:
    """The name in a CHLO of Google's QUIC that stands in the clear; None: there is none.

    A CHLO is its tag, the number of its entries (16 bits, little-endian), two octets of padding,
    for each entry its tag and the offset at which its value ends, then the values.
    """
    at = octets.find(_CHLO, 0, 64)
    if at < 0 or at + 8 > len(octets):
        return None
    count = int.from_bytes(octets[at + 4 : at + 6], "little")
    values = at + 8 + count * _CHLO_ENTRY
    if not 0 < count <= _MOST_TAGS:
        return None
    begin = 0
    for entry in range(at + 8, min(values, len(octets) - _CHLO_ENTRY + 1), _CHLO_ENTRY):
        end = int.from_bytes(octets[entry + 4 : entry + 8], "little")
        if end < begin:
            return None
        if octets[entry : entry + 4] == b"SNI\0":
            name = octets[values + begin : values + end]
            return name if len(name) == end - begin else None
        begin = end
    return None


def _initials(datagram: bytes) -> list[_Packet]:
    """The Initial packets of a datagram, in order; reading ends at the first lie."""
    found: list[_Packet] = []
    at = 0
    while at + 7 <= len(datagram) and datagram[at] & 0xC0 == 0xC0:  # noqa: PLR2004 - long header
        try:
            packet, is_initial = _header(datagram, at)
        except IndexError:
            break
        if packet is None or packet.end <= at:
            break
        if is_initial:
            found.append(packet)
        at = packet.end
    return found


def _header(datagram: bytes, at: int) -> tuple[_Packet | None, bool]:
    """The packet with a long header that begins here, and whether it is an Initial.

    Raises:
        IndexError: it is cut.
    """
    version = int.from_bytes(datagram[at + 1 : at + 5], "big")
    kind = datagram[at] >> 4 & 3
    if not _stand_ins(version):
        return None, False
    kind = (kind - 1) & 3 if version == _V2 else kind
    begin, position = at, at + 5
    length = datagram[position]
    destination = datagram[position + 1 : position + 1 + length]
    position += 1 + length
    source_length = datagram[position]
    position += 1 + source_length
    if length > _LONGEST_ID or source_length > _LONGEST_ID or kind == 3:  # noqa: PLR2004 - Retry
        return None, False
    if kind == 0:
        token, position = varint(datagram, position)
        position += token
    size, position = varint(datagram, position)
    end = position + size
    if end > len(datagram) or size < 4 + _SAMPLE_BYTES:
        return None, False
    return _Packet(version, begin, destination, position, end), kind == 0


def varint(octets: bytes, at: int) -> tuple[int, int]:
    """A number of variable length (RFC 9000, section 16), and where it ends.

    Raises:
        IndexError: it is cut.
    """
    width = 1 << (octets[at] >> 6)
    if at + width > len(octets):
        raise IndexError
    return int.from_bytes(octets[at : at + width], "big") & ((1 << 8 * width - 2) - 1), at + width


def _opened(datagram: bytes, packet: _Packet, connection: _Connection) -> bytes | None:
    """The frames of a packet; None: no key opens it.

    The connection's keys follow from the first destination that its client named. A Retry makes
    it name another one, which is then the key; a connection ID that the server chose later is
    not, so what opened a packet before is tried first.
    """
    if packet.destination in connection.others:
        return None
    for destination in [*connection.ids, packet.destination]:
        for version in _stand_ins(packet.version):
            frames = _decrypted(datagram, packet, client_keys(version, destination))
            if frames is not None:
                if destination not in connection.ids:
                    connection.ids.append(destination)
                return frames
    return None


def _stand_ins(version: int) -> tuple[int, ...]:
    """The versions whose keys may open a packet of this one; none: it is not known.

    A version that no server has, sent so that it negotiates (RFC 9000, section 15), has the keys
    of the client's own one.
    """
    if version & 0x0F0F0F0F == _RESERVED:
        return _DRAFT_29, _V1
    return (version,) if version in _SALTS else ()


def _decrypted(datagram: bytes, packet: _Packet, keys: _Keys) -> bytes | None:
    """The frames of a packet, if these are its keys (RFC 9001, section 5)."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to import

    at = packet.number_at
    mask = keys.protection.update(datagram[at + 4 : at + 4 + _SAMPLE_BYTES])
    first = datagram[packet.begin] ^ (mask[0] & 0x0F)
    width = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(datagram[at : at + width], mask[1:], strict=False))
    nonce = int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")
    header = bytes((first,)) + datagram[packet.begin + 1 : at] + number
    try:
        return keys.cipher.decrypt(
            nonce.to_bytes(len(keys.iv), "big"), datagram[at + width : packet.end], header
        )
    except InvalidTag:
        return None


@lru_cache(maxsize=256)
def client_keys(version: int, destination: bytes) -> _Keys:
    """Keys of a client's Initial packets (RFC 9001, section 5.2).

    Args:
        version: a version that is known.
        destination: the first destination connection ID that the client named.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow to import

    key, iv, protection = client_secrets(version, destination)
    encryptor = Cipher(algorithms.AES(protection), modes.ECB()).encryptor()  # noqa: S305 - as the RFC says
    return _Keys(encryptor, AESGCM(key), iv)


def client_secrets(version: int, destination: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, iv and key of the header protection, from which `client_keys` are made."""
    initial = _authenticated(_SALTS[version], destination)
    secret = _expanded(initial, b"client in", 32)
    prefix = b"quicv2 " if version == _V2 else b"quic "
    return (
        _expanded(secret, prefix + b"key", 16),
        _expanded(secret, prefix + b"iv", 12),
        _expanded(secret, prefix + b"hp", 16),
    )


def _expanded(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label of TLS 1.3 with SHA-256, up to 32 octets (RFC 8446, section 7.1)."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0\1"
    return _authenticated(secret, info)[:length]


def _authenticated(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256 (RFC 2104), of a key of up to 64 octets.

    The standard library's lets other threads go on at every call, and waits for them: five times
    per connection that is most of what names cost.
    """
    key = key.ljust(hashlib.sha256().block_size, b"\0")
    inner = hashlib.sha256(key.translate(_INNER) + message).digest()
    return hashlib.sha256(key.translate(_OUTER) + inner).digest()


def _collect(frames: bytes, pieces: dict[int, bytes]) -> None:
    """Add the CRYPTO frames of a packet; of two for one place the longer counts."""
    at = 0
    try:
        for _ in range(MOST_FRAMES):
            at = _PADDED.match(frames, at).end()  # type: ignore[union-attr] # it always matches
            if at == len(frames):
                return
            kind, at = frames[at], at + 1
            if kind in {_ACK, _ACK_ECN}:
                at = _behind_ack(frames, at, kind)
            elif kind in {_CRYPTO, _GOOGLE_CRYPTO}:
                offset, at = varint(frames, at)
                length, at = varint(frames, at)
                piece = frames[at : at + length]
                at += length
                if at > len(frames) or offset + length > LONGEST_HELLO:
                    return
                if len(piece) > len(pieces.get(offset, b"")):
                    pieces[offset] = piece
            elif kind != _PING:
                return
    except IndexError:
        return


def _behind_ack(frames: bytes, at: int, kind: int) -> int:
    """Where an ACK frame ends (RFC 9000, section 19.3).

    Raises:
        IndexError: it is cut, or has more ranges than octets are left.
    """
    _, at = varint(frames, at)
    _, at = varint(frames, at)
    ranges, at = varint(frames, at)
    if ranges > len(frames):
        raise IndexError
    for _ in range(1 + 2 * ranges + (3 if kind == _ACK_ECN else 0)):
        _, at = varint(frames, at)
    return at
