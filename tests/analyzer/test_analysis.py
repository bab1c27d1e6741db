"""The whole way from files to tables: what must not change a total, and what must."""

import random
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.spans import TimelineError
from phonehome.captures.errors import CaptureError
from phonehome.captures.limits import Limits
from phonehome.geo import GeoError
from tests.small_captures import (
    HOST,
    LAPTOP,
    LAPTOP_MAC,
    OTHER_REMOTE,
    PHONE,
    PHONE_SIX,
    REMOTE,
    ROUTER_MAC,
    SECOND,
    SYN,
    Frame,
    connection,
    ethernet,
    household,
    pcap,
    pcapng,
    put,
    tcp,
    udp,
)

MINE = Settings(phones=(PHONE, PHONE_SIX))
COUNTS = [
    f"{way}_{what}"
    for way in ("up", "down")
    for what in ("packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes")
]
ACCOUNTS = ["packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes"]


def accounts(analysis):
    """Ledger of all captures together."""
    sums = analysis.ledger.group_by("outcome").agg(pl.col(ACCOUNTS).sum()).sort("outcome")
    return sums.rows()


def remotes(analysis, *counts):
    """What each remote of the phone got and sent."""
    of_phone = analysis.flows.filter(pl.col("role") == "phone")
    sums = of_phone.group_by("remote_address").agg(pl.col(counts or COUNTS).sum())
    return sums.sort("remote_address").rows()


def is_opening(frame):
    """Whether it is a TCP segment with SYN."""
    octets = frame.octets[14:]
    at, protocol = (20, octets[9]) if octets[0] == 0x45 else (40, octets[6])
    return frame.octets[12:14] != b"\x08\x06" and protocol == 6 and octets[at + 13] & SYN


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("captures")


@pytest.fixture(scope="module")
def whole(folder):
    return analyze([put(folder / "whole.pcap", pcap(household()))], MINE)


def without_file(table):
    """A table without what names or describes the file."""
    names = ("capture", "sha256", "file_bytes", "format", "compression", "other_blocks")
    return table.drop(name for name in (*names, "dropped_packets") if name in table.columns)


@pytest.mark.parametrize(
    ("name", "container"),
    [
        ("big.pcap", lambda frames: pcap(frames, order=">")),
        ("nano.pcap", lambda frames: pcap(frames, unit=1)),
        ("big-nano.pcap", lambda frames: pcap(frames, order=">", unit=1)),
        ("packed.pcap.gz", pcap),
        ("little.pcapng", pcapng),
        ("big.pcapng", lambda frames: pcapng(frames, order=">")),
        ("micro.pcapng", lambda frames: pcapng(frames, resolution=6)),
        ("packed.pcapng.gz", pcapng),
        ("no-suffix", pcapng),
    ],
)
def test_the_container_changes_nothing(folder, whole, name, container):
    frames = [Frame(one.octets, one.time // 1_000 * 1_000) for one in household()]
    reference = analyze([put(folder / "micro.pcap", pcap(frames))], MINE)
    other = analyze([put(folder / name, container(frames))], MINE)
    for table in (
        "flows",
        "names",
        "ledger",
        "phones",
        "captures",
        "phases",
        "uploads",
        "timeline",
    ):
        wanted, found = without_file(getattr(reference, table)), without_file(getattr(other, table))
        assert found.equals(wanted), table
    assert other.summary == reference.summary
    assert accounts(other) == accounts(whole)


@pytest.mark.parametrize("cut", range(1, 29, 3))
def test_a_capture_cut_in_two_has_the_same_totals(folder, whole, cut):
    frames = household()
    paths = [
        put(folder / "head.pcap", pcap(frames[:cut])),
        put(folder / "tail.pcap", pcap(frames[cut:])),
    ]
    parts = analyze(paths, MINE)
    plain = [name for name in COUNTS if not name.endswith("unique_bytes")]
    assert remotes(parts, *plain) == remotes(whole, *plain)
    assert [row[:5] for row in accounts(parts)] == [row[:5] for row in accounts(whole)]
    again = int(parts.summary.up_unique_bytes) - int(whole.summary.up_unique_bytes)
    assert again in {0, 900}  # the upload that is sent twice, once in each part
    assert parts.summary.is_balanced


def test_a_repetition_in_another_file_is_not_known_as_one(folder, whole):
    frames = household()
    (at,) = [
        at for at, one in enumerate(frames) if one.octets in {two.octets for two in frames[:at]}
    ]
    paths = [
        put(folder / "head.pcap", pcap(frames[:at])),
        put(folder / "tail.pcap", pcap(frames[at:])),
    ]
    assert analyze(paths, MINE).summary.up_unique_bytes == whole.summary.up_unique_bytes + 900


@pytest.mark.slow
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_the_packets_changes_no_total(folder, whole, seed):
    """Only what opens a connection comes first: a SYN with another number begins it anew."""
    frames = household()
    openings = [frame for frame in frames if is_opening(frame)]
    others = [frame for frame in frames if not is_opening(frame)]
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    order.shuffle(openings)
    order.shuffle(others)
    mixed = analyze([put(folder / "mixed.pcap", pcap(openings + others))], MINE)
    assert accounts(mixed) == accounts(whole)
    assert remotes(mixed) == remotes(whole)
    assert mixed.summary.first_time == whole.summary.first_time
    assert mixed.summary.last_time == whole.summary.last_time
    assert mixed.summary.is_balanced


def test_traffic_of_others_changes_only_what_others_did(folder, whole):
    others = [
        ethernet(octets, LAPTOP_MAC, ROUTER_MAC).at(20)
        for octets in connection((LAPTOP, 9), (REMOTE, 443), [("up", b"z" * 500)])
    ]
    frames = [*household(), *others]
    more = analyze([put(folder / "more.pcap", pcap(frames))], MINE)
    before, after = dict_of(accounts(whole)), dict_of(accounts(more))
    assert {name for name in before if before[name] != after[name]} == {"bystander"}
    assert after["bystander"][0] - before["bystander"][0] == len(others)
    assert remotes(more) == remotes(whole)
    for table in ("uploads", "names", "timeline"):
        assert without_file(getattr(more, table)).equals(without_file(getattr(whole, table))), table
    assert more.summary.up_unique_bytes_by_state == whole.summary.up_unique_bytes_by_state


def dict_of(rows):
    return {outcome: numbers for outcome, *numbers in rows}


@pytest.mark.parametrize("copies", [2, 3])
def test_packets_that_come_again_are_payload_again_and_upload_once(folder, copies):
    frames = [
        ethernet(octets)
        for octets in connection((PHONE, 5), (REMOTE, 443), [("up", b"x" * 700), ("up", b"y" * 90)])
        if octets[12:16] == bytes([192, 168, 43, 17])
    ]
    once = analyze([put(folder / "once.pcap", pcap(frames))], MINE).flows.row(0, named=True)
    repeated = [frame for frame in frames for _ in range(copies)]
    again = analyze([put(folder / "again.pcap", pcap(repeated))], MINE).flows.row(0, named=True)
    assert again["up_unique_bytes"] == once["up_unique_bytes"] == 790
    for name in ("packets", "wire_bytes", "ip_bytes", "payload_bytes"):
        assert again[f"up_{name}"] == copies * once[f"up_{name}"]


def test_datagrams_that_come_again_are_new_each_time(folder):
    frames = [ethernet(udp((PHONE, 5), (REMOTE, 9), b"x" * 40))] * 3
    (row,) = analyze([put(folder / "udp.pcap", pcap(frames))], MINE).flows.to_dicts()
    assert (row["up_payload_bytes"], row["up_unique_bytes"]) == (120, 120)


def test_a_snap_length_changes_no_count(folder, whole):
    cut = [Frame(one.octets[:96], one.time, len(one.octets)) for one in household()]
    snapped = analyze([put(folder / "snapped.pcap", pcap(cut))], MINE)
    assert accounts(snapped) == accounts(whole)
    assert remotes(snapped) == remotes(whole)
    assert snapped.captures["snapped_packets"].item() > 0


def test_later_clocks_move_times_and_nothing_else(folder, whole):
    later = [Frame(one.octets, one.time + 86_400 * SECOND) for one in household()]
    moved = analyze([put(folder / "later.pcap", pcap(later))], MINE)
    columns = [
        name for name in whole.flows.columns if name not in {"capture", "first_time", "last_time"}
    ]
    assert moved.flows.select(columns).equals(whole.flows.select(columns))
    assert accounts(moved) == accounts(whole)


def test_small_windows_change_nothing(folder, whole, monkeypatch):
    monkeypatch.setattr("phonehome.captures.decoding.decode.WINDOW_BYTES", 4_096)
    monkeypatch.setattr("phonehome.captures.decoding.decode.RECORDS", 3)
    small = analyze([folder / "whole.pcap"], MINE)
    for table in ("flows", "names", "ledger", "phones", "uploads", "timeline", "oddities"):
        assert getattr(small, table).equals(getattr(whole, table)), table


def test_two_runs_give_the_same_tables(folder, whole):
    again = analyze([folder / "whole.pcap"], MINE)
    for name in ("captures", "phones", "flows", "names", "places", "phases", "uploads", "ledger"):
        assert getattr(again, name).equals(getattr(whole, name)), name
    assert again.summary == whole.summary


def test_two_captures_of_one_name_are_told_apart(folder):
    for part, frames in (("a", household()), ("b", household()[:-1])):
        (folder / part).mkdir()
        put(folder / part / "same.pcap", pcap(frames))
    analysis = analyze([folder / "a", folder / "b"], MINE)
    assert analysis.captures["capture"].to_list() == ["a/same.pcap", "b/same.pcap"]
    assert set(analysis.ledger["capture"]) == {"a/same.pcap", "b/same.pcap"}
    assert analysis.summary.is_balanced


def test_progress_goes_from_nothing_to_all_bytes_of_all_captures(folder, whole):
    seen = []
    paths = [folder / "whole.pcap", put(folder / "second.pcap", pcap(household()[:5]))]
    analyze(paths, MINE, progress=lambda done, total: seen.append((done, total)))
    total = sum(path.stat().st_size for path in paths)
    assert {of for _, of in seen} == {total}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == total
    assert whole.summary.is_balanced


@pytest.mark.parametrize("container", [pcap, pcapng])
def test_captures_without_a_packet_are_refused_together(folder, container):
    paths = [put(folder / f"none-{container.__name__}-{at}", container([])) for at in (1, 2)]
    with pytest.raises(CaptureError, match="no packet to analyse") as caught:
        analyze(paths, Settings())
    assert all(str(path) in str(caught.value) for path in paths)


def test_an_empty_capture_beside_a_full_one_is_a_row_of_zeros(folder, whole):
    empty = put(folder / "none.pcap", pcap([]))
    analysis = analyze([empty, folder / "whole.pcap"], MINE)
    assert analysis.captures["packets"].to_list() == [len(household()), 0]
    assert remotes(analysis) == remotes(whole)
    assert analysis.summary.is_balanced
    assert any("none.pcap" in note for note in analysis.notes)


def test_a_timeline_that_cannot_be_used_is_refused_before_a_capture_is_read(folder):
    missing = Settings(timelines=(Path("/nowhere/timeline.csv"),))
    with pytest.raises(TimelineError):
        analyze([folder / "whole.pcap"], missing, progress=lambda *_: pytest.fail("was read"))


def test_a_database_that_cannot_be_used_is_refused(folder):
    with pytest.raises(GeoError):
        analyze([folder / "whole.pcap"], Settings(databases=(folder / "whole.pcap",)))


def test_databases_of_the_user_stand_in_the_place_of_the_shipped_ones(folder, whole):
    shipped = Path(__file__).parents[2] / "geo" / "data"
    own = Settings(phones=MINE.phones, databases=(shipped / "ipfire-country.mmdb",))
    analysis = analyze([folder / "whole.pcap"], own)
    assert analysis.databases.height == 1
    assert whole.databases.height > 1
    assert remotes(analysis) == remotes(whole)


def test_a_limit_that_bites_is_counted_and_shown(folder, whole):
    few = Settings(phones=MINE.phones, limits=Limits(conversations=2))
    analysis = analyze([folder / "whole.pcap"], few)
    left_out = dict(analysis.ledger.select("outcome", "packets").iter_rows())["limit"]
    assert left_out > 0
    assert analysis.limits_hit["conversations"] > 0
    assert analysis.flows.height == 2
    assert analysis.ledger["packets"].sum() == whole.ledger["packets"].sum()
    assert analysis.summary.is_balanced


def test_port_reuse_is_one_flow_whose_uploads_add_up(folder):
    """The same ports again, with other sequence numbers: nothing of it was sent before."""
    first = connection((PHONE, 5), (REMOTE, 443), [("up", b"x" * 100)])
    second = [
        tcp((PHONE, 5), (REMOTE, 443), seq=70_000, ack=0, flags=2),
        tcp((PHONE, 5), (REMOTE, 443), b"z" * 30, seq=70_001),
    ]
    frames = [ethernet(octets) for octets in (*first, *second)]
    flows = analyze([put(folder / "reuse.pcap", pcap(frames))], MINE).flows
    assert flows["up_unique_bytes"].sum() == 130


def test_times_of_flows_and_captures_are_utc(whole):
    first = whole.flows["first_time"][0]
    assert first.tzinfo is not None
    assert first.utcoffset().total_seconds() == 0
    assert whole.captures["first_time"][0] == datetime(2026, 9, 28, 12, 53, 20, tzinfo=UTC)


def test_the_household_is_as_it_was_written(whole):
    """The numbers that the tests above compare, once by hand."""
    assert dict_of(accounts(whole))["attributed"][0] == 12
    assert dict_of(accounts(whole))["non_ip"][:2] == [1, 42]
    assert whole.summary.hosts == 1
    assert HOST in set(whole.flows["host"])
    sent = dict(
        whole.flows.filter(pl.col("role") == "phone")
        .select("remote_address", "up_unique_bytes")
        .iter_rows()
    )
    assert sent[OTHER_REMOTE] == 120
    assert sent["2a01:4f8:c17:b0f::2"] == 90
