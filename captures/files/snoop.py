"""The container of Solaris' snoop (RFC 1761): a header, then records, all big-endian."""

import struct
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.errors import BadRecordError, CaptureError
from phonehome.captures.files.app_map import Package
from phonehome.captures.kernels.layout import (
    INTERFACE_DROPS,
    INTERFACE_LINK_TYPE,
    INTERFACE_WIDTH,
    NOT_SAID,
    WALK_BAD,
    WALK_MORE,
)
from phonehome.captures.kernels.record_walk import snoop_records
from phonehome.captures.limits import Limits

SNOOP_MAGIC = b"snoop\0\0\0"
SNOOP_HEADER, SNOOP_VERSION = 16, 2
SNOOP_LINK_TYPES = {0: 1, 2: 6, 4: 1, 8: 10}
"""Data link of RFC 1761, section 4 → link type: IEEE 802.3, token ring, Ethernet, FDDI."""


class Snoop:
    """A header, one data link, records that count what was dropped before them.

    Raises:
        CaptureError: the header is cut, of another version, or of a data link without packets
            of a network.
    """

    format = "snoop"
    header_bytes = SNOOP_HEADER

    def __init__(self, header: bytes, name: str, limits: Limits) -> None:
        if len(header) < SNOOP_HEADER:
            raise CaptureError(
                f"{name}: byte 0: a snoop header of {SNOOP_HEADER} bytes expected, "
                f"{len(header)} left"
            )
        version, data_link = struct.unpack_from(">II", header, 8)
        if version != SNOOP_VERSION:
            raise CaptureError(f"{name}: byte 8: snoop version 2 expected, {version} found")
        if data_link not in SNOOP_LINK_TYPES:
            raise CaptureError(
                f"{name}: byte 12: snoop data link of Ethernet, token ring or FDDI expected, "
                f"{data_link} found"
            )
        self.interfaces = np.zeros((1, INTERFACE_WIDTH), dtype=np.int64)
        self.interfaces[0, INTERFACE_LINK_TYPE] = SNOOP_LINK_TYPES[data_link]
        self.interfaces[0, INTERFACE_DROPS] = NOT_SAID
        self.packages: dict[int, Package] = {}
        self.processes: list[tuple[int, str | None]] = []
        self.blocks: Counter[str] = Counter()
        self.damaged_blocks = 0
        self.secrets = bytearray()
        self.broken_options = 0
        self._limit = limits.record_bytes

    def walk(
        self, data: NDArray[np.uint8], end: int, records: NDArray[np.int64]
    ) -> tuple[int, int, bool]:
        """See `Container.walk`."""
        at, count, why = snoop_records(data, end, records, self.interfaces, self._limit)
        if why == WALK_BAD and count == 0:
            included, length = struct.unpack_from(">II", data[at + 4 : at + 12].tobytes())
            is_long = included > self._limit
            needed, got = (included, self._limit) if is_long else (24 + included, length)
            raise BadRecordError(at, "record_length", needed, got)
        return at, count, why != WALK_MORE

    def dropped_packets(self) -> int | None:
        """See `Container.dropped_packets`: the highest of the counts beside packets."""
        drops = int(self.interfaces[0, INTERFACE_DROPS])
        return None if drops == NOT_SAID else drops
