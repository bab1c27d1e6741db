"""The one place that runs tshark: a child process that gets bytes, and gives lines.

It gets the capture through its standard input, so no file name reaches it; it looks up no name,
reads nobody's configuration, and dissects nothing but what it is needed for. What it may take of
time and memory is bounded before the first byte of the capture reaches it, and its process group
is ended when nobody reads its lines any more, whatever the reason.
"""

import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from phonehome.captures.limits import Limits

try:
    import resource
except ImportError:  # Windows has no such limits; time is bounded there too
    resource = None  # type: ignore[assignment]

OLDEST = (4, 0)
INSTALL = (
    "install Wireshark's command line, version 4.0 or later (Debian and Ubuntu: apt install "
    "tshark; Fedora: dnf install wireshark-cli; macOS: brew install wireshark)"
)
PROTOCOLS = (
    *("frame", "eth", "ethertype", "vlan", "sll", "sll2", "null", "raw", "wlan", "llc", "pktap"),
    *("ip", "ipv6", "ipv6.hopopts", "ipv6.routing", "ipv6.fraghdr", "ipv6.dstopts", "ah", "esp"),
    *("tcp", "udp", "tls", "quic", "http2", "data", "gre", "gtp", "geneve", "vxlan", "mpls"),
    *("ppp", "pppoes", "nflog", "teredo", "l2tp", "_ws.expert", "_ws.malformed", "_ws.short"),
)
"""What tshark dissects; all else is switched off, so that hostile bytes meet little of it."""

LONGEST_LINE = 32 << 20
_VERSION = re.compile(rb"TShark[^\n]*? (\d+)\.(\d+)(?:\.(\d+))?")
_ASKED_SECONDS = 20.0
_MOST_SAID = 4_096
_READ_BYTES = 1 << 18
_FILE_BYTES = 1 << 20
_KEYS = "keys"
_CUT_SHORT = b"cut short"


class TsharkError(Exception):
    """tshark cannot do it.

    Attributes:
        reason: `tshark_missing` or `tshark_stopped`, as in `opened.REASONS`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Program(NamedTuple):
    """A tshark that can be used: where it lies, and its version."""

    path: str
    version: str


def program(limits: Limits) -> Program:
    """The tshark of this machine.

    Raises:
        TsharkError: there is none, it is too old, or it does not answer. The message says what
            to install.
    """
    path = shutil.which("tshark")
    if path is None:
        raise TsharkError("tshark_missing", f"tshark is not installed: {INSTALL}")
    seconds = min(limits.opening_seconds, _ASKED_SECONDS)
    said = bytearray()
    with _private_folder() as folder, _child([path, "--version"], folder) as child:
        for line in _lines(child, iter(()), limits, seconds):
            said += line + b"\n"
            if len(said) > _MOST_SAID:
                break
    found = _VERSION.search(bytes(said))
    if found is None:
        raise TsharkError("tshark_missing", f"tshark does not say its version: {INSTALL}")
    numbers = tuple(int(number) for number in found.groups() if number is not None)
    version = ".".join(map(str, numbers))
    if numbers[:2] < OLDEST:
        raise TsharkError("tshark_missing", f"tshark {version} is too old: {INSTALL}")
    return Program(path, version)


def lines(  # noqa: PLR0913 - what one run needs
    tshark: Program,
    pieces: Iterator[bytes],
    keys: bytes,
    *,
    fields: tuple[str, ...],
    shown: str,
    limits: Limits,
) -> Iterator[bytes]:
    """Lines of JSON about the packets that a display filter shows, one at a time.

    Args:
        tshark: what to run.
        pieces: the capture.
        keys: a key log in NSS's format.
        fields: what is told of a packet.
        shown: the display filter.
        limits: `opening_seconds` and `opening_memory_bytes` apply here.

    Raises:
        TsharkError: it was stopped at a limit, or failed; lines until then were given.
    """
    with _private_folder() as folder, _keys_file(keys, folder) as (keys_path, held):
        _switch_off(tshark, folder, limits)
        arguments = [tshark.path, "-n", "-r", "-", "-T", "ek", "-Y", shown]
        for preference in (
            f"tls.keylog_file:{keys_path}",
            "tcp.reassemble_out_of_order:TRUE",
            "tcp.desegment_tcp_streams:TRUE",
            "tls.desegment_ssl_records:TRUE",
            "tls.desegment_ssl_application_data:TRUE",
        ):
            arguments += ["-o", preference]
        for field in fields:
            arguments += ["-e", field]
        with _child(arguments, folder, held) as child:
            yield from _lines(child, pieces, limits, limits.opening_seconds)


def _switch_off(tshark: Program, folder: Path, limits: Limits) -> None:
    """Write into its configuration which protocols it does not dissect: all but `PROTOCOLS`."""
    with _child([tshark.path, "-G", "protocols"], folder) as child:
        listed = [
            line.split(b"\t")[2]
            for line in _lines(child, iter(()), limits, min(limits.opening_seconds, _ASKED_SECONDS))
            if line.count(b"\t") >= 2  # noqa: PLR2004 - name, short name, name in filters
        ]
    wanted = {name.encode() for name in PROTOCOLS}
    off = [name for name in listed if name not in wanted]
    (folder / "disabled_protos").write_bytes(b"\n".join([*off, b""]))


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that nobody else can read, gone afterwards: configuration and home of the child."""
    folder = Path(tempfile.mkdtemp(prefix="phonehome-"))  # mode 0700
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _keys_file(keys: bytes, folder: Path) -> Iterator[tuple[str, int | None]]:
    """A path under which a child finds the keys, and the descriptor that it must be given.

    Where the system has files that lie nowhere, the keys are in one: nothing of them is on a
    disk, even if this process is killed.
    """
    if hasattr(os, "memfd_create"):
        held = os.memfd_create(_KEYS)
        try:
            with os.fdopen(os.dup(held), "wb") as file:
                file.write(keys)
            yield f"/dev/fd/{held}", held
        finally:
            os.close(held)
        return
    path = folder / _KEYS
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(keys)
    yield str(path), None


@contextmanager
def _child(
    arguments: list[str], folder: Path, held: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child process in a process group of its own, which ends with this block."""
    try:
        child = subprocess.Popen(  # noqa: S603 - a list, no shell; the path is that of tshark
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={
                "HOME": str(folder),
                "XDG_CONFIG_HOME": str(folder),
                "WIRESHARK_CONFIG_DIR": str(folder),
                "PATH": os.defpath,
                "LC_ALL": "C",
                "TMPDIR": str(folder),
            },
            pass_fds=() if held is None else (held,),
            process_group=0,
        )
    except OSError as error:
        raise TsharkError(
            "tshark_missing", f"{arguments[0]} cannot be started: {error.strerror}"
        ) from None
    try:
        yield child
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _bound(child: "subprocess.Popen[bytes]", limits: Limits) -> None:
    """Bound what a child may take, before it has seen a byte of what it shall read."""
    if resource is None or not hasattr(resource, "prlimit"):
        return
    bounds = {
        resource.RLIMIT_AS: limits.opening_memory_bytes,
        resource.RLIMIT_CPU: max(1, round(limits.opening_seconds)),
        resource.RLIMIT_FSIZE: _FILE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in bounds.items():
        with suppress(ProcessLookupError, PermissionError, ValueError):
            resource.prlimit(child.pid, kind, (most, most))


class _Talk:
    """What goes to a child and what comes from it, without waiting for either alone."""

    def __init__(self, child: "subprocess.Popen[bytes]", pieces: Iterator[bytes]) -> None:
        assert child.stdin is not None  # noqa: S101 - all three are pipes
        assert child.stdout is not None  # noqa: S101 - the same
        assert child.stderr is not None  # noqa: S101 - the same
        self._pieces = pieces
        self._waiting = memoryview(b"")
        self._stdin: IO[bytes] = child.stdin
        self._stdout, self._stderr = child.stdout, child.stderr
        self.complaint = bytearray()
        self.is_over = False
        self._selector = selectors.DefaultSelector()
        for stream, events in (
            (self._stdin, selectors.EVENT_WRITE),
            (self._stdout, selectors.EVENT_READ),
            (self._stderr, selectors.EVENT_READ),
        ):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, events)

    def close(self) -> None:
        self._selector.close()

    def step(self, seconds: float) -> bytes:
        """What came within some time; empty where nothing did."""
        came = b""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._stdin:
                self._give()
            elif key.fileobj is self._stderr:
                self._hear()
            else:
                came = self._stdout.read(_READ_BYTES) or b""
                self.is_over = not came
        return came

    def _give(self) -> None:
        """Hand the child what fits."""
        try:
            if not self._waiting:
                self._waiting = memoryview(next(self._pieces, b""))
            if self._waiting:
                written = os.write(self._stdin.fileno(), self._waiting[:_READ_BYTES])
                self._waiting = self._waiting[written:]
                return
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self._selector.unregister(self._stdin)
        with suppress(BrokenPipeError):
            self._stdin.close()

    def _hear(self) -> None:
        """Keep the first of what it says on standard error."""
        said = self._stderr.read(_READ_BYTES)
        if not said:
            self._selector.unregister(self._stderr)
        else:
            self.complaint += said[: _MOST_SAID - len(self.complaint)]


def _lines(
    child: "subprocess.Popen[bytes]", pieces: Iterator[bytes], limits: Limits, seconds: float
) -> Iterator[bytes]:
    """Whole lines that the child prints; it is given `pieces` meanwhile.

    Raises:
        TsharkError: it takes too long, prints a line without end, or ends badly.
    """
    _bound(child, limits)
    end = time.monotonic() + seconds
    held = bytearray()
    talk = _Talk(child, pieces)
    try:
        while not talk.is_over:
            left = end - time.monotonic()
            if left <= 0:
                raise TsharkError("tshark_stopped", f"tshark took longer than {seconds:g} s")
            came = talk.step(left)
            end_of_line = came.rfind(b"\n")
            if end_of_line < 0:
                held += came
            else:
                yield from (bytes(held) + came[:end_of_line]).split(b"\n")
                held = bytearray(came[end_of_line + 1 :])
            if len(held) > LONGEST_LINE:
                raise TsharkError("tshark_stopped", "tshark printed a line without end")
        _check_end(child, end - time.monotonic(), seconds, bytes(talk.complaint))
    finally:
        talk.close()


def _check_end(
    child: "subprocess.Popen[bytes]", left: float, seconds: float, complaint: bytes
) -> None:
    """See how the child ended; that a capture is cut short is said elsewhere."""
    try:
        code = child.wait(max(left, 0.1))
    except subprocess.TimeoutExpired:
        raise TsharkError("tshark_stopped", f"tshark took longer than {seconds:g} s") from None
    if code < 0:
        raise TsharkError("tshark_stopped", f"tshark was ended by signal {-code}")
    if code and _CUT_SHORT not in complaint:
        raise TsharkError("tshark_stopped", f"tshark ended with code {code}")
