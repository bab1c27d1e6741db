from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from phonehome.analyzer.comparison.setup_differences import differences
from phonehome.analyzer.comparison.version_labels import Told
from phonehome.analyzer.settings import Settings
from tests.made_sides import Repetition, Sent, side

ONE = Repetition((Sent(1),))


def said(base, new, base_options=None, new_options=None):
    sides = side("base", *base, **base_options or {}), side("new", *new, **new_options or {})
    return " ".join(differences(*sides, same_within=0.1))


def test_sides_that_were_observed_alike_differ_in_nothing():
    assert said([ONE, ONE], [ONE, ONE]) == ""


@pytest.mark.parametrize(
    ("base", "new", "sentence"),
    [
        (
            [Repetition((), {"active": 1.0})] * 2,
            [Repetition((), {"active": 1.0, "idle": 1.0})] * 2,
            "idle time was observed on new alone; base has none to compare.",
        ),
        (
            [Repetition((), {"active": 1.0, "idle": 1.0})] * 2,
            [Repetition((), {"active": 1.0, "idle": 3.0})] * 2,
            "active 50.0% and 25.0%, idle 50.0% and 75.0%",
        ),
        ([ONE, ONE], [ONE, ONE, ONE], "Repetitions: 2 on base, 3 on new."),
        ([ONE], [ONE, ONE], "base is a single repetition"),
        (
            [ONE, ONE],
            [ONE, ONE._replace(phone="10.0.0.2")],
            "Phone addresses: 192.168.43.17 on base, 10.0.0.2, 192.168.43.17 on new.",
        ),
        (
            [ONE, ONE._replace(timeline_source=None)],
            [ONE, ONE],
            "base: base2.pcap has no timeline, the others have one.",
        ),
        (
            [ONE, ONE._replace(is_saved=True, captures=3)],
            [ONE, ONE],
            "base: the saved analysis base2.pcap of 3 captures counts as one repetition",
        ),
        (
            [ONE, ONE],
            [ONE, ONE._replace(damage="cut")],
            "new: part of new2.pcap could not be read.",
        ),
        (
            [ONE, ONE],
            [ONE._replace(dropped=7), ONE],
            "new: the files record 7 packets lost while capturing.",
        ),
        (
            [ONE._replace(file="x.pcap"), ONE],
            [ONE._replace(file="x.pcap"), ONE],
            "On both sides: x.pcap.",
        ),
        (
            [ONE._replace(file="x.pcap"), ONE._replace(file="x.pcap")],
            [ONE, ONE],
            "base: x.pcap, x.pcap are the same file and count each time.",
        ),
    ],
)
def test_what_differs_is_said(base, new, sentence):
    assert sentence in said(base, new)


def test_other_databases_are_said_with_the_addresses_that_they_moved():
    elsewhere = Repetition((Sent(1, country="CA"),))
    text = said([ONE, ONE], [elsewhere] * 2, new_options={"database": "b" * 64})
    assert "Databases: dbip of 2026-06-01 on base; dbip of 2026-06-01 on new." in text
    assert "They place 1 of 1 addresses that both sides know in another country or ASN" in text


def test_captures_made_in_another_way_are_told():
    cut = side("new", ONE)
    captures = cut.captures.with_columns(
        pl.lit([101]).alias("link_types"), pl.lit(5).cast(pl.Int64).alias("snapped_packets")
    )
    text = " ".join(
        differences(side("base", ONE), replace(cut, captures=captures), same_within=0.1)
    )
    assert "Link types of the captures: 1 on base, 101 on new." in text
    assert "Packets were cut short while capturing on new alone." in text


def test_analyses_that_were_asked_for_another_place_or_app_are_told():
    def of(name, **settings):
        return replace(side(name, ONE), observed=(SimpleNamespace(settings=Settings(**settings)),))

    text = " ".join(
        differences(of("base", phone_location="CA"), of("new", app="Parrot"), same_within=0.1)
    )
    assert "App under test: not told on base, Parrot on new." in text
    assert "Place of the phone: CA on base, not told on new." in text


def test_traffic_of_several_versions_on_one_side_is_told():
    two = (Told("8.0.23", "frame 1"), Told("8.0.24", "frame 9"))
    assert said([ONE, ONE], [ONE, ONE], None, {"told": two}) == (
        "new: its traffic tells of several versions: 8.0.23, 8.0.24."
    )
