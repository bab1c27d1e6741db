"""What besides the app differs between two sides: said before anything is concluded from them."""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from phonehome.analyzer.comparison.sides import Side
from phonehome.analyzer.tables import ALL_STATES, STATES

METHODS = {
    "snapped_packets": "Packets were cut short while capturing",
    "tool_bytes": "The capture tool added bytes to packets",
    "gap_bytes": "Bytes are missing inside TCP streams",
}
"""Column of captures → what is said where one side alone has any."""

ASKED = {
    "app": "App under test",
    "phone_location": "Place of the phone",
    "clock_offset": "Seconds added to times of timelines",
    "infer_phases": "Phases inferred from traffic",
}
"""Setting of an analysis → what it is called where sides differ in it."""


def differences(base: Side, new: Side, *, same_within: float) -> Iterator[str]:
    """Sentences, most weighty first; none where the sides were observed alike."""
    yield from _states(base, new, same_within)
    yield from _inputs(base, new)
    yield from _repetitions(base, new)
    yield from _phones(base, new)
    yield from _methods(base, new)
    yield from _asked(base, new)
    yield from _databases(base, new)


def _states(base: Side, new: Side, same_within: float) -> Iterator[str]:
    """States that only one side observed, and shares of time that differ."""
    observed = {side.side: _seconds(side) for side in (base, new)}
    for state in STATES:
        times = [observed[side.side][state] for side in (base, new)]
        if any(times) and not all(times):
            has, lacks = ("new", "base") if times[1] else ("base", "new")
            yield f"{state} time was observed on {has} alone; {lacks} has none to compare."
    shares = {
        state: [
            observed[side.side][state] / (observed[side.side][ALL_STATES] or 1)
            for side in (base, new)
        ]
        for state in STATES
    }
    differing = [
        f"{state} {parts[0]:.1%} and {parts[1]:.1%}"
        for state, parts in shares.items()
        if all(parts) and abs(parts[1] - parts[0]) > same_within * max(parts)
    ]
    if differing:
        yield (
            f"Parts of the time observed, on base and on new: {', '.join(differing)}. Rates over "
            "all states mix them, so compare state by state."
        )


def _seconds(side: Side) -> dict[str, float]:
    table = side.exposures.group_by("state").agg(pl.col("exposure").sum().dt.total_nanoseconds())
    return {state: nanoseconds / 1e9 for state, nanoseconds in table.iter_rows()}


def _inputs(base: Side, new: Side) -> Iterator[str]:
    """Captures that count twice, and inputs that are damaged or tell of losses."""
    for side in (base, new):
        files = sorted(side.captures.select("sha256", "capture").iter_rows())
        for _, alike in groupby(files, key=lambda file: file[0]):
            names = [name for _, name in alike]
            if len(names) > 1:
                yield f"{side.side}: {', '.join(names)} are the same file and count each time."
    shared = base.captures.join(new.captures, on="sha256", how="semi")["capture"].unique().sort()
    if len(shared):
        yield f"On both sides: {', '.join(shared)}."
    for side in (base, new):
        broken = side.captures.filter(pl.col("damage").is_not_null())["capture"]
        if len(broken):
            yield f"{side.side}: part of {', '.join(broken)} could not be read."
        lost = int(side.captures["dropped_packets"].fill_null(0).sum())
        if lost:
            yield f"{side.side}: the files record {lost:,} packets lost while capturing."


def _repetitions(base: Side, new: Side) -> Iterator[str]:
    counts = [side.repetitions.height for side in (base, new)]
    if counts[0] != counts[1]:
        yield f"Repetitions: {counts[0]} on base, {counts[1]} on new."
    for side in (base, new):
        if side.repetitions.height == 1:
            yield (
                f"{side.side} is a single repetition: how much its rates vary from one to the "
                "next is unknown."
            )
        for row in side.repetitions.filter("is_saved", pl.col("captures") > 1).iter_rows(
            named=True
        ):
            yield (
                f"{side.side}: the saved analysis {row['name']} of {row['captures']} captures "
                "counts as one repetition, for it keeps no uploads per capture."
            )
        without = side.repetitions.filter(pl.col("timeline_source").is_null())["name"]
        if 0 < len(without) < side.repetitions.height:
            yield f"{side.side}: {', '.join(without)} has no timeline, the others have one."


def _phones(base: Side, new: Side) -> Iterator[str]:
    addresses = [", ".join(_listed(side, "phone_addresses")) for side in (base, new)]
    if addresses[0] != addresses[1]:
        yield f"Phone addresses: {addresses[0]} on base, {addresses[1]} on new."


def _methods(base: Side, new: Side) -> Iterator[str]:
    """Captures made in another way: where on the link, how much of each packet, changed how."""
    layers = [
        ", ".join(str(kind) for kind in side.captures["link_types"].explode().unique().sort())
        for side in (base, new)
    ]
    if layers[0] != layers[1]:
        yield (
            f"Link types of the captures: {layers[0]} on base, {layers[1]} on new. They were made "
            "with other tools or at another place of the network."
        )
    for column, what in METHODS.items():
        counts = [int(side.captures[column].fill_null(0).sum()) for side in (base, new)]
        if any(counts) and not all(counts):
            yield f"{what} on {'new' if counts[1] else 'base'} alone."


def _asked(base: Side, new: Side) -> Iterator[str]:
    """What analyses were asked for, where the sides differ: the app, the place, the clock."""
    for name, what in ASKED.items():
        values = [
            sorted({str(getattr(part.settings, name)) for part in side.observed})
            for side in (base, new)
        ]
        if values[0] != values[1]:
            told = [", ".join(each).replace("None", "not told") for each in values]
            yield f"{what}: {told[0]} on base, {told[1]} on new."
    for side in (base, new):
        versions = [one.version for one in side.told]
        if len(versions) > 1:
            yield f"{side.side}: its traffic tells of several versions: {', '.join(versions)}."


def _listed(side: Side, column: str) -> list[str]:
    return side.repetitions[column].explode().drop_nulls().unique().sort().to_list()


def _databases(base: Side, new: Side) -> Iterator[str]:
    """Databases that differ, and the addresses that they place elsewhere."""
    used = [
        [
            f"{row['name']} of {row['data_date'] or 'unknown date'}"
            for row in side.databases.iter_rows(named=True)
        ]
        for side in (base, new)
    ]
    if base.databases["sha256"].to_list() == new.databases["sha256"].to_list():
        return
    yield f"Databases: {', '.join(used[0])} on base; {', '.join(used[1])} on new."
    shared = base.places.join(new.places, on="address")
    replaced = shared.filter(
        pl.col("country").ne_missing(pl.col("country_right"))
        | pl.col("asn").ne_missing(pl.col("asn_right"))
    )
    yield (
        f"They place {replaced.height:,} of {shared.height:,} addresses that both sides know in "
        "another country or ASN: such a change is one of the databases, not of the app."
    )
