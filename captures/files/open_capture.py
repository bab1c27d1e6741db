"""Opening a capture: plain or compressed, a file, a member of an archive or standard input.

The bytes that lie on disk are hashed in a thread of its own while the capture is decoded. Files
are opened for reading only, and nothing else is ever done to them.
"""

import hashlib
import io
import os
import stat
import sys
from pathlib import Path

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.archives import ZIP_MAGICS, open_member, place_in_archive
from phonehome.captures.files.decompression import (
    CHUNK,
    COMPRESSED_MAGICS,
    DecompressionError,
    Gzip,
    Lz4,
    Raw,
    Zipped,
    Zstd,
)
from phonehome.captures.files.hashing import Digests, FileDigest
from phonehome.captures.files.path_text import path_text
from phonehome.captures.limits import Limits

STANDARD_INPUT = "-"
RATIO_FREE_BYTES = 1 << 20
DECODERS: dict[str, type[Gzip] | type[Zstd] | type[Lz4]] = {"gzip": Gzip, "zstd": Zstd, "lz4": Lz4}


class _Hashed:
    """A stream that is hashed as it passes: standard input, or a member as it is unpacked."""

    def __init__(self, stream: Raw) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self.size += len(data)
        return data

    def sha256(self) -> str:
        try:
            while self.read(CHUNK):
                pass
        except DecompressionError:  # the reader was told; what came before it is hashed
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
        compression: gzip, zstd, lz4, or zip: a member of an archive; None: plain.

    Raises:
        CaptureError: there is no such file, it is none, or it may not be read.
    """

    def __init__(self, path: Path, limits: Limits, digests: Digests | None = None) -> None:
        self._digests = digests or Digests()
        self.name = STANDARD_INPUT if str(path) == STANDARD_INPUT else path_text(path.name)
        self.path = path
        self._limits = limits
        self._produced = 0
        self._plain: io.FileIO | None = None
        self._packed: Gzip | Zstd | Lz4 | Zipped | None = None
        self._before: os.stat_result | None = None
        self._on_disk = path
        try:
            self._stream: Raw
            self._open()
        except OSError as error:
            self.close()
            raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from error
        except CaptureError:
            self.close()
            raise

    def _open(self) -> None:
        self.compression: str | None = None
        if self.name == STANDARD_INPUT:
            first = self._open_standard_input()
        elif (place := place_in_archive(self.path)) is not None:
            first = self._open_member(*place)
        else:
            first = self._open_file()
        if not first:
            raise CaptureError(f"{self.path}: empty")
        if first in ZIP_MAGICS:
            raise CaptureError(
                f"{self.path}: a zip archive where a capture was expected: unpack it first"
            )
        compression = COMPRESSED_MAGICS.get(first) or COMPRESSED_MAGICS.get(first[:2])
        if compression is None:
            return
        if self.compression is not None:
            raise CaptureError(f"{self.path}: {compression} inside zip: unpack one of them first")
        self.compression = compression
        self._packed = DECODERS[compression](self._stream)
        self._stream = self._packed

    def _open_standard_input(self) -> bytes:
        """Take standard input: its first bytes."""
        if sys.stdin is None:
            raise CaptureError("-: standard input is closed")
        stream = _Hashed(sys.stdin.buffer)
        first = stream.read(4)
        self._hash: _Hashed | FileDigest = stream
        self._stream = _Rewound(first, stream)
        return first

    def _open_member(self, archive: Path, name: str) -> bytes:
        """Open a member of an archive: its first bytes."""
        member = open_member(archive, name)
        self._plain, self._packed, self._on_disk = member.file, member.stream, archive
        self._before = os.fstat(member.file.fileno())
        self._packed_bytes = member.packed_bytes
        self.compression = "zip"
        stream = _Hashed(member.stream)
        try:
            first = stream.read(4)
        except DecompressionError as error:
            raise CaptureError(f"{self.path}: {error}") from error
        self._hash = stream
        self._stream = _Rewound(first, stream)
        return first

    def _open_file(self) -> bytes:
        """Open a file: its first bytes."""
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CaptureError(f"{self.path}: not a regular file")
        self._plain = io.FileIO(self.path, "r")
        self._before = os.fstat(self._plain.fileno())
        self._hash = self._digests.take(self.path, self._before)
        first = self._plain.read(4) or b""
        self._plain.seek(0)
        self._stream = self._plain
        return first

    @property
    def size(self) -> int:
        """Bytes on disk; of a member, in its archive; of standard input what was read so far."""
        if self.compression == "zip":
            return self._packed_bytes
        return self._before.st_size if self._before else self._hash.size

    @property
    def taken(self) -> int:
        """Bytes read so far of what lies on disk, for a progress bar."""
        return self._produced if self._packed is None else self._packed.taken

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
        """SHA-256 of what lies on disk, of a member as unpacked, hex; waits for it.

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
            now = self._on_disk.stat()
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
