"""Fuzzing led by coverage, for long runs: `python -m tests.fuzz.guided [-runs=N] [FOLDER]`.

atheris (the extra `fuzz`) changes captures and keeps what reaches new lines. Kernels run as Python,
so that their lines count too: slower than `./scripts/fuzz`, but it finds its way.
Arguments are those of libFuzzer; a folder keeps what was found worth keeping.
"""

import importlib
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

LONGEST = 16_384
SECONDS = 60  # one input; kernels run as Python


def is_available() -> bool:
    """Whether atheris is installed."""
    return find_spec("atheris") is not None


def seeds(folder: Path) -> None:
    """Write the captures to begin with into a folder: those that tests build, and the samples."""
    holding = importlib.import_module("tests.fuzz.holding")
    for number, octets in enumerate(holding.bases()):
        if len(octets) <= LONGEST:
            (folder / f"{number:04}.cap").write_bytes(octets)


def main() -> None:
    """Hold captures until libFuzzer's arguments say stop; a finding is kept and ends the run."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["phonehome.captures", "phonehome.analyzer"]):
        holding = importlib.import_module("tests.fuzz.holding")
        machine = importlib.import_module("phonehome.captures.kernels.machine_code").machine
    machine.is_settled, machine.entry = True, None
    with tempfile.TemporaryDirectory() as made:
        begin = Path(made) / "seeds"
        begin.mkdir()
        seeds(begin)
        path = Path(made) / "input.cap"
        count = 0

        def one(octets: bytes) -> None:
            nonlocal count
            count += 1
            holding.hold(octets, path, count)

        limits = [f"-max_len={LONGEST}", f"-timeout={SECONDS}", "-rss_limit_mb=4096"]
        is_kept = any(not word.startswith("-") for word in sys.argv[1:])
        kept = Path(made) / "kept"
        kept.mkdir()
        folders = [str(begin)] if is_kept else [str(kept), str(begin)]
        atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], *folders], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
