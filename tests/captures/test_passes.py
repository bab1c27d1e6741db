"""Kernels say the same compiled, interpreted, and with every access to an array checked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.captures import passes

ROOT = Path(__file__).resolve().parents[2]


def said(folder: Path, **environment: str) -> dict:
    """What a pass says in a process of its own."""
    out = folder / "said.json"
    command = [sys.executable, "-W", "error", "-m", "tests.captures.passes", str(out)]
    known = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        command, cwd=ROOT, env={**known, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("compiled") / "said.json"
    passes.main(out)
    return json.loads(out.read_text())


@pytest.mark.slow
def test_interpreted_kernels_say_what_compiled_ones_say(tmp_path: Path, compiled: dict) -> None:
    interpreted = said(tmp_path, NUMBA_DISABLE_JIT="1")
    assert interpreted.pop("is compiled") is False
    assert {**compiled, "is compiled": None} == {**interpreted, "is compiled": None}


@pytest.mark.slow
def test_no_kernel_reads_beyond_an_array(
    tmp_path: Path, compiled: dict, pytestconfig: pytest.Config
) -> None:
    cache = pytestconfig.cache.mkdir("checked-kernels")  # compiled anew only for other sources
    checked = said(tmp_path, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(cache))
    assert checked["is compiled"] is True
    assert checked == compiled
