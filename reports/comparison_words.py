"""A comparison in words: keys as people read them, rates, verdicts, the answer.

The wording is fixed where it matters: what was measured is told apart from what of it is more than
chance, and a difference that may be chance is never called a finding.
"""

from typing import Any, Final

import polars as pl

from analyzer.significance import ALPHA, SEED
from analyzer.tables import ALL_STATES, CANNOT_TELL, FINDINGS, SIDES, STATES, Comparison
from reports.figures import country_text
from reports.wording import bytes_text, counted, seconds_text

METHOD: Final = (
    "A difference is a finding where chance alone would rarely give it. Repetitions are what is "
    "counted: had the two labels been dealt to them at random, how often would the sides differ as "
    "much? How often a destination was seen is tested by Fisher's exact test, rates by permutation "
    "of their mean logarithms, the places of a host by permutation. At most "
    f"{ALPHA:.0%} of all findings are expected to be false (Benjamini and Hochberg, over all tests "
    f"of this comparison). Intervals come from resampling repetitions. Seed {SEED}."
)
"""How verdicts are come by: in the page, in `compare.json` and in the terminal's last lines."""

DIMENSION_WORDS: Final = {
    "country": ("country", "countries"),
    "asn": ("network", "networks"),
    "organisation": ("organisation", "organisations"),
    "domain": ("domain", "domains"),
    "host": ("host", "hosts"),
    "app": ("app", "apps"),
    "service": ("service", "services"),
    "phase": ("host in a phase", "hosts in phases"),
}
"""One and many, as the comparison names them; a network is an autonomous system."""

HEADLINES: Final = ("country", "asn", "host")
"""Dimensions that the answer counts; the others are the same traffic in other parts."""

TRAIT_WORDS: Final = {
    "service": "service",
    "tls_version": "version of TLS",
    "ja3": "fingerprint of the client (JA3)",
    "ja4": "fingerprint of the client (JA4)",
    "beacon": "periodic contacts while",
}

UNKNOWN_KEYS: Final = {
    "asn": "no network known",
    "organisation": "no organisation known",
    "domain": "no domain known",
    "app": "no app known",
    "service": "no service recognised",
}
NOT_OBSERVED: Final = "not observed"

NONE: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
LEAST_P: Final = 0.001
MOST_DIGITS: Final = 100
"""Where a ratio is told in whole numbers; below, in three digits."""

_HOUR: Final = 3_600_000_000_000  # ns
_PRESENT: Final = ("new", "gone")


def key_text(row: dict[str, Any]) -> str:
    """The key of a row of changes: a country by name, an ASN with its holder."""
    key = row["key"]
    if row["dimension"] == "country":
        return country_text(key)
    if key is None:
        return UNKNOWN_KEYS[row["dimension"]]
    if row["dimension"] == "asn":
        return f"{key} {row['holder'] or ''}".rstrip()
    if row["dimension"] == "phase":
        return f"{key}, {row['label']}"
    return str(key)


def verdict_text(row: dict[str, Any]) -> str:
    """The verdict of a row, with what would be needed or what stands in its way."""
    if row["verdict"] != CANNOT_TELL:
        return str(row["verdict"])
    number = row["needed_repetitions"]
    reasons = {
        "few": "needs more captures a side"
        if number is None
        else f"needs {number} captures a side",
        "chance": "chance may have done it",
        "unobserved": "one side did not observe this",
        "exposure": "one side looked for less than half the time",
        "direction": "its mean and most repetitions changed in opposite directions",
    }
    return f"{CANNOT_TELL}: {reasons[row['reason']]}"


def trait_verdict(row: dict[str, Any]) -> str:
    """The verdict on a trait, with what would be needed."""
    if row["verdict"] != CANNOT_TELL:
        return str(row["verdict"])
    number = row["needed_repetitions"]
    needed = "chance may have done it" if number is None else f"needs {number} captures a side"
    return f"{CANNOT_TELL}: {needed}"


def tests_text(comparison: Comparison) -> str:
    """How many tests were corrected together."""
    if not comparison.family:
        return "With so few captures no test can come out as a finding."
    return f"{counted(comparison.family, 'test', 'tests')} corrected together."


def p_text(value: float | None) -> str:
    """A p- or q-value as people read it; none: nothing was tested, or not in the family."""
    if value is None:
        return NONE
    return "under 0.001" if value < LEAST_P else f"{value:.3f}".rstrip("0").rstrip(".")


def ratio_text(row: dict[str, Any]) -> str:
    """How many times the base's rate the new one is, with its interval."""
    if row["ratio"] is None:
        return NONE
    text = _times(row["ratio"])
    if row["ratio_low"] is None:
        return text
    high = "no upper end" if row["ratio_high"] is None else _times(row["ratio_high"])
    return f"{text} ({_times(row['ratio_low'])} to {high})"


def _times(ratio: float) -> str:
    return f"{TIMES}{ratio:,.0f}" if ratio >= MOST_DIGITS else f"{TIMES}{ratio:.3g}"


def findings(comparison: Comparison) -> dict[str, int]:
    """Rows per verdict, findings first; verdicts without rows are left out."""
    counts = dict(comparison.changes.group_by("verdict").len().iter_rows())
    return {word: counts[word] for word in (*FINDINGS, "same", CANNOT_TELL) if counts.get(word)}


def sureness(comparison: Comparison) -> str:
    """In one sentence, how much of what differs is more than chance, and what would tell more."""
    found = findings(comparison)
    number = sum(found.get(word, 0) for word in FINDINGS)
    few = comparison.changes.filter(pl.col("reason") == "few")
    least = few.select(pl.col("needed_repetitions").min()).item()
    if number:
        rest = found.get(CANNOT_TELL, 0)
        return (
            f"{counted(number, 'row', 'rows')} of {comparison.changes.height:,} differ by more "
            f"than chance; of {rest:,} it cannot be told."
        )
    if few.is_empty():
        return "Nothing here differs by more than chance may have done."
    more = "more captures" if least is None else f"at least {least} captures"
    return f"No difference can be told from chance with so few captures: it takes {more} a side."


def rate_text(rate: float | None) -> str:
    """Bytes per hour in the unit people read; null is time that was not observed."""
    if rate is None:
        return NOT_OBSERVED
    if 0 < rate < 0.5:  # noqa: PLR2004  # what would be rounded to none
        return "under 1 byte/h"
    return f"{bytes_text(round(rate))}/h"


def within_text(same_within: float) -> str:
    """When two rates are called the same."""
    return (
        f"Rates are called the same where they differ by at most {100 * same_within:g} % of the "
        "larger one."
    )


def n_text(comparison: Comparison) -> str:
    """How many repetitions each side has."""
    counts = dict(comparison.repetitions.group_by("side").len().iter_rows())
    return "; ".join(f"n = {counts[side]} on {side} ({comparison.labels[side]})" for side in SIDES)


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
    parts = [f"{word}: {_listed(each)}" for word, each in counts.items() if each]
    if found["host"]["moved"]:
        parts.append(f"moved: {counted(found['host']['moved'], 'host', 'hosts')}")
    if parts:
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}."
    changed = comparison.changes.filter(~pl.col("change").is_in(["same", "not comparable"]))
    if changed.is_empty():
        return "No difference: no country, network or host is new, gone or changed."
    return "No country, network or host is new or gone; rates or phases differ."


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


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
        "given": f"{names}, as given",
        "beside": f"{names}, found beside it",
        "saved": f"{names}, as analysed",
    }.get(row["timeline_source"], "none: its states are unknown")


def timelines_sentence(comparison: Comparison) -> str | None:
    """That timelines were taken without being asked for; None: none was."""
    beside = comparison.repetitions.filter(pl.col("timeline_source") == "beside").height
    if not beside:
        return None
    return (
        f"The timeline beside the capture was taken for {beside} of "
        f"{counted(comparison.repetitions.height, 'repetition', 'repetitions')}."
    )


def side_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Both sides next to each other, as name and the values of base and new."""
    base, new = (_side_values(comparison, side) for side in SIDES)
    return [(name, value, new[name]) for name, value in base.items()]


def _side_values(comparison: Comparison, side: str) -> dict[str, str]:
    part = comparison.repetitions.filter(pl.col("side") == side)
    observed = {
        f"observed {row['state']}".removesuffix(f" {ALL_STATES}"): seconds_text(
            row[f"{side}_seconds"]
        )
        for row in states(comparison)
    }
    return {
        "called": f"{comparison.labels[side]} ({comparison.label_sources[side]})",
        "version, as its traffic tells": _told(comparison, side),
        "captures": str(part["captures"].sum()),
        "repetitions (n)": str(part.height),
        **observed,
        "phone": _joined(part["phone_addresses"]),
        "timelines": _timelines(part),
        "databases": _database_text(comparison, side),
    }


def _told(comparison: Comparison, side: str) -> str:
    said = ", ".join(f"{one.version} ({one.source})" for one in comparison.told[side])
    return said or "not told"


def _joined(column: pl.Series) -> str:
    return ", ".join(column.explode().drop_nulls().unique().sort())


def _timelines(part: pl.DataFrame) -> str:
    with_one = part.filter(pl.col("timeline_source").is_not_null()).height
    sources = ", ".join(part["timeline_source"].drop_nulls().unique().sort())
    return f"{with_one} of {part.height}" + (f" ({sources})" if sources else "")


def _database_text(comparison: Comparison, side: str) -> str:
    used = comparison.databases.filter(pl.col("side") == side)
    return ", ".join(
        f"{row['name']} {row['data_date'] or 'of unknown date'}" for row in used.to_dicts()
    )
