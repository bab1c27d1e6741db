"""The sample captures: what the analysis says is held to what was really sent, to the byte."""

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.flows.hosts import IS_ADDRESS
from phonehome.analyzer.kinds.run import OTHER_DEVICES
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import LEDGER_OUTCOMES, Flows

COUNTS = [
    f"{way}_{what}"
    for way in ("up", "down")
    for what in ("packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes")
]
PARTS = {
    "link_header": "link_bytes",
    "ip_header": "ip_header_bytes",
    "transport_header": "transport_header_bytes",
    "payload_first": "unique_bytes",
    "payload_again": "retransmitted_bytes",
}


def rows(table, *columns):
    return sorted(map(repr, table.select(columns).rows()))


def phase_numbers(one):
    """Number in the phases table of each phase of the truth; None is outside the timeline."""
    table = one.analysis.phases
    covered = table.filter(pl.col("source") != "uncovered")["phase"].to_list()
    outside = table.filter(pl.col("source") == "uncovered")["phase"].to_list()
    return dict(enumerate(covered)) | {None: outside[0]}


def without_payload_of_control(flow):
    """The truth counts what stands behind IPv6 as payload; neighbour discovery carries none."""
    if flow["protocol"] != "icmp6":
        return {}
    return {name: 0 for name in flow if name.endswith(("payload_bytes", "unique_bytes"))}


def test_the_capture_is_described_as_it_is(each_sample):
    (row,) = each_sample.analysis.captures.with_columns(
        pl.col("first_time", "last_time").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    ).to_dicts()
    wanted = ("capture", "sha256", "packets", "wire_bytes", "first_time", "last_time")
    assert {name: row[name] for name in wanted} == {
        name: each_sample.truth[name] for name in wanted
    }
    assert (row["damage"], row["unread_bytes"], row["file_bytes"]) == (
        None,
        0,
        each_sample.capture.stat().st_size,
    )


def test_every_packet_has_the_outcome_that_the_truth_gives_it(each_sample):
    table = each_sample.analysis.ledger
    found = {
        row["outcome"]: {"packets": row["packets"], "wire_bytes": row["wire_bytes"]}
        for row in table.to_dicts()
    }
    assert found == each_sample.truth["ledger"]
    assert tuple(table["outcome"]) == LEDGER_OUTCOMES


def test_every_attributed_byte_has_the_category_that_the_truth_gives_it(each_sample):
    row = each_sample.analysis.ledger.row(0, named=True)
    found = {name: row[column] for name, column in PARTS.items()}
    assert found == each_sample.truth["attributed_bytes"]
    assert sum(found.values()) == row["wire_bytes"]


def test_the_phone_has_the_addresses_of_the_truth(each_sample):
    phones = each_sample.analysis.phones.filter("is_phone")
    assert sorted(phones["address"]) == sorted(each_sample.truth["phone_addresses"])


def test_the_phases_are_those_of_the_truth(each_sample):
    table = each_sample.analysis.phases.with_columns(
        pl.col("start", "end").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    )
    numbers = phase_numbers(each_sample)
    found = {row["phase"]: row for row in table.to_dicts()}
    for phase in each_sample.truth["phases"]:
        row = found[numbers[phase["phase"]]]
        assert {name: row[name] for name in ("start", "end", "state", "label")} == {
            name: phase[name] for name in ("start", "end", "state", "label")
        }
    assert len(found) == len(each_sample.truth["phases"]) + 1


def test_all_that_was_observed_is_in_exactly_one_phase(each_sample):
    capture = each_sample.analysis.captures.row(0, named=True)
    observed = each_sample.analysis.captures.select(
        (pl.col("last_time") - pl.col("first_time")).dt.total_nanoseconds()
    ).item()
    assert each_sample.analysis.phases["exposure"].dt.total_nanoseconds().sum() == observed
    assert capture["first_time"] < capture["last_time"]


def test_every_flow_is_as_in_the_truth(each_sample):
    columns = [name for name in each_sample.truth["flows"][0] if name in Flows.column_names()]
    assert set(columns) == set(each_sample.truth["flows"][0])
    found = (
        each_sample.analysis.flows.with_columns(
            pl.col("first_time", "last_time").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
        )
        .sort("first_frame")
        .select(columns)
        .to_dicts()
    )
    wanted = [flow | without_payload_of_control(flow) for flow in each_sample.truth["flows"]]
    assert found == sorted(wanted, key=lambda flow: flow["first_frame"])


def test_as_many_flows_of_each_role_as_in_the_truth(each_sample):
    counts = each_sample.analysis.flows.group_by("role").len()
    assert dict(counts.iter_rows()) == each_sample.truth["flow_counts"]


def test_every_destination_got_and_sent_what_the_truth_says(each_sample):
    found = (
        each_sample.analysis.flows.filter(pl.col("role") == "phone")
        .group_by("remote_address", "remote_port", "protocol")
        .agg(pl.col(COUNTS).sum())
    )
    wanted = [
        (one["address"], one["port"], one["protocol"], *(one["total"][name] for name in COUNTS))
        for one in each_sample.truth["destinations"]
    ]
    assert sorted(found.rows()) == sorted(wanted)


def test_every_destination_got_and_sent_in_each_phase_what_the_truth_says(each_sample):
    numbers = phase_numbers(each_sample)
    wanted = [
        (
            numbers[part["phase"]],
            part["state"],
            one["address"],
            one["host"],
            one["country"],
            one["asn"],
            *(part[name] for name in COUNTS),
        )
        for one in each_sample.truth["destinations"]
        for part in one["phases"]
    ]
    found = each_sample.analysis.uploads.select(
        "phase", "state", "remote_address", "host", "country", "asn", *COUNTS
    )
    assert sorted(found.rows(), key=repr) == sorted(wanted, key=repr)


def test_every_destination_has_the_name_that_the_truth_gives_it(each_sample):
    flows = each_sample.analysis.flows.filter(pl.col("role") == "phone")
    found = {
        (row["remote_address"], row["host"], row["host_source"], row["service"])
        for row in flows.to_dicts()
    }
    assert found == {
        (one["address"], one["host"], one["host_source"], one["service"])
        for one in each_sample.truth["destinations"]
    }


def test_every_name_that_can_be_read_is_read_and_no_other(each_sample):
    names = each_sample.analysis.names
    literal = names["name"].str.contains(IS_ADDRESS)
    found = set(names.filter(~literal).select("address", "port", "name", "source").rows())
    assert found == {
        (one["address"], one["port"], one["name"], one["source"])
        for one in each_sample.truth["names"]
    }


def test_a_host_header_that_is_an_address_is_sighted_and_names_nothing(each_sample):
    literal = each_sample.analysis.names.filter(pl.col("name").str.contains(IS_ADDRESS))
    nameless = [one for one in each_sample.truth["destinations"] if one["host"] is None]
    assert set(literal["name"]) == {one["address"] for one in nameless}
    hosts = each_sample.analysis.flows["host"].drop_nulls()
    assert not hosts.str.contains(IS_ADDRESS).any()


def test_every_name_cites_a_frame_of_the_conversation_it_is_about(each_sample):
    flows = each_sample.analysis.flows.filter(
        pl.col("host_source").is_in(["sni", "quic_sni", "http_host"])
    )
    assert (flows["host_frame"] >= flows["first_frame"]).all()
    assert (flows["host_frame"] <= flows["last_frame"]).all()
    assert flows.height > 0


def test_every_place_has_the_opinions_of_the_truth(each_sample):
    found = {row["address"]: row for row in each_sample.analysis.places.to_dicts()}
    for one in each_sample.truth["destinations"]:
        row = found[one["address"]]
        opinions = {
            said["database"].removesuffix("-country"): said["country"] for said in row["opinions"]
        }
        assert (row["country"], opinions, row["asn"]) == (
            one["country"],
            one["opinions"],
            one["asn"],
        )
        is_disputed = len(set(one["opinions"].values())) > 1
        assert row["verdict"] == ("disputed" if is_disputed else "unverifiable")


def test_the_countries_are_those_of_the_truth(each_sample):
    uploads = each_sample.analysis.uploads.filter(pl.col("up_unique_bytes") > 0)
    assert sorted(set(uploads["country"])) == sorted(each_sample.truth["countries"])
    assert each_sample.analysis.summary.countries == len(each_sample.truth["countries"])


def test_the_summary_adds_up_what_the_truth_says_of_each_state(each_sample):
    wanted = dict.fromkeys(("active", "background", "idle", "unknown"), 0)
    for one in each_sample.truth["destinations"]:
        for part in one["phases"]:
            wanted[part["state"]] += part["up_unique_bytes"]
    summary = each_sample.analysis.summary
    assert summary.up_unique_bytes_by_state == wanted
    assert summary.idle_share == wanted["idle"] / sum(wanted.values())
    assert (summary.is_balanced, summary.is_damaged) == (True, False)
    capture = each_sample.capture.name
    device, plain = each_sample.analysis.notes
    assert device == OTHER_DEVICES(capture=[capture], addresses=["192.168.43.23"])
    sent = sum(
        part["up_unique_bytes"]
        for one in each_sample.truth["destinations"]
        if one["service"] == "http"
        for part in one["phases"]
    )
    assert plain.startswith(f"{sent:,} bytes (")
    assert "uploaded in plain text" in plain
    assert each_sample.analysis.limits_hit == {}


@pytest.fixture(scope="module", params=["parrot-1.0", "parrot-2.0"])
def together(request, samples):
    """Three repetitions one by one, and all three in one analysis."""
    single = [samples(f"{request.param}/rep{number}") for number in (1, 2, 3)]
    settings = Settings(timelines=tuple(one.timeline for one in single))
    return single, analyze([one.capture for one in single], settings)


def test_repetitions_analysed_together_have_the_sums_of_the_single_ones(together):
    single, whole = together
    for column in COUNTS:
        for table in ("flows", "uploads"):
            wanted = sum(int(getattr(one.analysis, table)[column].sum()) for one in single)
            assert getattr(whole, table)[column].sum() == wanted, (table, column)
    for column in ("packets", "wire_bytes", *PARTS.values()):
        parts = [one.analysis.ledger[column].sum() for one in single]
        assert whole.ledger[column].sum() == sum(parts), column
    for way in ("up_unique_bytes", "down_unique_bytes"):
        wanted = sum(one.analysis.timeline[way].sum() for one in single)
        assert whole.timeline[way].sum() == wanted, way


def test_repetitions_analysed_together_keep_each_state_apart(together):
    single, whole = together
    for table in ("up_unique_bytes_by_state", "exposure_by_state"):
        for state, found in getattr(whole.summary, table).items():
            wanted = sum(getattr(one.analysis.summary, table)[state] for one in single)
            assert found == pytest.approx(wanted, abs=1e-6), (table, state)
    assert whole.summary.is_balanced


def test_repetitions_analysed_together_have_the_flows_of_the_single_ones(together):
    single, whole = together
    columns = [name for name in Flows.column_names() if name != "flow"]
    wanted = pl.concat([one.analysis.flows for one in single]).select(columns)
    assert whole.flows.select(columns).equals(wanted)
    assert whole.flows["flow"].to_list() == list(range(1, whole.flows.height + 1))


def test_the_order_of_the_files_changes_no_total(together):
    single, whole = together
    order = [single[2], single[0], single[1]]
    settings = Settings(timelines=tuple(one.timeline for one in order))
    other = analyze([one.capture for one in order], settings)
    assert other.summary == whole.summary
    assert rows(other.phases, *whole.phases.columns) == rows(whole.phases, *whole.phases.columns)
    assert other.uploads.equals(whole.uploads)
    assert other.timeline.equals(whole.timeline)
    assert other.places.equals(whole.places)
    for table in ("flows", "ledger", "captures", "names", "phones"):
        columns = [name for name in getattr(whole, table).columns if name != "flow"]
        assert rows(getattr(other, table), *columns) == rows(getattr(whole, table), *columns)


def test_what_was_planted_between_the_versions_is_seen(samples):
    old, new = samples("parrot-1.0/rep1"), samples("parrot-2.0/rep1")
    planted = new.truth["planted"]
    countries, addresses = (
        [set(one.analysis.uploads[column].drop_nulls()) for one in (old, new)]
        for column in ("country", "remote_address")
    )
    assert countries[1] - countries[0] == set(planted["new_countries"])
    assert countries[0] - countries[1] == set(planted["dropped_countries"])
    assert addresses[1] - addresses[0] == set(planted["new_addresses"])
    assert addresses[0] - addresses[1] == set(planted["dropped_addresses"])
