"""Reading a capture is pure: one call, one value, the same in any process."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from phonehome.analyzer.content.opaque_values import Values
from phonehome.captures import Identifier, ReadOptions, read_capture
from phonehome.captures.errors import CaptureError
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Packets
from tests.small_captures import BEGIN, household, pcap, put

SECOND = 1_000_000_000
SAMPLE = Path(__file__).parents[2] / "captures" / "samples" / "parrot-1.0" / "rep1.pcap"
KNOWN = Identifier(label="ID", kind="text", value="no-such-value-in-any-capture")


def edges(spans, first_time):
    return np.array([first_time + edge for span in spans for edge in span], dtype=np.int64)


def equal(one, other):
    """Whether two values of a reading are the same, tables by their content."""
    if isinstance(one, pl.DataFrame | pl.Series):
        return one.equals(other)
    if hasattr(one, "__dataclass_fields__"):
        return all(equal(getattr(one, name), getattr(other, name)) for name in vars(one))
    return one == other


def test_packets_are_added_up_by_the_spans_that_begin_at_the_first_packet(tmp_path):
    path = put(tmp_path / "a.pcap", pcap(household()))
    told = []
    options = ReadOptions(edges_of=partial(edges, [(0, SECOND)]))
    sums = read_capture(path, options, report=told.append).sums
    assert sums.begin == BEGIN
    assert told[-1] == path.stat().st_size
    packets = Packets.validate(next(Reading(path).packets()))
    in_span = (packets["time"].to_physical() - BEGIN).is_between(0, SECOND, closed="left")
    idle = sums.sides.filter(code=1)
    assert idle["wire_bytes"].sum() == packets.filter(in_span)["wire_bytes"].sum() > 0
    whole = sums.sides["wire_bytes"].sum() + sums.outcomes["wire_bytes"].sum()
    assert whole == packets["wire_bytes"].sum()


def test_a_capture_without_packets_has_no_begin_and_no_sums(tmp_path):
    tables = read_capture(put(tmp_path / "a.pcap", pcap([])), ReadOptions())
    assert tables.sums.begin is tables.span is None
    assert tables.packets == tables.sums.sides.height == tables.sums.outcomes.height == 0


def test_what_was_read_can_be_pickled_and_is_the_same_afterwards():
    options = ReadOptions(values_of=Values, identifiers=(KNOWN,))
    tables = read_capture(SAMPLE, options)
    assert tables.sightings.height
    assert equal(pickle.loads(pickle.dumps(tables)), tables)  # noqa: S301 - our own


def test_another_process_reads_the_same():
    options = ReadOptions(
        values_of=Values, identifiers=(KNOWN,), edges_of=partial(edges, [(0, 30 * SECOND)])
    )
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(read_capture, SAMPLE, options).result()
    assert equal(there, read_capture(SAMPLE, options))


def test_no_file_stays_open(tmp_path):
    path = put(tmp_path / "a.pcap", pcap(household()))
    read_capture(path, ReadOptions())
    opened = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert path not in opened


@pytest.mark.parametrize("octets", [b"", b"no capture at all"])
def test_what_is_no_capture_is_refused(tmp_path, octets):
    with pytest.raises(CaptureError):
        read_capture(put(tmp_path / "a.pcap", octets), ReadOptions())
