"""Geo databases that were changed on purpose: `python -m tests.fuzz.databases --mutants 100000`.

Each mutant of a small database is opened and asked as a user's own would be. Held of each: it ends
in answers or in a `DatabaseError` of one printable line, within seconds, and memory does not grow.
"""

import argparse
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from phonehome.geo.databases import METADATA_MARKER, V4, V6, open_database
from phonehome.geo.errors import DatabaseError
from phonehome.geo.places import answers, places

ASKED = ("0.0.0.1", "1.1.1.1", "8.8.8.8", "8.8.9.1", "203.205.254.157", "2001:db8::1", "2c0f::1")
MOST_SECONDS = 5
MOST_GROWTH = 64 << 20
BATCH = 1000
BUILT = 1_780_000_000
RECORDS = {
    "1.1.1.0/24": {
        "country": {"iso_code": "AU", "names": {"en": "Australia", "es": "Australia"}},
        "registered_country": {"iso_code": "AU"},
        "traits": {"is_anycast": True},
    },
    "8.8.8.0/23": {"country": {"iso_code": "US"}, "autonomous_system_number": 15169},
    "203.205.0.0/16": {
        "autonomous_system_number": 132203,
        "autonomous_system_organization": "Tencent",
        "location": {"latitude": 22.3, "longitude": 114.2},
        "subdivisions": [{"iso_code": "HCW"}, {"iso_code": "NSK"}],
    },
}
MANY = {f"1.0.{block}.0/24": {"country_code": "SG", "asn": 1 + block} for block in range(100)}
"""More than are looked at when a database is opened, so that damage shows in look-ups."""
RECORDS_V6 = {"2001:200::/23": {"country_code": "JP", "asn": "AS2500", "as_name": "WIDE"}}


@dataclass
class Outcome:
    """What came of mutants: how each ended, what broke the contract, the slowest, the growth."""

    ends: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest_seconds: float = 0.0
    growth: int = 0

    def add(self, other: "Outcome") -> None:
        """Count another one in."""
        self.ends += other.ends
        self.findings += other.findings
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)
        self.growth = max(self.growth, other.growth)


@cache
def bases() -> tuple[bytes, ...]:
    """Small whole databases: of IPv4 and of both, with few records and with more."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for version, records in (
            (V4, RECORDS),
            (V6, RECORDS | RECORDS_V6),
            (V4, MANY | RECORDS),
            (V6, MANY | RECORDS | RECORDS_V6),
        ):
            writer = MMDBWriter(
                ip_version=version,
                ipv4_compatible=version == V6,
                database_type="Test",
                languages=["en"],
                description="test",
            )
            for network, record in records.items():
                writer.insert_network(IPSet([network]), record)
            path = Path(folder) / "base.mmdb"
            writer.to_db_file(str(path))
            made.append(_undated(path.read_bytes()))
    return tuple(made)


def _undated(data: bytes) -> bytes:
    """A database with the same build time whenever it was written."""
    before, key, after = data.partition(b"build_epoch\x04\x02")
    assert key, "the writer wrote its time in another form"
    return before + key + BUILT.to_bytes(4) + after[4:]


def mutant(seed: int) -> bytes:
    """The database of a seed, changed; the same everywhere."""
    dice = random.Random(seed)  # noqa: S311 - a test need not be secret
    data = bytearray(dice.choice(bases()))
    for _ in range(dice.choice((1, 1, 1, 1, 1, 2, 3, 8, 40))):
        dice.choice(CHANGES)(dice, data)
    return bytes(data)


def _place(dice: random.Random, data: bytearray) -> int:
    """A place to change: anywhere, or among records and metadata, where readers believe most."""
    end = data.rfind(METADATA_MARKER)
    first = dice.choice((0, 0, max(end - 400, 0), max(end, 0)))
    return dice.randrange(first, len(data)) if first < len(data) else 0


def _flip(dice: random.Random, data: bytearray) -> None:
    if data:
        data[_place(dice, data)] ^= 1 << dice.randrange(8)


def _set(dice: random.Random, data: bytearray) -> None:
    if data:
        data[_place(dice, data)] = dice.choice((0, 1, 0x20, 0x3F, 0x7F, 0xE0, 0xFF, *range(256)))


def _pointer(dice: random.Random, data: bytearray) -> None:
    """A pointer of any size, to near or far, also to itself."""
    at = _place(dice, data)
    size = dice.randrange(4)
    to = dice.choice((0, 1, dice.randrange(2000), dice.randrange(2**32)))
    data[at : at + 2 + size] = bytes([0x20 | size << 3 | to & 7]) + to.to_bytes(4)[-1 - size :]


def _control(dice: random.Random, data: bytearray) -> None:
    """A type with a size, small or as large as sizes go."""
    at = _place(dice, data)
    size = dice.choice((0, 1, 5, 28, 29, 30, 31))
    data[at : at + 1] = bytes([dice.randrange(8) << 5 | size])


def _cut(dice: random.Random, data: bytearray) -> None:
    del data[_place(dice, data) :]


def _drop(dice: random.Random, data: bytearray) -> None:
    at = _place(dice, data)
    del data[at : at + dice.choice((1, 2, 7, 100))]


def _insert(dice: random.Random, data: bytearray) -> None:
    at = _place(dice, data)
    data[at:at] = dice.randbytes(dice.choice((1, 3, 16, 300)))


def _copy(dice: random.Random, data: bytearray) -> None:
    at, to, size = _place(dice, data), _place(dice, data), dice.choice((2, 6, 30, 200))
    data[to : to + size] = data[at : at + size]


CHANGES = (_flip, _flip, _set, _set, _pointer, _control, _cut, _drop, _insert, _copy)


@contextmanager
def bounded() -> Iterator[None]:
    """Ends what takes too long."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"no end after {MOST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def held(path: Path) -> str:
    """Ask one database as a user's own; the word for how it ended.

    Raises:
        Exception: It broke the contract.
    """
    try:
        database = open_database(path, name="mutant")
    except DatabaseError as error:
        told = str(error)
        assert told.isprintable()
        assert len(told) < 1000
        return "refused"
    try:
        said = answers(ASKED, [database])
        found = places(ASKED, [database])
        assert said.height == found.height == len(ASKED)
    except DatabaseError:
        return "damaged at an address"
    finally:
        database.reader.close()
    return "answered"


def run_batch(first_and_count: tuple[int, int]) -> Outcome:
    """Hold mutants one after the other."""
    first, count = first_and_count
    outcome = Outcome()
    before = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.mmdb"
        path.write_bytes(bases()[1])
        held(path)  # imports and caches are no growth
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for seed in range(first, first + count):
            path.write_bytes(mutant(seed))
            begun = time.monotonic()
            try:
                with bounded():
                    outcome.ends[held(path)] += 1
            except Exception:  # noqa: BLE001 - whatever it is, it is the finding
                outcome.ends["finding"] += 1
                outcome.findings.append((seed, traceback.format_exc()))
            outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - begun)
    outcome.growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return outcome


def main() -> int:
    """Hold mutants, print figures: 1 if anything broke the contract."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.databases", description=main.__doc__
    )
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first mutant; the next has +1")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    end = options.seed + options.mutants
    batches = [(at, min(BATCH, end - at)) for at in range(options.seed, end, BATCH)]
    outcome, begun = Outcome(), time.monotonic()
    bases()
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for each in pool.imap_unordered(run_batch, batches):
            outcome.add(each)
    for seed, reason in outcome.findings[:20]:
        sys.stdout.write(f"seed {seed}:\n{reason}\n")
    sys.stdout.write(
        f"{options.mutants:,} databases from seed {options.seed}: "
        f"{dict(sorted(outcome.ends.items()))}, slowest {outcome.slowest_seconds:.2f} s, memory "
        f"grew by {outcome.growth / 2**20:.0f} MiB, {len(outcome.findings)} findings, "
        f"{time.monotonic() - begun:.0f} s\n"
    )
    return 1 if outcome.findings or outcome.growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
