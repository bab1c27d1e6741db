"""The programs that are measured: phonehome, and the peers that are installed."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import RunError

ROOT = Path(__file__).resolve().parent.parent
NFSTREAM = ROOT / "benchmarks" / ".cache" / "nfstream" / "bin" / "python"
NFSTREAM_LOOP = (
    "import sys; from nfstream import NFStreamer; "
    "print(sum(flow.bidirectional_packets for flow in NFStreamer(source=sys.argv[1])))"
)
NFSTREAM_VERSION = "from importlib.metadata import version; print(version('nfstream'))"
ROOM_FOR_FLOWS = "1000000"  # softflowd drops the oldest of 8,192 flows unless told otherwise
VERSION = re.compile(r"\d+(\.\d+)+")
PHONEHOME = "phonehome"
OUTPUT = "out.phonehome"
FILE_OF_FORMAT = {"json": "analysis.json", "html": "report.html"}


@dataclass(frozen=True, slots=True)
class Program:
    """A program as it is measured.

    Attributes:
        name: how rows call it.
        command: the arguments for a capture and a directory for what it writes.
        asks_version: a command that prints its version, at any exit status.
        how_to_get: where it comes from, for the line that says it is missing.
        counted: the packets that a run says it read, from its log and the directory for
            what it writes. Null: it does not say; raises `RunError` where what it should
            have written is not there.
        share: it reads a capture with so many times fewer packets and flows.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    asks_version: tuple[str, ...]
    how_to_get: str
    counted: Callable[[Path, Path], int | None]
    share: int = 1


def _logged(pattern: str) -> Callable[[Path, Path], int | None]:
    """A reader of the one number that a log states in this way.

    The log of a run that read nothing lacks it, or states another one.
    """

    def counted(log: Path, _scratch: Path) -> int:
        found = re.search(pattern, log.read_text(errors="replace"), re.MULTILINE)
        if found is None:
            raise RunError(f"{log}: expected a line like {pattern!r}, got none")
        return int(found[1])

    return counted


def _silent(_log: Path, _scratch: Path) -> None:
    """Null, for a program that does not say what it read."""


def _in_manifest(wanted: str) -> Callable[[Path, Path], int | None]:
    """A reader of the packets in the manifest of phonehome, which also lists this file."""

    def counted(_log: Path, scratch: Path) -> int:
        path = scratch / OUTPUT / "manifest.json"
        if not path.exists():
            raise RunError(f"phonehome: expected {path.name} in what it wrote, got no such file")
        manifest = json.loads(path.read_text())
        if wanted not in {output["file"] for output in manifest["outputs"]}:
            raise RunError(f"phonehome: {path.name}: expected {wanted} among its outputs, got none")
        return sum(int(one["packets"]) for one in manifest["inputs"])

    return counted


def phonehome_path() -> str:
    """The command of this environment, or the first on the search path."""
    beside = Path(sys.executable).with_name(PHONEHOME)
    return str(beside) if beside.exists() else PHONEHOME


def phonehome(form: str = "json") -> Program:
    """The command as a user starts it, writing one format."""
    path = phonehome_path()

    def command(capture: Path, scratch: Path) -> list[str]:
        options = ["-o", str(scratch / OUTPUT), "--format", form, "--quiet", "--force"]
        return [path, "analyze", str(capture), *options]

    return Program(
        name=PHONEHOME,
        command=command,
        asks_version=(path, "--version"),
        how_to_get="pip install -e .",
        counted=_in_manifest(FILE_OF_FORMAT[form]),
    )


def _softflowd(collector_port: int) -> Program:
    """Softflowd over a file, exporting NetFlow 9 to a port of this machine."""

    def command(capture: Path, _scratch: Path) -> list[str]:
        options = ["-d", "-v", "9", "-m", ROOM_FOR_FLOWS]
        return ["softflowd", *options, "-n", f"127.0.0.1:{collector_port}", "-r", str(capture)]

    return Program(
        name="softflowd",
        command=command,
        asks_version=("softflowd", "-h"),
        how_to_get="Debian package softflowd",
        counted=_logged(r"^Packets processed: (\d+)$"),
    )


def peers(collector_port: int) -> list[Program]:
    """The other programs, each with the options nearest to what phonehome does."""
    return [
        _softflowd(collector_port),
        Program(
            name="ndpiReader",
            command=lambda capture, _: ["ndpiReader", "-q", "-i", str(capture)],
            asks_version=("ndpiReader", "-h"),
            how_to_get="Debian package libndpi-bin",
            counted=_silent,  # -q leaves nothing to read
        ),
        Program(
            name="capinfos",
            command=lambda capture, _: ["capinfos", "-c", "-M", str(capture)],
            asks_version=("capinfos", "--version"),
            how_to_get="Debian package tshark",
            counted=_logged(r"^Number of packets: +(\d+)$"),
        ),
        Program(
            name="nfstream",
            command=lambda capture, _: [str(NFSTREAM), "-c", NFSTREAM_LOOP, str(capture)],
            asks_version=(str(NFSTREAM), "-c", NFSTREAM_VERSION),
            how_to_get="python -m benchmarks --install-nfstream",
            counted=_logged(r"^(\d+)$"),
        ),
        Program(
            name="tshark",
            command=lambda capture, _: ["tshark", "-n", "-q", "-z", "conv,tcp", "-r", str(capture)],
            asks_version=("tshark", "--version"),
            how_to_get="Debian package tshark",
            counted=_silent,  # it lists TCP alone
            share=10,
        ),
    ]


def is_installed(program: Program) -> bool:
    """Whether its command can be found."""
    return shutil.which(program.asks_version[0]) is not None


def version(program: Program) -> str:
    """The version a program states; for phonehome that of the project."""
    if program.name == PHONEHOME:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    said = subprocess.run(program.asks_version, capture_output=True, text=True, check=False)
    found = VERSION.search(said.stdout + said.stderr)
    return found.group() if found else ""


def install_nfstream() -> None:
    """Put nfstream into an environment of its own, away from the project's.

    Raises:
        subprocess.CalledProcessError: it could not be installed.
    """
    home = NFSTREAM.parent.parent
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(NFSTREAM), "-m", "pip", "install", "--quiet", "nfstream"], check=True)
