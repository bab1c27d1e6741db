"""The sample captures, each with its timeline, its truth, and its analysis, made once."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

if os.environ.get("PHONEHOME_TESTS") != "all" and "--all" not in sys.argv:
    # A worker per core leaves none for threads beside it; with --all they run as users have them.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import Analysis

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "captures" / "samples"
NAMES = [f"parrot-{version}/rep{number}" for version in ("1.0", "2.0") for number in (1, 2, 3)]

os.environ["XDG_DATA_HOME"] = str(ROOT / "tests" / "nowhere")  # no database of who runs the tests

# How long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("patient"), max_examples=30)


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write what golden files hold")
    parser.addoption(
        "--all",
        action="store_true",
        default=os.environ.get("PHONEHOME_TESTS") == "all",
        help="slow tests too (also: PHONEHOME_TESTS=all)",
    )


def pytest_configure(config):
    """Properties are tried on fewer examples where slow tests are left out too."""
    settings.load_profile("patient" if config.getoption("--all") else "quick")


def pytest_collection_modifyitems(config, items):
    """Slow tests are for continuous integration, and for who asks for them."""
    if config.getoption("--all") or "slow" in config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--all"):
        terminalreporter.write_line("slow tests were left out: ./scripts/test --all runs them too")


class Sample(NamedTuple):
    """One sample: where it lies, what is true of it, and what the analysis says."""

    capture: Path
    timeline: Path
    truth: dict
    analysis: Analysis


@cache
def sample(name: str) -> Sample:
    folder, repetition = (SAMPLES / name).parent, Path(name).name
    (capture,) = folder.glob(f"{repetition}.pcap*")
    timeline = folder / f"{repetition}.timeline.csv"
    truth = json.loads((folder / f"{repetition}.truth.json").read_bytes())
    return Sample(capture, timeline, truth, analyze([capture], Settings(timelines=(timeline,))))


@pytest.fixture(scope="session")
def samples():
    """Any sample by name, as `parrot-1.0/rep1`."""
    return sample


@pytest.fixture(params=NAMES)
def each_sample(request):
    """All six samples, one after the other."""
    return sample(request.param)


def _run(*arguments, stdin=subprocess.DEVNULL, prefix=(), environment=None, **other):
    """The real command in a process of its own; text of both streams and the exit code."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [*prefix, sys.executable, "-m", "phonehome.cli", *map(str, arguments)],
        stdin=None if "input" in other else stdin,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200", **(environment or {})},
        **other,
    )


@pytest.fixture(scope="session")
def run():
    """Starts `phonehome` with these arguments."""
    return _run


@pytest.fixture
def call(monkeypatch, capsys):
    """Calls `phonehome` in this process: exit code, standard output, standard error."""
    from phonehome import cli  # noqa: PLC0415 - only for those who call it

    def in_process(*arguments):
        monkeypatch.setattr(sys, "argv", ["phonehome", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return leaving.value.code, *capsys.readouterr()

    return in_process
