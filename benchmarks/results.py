"""Rows of the benchmark: what one is, appended to a file, shown as a table."""

import csv
import datetime as dt
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.measure import Sample

CPU_INFO = Path("/proc/cpuinfo")
SHOWN = ("task", "program", "packets", "wall_s", "cpu_s", "peak_mb", "packets_per_s", "ratio")


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that was measured: where it is and what it holds."""

    path: Path
    packets: int
    flows: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all rows of a run share.

    Attributes:
        date: UTC, to the second.
        commit: of the project, with a plus sign when files differ from it; empty outside git.
        machine: name of the processor.
        cores: how many of them this process may use.
    """

    date: str
    commit: str
    machine: str
    cores: int


@dataclass(frozen=True, slots=True)
class Row:
    """One program, one task, one capture: medians.

    Attributes:
        date: see `Conditions`.
        commit: see `Conditions`.
        machine: see `Conditions`.
        cores: see `Conditions`.
        task: what was asked of the program.
        program: its name.
        version: what it says its version is.
        packets: in the capture.
        bytes: of the capture file.
        flows: in the capture.
        rounds: runs behind each median.
        wall_s: seconds from start to end.
        cpu_s: seconds of processor time.
        peak_mb: largest resident memory of one process, in 1,000,000 bytes.
        packets_per_s: packets over wall clock.
        ratio: its time per packet over phonehome's in the same round; above 1 it is
            slower. Null when phonehome was not measured beside it.
    """

    date: str
    commit: str
    machine: str
    cores: int
    task: str
    program: str
    version: str
    packets: int
    bytes: int
    flows: int
    rounds: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    packets_per_s: int
    ratio: float | None


def _machine() -> str:
    """The name of the processor, as the system states it."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit(root: Path) -> str:
    """The commit of the project, marked when files differ from it; empty where git is missing."""
    if shutil.which("git") is None:
        return ""
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    return said.stdout.strip()


def conditions(root: Path) -> Conditions:
    """The conditions of a run that starts now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Conditions(now, _commit(root), _machine(), cores or 1)


def row(
    shared: Conditions,
    capture: Capture,
    what: dict[str, str],
    measured: tuple[Sample, int],
    ratio: float | None = None,
) -> Row:
    """A row from its parts.

    Args:
        shared: the conditions of the run.
        capture: what was read.
        what: task, program and version.
        measured: the medians, and how many runs stand behind them.
        ratio: see `Row`.
    """
    sample, rounds = measured
    return Row(
        **asdict(shared),
        **what,
        packets=capture.packets,
        bytes=capture.path.stat().st_size,
        flows=capture.flows,
        rounds=rounds,
        wall_s=round(sample.wall, 3),
        cpu_s=round(sample.cpu, 3),
        peak_mb=round(sample.peak_mb, 1),
        packets_per_s=round(capture.packets / sample.wall),
        ratio=None if ratio is None else round(ratio, 3),
    )


def append(path: Path, rows: list[Row]) -> None:
    """Add rows to a CSV file; a new file gets its heading first."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(asdict(one) for one in rows)


def _cell(value: str | float | None) -> str:
    """A value as it is shown; nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:,}"


def table(rows: list[Row]) -> str:
    """The rows as aligned text, the main columns only."""
    lines = [list(SHOWN), *([_cell(getattr(one, name)) for name in SHOWN] for one in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
