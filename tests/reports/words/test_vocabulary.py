"""What other rooms say, recognised at the border of the page."""

import re
import string

import pytest

from phonehome.analyzer.behaviour import rates
from phonehome.analyzer.comparison import setup_differences
from phonehome.analyzer.content import decryption
from phonehome.analyzer.findings import completeness, run, traffic
from phonehome.analyzer.flows import file_order, pcapdroid_list, phone_address
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
from phonehome.reports.words.translate import speaking
from phonehome.reports.words.vocabulary import PATTERNS, WORDS, told, told_each

ROOMS = (
    setup_differences, completeness, pcapdroid_list, decryption, traffic, run, phases,
    phone_address, verdicts, rates, file_order, round_trips, near_answers,
)  # fmt: skip
WITHOUT_WORDS = {"PROBLEM", "METHODS", "ASKED"}
"""Constants that are no sentences, or only begin one."""


def sentences():
    """The constants of the analyzer that say something, their places filled with numbers."""
    for module in ROOMS:
        for name, value in vars(module).items():
            texts = value.values() if isinstance(value, dict) else [value]
            for text in texts if name.isupper() and name not in WITHOUT_WORDS else []:
                if isinstance(text, str) and text.count(" ") > 1:
                    filled = re.sub(r"\{[^}]*\}", "7", text.replace("MMTLS {}", "MMTLS state"))
                    yield pytest.param(filled, id=f"{module.__name__}.{name}")
    for what in setup_differences.METHODS.values():
        yield pytest.param(f"{what} on new alone.", id=what)
    for what in setup_differences.ASKED.values():
        yield pytest.param(f"{what}: 7 on base, 7 on new.", id=what)


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


def test_parts_of_a_sentence_are_told_too():
    with speaking("de"):
        text = "base: Of 1,200 flows of the phone, 3 have no known app and are not counted to a.b."
        assert told(text) == (
            "Basis: Von 1.200 Flows des Telefons haben 3 keine bekannte App und zählen nicht zu "
            "a.b."
        )


def test_remarks_are_told_one_by_one():
    with speaking("de"):
        assert (
            told_each("a places 1.2.3.4 (base) in HK; b") == "a verortet 1.2.3.4 (Basis) in HK; b"
        )


def test_lists_are_told_where_every_piece_is_known():
    with speaking("de"):
        assert told("idle, active") == "Ruhe, aktiv"
        assert told("idle, a name") == "idle, a name"
        parts = told(
            "Parts of the time observed, on base and on new: idle 73.0% and 50.1%, active 1.0% and "
            "2.0%. Rates over all states mix them, so compare state by state."
        )
        assert "Seite: Ruhe 73,0 % und 50,1 %, aktiv 1,0 % und 2,0 %." in parts


def test_numbers_change_their_separators_and_addresses_do_not():
    with speaking("de"):
        assert (told("1,234.5"), told("+0.4")) == ("1.234,5", "+0,4")
        assert (told("1.2.3.4"), told("1.10.0")) == ("1.2.3.4", "1.10.0")


def test_what_nobody_knows_stays():
    with speaking("de"):
        assert told("a sentence of nobody") == "a sentence of nobody"


def test_names_that_look_like_sentences_end():
    with speaking("de"):
        assert told("base: " * 3_000).count("Basis") <= 5
        assert told(" and 1 more" * 3_000)


def test_patterns_name_each_part_once():
    for pattern in PATTERNS:
        names = [name for _, name, _, _ in string.Formatter().parse(pattern) if name]
        assert len(names) == len(set(names)), pattern


def test_what_came_of_a_claim_is_told():
    with speaking("de"):
        said = told(
            "Bytes uploaded to addresses in Hong Kong: 15,068 (expected: > 0), in 68.9 min of idle "
            "time observed. The claim counts only countries that are consistent. Were addresses "
            "without such a verdict elsewhere than the first database says, the answer would be "
            "that nothing matched. Concerned: 203.0.113.7 (15,068 bytes): HK, disputed."
        )
    assert said == (
        "Bytes uploaded to addresses in Hong Kong: 15.068 (erwartet: > 0), in 68.9 min "
        "beobachteter Zeit im Zustand Ruhe. Die Behauptung zählt nur Länder, die stimmig sind. "
        "Stünden Adressen ohne ein solches Urteil anderswo, als die erste Datenbank sagt, wäre die "
        "Antwort: nichts passte. Betroffen: 203.0.113.7 (15,068 bytes): HK, disputed."
    )
