"""Words and whole sentences of closed lists: each that another room says is in the catalogues."""

import pytest

from phonehome.analyzer.behaviour import rates
from phonehome.analyzer.findings import completeness, run
from phonehome.analyzer.flows import phone_address
from phonehome.analyzer.places import near_answers, round_trips, verdicts
from phonehome.analyzer.tables import (
    CHANGES,
    DOUBTS,
    IDENTIFIER_KINDS,
    JUDGED,
    LEDGER_OUTCOMES,
    RESULTS,
    SIDES,
    STATES,
    VERDICTS,
)
from phonehome.analyzer.timeline import phases
from phonehome.reports.words.translate import speaking, told
from phonehome.reports.words.vocabulary import WORDS, label_text

ROOMS = (
    completeness, run, phases, phone_address, verdicts, rates, round_trips, near_answers
)  # fmt: skip


def sentences():
    """The constants of the analyzer that are said whole."""
    for module in ROOMS:
        for name, value in vars(module).items():
            texts = value.values() if isinstance(value, dict) else [value]
            for text in texts if name.isupper() else []:
                if isinstance(text, str) and text.count(" ") > 1:
                    yield pytest.param(text, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("text", list(sentences()))
def test_the_analyzers_sentences_are_known(text):
    with speaking("de"):
        assert told(text) != text


@pytest.mark.parametrize(
    "words",
    [
        CHANGES, DOUBTS, IDENTIFIER_KINDS.values(), JUDGED, RESULTS, SIDES, STATES, VERDICTS,
        [outcome.replace("_", " ") for outcome in LEDGER_OUTCOMES],
    ],
)  # fmt: skip
def test_the_analyzers_words_are_known(words):
    assert set(words) <= set(WORDS)


def test_english_is_what_was_said():
    assert told("idle") == "idle"


def test_what_nobody_knows_stays():
    with speaking("de"):
        assert told("a sentence of nobody") == "a sentence of nobody"
        assert told("server, app") == "server, app"
        assert told("8.0, 8.1") == "8.0, 8.1"


@pytest.mark.parametrize(
    ("label", "source", "shown"),
    [
        ("idle", "timeline.csv:2", "idle"),
        ("whole capture", "none", "ganzer Mitschnitt"),
        ("outside the timeline", "mine.csv:3", "outside the timeline"),
    ],
)
def test_labels_of_users_stand_as_they_wrote_them(label, source, shown):
    with speaking("de"):
        assert label_text({"label": label, "source": source}) == shown
