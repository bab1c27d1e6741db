import sys

import pytest

from benchmarks.measure import RunError, Sample, median, median_ratio, run, side_by_side, warm

PYTHON = [sys.executable, "-I", "-S", "-c"]


def test_a_run_reports_the_memory_and_processor_time_of_the_command(tmp_path):
    idle = run([*PYTHON, "pass"], tmp_path / "log")
    busy = run(
        [*PYTHON, "x = bytearray(b'1' * 80_000_000); sum(range(3_000_000))"], tmp_path / "log"
    )
    assert busy.peak_mb - idle.peak_mb > 75
    assert busy.cpu > idle.cpu
    assert busy.wall > idle.wall


def test_the_memory_of_the_runner_is_not_counted(tmp_path):
    ballast = bytearray(b"1" * 120_000_000)
    assert run([*PYTHON, "pass"], tmp_path / "log").peak_mb < 60
    assert len(ballast) == 120_000_000


def test_what_a_command_prints_goes_to_the_log(tmp_path):
    run([*PYTHON, "import sys; print(1); print(2, file=sys.stderr)"], tmp_path / "log")
    assert sorted((tmp_path / "log").read_text().split()) == ["1", "2"]


def test_a_command_that_fails_has_no_time(tmp_path):
    with pytest.raises(RunError, match="expected exit status 0, got 3: broken"):
        run([*PYTHON, "import sys; print('broken'); sys.exit(3)"], tmp_path / "log")


def test_a_command_that_is_killed_has_no_time(tmp_path):
    with pytest.raises(RunError, match="got -9"):
        run([*PYTHON, "import os; os.kill(os.getpid(), 9)"], tmp_path / "log")


def test_a_command_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(RunError, match="no-such-program: FileNotFoundError"):
        run(["no-such-program"], tmp_path / "log")


def test_commands_take_turns(tmp_path):
    order = tmp_path / "order"
    write = f"open({str(order)!r}, 'a').write"
    commands = {name: [*PYTHON, f"{write}('{name}')"] for name in "abc"}
    samples = side_by_side(commands, tmp_path / "log", 2)
    assert order.read_text() == "abcabc"
    assert {name: len(taken) for name, taken in samples.items()} == {"a": 2, "b": 2, "c": 2}


def test_medians_are_taken_of_each_quantity_by_itself():
    samples = [Sample(1, 30, 5), Sample(2, 10, 6), Sample(9, 20, 4)]
    assert median(samples) == Sample(2, 20, 5)


def test_a_ratio_compares_neighbours_of_a_round():
    slow_then_fast = [Sample(8, 0, 0), Sample(4, 0, 0), Sample(2, 0, 0)]
    half = [Sample(4, 0, 0), Sample(2, 0, 0), Sample(1, 0, 0)]
    assert median_ratio(slow_then_fast, half) == 2


def test_warming_needs_the_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        warm(tmp_path / "absent")


def test_byte_code_is_kept_as_on_the_machine_of_a_user(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    run([*PYTHON, "import os; print('PYTHONDONTWRITEBYTECODE' in os.environ)"], tmp_path / "log")
    assert (tmp_path / "log").read_text() == "False\n"
