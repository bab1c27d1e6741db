"""What to look at first: findings of the tables, ranked, each with its evidence.

The rank is stated: first what contradicts the answer (a country that cannot be), then what leaves
while nobody touches the phone, what others could read, what names deceive, what is unsure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from phonehome.analyzer import addresses_filter
from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import Analysis
from phonehome.reports.charts.style import country_text
from phonehome.reports.page.document import fragment
from phonehome.reports.page.story import listed
from phonehome.reports.page.tokens import written
from phonehome.reports.words.escape import shortened
from phonehome.reports.words.sums import UP, Counted
from phonehome.reports.words.translate import mark, number, say, say_many, told
from phonehome.reports.words.wording import bytes_text, idle_when, share_text, times_text

MOST: Final = 8
_LONGEST: Final = 60
_FEW: Final = 3
_MOST_ADDRESSES: Final = 12
_UNNAMED: Final = 0.01


@dataclass(frozen=True)
class Highlight:
    """One finding.

    Attributes:
        kind: what it is of, for the mark beside it.
        says: the finding, a sentence.
        because: what it rests on, a sentence.
        filter: the Wireshark display filter that finds its frames; None: none fits.
        link: the place of the page with more, a fragment.
    """

    kind: str
    says: str
    because: str
    filter: str | None
    link: str


def highlights(analysis: Analysis, part: Counted, over_time: dict[str, Any]) -> list[Highlight]:
    """The findings, the gravest first; none where the tables hold nothing of the kind.

    Args:
        analysis: the tables.
        part: what counts.
        over_time: `behaviour.behaviour`.
    """
    found = [
        *_verdict(analysis, part, "impossible"),
        *_idle(analysis, part),
        *_plain(part),
        *_tokens(analysis),
        *_beacons(over_time),
        *_deceptive(part),
        *_trackers(part),
        *_amplified(analysis),
        *_verdict(analysis, part, "disputed"),
        *_relays(analysis, part),
        *_unnamed(part),
    ]
    return found[:MOST]


def unsaid(analysis: Analysis, found: Iterable[Highlight]) -> list[str]:
    """The notes of a run without those that a finding says too, and without attributions.

    Args:
        analysis: notes and findings.
        found: `highlights`.
    """
    left_out = {"attribution"} | (
        {"plain_text"} if any(x.kind == "plain" for x in found) else set()
    )
    kinds = dict(analysis.findings.select("sentence", "kind").iter_rows())
    return [note for note in analysis.notes if kinds.get(note) not in left_out]


def _addresses(table: pl.DataFrame) -> str:
    """The display filter of the addresses that got most."""
    sums = table.group_by("remote_address").agg(up=UP.sum()).sort(-pl.col("up"), "remote_address")
    return addresses_filter(sums["remote_address"].head(_MOST_ADDRESSES).to_list())


def _names(table: pl.DataFrame, most: int = _FEW) -> str:
    """The hosts, or addresses without a name, that got most."""
    name = pl.coalesce("host", "remote_address").alias("name")
    sums = table.group_by(name).agg(up=UP.sum()).sort(-pl.col("up"), "name")
    names = [shortened(each, _LONGEST) for each in sums["name"].head(most).to_list()]
    left = sums.height - len(names)
    more = [say("{number} more", number=number(left))] if left else []
    return listed([*names, *more])


def _sum(table: pl.DataFrame) -> int:
    return int(table["up_unique_bytes"].sum())


def _verdict(analysis: Analysis, part: Counted, verdict: str) -> Iterator[Highlight]:
    """Servers whose country is excluded by a round trip, or on which databases differ."""
    places = analysis.places.filter(pl.col("verdict") == verdict).select(
        remote_address="address", opinions="opinions"
    )
    sent = part.uploads.filter(UP > 0).join(places, on="remote_address")
    if sent.is_empty():
        return
    share = share_text(_sum(sent), _sum(part.uploads))
    codes = sent.group_by("country").agg(up=UP.sum()).sort(-pl.col("up"), "country")["country"]
    named = listed([country_text(code) for code in codes.head(_FEW).to_list()])
    others = sorted(
        {each["country"] for row in sent["opinions"].to_list() for each in row or []}
        - {None, *codes.to_list()}
    )
    if verdict == "impossible":
        says = mark("{size} ({share}) is said to go to {countries}, where the servers cannot be.")
        because = mark(
            "The shortest round trip to {hosts} is too short for light in fibre to reach that "
            "country and come back."
        )
    else:
        says = mark("On {size} ({share}) said to go to {countries} the databases name others.")
        because = mark("They name {others} for {hosts}.") if others else mark("It is of {hosts}.")
    yield Highlight(
        kind=verdict,
        says=say(says, size=bytes_text(_sum(sent)), share=share, countries=named),
        because=say(
            because,
            hosts=_names(sent),
            others=listed([country_text(code) for code in others[:_FEW]]),
        ),
        filter=_addresses(sent),
        link=fragment("country", codes[0]),
    )


def _idle(analysis: Analysis, part: Counted) -> Iterator[Highlight]:
    """Who got most while the phone was idle."""
    if analysis.summary.idle_share is None:
        return
    states = IDLE_STATES[analysis.summary.idle_means]
    idle = part.uploads.filter(UP > 0, pl.col("state").is_in(states))
    if idle.is_empty():
        return
    name = pl.coalesce("host", "remote_address")
    sums = idle.group_by(name.alias("name")).agg(up=UP.sum()).sort(-pl.col("up"), "name")
    largest, up = sums.row(0)
    own = idle.filter(name == largest)
    phases = own["phase"].n_unique()
    yield Highlight(
        kind="idle",
        says=say(
            "{name} got {size} {when}, {share} of all that was sent then.",
            name=shortened(largest, _LONGEST),
            size=bytes_text(up),
            when=idle_when(analysis.summary),
            share=share_text(up, _sum(idle)),
        ),
        because=say_many(
            "In {count} phase of that state, to {country}.",
            "In {count} phases of that state, to {country}.",
            phases,
            count=number(phases),
            country=country_text(own["country"][0]),
        ),
        filter=_addresses(own),
        link="#when",
    )


def _tokens(analysis: Analysis) -> Iterator[Highlight]:
    """The token that most hosts got, where more than one did."""
    first = analysis.tokens.filter(pl.col("token_hosts") > 1).head(1)
    if first.is_empty():
        return
    row = first.row(0, named=True)
    names = analysis.tokens.filter(token=row["token"])["host"].unique(maintain_order=True)
    yield Highlight(
        kind="token",
        says=say(
            "One value, {written}, was sent to {count} hosts, among them {names}.",
            written=written(row["form"], row["length"]),
            count=number(row["token_hosts"]),
            names=listed([shortened(name, _LONGEST) for name in names.head(_FEW).to_list()]),
        ),
        because=say(
            "It came in {count} requests that differ otherwise: it ties them together.",
            count=number(row["token_requests"]),
        ),
        filter=f"frame.number == {row['frame']}",
        link="#tokens",
    )


def _plain(part: Counted) -> Iterator[Highlight]:
    """What went up over HTTP, readable on the way."""
    plain = part.flows.filter(UP > 0, pl.col("service") == "http")
    if plain.is_empty():
        return
    yield Highlight(
        kind="plain",
        says=say(
            "{size} ({share}) was sent in plain text, to {names}.",
            size=bytes_text(_sum(plain)),
            share=share_text(_sum(plain), _sum(part.flows)),
            names=_names(plain),
        ),
        because=say(
            "HTTP without encryption: whoever carried these packets could read and change them."
        ),
        filter=f"http.request && ({_addresses(plain)})",
        link="#names",
    )


def _beacons(over_time: dict[str, Any]) -> Iterator[Highlight]:
    """What calls at even intervals."""
    clear = [row for row in over_time["beacons"] if row["confidence"] == "clear"]
    if not clear:
        return
    row = clear[0]
    yield Highlight(
        kind="beacon",
        says=listed(
            [
                say(
                    "{name} is contacted every {period}",
                    name=shortened(each["name"], _LONGEST),
                    period=each["every"],
                )
                for each in clear[:_FEW]
            ]
        )
        + ".",
        because=say(
            "{beats} beats of {size} in mean, {missed} missed, for the first of them.",
            beats=number(row["beats"]),
            size=bytes_text(round(row["bytes_per_beat"])),
            missed=number(row["missed"]),
        ),
        filter=row["filter"],
        link="#beacons",
    )


def _deceptive(part: Counted) -> Iterator[Highlight]:
    """Names that read as others than they are."""
    odd = part.flows.filter(pl.col("host_warning").is_not_null())
    if odd.is_empty():
        return
    first = odd.sort(-UP, "flow").row(0, named=True)
    yield Highlight(
        kind="deceptive",
        says=say(
            "The name {name} deceives: {warning}.",
            name=shortened(first["host"], _LONGEST),
            warning=shortened(told(first["host_warning"]), 120),
        ),
        because=say(
            "It was seen in frame {frame} of {capture}.",
            frame=first["host_frame"],
            capture=shortened(first["capture"], _LONGEST),
        ),
        filter=_addresses(odd),
        link="#destinations",
    )


def _trackers(part: Counted) -> Iterator[Highlight]:
    """Hosts for advertising, analytics or crash reports."""
    own = part.uploads.filter(UP > 0, pl.col("party") == "tracker")
    if own.is_empty():
        return
    yield Highlight(
        kind="tracker",
        says=say(
            "{size} ({share}) went to advertising, analytics or crash reports: {names}.",
            size=bytes_text(_sum(own)),
            share=share_text(_sum(own), _sum(part.uploads)),
            names=_names(own),
        ),
        because=say("By the table of organisations, whose sources are in the documentation."),
        filter=_addresses(own),
        link="#who",
    )


def _amplified(analysis: Analysis) -> Iterator[Highlight]:
    """What left the phone more often than it was sent."""
    wholes = analysis.amplification.group_by("thing", maintain_order=True).first()
    for row in wholes.filter(pl.col("times") >= 1.5).head(1).to_dicts():  # noqa: PLR2004
        yield Highlight(
            kind="amplified",
            says=say(
                "What was sent ({source}) left the phone {times} times over.",
                source=shortened(row["source"], _LONGEST),
                times=times_text(row["times"]),
            ),
            because=say(
                "{size} went up where {sent} were sent.",
                size=bytes_text(row["up_unique_bytes"]),
                sent=bytes_text(row["sent_bytes"]),
            ),
            filter=None,
            link="#amplification",
        )


def _relays(analysis: Analysis, part: Counted) -> Iterator[Highlight]:
    """Servers that answer near and seem to hand on."""
    hints = analysis.places.filter(pl.col("relay_hint").is_not_null()).select(
        remote_address="address", relay_hint="relay_hint"
    )
    sent = part.uploads.filter(UP > 0).join(hints, on="remote_address")
    if sent.is_empty():
        return
    yield Highlight(
        kind="relay",
        says=say(
            "{size} went to servers that seem to relay: {names}.",
            size=bytes_text(_sum(sent)),
            names=_names(sent),
        ),
        because=say(
            "A hint, no proof: {hint}.", hint=told(sent["relay_hint"][0].rstrip(".")).rstrip(".")
        ),
        filter=_addresses(sent),
        link="#destinations",
    )


def _unnamed(part: Counted) -> Iterator[Highlight]:
    """What went to servers whose name nobody saw."""
    own = part.uploads.filter(UP > 0, pl.col("host").is_null())
    if _sum(own) < max(1, _UNNAMED * _sum(part.uploads)):
        return
    yield Highlight(
        kind="unnamed",
        says=say(
            "{size} ({share}) went to addresses without a name.",
            size=bytes_text(_sum(own)),
            share=share_text(_sum(own), _sum(part.uploads)),
        ),
        because=say(
            "No look-up, hello, header or certificate in the capture names {names}.",
            names=_names(own),
        ),
        filter=_addresses(own),
        link="#names",
    )
