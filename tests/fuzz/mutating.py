"""Changes captures where readers believe them: lengths, times, order; the same for the same seed.

A capture is taken apart into its header and its records or blocks, some of them are changed,
and it is put together again. Bytes are changed blindly too, and the file is cut anywhere.
"""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

PCAP_ORDERS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\xa1\xb2\x3c\x4d": ">",
}
PCAPNG_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
SECTION = b"\x0a\x0d\x0d\x0a"
MOST_PIECES = 60
LIES = (0, 1, 2, 3, 4, 7, 8, 11, 12, 19, 20, 27, 28, 31, 32, 63, 64, 255, 256, 1_499, 1_500, 0x7FFF)
LIES_OF_32 = (*LIES, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
LINK_TYPES = (0, 1, 9, 12, 14, 50, 101, 104, 105, 108, 113, 119, 127, 149, 163, 192, 228, 229, 239)
MORE_LINK_TYPES = (*LINK_TYPES, 258, 276, 147, 65_535)


@dataclass
class Capture:
    """A capture taken apart: what stands before its records or blocks, and those."""

    head: bytearray
    pieces: list[bytearray]
    order: str
    is_blocks: bool

    def file(self) -> bytes:
        """Put together."""
        return bytes(self.head) + b"".join(map(bytes, self.pieces))


def taken_apart(octets: bytes) -> Capture | None:
    """The capture that these bytes hold, with its first pieces alone; None: neither kind."""
    if octets[:4] in PCAP_ORDERS and len(octets) >= 24:
        order = PCAP_ORDERS[octets[:4]]
        return Capture(
            bytearray(octets[:24]), list(_records(octets, order)), order, is_blocks=False
        )
    if octets[:4] == SECTION and octets[8:12] in PCAPNG_ORDERS:
        order = PCAPNG_ORDERS[octets[8:12]]
        return Capture(bytearray(), list(_blocks(octets, order)), order, is_blocks=True)
    return None


def _records(octets: bytes, order: str):
    at = 24
    for _ in range(MOST_PIECES):
        if at + 16 > len(octets):
            return
        end = at + 16 + struct.unpack_from(f"{order}I", octets, at + 8)[0]
        yield bytearray(octets[at:end])
        at = end


def _blocks(octets: bytes, order: str):
    at = 0
    for _ in range(MOST_PIECES):
        if at + 12 > len(octets):
            return
        length = struct.unpack_from(f"{order}I", octets, at + 4)[0]
        end = at + max(12, length + 3 & ~3)
        yield bytearray(octets[at:end])
        at = end


Change = Callable[[random.Random, Capture], None]


def _piece(chance: random.Random, capture: Capture) -> bytearray:
    return chance.choice(capture.pieces)


def noise(chance: random.Random, capture: Capture) -> None:
    """A few octets of a piece become others."""
    piece = _piece(chance, capture)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if piece:
            piece[chance.randrange(len(piece))] = chance.randrange(256)


def bit(chance: random.Random, capture: Capture) -> None:
    """One bit of a piece turns."""
    piece = _piece(chance, capture)
    if piece:
        piece[chance.randrange(len(piece))] ^= 1 << chance.randrange(8)


def _data_at(capture: Capture) -> int:
    """Where the packet begins in a piece."""
    return 28 if capture.is_blocks else 16


def lie(chance: random.Random, capture: Capture) -> None:
    """A number where headers have their lengths becomes one at the edge of what is possible."""
    piece = _piece(chance, capture)
    at = _data_at(capture) + chance.randrange(0, 90)
    width = chance.choice((1, 2, 2, 4))
    if at + width <= len(piece):
        number = chance.choice(LIES_OF_32) & (1 << 8 * width) - 1
        piece[at : at + width] = number.to_bytes(width, chance.choice(("big", "little")))


def record_lie(chance: random.Random, capture: Capture) -> None:
    """A number of a record's or a block's own header lies: length, time, interface, type."""
    piece = _piece(chance, capture)
    at = 4 * chance.randrange(7 if capture.is_blocks else 4)
    if at + 4 <= len(piece):
        struct.pack_into(f"{capture.order}I", piece, at, chance.choice(LIES_OF_32))
        if capture.is_blocks and at == 4 and chance.random() < 0.5:
            struct.pack_into(f"{capture.order}I", piece, len(piece) - 4, chance.choice(LIES_OF_32))


def option_lie(chance: random.Random, capture: Capture) -> None:
    """A code or a length near the end of a block, where its options are, lies."""
    piece = _piece(chance, capture)
    at = len(piece) - 4 - 4 * chance.randrange(1, 12)
    if at >= 8:
        codes = (*LIES, 32_769, 32_771, 2_988)
        kind, length = chance.choice(codes), chance.choice(LIES)
        struct.pack_into(f"{capture.order}HH", piece, at, kind, length)


def link_type(chance: random.Random, capture: Capture) -> None:
    """The link type becomes another one."""
    number = chance.choice(MORE_LINK_TYPES)
    if not capture.is_blocks:
        struct.pack_into(f"{capture.order}I", capture.head, 20, number)
        return
    for piece in capture.pieces:
        if len(piece) >= 16 and struct.unpack_from(f"{capture.order}I", piece)[0] == 1:
            struct.pack_into(f"{capture.order}H", piece, 8, number)


def time(chance: random.Random, capture: Capture) -> None:
    """A time stamp jumps."""
    piece = _piece(chance, capture)
    at = chance.choice((12, 16)) if capture.is_blocks else chance.choice((0, 4))
    if at + 4 <= len(piece):
        struct.pack_into(f"{capture.order}I", piece, at, chance.choice(LIES_OF_32))


def shuffle(chance: random.Random, capture: Capture) -> None:
    """Two pieces change places, one is doubled, or one is gone."""
    first, second = (chance.randrange(len(capture.pieces)) for _ in range(2))
    what = chance.randrange(3)
    if what == 0:
        pieces = capture.pieces
        pieces[first], pieces[second] = pieces[second], pieces[first]
    elif what == 1:
        capture.pieces.insert(second, bytearray(capture.pieces[first]))
    elif len(capture.pieces) > 1:
        del capture.pieces[first]


def shorten(chance: random.Random, capture: Capture) -> None:
    """A packet is cut, and its record says so."""
    piece = _piece(chance, capture)
    at = 8 if not capture.is_blocks else 20
    if not capture.is_blocks and len(piece) > 16:
        del piece[16 + chance.randrange(len(piece) - 16) :]
        struct.pack_into(f"{capture.order}I", piece, at, len(piece) - 16)


def header(chance: random.Random, capture: Capture) -> None:
    """An octet of the file's header becomes another one."""
    if capture.head:
        capture.head[chance.randrange(4, len(capture.head))] = chance.randrange(256)


CHANGES: tuple[Change, ...] = (
    *(noise, noise, bit, lie, lie, lie, lie, record_lie, option_lie),
    *(link_type, time, shuffle, shorten, header),
)


def mutant(seed: int, bases: list[bytes]) -> bytes:
    """The mutant of this seed: one of the captures, changed a few times; some cut, some spliced."""
    chance = random.Random(seed)  # noqa: S311 - the same each time is the point
    octets = chance.choice(bases)
    capture = taken_apart(octets)
    if capture is None or not capture.pieces:
        return octets[: chance.randrange(len(octets) + 1)]
    if chance.random() < 0.3:
        low = chance.randrange(len(capture.pieces))
        keep = capture.pieces[:3] if capture.is_blocks else []
        capture.pieces = keep + capture.pieces[low : low + 1 + chance.randrange(6)]
    if chance.random() < 0.1:
        other = taken_apart(chance.choice(bases))
        if other is not None and other.pieces:
            capture.pieces.append(chance.choice(other.pieces))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        chance.choice(CHANGES)(chance, capture)
    octets = capture.file()
    return octets[: chance.randrange(len(octets) + 1)] if chance.random() < 0.1 else octets
