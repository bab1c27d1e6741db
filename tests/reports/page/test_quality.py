from dataclasses import replace

import polars as pl
import pytest

from phonehome.reports.page.quality import quality


def with_capture(analysis, **changed):
    return replace(
        analysis,
        captures=analysis.captures.with_columns(
            pl.lit(value, dtype=analysis.captures.schema[name]).alias(name)
            for name, value in changed.items()
        ),
    )


def special(analysis):
    return {row.found: row.count for row in quality(analysis) if row.is_special}


def clean(rich):
    nothing = rich.oddities.clear()
    return replace(with_capture(rich, backward_steps=0), oddities=nothing)


def test_a_clean_capture_has_only_what_is_true_of_all(rich):
    rows = quality(clean(rich))
    assert [row.is_special for row in rows] == [False]
    assert rows[0].count == rich.captures["packets"].sum()
    assert "check sums" in rows[0].found


def test_losses_that_nobody_recorded_are_unknown_not_none(rich):
    rows = quality(with_capture(clean(rich), dropped_packets=None))
    assert [(row.count is None, row.is_special) for row in rows] == [(True, False), (False, False)]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("unread_bytes", "Bytes that could not be read"),
        ("gap_bytes", "Bytes missing inside TCP streams"),
        ("dropped_packets", "Packets that the file says were lost"),
        ("giant_packets", "Packets longer than a link carries (1,500 bytes of IP)"),
        ("tool_bytes", "Bytes that the capture tool added to packets"),
        ("backward_steps", "Times that run back"),
        ("snapped_packets", "Packets cut by a snap length"),
        (
            "marked_again_new_packets",
            "Packets that the phone marks as sent again, with payload that is not there before",
        ),
    ],
)
def test_each_count_of_a_capture_has_its_row(rich, column, found):
    assert special(with_capture(clean(rich), **{column: 7})) == {found: 7}


@pytest.mark.parametrize("kind", ["link_type_unknown", "ip_length_zero", "time_far_off"])
def test_each_kind_of_oddity_has_its_row(rich, kind):
    odd = rich.oddities.head(1).with_columns(
        pl.lit(kind).alias("kind"), pl.lit(3, dtype=pl.Int64).alias("count")
    )
    assert list(special(replace(clean(rich), oddities=odd)).values()) == [3]


def test_captures_without_link_headers_were_made_inside_the_phone(rich):
    found = special(with_capture(clean(rich), link_types=[101]))
    assert found == {
        "Packets without a link header, or from an app that captures through a VPN": rich.captures[
            "packets"
        ].sum()
    }


@pytest.mark.parametrize(
    ("source", "begins"),
    [
        ("pcapdroid_trailer", "Packets without a link header"),
        ("pymobiledevice3", "Packets whose time"),
    ],
)
def test_the_tool_that_names_apps_tells_how_it_captures(rich, source, begins):
    flows = rich.flows.with_columns(pl.lit(source).alias("app_source"))
    ((found, count),) = special(replace(clean(rich), flows=flows)).items()
    assert found.startswith(begins)
    assert count == flows["up_packets"].sum() + flows["down_packets"].sum()


def test_copies_are_counted_from_the_ledger(rich):
    ledger = rich.ledger.with_columns(pl.lit("duplicate").alias("outcome"))
    found = special(replace(clean(rich), ledger=ledger))
    assert found == {"Packets met on a second interface": ledger["packets"].sum()}


def test_captures_without_time_are_told(rich):
    found = special(with_capture(clean(rich), first_time=None, last_time=None))
    assert list(found) == ["Packets of captures without any time"]
