"""The speed that phonehome promises, held against measured rows."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import Row

STATED_PACKETS = 2_000_000  # the size that the bars are stated for


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise and what was measured; null where the rows do not say."""

    text: str
    limit: float
    measured: float | None

    def is_met(self) -> bool | None:
        """Whether it holds; null when it was not measured."""
        return None if self.measured is None else self.measured <= self.limit


def _found(rows: list[Row], task: str, program: str = "phonehome") -> list[Row]:
    """The rows of a task and program, in the order they were measured."""
    return [one for one in rows if (one.task, one.program) == (task, program)]


def _against(rows: list[Row], program: str, task: str = "analysis") -> float | None:
    """Time of phonehome over that of a peer beside it."""
    ratios = [one.ratio for one in _found(rows, task, program) if one.ratio]
    return round(1 / ratios[0], 3) if ratios else None


def _value(rows: list[Row], task: str, column: str) -> float | None:
    """One measured value of phonehome."""
    found = _found(rows, task)
    return float(getattr(found[0], column)) if found else None


def _growth(rows: list[Row], task: str, column: str) -> float | None:
    """Value for the longest capture of a task over that for the shortest."""
    found = sorted(_found(rows, task), key=lambda one: one.packets)
    if len(found) < 2:
        return None
    return round(getattr(found[-1], column) / getattr(found[0], column), 3)


def _searched(rows: list[Row]) -> float | None:
    """Seconds of a core that the search takes for 200 MB."""
    found = _found(rows, "search")
    return round(found[0].cpu_s / found[0].bytes * 200e6, 3) if found else None


def bars(rows: list[Row]) -> list[Bar]:
    """Every bar, with what these rows say about it."""
    stated: list[tuple[str, float, Callable[[], float | None]]] = [
        ("analysis, time over ndpiReader -q", 1.0, lambda: _against(rows, "ndpiReader")),
        ("analysis, time over nfstream", 1 / 7, lambda: _against(rows, "nfstream")),
        ("analysis, time over softflowd", 2.0, lambda: _against(rows, "softflowd")),
        ("decoding, time over capinfos -c", 2.0, lambda: _against(rows, "capinfos", "decoding")),
        ("analysis, peak MB", 500, lambda: _value(rows, "analysis", "peak_mb")),
        ("ten times the packets, peak over peak", 1.05, lambda: _growth(rows, "memory", "peak_mb")),
        ("twice the packets, time over time", 2.1, lambda: _growth(rows, "growth", "wall_s")),
        (
            "twice the QUIC, time over time",
            2.1,
            lambda: _growth(rows, "quic names", "wall_s"),
        ),
        ("twice the DNS, time over time", 2.1, lambda: _growth(rows, "dns names", "wall_s")),
        ("names, part of the analysis", 0.3, lambda: _value(rows, "names", "ratio")),
        ("200 MB searched, seconds of a core", 1.0, lambda: _searched(rows)),
        ("1 MB to HTML, seconds", 2.0, lambda: _value(rows, "small report", "wall_s")),
        ("1 MB to HTML, first run, seconds", 8.0, lambda: _value(rows, "first report", "wall_s")),
        ("--help, seconds", 0.2, lambda: _value(rows, "help", "wall_s")),
    ]
    return [Bar(text, round(limit, 3), measure()) for text, limit, measure in stated]


def verdicts(rows: list[Row]) -> str:
    """The bars as lines of text."""
    words = {True: "holds", False: "MISSED", None: "not measured"}
    lines = []
    for bar in bars(rows):
        value = "" if bar.measured is None else f"{bar.measured:,}"
        lines.append(f"{bar.text:40} {value:>9} of {bar.limit:<6} {words[bar.is_met()]}")
    return "\n".join(lines)
