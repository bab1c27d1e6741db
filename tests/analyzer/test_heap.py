import sys
from pathlib import Path

import numpy as np
import pytest

from analyzer.heap import give_back


def resident_bytes():
    with Path("/proc/self/statm").open("rb") as file:
        return int(file.read().split()[1]) * 4_096


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of this process")
def test_what_was_freed_is_given_back():
    pieces = [np.ones(64 << 10, dtype=np.uint8) for _ in range(1_600)]  # 100 MiB, from the heap
    held = pieces[-1]
    pieces.clear()
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > 50 << 20
    assert held.all()


def test_nothing_is_done_where_the_c_library_cannot(monkeypatch):
    monkeypatch.setattr("analyzer.heap.sys.platform", "darwin")
    monkeypatch.setattr("analyzer.heap.ctypes.CDLL", None)
    give_back()


def test_a_c_library_without_such_a_call_is_left_alone(monkeypatch):
    monkeypatch.setattr("analyzer.heap.sys.platform", "linux")
    monkeypatch.setattr("analyzer.heap.ctypes.CDLL", lambda _: object())
    give_back()
