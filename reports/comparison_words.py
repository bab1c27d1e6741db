"""A comparison in words: keys as people read them, rates, the answer, and what it does not claim.

The wording is fixed where it matters: no sentence says or hints that a difference is more than
what was measured.
"""

from typing import Any, Final

import polars as pl

from analyzer.tables import ALL_STATES, SIDES, STATES, Comparison
from reports.figures import country_text
from reports.wording import bytes_text, counted, seconds_text

NO_CLAIM: Final = (
    "This comparison makes no claim of significance: it says what was measured, how often and "
    "within which range. A difference may be chance."
)

DIMENSION_WORDS: Final = {
    "country": ("country", "countries"),
    "asn": ("network", "networks"),
    "host": ("host", "hosts"),
}
"""One and many, as the comparison names them; a network is an autonomous system."""

NO_NETWORK: Final = "no network known"
NOT_OBSERVED: Final = "not observed"

_HOUR: Final = 3_600_000_000_000  # ns
_PRESENT: Final = ("new", "gone")


def key_text(row: dict[str, Any]) -> str:
    """The key of a row of changes: a country by name, an ASN with its holder."""
    key = row["key"]
    if row["dimension"] == "country":
        return country_text(key)
    if row["dimension"] == "asn":
        return NO_NETWORK if key is None else f"{key} {row['holder'] or ''}".rstrip()
    return str(key)


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
        for dimension in DIMENSION_WORDS
    }


def headline(comparison: Comparison) -> str:
    """The answer in one sentence."""
    found = numbers(comparison)
    counts = {
        word: [
            counted(found[name][word], *both)
            for name, both in DIMENSION_WORDS.items()
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
        "called": comparison.labels[side],
        "captures": str(part["captures"].sum()),
        "repetitions (n)": str(part.height),
        **observed,
        "phone": _joined(part["phone_addresses"]),
        "timelines": _timelines(part),
        "databases": _database_text(comparison, side),
    }


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
