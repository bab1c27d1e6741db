"""Measures how often a comparison finds what is not there, and what is, on resampled captures.

Prints the tables of docs/validation.md. Of each version of the samples three captures exist; more
repetitions are put together from blocks of their time, so that truth is known: repetitions of one
version differ by chance alone.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.comparison.compare import compared
from phonehome.analyzer.comparison.repetition import Observed
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.comparison.sides import as_observed, side_of
from phonehome.analyzer.comparison.version_labels import GIVEN, Label
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import ALL_STATES, FINDINGS

SAMPLES: Final = Path(__file__).parents[1] / "captures" / "samples"
VERSIONS: Final = ("parrot-1.0", "parrot-2.0")
BLOCK: Final = timedelta(minutes=2.5)
"""Blocks that are drawn: half of the shortest phase of the samples."""
SPLITS: Final = {3: 200, 5: 200, 10: 200}
"""Captures a side → splits of each version; those of many captures take long."""
TRIALS: Final = 100
SIZES: Final = tuple(SPLITS)
RATIOS: Final = (1.5, 2.0, 4.0)
GROWING: Final = "push.vendor.example"
"""A host with uploads in every block of idle time, to which more is sent in the new side."""
FLOWS_APART: Final = 1_000_000

BASE: Final = Label("base", GIVEN)
NEW: Final = Label("new", GIVEN)

Plant = Callable[[Observed], Observed]


@dataclass(frozen=True)
class Pool:
    """The captures of one version, in blocks.

    Attributes:
        parts: each capture, with a phase per block of a phase.
        blocks: capture (place in `parts`), phase, label, state, exposure of each block.
    """

    parts: tuple[Observed, ...]
    blocks: pl.DataFrame


def pool(version: str) -> Pool:
    """The captures of one version of the samples, their phases cut into blocks."""
    parts = []
    with TemporaryDirectory() as folder:
        for capture in sorted((SAMPLES / version).glob("rep?.pcap*")):
            lines = (capture.parent / f"{capture.name[:4]}.timeline.csv").read_text("utf-8")
            cut = Path(folder) / f"{capture.name[:4]}.csv"
            cut.write_text("\n".join(_in_blocks(lines.splitlines())) + "\n", encoding="utf-8")
            result = analyze([capture], Settings(timelines=(cut,)))
            parts.append(as_observed(capture.name, result))
    blocks = pl.concat(
        part.phases.filter(pl.col("state") != "unknown").select(
            pl.lit(at).alias("capture"), "phase", "label", "state", "exposure"
        )
        for at, part in enumerate(parts)
    )
    return Pool(tuple(parts), blocks)


def _in_blocks(lines: Sequence[str]) -> Iterator[str]:
    """A timeline in which each phase is a row per block."""
    yield lines[0]
    for line in lines[1:]:
        begin, end, state, label = line.split(",")
        at = datetime.fromisoformat(begin)
        while at < datetime.fromisoformat(end):
            yield f"{at.isoformat()},{(at + BLOCK).isoformat()},{state},{label}"
            at += BLOCK


def repetitions(
    of: Pool, number: int, rng: np.random.Generator, *, in_place: bool = False
) -> list[Observed]:
    """So many repetitions, each of blocks that were drawn with replacement from all captures.

    A repetition has as many blocks of each label as a capture. Each is drawn from all blocks of
    its label, whenever they were, so that repetitions differ much: what a script does once may be
    drawn never or twice. In place, it is drawn from those at its own time alone, one per capture:
    repetitions follow the script, as those of the samples do.
    """
    return [_repetition(of, place, rng, in_place=in_place) for place in range(number)]


def _repetition(of: Pool, place: int, rng: np.random.Generator, *, in_place: bool) -> Observed:
    alike = ["label", "phase"] if in_place else ["label"]
    drawn = []
    for _, blocks in of.blocks.group_by(alike, maintain_order=True):
        rows = rng.integers(0, blocks.height, blocks.height // len(of.parts))
        drawn.append(blocks[rows.tolist()])
    slots = (
        pl.concat(drawn)
        .with_row_index("slot", offset=1)
        .with_columns(pl.col("slot").cast(pl.Int64))
    )
    sent = pl.concat(_sent(part, slots, at) for at, part in enumerate(of.parts))
    first = of.parts[int(slots["capture"][0])]
    flows = pl.concat(
        part.flows.with_columns(pl.col("flow") + at * FLOWS_APART)
        for at, part in enumerate(of.parts)
    ).join(sent.select("flow").unique(), on="flow", how="semi")
    phases = slots.select(
        pl.col("slot").alias("phase"),
        "label",
        "state",
        pl.lit(None).alias("start"),
        pl.lit(None).alias("end"),
        pl.lit("resampled").alias("source"),
        "exposure",
    ).cast(dict(first.phases.schema))
    return replace(
        first, name=f"{place}", flows=flows, flow_phases=sent, phases=phases, places=_places(of)
    )


def _sent(part: Observed, slots: pl.DataFrame, at: int) -> pl.DataFrame:
    """What the flows of a capture sent in the blocks that were drawn from it."""
    return (
        part.flow_phases.join(
            slots.filter(capture=at).select("phase", "slot"), on="phase", how="inner"
        )
        .with_columns(pl.col("slot").alias("phase"), pl.col("flow") + at * FLOWS_APART)
        .select(part.flow_phases.columns)
    )


def _places(of: Pool) -> pl.DataFrame:
    return pl.concat(part.places for part in of.parts).unique("address", maintain_order=True)


def held(base: Sequence[Observed], new: Sequence[Observed]) -> Comparison:
    """The comparison of two sides."""
    settings = Settings()
    return compared(side_of("base", BASE, base, settings), side_of("new", NEW, new, settings))


def findings(comparison: Comparison) -> list[tuple[str, ...]]:
    """What is more than chance: dimension or trait, key, state or value, verdict."""
    rows = comparison.changes.filter(pl.col("verdict").is_in(FINDINGS))
    traits = comparison.traits.filter(pl.col("verdict").is_in(FINDINGS))
    return [
        *rows.select("dimension", "key", "state", "verdict").rows(),
        *traits.select("trait", "key", "value", "verdict").rows(),
    ]


def halves(of: Pool, number: int, splits: int, seed: int) -> list[list[tuple[str, ...]]]:
    """What is found in each of so many random splits of repetitions of one version."""
    rng = np.random.default_rng([seed, number])
    parts = repetitions(of, 2 * number, rng)
    found = []
    for _ in range(splits):
        order = rng.permutation(2 * number)
        found.append(
            findings(
                held([parts[at] for at in order[:number]], [parts[at] for at in order[number:]])
            )
        )
    return found


def grown(ratio: float) -> Plant:
    """Uploads to `GROWING` while idle, so many times as large."""

    def planted(part: Observed) -> Observed:
        is_meant = part.flow_phases.join(
            part.flows.select("flow", "host"), on="flow", how="left", maintain_order="left"
        )["host"].eq_missing(GROWING)
        sent = part.flow_phases.with_columns(
            pl.when((pl.col("state") == "idle") & is_meant)
            .then((pl.col("up_unique_bytes") * ratio).round().cast(pl.Int64))
            .otherwise("up_unique_bytes")
            .alias("up_unique_bytes")
        )
        return replace(part, flow_phases=sent)

    return planted


def without(host: str) -> Plant:
    """A side that never met a host."""

    def planted(part: Observed) -> Observed:
        flows = part.flows.filter(pl.col("host").ne_missing(host))
        return replace(
            part,
            flows=flows,
            flow_phases=part.flow_phases.join(flows.select("flow"), on="flow", how="semi"),
        )

    return planted


def power(of: Pool, number: int, plant: Plant, key: tuple[str, ...], seed: int) -> float:
    """Part of trials in which a planted difference is found; `key` is as in `findings`."""
    rng = np.random.default_rng([seed, number])
    hits = 0
    for _ in range(TRIALS):
        base = repetitions(of, number, rng)
        new = [plant(part) for part in repetitions(of, number, rng)]
        hits += key in findings(held(base, new))
    return hits / TRIALS


def covered(of: Pool, number: int, trials: int, seed: int) -> tuple[int, int]:
    """Of the intervals of hosts that every repetition uploaded to, those that hold 1; and all.

    Both sides are drawn from the same captures, so 1 is the true ratio.
    """
    rng = np.random.default_rng([seed, number])
    held_one = whole = 0
    for _ in range(trials):
        parts = repetitions(of, 2 * number, rng)
        rows = held(parts[:number], parts[number:]).changes.filter(
            pl.col("dimension") == "host",
            pl.col("base_least_per_hour") > 0,
            pl.col("new_least_per_hour") > 0,
        )
        held_one += rows.filter(pl.col("ratio_low") <= 1, pl.col("ratio_high") >= 1).height
        whole += rows.height
    return held_one, whole


def _coverage(of: Pool) -> Iterator[str]:
    yield "| captures a side | intervals | hold the true ratio |"
    yield "|---|---|---|"
    for number in SIZES:
        held_one, whole = covered(of, number, TRIALS, seed=11)
        yield f"| {number} | {whole:,} | {held_one / whole:.1%} |"


def _false_alarms(pools: Sequence[Pool]) -> Iterator[str]:
    yield "| captures a side | splits | with a finding | findings in all |"
    yield "|---|---|---|---|"
    for number in SIZES:
        found = [
            each
            for at, of in enumerate(pools)
            for each in halves(of, number, SPLITS[number], seed=at)
        ]
        wrong = sum(bool(each) for each in found)
        yield f"| {number} | {len(found)} | {wrong} | {sum(map(len, found))} |"


def _power(of: Pool) -> Iterator[str]:
    to_one = "to one host while idle"
    plants = [
        (f"{ratio:g} times as much {to_one}", grown(ratio), ("host", GROWING, "idle", "more"))
        for ratio in RATIOS
    ]
    plants.append(("that host never met", without(GROWING), ("host", GROWING, ALL_STATES, "gone")))
    yield "| planted | " + " | ".join(f"{number} a side" for number in SIZES) + " |"
    yield "|---|" + "---|" * len(SIZES)
    for name, plant, key in plants:
        cells = [power(of, number, plant, key, seed=7) for number in SIZES]
        yield f"| {name} | " + " | ".join(f"{cell:.0%}" for cell in cells) + " |"


if __name__ == "__main__":
    pools = [pool(version) for version in VERSIONS]
    for table in (_power(pools[0]), _coverage(pools[0]), _false_alarms(pools)):
        for line in table:
            print(line, flush=True)
        print()
