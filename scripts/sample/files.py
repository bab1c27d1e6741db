"""Capture files: pcap and pcapng, in microseconds or nanoseconds, plain or in gzip."""

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ETHERNET = 1
_SNAP_LENGTH = 262_144
_NS = 1_000_000_000


@dataclass(frozen=True)
class Shape:
    """How a capture is stored; `resolution_ns` is what its time stamps can tell apart."""

    suffix: str
    resolution_ns: int


def write_capture(path: Path, shape: Shape, packets: Sequence[tuple[int, bytes]]) -> None:
    """Writes frames with their times in nanoseconds since 1970, which must fit the resolution."""
    make = pcap_bytes if shape.suffix == ".pcap" else pcapng_bytes
    data = make(packets, resolution_ns=shape.resolution_ns)
    if shape.suffix.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    path.write_bytes(data)


def pcap_bytes(packets: Sequence[tuple[int, bytes]], *, resolution_ns: int) -> bytes:
    """A little-endian pcap file; its magic number tells microseconds from nanoseconds."""
    magic = 0xA1B23C4D if resolution_ns == 1 else 0xA1B2C3D4
    parts = [struct.pack("<IHHiIII", magic, 2, 4, 0, 0, _SNAP_LENGTH, _ETHERNET)]
    for time_ns, frame in packets:
        fraction = time_ns % _NS // resolution_ns
        parts.append(struct.pack("<IIII", time_ns // _NS, fraction, len(frame), len(frame)))
        parts.append(frame)
    return b"".join(parts)


def pcapng_bytes(packets: Sequence[tuple[int, bytes]], *, resolution_ns: int) -> bytes:
    """A little-endian pcapng file of one section and one interface, closed by its statistics."""
    digits = 9 if resolution_ns == 1 else 6
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    section += _option(3, b"hotspot") + _option(4, b"phonehome record_sample") + _option(0, b"")
    interface = struct.pack("<HHI", _ETHERNET, 0, _SNAP_LENGTH)
    interface += _option(2, b"ap0") + _option(9, bytes([digits])) + _option(0, b"")
    parts = [_block(0x0A0D0D0A, section), _block(1, interface)]
    for time_ns, frame in packets:
        stamp = divmod(time_ns // resolution_ns, 1 << 32)
        head = struct.pack("<IIIII", 0, *stamp, len(frame), len(frame))
        parts.append(_block(6, head + _padded(frame)))
    stamp = divmod(packets[-1][0] // resolution_ns, 1 << 32)
    statistics = struct.pack("<III", 0, *stamp)
    statistics += (
        _option(4, struct.pack("<Q", len(packets))) + _option(5, bytes(8)) + _option(0, b"")
    )
    parts.append(_block(5, statistics))
    return b"".join(parts)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
