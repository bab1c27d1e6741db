import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phonehome.captures.process_memory import give_back, share_heaps

ROOT = Path(__file__).parents[2]


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
    monkeypatch.setattr("phonehome.captures.process_memory.sys.platform", "darwin")
    monkeypatch.setattr("phonehome.captures.process_memory.ctypes.CDLL", None)
    share_heaps()
    give_back()


def test_a_c_library_without_such_a_call_is_left_alone(monkeypatch):
    monkeypatch.setattr("phonehome.captures.process_memory.sys.platform", "linux")
    monkeypatch.setattr("phonehome.captures.process_memory.ctypes.CDLL", lambda _: object())
    share_heaps()
    give_back()


HEAPS = """
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import numpy as np

from phonehome.captures.process_memory import share_heaps

if sys.argv[1] == "shared":
    share_heaps()
barrier = Barrier(6)


def allocate():
    barrier.wait()
    kept = [np.ones(1_000, dtype=np.uint8) for _ in range(1_000)]
    barrier.wait()
    del kept


threads = [Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
# glibc maps the heap of an arena in 64 MiB of addresses, of which most may not be touched.
print(sum(" ---p " in line for line in Path("/proc/self/maps").read_text().splitlines()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the maps of this process")
def test_threads_share_heaps_where_they_are_told_to():
    def reserved(how):
        environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        said = subprocess.run(
            [sys.executable, "-c", HEAPS, how],
            capture_output=True,
            check=True,
            text=True,
            env=environment,
        )
        return int(said.stdout)

    assert reserved("shared") < reserved("own")
