"""What the report says of behaviour over time: rates per state, beacons, bursts, the clock."""

from datetime import timedelta
from typing import Any, Final

import polars as pl

from phonehome.analyzer import addresses_filter
from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import STATES, Analysis
from phonehome.reports.words.escape import shortened
from phonehome.reports.words.translate import figures, mark, number, say, told
from phonehome.reports.words.wording import (
    bytes_text,
    capitalized,
    counted,
    idle_when,
    seconds_text,
    share_text,
    times_text,
)

SIZE_WORDS: Final = {
    "heartbeat": mark("heartbeat"),
    "message": mark("message"),
    "photo": mark("photo-sized"),
    "large": mark("large"),
}
"""Size classes of bursts, as the report names them; the thresholds stand in its legend."""

_MOST_HOSTS: Final = 12
_MOST_BURSTS: Final = 15
_MOST_BEACONS: Final = 50
_MOST_NAMED: Final = 3
_LONGEST: Final = 90


def behaviour(analysis: Analysis) -> dict[str, Any]:
    """What the section on time shows beside phases, and what the answer says of it."""
    counted_app = analysis.summary.counted_app
    counts = pl.lit(value=True) if counted_app is None else pl.col("app").eq_missing(counted_app)
    bursts, beacons = analysis.bursts.filter(counts), analysis.beacons.filter(counts)
    is_told = _is_told(analysis)
    states = IDLE_STATES[analysis.summary.idle_means] if is_told else STATES
    shown = bursts.filter(pl.col("state").is_in(states))
    periodic = beacons.filter(pl.col("state").is_in(states))
    return {
        "is_told": is_told,
        "when": idle_when(analysis.summary) if is_told else say("in all the time observed"),
        "rates": _state_rates(analysis),
        "idle_hosts": _hosts(analysis, states) if is_told else [],
        "beacons": [_beacon(row) for row in periodic.head(_MOST_BEACONS).to_dicts()],
        "beacons_left_out": max(0, periodic.height - _MOST_BEACONS),
        "bursts": [_burst(row, analysis.flows) for row in _largest(shown).to_dicts()],
        "bursts_in_all": shown.height,
        "sizes": _sizes(shown),
        "clocks": analysis.clocks.to_dicts(),
        "amplification": analysis.amplification.to_dicts(),
        "completeness": analysis.completeness.head(_MOST_BEACONS).to_dicts(),
        "completeness_sentence": completeness_sentence(analysis),
        "stretches": [] if is_told else analysis.stretches.head(_MOST_BEACONS).to_dicts(),
    }


def sentences(
    analysis: Analysis, shown: dict[str, Any], *, says_periodic: bool = True
) -> list[str]:
    """What the answer says of behaviour over time: the idle rate, and what is periodic.

    Args:
        analysis: the tables.
        shown: what `behaviour` makes of them.
        says_periodic: name what is contacted periodically, too.
    """
    if not shown["is_told"]:
        return _sent(analysis)
    states = IDLE_STATES[analysis.summary.idle_means]
    said: list[str] = []
    rates = [row for row in shown["rates"] if row["state"] in states]
    if len(rates) == 1 and rates[0]["up_unique_bytes"]:
        when = capitalized(shown["when"])
        said.append(say("{when}: {rate}.", when=when, rate=rate_text(rates[0])))
    new = [row["key"] for row in shown["idle_hosts"] if row["first_met"] in states]
    if new:
        said.append(
            say(
                "Met first {when}: {destinations} ({names}).",
                when=shown["when"],
                destinations=counted(len(new), "destination", "destinations"),
                names=_few(new),
            )
        )
    clear = [row for row in shown["beacons"] if row["confidence"] == "clear"]
    if clear and says_periodic:
        names = [
            say("{name} every {period}", name=row["name"], period=row["every"]) for row in clear
        ]
        said.append(
            say("Contacted periodically {when}: {names}.", when=shown["when"], names=_few(names))
        )
    return [*said, *_sent(analysis)]


def _sent(analysis: Analysis) -> list[str]:
    """How many times over what the user sent left the phone."""
    return [_left(row) for row in _wholes(analysis)]


def _left(row: dict[str, Any]) -> str:
    parts = {
        "source": row["source"],
        "left": bytes_text(row["up_unique_bytes"]),
        "times": times_text(row["times"]),
        "size": bytes_text(row["sent_bytes"]),
    }
    if not row["label"]:
        return say("Of {source}, {left} left the phone: {times} times its {size}.", **parts)
    return say(
        "Of {source}, sent in “{label}”, {left} left the phone: {times} times its {size}.",
        label=row["label"],
        **parts,
    )


def _wholes(analysis: Analysis) -> list[dict[str, Any]]:
    """The row for all destinations of each thing that was sent."""
    return analysis.amplification.group_by("thing", maintain_order=True).first().to_dicts()


def completeness_sentence(analysis: Analysis) -> str | None:
    """How much of what the phone counted was captured, of the app under test where it is known."""
    table = analysis.completeness
    app = analysis.summary.app
    rows = table.filter(pl.col("app") == app) if app is not None else table.clear()
    row = next(iter([*rows.to_dicts(), *table.to_dicts()]), None)
    if row is None or row["share"] is None:
        return None
    text = _captured(row)
    if row["remark"]:
        return say("{sentence}: {remark}.", sentence=text, remark=told(row["remark"]))
    return f"{text}."


def _captured(row: dict[str, Any]) -> str:
    """How much of what the phone counted is in the captures, without its full stop."""
    who = row["app"] if row["app"] is not None else say("its apps together")
    captured, counted = row["captured_up_ip_bytes"], row["counted_up_bytes"]
    if row["up_share"] is not None:
        share = share_text(captured, counted)
        return say(
            "{share} of what the phone says that {who} sent is in the captures ({captured} of "
            "{counted}, headers included)",
            share=share,
            who=who,
            captured=bytes_text(captured),
            counted=bytes_text(counted),
        )
    return say(
        "{share} of what the phone says that {who} sent and received is in the captures "
        "({captured} of {counted}, headers included)",
        share=share_text(captured + row["captured_down_ip_bytes"], row["counted_bytes"]),
        who=who,
        captured=bytes_text(captured + row["captured_down_ip_bytes"]),
        counted=bytes_text(row["counted_bytes"]),
    )


def rate_text(row: dict[str, Any]) -> str:
    """A rate per hour, with its interval if it has one."""
    rate = bytes_text(round(row["up_unique_bytes_per_hour"]))
    if row["low_per_hour"] is None:
        return say(
            "{rate} an hour ({remark} to say how sure that is)",
            rate=rate,
            remark=told(row["remark"]),
        )
    low, high = (bytes_text(round(row[f"{end}_per_hour"])) for end in ("low", "high"))
    return say("{rate} an hour (95 % interval {low} to {high})", rate=rate, low=low, high=high)


def _is_told(analysis: Analysis) -> bool:
    """Whether any state but unknown was observed."""
    seconds = analysis.summary.exposure_by_state
    return any(seconds[state] for state in seconds if state != "unknown")


def _state_rates(analysis: Analysis) -> list[dict[str, Any]]:
    return analysis.rates.filter(pl.col("dimension") == "all").to_dicts()


def _hosts(analysis: Analysis, states: tuple[str, ...]) -> list[dict[str, Any]]:
    """The destinations that got most in these states, with their rates in all of them."""
    hosts = analysis.rates.filter(pl.col("dimension") == "host")
    own = hosts.filter(pl.col("state").is_in(states))
    keys = (
        own.group_by("key")
        .agg(pl.col("up_unique_bytes").sum())
        .sort(-pl.col("up_unique_bytes"), "key")
        .head(_MOST_HOSTS)["key"]
        .to_list()
    )
    rows = {(row["key"], row["state"]): row for row in hosts.to_dicts()}
    return [
        {
            "key": key,
            "up": sum(of["up_unique_bytes"] for state in states if (of := rows.get((key, state)))),
            "first_met": next(row["first_met"] for row in rows.values() if row["key"] == key),
            "by_state": {state: rows.get((key, state)) for state in STATES},
        }
        for key in keys
    ]


def _beacon(row: dict[str, Any]) -> dict[str, Any]:
    """A beacon with its name, its period in words, and the filter that finds its frames."""
    addresses = row["remote_addresses"]
    return row | {
        "name": row["host"] or addresses[0],
        "every": period_text(row["period"]),
        "filter": addresses_filter(addresses[:_MOST_HOSTS]),
    }


def period_text(span: timedelta) -> str:
    """A period, exact to a tenth of a second below a minute."""
    seconds = span.total_seconds()
    return figures(f"{seconds:.1f} s") if seconds < 60 else seconds_text(seconds)  # noqa: PLR2004


def _largest(bursts: pl.DataFrame) -> pl.DataFrame:
    """The largest bursts, in order of time."""
    largest = bursts.sort(-pl.col("up_unique_bytes"), "burst").head(_MOST_BURSTS)
    return largest.sort("burst")


def _burst(row: dict[str, Any], flows: pl.DataFrame) -> dict[str, Any]:
    """A burst with its size in words, its length, and the filter that finds its frames."""
    seconds = (row["end"] - row["start"]).total_seconds()
    addresses = (
        flows.filter(pl.col("flow").is_in(row["flows"]))["remote_address"].unique().sort().to_list()
    )
    size = SIZE_WORDS[row["size"]]
    is_whole = row["flow_count"] == len(row["flows"])
    return row | {
        "size": say(size),
        "lasted": say("under 1 s") if seconds < 1 else seconds_text(seconds),
        "names": [shortened(name, _LONGEST) for name in row["names"][:_MOST_NAMED]],
        "more": max(0, len(row["names"]) - _MOST_NAMED),
        "filter": frames_filter(
            row["first_frame"], row["last_frame"], addresses if is_whole else []
        ),
    }


def frames_filter(first: int, last: int, addresses: list[str]) -> str:
    """The Wireshark display filter that finds frames with these addresses in a range."""
    if first == last:
        return f"frame.number == {first}"
    span = f"frame.number in {{{first} .. {last}}}"
    if not 0 < len(addresses) <= _MOST_NAMED:
        return span
    found = addresses_filter(addresses)
    return f"{span} && ({found})" if len(addresses) > 1 else f"{span} && {found}"


def _sizes(bursts: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Per size class how many bursts, and their bytes."""
    sums = bursts.group_by("size").agg(pl.len(), pl.col("up_unique_bytes").sum())
    found = {size: (count, sent) for size, count, sent in sums.rows()}
    return [(say(SIZE_WORDS[size]), *found[size]) for size in SIZE_WORDS if size in found]


def _few(texts: list[str]) -> str:
    shown = ", ".join(shortened(text, _LONGEST) for text in texts[:_MOST_NAMED])
    if not texts[_MOST_NAMED:]:
        return shown
    return say("{names} and {more} more", names=shown, more=number(len(texts) - _MOST_NAMED))
