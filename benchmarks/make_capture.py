"""Captures of chosen size for the benchmarks: one phone, one hour, the same for a seed.

Run as `python -m benchmarks.make_capture --packets 2000000 --flows 32000 --out FILE`.
"""

import argparse
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benchmarks.frames import Payloads, header_sizes, payload_sources, write_headers, write_payloads
from benchmarks.messages import messages
from benchmarks.packets import Packets, draw_packets
from benchmarks.plan import Flows, draw_flows

WINDOW = 65_536  # packets that are made at once
SNAP_LENGTH = 262_144
ETHERNET_LINK = 1
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_LENGTH, ETHERNET_LINK)
SECTION_HEADER = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
INTERFACE = struct.pack("<IIHHII", 1, 20, ETHERNET_LINK, 0, SNAP_LENGTH, 20)
ENHANCED_PACKET = 6


def _pcap_window(time: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Room for the records of classic pcap with their heads, and where each frame starts."""
    ends = np.cumsum(sizes + 16)
    at = ends - sizes
    out = np.empty(int(ends[-1]), np.uint8)
    heads = np.stack([time // 1_000_000, time % 1_000_000, sizes, sizes], axis=1)
    out[(at - 16)[:, None] + np.arange(16)] = heads.astype("<u4").view(np.uint8)
    return out, at


def _pcapng_window(time: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Room for enhanced packet blocks with heads and tails, and where each frame starts."""
    padded = (sizes + 3) // 4 * 4
    whole = padded + 32
    ends = np.cumsum(whole)
    at = ends - whole + 28
    out = np.zeros(int(ends[-1]), np.uint8)
    kind, interface = np.full(len(sizes), ENHANCED_PACKET), np.zeros(len(sizes), np.int64)
    heads = np.stack([kind, whole, interface, time >> 32, time & 0xFFFFFFFF, sizes, sizes], axis=1)
    out[(at - 28)[:, None] + np.arange(28)] = heads.astype("<u4").view(np.uint8)
    out[(ends - 4)[:, None] + np.arange(4)] = whole[:, None].astype("<u4").view(np.uint8)
    return out, at


def _windows(packets: Packets) -> Iterator[Packets]:
    """The packets, a window at a time."""
    for start in range(0, len(packets.time), WINDOW):
        yield packets.take(np.arange(start, min(start + WINDOW, len(packets.time))))


def write_capture(
    file: BinaryIO, flows: Flows, packets: Packets, sources: Payloads, *, is_pcapng: bool
) -> None:
    """Write a capture file, one window after another."""
    file.write(SECTION_HEADER + INTERFACE if is_pcapng else PCAP_HEADER)
    frame = _pcapng_window if is_pcapng else _pcap_window
    for window in _windows(packets):
        headers = header_sizes(flows, window)
        out, at = frame(window.time, headers + window.size)
        write_headers(out, at, flows, window)
        write_payloads(out, at + headers, window, sources)
        file.write(out.data)


def make_capture(
    path: Path, *, packets: int, flows: int, seed: int = 1, is_pcapng: bool = False
) -> None:
    """Write a capture of so many packets in so many flows, under its final name when whole.

    Raises:
        ValueError: there are too few packets for so many flows, or too many flows.
    """
    planned = draw_flows(seed, flows)
    bodies = messages(seed, planned)
    rows = draw_packets(seed, planned, packets, bodies)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        write_capture(file, planned, rows, payload_sources(seed, bodies), is_pcapng=is_pcapng)
    unfinished.replace(path)


def main() -> None:
    """Read the options and write one capture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_capture", description=__doc__)
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--flows", type=int, default=32_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pcapng", action="store_true", help="write pcapng instead of pcap")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    make_capture(
        chosen.out,
        packets=chosen.packets,
        flows=chosen.flows,
        seed=chosen.seed,
        is_pcapng=chosen.pcapng,
    )
    print(f"{chosen.out}: {chosen.packets:,} packets, {chosen.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
