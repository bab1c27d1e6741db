"""What besides the app differs between two sides: said before anything is concluded from them."""

from collections.abc import Iterator
from itertools import groupby

import polars as pl

from phonehome.analyzer.comparison.sides import Side
from phonehome.analyzer.kinds import comparison as kinds
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.tables import ALL_STATES, STATES

METHODS = {
    "snapped_packets": kinds.CUT_SHORT,
    "tool_bytes": kinds.TOOL_BYTES,
    "gap_bytes": kinds.GAPS,
}
"""Column of captures → what is said where one side alone has any."""

ASKED = {
    "app": kinds.APP,
    "phone_location": kinds.PLACE,
    "clock_offset": kinds.OFFSET,
    "infer_phases": kinds.INFERRED,
}
"""Setting of an analysis → what is said where sides differ in it."""


def differences(base: Side, new: Side, *, same_within: float) -> Iterator[Statement]:
    """Sentences, most weighty first; none where the sides were observed alike."""
    yield from _states(base, new, same_within)
    yield from _inputs(base, new)
    yield from _repetitions(base, new)
    yield from _phones(base, new)
    yield from _methods(base, new)
    yield from _asked(base, new)
    yield from _databases(base, new)


def _states(base: Side, new: Side, same_within: float) -> Iterator[Statement]:
    """States that only one side observed, and shares of time that differ."""
    observed = {side.side: _seconds(side) for side in (base, new)}
    for state in STATES:
        times = [observed[side.side][state] for side in (base, new)]
        if any(times) and not all(times):
            has, lacks = ("new", "base") if times[1] else ("base", "new")
            yield kinds.STATE_ALONE(state=state, has=has, lacks=lacks)
    shares = {
        state: [
            observed[side.side][state] / (observed[side.side][ALL_STATES] or 1)
            for side in (base, new)
        ]
        for state in STATES
    }
    differing = [
        kinds.SHARES(state=state, base=_percent(parts[0]), new=_percent(parts[1]))
        for state, parts in shares.items()
        if all(parts) and abs(parts[1] - parts[0]) > same_within * max(parts)
    ]
    if differing:
        yield kinds.SHARES_DIFFER(parts=differing)


def _percent(part: float) -> str:
    """A part in percent, without the sign."""
    return f"{part:.1%}".removesuffix("%")


def _seconds(side: Side) -> dict[str, float]:
    table = side.exposures.group_by("state").agg(pl.col("exposure").sum().dt.total_nanoseconds())
    return {state: nanoseconds / 1e9 for state, nanoseconds in table.iter_rows()}


def _inputs(base: Side, new: Side) -> Iterator[Statement]:
    """Captures that count twice, and inputs that are damaged or tell of losses."""
    for side in (base, new):
        files = sorted(side.captures.select("sha256", "capture").iter_rows())
        for _, alike in groupby(files, key=lambda file: file[0]):
            names = [name for _, name in alike]
            if len(names) > 1:
                yield kinds.SAME_FILES(side=side.side, captures=names)
    shared = base.captures.join(new.captures, on="sha256", how="semi")["capture"].unique().sort()
    if len(shared):
        yield kinds.ON_BOTH(captures=shared.to_list())
    for side in (base, new):
        broken = side.captures.filter(pl.col("damage").is_not_null())["capture"]
        if len(broken):
            yield kinds.BROKEN(side=side.side, captures=broken.to_list())
        lost = int(side.captures["dropped_packets"].fill_null(0).sum())
        if lost:
            yield kinds.LOST(side=side.side, count=lost)


def _repetitions(base: Side, new: Side) -> Iterator[Statement]:
    counts = [side.repetitions.height for side in (base, new)]
    if counts[0] != counts[1]:
        yield kinds.REPETITIONS(base=counts[0], new=counts[1])
    for side in (base, new):
        if side.repetitions.height == 1:
            yield kinds.SINGLE(side=side.side)
        for row in side.repetitions.filter("is_saved", pl.col("captures") > 1).iter_rows(
            named=True
        ):
            yield kinds.SAVED(side=side.side, name=row["name"], count=row["captures"])
        without = side.repetitions.filter(pl.col("timeline_source").is_null())["name"]
        if 0 < len(without) < side.repetitions.height:
            yield kinds.NO_TIMELINE(side=side.side, names=without.to_list())


def _phones(base: Side, new: Side) -> Iterator[Statement]:
    addresses = [_listed(side, "phone_addresses") for side in (base, new)]
    if addresses[0] != addresses[1]:
        yield kinds.PHONES(base=addresses[0], new=addresses[1])


def _methods(base: Side, new: Side) -> Iterator[Statement]:
    """Captures made in another way: where on the link, how much of each packet, changed how."""
    layers = [
        list(map(str, side.captures["link_types"].explode().unique().sort()))
        for side in (base, new)
    ]
    if layers[0] != layers[1]:
        yield kinds.LINK_TYPES(base=layers[0], new=layers[1])
    for column, what in METHODS.items():
        counts = [int(side.captures[column].fill_null(0).sum()) for side in (base, new)]
        if any(counts) and not all(counts):
            yield what(side="new" if counts[1] else "base")


def _asked(base: Side, new: Side) -> Iterator[Statement]:
    """What analyses were asked for, where the sides differ: the app, the place, the clock."""
    for name, what in ASKED.items():
        values = [
            sorted({str(getattr(part.settings, name)) for part in side.observed})
            for side in (base, new)
        ]
        if values[0] != values[1]:
            told = [["not told" if one == "None" else one for one in each] for each in values]
            yield what(base=told[0], new=told[1])
    for side in (base, new):
        versions = [one.version for one in side.told]
        if len(versions) > 1:
            yield kinds.VERSIONS(side=side.side, versions=versions)


def _listed(side: Side, column: str) -> list[str]:
    return side.repetitions[column].explode().drop_nulls().unique().sort().to_list()


def _databases(base: Side, new: Side) -> Iterator[Statement]:
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
    yield kinds.DATABASES(base=used[0], new=used[1])
    shared = base.places.join(new.places, on="address")
    replaced = shared.filter(
        pl.col("country").ne_missing(pl.col("country_right"))
        | pl.col("asn").ne_missing(pl.col("asn_right"))
    )
    yield kinds.PLACED_ELSEWHERE(count=replaced.height, all=shared.height)
