"""What a person at a terminal sees beside the summary: progress, databases, answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import dataframely as dy
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

import geo
from reports.text import terminal

QUIET_SECONDS = 1.0


@contextmanager
def progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """A bar with bytes and rate on the console, shown once a run takes longer than a second."""
    bar = Progress(
        TextColumn("reading"),
        BarColumn(),
        DownloadColumn(binary_units=False),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task("reading", total=None)
    started = bar.get_time()
    is_shown = False

    def report(done: int, total: int) -> None:
        nonlocal is_shown
        bar.update(task, completed=done, total=total or None)
        if not is_shown and bar.get_time() - started >= QUIET_SECONDS:
            bar.start()
            is_shown = True
        if is_shown:
            bar.refresh()

    try:
        yield report
    finally:
        if is_shown:
            bar.stop()


def databases(table: dy.DataFrame[geo.Databases], on: date, console: Console) -> None:
    """The databases in use, a block each; those that are old on this day are marked."""
    old = set(geo.old_databases(table, on=on)["position"])
    for row in table.iter_rows(named=True):
        block = _block()
        for name, value in row.items():
            if value is not None and name != "position":
                shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                block.add_row(Text(name.replace("_", " ")), Text(terminal(shown)))
        if row["position"] in old:
            block.add_row(Text("age"), Text("older than 90 days: places may have changed"))
        console.print(block)
        console.print()


def answers(table: dy.DataFrame[geo.Answers], console: Console) -> None:
    """What each database says of each address, a block per address."""
    for (address,), rows in table.group_by("address", maintain_order=True):
        first = rows.row(0, named=True)
        console.print(Text(f"{terminal(str(address))}  ({first['scope']})", style="bold"))
        if first["lookup_address"] not in {None, address}:
            console.print(Text(f"  looked up as {terminal(first['lookup_address'])}"))
        block = _block()
        for row in rows.iter_rows(named=True):
            known = [
                terminal(str(row[name]))
                for name in row
                if name not in {"address", "position", "database", "scope", "lookup_address"}
                and row[name] is not None
            ]
            block.add_row(
                Text(f"  {terminal(row['database'])}"), Text(" · ".join(known) or "says nothing")
            )
        console.print(block)


def _block() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
