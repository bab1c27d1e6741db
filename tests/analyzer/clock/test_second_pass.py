"""What a capture itself says of its phases moves, adds or makes them; read again, to the byte."""

import csv
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest
from measure_behaviour import HOUR, world

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.conftest import sample
from tests.small_captures import (
    BEGIN,
    PHONE,
    REMOTE,
    SECOND,
    ethernet,
    gzipped,
    household,
    pcap,
    pcapng,
    put,
    udp,
)


@pytest.fixture
def off(tmp_path):
    """A capture of an hour, and a log of its phone whose clock is 37.2 s ahead."""
    rows, bursts = world(np.random.default_rng(1), 12)
    frames = [
        ethernet(udp((PHONE, 50_000), (REMOTE, 4_000), b"u" * 100)).at(at) for at in bursts.tolist()
    ]
    capture = put(tmp_path / "a.pcap", pcap([frames[0].at(0), *frames, frames[0].at(HOUR)]))
    timeline = tmp_path / "phone.csv"
    with timeline.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("start", "end", "state", "label"))
        begin = datetime.fromtimestamp(BEGIN / SECOND, UTC) + timedelta(seconds=37.2)
        for state, start, end in rows:
            times = (begin + timedelta(seconds=of) for of in (start, end))
            writer.writerow((*(time.isoformat() for time in times), state, state))
    return capture, timeline, rows


def test_a_clock_that_is_off_is_shown_and_not_moved_unasked(off):
    capture, timeline, _ = off
    found = analyze([capture], Settings(timelines=(timeline,)))
    (row,) = found.clocks.to_dicts()
    assert row["low"] <= timedelta(seconds=-37.2) <= row["high"]
    assert not row["is_applied"]
    assert any("--clock-offset auto" in note for note in found.notes)


def test_asked_to_it_is_moved_and_edges_become_unknown(off):
    capture, timeline, rows = off
    found = analyze([capture], Settings(timelines=(timeline,), clock_offset=None))
    (row,) = found.clocks.to_dicts()
    assert row["is_applied"]
    assert any("was shifted by" in note for note in found.notes)
    blurred = found.phases.filter(pl.col("label").str.contains("uncertainty"))
    reach = max(row["high"] - row["offset"], row["offset"] - row["low"])
    assert (blurred["end"] - blurred["start"]).max() <= 2 * reach
    edges = [edge for _, start, end in rows for edge in (start, end)]
    for phase in found.phases.filter(pl.col("state") != "unknown").to_dicts():
        inside = [
            edge
            for edge in edges
            if phase["start"] < datetime.fromtimestamp(BEGIN / SECOND + edge, UTC) < phase["end"]
        ]
        assert inside == []
    assert found.summary.exposure_by_state["unknown"] > 0
    assert found.summary.is_balanced


def test_a_given_offset_is_applied_as_it_is(off):
    capture, timeline, rows = off
    given = analyze([capture], Settings(timelines=(timeline,), clock_offset=-37.2))
    assert given.clocks.filter(evidence="given")["is_applied"].to_list() == [True]
    idle = sum(end - start for state, start, end in rows if state == "idle")
    assert abs(given.summary.exposure_by_state["idle"] - idle) < 0.01


def test_of_a_sample_no_offset_is_invented():
    of = sample("parrot-1.0/rep1")
    found = analyze([of.capture], Settings(timelines=(of.timeline,), clock_offset=None))
    (row,) = found.clocks.to_dicts()
    assert (row["offset"], row["is_applied"]) == (None, False)
    assert any("cannot be told" in note for note in found.notes)
    assert found.uploads.equals(of.analysis.uploads)


def marked(tmp_path, comments):
    frames = [replace(frame, comment=comments.get(at)) for at, frame in enumerate(household())]
    tmp_path.mkdir(exist_ok=True)
    return put(tmp_path / "a.pcapng", pcapng(frames))


def test_comments_of_packets_are_phases(tmp_path):
    capture = marked(
        tmp_path, {2: b"phase: active parrot in front", 9: b"phase: idle", 20: b"phase: lunch"}
    )
    found = analyze([capture], Settings())
    assert found.phases.select("state", "label", "source").rows() == [
        ("unknown", "outside the timeline", "uncovered"),
        ("active", "parrot in front", "a.pcapng:3"),
        ("idle", "idle", "a.pcapng:10"),
        ("unknown", "lunch", "a.pcapng:21"),
    ]
    plain = analyze([marked(tmp_path / "plain", {})], Settings())
    assert found.summary.up_unique_bytes == plain.summary.up_unique_bytes
    assert found.summary.is_balanced
    assert not any("No timeline was given" in note for note in found.notes)


def test_comments_that_step_back_in_time_are_odd(tmp_path):
    frames = [frame.at(30 - at) for at, frame in enumerate(household())]
    frames = [replace(frame, comment=b"phase: idle") for frame in frames]
    found = analyze([put(tmp_path / "a.pcapng", pcapng(frames))], Settings())
    odd = found.oddities.filter(layer="timeline", kind="time_unknown")
    assert odd["count"].sum() == len(frames) - 1


def test_phases_are_inferred_only_where_that_is_asked_for():
    of = sample("parrot-1.0/rep1")
    plain = analyze([of.capture], Settings())
    found = analyze([of.capture], Settings(infer_phases=True))
    assert set(plain.phases["state"]) == {"unknown"}
    assert not plain.summary.is_inferred
    assert found.summary.is_inferred
    assert set(found.phases["source"]) == {"inferred"}
    assert set(found.phases["state"]) == {"active", "idle"}
    assert found.summary.up_unique_bytes == plain.summary.up_unique_bytes
    assert 0 < found.summary.idle_share < 1
    timed = analyze([of.capture], Settings(infer_phases=True, timelines=(of.timeline,)))
    assert not timed.summary.is_inferred
    assert timed.uploads.equals(of.analysis.uploads)


def test_standard_input_is_read_once(tmp_path, monkeypatch):
    capture = marked(tmp_path, {2: b"phase: idle"})

    class Input:
        buffer = BytesIO(capture.read_bytes())

    monkeypatch.setattr("sys.stdin", Input)
    found = analyze(["-"], Settings())
    assert set(found.phases["state"]) == {"unknown"}
    assert any("read once" in note for note in found.notes)


@pytest.mark.parametrize("wrap", ["gzip", "zip"])
def test_a_packed_capture_is_read_again_too(tmp_path, wrap):
    plain = marked(tmp_path / "x", {2: b"phase: idle"})
    packed = tmp_path / ("a.pcapng.gz" if wrap == "gzip" else "a.zip")
    if wrap == "gzip":
        packed.write_bytes(gzipped(plain.read_bytes()))
    else:
        with ZipFile(packed, "w") as archive:
            archive.write(plain, "a.pcapng")
    found, other = analyze([packed], Settings()), analyze([plain], Settings())
    assert set(found.phases["state"]) == {"unknown", "idle"}
    assert found.uploads.equals(other.uploads)
    octets = plain.read_bytes() if wrap == "zip" else packed.read_bytes()
    assert found.captures["sha256"].to_list() == [hashlib.sha256(octets).hexdigest()]
