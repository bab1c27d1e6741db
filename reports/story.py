"""The answer in one paragraph of plain sentences, each made from the tables.

In order: how much and over which time, to which countries, to whom, how much while idle, how sure
the countries are, and how much went to servers without a name.
"""

from collections.abc import Callable
from typing import Any, Final

import polars as pl

from analyzer.settings import IDLE_STATES
from analyzer.tables import Analysis, Summary
from reports.figures import country_text
from reports.sums import RUNNER, UP, Counted
from reports.text import shortened
from reports.wording import (
    bytes_text,
    counted,
    country_source,
    idle_share_text,
    idle_when,
    plural,
    seconds_text,
    share_text,
    subject,
)

_MOST: Final = 3
_LONGEST: Final = 60
_NEGLIGIBLE: Final = 0.01  # of a whole, what need not be said to be unknown


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


def _nothing(analysis: Analysis) -> str:
    flows = analysis.summary.flows
    seen = plural(
        "{count} connection of the phone with a public server was seen, and it carried nothing up.",
        "{count} connections of the phone with public servers were seen, and they carried nothing "
        "up.",
        flows,
    ).format(count=f"{flows:,}")
    return seen if flows else "No packet between the phone and a public server was seen."


def _how_much(analysis: Analysis, part: Counted) -> str:
    summary = analysis.summary
    servers = part.uploads.filter(UP > 0)["remote_address"].n_unique()
    who, size = shortened(subject(summary), _LONGEST), bytes_text(summary.up_unique_bytes)
    return (
        f"{who} sent {size} ({summary.up_unique_bytes:,} bytes of payload, each counted once) to "
        f"{counted(servers, 'server', 'servers')}{_observed(summary)}."
    )


def _observed(summary: Summary) -> str:
    seconds = sum(summary.exposure_by_state.values())
    return f" in {seconds_text(seconds)} that were observed" if seconds else ""


def _to_countries(analysis: Analysis, part: Counted) -> str:
    found = top(part.uploads, pl.col("country"))
    if not found["rows"]:
        return "No database knows the country of any of these servers."
    text = (
        f"As {country_source(analysis.databases)} places the servers, {_went(found, country_text)}"
    )
    return f"{text}."


def _went(found: dict[str, Any], say: Callable[[str], str]) -> str:
    """`most went to …`, or how much is unknown before what is known."""
    receivers = listed(
        [
            "{name} ({size}, {share})".format(
                name=shortened(say(name), _LONGEST),
                size=bytes_text(up),
                share=share_text(up, found["whole"]),
            )
            for name, up in found["rows"]
        ]
    )
    text = ("most went to {receivers}" if found["is_largest"] else "known are {receivers}").format(
        receivers=receivers
    )
    if found["is_unknown_said"]:
        text += "; for {share} it is not known".format(
            share=share_text(found["unknown"], found["whole"])
        )
    return text


def _to_whom(part: Counted) -> str:
    found = top(part.uploads, RUNNER)
    if not found["rows"]:
        return "Whose servers these are is not known."
    return f"By who runs the hosts, or else holds their network, {_went(found, str)}."


def _while_idle(analysis: Analysis, part: Counted) -> str:
    summary = analysis.summary
    when = idle_when(summary)
    if summary.idle_share is None:
        return f"How much of it was sent {when} is unknown: nothing says when that was."
    states = IDLE_STATES[summary.idle_means]
    idle = part.uploads.filter(pl.col("state").is_in(states))
    sent = int(idle["up_unique_bytes"].sum())
    time = seconds_text(sum(summary.exposure_by_state[state] for state in states))
    if not sent:
        return f"Nothing of it was seen to be sent {when}, in {time}."
    text = f"{bytes_text(sent)} of it ({idle_share_text(summary)}) was sent {when}, in {time}"
    largest = top(idle, pl.col("country"))
    if largest["is_largest"]:
        name, up = largest["rows"][0]
        text += f", {share_text(up, sent)} of that to {country_text(name)}"
    return f"{text}."


def _how_sure(summary: Summary) -> list[str]:
    """How far the countries can be believed, by bytes."""
    sums, whole = summary.up_unique_bytes_by_verdict, summary.up_unique_bytes
    words = {
        "consistent": "agrees with the measured round trip for {share} of the bytes",
        "unverifiable": "is not disputed and was not checked for {share}",
        "disputed": "differs between databases for {share}",
        "impossible": "is impossible by the measured round trip for {share}",
        "none": "is not known for {share}",
    }
    found = [
        text.format(share=share_text(sums[verdict], whole))
        for verdict, text in words.items()
        if sums[verdict]
    ]
    return [f"How sure that is: the country {listed(found)}."] if found else []


def _unnamed(summary: Summary) -> str:
    unnamed, whole = summary.unnamed_up_unique_bytes, summary.up_unique_bytes
    if not unnamed:
        return "Each of these servers has a name that was seen in the capture."
    return (
        f"{share_text(unnamed, whole)} ({bytes_text(unnamed)}) went to servers whose name "
        "was not seen in this capture."
    )


def listed(texts: list[str]) -> str:
    """The texts as a list in a sentence."""
    if len(texts) < 2:  # noqa: PLR2004  # nothing to join
        return "".join(texts)
    return "{first} and {last}".format(first=", ".join(texts[:-1]), last=texts[-1])


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
