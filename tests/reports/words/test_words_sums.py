from dataclasses import replace

import polars as pl
import pytest

from phonehome.reports.words import sums

CHAT = "com.example.chat"


@pytest.fixture
def part(rich):
    return sums.counted(rich)


def with_app(analysis, app, *, is_app_known=True):
    return replace(analysis, summary=replace(analysis.summary, app=app, is_app_known=is_app_known))


def test_all_traffic_counts_without_an_app(rich, part):
    assert part.uploads.height == rich.uploads.height
    assert part.rest_up_unique_bytes == 0


def test_an_app_counts_alone_and_the_others_are_the_remainder(rich):
    mine = sums.counted(with_app(rich, CHAT))
    assert set(mine.uploads["app"]) == {CHAT}
    assert set(mine.flows["app"]) == {CHAT}
    assert (
        mine.uploads["up_unique_bytes"].sum() + mine.rest_up_unique_bytes
        == rich.uploads["up_unique_bytes"].sum()
    )


def test_all_traffic_counts_where_apps_cannot_be_told_apart(rich):
    blind = sums.counted(with_app(rich, CHAT, is_app_known=False))
    assert blind.uploads.height == rich.uploads.height


def test_flows_that_are_not_the_phones_do_not_count(rich):
    flows = rich.flows.with_columns(
        role=pl.when(pl.col("flow") == 1).then(pl.lit("bystander")).otherwise("role")
    )
    assert sums.counted(replace(rich, flows=flows)).flows.height == rich.flows.height - 1


def test_countries_add_up_and_unknown_comes_last(rich, part):
    countries = sums.by_country(part.uploads, rich.places)
    assert countries["up"].sum() == rich.summary.up_unique_bytes
    assert countries["disputed"].sum() == rich.summary.disputed_up_unique_bytes
    assert countries["idle"].sum() == rich.summary.up_unique_bytes_by_state["idle"]
    assert countries["country"].to_list()[0] == "SG"
    assert countries["country"].to_list()[-1] is None
    assert countries["country"].drop_nulls().len() == rich.summary.countries


def test_a_disputed_country_names_the_others(rich, part):
    countries = sums.by_country(part.uploads, rich.places)
    others = dict(zip(countries["country"], countries["others"].to_list(), strict=True))
    assert others["HK"] == ["CN"]
    assert others["CA"] == ["US"]
    assert others["DE"] == []


def test_a_country_that_only_sent_is_no_destination_of_uploads(rich, part):
    assert "FR" not in sums.by_country(part.uploads, rich.places)["country"]


def test_phases_add_up_and_an_empty_one_stays(rich, part):
    idle = part.uploads.filter(pl.col("state") == "idle")
    phases = sums.by_phase(idle, rich.phases)
    assert phases["up"].to_list() == [0, 0, rich.summary.up_unique_bytes_by_state["idle"]]
    assert phases["up_per_hour"].to_list() == [0.0, 0.0, pytest.approx(336_100)]


def test_the_rate_of_much_is_no_other_number(rich, part):
    much = part.uploads.with_columns(pl.col("up_unique_bytes") * 10_000)
    few, many = (sums.by_phase(table, rich.phases) for table in (part.uploads, much))
    assert many["up_per_hour"].to_list() == pytest.approx(
        [10_000 * rate for rate in few["up_per_hour"]]
    )


def test_a_phase_that_nobody_observed_has_no_rate(rich, part):
    blind = rich.phases.with_columns(exposure=pl.lit(0).cast(pl.Duration("ns")))
    assert sums.by_phase(part.uploads.clear(), blind)["up_per_hour"].to_list() == [None] * 3


def test_sources_of_names_add_up(rich, part):
    sources = sums.by_source(part.flows)
    assert sources["up"].sum() == rich.summary.up_unique_bytes
    assert sources["host_source"].to_list()[-1] is None
    assert sources["up"].to_list()[-1] == rich.summary.unnamed_up_unique_bytes


def test_parties_add_up_to_what_was_uploaded(rich, part):
    uploads = part.uploads.with_columns(
        party=pl.when(pl.col("country") == "CN").then(pl.lit("first")),
        organisation=pl.when(pl.col("country") == "CN").then(pl.col("host")),
    )
    parties = sums.by_party(uploads)
    assert parties["up"].sum() == rich.summary.up_unique_bytes
    assert parties["party"].to_list() == ["first", None]
    own = uploads.filter(pl.col("party") == "first").group_by("host").agg(sums.UP.sum())
    most = own.sort(-pl.col("up_unique_bytes"), "host")["host"].drop_nulls().head(3).to_list()
    assert parties["names"].to_list() == [most, []]
