"""The one command of the benchmarks: make captures, run programs, write rows.

Run as `python -m benchmarks` from the root of the project; docs/benchmarks.md says how to
read what it prints.
"""

import argparse
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import programs, tasks
from benchmarks.bars import STATED_PACKETS, verdicts
from benchmarks.measure import RunError
from benchmarks.programs import ROOT, Program
from benchmarks.results import Row, append, conditions, table

RESULTS = ROOT / "benchmarks" / "results.csv"
QUICK = 200_000
PACKETS_PER_FLOW = 62.5  # 32,000 flows in the stated capture
TASKS: dict[str, Callable[[tasks.Plan], list[Row]]] = {
    "analysis": tasks.analysis,
    "decoding": tasks.decoding,
    "growth": tasks.growth,
    "names": tasks.names,
    "search": tasks.search,
    "start": tasks.start,
    "memory": tasks.memory,
    "variants": tasks.variants,
}
BRIEF_TASKS = ("analysis", "decoding", "growth", "start")


def _options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--packets", type=int, default=STATED_PACKETS)
    parser.add_argument("--flows", type=int, help="default: one per 62.5 packets")
    parser.add_argument("--rounds", type=int, default=5, help="runs behind each median")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} packets")
    parser.add_argument("--full", action="store_true", help="tenfold memory and variants too")
    parser.add_argument("--only", choices=TASKS, action="append", help="this task; repeatable")
    parser.add_argument("--results", type=Path, default=RESULTS, help="rows are added here")
    parser.add_argument("--peers-only", action="store_true", help="without phonehome")
    parser.add_argument("--install-nfstream", action="store_true", help="into benchmarks/.cache")
    return parser.parse_args()


def _installed(collector_port: int) -> list[Program]:
    """The peers that are here; each other one is named."""
    here = []
    for program in programs.peers(collector_port):
        if programs.is_installed(program):
            here.append(program)
        else:
            print(f"skipped, not installed: {program.name} ({program.how_to_get})")
    return here


def _measure(chosen: argparse.Namespace, collector_port: int, scratch: Path) -> list[Row]:
    """The rows of all wanted tasks, each added to the results as soon as it is there."""
    packets = QUICK if chosen.quick else chosen.packets
    plan = tasks.Plan(
        packets=packets,
        flows=chosen.flows or round(packets / PACKETS_PER_FLOW),
        rounds=chosen.rounds,
        shared=conditions(ROOT),
        peers=_installed(collector_port),
        has_phonehome=not chosen.peers_only,
        scratch=scratch,
        say=print,
    )
    rows: list[Row] = []
    wanted = chosen.only or list(TASKS if chosen.full else BRIEF_TASKS)
    for task in ["analysis"] if chosen.peers_only else wanted:
        found = TASKS[task](plan)
        append(chosen.results, found)
        print(table(found), end="\n\n", flush=True)
        rows += found
    return rows


def main() -> None:
    """Measure what was asked for and print the verdicts; one line where a program fails."""
    chosen = _options()
    if chosen.install_nfstream:
        programs.install_nfstream()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector,
        tempfile.TemporaryDirectory(prefix="phonehome-benchmark-") as scratch,
    ):
        collector.bind(("127.0.0.1", 0))  # flow records are sent somewhere, and dropped
        try:
            rows = _measure(chosen, collector.getsockname()[1], Path(scratch))
        except RunError as failure:
            sys.exit(str(failure))
    if chosen.peers_only:
        return
    print(verdicts(rows))
    if any(row.task == "analysis" and row.packets < STATED_PACKETS for row in rows):
        print(f"The bars are stated for {STATED_PACKETS:,} packets.")
