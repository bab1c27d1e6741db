"""The answer in one paragraph of plain sentences, each made from the tables.

In order: how much and over which time, to which countries, to whom, how much while idle, how sure
the countries are, and how much went to servers without a name.
"""

from collections.abc import Callable
from typing import Any, Final

import polars as pl

from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import Analysis, Summary
from phonehome.reports.charts.style import country_text
from phonehome.reports.words.escape import shortened
from phonehome.reports.words.sums import RUNNER, UP, Counted, runner_text
from phonehome.reports.words.translate import mark, number, say, say_many
from phonehome.reports.words.wording import (
    bytes_text,
    counted,
    country_source,
    idle_share_text,
    idle_when,
    seconds_text,
    share_text,
    subject,
)

_MOST: Final = 3
_LONGEST: Final = 60
_NEGLIGIBLE: Final = 0.01  # of a whole, what need not be said to be unknown
_SURE: Final = {
    "consistent": mark("agrees with the measured round trip for {share} of the bytes"),
    "unverifiable": mark("is not disputed and was not checked for {share}"),
    "disputed": mark("differs between databases for {share}"),
    "impossible": mark("is impossible by the measured round trip for {share}"),
    "none": mark("is not known for {share}"),
}
"""What is said of the country, by how far it can be believed."""


def paragraph(analysis: Analysis, part: Counted) -> list[str]:
    """The sentences of the answer; one alone where nothing was uploaded."""
    if not analysis.summary.up_unique_bytes:
        return [_nothing(analysis)]
    said = [
        _how_much(analysis, part),
        _to_countries(analysis, part),
        _to_whom(part),
        _while_idle(analysis, part),
        *_how_sure(analysis.summary),
        _unnamed(analysis.summary),
    ]
    return [sentence for sentence in said if sentence]


def has_phone(analysis: Analysis) -> bool:
    """Whether an address of any capture was taken for the phone."""
    return bool(analysis.phones["is_phone"].any())


def _nothing(analysis: Analysis) -> str:
    if not has_phone(analysis):
        return say("No address was taken for the phone: name it with --phone.")
    flows = analysis.summary.flows
    if not flows:
        return say("No packet between the phone and a public server was seen.")
    return say_many(
        "{count} connection of the phone with a public server was seen, and it carried nothing up.",
        "{count} connections of the phone with public servers were seen, and they carried nothing "
        "up.",
        flows,
        count=number(flows),
    )


def _how_much(analysis: Analysis, part: Counted) -> str:
    summary = analysis.summary
    servers = part.uploads.filter(UP > 0)["remote_address"].n_unique()
    parts = {
        "who": shortened(subject(summary), _LONGEST),
        "size": bytes_text(summary.up_unique_bytes),
        "bytes": number(summary.up_unique_bytes),
        "servers": counted(servers, "server", "servers"),
    }
    seconds = sum(summary.exposure_by_state.values())
    if not seconds:
        return say(
            "{who} sent {size} ({bytes} bytes of payload, each counted once) to {servers}.",
            **parts,
        )
    return say(
        "{who} sent {size} ({bytes} bytes of payload, each counted once) to {servers} in {time} "
        "that were observed.",
        time=seconds_text(seconds),
        **parts,
    )


def _to_countries(analysis: Analysis, part: Counted) -> str:
    found = top(part.uploads, pl.col("country"))
    if not found["rows"]:
        return say("No database knows the country of any of these servers.")
    parts = _receivers(found, country_text)
    parts["source"] = country_source(analysis.databases)
    if found["is_largest"] and not found["is_unknown_said"]:
        return say("As {source} places the servers, most went to {receivers}.", **parts)
    if found["is_largest"]:
        return say(
            "As {source} places the servers, most went to {receivers}; for {unknown} it is not "
            "known.",
            **parts,
        )
    return say(
        "As {source} places the servers, known are {receivers}; for {unknown} it is not known.",
        **parts,
    )


def _receivers(found: dict[str, Any], text: Callable[[str], str]) -> dict[str, str]:
    """Who got most, and the share of which it is not known."""
    rows = [
        say(
            "{name} ({size}, {share})",
            name=shortened(text(name), _LONGEST),
            size=bytes_text(up),
            share=share_text(up, found["whole"]),
        )
        for name, up in found["rows"]
    ]
    return {
        "receivers": listed(rows),
        "unknown": share_text(found["unknown"], found["whole"]),
    }


def _to_whom(part: Counted) -> str:
    found = top(part.uploads, RUNNER)
    if not found["rows"]:
        return say("Whose servers these are is not known.")
    parts = _receivers(found, runner_text)
    if found["is_largest"] and not found["is_unknown_said"]:
        return say(
            "By who runs the hosts, or else holds their network, most went to {receivers}.", **parts
        )
    if found["is_largest"]:
        return say(
            "By who runs the hosts, or else holds their network, most went to {receivers}; for "
            "{unknown} it is not known.",
            **parts,
        )
    return say(
        "By who runs the hosts, or else holds their network, known are {receivers}; for {unknown} "
        "it is not known.",
        **parts,
    )


def _while_idle(analysis: Analysis, part: Counted) -> str:
    summary = analysis.summary
    when = idle_when(summary)
    if summary.idle_share is None:
        return say(
            "How much of it was sent {when} is unknown: nothing says when that was.", when=when
        )
    states = IDLE_STATES[summary.idle_means]
    idle = part.uploads.filter(pl.col("state").is_in(states))
    sent = int(idle["up_unique_bytes"].sum())
    time = seconds_text(sum(summary.exposure_by_state[state] for state in states))
    if not sent:
        return say("Nothing of it was seen to be sent {when}, in {time}.", when=when, time=time)
    parts = {
        "size": bytes_text(sent),
        "share": idle_share_text(summary),
        "when": when,
        "time": time,
    }
    largest = top(idle, pl.col("country"))
    if largest["is_largest"]:
        name, up = largest["rows"][0]
        return say(
            "{size} of it ({share}) was sent {when}, in {time}, {part} of that to {country}.",
            part=share_text(up, sent),
            country=country_text(name),
            **parts,
        )
    return say("{size} of it ({share}) was sent {when}, in {time}.", **parts)


def _how_sure(summary: Summary) -> list[str]:
    """How far the countries can be believed, by bytes."""
    sums, whole = summary.up_unique_bytes_by_verdict, summary.up_unique_bytes
    found = [
        say(text, share=share_text(sums[verdict], whole))
        for verdict, text in _SURE.items()
        if sums[verdict]
    ]
    if not found:
        return []
    return [say("How sure that is: the country {verdicts}.", verdicts=listed(found))]


def _unnamed(summary: Summary) -> str:
    unnamed, whole = summary.unnamed_up_unique_bytes, summary.up_unique_bytes
    if not unnamed:
        return say("Each of these servers has a name that was seen in the capture.")
    return say(
        "{share} ({size}) went to servers whose name was not seen in this capture.",
        share=share_text(unnamed, whole),
        size=bytes_text(unnamed),
    )


def listed(texts: list[str]) -> str:
    """The texts as a list in a sentence."""
    if len(texts) < 2:  # noqa: PLR2004  # nothing to join
        return "".join(texts)
    return say("{first} and {last}", first=", ".join(texts[:-1]), last=texts[-1])


def top(uploads: pl.DataFrame, key: pl.Expr, most: int = _MOST) -> dict[str, Any]:
    """The largest known receivers by country or organisation, and what has none that is known.

    `is_largest` says that nothing unknown is larger than they are.
    """
    sums = uploads.filter(UP > 0).group_by(key.alias("key")).agg(up=UP.sum())
    known = sums.filter(pl.col("key").is_not_null()).sort(-pl.col("up"), "key").head(most)
    whole = int(sums["up"].sum())
    unknown = int(sums.filter(pl.col("key").is_null())["up"].sum())
    is_largest = not known.is_empty() and unknown <= known["up"][0]
    return {
        "rows": known.rows(),
        "whole": whole,
        "unknown": unknown,
        "is_largest": is_largest,
        "is_unknown_said": unknown > 0 and (not is_largest or unknown >= _NEGLIGIBLE * whole),
    }
