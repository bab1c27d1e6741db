"""A capture as tshark is given it: unpacked, and without blocks that are no packet.

tshark counts custom blocks of pcapng as frames; without them its frames have our numbers. Blocks
with secrets are left out too: their keys are given beside, so that they are known before the
packets that they open come.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from phonehome.captures.files.decompression import DecompressionError
from phonehome.captures.files.hashing import Digests, FileDigest
from phonehome.captures.files.open_capture import CaptureFile
from phonehome.captures.files.pcapng import INTERFACE, PCAPNG_MAGIC, SECTION
from phonehome.captures.limits import Limits

PIECE_BYTES = 1 << 20
_OLD_PACKET, _SIMPLE_PACKET, _PACKET = 2, 3, 6
_FED = {SECTION, INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET}
_LEAST_BLOCK = 12
_BIG = b"\x1a\x2b\x3c\x4d"


class _Unhashed(Digests):
    """Hashes nothing: the file was hashed when it was read first."""

    def take(self, path: Path, status: object) -> FileDigest:
        digest = super().take(path, status)  # type: ignore[arg-type] # handed through
        digest.stop()
        return digest


def fed(path: Path, limits: Limits) -> Iterator[bytes]:
    """The capture in pieces, up to where it is damaged.

    Raises:
        CaptureError: it cannot be read, or unfolds beyond the limits.
    """
    file = CaptureFile(path, limits, _Unhashed())
    try:
        pieces = _pieces(file)
        first = next(pieces, b"")
        if first[:4] == PCAPNG_MAGIC:
            yield from _packets(first, pieces, limits)
            return
        yield first
        yield from pieces
    finally:
        file.close()


def _pieces(file: CaptureFile) -> Iterator[bytes]:
    buffer = bytearray(PIECE_BYTES)
    try:
        while count := file.readinto(memoryview(buffer)):
            yield bytes(buffer[:count])
    except DecompressionError:
        return  # said where the capture was read first


def _packets(first: bytes, pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    """Sections, interfaces and packets of a pcapng file; ends at the first block that is none."""
    held, order = first, "<"
    while held:
        kept = bytearray()
        at = 0
        while at + _LEAST_BLOCK <= len(held):
            if held[at : at + 4] == PCAPNG_MAGIC:
                order = ">" if held[at + 8 : at + 12] == _BIG else "<"
            kind, length = struct.unpack_from(f"{order}II", held, at)
            if not _LEAST_BLOCK <= length <= limits.block_bytes:
                yield bytes(kept)
                return
            end = at + (length + 3 & ~3)
            if end > len(held):
                break
            if kind in _FED:
                kept += held[at:end]
            at = end
        if kept:
            yield bytes(kept)
        more = next(pieces, b"")
        if not more:
            return
        held = held[at:] + more
