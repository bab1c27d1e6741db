"""Measures what beacons and clock offsets can be trusted with, on made-up contacts.

Prints the tables of docs/validation.md.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from analyzer.clocks import by_bursts
from analyzer.rhythm import CLEAR, rhythms
from analyzer.spans import Span

SECOND = 1_000_000_000
TRAINS = 1_000
CONTACTS_BY_CHANCE = 1_000_000
HOUR = 3_600
WORLDS = 200

Times = NDArray[np.float64]
Maker = Callable[[np.random.Generator, int], Times]


def timer(jitter: float, missed: float = 0.0, packets: int = 1, others: float = 0.0) -> Maker:
    """Beats of a timer; shares of the period, of the beats, and of other contacts between them."""

    def made(rng: np.random.Generator, number: int) -> Times:
        period = rng.uniform(20, 900)
        beats = (np.arange(number) + rng.uniform(-jitter, jitter, number)) * period
        beats = beats[rng.uniform(size=number) >= missed]
        beats = np.repeat(beats, packets) + np.tile(np.arange(packets) * 0.3, len(beats))
        return np.append(beats, rng.uniform(0, number * period, round(others * number)))

    return made


def people(rng: np.random.Generator, number: int) -> Times:
    """Gaps as people leave them: log-normal, few long among many short ones."""
    return np.cumsum(rng.lognormal(3, 1.5, number))


def doubling(rng: np.random.Generator, number: int) -> Times:
    """Tries that wait twice as long each time, again and again."""
    waits = 2.0 ** (np.arange(number) % 8)
    return np.cumsum(waits * rng.uniform(0.9, 1.1, number))


def found(times: Times) -> str | None:
    """How sure a rhythm is taken to be; None: there is none."""
    times = np.sort(times)
    begins = times[np.diff(times, prepend=-10.0) > 1]
    of = rhythms({0: np.diff(begins) * SECOND}, {0: 1}, 2 * SECOND).get(0)
    return None if of is None else of.confidence


def shares(maker: Maker, number: int, rng: np.random.Generator) -> tuple[float, float]:
    """Share of trains with any rhythm, and with a clear one."""
    said = [found(maker(rng, number)) for _ in range(TRAINS)]
    return sum(of is not None for of in said) / TRAINS, said.count(CLEAR) / TRAINS


def beacons() -> Iterator[str]:
    """Recall on timers, false alarms on what is none."""
    rng = np.random.default_rng(1)
    makers: dict[str, Maker] = {
        "exact timer": timer(0),
        "jitter 5 %": timer(0.05),
        "jitter 15 %": timer(0.15),
        "10 % of beats missed": timer(0.02, missed=0.1),
        "3 packets a beat": timer(0.02, packets=3),
        "10 % other contacts": timer(0.02, others=0.1),
        "25 % other contacts": timer(0.02, others=0.25),
        "people": people,
        "doubling waits": doubling,
    }
    yield "| contacts | 4 | 8 | 20 | 60 |"
    yield "|---|---|---|---|---|"
    for name, maker in makers.items():
        cells = [shares(maker, number, rng) for number in (4, 8, 20, 60)]
        yield (
            f"| {name} | " + " | ".join(f"{any_:.1%} ({clear:.1%})" for any_, clear in cells) + " |"
        )


def chance() -> Iterator[str]:
    """False alarms on a million contacts by chance, in trains of each length."""
    rng = np.random.default_rng(2)
    yield "| contacts by chance in a train | trains | weak or clear | clear |"
    yield "|---|---|---|---|"
    for length in (3, 4, 6, 10, 20, 60, 200):
        trains = CONTACTS_BY_CHANCE // 7 // length
        gaps = rng.exponential(60 * SECOND, (trains, length - 1))
        said = rhythms(dict(enumerate(gaps)), dict.fromkeys(range(trains), 1))
        clear = sum(of.confidence == CLEAR for of in said.values())
        yield f"| {length} | {trains:,} | {len(said) / trains:.3%} | {clear / trains:.3%} |"


def world(rng: np.random.Generator, uses: int) -> tuple[list[tuple[str, float, float]], Times]:
    """An hour in which a phone is used now and then: its states, and the bursts that it sends."""
    rows, bursts, at = [], [], 0.0
    for on in np.sort(rng.uniform(60, HOUR - 60, uses)):
        if on < at + 5:
            continue
        off = min(on + rng.uniform(15, 90), HOUR)
        rows += [("idle", at, on), ("active", on, off)]
        bursts.append(on + rng.uniform(0.3, 2.5))
        bursts += list(on + np.cumsum(rng.exponential(15, 8)))
        at = off
    rows.append(("idle", at, float(HOUR)))
    bursts += list(np.arange(rng.uniform(0, 240), HOUR, 240))
    bursts += list(rng.uniform(0, HOUR, rng.poisson(12)))
    return rows, np.sort(np.array(bursts))


def clocks() -> Iterator[str]:
    """How often an offset is found, lies in its interval, and how wide that is."""
    yield "| uses in an hour | found | in its interval | width, median | found by chance |"
    yield "|---|---|---|---|---|"
    for uses in (4, 8, 15, 30):
        rng = np.random.default_rng(uses)
        told = right = by_chance = 0
        widths = []
        for _ in range(WORLDS):
            rows, bursts = world(rng, uses)
            ahead = rng.uniform(-300, 300)
            spans = [
                Span(
                    start=round((start + ahead) * SECOND),
                    end=round((end + ahead) * SECOND),
                    is_relative=False,
                    state=state,
                    label=state,
                    source="",
                )
                for state, start, end in rows
            ]
            of = by_bursts(spans, (bursts * SECOND).astype(np.int64), 0, HOUR * SECOND)
            if of and of.low is not None and of.high is not None:
                told += 1
                right += of.low <= -ahead * SECOND <= of.high
                widths.append((of.high - of.low) / SECOND)
            others = (np.sort(rng.uniform(0, HOUR, len(bursts))) * SECOND).astype(np.int64)
            of = by_bursts(spans, others, 0, HOUR * SECOND)
            by_chance += bool(of and of.offset is not None)
        yield (
            f"| {uses} | {told / WORLDS:.1%} | {right / max(told, 1):.1%} | "
            f"{np.median(widths):.1f} s | {by_chance / WORLDS:.1%} |"
        )


if __name__ == "__main__":
    for table in (beacons, chance, clocks):
        print("\n".join(table()), end="\n\n")
