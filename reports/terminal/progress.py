# Held by tests/test_cli.py: what the commands print.
"""What a person at a terminal sees beside the summary: progress, databases, answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

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

from phonehome import geo
from phonehome.reports.words.escape import terminal

QUIET_SECONDS = 1.0
MS_A_SECOND = 1000


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
    console.print(Text("Shipped beside them", style="bold"))
    for data in geo.other_data():
        said = [data["licence"], data["attribution"], data["data_date"], data["note"]]
        console.print(Text(terminal(f"  {data['name']}: {' · '.join(filter(None, said))}")))


def answers(
    table: dy.DataFrame[geo.Answers],
    places: dy.DataFrame[geo.Places],
    location: geo.Location | None,
    console: Console,
) -> None:
    """All that is known of each address, a block per address: who says what, whose it is, how far.

    Args:
        table: what each database says.
        places: the same addresses, with what follows from it.
        location: where the phone is; None: no distance is told.
        console: where to print.
    """
    known_places = {row["address"]: row for row in places.iter_rows(named=True)}
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
        if first["scope"] == "global":
            for line in _explained(known_places[str(address)], location):
                console.print(Text(f"  {terminal(line)}"))


def _explained(place: dict[str, Any], location: geo.Location | None) -> list[str]:
    """What follows from the opinions on one address, a sentence a line."""
    said = f"{geo.held_by(place['country'], place['asn'], place['as_org'])}."
    lines = [said[0].upper() + said[1:]]
    countries = list(
        dict.fromkeys(each["country"] for each in place["opinions"] if each["country"] is not None)
    )
    if len(countries) > 1:
        lines.append(f"Disputed: databases name {', '.join(countries)}.")
    if place["is_anycast"]:
        lines.append("Anycast: announced from many places at once.")
    if location is not None:
        lines += [
            _distance(country, km, location)
            for country, km in geo.least_km(location, countries).items()
        ]
    return lines


def _distance(country: str, km: float, location: geo.Location) -> str:
    """From which round trip on a country is impossible."""
    if not km:
        return f"{country} is too near to {location.label} for any round trip to exclude it."
    ms = 2 * km / geo.KM_A_SECOND * MS_A_SECOND
    return (
        f"{country} is at least {km:,.0f} km from {location.label}: a round trip below {ms:.1f} ms "
        "makes it impossible."
    )


def _block() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
