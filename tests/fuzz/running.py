"""Runs mutants in processes of their own, so that a hang or a crash of one has a name."""

import multiprocessing
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from phonehome.captures.kernels.machine_code import machine
from tests.fuzz.holding import MOST_GROWTH, bases, grown_bytes, hold
from tests.fuzz.mutating import mutant

MOST_SECONDS = 5.0
STARTING_SECONDS = 60.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - files of milliseconds, in folders of their own


@dataclass
class Outcome:
    """What became of some mutants.

    Attributes:
        ends: how many were read, and how many refused.
        findings: seed and what went wrong, of each that broke the contract.
        slowest_seconds: of one mutant.
    """

    ends: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest_seconds: float = 0.0


def _work(first: int, step: int, stop: int, at: Any, results: Any) -> None:
    """Hold every `step`-th seed; `at` says which one is being held, `results` what became of it."""
    known = list(bases())
    memory = grown_bytes()
    folder = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "mutant.cap"
        for seed in range(first, stop, step):
            at.value = seed
            began = time.monotonic()
            try:
                end = hold(mutant(seed, known), path, seed)
                wrong = None
            except Exception:  # noqa: BLE001 - any of them is a finding
                end, wrong = "broken", traceback.format_exc()
            if wrong is None and grown_bytes() - memory > MOST_GROWTH:
                wrong, memory = "memory grew beyond its bound", grown_bytes()
            results.put((seed, end, wrong, time.monotonic() - began))
    results.put(None)


class _Worker:
    """One process, and what it is at."""

    def __init__(self, first: int, step: int, stop: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.step, self.stop = step, stop
        self.at: Synchronized[int] = context.Value("q", -1)
        self.results: Any = context.SimpleQueue()
        self.process = context.Process(
            target=_work, args=(first, step, stop, self.at, self.results), daemon=True
        )
        self.process.start()
        self.is_done = False
        self._seen, self._since = -1, time.monotonic()

    def taken(self) -> Iterator[tuple[int, str, str | None, float]]:
        """Results that are there."""
        while not self.results.empty():
            result = self.results.get()
            if result is None:
                self.is_done = True
                return
            yield result

    def broken(self) -> str | None:
        """Why it will not go on: it died, or it hangs."""
        if self.is_done:
            return None
        if not self.process.is_alive() and self.results.empty():
            return f"the process ended with {self.process.exitcode}"
        now, seed = time.monotonic(), self.at.value
        if seed != self._seen:
            self._seen, self._since = seed, now
        if now - self._since > (MOST_SECONDS if seed >= 0 else STARTING_SECONDS):
            return f"still at it after {now - self._since:.0f} s"
        return None


def run(
    first: int,
    count: int,
    workers: int = 2,
    progress: Callable[[int, Outcome], None] | None = None,
) -> Outcome:
    """Hold mutants of the seeds from `first` on; a process that breaks is replaced by another."""
    if not machine.load():
        machine.compile()
    outcome, done, stop = Outcome(), 0, first + count
    running = [_Worker(first + place, workers, stop) for place in range(workers)]
    while running:
        time.sleep(0.05)
        for worker in list(running):
            for seed, end, wrong, seconds in worker.taken():
                done += 1
                outcome.ends[end] += 1
                outcome.slowest_seconds = max(outcome.slowest_seconds, seconds)
                if wrong is not None:
                    outcome.findings.append((seed, wrong))
            if (reason := worker.broken()) is not None:
                done += 1
                outcome.findings.append((worker.at.value, reason))
                worker.process.kill()
                running.append(_Worker(worker.at.value + worker.step, worker.step, stop))
                worker.is_done = True
            if worker.is_done:
                worker.process.join(1)
                running.remove(worker)
        if progress is not None:
            progress(done, outcome)
    return outcome
