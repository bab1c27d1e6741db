"""A comparison in words: keys as people read them, rates, verdicts, the answer.

The wording is fixed where it matters: what was measured is told apart from what of it is more than
chance, and a difference that may be chance is never called a finding.
"""

from typing import Any, Final

import polars as pl

from phonehome.analyzer import ALPHA, SEED
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.tables import ALL_STATES, CANNOT_TELL, FINDINGS, SIDES, STATES
from phonehome.reports.charts.style import country_text
from phonehome.reports.page.story import listed
from phonehome.reports.words.translate import figures, mark, mark_many, number, say, say_many, told
from phonehome.reports.words.wording import bytes_text, counted, seconds_text

_METHOD: Final = mark(
    "A difference is a finding where chance alone would rarely give it. Repetitions are what is "
    "counted: had the two labels been dealt to them at random, how often would the sides differ as "
    "much? How often a destination was seen is tested by Fisher's exact test, rates by permutation "
    "of their mean logarithms, the places of a host by permutation. At most "
    "{percent}% of all findings are expected to be false (Benjamini and Hochberg, over all tests "
    "of this comparison). Intervals come from resampling repetitions. Seed {seed}."
)
_METHOD_PARTS: Final = {"percent": f"{100 * ALPHA:.0f}", "seed": SEED}
METHOD: Final = _METHOD.format(**_METHOD_PARTS)
"""How verdicts are come by: in the page, in `compare.json` and in the terminal's last lines."""

DIMENSION_WORDS: Final = {
    "country": mark_many("country", "countries"),
    "asn": mark_many("network", "networks"),
    "organisation": mark_many("organisation", "organisations"),
    "domain": mark_many("domain", "domains"),
    "host": mark_many("host", "hosts"),
    "app": mark_many("app", "apps"),
    "service": mark_many("service", "services"),
    "phase": mark_many("host in a phase", "hosts in phases"),
}
"""One and many, as the comparison names them; a network is an autonomous system."""

HEADLINES: Final = ("country", "asn", "host")
"""Dimensions that the answer counts; the others are the same traffic in other parts."""

TRAIT_WORDS: Final = {
    "service": mark("service"),
    "tls_version": mark("version of TLS"),
    "ja3": mark("fingerprint of the client (JA3)"),
    "ja4": mark("fingerprint of the client (JA4)"),
    "beacon": mark("periodic contacts while"),
}

UNKNOWN_KEYS: Final = {
    "asn": mark("no network known"),
    "organisation": mark("no organisation known"),
    "domain": mark("no domain known"),
    "app": mark("no app known"),
    "service": mark("no service recognised"),
}
NOT_OBSERVED: Final = mark("not observed")

NONE: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
LEAST_P: Final = 0.001
MOST_DIGITS: Final = 100
"""Where a ratio is told in whole numbers; below, in three digits."""

_REASONS: Final = {
    "chance": mark("chance may have done it"),
    "unobserved": mark("one side did not observe this"),
    "exposure": mark("one side looked for less than half the time"),
    "direction": mark("its mean and most repetitions changed in opposite directions"),
}
"""Why a verdict cannot be told, but for too few captures."""
_SEVERAL: Final = 2
_HOUR: Final = 3_600_000_000_000  # ns
_PRESENT: Final = ("new", "gone")


def method() -> str:
    """`METHOD` in the language spoken."""
    return say(_METHOD, **_METHOD_PARTS)


def plural_of(dimension: str) -> str:
    """What several keys of a dimension are called."""
    return say_many(*DIMENSION_WORDS[dimension], _SEVERAL)


def key_text(row: dict[str, Any]) -> str:
    """The key of a row of changes: a country by name, an ASN with its holder."""
    key = row["key"]
    if row["dimension"] == "country":
        return country_text(key)
    if key is None:
        unknown = UNKNOWN_KEYS[row["dimension"]]
        return say(unknown)
    if row["dimension"] == "asn":
        return f"{key} {row['holder'] or ''}".rstrip()
    if row["dimension"] == "phase":
        return f"{key}, {row['label']}"
    return str(key)


def verdict_text(row: dict[str, Any]) -> str:
    """The verdict of a row, with what would be needed or what stands in its way."""
    if row["verdict"] != CANNOT_TELL:
        return told(str(row["verdict"]))
    return f"{told(CANNOT_TELL)}: {_doubt(row['reason'], row['needed_repetitions'])}"


def _doubt(reason: str, needed: int | None) -> str:
    if reason != "few":
        doubt = _REASONS[reason]
        return say(doubt)
    if needed is None:
        return say("needs more captures a side")
    return say("needs {count} captures a side", count=needed)


def trait_verdict(row: dict[str, Any]) -> str:
    """The verdict on a trait, with what would be needed."""
    if row["verdict"] != CANNOT_TELL:
        return told(str(row["verdict"]))
    needed = row["needed_repetitions"]
    return f"{told(CANNOT_TELL)}: {_doubt('chance' if needed is None else 'few', needed)}"


def tests_text(comparison: Comparison) -> str:
    """How many tests were corrected together."""
    if not comparison.family:
        return say("With so few captures no test can come out as a finding.")
    return say("{tests} corrected together.", tests=counted(comparison.family, "test", "tests"))


def p_text(value: float | None) -> str:
    """A p- or q-value as people read it; none: nothing was tested, or not in the family."""
    if value is None:
        return NONE
    if value < LEAST_P:
        return say("under {share}", share=figures("0.001"))
    return figures(f"{value:.3f}".rstrip("0").rstrip("."))


def ratio_text(row: dict[str, Any]) -> str:
    """How many times the base's rate the new one is, with its interval."""
    if row["ratio"] is None:
        return NONE
    text = _times(row["ratio"])
    if row["ratio_low"] is None:
        return text
    high = say("no upper end") if row["ratio_high"] is None else _times(row["ratio_high"])
    return say("{ratio} ({low} to {high})", ratio=text, low=_times(row["ratio_low"]), high=high)


def _times(ratio: float) -> str:
    return TIMES + figures(f"{ratio:,.0f}" if ratio >= MOST_DIGITS else f"{ratio:.3g}")


def findings(comparison: Comparison) -> dict[str, int]:
    """Rows per verdict, findings first; verdicts without rows are left out."""
    counts = dict(comparison.changes.group_by("verdict").len().iter_rows())
    return {word: counts[word] for word in (*FINDINGS, "same", CANNOT_TELL) if counts.get(word)}


def sureness(comparison: Comparison) -> str:
    """In one sentence, how much of what differs is more than chance, and what would tell more."""
    found = findings(comparison)
    differing = sum(found.get(word, 0) for word in FINDINGS)
    few = comparison.changes.filter(pl.col("reason") == "few")
    least = few.select(pl.col("needed_repetitions").min()).item()
    if differing:
        return say(
            "{rows} of {all} differ by more than chance; of {rest} it cannot be told.",
            rows=counted(differing, "row", "rows"),
            all=number(comparison.changes.height),
            rest=number(found.get(CANNOT_TELL, 0)),
        )
    if few.is_empty():
        return say("Nothing here differs by more than chance may have done.")
    if least is None:
        return say(
            "No difference can be told from chance with so few captures: it takes more captures "
            "a side."
        )
    return say(
        "No difference can be told from chance with so few captures: it takes at least {count} "
        "captures a side.",
        count=least,
    )


def rate_text(rate: float | None) -> str:
    """Bytes per hour in the unit people read; null is time that was not observed."""
    if rate is None:
        return say(NOT_OBSERVED)
    if 0 < rate < 0.5:  # noqa: PLR2004  # what would be rounded to none
        return say("{rate}/h", rate=say("under 1 byte"))
    return say("{rate}/h", rate=bytes_text(round(rate)))


def within_text(same_within: float) -> str:
    """When two rates are called the same."""
    return say(
        "Rates are called the same where they differ by at most {share} % of the larger one.",
        share=figures(f"{100 * same_within:g}"),
    )


def n_text(comparison: Comparison) -> str:
    """How many repetitions each side has."""
    counts = dict(comparison.repetitions.group_by("side").len().iter_rows())
    return "; ".join(
        say(
            "n = {count} on {side} ({label})",
            count=counts[side],
            side=told(side),
            label=comparison.labels[side],
        )
        for side in SIDES
    )


def numbers(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Per dimension, how many keys are new, gone and moved over all states."""
    table = comparison.changes.filter(pl.col("state") == ALL_STATES)
    return {
        dimension: {
            change: table.filter(
                pl.col("dimension") == dimension, pl.col("change") == change
            ).height
            for change in _PRESENT
        }
        | {"moved": table.filter(pl.col("dimension") == dimension, pl.col("is_moved")).height}
        for dimension in HEADLINES
    }


def headline(comparison: Comparison) -> str:
    """The answer in one sentence."""
    found = numbers(comparison)
    counts = {
        word: [
            counted(found[name][word], *DIMENSION_WORDS[name])
            for name in HEADLINES
            if found[name][word]
        ]
        for word in _PRESENT
    }
    parts = [f"{told(word)}: {listed(each)}" for word, each in counts.items() if each]
    if found["host"]["moved"]:
        hosts = counted(found["host"]["moved"], *DIMENSION_WORDS["host"])
        parts.append(f"{told('moved')}: {hosts}")
    if parts:
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."
    changed = comparison.changes.filter(~pl.col("change").is_in(["same", "not comparable"]))
    if changed.is_empty():
        return say("No difference: no country, network or host is new, gone or changed.")
    return say("No country, network or host is new or gone; rates or phases differ.")


def states(comparison: Comparison) -> list[dict[str, Any]]:
    """Per state that either side observed: time, bytes and rate of both sides; `all` first.

    Keys: `state`, and per side `…_seconds`, `…_up`, `…_rate` (null: not observed).
    """
    sums = comparison.exposures.group_by("side", "state").agg(
        pl.col("exposure").sum().dt.total_nanoseconds(), pl.col("up_unique_bytes").sum()
    )
    known = {(side, state): (time, up) for side, state, time, up in sums.iter_rows()}
    rows = []
    for state in (ALL_STATES, *STATES):
        row: dict[str, Any] = {"state": state}
        for side in SIDES:
            time, up = known[side, state]
            row |= {
                f"{side}_seconds": time / 1e9,
                f"{side}_up": up,
                f"{side}_rate": up * _HOUR / time if time else None,
            }
        if any(row[f"{side}_seconds"] or row[f"{side}_up"] for side in SIDES):
            rows.append(row)
    return rows


def states_seen(changes: pl.DataFrame) -> pl.DataFrame:
    """Per `dimension` and `key`, the `states` in which either side exchanged a packet with it."""
    return (
        changes.filter(pl.col("state") != ALL_STATES)
        .group_by("dimension", "key", maintain_order=True)
        .agg(pl.col("state").alias("states"))
    )


def timeline_text(row: dict[str, Any]) -> str:
    """Where the timeline of a repetition comes from."""
    names = ", ".join(row["timelines"])
    return {
        "given": say("{names}, as given", names=names),
        "beside": say("{names}, found beside it", names=names),
        "saved": say("{names}, as analysed", names=names),
    }.get(row["timeline_source"], say("none: its states are unknown"))


def timelines_sentence(comparison: Comparison) -> str | None:
    """That timelines were taken without being asked for; None: none was."""
    beside = comparison.repetitions.filter(pl.col("timeline_source") == "beside").height
    if not beside:
        return None
    return say(
        "The timeline beside the capture was taken for {count} of {repetitions}.",
        count=beside,
        repetitions=counted(comparison.repetitions.height, "repetition", "repetitions"),
    )


def side_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Both sides next to each other, as name and the values of base and new."""
    base, new = (_side_values(comparison, side) for side in SIDES)
    return [(name, value, new[name]) for name, value in base.items()]


def _side_values(comparison: Comparison, side: str) -> dict[str, str]:
    part = comparison.repetitions.filter(pl.col("side") == side)
    observed = {
        _observed(row["state"]): seconds_text(row[f"{side}_seconds"]) for row in states(comparison)
    }
    return {
        say("called"): f"{comparison.labels[side]} ({told(comparison.label_sources[side])})",
        say("version, as its traffic tells"): _told(comparison, side),
        say("captures"): str(part["captures"].sum()),
        say("repetitions (n)"): str(part.height),
        **observed,
        say("phone"): _joined(part["phone_addresses"]),
        say("timelines"): _timelines(part),
        say("databases"): _database_text(comparison, side),
    }


def _observed(state: str) -> str:
    return say("observed") if state == ALL_STATES else say("observed {state}", state=told(state))


def _told(comparison: Comparison, side: str) -> str:
    said = ", ".join(f"{one.version} ({told(one.source)})" for one in comparison.told[side])
    return said or say("not told")


def _joined(column: pl.Series) -> str:
    return ", ".join(column.explode().drop_nulls().unique().sort())


def _timelines(part: pl.DataFrame) -> str:
    with_one = part.filter(pl.col("timeline_source").is_not_null()).height
    sources = ", ".join(map(told, part["timeline_source"].drop_nulls().unique().sort()))
    found = say("{count} of {all}", count=with_one, all=part.height)
    return f"{found} ({sources})" if sources else found


def _database_text(comparison: Comparison, side: str) -> str:
    used = comparison.databases.filter(pl.col("side") == side)
    unknown = say("of unknown date")
    return ", ".join(f"{row['name']} {row['data_date'] or unknown}" for row in used.to_dicts())
