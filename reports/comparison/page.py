"""`compare.html`: what is new, gone or changed, as one page that asks no server for anything.

It needs no chart library: rates stand side by side as dots on a line, drawn by the style sheet.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.tables import ALL_STATES, DIMENSIONS, FINDINGS, SIDES
from phonehome.reports.charts import difference_map
from phonehome.reports.comparison import words
from phonehome.reports.page import evidence
from phonehome.reports.page.document import environment, policy, script, style
from phonehome.reports.words import wording
from phonehome.reports.words.translate import speaking
from phonehome.reports.words.version import version

MOST_ROWS: Final = 2_000
MOST_CHANGES: Final = 50
MOST_DOTS: Final = 12

_BASE: Final = pl.col("base_up_unique_bytes_per_hour")
_NEW: Final = pl.col("new_up_unique_bytes_per_hour")
_LARGEST: Final = pl.max_horizontal(_BASE, _NEW).fill_null(0)


def page(comparison: Comparison) -> Iterator[bytes]:
    """The content of `compare.html`: the same comparison gives the same bytes."""
    with speaking(comparison.settings["base"].language, comparison.findings):
        text = _text(comparison)
    yield text.encode()


def _text(comparison: Comparison) -> str:
    run = script("tables.js")
    return (
        environment()
        .get_template("compare.html")
        .render(
            version=version(),
            comparison=comparison,
            words=words,
            sides=SIDES,
            wording=wording,
            numbers=words.numbers(comparison),
            idle=next((row for row in words.states(comparison) if row["state"] == "idle"), None),
            states=words.states(comparison),
            findings=_part(_findings(comparison), MOST_CHANGES),
            marks=difference_map.marks(comparison.changes),
            land=Markup(difference_map.land()),  # noqa: S704  # numbers of ours
            map_size=(difference_map.WIDTH, difference_map.HEIGHT),
            traits=_part(_traits(comparison), MOST_CHANGES),
            present=_part(_present(comparison), MOST_CHANGES),
            moved=_part(_moved(comparison), MOST_CHANGES),
            rates=_part(_rates(comparison), MOST_CHANGES),
            panels=list(_panels(comparison)),
            every=_part(_every(comparison), MOST_ROWS),
            captures={side: comparison.captures[side].to_dicts() for side in SIDES},
            repetitions=_repetitions(comparison),
            databases=comparison.databases.to_dicts(),
            settings={side: evidence.settings_rows(comparison.settings[side]) for side in SIDES},
            policy=policy(run),
            style=style("compare.css"),
            script=Markup(run),  # noqa: S704  # a file of ours
        )
    )


def _part(table: pl.DataFrame, most: int) -> dict[str, Any]:
    """The first rows, and how many are left out."""
    return {"rows": table.head(most).to_dicts(), "left": max(0, table.height - most)}


def _overall(comparison: Comparison) -> pl.DataFrame:
    """The rows over all states, each with the states that it is from."""
    seen = words.states_seen(comparison.changes)
    overall = comparison.changes.filter(pl.col("state") == ALL_STATES)
    return overall.join(seen, on=["dimension", "key"], nulls_equal=True)


def _findings(comparison: Comparison) -> pl.DataFrame:
    """Countries, networks and hosts that differ by more than chance, over all states first."""
    found = comparison.changes.filter(
        pl.col("verdict").is_in(FINDINGS), pl.col("dimension").is_in(words.HEADLINES)
    )
    word = pl.col("verdict").replace_strict(list(FINDINGS), list(range(len(FINDINGS))))
    order = [word, _rank(), pl.col("state") != ALL_STATES, -_LARGEST, "key", "state"]
    return found.sort(order, nulls_last=True)


def _traits(comparison: Comparison) -> pl.DataFrame:
    """Traits that one side alone showed, what is more than chance first."""
    return comparison.traits.filter(
        (pl.col("change") != "same") | pl.col("verdict").is_in(FINDINGS)
    ).sort(~pl.col("verdict").is_in(FINDINGS), "key", "trait", "value")


def _present(comparison: Comparison) -> pl.DataFrame:
    """What is new or gone over all states; new first, then by dimension and rate."""
    found = _overall(comparison).filter(pl.col("change").is_in(["new", "gone"]))
    return found.sort(pl.col("change") == "gone", _rank(), -_LARGEST, "key", nulls_last=True)


def _rank() -> pl.Expr:
    return pl.col("dimension").replace_strict(list(DIMENSIONS), list(range(len(DIMENSIONS))))


def _moved(comparison: Comparison) -> pl.DataFrame:
    return _overall(comparison).filter(pl.col("is_moved")).sort(-_LARGEST, "key")


def _rates(comparison: Comparison) -> pl.DataFrame:
    """Hosts whose rate within a state is more or less: ranges that overlap last."""
    changed = comparison.changes.filter(
        pl.col("dimension") == "host",
        pl.col("state") != ALL_STATES,
        pl.col("change").is_in(["more", "less"]),
    )
    is_overlapping = pl.col("is_overlapping").fill_null(value=False)
    return changed.sort(is_overlapping, -(_NEW - _BASE).abs(), "key", "state")


def _every(comparison: Comparison) -> pl.DataFrame:
    """All rows: what differs first, the largest rate first."""
    order = pl.col("change").replace_strict(
        ["new", "gone", "more", "less", "same", "not comparable"], list(range(6))
    )
    return comparison.changes.sort(order, -_LARGEST, _rank(), "key", "state", nulls_last=True)


def _repetitions(comparison: Comparison) -> list[dict[str, Any]]:
    """The repetitions, each with the seconds of every state that any of them observed."""
    seconds = comparison.exposures.with_columns(
        (pl.col("exposure").dt.total_nanoseconds() / 1e9).alias("seconds")
    ).pivot("state", index=["side", "repetition"], values="seconds")
    joined = comparison.repetitions.join(
        seconds, on=["side", "repetition"], how="left", maintain_order="left"
    )
    return joined.to_dicts()


def _panels(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """A chart per known state and dimension, idle first; networks are in the table alone."""
    for state in ("idle", "active", "background", ALL_STATES):
        for dimension in ("country", "host"):
            found = comparison.changes.filter(
                pl.col("dimension") == dimension,
                pl.col("state") == state,
                _BASE.is_not_null() & _NEW.is_not_null(),
            ).sort(-_LARGEST, "key", nulls_last=True)
            if not found.is_empty():
                yield _panel(found, state, dimension)


def _panel(found: pl.DataFrame, state: str, dimension: str) -> dict[str, Any]:
    shown = found.head(MOST_DOTS).to_dicts()
    highest = max(max(row[f"{side}_most_per_hour"] for side in SIDES) for row in shown)
    return {
        "state": state,
        "dimension": dimension,
        "left": found.height - len(shown),
        "ticks": [(_position(tick, highest), wording.bytes_text(tick)) for tick in _ticks(highest)],
        "rows": [row | {"at": _positions(row, highest)} for row in shown],
    }


def _positions(row: dict[str, Any], highest: float) -> dict[str, float]:
    """Where the rate and the ends of the range of each side stand, in percent of the axis."""
    names = {"rate": "up_unique_bytes_per_hour", "least": "least_per_hour", "most": "most_per_hour"}
    return {
        f"{side}_{short}": _position(row[f"{side}_{name}"], highest)
        for side in SIDES
        for short, name in names.items()
    }


def _position(rate: float, highest: float) -> float:
    """Percent of an axis that is logarithmic in 1 + rate, so that nothing has its place too."""
    return round(100 * math.log1p(rate) / math.log1p(max(highest, 9)), 2)


def _ticks(highest: float) -> list[int]:
    """Nothing, and every other power of ten that the axis holds."""
    powers = [10**power for power in range(1, 16) if 10**power <= max(highest, 10)]
    return [0, *powers[(len(powers) + 1) % 2 :: 2]]
