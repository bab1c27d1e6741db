"""What the report says in words: numbers as people read them, and the sentences of the answer.

The wording is fixed where it matters: what is not there was "not seen in this capture", never
"not sent"; a country is where databases place an address; an upload is `up_unique_bytes`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import Analysis, Summary
from phonehome.reports.words.translate import figures, mark, number, say, say_many, told

SOURCE_WORDS: Final = {
    "sni": mark("TLS server name"),
    "quic_sni": mark("QUIC server name"),
    "http_host": mark("HTTP Host header"),
    "httpdns": mark("answer of an HTTPDNS service"),
    "dns": mark("DNS answer"),
    "certificate": mark("server certificate"),
}
"""Where a name was seen, as the report names it."""

RULE_WORDS: Final = {
    "said_elsewhere": mark("said by another flow"),
    "certificate_elsewhere": mark("shown to another flow"),
    "answered_later": mark("looked up later"),
}
"""How a name was chosen, where the flow itself does not say it."""

CONTENT_WORDS: Final = {
    "text": mark("text"),
    "random": mark("encrypted or compressed"),
    "structured": mark("neither text nor encrypted"),
    "too_short": mark("too short to tell"),
    "mixed": mark("partly encrypted or compressed"),
}
"""What the first bytes of an unknown protocol look like."""

KINDS: Final = {
    "impossible": mark("impossible country"),
    "idle": mark("while idle"),
    "plain": mark("plain text"),
    "beacon": mark("periodic"),
    "token": mark("stable token"),
    "deceptive": mark("deceptive name"),
    "tracker": mark("tracker"),
    "amplified": mark("sent more than once"),
    "disputed": mark("country disputed"),
    "relay": mark("relay?"),
    "unnamed": mark("no name"),
}
"""What a finding is of, as the mark beside it says."""

PARTY_MARKS: Final = {"first": mark("own"), "tracker": mark("tracker")}
"""How the table of destinations marks what an organisation is to the app."""

NO_NAME: Final = mark("no name seen in this capture")
NO_COUNTRY: Final = mark("no country known")
NO_ORGANISATION: Final = mark("no organisation known")
NO_APP: Final = mark("app not recorded")

_IDLE_WHEN: Final = {
    "screen-off": mark("while idle"),
    "background": mark("in the background"),
    "both": mark("while idle or in the background"),
}

_KILO: Final = 1_000
_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")
_MUCH_UNKNOWN: Final = 0.05
_LEAST_TOLD: Final = 0.1  # percent
_MOST_TOLD: Final = 99.9  # percent
_MORE_TOLD: Final = 100.1  # percent
_LEAST_TIMES: Final = 0.01
_MOST_PHONES: Final = 4
_NO_SOURCE: Final = ("uncovered", "none")  # of phases that no timeline names


def bytes_text(count: int) -> str:
    """A number of bytes in the unit people read, three digits; 1 kB is 1,000 bytes.

    A half is rounded up, as `size` of the page's script does, which says the same numbers again.
    """
    if count < _KILO:
        return say_many("1 byte", "{count} bytes", count, count=count)
    scales = [(unit, _KILO**power) for power, unit in enumerate(_UNITS, start=1)]
    unit, scale = next(
        (each for each in scales if _rounded(count, each[1]) < _KILO),
        scales[-1],
    )
    decimals = next((some for some in (2, 1) if _rounded(count * 10**some, scale) < _KILO), 0)
    whole, rest = divmod(_rounded(count * 10**decimals, scale), 10**decimals)
    text = f"{whole:,}.{rest:0{decimals}}" if decimals else f"{whole:,}"
    return f"{figures(text)} {unit}"


def _rounded(count: int, scale: int) -> int:
    """A number in units of a scale, a half rounded up: exact, for floats are not."""
    return (2 * count + scale) // (2 * scale)


def share_text(part: int, whole: int) -> str:
    """A part of a whole in percent: `0 %` and `100 %` are said only where they are exact."""
    if part == 0 or whole == 0:
        return "0 %"
    if part == whole:
        return "100 %"
    percent = 100 * part / whole
    if percent < _LEAST_TOLD:  # what one decimal cannot say
        return say("under {share}", share=figures("0.1 %"))
    if part < whole and percent > _MOST_TOLD:  # the same
        return say("over {share}", share=figures("99.9 %"))
    if part > whole and percent < _MORE_TOLD:  # it is no part: more was captured than counted
        return say("over {share}", share="100 %")
    return figures(f"{percent:,.1f} %")


def times_text(times: float) -> str:
    """How many times over: two decimals where they say anything, and no `0.00` for what is some."""
    if 0 < times < _LEAST_TIMES:
        return say("under {share}", share=figures(f"{_LEAST_TIMES}"))
    return figures(f"{times:,.0f}" if times >= _KILO else f"{times:,.2f}")


def seconds_text(seconds: float) -> str:
    """A span of time in its two largest units."""
    whole = round(seconds)
    if whole < 1:
        return figures(f"{seconds:.2g} s") if seconds > 0 else "0 s"
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [(days, say("d")), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def milliseconds(span: timedelta) -> str:
    """A span in milliseconds, one decimal."""
    return figures(f"{span.total_seconds() * _KILO:,.1f}")


def time_text(moment: datetime | None) -> str:
    """A moment to the second, in UTC; `no time recorded` where there is none."""
    if moment is None:
        return say("no time recorded")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun, in the singular where it is one."""
    return f"{number(count)} {plural(one, many, count)}"


def plural(one: str, many: str, count: int) -> str:
    """The form of a word or sentence that fits the count."""
    return say_many(one, many, count)


def capitalized(text: str) -> str:
    """The text with its first letter large, and the others as they are."""
    return text[:1].upper() + text[1:]


GRADE_WORDS: Final = {
    "consistent": mark("consistent"),
    "unverifiable": mark("not checked"),
    "disputed": mark("databases differ"),
    "impossible": mark("impossible"),
    "none": mark("not known"),
}
"""How far a country can be believed, as tables mark it."""

_GRADE_SAYS: Final = {
    "consistent": mark("the shortest round trip leaves time to reach it"),
    "unverifiable": mark("no database differs, and no round trip could be held against it"),
    "disputed": mark("databases name different countries"),
    "impossible": mark("the servers are nearer than any place in the country"),
    "none": mark("no database names a country"),
}


def grade_parts(summary: Summary) -> list[dict[str, Any]]:
    """The uploaded bytes by how far their country can be believed, and what that means."""
    sums = summary.up_unique_bytes_by_verdict
    return [
        {"grade": grade, "up": sums[grade], "says": say(says)}
        for grade, says in _GRADE_SAYS.items()
        if sums[grade]
    ]


def time_caption(
    width: timedelta | None, *, is_split: bool, has_gaps: bool, has_bursts: bool
) -> str:
    """What the chart over time shows, and how it is used."""
    if width is None:
        return ""
    said = [
        say(
            "Bytes uploaded; each bar is {width}. Colour: the country.",
            width=seconds_text(width.total_seconds()),
        )
    ]
    if is_split:
        said.append(
            say(
                "Shades are phases, idle ones darkest, numbered as below; the lower half repeats "
                "the idle ones on their own scale."
            )
        )
    if has_gaps:
        said.append(
            say("Time that no capture covers, or dead silence, is cut out at dotted lines.")
        )
    if has_bursts:
        said.append(say("Triangles are the bursts listed below: a click leads there."))
    said.append(
        say(
            "Drag over a span of time to see it alone, here and on the whole page; click twice to "
            "go back."
        )
    )
    return " ".join(said)


def rate_text(per_hour: float) -> str:
    """A rate as bytes: nothing is said only where it is nothing."""
    rounded = round(per_hour)
    return say("under 1 byte") if per_hour > 0 and not rounded else bytes_text(rounded)


def subject(summary: Summary) -> str:
    """Whose traffic the totals are: the app's where the capture can tell, else the phone's."""
    return say("The phone") if summary.counted_app is None else summary.counted_app


def headline(summary: Summary, *, has_phone: bool = True) -> str:
    """The answer in one sentence.

    Args:
        summary: what was counted.
        has_phone: an address was taken for the phone; otherwise nothing could be counted.
    """
    if not has_phone:
        return say("Which address is the phone's is not known: no upload could be counted.")
    if summary.up_unique_bytes == 0:
        return say("No upload to a public server was seen in this capture.")
    parts = {
        "who": subject(summary),
        "size": bytes_text(summary.up_unique_bytes),
        "countries": counted(summary.countries, "country", "countries"),
    }
    if summary.idle_share is None:
        return say(
            "{who} uploaded {size} to {countries}. How much of it {when} is unknown.",
            when=idle_when(summary),
            **parts,
        )
    return say("{who} uploaded {size} to {countries}, {idle}.", idle=idle_clause(summary), **parts)


def idle_when(summary: Summary) -> str:
    """When the idle share was uploaded: what idle was said to mean, as a part of a sentence."""
    when = say(_IDLE_WHEN[summary.idle_means])
    return say("{when} (inferred from traffic)", when=when) if summary.is_inferred else when


def idle_clause(summary: Summary) -> str:
    """How much of the upload fell into idle time, as a part of a sentence."""
    if summary.idle_share is None:
        return say("how much of it {when} is unknown", when=idle_when(summary))
    unknown, whole = summary.up_unique_bytes_by_state["unknown"], summary.up_unique_bytes
    parts = {"share": idle_share_text(summary), "when": idle_when(summary)}
    if unknown >= _MUCH_UNKNOWN * whole:
        return say(
            "{share} of it {when} (state unknown for {unknown})",
            unknown=share_text(unknown, whole),
            **parts,
        )
    return say("{share} of it {when}", **parts)


def idle_share_text(summary: Summary) -> str:
    """The idle part of all uploaded, `at least` where a part has no known state; or `unknown`."""
    if summary.idle_share is None:
        return say("unknown")
    uploaded = summary.up_unique_bytes_by_state
    idle = sum(uploaded[state] for state in IDLE_STATES[summary.idle_means])
    whole = summary.up_unique_bytes
    share = share_text(idle, whole)
    percent = 100 * idle / whole
    if not uploaded["unknown"] or percent > _MOST_TOLD:
        return share
    if 0 < percent < _LEAST_TOLD:
        return say("more than 0 %")
    return say("at least {share}", share=share)


def idle_detail(analysis: Analysis) -> str:
    """What stands behind the idle share, or why there is none and how to get it."""
    summary = analysis.summary
    uploaded, observed = summary.up_unique_bytes_by_state, summary.exposure_by_state
    if not any(observed[state] for state in observed if state != "unknown"):
        return stateless(analysis)
    if summary.idle_share is None:
        return say("Nothing was uploaded in a phase whose state is known.")
    idle = IDLE_STATES[summary.idle_means]
    sent, time = (sum(table[state] for state in idle) for table in (uploaded, observed))
    parts = {
        "size": bytes_text(int(sent)),
        "time": seconds_text(time),
        "states": (" " + say("and") + " ").join(told(state) for state in idle),
    }
    if unknown := uploaded["unknown"]:
        return say(
            "{size} in {time} of {states} time; state unknown for {share} of all uploaded "
            "({unknown}).",
            share=share_text(unknown, summary.up_unique_bytes),
            unknown=bytes_text(unknown),
            **parts,
        )
    return say("{size} in {time} of {states} time.", **parts)


def stateless(analysis: Analysis) -> str:
    """Why no moment of the captures has a state, and what to do about it."""
    summary = analysis.summary
    if not analysis.settings.timelines:
        return say("No timeline says when the phone was idle: run again with --timeline.")
    if summary.first_time is None or summary.last_time is None:
        return say("No packet has a time, so the timelines given say nothing of any.")
    is_observed = pl.col("exposure").dt.total_nanoseconds() > 0
    is_covered = ~pl.col("source").is_in(_NO_SOURCE) & is_observed
    first, last = (_moment_text(time) for time in (summary.first_time, summary.last_time))
    if analysis.phases.filter(is_covered).is_empty():
        return say(
            "The timelines given cover no moment of the captures, which last from {first} to "
            "{last}.",
            first=first,
            last=last,
        )
    return say(
        "The timelines given name no state but “unknown” for the captures, which last from "
        "{first} to {last}.",
        first=first,
        last=last,
    )


def _moment_text(time: str) -> str:
    """A moment of the summary to the second."""
    return f"{time[:19].replace('T', ' ')} UTC"


def phones_sentence(phones: pl.DataFrame) -> str:
    """Which addresses were taken for the phone, and why."""
    taken = phones.filter(pl.col("is_phone")).unique("address", keep="first", maintain_order=True)
    if taken.is_empty():
        return say("No address was taken for the phone: name it with --phone.")
    said = [
        f"{row['address']} ({told(row['reason'])})" for row in taken.head(_MOST_PHONES).to_dicts()
    ]
    if taken.height > _MOST_PHONES:
        said.append(counted(taken.height - _MOST_PHONES, "other address", "other addresses"))
    return say("Taken for the phone: {addresses}.", addresses=", ".join(said))


def country_source(databases: pl.DataFrame) -> str:
    """Who places servers in countries, and how old that knowledge is."""
    kinds = pl.col("kind").str.split("+")
    first = databases.filter(kinds.list.contains("country")).sort("position")
    if first.is_empty():
        return say("no database that knows countries")
    day = first["data_date"][0]
    if day is None:
        return say("the first database (age of its data unknown)")
    return say("the first database (data of {day})", day=day)


def apps_sentence(summary: Summary) -> str | None:
    """What the totals cover where an app was asked for, or apps cannot be told apart."""
    if summary.is_app_known:
        if summary.app is None:
            return None
        return say(
            "Totals are those of {app}; other apps are shown as a remainder.", app=summary.app
        )
    if summary.app is None:
        return say("The input names no app: all traffic of the phone counts.")
    return say(
        "The input names no app: all traffic of the phone counts, not only that of {app}.",
        app=summary.app,
    )


def party_sentences(parties: list[dict[str, Any]], summary: Summary) -> list[str]:
    """What went to the app's own publisher and to trackers; a sentence each, where there is any.

    Args:
        parties: `party`, `up` and `names` of each (`sums.by_party`).
        summary: the answer.
    """
    whole = summary.up_unique_bytes
    said = []
    for row in parties:
        parts = {
            "size": bytes_text(row["up"]),
            "share": share_text(row["up"], whole),
            "names": ", ".join(row["names"]),
        }
        if row["party"] == "first":
            said.append(
                say(
                    "{size} ({share}) went to hosts that the publisher of the app runs: {names}.",
                    **parts,
                )
            )
        elif row["party"] == "tracker":
            said.append(
                say(
                    "{size} ({share}) went to hosts for advertising, analytics or crash reports: "
                    "{names}.",
                    **parts,
                )
            )
    return said


def loss_sentence(captures: pl.DataFrame) -> str:
    """What is known of packets that the capture tool missed, over all captures."""
    missing = int(captures["gap_bytes"].sum()) if "gap_bytes" in captures.columns else 0
    silent = captures["dropped_packets"].null_count()
    recorded = int(captures["dropped_packets"].sum())
    if silent == captures.height:
        if missing:
            return say_many(
                "No file counts its losses, but at least {count} byte is missing inside TCP "
                "streams: packets were not captured. Totals are lower bounds.",
                "No file counts its losses, but at least {count} bytes are missing inside TCP "
                "streams: packets were not captured. Totals are lower bounds.",
                missing,
                count=number(missing),
            )
        return say(
            "Whether packets were lost while capturing is unknowable: no file records it. "
            "Totals are then lower bounds."
        )
    said = [
        say_many(
            "The files record {count} packet lost while capturing.",
            "The files record {count} packets lost while capturing.",
            recorded,
            count=number(recorded),
        )
    ]
    if silent:
        said.append(
            say_many(
                "{count} file does not say.",
                "{count} files do not say.",
                silent,
                count=number(silent),
            )
        )
    if missing:
        said.append(
            say_many(
                "At least {count} byte is missing inside TCP streams: packets were not captured. "
                "Totals are lower bounds.",
                "At least {count} bytes are missing inside TCP streams: packets were not "
                "captured. Totals are lower bounds.",
                missing,
                count=number(missing),
            )
        )
    return " ".join(said)


def answer_rows(analysis: Analysis) -> list[tuple[str, str]]:
    """The answer as names and values, for a terminal."""
    summary = analysis.summary
    whole = summary.up_unique_bytes
    countries = counted(summary.countries, "country", "countries")
    idle_joint = ". " if summary.idle_share is None else ": "
    rows = [
        ("phone", phones_sentence(analysis.phones)),
        ("uploaded", f"{bytes_text(whole)} ({whole:,} bytes, each counted once)"),
        ("to", f"{countries}, where {country_source(analysis.databases)} places the servers"),
        (idle_when(summary), f"{idle_share_text(summary)}{idle_joint}{idle_detail(analysis)}"),
        ("without a name", share_text(summary.unnamed_up_unique_bytes, whole)),
        ("country disputed", share_text(summary.disputed_up_unique_bytes, whole)),
    ]
    if (apps := apps_sentence(summary)) is not None:
        rows.append(("apps", apps))
    if summary.is_damaged:
        rows.append(("damage", "part of the input could not be read: see the input quality"))
    if not summary.is_balanced:
        rows.append(("ACCOUNTING", "does not hold: this result is not complete"))
    return [*rows, *(("note", note) for note in analysis.notes)]
