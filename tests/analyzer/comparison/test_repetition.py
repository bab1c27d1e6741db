from datetime import timedelta

import polars as pl
import pytest

from phonehome.analyzer.comparison.repetition import in_all_spans, sent, spans, traits
from phonehome.analyzer.comparison.sides import observe
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import STATES


@pytest.fixture(scope="module")
def part(samples):
    (found,) = observe("new", [samples("parrot-2.0/rep1").capture], Settings()).observed
    return found


def test_every_way_to_add_up_what_was_sent_gives_the_same(part):
    table = sent(part, None)
    whole = table.filter(state="all")["up_unique_bytes"].sum()
    of_states = table.filter(pl.col("state") != "all", pl.col("label").is_null())
    assert whole == of_states["up_unique_bytes"].sum() == part.uploads["up_unique_bytes"].sum()
    active = table.filter(state="active")
    assert (
        active.filter(pl.col("label").is_null())["up_unique_bytes"].sum()
        == active.filter(pl.col("label").is_not_null())["up_unique_bytes"].sum()
    )


def test_a_flow_counts_once_over_all_states_and_once_in_each_that_it_lasted_into(part):
    push = sent(part, None).filter(
        pl.col("host") == "push.vendor.example", pl.col("label").is_null()
    )
    assert dict(push.select("state", "flows").rows())["all"] == 1
    assert set(push["flows"]) == {1}
    assert push.height > 2


def test_time_is_told_per_state_and_label_and_of_states_that_were_not_observed(part):
    table = spans(part)
    known = {(state, label): exposure for state, label, exposure in table.iter_rows()}
    assert known["idle", None] == known["idle", "screen off"] == timedelta(minutes=50)
    labels = [known["active", label] for label in ("in use", "in use again")]
    assert known["active", None] == sum(labels, timedelta())
    assert known["all", None] == sum((known[state, None] for state in STATES), timedelta())


def test_rows_are_told_whole_by_state_and_by_label_but_of_unknown_states_no_label():
    rows = pl.DataFrame({"state": ["idle", "unknown"], "label": ["night", "whole capture"]})
    assert in_all_spans(rows).rows() == [
        ("all", None),
        ("all", None),
        ("idle", None),
        ("unknown", None),
        ("idle", "night"),
    ]


def test_hosts_are_described_by_their_flows_and_their_beacons(part):
    table = traits(part, None)
    assert {
        ("push.vendor.example", "beacon", "idle"),
        ("push.vendor.example", "service", "tls"),
        ("backup.parrot.example", "tls_version", "1.2"),
        ("api.parrot.example", "place", "SG AS16509"),
        ("119.29.29.29", "service", "http"),
    } <= set(table.iter_rows())


def test_one_app_alone_counts_where_it_was_asked_for_and_apps_are_known(part):
    assert part.counting("org.example").height == part.counting(None).height
    named = part.flows.with_columns(
        pl.when(pl.col("host") == "cdn.parrot.example").then(pl.lit("org.example")).alias("app")
    )
    known = type(part)(**{**vars(part), "flows": named})
    assert set(known.counting("org.example")["host"]) == {"cdn.parrot.example"}
    assert set(sent(known, "org.example")["host"]) == {"cdn.parrot.example"}
    assert set(traits(known, "org.example")["key"]) == {"cdn.parrot.example"}
