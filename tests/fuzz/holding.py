"""The contract: what reading keeps, whatever the file holds."""

import os
import resource
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.decoding.packet_batches import bins_table, others_table, sides_table
from phonehome.captures.decoding.sums import Sums
from phonehome.captures.errors import CaptureError
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Packets
from phonehome.captures.words import OUTCOMES
from tests.captures.passes import captures as built_captures

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "captures/samples"
REAL = Path(os.environ.get("PHONEHOME_REAL", ROOT.parent / "shared/real")) / "captures"
LONGEST_BASE = 400_000
MOST_GROWTH = 512 << 20
TOLD_EVERY, ANALYSED_EVERY = 10, 100
PARTS = ("link_bytes", "network_header_bytes", "transport_header_bytes", "payload_bytes")


@cache
def bases() -> tuple[bytes, ...]:
    """Captures to change: built ones, the samples, and real ones where they are there."""
    found = [octets for _, octets in built_captures()]
    files = sorted(SAMPLES.rglob("*.pcap*")) + sorted(REAL.glob("*.pcap*"))
    for path in files:
        with path.open("rb") as file:
            found.append(file.read(LONGEST_BASE))
    return tuple(found)


def grown_bytes() -> int:
    """The largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def hold(octets: bytes, path: Path, seed: int) -> str:
    """Read a file of these bytes, written to this path: how it ended.

    Every mutant is decoded; of some seeds all tables are made and the sums added up, and of
    some of those the whole analysis.

    Raises:
        AssertionError: an identity does not hold.
    """
    path.write_bytes(octets)
    try:
        reading = Reading(path)
        packets = pl.concat([Packets.create_empty(), *reading.packets()])
    except CaptureError:
        return "refused"
    number = packets.height
    assert np.array_equal(np.sort(packets["frame"].to_numpy()), np.arange(1, number + 1))
    lowest = packets.select(pl.col(pl.Int64).exclude("frame").min()).row(0)
    assert not number or min(lowest) >= 0
    if seed % TOLD_EVERY == 0:
        _hold_tables(path, packets, reading)
    if seed % ANALYSED_EVERY == 0 and number:
        assert analyze([path], Settings()).summary.is_balanced
    return "read"


def _hold_tables(path: Path, packets: pl.DataFrame, reading: Reading) -> None:
    """All tables agree with the packets."""
    Packets.validate(packets)
    capture = reading.capture().row(0, named=True)
    assert packets.height == capture["packets"]
    assert packets["wire_bytes"].sum() == capture["wire_bytes"]
    assert packets.select(pl.sum_horizontal(*PARTS) == pl.col("wire_bytes")).to_series().all()
    assert (packets["unique_bytes"] <= packets["payload_bytes"]).all()
    is_conversation = packets["outcome"] == OUTCOMES.index("conversation")
    assert (packets["conversation"].is_not_null() == is_conversation).all()
    conversations = reading.conversations()
    assert set(packets["conversation"].drop_nulls()) == set(conversations["conversation"])
    sightings, owners = reading.sightings(conversations), reading.owners()
    for table in (sightings, owners):
        assert set(table["conversation"]) <= set(conversations["conversation"])
    reading.oddities()
    _add_up(path, packets)


def _add_up(path: Path, packets: pl.DataFrame) -> None:
    """The sums are those of the packets."""
    sums = Sums(lambda _: np.empty(0, dtype=np.int64))
    for _ in Reading(path).added_to(sums):
        pass
    sides, bins = sides_table(sums.sides()), bins_table(sums.bins())
    others = others_table(sums.others())
    assert sides["packets"].sum() + others["packets"].sum() == packets.height
    for name in ("wire_bytes", "payload_bytes", "unique_bytes"):
        assert sides[name].sum() + others[name].sum() == packets[name].sum()
    assert bins["unique_bytes"].sum() == sides["unique_bytes"].sum()
