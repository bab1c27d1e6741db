"""Fuzzing from the command line: `./scripts/fuzz --mutants 1000000 --seed 1`."""

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.holding import bases
from tests.fuzz.mutating import mutant
from tests.fuzz.running import Outcome, run

EVERY_SECONDS = 10.0


def told_line(text: str) -> None:
    """Say it at once, also to a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Hold mutants, print figures, keep what broke the contract: 1 if anything did."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=main.__doc__)
    parser.add_argument("--mutants", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first mutant; the next has +1")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--findings", type=Path, default=Path("demo-output/fuzz"))
    options = parser.parse_args()
    began = told = time.monotonic()
    kept = 0

    def progress(done: int, outcome: Outcome) -> None:
        nonlocal told, kept
        for seed, reason in outcome.findings[kept:]:
            options.findings.mkdir(parents=True, exist_ok=True)
            path = options.findings / f"{seed}.cap"
            path.write_bytes(mutant(seed, list(bases())))
            told_line(f"seed {seed}, kept as {path}:\n{reason}")
        kept = len(outcome.findings)
        if time.monotonic() - told > EVERY_SECONDS:
            told = time.monotonic()
            rate = done / (told - began)
            told_line(f"{done:,} mutants, {rate:,.0f} a second, {len(outcome.findings)} findings")

    outcome = run(options.seed, options.mutants, options.workers, progress)
    told_line(
        f"{options.mutants:,} mutants of {len(bases())} captures from seed {options.seed}: "
        f"{dict(sorted(outcome.ends.items()))}, slowest {outcome.slowest_seconds:.2f} s, "
        f"{len(outcome.findings)} findings, {time.monotonic() - began:.0f} s"
    )
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
