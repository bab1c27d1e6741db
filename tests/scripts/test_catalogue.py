"""The script that keeps the catalogues: what it takes, keeps, and leaves out."""

import catalogue
import pytest


@pytest.fixture
def locales(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    path = catalogue.po_path("de")
    path.parent.mkdir(parents=True)
    return path


def messages(*ids):
    found = catalogue.Messages()
    for one in ids:
        found.add(one)
    return found


def test_messages_of_code_and_of_templates_are_taken():
    found = catalogue.extracted()
    assert "The phone" in found
    assert "What to look at first" in found
    assert found.get("row").id == ("row", "rows")


def test_a_translation_is_kept_and_what_nobody_says_any_more_goes(locales):
    known = messages("one", "old")
    known["one"].string = "eins"
    locales.write_bytes(catalogue._po(known))
    found = catalogue.merged("de", messages("one", "new"))
    assert {message.id: message.string for message in found if message.id} == {
        "one": "eins",
        "new": None,
    }


def test_nothing_is_guessed_from_what_is_alike(locales):
    known = messages("one sentence")
    known["one sentence"].string = "ein Satz"
    locales.write_bytes(catalogue._po(known))
    assert not catalogue.merged("de", messages("one sentences"))["one sentences"].string


def test_what_is_empty_or_half_or_doubted_is_not_translated(locales):
    known = catalogue.Messages(locale="de")
    known.add("empty", "")
    known.add(("half", "halves"), ("halb", ""))
    known.add("doubted", "bezweifelt", flags=["fuzzy"])
    known.add("done", "fertig")
    locales.write_bytes(catalogue._po(known))
    found = [message.id for message in catalogue.untranslated("de")]
    assert found == ["empty", ("half", "halves"), "doubted"]


def test_files_name_neither_times_nor_versions():
    for path, content in catalogue.files():
        assert b"Creation-Date" not in content, path
        assert b"Generated-By" not in content, path


def test_names_of_countries_are_those_that_people_use():
    names = catalogue.countries("de").decode()
    assert '"HK": "Hongkong"' in names
    assert '"DE": "Deutschland"' in names
