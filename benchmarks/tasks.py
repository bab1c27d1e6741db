"""What is measured: analysis beside the peers, growth, memory, start, other captures."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, programs
from benchmarks.measure import RunError, Sample
from benchmarks.programs import PHONEHOME, ROOT, Program
from benchmarks.results import Capture, Conditions, Row, row

DATA = ROOT / "benchmarks" / "data"
NAMES = {"quic": 10_000, "dns": 500_000}
"""Messages of the smaller of two captures of nothing but names, by kind."""
GENERATOR = ("make_capture", "plan", "messages", "payloads", "certificates", "packets", "frames")
NAMES_GENERATOR = ("make_names", "payloads")
SMALL = (1_200, 60)  # packets and flows of a capture of about 1 MB
MANY_FLOWS = 10  # packets per flow of a capture of many flows


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        packets: of the main capture.
        flows: of the main capture.
        rounds: runs behind each median.
        shared: what all rows share.
        peers: the peers that are installed.
        has_phonehome: whether phonehome is measured too.
        scratch: a directory for what programs write.
        say: called with a line for the person who waits.
    """

    packets: int
    flows: int
    rounds: int
    shared: Conditions
    peers: Sequence[Program]
    has_phonehome: bool
    scratch: Path
    say: Callable[[str], None]


def _generator_digest(modules: Sequence[str] = GENERATOR) -> str:
    """A mark of the generator's source, so that old captures are not taken for new ones."""
    sources = (ROOT / "benchmarks" / f"{name}.py" for name in modules)
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def capture(packets: int, flows: int, *, is_pcapng: bool = False) -> Capture:
    """A capture of this size in the page cache, made now unless it is there already."""
    ending = "pcapng" if is_pcapng else "pcap"
    path = DATA / f"{packets}x{flows}-{_generator_digest()}.{ending}"
    if not path.exists():
        size = ["--packets", str(packets), "--flows", str(flows), "--out", str(path)]
        maker = [sys.executable, "-m", "benchmarks.make_capture", *size]
        subprocess.run([*maker, *["--pcapng"] * is_pcapng], cwd=ROOT, check=True)
    measure.warm(path)
    return Capture(path, packets, flows)


def _row(
    plan: Plan,
    one: Capture,
    names: tuple[str, Program],
    samples: list[Sample],
    ratio: float | None = None,
) -> Row:
    """The row of a program for a task, from its samples."""
    task, program = names
    what = {"task": task, "program": program.name, "version": programs.version(program)}
    return row(plan.shared, one, what, (measure.median(samples), len(samples)), ratio)


def prove(plan: Plan, program: Program, one: Capture) -> None:
    """Run a program once on a capture, which also warms what it caches, and check its work.

    An exit status alone proves nothing: a command that does nothing is the fastest.

    Raises:
        RunError: it failed, wrote nothing, or says that it read another number of packets.
    """
    shutil.rmtree(plan.scratch / programs.OUTPUT, ignore_errors=True)
    log = plan.scratch / "log"
    measure.run(program.command(one.path, plan.scratch), log)
    counted = program.counted(log, plan.scratch)
    if counted not in (None, one.packets):
        raise RunError(f"{program.name}: expected {one.packets} packets, got {counted}")


def _working(plan: Plan, read: Mapping[Program, Capture]) -> list[Program]:
    """The programs that do their work; a peer that does not is named and left out.

    Raises:
        RunError: phonehome does not.
    """
    working = []
    for program, one in read.items():
        try:
            prove(plan, program, one)
        except RunError as failure:
            if program.name == PHONEHOME:
                raise
            plan.say(f"left out: {failure}")
        else:
            working.append(program)
    return working


def analysis(plan: Plan) -> list[Row]:
    """The whole analysis to JSON, and every peer, on the same capture, or on its share of it."""
    wanted = [*([programs.phonehome()] if plan.has_phonehome else []), *plan.peers]
    shares = {1, *(program.share for program in wanted)}
    captures = {share: capture(plan.packets // share, plan.flows // share) for share in shares}
    read = {program: captures[program.share] for program in wanted}
    working = _working(plan, read)
    commands = {
        program.name: program.command(read[program].path, plan.scratch) for program in working
    }
    samples = measure.side_by_side(commands, plan.scratch / "log", plan.rounds)
    base = samples.get(PHONEHOME)
    rows = []
    for program in working:
        taken = samples[program.name]
        ratio = measure.median_ratio(taken, base) * program.share if base else None
        rows.append(_row(plan, read[program], ("analysis", program), taken, ratio))
    return rows


def decoding(plan: Plan) -> list[Row]:
    """Reading and decoding alone beside capinfos: as a whole process, and without its start.

    Raises:
        RunError: decoding failed or lost packets.
    """
    one, small = capture(plan.packets, plan.flows), capture(*SMALL)
    program, log = programs.phonehome(), plan.scratch / "log"
    command = [sys.executable, "-m", "benchmarks.decode", str(small.path), str(one.path)]
    measure.run(command, log)
    beside = [peer for peer in plan.peers if peer.name == "capinfos"]
    whole: list[Sample] = []
    inner: list[Sample] = []
    others: list[Sample] = []
    for _ in range(plan.rounds):
        whole.append(measure.run(command, log))
        packets, wall, cpu = map(float, log.read_text().split())
        if packets != one.packets:
            raise RunError(f"decoding: expected {one.packets} packets, got {packets:.0f}")
        inner.append(Sample(wall, cpu, whole[-1].peak_mb))
        others += [measure.run(peer.command(one.path, plan.scratch), log) for peer in beside]
    rows = [_row(plan, one, ("decoding", program), whole, 1.0)]
    rows.append(_row(plan, one, ("decoding, started", program), inner))
    if others:
        ratio = measure.median_ratio(others, whole)
        rows.append(_row(plan, one, ("decoding", beside[0]), others, ratio))
    return rows


def _by_size(plan: Plan, task: str, captures: list[Capture], rounds: int) -> list[Row]:
    """The whole analysis of several captures in turn."""
    program = programs.phonehome()
    commands = {
        str(number): program.command(one.path, plan.scratch) for number, one in enumerate(captures)
    }
    for one in captures:
        prove(plan, program, one)
    samples = measure.side_by_side(commands, plan.scratch / "log", rounds)
    return [
        _row(plan, one, (task, program), samples[str(number)])
        for number, one in enumerate(captures)
    ]


def growth(plan: Plan) -> list[Row]:
    """The main capture, and one of twice the packets with the same flows."""
    sizes = (plan.packets, 2 * plan.packets)
    return _by_size(plan, "growth", [capture(size, plan.flows) for size in sizes], plan.rounds)


def memory(plan: Plan) -> list[Row]:
    """The main capture, and one of ten times the packets, same flows."""
    sizes = (plan.packets, 10 * plan.packets)
    return _by_size(plan, "memory", [capture(size, plan.flows) for size in sizes], 2)


def _named_capture(what: str, count: int) -> Capture:
    """A capture of nothing but names, made now unless it is there already."""
    path = DATA / f"{what}-names-{count}-{_generator_digest(NAMES_GENERATOR)}.pcap"
    if not path.exists():
        size = ["--what", what, "--count", str(count), "--out", str(path)]
        subprocess.run([sys.executable, "-m", "benchmarks.make_names", *size], cwd=ROOT, check=True)
    measure.warm(path)
    return Capture(path, count, count)


def names(plan: Plan) -> list[Row]:
    """Captures of nothing but names, and of twice as many; what names cost of the main capture.

    Of that, `wall_s` is the time spent on names, and `ratio` its part of a whole analysis to JSON,
    measured beside it.
    """
    rows = []
    for what, count in NAMES.items():
        sizes = [_named_capture(what, size) for size in (count, 2 * count)]
        rows += _by_size(plan, f"{what} names", sizes, plan.rounds)
    one, log = capture(plan.packets, plan.flows), plan.scratch / "log"
    program = programs.phonehome()
    command = [sys.executable, "-m", "benchmarks.names", str(one.path)]
    prove(plan, program, one)
    taken, shares = [], []
    for _ in range(plan.rounds):
        sample = measure.run(command, log)
        spent = float(log.read_text())
        taken.append(Sample(spent, spent, sample.peak_mb))
        shares.append(spent / measure.run(program.command(one.path, plan.scratch), log).wall)
    share = sorted(shares)[len(shares) // 2]
    return [*rows, _row(plan, one, ("names", program), taken, share)]


def search(plan: Plan) -> list[Row]:
    """The octets of the main capture searched for twenty identifiers, by one core.

    Raises:
        RunError: it failed, or searched less than the file.
    """
    one, log = capture(plan.packets, plan.flows), plan.scratch / "log"
    command = [sys.executable, "-m", "benchmarks.search", str(one.path)]
    taken = []
    for _ in range(plan.rounds):
        sample = measure.run(command, log)
        octets, wall, cpu = map(float, log.read_text().split())
        if octets != one.path.stat().st_size:
            raise RunError(f"search: expected {one.path.stat().st_size} octets, got {octets:.0f}")
        taken.append(Sample(wall, cpu, sample.peak_mb))
    return [_row(plan, one, ("search", programs.phonehome()), taken)]


def variants(plan: Plan) -> list[Row]:
    """Other captures of as many packets: pcapng, and many short flows."""
    pcapng = capture(plan.packets, plan.flows, is_pcapng=True)
    crowded = capture(plan.packets, plan.packets // MANY_FLOWS)
    return [
        *_by_size(plan, "pcapng", [pcapng], plan.rounds),
        *_by_size(plan, "many flows", [crowded], plan.rounds),
    ]


def _first_report(plan: Plan, command: list[str]) -> list[Sample]:
    """Runs of a command that finds nothing compiled, each in a cache of its own."""
    samples = []
    for _ in range(plan.rounds):
        with tempfile.TemporaryDirectory(dir=plan.scratch) as cache:
            env = {**os.environ, "NUMBA_CACHE_DIR": cache}
            samples.append(measure.run(command, plan.scratch / "log", env=env))
    return samples


def start(plan: Plan) -> list[Row]:
    """What a user waits for first: the help text, a small report, the very first report.

    Raises:
        RunError: a command failed, or its help does not speak of its main command.
    """
    small = capture(*SMALL)
    program = programs.phonehome("html")
    report = program.command(small.path, plan.scratch)
    shown = [programs.phonehome_path(), "--help"]
    log = plan.scratch / "log"
    prove(plan, program, small)
    measure.run(shown, log)
    if "analyze" not in log.read_text():
        raise RunError(f"{' '.join(shown)}: expected the command analyze in its help, got none")
    first = _first_report(plan, report)
    samples = measure.side_by_side({"small report": report, "help": shown}, log, plan.rounds)
    named = {"first report": first, **samples}
    return [_row(plan, small, (task, program), taken) for task, taken in named.items()]
