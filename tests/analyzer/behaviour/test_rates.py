"""Rates per hour and state: exact sums, and intervals that hold what they promise."""

from itertools import pairwise
from math import floor

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from phonehome.analyzer.behaviour.rates import (
    FEWEST_BLOCKS,
    SHORTEST_BLOCK,
    TOO_LITTLE,
    _Blocks,
    _spread,
    rates,
)
from tests.analyzer.met import SECOND, contacts, met, phases
from tests.conftest import NAMES, sample

HOUR = 3_600


def uploads_of(table):
    return table.group_by("phase", "state", "country", "host", "remote_address").agg(
        pl.col("unique_bytes").filter("is_up").sum().alias("up_unique_bytes"),
        pl.col("unique_bytes").filter(~pl.col("is_up")).sum().alias("down_unique_bytes"),
        pl.col("packets").sum().alias("up_packets"),
    )


def found(rows, spans):
    table = contacts(*rows)
    first = table.select("flow", "phase", "host", "remote_address", "country", first_time="start")
    observed = [(0, max(end for _, _, end in spans) * SECOND)]
    return rates(met(*rows), uploads_of(table), first, phases(*spans), observed)


def test_a_rate_is_bytes_over_observed_time():
    rows = [{"at": at, "unique_bytes": 10} for at in range(0, HOUR // 2, 10)]
    table = found(rows, [("idle", 0, HOUR // 2), ("active", HOUR // 2, HOUR)])
    idle = table.filter(state="idle", dimension="all").to_dicts()[0]
    assert idle["up_unique_bytes"] == 1_800
    assert idle["up_unique_bytes_per_hour"] == 3_600
    assert (idle["low_per_hour"], idle["high_per_hour"]) == (3_600, 3_600)
    active = table.filter(state="active").to_dicts()
    assert [(row["dimension"], row["up_unique_bytes"], row["low_per_hour"]) for row in active] == [
        ("all", 0, 0)
    ]


def test_too_little_time_gives_no_interval():
    (row,) = (
        found([{"at": 5}], [("idle", 0, 60 * (FEWEST_BLOCKS - 1))])
        .filter(dimension="all")
        .to_dicts()
    )
    assert (row["low_per_hour"], row["high_per_hour"], row["remark"]) == (None, None, TOO_LITTLE)
    assert row["up_unique_bytes_per_hour"] > 0


def test_a_state_that_was_not_observed_has_no_row():
    assert set(found([{"at": 5}], [("idle", 0, HOUR)])["state"]) == {"idle"}


def test_hosts_say_in_which_state_they_were_met_first():
    rows = [
        {"at": 5},
        {"at": HOUR + 5, "phase": 2, "state": "active"},
        {"at": HOUR + 6, "phase": 2, "state": "active", "host": "b.example", "flow": 2},
    ]
    table = found(rows, [("idle", 0, HOUR), ("active", HOUR, 2 * HOUR)])
    met = table.filter(dimension="host").select("state", "key", "first_met").rows()
    assert sorted(met) == [
        ("active", "a.example", "idle"),
        ("active", "b.example", "active"),
        ("idle", "a.example", "idle"),
    ]


def test_intervals_hold_the_true_rate_about_as_often_as_they_say():
    """Contacts by chance, 40 to the hour, 200 bytes in mean: 8,000 bytes an hour are true."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(60):
        times = np.sort(rng.uniform(0, 2 * HOUR, rng.poisson(80)))
        sizes = rng.exponential(200, len(times)).astype(int)
        rows = [
            {"at": at, "unique_bytes": int(size)} for at, size in zip(times, sizes, strict=True)
        ]
        row = found(rows, [("idle", 0, 2 * HOUR)]).filter(dimension="all").to_dicts()[0]
        hits += row["low_per_hour"] <= 8_000 <= row["high_per_hour"]
    assert hits >= 50


@pytest.mark.parametrize("name", NAMES)
def test_sums_over_states_are_those_of_the_uploads(name):
    analysis = sample(name).analysis
    by_state = dict(
        analysis.rates.filter(dimension="all").select("state", "up_unique_bytes").iter_rows()
    )
    assert by_state == {
        state: sent
        for state, sent in analysis.summary.up_unique_bytes_by_state.items()
        if state in by_state
    }
    for dimension in ("country", "host"):
        of_keys = analysis.rates.filter(dimension=dimension).group_by("state")
        assert (
            dict(of_keys.agg(pl.col("up_unique_bytes").sum()).iter_rows()).items()
            <= by_state.items()
        )
    assert analysis.bursts["up_unique_bytes"].sum() == analysis.summary.up_unique_bytes


def test_flows_are_those_with_packets_in_the_state():
    rows = [
        {"at": 5},
        {"at": 9, "flow": 2, "host": "b.example"},
        {"at": HOUR + 5, "phase": 2, "state": "active"},
    ]
    table = found(rows, [("idle", 0, HOUR), ("active", HOUR, 2 * HOUR)])
    counts = table.filter(dimension="all").select("state", "flows").rows()
    assert sorted(counts) == [("active", 1), ("idle", 2)]
    assert table.filter(dimension="host", key="b.example")["flows"].to_list() == [1]


def test_many_short_phases_are_little_time_too():
    spans = [("idle" if at % 2 else "active", 10 * at, 10 * at + 10) for at in range(40)]
    rows = [
        {"at": 10 * at + 1, "phase": at + 1, "state": state} for at, (state, *_) in enumerate(spans)
    ]
    for row in found(rows, spans).filter(dimension="all").to_dicts():
        assert (row["blocks"], row["remark"], row["low_per_hour"]) == (20, TOO_LITTLE, None)


def test_a_stream_without_a_pause_is_a_rate_that_is_known_well():
    """One contact of an hour: were its bytes in one block, 0 to 3 times the rate would be found."""
    stream = {"at": 0, "end": HOUR, "unique_bytes": 3_600_000}
    row = found([stream], [("idle", 0, HOUR)]).filter(dimension="all").to_dicts()[0]
    assert (row["low_per_hour"], row["high_per_hour"]) == (3_600_000, 3_600_000)


def blocks_of(*spans):
    begins, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return _Blocks(begins, ends, SHORTEST_BLOCK)


def spread(contact, blocks):
    """What a contact of (start, last, bytes) gave to each block."""
    start, last, octets = contact
    first = max(int(np.searchsorted(blocks.begins, start, side="right")) - 1, 0)
    rows = {"flow": [1], "start": [start], "last": [last], "unique_bytes": [octets]}
    return dict(
        _spread(pl.DataFrame(rows | {"block": [first]}), blocks)
        .select("block", "unique_bytes")
        .rows()
    )


def spread_slowly(contact, blocks):
    """The same, block by block; a contact that no block holds stays in that of its begin."""
    start, last, octets = contact
    shared = [
        max(min(last, end) - max(start, begin), 0)
        for begin, end in zip(blocks.begins.tolist(), blocks.ends.tolist(), strict=True)
    ]
    if not sum(shared):
        return {max([at for at, begin in enumerate(blocks.begins) if begin <= start]): octets}
    cumulated = [floor(octets * (sum(shared[: at + 1]) / sum(shared))) for at in range(len(shared))]
    return {
        at: high - low for at, (low, high) in enumerate(pairwise([0, *cumulated])) if high > low
    }


@pytest.mark.parametrize("seed", range(40))
def test_bytes_are_spread_over_blocks_as_the_slow_twin_spreads_them(seed):
    rng = np.random.default_rng(seed)
    edges = np.unique(rng.integers(0, 4_096, 20))
    blocks = blocks_of(*zip(edges[:-1:2], edges[1::2], strict=False))
    for _ in range(20):
        start = int(rng.integers(blocks.begins[0], blocks.begins[-1]))
        contact = (start, int(rng.integers(start, 4_097)), int(rng.integers(1, 99_999)))
        given = {at: of for at, of in spread(contact, blocks).items() if of}
        assert sum(given.values()) == contact[-1]
        assert given == spread_slowly(contact, blocks)


def test_bytes_that_do_not_divide_add_up_all_the_same():
    blocks = blocks_of((0, 7), (7, 14), (14, 21), (30, 37))
    for octets in (1, 2, 100, 2**52 + 1):
        given = spread((1, 36, octets), blocks)
        assert sum(given.values()) == octets
        assert all(of >= 0 for of in given.values())


def test_a_contact_that_no_block_holds_stays_where_it_began():
    blocks = blocks_of((0, 10), (20, 30))
    assert spread((12, 20, 5), blocks) == {0: 5, 1: 0}


def test_many_long_contacts_are_spread_in_pieces(monkeypatch):
    rows = [{"at": at, "end": at + 600, "unique_bytes": 1_001} for at in range(0, 3_000, 7)]
    whole = found(rows, [("idle", 0, HOUR)])
    monkeypatch.setattr("phonehome.analyzer.behaviour.rates.MOST_SHARES", 100)
    assert_frame_equal(found(rows, [("idle", 0, HOUR)]), whole)
