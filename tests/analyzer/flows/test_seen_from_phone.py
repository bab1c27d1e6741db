"""Flows: whose they are, which end is local, and that no packet is lost between tables."""

import polars as pl
import pytest

from phonehome import geo
from phonehome.analyzer.flows.seen_from_phone import (
    directed,
    flow_sums,
    parts_by_role,
    scope_of,
    seen_from_phone,
)
from phonehome.analyzer.tables import ROLES
from tests.analyzer.crafted import conversations, side, tallied
from tests.small_captures import (
    LAPTOP,
    LAPTOP_MAC,
    OTHER_REMOTE,
    PHONE,
    PHONE_SIX,
    PRINTER,
    REMOTE,
    REMOTE_SIX,
    ROUTER_MAC,
    ethernet,
    household,
    tcp,
    udp,
)

MINE = (PHONE, PHONE_SIX)
ENDS = ("local_address", "local_port", "remote_address", "remote_port")


def seen(*rows, phone=MINE):
    table = conversations(*rows)
    addresses = {*table["a_address"], *table["b_address"]}
    return seen_from_phone(table, {one: geo.scope(one) for one in addresses}, phone)


@pytest.mark.parametrize(
    ("one", "other", "role"),
    [
        (PHONE, REMOTE, "phone"),
        (PHONE_SIX, REMOTE_SIX, "phone"),
        (PHONE_SIX, "64:ff9b::3417:3d0e", "phone"),
        (PHONE_SIX, "2001:0:4136:e378:8000:63bf:3fff:fdd2", "phone"),
        (PHONE, PRINTER, "local"),
        (PHONE, "127.0.0.1", "local"),
        (PHONE, "224.0.0.251", "local"),
        (PHONE, "255.255.255.255", "local"),
        (PHONE, "240.0.0.1", "local"),
        (PHONE, PHONE_SIX, "local"),
        (PHONE, PHONE, "local"),
        (LAPTOP, REMOTE, "bystander"),
        (LAPTOP, PRINTER, "bystander"),
        (LAPTOP, "224.0.0.251", "local"),
        ("0.0.0.0", "255.255.255.255", "local"),  # noqa: S104 - DHCP
        (REMOTE, OTHER_REMOTE, "bystander"),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_the_role_of_a_flow_follows_from_its_two_ends(one, other, role, is_turned):
    ends = (other, 2, one, 1) if is_turned else (one, 1, other, 2)
    row = seen(("udp", *ends)).row(0, named=True)
    assert row["role"] == role
    assert role in ROLES


@pytest.mark.parametrize("is_turned", [False, True])
def test_the_phone_is_the_local_end_whoever_sent_first(is_turned):
    ends = (REMOTE, 443, PHONE, 50) if is_turned else (PHONE, 50, REMOTE, 443)
    row = seen(("tcp", *ends)).row(0, named=True)
    assert [row[name] for name in ENDS] == [PHONE, 50, REMOTE, 443]
    assert row["is_local_b"] is is_turned


def test_the_local_end_of_others_is_the_one_that_sent_first():
    rows = seen(("udp", LAPTOP, 1, REMOTE, 2), ("udp", REMOTE, 2, LAPTOP, 3)).rows(named=True)
    assert [[row[name] for name in ENDS] for row in rows] == [
        [LAPTOP, 1, REMOTE, 2],
        [REMOTE, 2, LAPTOP, 3],
    ]


def test_between_two_addresses_of_the_phone_the_first_sender_is_local():
    row = seen(("udp", PHONE_SIX, 1, PHONE, 2)).row(0, named=True)
    assert [row[name] for name in ENDS] == [PHONE_SIX, 1, PHONE, 2]


def test_without_a_phone_everything_is_of_bystanders_or_groups():
    rows = seen(("udp", PHONE, 1, REMOTE, 2), ("udp", PHONE, 1, "224.0.0.1", 2), phone=())
    assert rows["role"].to_list() == ["bystander", "local"]


def test_ports_that_a_protocol_does_not_have_stay_unknown():
    row = seen(("icmp", REMOTE, None, PHONE, None)).row(0, named=True)
    assert [row[name] for name in ENDS] == [PHONE, None, REMOTE, None]


def test_up_is_from_the_phone_also_where_the_remote_sent_first():
    table = seen(("tcp", REMOTE, 443, PHONE, 50))
    sides = tallied(side(0, payload_bytes=7), side(0, is_from_b=True, payload_bytes=5)).sides
    (row,) = directed(table, sides).to_dicts()
    assert (row["down_payload_bytes"], row["up_payload_bytes"]) == (7, 5)


def test_a_direction_without_packets_counts_nothing():
    (row,) = directed(seen(("tcp", PHONE, 1, REMOTE, 2)), tallied(side(0)).sides).to_dicts()
    assert (row["up_packets"], row["down_packets"], row["down_wire_bytes"]) == (1, 0, 0)


def test_phases_stay_apart_and_add_up_to_the_flow():
    table = seen(("tcp", PHONE, 1, REMOTE, 2))
    sides = tallied(
        side(0, code=1, unique_bytes=3, first_time=10, last_time=20, first_frame=4, last_frame=9),
        side(0, code=3, unique_bytes=4, first_time=5, last_time=7, first_frame=2, last_frame=3),
    ).sides
    per_phase = directed(table, sides)
    assert sorted(per_phase.select("code", "up_unique_bytes").rows()) == [(1, 3), (3, 4)]
    (row,) = (
        flow_sums(per_phase)
        .with_columns(pl.col("first_time", "last_time").to_physical())
        .to_dicts()
    )
    assert (row["up_unique_bytes"], row["first_time"], row["last_time"]) == (7, 5, 20)
    assert (row["first_frame"], row["last_frame"]) == (2, 9)


def test_sums_by_role_are_those_of_the_sides():
    table = seen(("tcp", PHONE, 1, REMOTE, 2), ("tcp", LAPTOP, 1, REMOTE, 2))
    sums = parts_by_role(table, tallied(side(0), side(0, is_from_b=True), side(1, packets=5)))
    assert dict(sums.select("role", "packets").iter_rows()) == {"phone": 2, "bystander": 5}
    assert dict(sums.select("role", "wire_bytes").iter_rows()) == {"phone": 200, "bystander": 100}


def test_an_address_without_a_scope_is_a_mistake_of_ours():
    table = conversations(("udp", PHONE, 1, REMOTE, 2))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        table.select(scope_of("a_address", {REMOTE: "global"}))


def test_a_flow_that_the_remote_opened_is_still_the_phones(analysed):
    frames = [
        ethernet(tcp((REMOTE, 443), (PHONE, 50), b"down"), ROUTER_MAC, "0a1b2c3d4e17"),
        *household(),
        ethernet(tcp((PHONE, 50), (REMOTE, 443), b"up!")),
    ]
    table = analysed(frames).flows
    row = table.filter(pl.col("local_port") == 50).row(0, named=True)
    assert (row["role"], row["local_address"], row["flow"]) == ("phone", PHONE, 1)
    assert (row["up_payload_bytes"], row["down_payload_bytes"]) == (3, 4)
    assert (row["first_frame"], row["last_frame"]) == (1, len(frames))


def test_flows_are_numbered_by_capture_and_first_frame(analysed):
    table = analysed(household(), household()).flows
    assert table["flow"].to_list() == list(range(1, table.height + 1))
    assert table.select("capture", "first_frame").equals(
        table.sort("capture", "first_frame").select("capture", "first_frame")
    )


def test_bystanders_and_neighbours_have_no_uploads(analysed):
    analysis = analysed(household())
    assert set(analysis.uploads["remote_address"]) == {REMOTE, REMOTE_SIX, OTHER_REMOTE}
    to_other = analysis.uploads.filter(pl.col("remote_address") == OTHER_REMOTE)
    assert to_other["up_unique_bytes"].to_list() == [120]  # the phone's, not the laptop's


def test_only_remotes_of_the_phone_and_its_neighbourhood_have_places(analysed):
    frames = household()
    frames.append(ethernet(udp((LAPTOP, 1), ("95.216.3.4", 2), b"x"), LAPTOP_MAC))
    places = analysed(frames).places
    assert "95.216.3.4" not in places["address"]
    assert {REMOTE, PRINTER, "224.0.0.251"} <= set(places["address"])


def test_labels_of_the_run_stand_in_every_flow(analysed):
    table = analysed(household(), version="8.0.50").flows
    assert set(table["version"]) == {"8.0.50"}
    assert table["app"].null_count() == table.height
