"""Statements as data: English and other languages from one template, evidence never translated."""

import json
import pickle
import re

import polars as pl
import pytest
from babel.messages.pofile import read_po

from phonehome.analyzer import statements
from phonehome.analyzer.findings.table import findings_of
from phonehome.analyzer.kinds import KINDS, Kind, Statement, counted, said
from phonehome.analyzer.kinds.run import (
    BEGINS_BEFORE,
    CLOCK_MOVED,
    NO_PHONE,
    OUT_OF_ORDER,
    OVERLAP,
    SAME_FILE,
)
from phonehome.analyzer.kinds.statement import PARTS, kept_statements, listed
from phonehome.analyzer.kinds.traffic import PLAIN, RESOLVERS
from phonehome.reports.words import translate
from phonehome.reports.words.translate import LOCALES, speaking, told

TYPES = {"name", "names", "count", "number", "word", "words", "sentence", "list", "series"}
SEVERAL = ("list", "series", "sentences")


def messages():
    """Every message of the catalogues."""
    with (LOCALES / "phonehome.pot").open("rb") as file:
        for message in read_po(file):
            yield from (message.id,) if isinstance(message.id, str) else message.id


MESSAGES = sorted({message for message in messages() if message})


def given(kind, name):
    """A value for each part; names are `name`."""
    samples = {
        "name": name,
        "names": [name, f"{name}, {name}"],
        "count": 5_000,
        "number": "1,234.5",
        "word": "idle",
        "words": ["idle", "active"],
        "sentence": SAME_FILE(capture=name, other="b"),
        "list": [SAME_FILE(capture=name, other="b")],
        "series": [SAME_FILE(capture=name, other="b")],
        "sentences": [SAME_FILE(capture=name, other="b")],
    }
    return {part: samples[type_] for part, type_ in kind.types.items()}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_each_kind_is_declared_well(kind):
    assert re.fullmatch(r"[a-z][a-z_]*", kind.name)
    assert 1 <= kind.severity <= 5
    assert set(kind.types) == set(re.findall(r"\{(\w+)\}", kind.template))
    assert set(kind.types.values()) <= TYPES | set(SEVERAL)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_each_kind_is_said_in_each_language_and_made_anew_from_its_values(kind):
    one = kind(**given(kind, "evidence.example"))
    assert isinstance(one, str)
    assert "{" not in one
    again = said(kind.name, [tuple(value) for value in one.values])
    assert again == one
    assert pickle.loads(pickle.dumps(one)).values == one.values  # noqa: S301 - our own
    assert all(isinstance(value.text, str) for value in one.values)
    with speaking("de", findings_of([one])):
        german = told(str(one))
    assert "{" not in german
    if {"name", "names"} & set(kind.types.values()):
        assert "evidence.example" in german


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS.values() if {"name", "names"} & set(kind.types.values())],
    ids=lambda kind: kind.name,
)
def test_evidence_stands_verbatim_in_german_whatever_it_is_called(kind):
    """Every message of the catalogue as the name of a capture, host, app, version, place."""
    spoken = translate._Spoken()
    with speaking("de"):
        for message in MESSAGES:
            one = kind(**given(kind, message))
            german = kind.text(one.values, spoken)
            for value in one.values:
                if value.type == "name":
                    assert value.text in german
                elif value.type == "names":
                    assert ", ".join(json.loads(value.text)) in german


@pytest.mark.parametrize(
    ("name", "value"),
    [("phone", "phone"), ("capture", "capture"), ("8.0, 8.1", "8.0, 8.1"), ("server, app", None)],
)
def test_names_that_are_words_too_are_not_translated(name, value):
    one = SAME_FILE(capture=name, other="1,234.5")
    with speaking("de", findings_of([one])):
        assert told(one) == f"{value or name} enthält dieselben Bytes wie 1,234.5 und zählt einmal."


def test_numbers_and_words_are_said_in_the_language():
    one = CLOCK_MOVED(
        capture="phone", offset="+1.5", low="+1.0", high="+2.0",
        evidence="uploads that follow the screen coming on",
    )  # fmt: skip
    with speaking("de", findings_of([one])):
        german = told(one)
    assert "+1,5" in german
    assert german.startswith("phone: ")
    assert "screen" not in german


def test_some_of_many_names_are_listed_and_the_rest_counted():
    one = NO_PHONE(capture=listed(["a", "b", "c", "d", "e"], 3))
    assert one.startswith("a, b, c and 2 more: ")
    with speaking("de", findings_of([one])):
        assert told(one).startswith("a, b, c und 2 weitere: ")


def test_statements_within_statements_are_said_too():
    one = RESOLVERS(connections=counted.counted(1, "connection"), names=["phone"])
    several = OUT_OF_ORDER(
        captures=[BEGINS_BEFORE(first="a", second="phone"), BEGINS_BEFORE(first="c", second="d")]
    )
    assert one.startswith("1 connection to resolvers")
    assert several.endswith("a begins before phone; c begins before d.")
    with speaking("de", findings_of([one, several])):
        assert told(one).startswith("1 Verbindung ")
        assert re.search(r"a beginnt \w+ phone; c beginnt \w+ d", told(several))


def test_what_no_statement_made_is_left_as_it_is():
    with speaking("de", findings_of([SAME_FILE(capture="a", other="b")])):
        assert told("c holds the same bytes as d and is counted once.").startswith("c holds")


def test_a_table_of_findings_gives_the_statements_back():
    made = [PLAIN(bytes=609, share="0.4", names=["a.example"]), OVERLAP(first="a", second="b")]
    table = findings_of(made)
    assert table["severity"].to_list() == [2, 2]
    assert table["sentence"].to_list() == list(map(str, made))
    assert statements(table) == {str(one): one for one in made}
    unknown = table.with_columns(kind=pl.lit("of_another_version"))
    assert statements(unknown) == {}


def test_statements_are_kept_where_that_is_asked_for_and_nowhere_else():
    SAME_FILE(capture="a", other="b")
    with kept_statements() as kept:
        one = SAME_FILE(capture="c", other="d")
        with kept_statements() as inner:
            OVERLAP(first="a", second="b")
    assert kept == {str(one): one}
    assert isinstance(kept[str(one)], Statement)
    assert len(inner) == 1


def test_the_sentences_of_a_column_are_those_of_its_rows():
    rows = pl.DataFrame({"capture": ["a", None, "a"], "other": ["b", "b", "c"]})
    with kept_statements() as kept:
        column = SAME_FILE.column(rows)
    assert column.to_list() == [
        "a holds the same bytes as b and is counted once.",
        None,
        "a holds the same bytes as c and is counted once.",
    ]
    assert set(kept) == set(column.drop_nulls())


def test_two_kinds_cannot_share_a_name():
    with pytest.raises(ValueError, match="two kinds are called same_file"):
        Kind("same_file", 5, "x")


def test_each_part_has_one_type():
    assert set(PARTS.values()) <= TYPES
