"""Measures what beacons and clock offsets can be trusted with, on made-up contacts.

Prints the tables of docs/validation.md.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from phonehome.analyzer.behaviour.overlapping_timers import several_of
from phonehome.analyzer.behaviour.periodicity import CLEAR, Rhythm, rhythms
from phonehome.analyzer.clock.offset import by_bursts
from phonehome.analyzer.timeline.spans import Span

SECOND = 1_000_000_000
TRAINS = 1_000
CONTACTS_BY_CHANCE = 1_000_000
HOUR = 3_600
WORLDS = 200
PERIOD_NEAR = 0.03

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


def told(times: Times) -> list[Rhythm]:
    """The rhythms that are found in contacts, packets of one beat counted once."""
    times = np.sort(times)
    begins = times[np.diff(times, prepend=-10.0) > 1]
    return told_of(np.diff(begins) * SECOND)


def told_of(gaps: Times) -> list[Rhythm]:
    """The rhythms that are found in one train of intervals, ns, as beacons are found."""
    alone = rhythms({0: gaps}, {0: 1}, 2 * SECOND).get(0)
    several = [timer.rhythm for timer in several_of(gaps, alone, 2 * SECOND)]
    return several or ([] if alone is None else [alone])


def shares(maker: Maker, number: int, rng: np.random.Generator) -> tuple[float, float]:
    """Share of trains with any rhythm, and with a clear one."""
    said = [told(maker(rng, number)) for _ in range(TRAINS)]
    return sum(map(bool, said)) / TRAINS, sum(map(has_clear, said)) / TRAINS


def has_clear(found: list[Rhythm]) -> bool:
    """Whether one of the rhythms is clear."""
    return any(of.confidence == CLEAR for of in found)


def two_timers(
    rng: np.random.Generator, number: int, jitter: float, missed: float
) -> tuple[tuple[float, float], Times]:
    """Periods and contacts of two timers with one name; the slower beats so often."""
    fast = rng.uniform(20, 300)
    periods = (fast, fast * rng.uniform(1.3, 6))
    until = number * periods[1]
    parts = []
    for period in periods:
        beats = np.arange(rng.uniform(0, period), until, period)
        beats = beats + rng.uniform(-jitter, jitter, len(beats)) * period
        parts.append(beats[rng.uniform(size=len(beats)) >= missed])
    return periods, np.concatenate(parts)


def several() -> Iterator[str]:
    """How often both timers of a name are found, one of them, and a period that neither has."""
    rng = np.random.default_rng(3)
    numbers = (5, 10, 20, 40)
    yield "| two timers, beats of the slower | " + " | ".join(map(str, numbers)) + " |"
    yield "|---" * (len(numbers) + 1) + "|"
    kinds = {"exact": (0, 0), "jitter 2 %": (0.02, 0), "jitter 5 %": (0.05, 0)}
    kinds["10 % of beats missed"] = (0.02, 0.1)
    for name, (jitter, missed) in kinds.items():
        cells = []
        for number in numbers:
            both = one = wrong = 0
            for _ in range(TRAINS // 2):
                periods, times = two_timers(rng, number, jitter, missed)
                near = [
                    [abs(of.period / SECOND / period - 1) < PERIOD_NEAR for period in periods]
                    for of in told(times)
                ]
                hits = sum(any(of[at] for of in near) for at in (0, 1))
                both, one = both + (hits == len(periods)), one + (hits > 0)
                wrong += any(not any(of) for of in near)
            cells.append(" / ".join(f"{2 * of / TRAINS:.0%}" for of in (both, one, wrong)))
        yield f"| {name} | " + " | ".join(cells) + " |"


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
        alone = rhythms(dict(enumerate(gaps)), dict.fromkeys(range(trains), 1))
        said = [
            [timer.rhythm for timer in several_of(of, alone.get(at), 0)]
            or ([alone[at]] if at in alone else [])
            for at, of in enumerate(gaps)
        ]
        any_, clear = sum(map(bool, said)), sum(map(has_clear, said))
        yield f"| {length} | {trains:,} | {any_ / trains:.3%} | {clear / trains:.3%} |"


def nanoseconds(times: Times) -> NDArray[np.int64]:
    """Seconds as whole nanoseconds."""
    return (times * SECOND).astype(np.int64)


def spans_of(rows: Sequence[tuple[str, float, float]], ahead: float = 0.0) -> list[Span]:
    """Spans of states, by a clock that is so many seconds ahead."""
    return [
        Span(
            start=round((start + ahead) * SECOND),
            end=round((end + ahead) * SECOND),
            is_relative=False,
            state=state,
            label=state,
            source="t:2",
        )
        for state, start, end in rows
    ]


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
            spans = spans_of(rows, ahead)
            of = by_bursts(spans, nanoseconds(bursts), 0, HOUR * SECOND)
            if of and of.low is not None and of.high is not None:
                told += 1
                right += of.low <= -ahead * SECOND <= of.high
                widths.append((of.high - of.low) / SECOND)
            others = nanoseconds(np.sort(rng.uniform(0, HOUR, len(bursts))))
            of = by_bursts(spans, others, 0, HOUR * SECOND)
            by_chance += bool(of and of.offset is not None)
        yield (
            f"| {uses} | {told / WORLDS:.1%} | {right / max(told, 1):.1%} | "
            f"{np.median(widths):.1f} s | {by_chance / WORLDS:.1%} |"
        )


if __name__ == "__main__":
    for table in (beacons, several, chance, clocks):
        print("\n".join(table()), end="\n\n")
