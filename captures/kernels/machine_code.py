# Held by tests/captures/test_passes.py: the door to numba, in each of its passes.
"""The door to machine code: what is decorated here runs interpreted, or compiled once and kept.

Kernels take arrays and numbers and fill arrays that the caller made. They know no objects,
strings or exceptions; interpreted and compiled they do the same, so a run may change over in the
middle. Compiling takes seconds: it is done once per machine and version, when a capture is large
enough to be worth it, and the machine code is kept as an object file that loads in
milliseconds. `captures.kernels.compiler` is the one module that imports numba, and only to
compile, in a process of its own beside the reading, which goes on interpreted until the code
is there.

Where the object is kept: `NUMBA_CACHE_DIR`, else beside the source, else the user's cache folder.
`NUMBA_DISABLE_JIT=1` keeps everything interpreted.
"""

import ctypes
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Entry = Callable[[int], None]
"""Machine code of all kernels: takes the address of a frame, see `compiling`."""

FRAME_WIDTH = 64
RESULTS = 4  # first numbers of a frame: the kernel's number, then what it returns
DIGEST_BYTES = 32
ANNOUNCEMENT = "compiling the packet loop for this machine: once, beside the reading"

KERNELS = (
    "pcap_records",
    "pcapng_blocks",
    "read_packets",
    "write_all_waiting",
    "rehash",
    "add_packets",
    "snoop_records",
    "recurring_distances",
    "longest_chains",
)
"""All kernels; machine code knows each by its place here."""
HERE = Path(__file__).parent
SOURCES = (*sorted(HERE.glob("*.py")), HERE.with_name("words.py"))
"""Modules that machine code is made of: when one changes, it is made anew."""

parts: set[Callable[..., Any]] = set()


def part(function: Function) -> Function:
    """A part of kernels, to be compiled with them."""
    parts.add(function)
    return function


class Kernel:
    """A function over arrays and numbers that runs compiled where machine code is there.

    Attributes:
        function: what it does, in Python.
        results: how many numbers it returns.
        number: by which machine code knows it.
    """

    def __init__(self, function: Callable[..., Any], results: int) -> None:
        self.function = function
        self.results = results
        self.number = KERNELS.index(function.__name__)

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns: None, a number or a tuple of numbers."""
        entry = machine.entry
        if entry is None:
            with np.errstate(over="ignore"):
                return self.function(*arguments)
        frame = np.empty(FRAME_WIDTH, dtype=np.int64)
        frame[0] = self.number
        _lay_out(frame, arguments)
        entry(frame.ctypes.data)
        if self.results == 0:
            return None
        found = frame[1 : 1 + self.results].tolist()
        return found[0] if self.results == 1 else tuple(found)


def compiled(*, results: int) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a function that returns this many numbers."""
    return lambda function: Kernel(function, results)


def _lay_out(frame: NDArray[np.int64], arguments: tuple[Any, ...]) -> None:
    """Write arguments into a frame: arrays as address and shape, tuples field by field."""
    at = RESULTS
    numbers: list[int] = []
    _flatten(numbers, arguments)
    frame[at : at + len(numbers)] = numbers


def _flatten(numbers: list[int], arguments: tuple[Any, ...]) -> None:
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous:
                raise ValueError("a kernel takes arrays in one piece")
            numbers.append(argument.ctypes.data)
            numbers.extend(argument.shape)
        elif isinstance(argument, tuple):
            _flatten(numbers, argument)
        else:
            number = int(argument)
            numbers.append(number - (1 << 64) if number >= 1 << 63 else number)


class Machine:
    """The machine code of all kernels, if there is any.

    Attributes:
        entry: calls it; None: kernels run interpreted.
        is_settled: there is nothing to load or compile any more.
        announce: called with a sentence before compiling, which takes a while; None: nobody.
    """

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.is_settled = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
        self.announce: Callable[[str], None] | None = None
        self._looking = Lock()
        self._is_looked_for = False
        self._beside: _Beside | None = None

    def load(self) -> bool:
        """Use machine code that was compiled before: whether there is any."""
        with self._looking:
            if self.is_settled or self._is_looked_for:
                return self.entry is not None
            for folder in _folders():
                stored = _read(folder / _name())
                if stored is not None:
                    self._use(_linked(*stored))
                    break
            self._is_looked_for = True
            return self.entry is not None

    def compile(self) -> None:
        """Compile all kernels, use them, and keep them for the next run. Takes half a minute."""
        if self.is_settled:
            return
        from phonehome.captures.kernels.compiler import compile_kernels  # noqa: PLC0415 - imports numba

        made = compile_kernels()
        self._use(made.entry)
        if made.is_self_contained:
            _keep(_content(made.symbol, made.code))

    def compile_beside(self) -> None:
        """Let a process of its own compile; use what it made once it is called after the end.

        The process outlives this one, so that a run that is over before it leaves the next one
        the machine code all the same.
        """
        with self._looking:
            if self.is_settled:
                return
            if self._beside is None:
                if self.announce is not None:
                    self.announce(ANNOUNCEMENT)
                self._beside = _Beside()
            if self._beside.is_at_work:
                return
            stored = self._beside.made()
            if stored is not None:
                self._use(_linked(*stored))
                return
        self.compile()

    def _use(self, entry: Entry) -> None:
        self.entry = entry
        self.is_settled = True


_SEND = "from phonehome.captures.kernels.machine_code import send; send()"
_COMPILER = [sys.executable, "-P", "-c", _SEND]


class _Beside:
    """A process that compiles, and writes the object to a file without a name."""

    def __init__(self) -> None:
        import subprocess  # noqa: PLC0415 - needed once per machine

        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - read once the process has ended
        paths = [_home(), *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603 - ours
                _COMPILER,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,
            )
        except OSError:
            self._process = None

    @property
    def is_at_work(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def made(self) -> tuple[str, bytes] | None:
        """Symbol and code of what it made; None where it could not."""
        with self._output as output:
            output.seek(0)
            return _unpacked(output.read())


def _home() -> str:
    """The folder from which this very phonehome is imported, in a checkout and installed alike."""
    rooms = Path(__file__).parents[2]
    return str(rooms if (rooms / "phonehome.py").exists() else rooms.parent)


def send() -> None:
    """Compile, keep the object for the next run, and write it to standard output."""
    from phonehome.captures.kernels.compiler import compile_kernels  # noqa: PLC0415 - imports numba

    made = compile_kernels()
    if made.is_self_contained:
        content = _content(made.symbol, made.code)
        _keep(content)
        sys.stdout.buffer.write(content)


machine = Machine()


@cache
def _name() -> str:
    """File name of the machine code of these sources, versions and this processor."""
    from llvmlite import binding  # noqa: PLC0415 - slow to import

    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    facts = (
        version("numba"),
        version("llvmlite"),
        version("numpy"),
        sys.version,
        platform.platform(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
        os.environ.get("NUMBA_BOUNDSCHECK", ""),
    )
    digest.update("\n".join(facts).encode())
    return f"kernels-{digest.hexdigest()[:32]}.object"


def _folders() -> list[Path]:
    """Where machine code may be, the best place first."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(chosen)]
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return [HERE / "__pycache__", Path(caches) / "phonehome"]


def _read(path: Path) -> tuple[str, bytes] | None:
    """Symbol and code of a stored object; None where there is none that is whole and ours."""
    try:
        if hasattr(os, "getuid") and path.stat().st_uid not in {os.getuid(), 0}:
            return None
        stored = path.read_bytes()
    except OSError:
        return None
    return _unpacked(stored)


def _content(symbol: str, code: bytes) -> bytes:
    """An object as it is stored: a digest, the symbol, the code."""
    content = symbol.encode() + b"\0" + code
    return hashlib.sha256(content).digest() + content


def _unpacked(stored: bytes) -> tuple[str, bytes] | None:
    """Symbol and code of an object as it was stored; None where it is not whole."""
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    symbol, _, code = content.partition(b"\0")
    if hashlib.sha256(content).digest() != digest:
        return None
    return symbol.decode(), code


def _keep(content: bytes) -> None:
    """Store an object in the first folder that takes it; nowhere, if none does."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(content)
            Path(file.name).replace(folder / _name())
        except OSError:
            continue
        return


def _linked(symbol: str, code: bytes) -> Entry:
    """The entry of an object file, loaded into this process."""
    from llvmlite import binding  # noqa: PLC0415 - slow to import

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine(codemodel="jitdefault")
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return callable_at(engine.get_function_address(symbol), engine)


def callable_at(address: int, owner: object) -> Entry:
    """The kernels' entry at an address; `owner` keeps the code there."""
    native = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
        address
    )
    returned, failure = ctypes.c_void_p(), ctypes.c_void_p()

    def entry(frame: int, _owner: object = owner) -> None:
        status = native(ctypes.addressof(returned), ctypes.addressof(failure), frame)
        if status:
            raise RuntimeError(f"a kernel ended with status {status}")

    return entry
