"""Machine code that another process makes while a capture is being read."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from phonehome.captures.kernels import machine_code
from phonehome.captures.kernels.machine_code import Machine
from phonehome.captures.kernels.record_walk import pcap_records
from tests.captures.reader import compile_once

LONG_ENOUGH = 60.0


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An object that was compiled for this machine; the folder where objects are kept is empty."""
    compile_once()
    stored = next(
        folder / machine_code._name()
        for folder in machine_code._folders()
        if (folder / machine_code._name()).exists()
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(empty))
    return stored


def beside(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the process beside run this instead of the compiler."""
    monkeypatch.setattr(machine_code, "_COMPILER", [sys.executable, "-P", "-c", script])


def compiled_in_the_end(machine: Machine) -> int:
    """Call as the reading does, until the machine code is there: how often it was not."""
    begun = time.monotonic()
    calls = 0
    machine.compile_beside()
    while machine.entry is None:
        assert time.monotonic() - begun < LONG_ENOUGH
        calls += 1
        time.sleep(0.02)
        machine.compile_beside()
    return calls


def test_reading_goes_on_until_the_code_is_there(ready: Path, monkeypatch: pytest.MonkeyPatch):
    beside(
        monkeypatch,
        "import sys, time; time.sleep(0.3); "
        f"sys.stdout.buffer.write(open({str(ready)!r}, 'rb').read())",
    )
    said: list[str] = []
    machine = Machine()
    machine.announce = said.append
    assert not machine.load()
    assert compiled_in_the_end(machine) > 3
    assert machine.is_settled
    assert said == [machine_code.ANNOUNCEMENT]
    monkeypatch.setattr(machine_code, "machine", machine)
    table = np.full((4, 16), -1, dtype=np.int64)
    buffer = np.zeros(32, dtype=np.uint8)
    given = (buffer, 32, table, False, False, 0, 0, 0)
    assert pcap_records(*given) == pcap_records.function(*given)


@pytest.mark.parametrize(
    "script",
    ["raise SystemExit(3)", "print('half an object')", "import os; os.kill(os.getpid(), 9)"],
)
def test_where_the_process_fails_this_one_compiles(
    script: str, ready: Path, monkeypatch: pytest.MonkeyPatch
):
    beside(monkeypatch, script)
    machine = Machine()
    compiled_here: list[bool] = []

    def compile_here() -> None:
        compiled_here.append(True)
        machine._use(machine_code._linked(*machine_code._unpacked(ready.read_bytes())))

    monkeypatch.setattr(machine, "compile", compile_here)
    compiled_in_the_end(machine)
    assert compiled_here == [True]


def test_where_no_process_can_be_started_this_one_compiles(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine_code, "_COMPILER", ["/nowhere/python"])
    machine = Machine()
    compiled_here: list[bool] = []
    monkeypatch.setattr(machine, "compile", lambda: compiled_here.append(True))
    machine.compile_beside()
    assert compiled_here == [True]


def test_the_process_takes_this_code_and_not_what_lies_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    told = tmp_path / "told"
    beside(
        monkeypatch,
        "import pathlib; from phonehome.captures.kernels import machine_code; "
        f"pathlib.Path({os.fspath(told)!r}).write_text(machine_code.__file__); "
        "raise SystemExit(3)",
    )
    machine = Machine()
    monkeypatch.setattr(machine, "compile", lambda: setattr(machine, "entry", machine_code.machine))
    compiled_in_the_end(machine)
    assert Path(told.read_text()) == Path(machine_code.__file__)
