"""One colour per country, the same in every chart and table of a page.

The largest receivers have colours of their own, which differ in lightness too: in grey, and to
readers who do not tell some hues apart, they stay apart. All others share a grey. A colour is the
name of a CSS variable; `@` and a number behind it is its opacity.
"""

from typing import Final

import polars as pl

COLOURED: Final = 6
"""Countries with a colour of their own."""

REST: Final = "--c-rest"
"""The colour of all other countries, and of what has none."""

GRADES: Final = ("consistent", "unverifiable", "disputed", "impossible")
"""How far a country can be believed, as a chart marks it."""

SYMBOLS: Final = {
    "consistent": "circle",
    "unverifiable": "circle-open",
    "disputed": "diamond",
    "impossible": "x",
}
"""The mark of each grade on the map, as plotly names it."""

SIGNS: Final = {"consistent": "●", "unverifiable": "○", "disputed": "◆", "impossible": "✕"}
"""The same mark in a text."""


def country_colours(countries: pl.DataFrame) -> dict[str | None, str]:
    """The colour of each country of `sums.by_country`, by its code."""
    codes = [code for code in countries["country"].to_list() if code is not None]
    own = {code: f"--c{rank}" for rank, code in enumerate(codes[:COLOURED], start=1)}
    rest: dict[str | None, str] = dict.fromkeys([*codes[COLOURED:], None], REST)
    return rest | own


def grade_of(row: dict[str, int]) -> str:
    """The grade that most of a country's bytes have; the graver of two that have as many.

    Args:
        row: bytes per grade, by its name.
    """
    return max(GRADES, key=lambda grade: (row[grade], GRADES.index(grade)))
