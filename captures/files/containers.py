"""What stands around the packets of a file, in one of three kinds: pcap, pcapng, snoop.

A container looks at a window of the file, finds its records through a compiled walk, and reads
what stands in between itself.
"""

from collections import Counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.app_map import Package
from phonehome.captures.files.archives import ZIP_MAGICS
from phonehome.captures.files.decompression import COMPRESSED_MAGICS
from phonehome.captures.files.pcap import PCAP_MAGICS, Pcap
from phonehome.captures.files.pcapng import PCAPNG_MAGIC, Pcapng
from phonehome.captures.files.snoop import SNOOP_MAGIC, Snoop
from phonehome.captures.limits import Limits

CAPTURE_MAGICS = (*PCAP_MAGICS, PCAPNG_MAGIC, SNOOP_MAGIC[:4])


class Container(Protocol):
    """A container format: walks a window, knows the interfaces that its records name."""

    format: str
    interfaces: NDArray[np.int64]
    blocks: Counter[str]
    header_bytes: int
    damaged_blocks: int
    packages: dict[int, Package]
    processes: list[tuple[int, str | None]]
    secrets: bytearray
    """Lines of TLS key logs that the file holds."""

    @property
    def broken_options(self) -> int:
        """Blocks whose options do not fit into them; what stands before the break was read."""
        ...

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
        """Packets that the file says were lost. None: it does not say."""
        ...


def container(first: bytes, name: str, limits: Limits) -> Container:
    """The container that these first bytes of a file begin.

    Raises:
        CaptureError: they begin none that is known, or its header cannot be read.
    """
    if first[:4] in PCAP_MAGICS:
        return Pcap(first, name, limits)
    if first[:4] == PCAPNG_MAGIC:
        return Pcapng(first, name, limits)
    if first.startswith(SNOOP_MAGIC):
        return Snoop(first, name, limits)
    if first.startswith((*COMPRESSED_MAGICS, *ZIP_MAGICS)):
        raise CaptureError(f"{name}: packed twice: unpack it first")
    raise CaptureError(
        f"{name}: byte 0: magic number of pcap, pcapng or snoop expected, "
        f"{first[:4].hex() or 'nothing'} found"
    )
