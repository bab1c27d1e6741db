"""What the report says of known identifiers."""

from dataclasses import replace

from phonehome.reports.page.identifiers import identifiers, sentences


def searched(analysis, octets):
    return replace(analysis, summary=replace(analysis.summary, searched_up_bytes=octets))


def test_without_a_search_that_is_what_is_said(rich):
    assert sentences(rich) == [
        "Nobody said what is known of the phone: its traffic was not searched."
    ]
    assert not identifiers(rich)["is_searched"]


def test_each_identifier_has_a_sentence_and_what_was_not_seen_has_one(rich):
    said = sentences(searched(rich, rich.summary.up_unique_bytes // 4))
    assert said[1].startswith("account was sent 3 times, as it stands, to ")
    assert "encoded" in said[0]
    assert "3 of them while idle" in said[0]
    assert said[-1].startswith("25.0 % of what was uploaded could be searched.")


def test_nothing_found_is_said_with_what_it_means(empty):
    said = sentences(searched(empty, 0))
    assert said[0] == "No known identifier was found in what could be searched."
    assert len(said) == 2
