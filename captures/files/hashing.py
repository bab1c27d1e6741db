"""SHA-256 of files, computed in threads of their own while something else is done."""

import hashlib
import io
import os
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path

AT_ONCE = 16 << 20  # between two pieces a thread may have to wait for the interpreter
WORTH_BEGINNING = 64 << 20
LATER = 10


class FileDigest:
    """SHA-256 of a file as it was opened here, read through a descriptor of its own.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._descriptor)
        self.identity = status.st_dev, status.st_ino
        self._at_once = min(AT_ONCE, max(status.st_size, 1))
        self._digest = hashlib.sha256()
        self._error: OSError | None = None
        self._is_stopped = False
        self.size = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        _step_back()
        buffer = bytearray(self._at_once)
        try:
            with io.FileIO(self._descriptor, closefd=True) as file:
                while not self._is_stopped and (count := file.readinto(buffer)):
                    self._digest.update(memoryview(buffer)[:count])
                    self.size += count
        except OSError as error:
            self._error = error

    def sha256(self) -> str:
        """The digest, hex; waits for it.

        Raises:
            OSError: the file could not be read to its end.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digest.hexdigest()

    def stop(self) -> None:
        """Nobody wants the digest any more."""
        self._is_stopped = True


def _step_back() -> None:
    """Let this thread run when the others leave a processor idle, where the system can do that.

    What waits for the digest comes last, so the others are never held up by it for nothing.
    """
    if sys.platform == "linux":  # elsewhere that would be asked of the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LATER)


class Digests:
    """Digests of files, some of them begun before the file is read."""

    def __init__(self) -> None:
        self._begun: dict[Path, FileDigest] = {}

    def begin(self, path: Path) -> None:
        """Begin with a file that is large enough to be worth it; anything else is let be."""
        try:
            status = path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size >= WORTH_BEGINNING:
                self._begun[path] = FileDigest(path)
        except (OSError, ValueError):
            return

    def take(self, path: Path, status: os.stat_result) -> FileDigest:
        """The digest of a file that was opened and has this status: begun before, or now."""
        begun = self._begun.pop(path, None)
        if begun is not None:
            if begun.identity == (status.st_dev, status.st_ino):
                return begun
            begun.stop()
        return FileDigest(path)
