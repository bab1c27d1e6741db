"""The messages of reports: taken from code and templates, merged into each language, compiled.

    python scripts/catalogue.py             brings all files up to date
    python scripts/catalogue.py --check     says whether they are, and what is not translated

English is the language of the code. A translator fills `msgstr` in `phonehome.po`; what is empty
or marked as fuzzy stays English in the report. The names of countries come from CLDR, by babel.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from phonehome.analyzer.settings import ENGLISH, LANGUAGES
from phonehome.geo.countries import country_index
from phonehome.reports.words.translate import DOMAIN, LOCALES

ROOT = Path(__file__).parent.parent
TEMPLATE = LOCALES / f"{DOMAIN}.pot"
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
OPTIONS = {"**.html": {"encoding": "utf-8", "newstyle_gettext": "true", "trim_blocks": "true"}}
KEYWORDS = {
    "say": None,
    "mark": None,
    "_": None,
    "gettext": None,
    "say_many": (1, 2),
    "mark_many": (1, 2),
    "ngettext": (1, 2),
    "counted": (2, 3),
    "plural": (1, 2),
    "Kind": (3,),
}
"""What is called with a message, and which of its arguments are one and many."""

OFFICIAL = {"de": "Sonderverwaltungsregion "}
"""What CLDR puts before Hong Kong and Macao, and nobody says."""

WIDTH = 100


class Messages(Catalog):
    """A catalogue whose head names neither a time nor a version of babel."""

    def _get_mime_headers(self) -> list[tuple[str, str]]:
        kept = ("Project-Id-Version", "Language", "Plural-Forms", "MIME-Version")
        types = ("Content-Type", "Content-Transfer-Encoding")
        return [row for row in super()._get_mime_headers() if row[0] in (*kept, *types)]

    mime_headers = property(_get_mime_headers)


def extracted() -> Catalog:
    """All messages of code and templates, in order of their files and lines."""
    found = Messages(project="phonehome", fuzzy=False, header_comment="# Messages of the reports.")
    for room in ("reports", "analyzer/kinds"):
        rows = extract_from_dir(
            ROOT / room, METHODS, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True
        )
        for file, _, message, _, _ in sorted(rows, key=lambda row: (row[0], row[1])):
            found.add(message, locations=[(f"{room}/{Path(file).as_posix()}", None)])
    return found


def po_path(language: str) -> Path:
    """Where the translation of a language is."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def translated(language: str) -> Catalog:
    """The translation of a language, as it stands."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="phonehome", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str, messages: Catalog) -> Catalog:
    """The translation with all messages of the code and no others; nothing is guessed."""
    before = translated(language)
    head = f"# Messages of the reports, {Locale(language).english_name}."
    found = Messages(locale=language, project="phonehome", fuzzy=False, header_comment=head)
    for message in messages:
        if message.id:
            known = before.get(message.id)
            found.add(
                message.id,
                known.string if known is not None else None,
                locations=message.locations,
                flags=known.flags if known is not None else (),
            )
    return found


def files() -> Iterator[tuple[Path, bytes]]:
    """What each file of the catalogues shall hold."""
    messages = extracted()
    yield TEMPLATE, _po(messages)
    for language in LANGUAGES:
        if language != ENGLISH:
            catalog = merged(language, messages)
            yield po_path(language), _po(catalog)
            yield po_path(language).with_suffix(".mo"), _mo(catalog)


def _po(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_po(out, catalog, width=WIDTH, include_lineno=False)
    return out.getvalue()


def _mo(catalog: Catalog) -> bytes:
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def countries(language: str) -> bytes:
    """The names that CLDR gives to the countries of ours, by code."""
    names = Locale(language).territories
    known = {
        code: names[code].removeprefix(OFFICIAL.get(language, ""))
        for code in sorted(country_index())
        if code in names
    }
    return (json.dumps(known, ensure_ascii=False, indent=0) + "\n").encode()


def untranslated(language: str) -> list[Message]:
    """Messages that a report in this language says in English."""
    return [
        message
        for message in translated(language)
        if message.id and (message.fuzzy or not all(_forms(message.string)))
    ]


def _forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


def main() -> int:
    """Write the files, or say which are not as they shall be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    is_check = parser.parse_args().check
    stale = []
    for path, content in files():
        if path.exists() and path.read_bytes() == content:
            continue
        stale.append(path)
        if not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for language in LANGUAGES:  # as the CLDR of this babel says: not checked
        if language != ENGLISH and not is_check:
            (LOCALES / language / "countries.json").write_bytes(countries(language))
    for path in stale:
        print(f"{'not up to date' if is_check else 'written'}: {path.relative_to(ROOT)}")
    missing = {language: untranslated(language) for language in LANGUAGES if language != ENGLISH}
    for language, messages in missing.items():
        for message in messages:
            print(f"{language}: not translated: {message.id!r}")
    return int(is_check and bool(stale or any(missing.values())))


if __name__ == "__main__":
    sys.exit(main())
