# Held by tests/captures/files/test_containers.py: classic files, each field of them.
"""The classic container: one header, one link type, records (draft-ietf-opsawg-pcap).

Also what others made of it: nanoseconds, Kuznetzov's longer record headers, AIX, and versions
before 2.4, which wrote the two lengths of a record in the other order.
"""

import struct
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.errors import BadRecordError, CaptureError
from phonehome.captures.files.app_map import Package
from phonehome.captures.kernels.layout import INTERFACE_WIDTH, WALK_BAD, WALK_MORE
from phonehome.captures.kernels.record_walk import (
    LENGTHS_AS_STATED,
    LENGTHS_IN_DOUBT,
    LENGTHS_SWAPPED,
    pcap_records,
)
from phonehome.captures.limits import Limits

PCAP_HEADER = 24
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
AIX_VERSION = 2, 2
AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}
"""Interface type of RFC 1573, which AIX writes, → link type; its times are in nanoseconds."""
FIRST_SURE_MINOR, MINOR_IN_DOUBT = 4, 3


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
        link_type = network & LINK_TYPE_BITS
        self._lengths = LENGTHS_AS_STATED
        if (major, minor) == AIX_VERSION and link_type in AIX_LINK_TYPES:
            link_type, self._is_nano = AIX_LINK_TYPES[link_type], True
        elif minor < FIRST_SURE_MINOR:
            self._lengths = LENGTHS_IN_DOUBT if minor == MINOR_IN_DOUBT else LENGTHS_SWAPPED
        self.interfaces = np.array(
            [[link_type, snaplen, MICROSECONDS] + [0] * (INTERFACE_WIDTH - 3)], dtype=np.int64
        )
        self.packages: dict[int, Package] = {}
        self.processes: list[tuple[int, str | None]] = []
        self.blocks: Counter[str] = Counter()
        self.damaged_blocks = 0
        self.secrets = bytearray()
        self.broken_options = 0
        self.header_bytes = PCAP_HEADER
        self._limit = limits.record_bytes

    def walk(
        self, data: NDArray[np.uint8], end: int, records: NDArray[np.int64]
    ) -> tuple[int, int, bool]:
        """See `Container.walk`."""
        at, count, why = pcap_records(
            data,
            end,
            records,
            self._is_big,
            self._is_nano,
            self._record_header,
            self._lengths,
            self._limit,
        )
        if why == WALK_BAD and count == 0:
            place = at + (12 if self._lengths == LENGTHS_SWAPPED else 8)
            length = int.from_bytes(
                data[place : place + 4].tobytes(), "big" if self._is_big else "little"
            )
            raise BadRecordError(at, "record_length", length, self._limit)
        return at, count, why != WALK_MORE

    def dropped_packets(self) -> int | None:
        """See `Container.dropped_packets`: classic files cannot say."""
        return None
