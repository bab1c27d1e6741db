"""`report.md`: the answer in a page of Markdown, to paste into an issue or an e-mail."""

from collections.abc import Iterator
from typing import Any, Final

from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import Analysis
from phonehome.reports.charts.colours import GRADES
from phonehome.reports.charts.style import country_text
from phonehome.reports.page import behaviour, story
from phonehome.reports.page.highlights import Highlight, highlights, unsaid
from phonehome.reports.words import sums, wording
from phonehome.reports.words.escape import markdown, markdown_code, shortened
from phonehome.reports.words.translate import number, say, speaking, told
from phonehome.reports.words.version import version

_MOST_COUNTRIES: Final = 10
_MOST_CAPTURES: Final = 5
_LONGEST: Final = 60


def report(analysis: Analysis) -> Iterator[bytes]:
    """The content of `report.md`: the same analysis gives the same bytes."""
    with speaking(analysis.settings.language, analysis.findings):
        text = _text(analysis)
    yield text.encode()


def _text(analysis: Analysis) -> str:
    part = sums.counted(analysis)
    answer = wording.headline(analysis.summary, has_phone=story.has_phone(analysis))
    found = highlights(analysis, part, behaviour.behaviour(analysis))
    idle = IDLE_STATES[analysis.summary.idle_means]
    countries = sums.by_country(part.uploads, analysis.places, idle).to_dicts()
    blocks = [
        [f"# {markdown(answer)}"],
        [markdown(" ".join(story.paragraph(analysis, part)))],
        *([_findings(found)] if found else []),
        *([_countries(countries, analysis.summary.up_unique_bytes)] if countries else []),
        _care(analysis, unsaid(analysis, found)),
        _source(analysis),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _findings(found: list[Highlight]) -> list[str]:
    lines = ["## " + say("What to look at first"), ""]
    for place, row in enumerate(found, start=1):
        said = f"{place}. **{markdown(row.says)}** {markdown(row.because)}"
        lines.append(said if row.filter is None else f"{said} {markdown_code(row.filter)}")
    return lines


def _countries(countries: list[dict[str, Any]], whole: int) -> list[str]:
    """The countries as a table, closed by what it leaves out."""
    lines = [
        "## " + say("Where it went"),
        "",
        say("| Country | Uploaded | Bytes | Share | How sure |"),
        "|---|---:|---:|---:|---|",
    ]
    lines += [
        _row(markdown(country_text(row["country"])), row["up"], whole, markdown(_grades(row)))
        for row in countries[:_MOST_COUNTRIES]
    ]
    rest = countries[_MOST_COUNTRIES:]
    if rest:
        name = wording.counted(len(rest), "other", "others")
        lines.append(_row(name, sum(row["up"] for row in rest), whole, ""))
    return [*lines, _row("**" + say("all") + "**", whole, whole, "")]


def _row(name: str, up: int, whole: int, sure: str) -> str:
    share = wording.share_text(up, whole)
    return f"| {name} | {wording.bytes_text(up)} | {number(up)} | {share} | {sure} |"


def _grades(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{say(wording.GRADE_WORDS[grade])} {wording.bytes_text(row[grade])}"
        for grade in GRADES
        if row[grade]
    )


def _care(analysis: Analysis, notes: list[str]) -> list[str]:
    """What must be known before a number is quoted."""
    said = [
        wording.phones_sentence(analysis.phones),
        wording.apps_sentence(analysis.summary),
        wording.loss_sentence(analysis.captures),
        say("Part of the input could not be read.") if analysis.summary.is_damaged else None,
        None
        if analysis.summary.is_balanced
        else say("THE ACCOUNTING DOES NOT HOLD: do not use this."),
        *(told(note) for note in notes),
        say(
            "What is not here was not seen in this capture; that it was never sent, no capture "
            "proves."
        ),
    ]
    return [
        "## " + say("Before you quote these numbers"),
        "",
        *(f"- {markdown(x)}" for x in said if x),
    ]


def _source(analysis: Analysis) -> list[str]:
    """The files and databases behind the numbers."""
    files = analysis.captures.to_dicts()
    lines = [say("Made by phonehome {version} from:", version=version()), ""]
    lines += [
        f"- {markdown(shortened(row['capture'], _LONGEST))}, SHA-256 {markdown_code(row['sha256'])}"
        for row in files[:_MOST_CAPTURES]
    ]
    if files[_MOST_CAPTURES:]:
        left = wording.counted(len(files) - _MOST_CAPTURES, "other file", "other files")
        lines.append(f"- {left}: manifest.json")
    lines += [
        say(
            "- database {name}, {date}",
            name=markdown(row["name"]),
            date=row["data_date"] or say("date unknown"),
        )
        for row in analysis.databases.to_dicts()
    ]
    return [
        *lines,
        "",
        say("Every frame, filter and table behind it is in report.html beside this file."),
    ]
