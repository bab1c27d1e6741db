"""The languages of reports: complete catalogues, whole pages, and no mixing."""

import ast
import re
from dataclasses import fields, replace
from gettext import NullTranslations
from html.parser import HTMLParser
from threading import Barrier, Thread

import catalogue as messages
import pytest

from phonehome.analyzer.comparison.series import Series, versions
from phonehome.analyzer.settings import ENGLISH, LANGUAGES, Settings
from phonehome.geo.countries import country_index
from phonehome.reports.comparison import page as comparison_page
from phonehome.reports.comparison import series
from phonehome.reports.page import markdown, report
from phonehome.reports.words import translate
from phonehome.reports.words.translate import number, say, say_many, speaking, spoken
from tests.made_sides import every_change

OTHERS = [name for name in LANGUAGES if name != ENGLISH]
PARTS = re.compile(r"\{\w*\}|%\(\w+\)s|%%|<[^>]+>")
WORD = re.compile(r"[^\W\d_]{3,}")
SAME_IN_GERMAN = {
    "App", "Bytes", "Domain", "Filter", "Flow", "Flows", "Format", "Frames", "Host", "Hosts",
    "Name", "Organisation", "Phase", "Server", "Test", "Tests", "app", "host", "phonehome",
}  # fmt: skip
"""Words that English and German share."""


class Texts(HTMLParser):
    """The texts that a page shows, and those that it says to who cannot see it."""

    def __init__(self, content):
        super().__init__()
        self.found, self._hidden = [], 0
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in {"script", "style", "code"}
        named = dict(attrs)
        self.found += [named[name] for name in ("aria-label", "placeholder") if named.get(name)]

    def handle_endtag(self, tag):
        self._hidden -= tag in {"script", "style", "code"}

    def handle_data(self, data):
        if not self._hidden:
            self.found.append(data.strip())


def spoken_in(analysis, name):
    return replace(analysis, settings=replace(analysis.settings, language=name))


def page_of(analysis, name="de"):
    return b"".join(report.page(spoken_in(analysis, name))).decode()


def forms(text):
    return (text,) if isinstance(text, str) else tuple(text)


def translations(name):
    return [message for message in messages.translated(name) if message.id]


def test_the_languages_are_the_folders_of_the_locales():
    assert set(LANGUAGES) == {path.name for path in translate.LOCALES.iterdir() if path.is_dir()}


def test_the_catalogues_hold_what_code_and_templates_say():
    stale = [path for path, content in messages.files() if path.read_bytes() != content]
    assert stale == [], "run scripts/catalogue.py"


def called(tree):
    """What is called by name inside strings with parts, where babel does not look."""
    for string in ast.walk(tree):
        for node in ast.walk(string) if isinstance(string, ast.JoinedStr) else []:
            if isinstance(node, ast.Call):
                yield getattr(node.func, "id", getattr(node.func, "attr", "")), node.args


@pytest.mark.parametrize("path", sorted((messages.ROOT / "reports").glob("*.py")))
def test_no_message_stands_inside_an_f_string(path):
    hidden = [
        args
        for name, args in called(ast.parse(path.read_text()))
        if name in messages.KEYWORDS and any(isinstance(each, ast.Constant) for each in args)
    ]
    assert hidden == []


@pytest.mark.parametrize("name", OTHERS)
def test_every_message_is_translated(name):
    assert [message.id for message in messages.untranslated(name)] == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_has_the_parts_of_its_message(name):
    for message in translations(name):
        wanted = sorted(PARTS.findall(forms(message.id)[-1]))
        for text in forms(message.string)[1:] or forms(message.string):
            assert sorted(PARTS.findall(text)) == wanted, message.id


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_begins_and_ends_with_white_space_where_its_message_does(name):
    for message in translations(name):
        one, text = forms(message.id)[0], forms(message.string)[0]
        assert (one[0].isspace(), one[-1].isspace()) == (text[0].isspace(), text[-1].isspace())


@pytest.mark.parametrize("name", OTHERS)
def test_every_country_has_a_name(name):
    assert translate.country_names(name).keys() >= country_index().keys() - {"XK"}


def test_english_loads_no_catalogue(monkeypatch, rich):
    monkeypatch.setattr(translate, "catalogue", pytest.fail)
    assert page_of(rich, ENGLISH)


def test_numbers_are_written_as_the_language_does():
    with speaking("de"):
        assert (number(1_234_567), translate.figures("1,234.5")) == ("1.234.567", "1.234,5")
    assert (number(1_234_567), translate.figures("1,234.5")) == ("1,234,567", "1,234.5")


def test_a_count_chooses_its_form():
    with speaking("de"):
        assert [say_many("row", "rows", count) for count in (0, 1, 2)] == [
            "Zeilen",
            "Zeile",
            "Zeilen",
        ]


def test_a_part_is_never_read_as_a_message():
    with speaking("de"):
        assert say("{first} and {last}", first="{last}", last="%s") == "{last} und %s"


def test_a_message_that_is_not_translated_stays_english():
    with speaking("de"):
        assert say("nobody has written this {thing}", thing="one") == "nobody has written this one"


def test_a_language_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="one of en, de expected"), speaking("tlh"):
        pass


def test_a_language_ends_with_its_block_even_where_that_fails():
    with pytest.raises(ZeroDivisionError), speaking("de"):
        raise ZeroDivisionError
    assert spoken() == ENGLISH


def test_pages_that_are_made_by_turns_do_not_mix(rich):
    alone = {name: page_of(rich, name) for name in LANGUAGES}
    pages = [report.page(spoken_in(rich, name)) for name in ("de", "en", "de")]
    made = [next(each).decode() for each in pages]
    assert made == [alone["de"], alone["en"], alone["de"]]
    assert spoken() == ENGLISH


def test_threads_do_not_hear_each_other():
    both, heard = Barrier(len(LANGUAGES)), {}

    def talk(name):
        with speaking(name):
            both.wait()
            heard[name] = say("unknown")
            both.wait()

    threads = [Thread(target=talk, args=[name]) for name in LANGUAGES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"en": "unknown", "de": "unbekannt"}


def english():
    """What a German page must not say: all messages that differ in German and have a word."""
    return (
        {
            one
            for message in translations("de")
            for one, text in zip(forms(message.id), forms(message.string), strict=True)
            if one != text and not PARTS.search(one) and WORD.search(one)
        }
        - SAME_IN_GERMAN
        - {field.name.replace("_", " ") for field in fields(Settings)}
    )


@pytest.mark.parametrize("name", ["rich", "empty", "single"])
def test_a_german_page_says_no_message_in_english(name, request):
    said = set(Texts(page_of(request.getfixturevalue(name))).found)
    assert said & english() == set()


def test_a_german_page_of_a_sample_says_nothing_in_english(samples):
    found = samples("parrot-1.0/rep1").analysis
    said = set(Texts(page_of(found)).found)
    in_english = {text for text in Texts(page_of(found, ENGLISH)).found if text.count(" ") > 2}
    kept = {text for text in said & in_english if len(WORD.findall(text)) > 2}
    data = {*found.places["as_org"], *found.databases["attribution"], "Japan (JP)"}
    assert not said & english()
    assert {text for text in kept if not any(str(part) in text for part in data)} == set()


def test_a_german_page_names_its_language(rich):
    assert page_of(rich).startswith('<!doctype html>\n<html lang="de">')
    assert page_of(rich, ENGLISH).startswith('<!doctype html>\n<html lang="en">')


def test_hostile_names_are_escaped_in_german_too(rich):
    content = page_of(rich)
    assert "<img src=x" not in content
    assert "moc.knab\u202e" not in content
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in content


def test_the_parts_of_a_templates_message_are_encoded(rich):
    captures = rich.captures.with_columns(capture=rich.captures["capture"] + "\u202e<b>{x}%(y)s")
    for name in LANGUAGES:
        content = page_of(replace(rich, captures=captures), name)
        assert "\u202e" not in content
        assert "\\u{202e}&lt;b&gt;{x}%(y)s" in content


def test_markdown_is_german_too(rich):
    text = b"".join(markdown.report(spoken_in(rich, "de"))).decode()
    assert "## Bevor " in text
    assert "## Before" not in text


def test_catalogues_are_read_once():
    assert isinstance(translate.catalogue("de"), NullTranslations)
    assert translate.catalogue("de") is translate.catalogue("de")


def in_language(comparison, name):
    settings = {side: replace(of, language=name) for side, of in comparison.settings.items()}
    return replace(comparison, settings=settings)


def of_versions(name):
    """Three versions in a row, in a language."""
    first, second = (in_language(every_change(), name) for _ in range(2))
    labels = ("1.0", "2.0", "3.0")
    return Series(labels=labels, steps=(first, second), versions=versions((first, second)))


def both_pages(what):
    """The texts of a page in German, and its sentences in English."""
    made = {
        "comparison": lambda name: comparison_page.page(in_language(every_change(), name)),
        "series": lambda name: series.page(of_versions(name)),
    }[what]
    german, plain = (set(Texts(b"".join(made(name)).decode()).found) for name in ("de", ENGLISH))
    return german, {text for text in plain if len(WORD.findall(text)) > 2}


@pytest.mark.parametrize("what", ["comparison", "series"])
def test_german_pages_of_comparisons_say_nothing_in_english(what):
    said, sentences = both_pages(what)
    data = ("Amazon.com", ".example")
    assert said & english() == set()
    assert {text for text in said & sentences if not any(part in text for part in data)} == set()
    assert len(sentences) > 10
