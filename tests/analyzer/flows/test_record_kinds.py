"""Kinds of what was uploaded: never more than was, and only where records say."""

import polars as pl
import pytest

from phonehome.analyzer.flows.record_kinds import KINDS, with_kinds
from tests.conftest import NAMES, sample


def told(service, sent, *of_kinds, is_local_b=False):
    row = {"service": service, "is_local_b": is_local_b, "up_unique_bytes": sent}
    ends = zip(KINDS, of_kinds, strict=True)
    row |= {
        f"{end}_{kind}_bytes": size if end == ("b" if is_local_b else "a") else 0
        for kind, size in ends
        for end in "ab"
    }
    table = with_kinds(pl.DataFrame([row], schema_overrides={"service": pl.String}))
    return table.select(f"up_{kind}_bytes" for kind in KINDS).row(0)


def test_kinds_are_those_of_the_phones_end():
    assert told("tls", 1_000, 300, 600, 5) == (300, 600, 5)
    assert told("quic", 1_000, 300, 0, 0, is_local_b=True) == (300, 700, 0)


def test_they_are_no_more_than_was_uploaded():
    assert told("tls", 500, 300, 600, 5) == (300, 200, 0)
    assert told("tls", 100, 300, 600, 5) == (100, 0, 0)


def test_of_other_services_there_are_none():
    assert told("http", 1_000, 300, 600, 5) == (None, None, None)
    assert told(None, 1_000, 300, 600, 5) == (None, None, None)


@pytest.mark.parametrize("name", NAMES)
def test_on_samples_records_account_for_all_that_tls_uploaded(name):
    flows = sample(name).analysis.flows.filter(pl.col("service") == "tls", role="phone")
    sums = flows.select(pl.sum_horizontal(f"up_{kind}_bytes" for kind in KINDS)).to_series()
    assert flows.height
    assert sums.to_list() == flows["up_unique_bytes"].to_list()
