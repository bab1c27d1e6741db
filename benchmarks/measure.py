"""Runs of whole programs: wall clock, processor time and peak memory of each."""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"
LAST_CHARACTERS = 400


class RunError(RuntimeError):
    """A program that was measured did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run, or the medians of several.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds of processor time, user and system, children included.
        peak_mb: largest resident memory of a single process, in 1,000,000 bytes.
    """

    wall: float
    cpu: float
    peak_mb: float


def run(command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> Sample:
    """One run of a command; what it prints goes to a file.

    Python's byte code is kept, as on a user's machine, whatever this environment says.

    Raises:
        RunError: the command did not start, or did not end with status 0; names it, its
            status and the end of what it printed.
    """
    result = log.with_name("result")
    result.unlink(missing_ok=True)
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(result), str(log)]
    env = {name: value for name, value in (env or os.environ).items() if name != NO_BYTE_CODE}
    started = subprocess.run(
        [*launcher, *command], env=env, capture_output=True, text=True, check=False
    )
    if started.returncode:
        raise RunError(f"{' '.join(command)}: {started.stderr.strip().rpartition(chr(10))[2]}")
    code, wall, cpu, peak = map(float, result.read_text().split())
    if code:
        said = log.read_text(errors="replace")[-LAST_CHARACTERS:].strip()
        raise RunError(f"{' '.join(command)}: expected exit status 0, got {code:.0f}: {said}")
    return Sample(wall, cpu, peak / 1e6)


def side_by_side(
    commands: Mapping[str, Sequence[str]], log: Path, rounds: int
) -> dict[str, list[Sample]]:
    """Runs of several commands in turn (A B C A B C …), in the order given.

    The machine's speed drifts; neighbours in one round see the same drift, so their
    ratio is steadier than either time.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(run(command, log))
    return samples


def median(samples: Sequence[Sample]) -> Sample:
    """The median of each quantity by itself."""
    return Sample(
        statistics.median(sample.wall for sample in samples),
        statistics.median(sample.cpu for sample in samples),
        statistics.median(sample.peak_mb for sample in samples),
    )


def median_ratio(samples: Sequence[Sample], base: Sequence[Sample]) -> float:
    """The median over the rounds of wall clock over the wall clock of the base."""
    pairs = zip(samples, base, strict=True)
    return statistics.median(one.wall / other.wall for one, other in pairs)


def warm(path: Path) -> None:
    """Read a file once, so that it is in the page cache."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass
