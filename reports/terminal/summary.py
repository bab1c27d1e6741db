"""The summary as a small table for a person at a terminal."""

from typing import TYPE_CHECKING

from phonehome.analyzer.tables import Analysis
from phonehome.reports.page.behaviour import behaviour, sentences
from phonehome.reports.words.escape import terminal
from phonehome.reports.words.wording import answer_rows

if TYPE_CHECKING:
    from rich.console import Console

_ANSWER = 4
"""Rows of the answer that come first: phone, uploaded, to whom, while idle."""


def summary(analysis: Analysis, console: "Console") -> None:
    """The answer on the console, in at most 80 columns where it is that narrow.

    The console should be one on standard error, or what `--json` prints is spoiled.
    """
    from rich.table import Table  # noqa: PLC0415  # 45 ms that `--quiet` shall not pay
    from rich.text import Text  # noqa: PLC0415  # the same

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    rows = answer_rows(analysis)
    rows[_ANSWER:_ANSWER] = [
        ("over time", sentence) for sentence in sentences(analysis, behaviour(analysis))
    ]
    for name, value in rows:
        table.add_row(Text(terminal(name)), Text(terminal(value)))
    console.print(table)
