"""Captures that hold nothing but names: QUIC connections that begin, or answers of DNS.

Run as `python -m benchmarks.make_names --what quic --count 20000 --out FILE`.
"""

import argparse
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import payloads
from benchmarks.frames import PHONE_MAC, PHONE_V4, ROUTER_MAC, UDP
from benchmarks.make_capture import PCAP_HEADER
from benchmarks.messages import NOISE

ROUTER_V4 = bytes([192, 168, 43, 1])
BEGIN = 1_790_600_000
APART = 1_000  # microseconds between packets
NAMES = 20_000  # of so many hosts at most
EPHEMERAL, PORTS = 20_000, 30_000
HTTPS, DNS = 443, 53
IPV4 = b"\x08\x00"


def _name(number: int) -> str:
    return f"host{number % NAMES}.service{number % 97}.example"


def _address(number: int) -> bytes:
    """A public address: of 20,000 hosts none has that of another."""
    place = number % NAMES
    return bytes([23, 32 + place // 65_536, place // 256 % 256, place % 256])


def _record(number: int, frame: bytes) -> bytes:
    seconds, rest = divmod(number * APART, 1_000_000)
    return struct.pack("<4I", BEGIN + seconds, rest, len(frame), len(frame)) + frame


def _frame(macs: bytes, ends: tuple[bytes, bytes], ports: tuple[int, int], payload: bytes) -> bytes:
    """An Ethernet frame with a datagram, from the first end to the second."""
    datagram = struct.pack("!4H", *ports, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, UDP, 0)
    return macs + IPV4 + head + ends[0] + ends[1] + datagram


def quic_frames(count: int, seed: int = 1) -> Iterator[bytes]:
    """The first datagram of so many connections of QUIC, each on ports of its own."""
    noise = np.random.default_rng([seed, 5])
    for number in range(count):
        hello = payloads.quic_initial(_name(number), noise.bytes(NOISE))
        ports = (EPHEMERAL + number % PORTS, HTTPS)
        yield _frame(ROUTER_MAC + PHONE_MAC, (PHONE_V4, _address(number)), ports, hello)


def dns_frames(count: int, seed: int = 1) -> Iterator[bytes]:
    """So many answers of DNS, with one address each, in three of ten behind an alias."""
    chosen = np.random.default_rng([seed, 6]).integers(0, NAMES, count)
    for number, host in enumerate(chosen.tolist()):
        alias = f"{_name(host)}.cdn.example" if number % 10 < 3 else None
        answer = payloads.dns_response(_name(host), number % 65_536, [_address(host)], alias)
        ports = (DNS, EPHEMERAL + number % PORTS)
        yield _frame(PHONE_MAC + ROUTER_MAC, (ROUTER_V4, PHONE_V4), ports, answer)


FRAMES: dict[str, Callable[[int], Iterator[bytes]]] = {"quic": quic_frames, "dns": dns_frames}


def make_names(path: Path, *, what: str, count: int) -> None:
    """Write a capture, under its final name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(PCAP_HEADER)
        for number, frame in enumerate(FRAMES[what](count)):
            file.write(_record(number, frame))
    unfinished.replace(path)


def main() -> None:
    """Read the options and write one capture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_names", description=__doc__)
    parser.add_argument("--what", choices=FRAMES, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    make_names(chosen.out, what=chosen.what, count=chosen.count)


if __name__ == "__main__":
    main()
