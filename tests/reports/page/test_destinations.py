import pytest

from phonehome.reports.page.destinations import destinations
from phonehome.reports.words import sums


@pytest.fixture
def part(rich):
    return sums.counted(rich)


def test_destinations_add_up_and_come_largest_first(rich, part):
    found = destinations(part, rich.places)
    assert found.other is None
    assert found.total["up"] == rich.summary.up_unique_bytes
    assert found.total["down"] == rich.summary.down_unique_bytes
    uploaded = [row["up"] for row in found.rows]
    assert uploaded == sorted(uploaded, reverse=True)
    assert sum(row["idle"] for row in found.rows) == found.total["idle"]


def test_destinations_beyond_the_bound_are_one_row_that_keeps_the_total(rich, part):
    found = destinations(part, rich.places, most=5)
    assert len(found.rows) == 5
    assert found.other_rows == 8
    assert sum(row["up"] for row in found.rows) + found.other["up"] == found.total["up"]


def test_an_address_with_two_names_is_two_destinations(rich, part):
    rows = [
        row
        for row in destinations(part, rich.places).rows
        if row["remote_address"] == "43.153.232.152"
    ]
    assert [row["host"] for row in rows] == ["sg.chat.example", "log.chat.example"]
    assert all(row["is_shared"] for row in rows)


def test_an_unnamed_destination_keeps_its_flows(rich, part):
    (row,) = (
        row
        for row in destinations(part, rich.places).rows
        if row["remote_address"] == "2402:4e00::1"
    )
    assert (row["host"], row["flows"], row["remote_ports"]) == (None, 1, [8080])


def test_a_destination_names_source_frame_and_capture_of_its_name(rich, part):
    row = destinations(part, rich.places).rows[1]
    assert (row["host_source"], row["host_frame"], row["capture"]) == ("sni", 13, "walk.pcapng")
