"""The target that is led by coverage runs, where atheris is installed."""

import re
import subprocess
import sys

import pytest

from tests.fuzz.guided import LONGEST, is_available, seeds
from tests.fuzz.holding import ROOT, bases


def test_the_captures_to_begin_with_are_written(tmp_path):
    seeds(tmp_path)
    written = list(tmp_path.iterdir())
    short = [octets for octets in bases() if len(octets) <= LONGEST]
    assert sorted(path.read_bytes() for path in written) == sorted(short)
    assert len(short) > 15  # without captures of others; with them there are hundreds
    assert all(0 < path.stat().st_size <= LONGEST for path in written)


@pytest.mark.skipif(not is_available(), reason="atheris is not installed")
def test_a_short_run_ends_without_a_finding(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", "-runs=30", "-seed=1", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert done is not None
    assert int(done[1]) >= 30
