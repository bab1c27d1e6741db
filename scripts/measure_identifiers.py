"""Measures how often chance makes a hit: identifiers that nobody sent, in random and real octets.

    python scripts/measure_identifiers.py random [MEGABYTES]
    python scripts/measure_identifiers.py captures FOLDER

Identifiers are drawn at random with a fixed seed, twenty for random octets. Captures are searched
for so many more of them as they hold less than a gigabyte, so that chance has as many occasions as
twenty have in one. Prints octets of payload, identifiers, and hits by confidence.
"""

import random
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.errors import CaptureError

SEED: Final = 20_261_130
TWENTY: Final = 20
GIGABYTE: Final = 1_000_000_000
DATAGRAM: Final = 60_000
PHONE, REMOTE = IPv4Address("10.0.0.2"), IPv4Address("93.184.216.34")
RAW_IPV4: Final = 228
HEAD: Final = b"noise: "  # a datagram that begins as QUIC does is not searched
KINDS: Final = ("android_id", "imei", "serial", "mac", "phone_number", "advertising_id", "account")


def value(kind: str, draw: random.Random) -> str:
    """A value of a kind as phones have it."""
    digits = "".join(draw.choices("0123456789", k=15))
    octets = draw.randbytes(16).hex()
    return {
        "android_id": octets[:16],
        "imei": digits,
        "serial": "R" + "".join(draw.choices("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=10)),
        "mac": ":".join(octets[at : at + 2] for at in range(0, 12, 2)),
        "phone_number": f"+86138{digits[:8]}",
        "advertising_id": "-".join(
            octets[begin:end] for begin, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
        ),
        "account": str(draw.randint(1_000_000_000, 9_999_999_999)),
    }[kind]


def listed(number: int, path: Path) -> Path:
    """A list of so many identifiers."""
    draw = random.Random(SEED)  # noqa: S311 - no secrets
    kinds = [KINDS[at % len(KINDS)] for at in range(number)]
    path.write_text(
        "".join(
            f'[[identifier]]\nkind = "{kind}"\nlabel = "{at}"\nvalue = "{value(kind, draw)}"\n'
            for at, kind in enumerate(kinds)
        )
    )
    return path


def datagrams(megabytes: int) -> Iterator[bytes]:
    """A classic capture of UDP from the phone with random payloads, a record at a time."""
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, RAW_IPV4)
    draw = np.random.default_rng(SEED)
    for number in range(megabytes * 1_000_000 // DATAGRAM):
        udp = struct.pack("!HHHH", 50_000, 9_000, 8 + DATAGRAM, 0) + HEAD
        udp += draw.bytes(DATAGRAM - len(HEAD))
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
        packet = head + PHONE.packed + REMOTE.packed + udp
        yield struct.pack("<IIII", 1_790_000_000 + number // 100, 0, len(packet), len(packet))
        yield packet


def hits(
    paths: Sequence[Path], identifiers: Path, phones: tuple[str, ...]
) -> tuple[int, Counter[str]]:
    """Octets of payload in all captures that can be read, and hits by confidence."""
    octets, found = 0, Counter[str]()
    for path in paths:
        try:
            analysis = analyze([path], Settings(phones=phones, identifiers=(identifiers,)))
        except CaptureError:
            continue
        octets += int(
            analysis.flows.select("up_unique_bytes", "down_unique_bytes")
            .sum()
            .sum_horizontal()
            .item()
        )
        for row in analysis.identifiers.to_dicts():
            found[row["confidence"]] += row["count"]
            print(path.name, row["label"], row["encoding"], row["confidence"], row["count"])
    return octets, found


def main() -> None:
    """Measure what is asked for."""
    what, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if what == "random":
            made = Path(folder) / "random.pcap"
            with made.open("wb") as file:
                file.writelines(datagrams(int(rest[0]) if rest else 1_000))
            number, paths, phones = TWENTY, [made], (str(PHONE),)
        else:
            paths = sorted(path for path in Path(rest[0]).rglob("*") if path.is_file())
            size = sum(path.stat().st_size for path in paths)
            number, phones = TWENTY * -(-GIGABYTE // size), ()
        octets, found = hits(paths, listed(number, Path(folder) / "known.toml"), phones)
        print(f"{octets:,} octets of payload, searched for {number} identifiers: {dict(found)}")


if __name__ == "__main__":
    main()
