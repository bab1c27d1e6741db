"""The block container: sections, interfaces, packets, and more (draft-ietf-opsawg-pcapng).

Blocks that hold packets are walked by a kernel; all others are read here, one by one.
"""

import struct
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.errors import BadRecordError, CaptureError
from phonehome.captures.files.app_map import Package
from phonehome.captures.kernels.layout import (
    INTERFACE_BROKEN_OPTIONS,
    INTERFACE_DROPS,
    INTERFACE_LINK_TYPE,
    INTERFACE_OFFSET,
    INTERFACE_PROCESSES,
    INTERFACE_RESOLUTION,
    INTERFACE_SNAPLEN,
    INTERFACE_WIDTH,
    NOT_SAID,
    WALK_FULL,
    WALK_MORE,
    WALK_SPECIAL,
)
from phonehome.captures.kernels.record_walk import MOST_DROPS, pcapng_blocks
from phonehome.captures.limits import Limits

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
MICROSECONDS = 6
NO_RESOLUTION = 127  # of an interface whose clock cannot tell the time
YEAR_2000 = 946_684_800  # seconds since 1970
NO_LINK_TYPE = 0xFFFF  # of an interface whose description is cut
SECTION_BYTES = 28  # of a section header without options
NAMED_BLOCKS = {4: "names", 5: "statistics", 10: "secrets", 0xBAD: "custom", 0x40000BAD: "custom"}
SECTION, INTERFACE, STATISTICS, SECRETS = 0x0A0D0D0A, 1, 5, 10
CUSTOM, PROCESS = 0xBAD, 0x80000001  # the second is Darwin's
TLS_SECRETS = 0x544C534B
PCAPDROID = 62_652  # private enterprise number
OPTION_PROCESS_NAME = 2
MOST_OWNERS = 65_536
MOST_INTERFACES = 65_536  # of a section
OPTION_RESOLUTION, OPTION_OFFSET = 9, 14
OPTION_INTERFACE_DROPS, OPTION_SYSTEM_DROPS = 5, 7


class Pcapng:
    """The block format: sections, interfaces, packets, and more.

    Raises:
        CaptureError: the first section header cannot be read, or is of another version.
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
        if len(header) >= 16 and (version := self._version(header)) != 1:  # noqa: PLR2004 - so far
            raise CaptureError(f"{name}: byte 12: pcapng version 1 expected, {version} found")
        self._limit = limits.block_bytes
        self.interfaces = np.empty((0, INTERFACE_WIDTH), dtype=np.int64)
        self._count = 0
        self._store = np.empty((16, INTERFACE_WIDTH), dtype=np.int64)
        self.blocks: Counter[str] = Counter()
        self.damaged_blocks = 0
        self._broken_options = 0
        self._dropped: int | None = None
        self._statistics: dict[int, int] = {}
        self.packages: dict[int, Package] = {}
        self.processes: list[tuple[int, str | None]] = []
        self._processes_before = 0
        self.secrets = bytearray()

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
        """See `Container.dropped_packets`: the sum over interfaces.

        Of an interface, the larger of two numbers: what its last statistics say, and the sum of
        what stands beside its packets. Both count the same packets.
        """
        drops = self._drops_of_section()
        if self._dropped is not None:
            drops.append(self._dropped)
        return min(sum(drops), MOST_DROPS) if drops else None

    @property
    def broken_options(self) -> int:
        """See `Container.broken_options`."""
        return self._broken_options + int(self.interfaces[:, INTERFACE_BROKEN_OPTIONS].sum())

    def _drops_of_section(self) -> list[int]:
        """Per interface of the section that says so, how many packets were lost."""
        beside = self.interfaces[:, INTERFACE_DROPS].tolist()
        said = [
            max(drops, self._statistics.get(interface, NOT_SAID))
            for interface, drops in enumerate(beside)
        ]
        unknown = [drops for number, drops in self._statistics.items() if number >= len(said)]
        return [drops for drops in said if drops != NOT_SAID] + unknown

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
        if kind == SECTION:
            self._check_section(block, at)
        body = block[8 : length - 4]
        readers = {
            INTERFACE: self._add_interface,
            STATISTICS: self._add_statistics,
            CUSTOM: self._add_package,
            PROCESS: self._add_process,
            SECRETS: self._add_secrets,
        }
        if kind == SECTION:
            self._begin_section()
        elif kind in readers:
            readers[kind](body, order)
        self.blocks[NAMED_BLOCKS.get(kind, "section" if kind == SECTION else "unknown")] += (
            kind != INTERFACE
        )
        return padded

    def _check_section(self, block: bytes, at: int) -> None:
        """See that a section header is whole, and of a version that is known."""
        if len(block) < SECTION_BYTES:
            raise BadRecordError(at, "section_header", SECTION_BYTES, len(block))
        if (version := self._version(block)) != 1:
            raise BadRecordError(at + 12, "section_version", 1, version)

    def _version(self, header: bytes) -> int:
        """Major version of a section; minor ones differ in nothing that is read here."""
        return int.from_bytes(header[12:14], "big" if self._is_big else "little")

    def _begin_section(self) -> None:
        self._dropped = self.dropped_packets()
        self._broken_options = self.broken_options
        self._statistics = {}
        self._count = 0
        self._processes_before = len(self.processes)
        self.interfaces = self._store[:0]

    def _add_interface(self, body: bytes, order: str) -> None:
        if self._count == MOST_INTERFACES:
            self.damaged_blocks += 1
            return
        link_type, snaplen = NO_LINK_TYPE, 0
        if len(body) < 8:  # noqa: PLR2004 - link type, reserved, snap length
            self.damaged_blocks += 1
        else:
            link_type, _, snaplen = struct.unpack_from(f"{order}HHI", body)
        resolution, offset = MICROSECONDS, 0
        for code, value in self._options(body[8:], order):
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
        row[INTERFACE_DROPS], row[INTERFACE_BROKEN_OPTIONS] = NOT_SAID, 0
        self._count += 1
        self.interfaces = self._store[: self._count]

    def _add_secrets(self, body: bytes, order: str) -> None:
        """Note the lines of a TLS key log that a block holds, as far as there is room."""
        if len(body) < 8:  # noqa: PLR2004 - type and length
            return
        kind, length = struct.unpack_from(f"{order}II", body)
        if kind == TLS_SECRETS and len(self.secrets) + length <= self._limit:
            self.secrets += body[8 : 8 + length] + b"\n"

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
        options = self._options(body[4:], order)
        names = [value for code, value in options if code == OPTION_PROCESS_NAME]
        name = names[0].split(b"\0", 1)[0].decode("utf-8", "backslashreplace") if names else None
        self.processes.append((struct.unpack_from(f"{order}i", body)[0], name or None))

    def _add_statistics(self, body: bytes, order: str) -> None:
        if len(body) < 12:  # noqa: PLR2004 - interface and time
            self.damaged_blocks += 1
            return
        interface = struct.unpack_from(f"{order}I", body)[0]
        drops = [
            struct.unpack(f"{order}Q", value)[0]
            for code, value in self._options(body[12:], order)
            if code in (OPTION_INTERFACE_DROPS, OPTION_SYSTEM_DROPS) and len(value) == 8  # noqa: PLR2004 - an unsigned 64-bit number
        ]
        known = [number for number in drops if number < MOST_DROPS]  # all ones: not known
        if known and (interface in self._statistics or len(self._statistics) < MOST_INTERFACES):
            self._statistics[interface] = sum(known)

    def _options(self, data: bytes, order: str) -> list[tuple[int, bytes]]:
        """Options of a block, up to the first that does not fit."""
        found, at = [], 0
        while at + 4 <= len(data):
            code, length = struct.unpack_from(f"{order}HH", data, at)
            if code == 0:
                break
            if at + 4 + length > len(data):
                self._broken_options += 1
                break
            found.append((code, data[at + 4 : at + 4 + length]))
            at += 4 + (length + 3 & ~3)
        return found


def _believable(resolution: int, offset: int) -> int:
    """The resolution, or one that tells no time if its 64 bits end before the year 2000."""
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    return resolution if 2**64 // units + offset > YEAR_2000 else NO_RESOLUTION
