"""How many times over what a user sent left the phone."""

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.findings.amplification import amplification
from phonehome.analyzer.settings import Sent, Settings
from phonehome.analyzer.timeline.spans import TimelineError
from tests.conftest import sample


def test_what_was_sent_is_held_against_its_phases():
    of = sample("parrot-1.0/rep1").analysis
    table = amplification([Sent(label="In Use", name="a.jpg", size=30_593)], of.uploads, of.phases)
    whole, *rows = table.to_dicts()
    assert (whole["name"], whole["up_unique_bytes"], whole["times"]) == (None, 61_186, 2)
    assert sum(row["up_unique_bytes"] for row in rows) == 61_186
    assert rows[0]["up_unique_bytes"] == max(row["up_unique_bytes"] for row in rows)


def test_without_a_label_all_phases_count():
    of = sample("parrot-1.0/rep1").analysis
    sent = [Sent(label=None, name="x", size=10), Sent(label=None, name="y", size=1_000)]
    table = amplification(sent, of.uploads, of.phases)
    wholes = table.filter(table["name"].is_null())
    assert wholes["up_unique_bytes"].to_list() == [of.summary.up_unique_bytes] * 2
    assert wholes["thing"].to_list() == [1, 2]


def test_a_label_that_no_phase_has_is_refused_with_those_there_are():
    of = sample("parrot-1.0/rep1")
    settings = Settings(timelines=(of.timeline,), sent=(Sent(label="lunch", name="x", size=1),))
    with pytest.raises(TimelineError, match=r"no phase is called 'lunch'; there are: .*'in use'"):
        analyze([of.capture], settings)


def test_nothing_sent_is_nothing():
    of = sample("parrot-1.0/rep1").analysis
    assert of.amplification.height == 0
    assert of.completeness.height == 0
