"""Ranges of addresses → an MMDB file, and the check that the file says what the ranges say."""

import random
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb
from mmdb_writer import SearchTreeLeaf, SearchTreeNode, TreeWriter

DRAWS = 20_000
V4_END = 2**32


class Range(NamedTuple):
    """Addresses from first to last, both inside, in the IPv6 space (IPv4 below 2**32)."""

    first: int
    last: int
    value: Any


def write_mmdb(path: Path, ranges: Iterable[Range], *, database_type: str, day: date) -> None:
    """An MMDB of disjoint ranges for both IP versions, its build time the day of the data."""
    ordered = merged(ranges)
    leaves: dict[str, SearchTreeLeaf] = {}
    for each in ordered:
        leaves.setdefault(repr(each.value), SearchTreeLeaf(each.value))
    stretches = [Range(low, high, leaves[repr(value)]) for low, high, value in ordered]
    root = branch(stretches, [each.first for each in stretches], 0, 128, (0, len(stretches)))
    meta = {
        "ip_version": 6,
        "database_type": database_type,
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "description": {"en": f"{database_type}, data of {day.isoformat()}"},
        "build_epoch": int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()),
    }
    TreeWriter(root, meta, int_type="u32").write(str(path))


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in order, neighbours with equal values joined.

    Where two overlap, the one that starts later begins there and the other ends before it, as
    with prefixes of growing length. One that lies wholly inside another ends the build.
    """
    joined: list[Range] = []
    for each in sorted(ranges, key=lambda each: each.first):
        if joined and joined[-1].first < each.first <= joined[-1].last < each.last:
            print(f"overlap cut: {joined[-1]} ends before {each}")
            joined[-1] = joined[-1]._replace(last=each.first - 1)
        if joined and joined[-1].last + 1 == each.first and joined[-1].value == each.value:
            joined[-1] = joined[-1]._replace(last=each.last)
        else:
            joined.append(each)
    for left, right in pairwise(joined):
        if left.last >= right.first or left.first > left.last:
            sys.exit(f"ranges overlap: {left} and {right}")
    return joined


def branch(
    stretches: Sequence[Range], starts: Sequence[int], low: int, bits: int, span: tuple[int, int]
) -> SearchTreeNode | SearchTreeLeaf | None:
    """The subtree of the network that starts at `low`, over the stretches of `span`."""
    first, end = span
    if first == end:
        return None
    if stretches[first].first <= low and stretches[first].last >= low + (1 << bits) - 1:
        return stretches[first].value
    middle = low + (1 << (bits - 1))
    cut = bisect_left(starts, middle, first, end)
    straddles = cut > first and stretches[cut - 1].last >= middle
    return SearchTreeNode(
        branch(stretches, starts, low, bits - 1, (first, cut)),
        branch(stretches, starts, middle, bits - 1, (cut - straddles, end)),
    )


def said_by(ranges: Iterable[Range]) -> Callable[[int], Any]:
    """What the ranges say of an address, found without any tree; the later start wins."""
    ordered = sorted(ranges, key=lambda each: each.first)
    starts = [each.first for each in ordered]

    def said(address: int) -> object:
        place = bisect_right(starts, address) - 1
        return ordered[place].value if place >= 0 and address <= ordered[place].last else None

    return said


def addresses_of(ranges: Sequence[Range]) -> Iterator[int]:
    """Addresses to check: of all IPv4, of the inside of IPv6 ranges, of the edges of any range."""
    draw = random.Random(0)  # noqa: S311  the same addresses in every build
    in_v6 = [each for each in ranges if each.first >= V4_END]
    for _ in range(DRAWS // 2):
        yield draw.randrange(V4_END)
    for _ in range(DRAWS // 4):
        each = draw.choice(in_v6)
        yield draw.randint(each.first, each.last)
    for _ in range(DRAWS // 8):
        each = draw.choice(ranges)
        yield from (each.first, each.last)


def checked(
    path: Path, ranges: Sequence[Range], said: Callable[[int], Any]
) -> list[tuple[str, str, Any]]:
    """File, address and record of every address drawn, once the file agrees with its source."""
    with maxminddb.open_database(path) as reader:
        rows = []
        for each in addresses_of(ranges):
            address = IPv4Address(each) if each < V4_END else IPv6Address(each)
            if reader.get(address) != said(each):
                sys.exit(f"{path}: {address}: expected {said(each)}, got {reader.get(address)}")
            rows.append((path.name, str(address), said(each)))
    print(f"{path.name}: agrees with its source on {len(rows)} addresses")
    return rows
