"""The two kinds of container: what stands around the records of pcap and pcapng.

A container looks at a window of the file, finds its records through a compiled walk, and reads
the blocks in between itself. Layouts: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

import struct
from collections import Counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from captures.errors import CaptureError
from captures.layout import (
    INTERFACE_LINK_TYPE,
    INTERFACE_OFFSET,
    INTERFACE_PROCESSES,
    INTERFACE_RESOLUTION,
    INTERFACE_SNAPLEN,
    INTERFACE_WIDTH,
    WALK_BAD,
    WALK_FULL,
    WALK_MORE,
    WALK_SPECIAL,
)
from captures.limits import Limits
from captures.owners import Package
from captures.records import pcap_records, pcapng_blocks

PCAP_HEADER = 24
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
PCAP_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (True, False, 16),
    b"\xd4\xc3\xb2\xa1": (False, False, 16),
    b"\xa1\xb2\x3c\x4d": (True, True, 16),
    b"\x4d\x3c\xb2\xa1": (False, True, 16),
    b"\xa1\xb2\xcd\x34": (True, False, 24),
    b"\x34\xcd\xb2\xa1": (False, False, 24),
}
"""Magic → big endian, nanoseconds, bytes of a record header (24: Kuznetzov's patched libpcap)."""
LINK_TYPE_BITS = 0x03FF_FFFF  # above them: length of the frame check sequence

MICROSECONDS = 6
NO_RESOLUTION = 127  # of an interface whose clock cannot tell the time
YEAR_2000 = 946_684_800  # seconds since 1970
NAMED_BLOCKS = {4: "names", 5: "statistics", 10: "secrets", 0xBAD: "custom", 0x40000BAD: "custom"}
SECTION, INTERFACE, STATISTICS, SECRETS = 0x0A0D0D0A, 1, 5, 10
CUSTOM, PROCESS = 0xBAD, 0x80000001  # the second is Darwin's
PCAPDROID = 62_652  # private enterprise number
OPTION_PROCESS_NAME = 2
MOST_OWNERS = 65_536
OPTION_RESOLUTION, OPTION_OFFSET = 9, 14
OPTION_INTERFACE_DROPS, OPTION_SYSTEM_DROPS = 5, 7


class BadRecordError(Exception):
    """What stands at a place of the file cannot be believed, and nothing behind it be found.

    Attributes:
        offset: bytes from the begin of the window.
        kind: what is odd, for the oddities table.
        needed: bytes that it claims, or that it takes.
        got: bytes that there may be.
    """

    def __init__(self, offset: int, kind: str, needed: int, got: int) -> None:
        super().__init__(kind)
        self.offset, self.kind, self.needed, self.got = offset, kind, needed, got


class Container(Protocol):
    """A container format: walks a window, knows the interfaces that its records name."""

    format: str
    interfaces: NDArray[np.int64]
    blocks: Counter[str]
    damaged_blocks: int
    packages: dict[int, Package]
    processes: list[tuple[int, str | None]]

    def walk(
        self, data: NDArray[np.uint8], end: int, records: NDArray[np.int64]
    ) -> tuple[int, int, bool]:
        """Find records in `data[:end]`: (bytes done, records found, whether there may be more).

        Raises:
            BadRecordError: nothing at this place can be believed. Raised only when no record
                was found before it.
        """
        ...

    def dropped_packets(self) -> int | None:
        """Drops that the file records. None: it records none."""
        ...


class Pcap:
    """The classic format: one header, one link type, records.

    Raises:
        CaptureError: the header is cut, or of a version that nobody wrote.
    """

    format = "pcap"

    def __init__(self, header: bytes, name: str, limits: Limits) -> None:
        if len(header) < PCAP_HEADER:
            raise CaptureError(
                f"{name}: byte 0: a pcap header of {PCAP_HEADER} bytes expected, {len(header)} left"
            )
        self._is_big, self._is_nano, self._record_header = PCAP_MAGICS[header[:4]]
        order = ">" if self._is_big else "<"
        major, minor, _, _, snaplen, network = struct.unpack(
            f"{order}HHIIII", header[4:PCAP_HEADER]
        )
        if major != 2:  # noqa: PLR2004 - the one version there is
            raise CaptureError(f"{name}: byte 4: pcap version 2 expected, {major}.{minor} found")
        self.interfaces = np.array(
            [[network & LINK_TYPE_BITS, snaplen, MICROSECONDS, 0, 0]], dtype=np.int64
        )
        self.packages: dict[int, Package] = {}
        self.processes: list[tuple[int, str | None]] = []
        self.blocks: Counter[str] = Counter()
        self.damaged_blocks = 0
        self.header_bytes = PCAP_HEADER
        self._limit = limits.record_bytes

    def walk(
        self, data: NDArray[np.uint8], end: int, records: NDArray[np.int64]
    ) -> tuple[int, int, bool]:
        """See `Container.walk`."""
        at, count, why = pcap_records(
            data, end, records, self._is_big, self._is_nano, self._record_header, self._limit
        )
        if why == WALK_BAD and count == 0:
            length = int.from_bytes(data[at + 8 : at + 12], "big" if self._is_big else "little")
            raise BadRecordError(at, "record_length", length, self._limit)
        return at, count, why != WALK_MORE

    def dropped_packets(self) -> int | None:
        """See `Container.dropped_packets`: classic files cannot say."""
        return None


class Pcapng:
    """The block format: sections, interfaces, packets, and more.

    Raises:
        CaptureError: the first section header cannot be read.
    """

    format = "pcapng"
    header_bytes = 0

    def __init__(self, header: bytes, name: str, limits: Limits) -> None:
        if len(header) < 12:  # noqa: PLR2004 - type, length, byte order
            raise CaptureError(
                f"{name}: byte 0: a section header of 28 bytes expected, {len(header)} left"
            )
        if header[8:12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
            raise CaptureError(f"{name}: byte 8: byte order mark expected, {header[8:12].hex()}")
        self._is_big = header[8] == 0x1A  # noqa: PLR2004 - first octet of the mark
        self._limit = limits.block_bytes
        self.interfaces = np.empty((0, INTERFACE_WIDTH), dtype=np.int64)
        self._count = 0
        self._store = np.empty((16, INTERFACE_WIDTH), dtype=np.int64)
        self.blocks: Counter[str] = Counter()
        self.damaged_blocks = 0
        self._drops: dict[tuple[int, int], int] = {}
        self._section = 0
        self.packages: dict[int, Package] = {}
        self.processes: list[tuple[int, str | None]] = []
        self._processes_before = 0

    def walk(
        self, data: NDArray[np.uint8], end: int, records: NDArray[np.int64]
    ) -> tuple[int, int, bool]:
        """See `Container.walk`. Blocks without a packet are read on the way."""
        at, count, why = pcapng_blocks(
            data, end, records, self.interfaces, self._is_big, self._limit
        )
        if count or why in (WALK_MORE, WALK_FULL):
            return at, count, why != WALK_MORE
        if why == WALK_SPECIAL:
            done = self._read_block(data, at, end)
            return at + done, 0, done > 0
        return at + self._skip_bad(data, at, end), 0, True

    def dropped_packets(self) -> int | None:
        """See `Container.dropped_packets`: the sum over interfaces of their last statistics."""
        return sum(self._drops.values()) if self._drops else None

    def _skip_bad(self, data: NDArray[np.uint8], at: int, end: int) -> int:
        """Bytes of a block whose packet lies about its length, if its own two lengths agree."""
        order = "big" if self._is_big else "little"
        length = int.from_bytes(data[at + 4 : at + 8].tobytes(), order)  # type: ignore[arg-type]
        padded = length + 3 & ~3
        if not 12 <= length <= self._limit:  # noqa: PLR2004 - type and both lengths
            raise BadRecordError(at, "block_length", length, self._limit)
        tail = int.from_bytes(data[at + padded - 4 : at + padded].tobytes(), order)  # type: ignore[arg-type]
        if at + padded > end or tail != length:
            raise BadRecordError(at, "block_lengths_differ", length, tail)
        self.damaged_blocks += 1
        return padded

    def _read_block(self, data: NDArray[np.uint8], at: int, end: int) -> int:
        """Bytes of the block at this place, read; 0 where the window does not hold all of it."""
        head = data[at : at + 12].tobytes()
        if head[:4] == PCAPNG_MAGIC:
            if head[8:12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                raise BadRecordError(at + 8, "byte_order_mark", 4, 0)
            self._is_big = head[8] == 0x1A  # noqa: PLR2004 - first octet of the mark
        order = ">" if self._is_big else "<"
        kind, length = (int(number) for number in struct.unpack(f"{order}II", head[:8]))
        padded = length + 3 & ~3
        if not 12 <= length <= self._limit:  # noqa: PLR2004 - type and both lengths
            raise BadRecordError(at, "block_length", length, self._limit)
        if at + padded > end:
            return 0
        block = data[at : at + padded].tobytes()
        tail = int(struct.unpack_from(f"{order}I", block, padded - 4)[0])
        if tail != length:
            raise BadRecordError(at, "block_lengths_differ", length, tail)
        body = block[8 : length - 4]
        readers = {
            INTERFACE: self._add_interface,
            STATISTICS: self._add_statistics,
            CUSTOM: self._add_package,
            PROCESS: self._add_process,
        }
        if kind == SECTION:
            self._begin_section()
        elif kind in readers:
            readers[kind](body, order)
        self.blocks[NAMED_BLOCKS.get(kind, "section" if kind == SECTION else "unknown")] += (
            kind != INTERFACE
        )
        return padded

    def _begin_section(self) -> None:
        self._count = 0
        self._section += 1
        self._processes_before = len(self.processes)
        self.interfaces = self._store[:0]

    def _add_interface(self, body: bytes, order: str) -> None:
        if len(body) < 8:  # noqa: PLR2004 - link type, reserved, snap length
            self.damaged_blocks += 1
            return
        link_type, _, snaplen = struct.unpack_from(f"{order}HHI", body)
        resolution, offset = MICROSECONDS, 0
        for code, value in _options(body[8:], order):
            if code == OPTION_RESOLUTION and len(value) == 1:
                resolution = value[0]
            elif code == OPTION_OFFSET and len(value) == 8:  # noqa: PLR2004 - a signed 64-bit number
                offset = struct.unpack(f"{order}q", value)[0]
        if self._count == len(self._store):
            self._store = np.concatenate([self._store, np.empty_like(self._store)])
        row = self._store[self._count]
        row[INTERFACE_LINK_TYPE], row[INTERFACE_SNAPLEN] = link_type, snaplen
        row[INTERFACE_RESOLUTION] = _believable(resolution, offset)
        row[INTERFACE_OFFSET] = offset
        row[INTERFACE_PROCESSES] = self._processes_before
        self._count += 1
        self.interfaces = self._store[: self._count]

    def _add_package(self, body: bytes, order: str) -> None:
        """Note what PCAPdroid says of a user id, in a custom block of its own.

        The number of the block's owner, then version, type, user id, lengths and texts.
        """
        if len(body) < 14 or struct.unpack_from(f"{order}I", body)[0] != PCAPDROID:  # noqa: PLR2004 - up to the texts
            return
        version, kind, _, uid, package, name = struct.unpack_from(f"{order}HBBiBB", body, 4)
        if (version, kind) != (1, 1) or len(body) < 14 + package + name:
            return
        if uid in self.packages or len(self.packages) < MOST_OWNERS:
            texts = body[14 : 14 + package], body[14 + package : 14 + package + name]
            self.packages[uid] = Package(
                *(text.decode("utf-8", "backslashreplace") for text in texts)
            )

    def _add_process(self, body: bytes, order: str) -> None:
        """Note a process of Darwin's; packets of the section name it by its place."""
        if len(self.processes) >= MOST_OWNERS:
            return
        if len(body) < 4:  # noqa: PLR2004 - its id
            self.processes.append((0, None))
            return
        names = [value for code, value in _options(body[4:], order) if code == OPTION_PROCESS_NAME]
        name = names[0].split(b"\0", 1)[0].decode("utf-8", "backslashreplace") if names else None
        self.processes.append((struct.unpack_from(f"{order}i", body)[0], name or None))

    def _add_statistics(self, body: bytes, order: str) -> None:
        if len(body) < 12:  # noqa: PLR2004 - interface and time
            self.damaged_blocks += 1
            return
        interface = struct.unpack_from(f"{order}I", body)[0]
        drops = [
            struct.unpack(f"{order}Q", value)[0]
            for code, value in _options(body[12:], order)
            if code in (OPTION_INTERFACE_DROPS, OPTION_SYSTEM_DROPS) and len(value) == 8  # noqa: PLR2004 - an unsigned 64-bit number
        ]
        if drops:
            self._drops[self._section, interface] = sum(drops)


def _believable(resolution: int, offset: int) -> int:
    """The resolution, or one that tells no time if its 64 bits end before the year 2000."""
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    return resolution if 2**64 // units + offset > YEAR_2000 else NO_RESOLUTION


def _options(data: bytes, order: str) -> list[tuple[int, bytes]]:
    """Options of a block, up to the first that does not fit."""
    found, at = [], 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(f"{order}HH", data, at)
        if code == 0 or at + 4 + length > len(data):
            break
        found.append((code, data[at + 4 : at + 4 + length]))
        at += 4 + (length + 3 & ~3)
    return found


def container(first: bytes, name: str, limits: Limits) -> Pcap | Pcapng:
    """The container that these first bytes of a file begin.

    Raises:
        CaptureError: they begin none that is known, or its header cannot be read.
    """
    if first[:4] in PCAP_MAGICS:
        return Pcap(first, name, limits)
    if first[:4] == PCAPNG_MAGIC:
        return Pcapng(first, name, limits)
    raise CaptureError(
        f"{name}: byte 0: magic number of pcap or pcapng expected, {first[:4].hex() or 'nothing'}"
        " found"
    )
