"""Opening a capture: plain, gzip or zstd, a file or standard input, read-only and hashed.

The bytes that lie on disk are hashed in a thread of its own while the capture is decoded. Files
are opened for reading only, and nothing else is ever done to them.
"""

import hashlib
import io
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from captures.decompression import CHUNK, GZIP_MAGIC, ZSTD_MAGIC, Gzip, Raw, Zstd
from captures.digests import Digests, FileDigest
from captures.errors import CaptureError
from captures.limits import Limits

STANDARD_INPUT = "-"
RATIO_FREE_BYTES = 1 << 20


class _Hashed:
    """Standard input, hashed as it passes: it can be read only once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self.size += len(data)
        return data

    def sha256(self) -> str:
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()


class _Rewound:
    """A stream with the first bytes, already read, in front."""

    def __init__(self, first: bytes, raw: Raw) -> None:
        self._first, self._raw = first, raw

    def read(self, size: int, /) -> bytes:
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        return self._raw.read(size)


class CaptureFile:
    """One input, open for reading.

    Attributes:
        name: file name without folders, or `-`.
        size: bytes on disk; what was read so far, for standard input.
        compression: gzip or zstd; None: plain.

    Raises:
        CaptureError: there is no such file, it is none, or it may not be read.
    """

    def __init__(self, path: Path, limits: Limits, digests: Digests | None = None) -> None:
        self._digests = digests or Digests()
        self.name = STANDARD_INPUT if str(path) == STANDARD_INPUT else path.name
        self.path = path
        self._limits = limits
        self._produced = 0
        self._plain: io.FileIO | None = None
        try:
            self._open()
        except OSError as error:
            self.close()
            raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from error
        except CaptureError:
            self.close()
            raise

    def _open(self) -> None:
        if self.name == STANDARD_INPUT:
            if sys.stdin is None:
                raise CaptureError("-: standard input is closed")
            stream = _Hashed(sys.stdin.buffer)
            self._hash: _Hashed | FileDigest = stream
            self._before: os.stat_result | None = None
            first = stream.read(4)
            raw: Raw = _Rewound(first, stream)
        else:
            status = self.path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise CaptureError(f"{self.path}: not a regular file")
            self._plain = io.FileIO(self.path, "r")
            self._before = os.fstat(self._plain.fileno())
            self._hash = self._digests.take(self.path, self._before)
            first = self._plain.read(4)
            self._plain.seek(0)
            raw = self._plain
        self._stream: Raw | Gzip | Zstd = raw
        self.compression: str | None = None
        if first.startswith(GZIP_MAGIC):
            self._stream, self.compression = Gzip(raw), "gzip"
        elif first.startswith(ZSTD_MAGIC):
            self._stream, self.compression = Zstd(raw), "zstd"
        if not first:
            raise CaptureError(f"{self.path}: empty")

    @property
    def size(self) -> int:
        """Bytes on disk; of standard input what was read so far."""
        return self._before.st_size if self._before else self._hash.size

    @property
    def taken(self) -> int:
        """Bytes read so far of what lies on disk, for a progress bar."""
        if isinstance(self._stream, Gzip | Zstd):
            return self._stream.taken
        return self._produced

    def readinto(self, view: memoryview) -> int:
        """Decoded bytes put into the view; 0 at the end.

        Raises:
            CaptureError: the file unfolds beyond the limits.
            DecompressionError: compressed bytes are broken from here on.
        """
        if self.compression is None and self._plain is not None:
            count = self._plain.readinto(view)
            self._produced += count
            return count
        data = self._stream.read(min(len(view), CHUNK))
        view[: len(data)] = data
        self._produced += len(data)
        self._check_bomb()
        return len(data)

    def _check_bomb(self) -> None:
        if self.compression is None:
            return
        bound = RATIO_FREE_BYTES + self.taken * self._limits.decompression_ratio
        bound = min(bound, self._limits.decompressed_bytes)
        if self._produced > bound:
            raise CaptureError(
                f"{self.path}: {self.compression} unfolds {self.taken} bytes to more than {bound}"
            )

    def sha256(self) -> str:
        """SHA-256 of what lies on disk, hex; waits for it.

        Raises:
            CaptureError: the file could not be read to its end.
        """
        try:
            return self._hash.sha256()
        except OSError as error:
            raise CaptureError(f"{self.path}: cannot be read: {error.strerror}") from error

    def has_changed(self) -> bool:
        """Whether the file is another one, or was written to, since it was opened."""
        if self._before is None:
            return False
        try:
            now = self.path.stat()
        except OSError:
            return True
        return (now.st_size, now.st_mtime_ns, now.st_ino) != (
            self._before.st_size,
            self._before.st_mtime_ns,
            self._before.st_ino,
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._plain is not None:
            self._plain.close()
