"""Captures inside zip archives, read where they lie: nothing is unpacked to disk.

An archive stands for the captures in it, as a folder does; a capture in it is called
`archive.zip/member`. The standard library reads the list of members, and this room their bytes,
so that a broken member gives all that came before the break.
"""

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NoReturn

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.decompression import COMPRESSED_MAGICS, DecompressionError, Zipped

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second: of an archive without a member
LONGEST_LIST = 1 << 22  # of members, in bytes: some 40,000 of them
METHODS = {zipfile.ZIP_STORED: False, zipfile.ZIP_DEFLATED: True}
ENCRYPTED = 1  # flag of a member
LOCAL_HEADER = 30  # APPNOTE 4.3.7
NAME_LENGTH, EXTRA_LENGTH = slice(26, 28), slice(28, 30)
PACKED_MAGICS = (*COMPRESSED_MAGICS, *ZIP_MAGICS)


@dataclass(frozen=True)
class Member:
    """One member of an archive, open for reading.

    Attributes:
        file: the archive; whoever opened the member closes it.
        stream: its bytes, unpacked.
        packed_bytes: how many it takes in the archive.
    """

    file: io.FileIO
    stream: Zipped
    packed_bytes: int


class _Careful(io.FileIO):
    """A file that no list of members makes read more at once than is reasonable."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes; a list of members that is too long is a bad archive."""
        if size is not None and size > LONGEST_LIST:
            raise zipfile.BadZipFile(f"a list of members of {size} bytes")
        return super().read(LONGEST_LIST if size is None or size < 0 else size) or b""


class _Stretch:
    """So many bytes of a file, from where it stands."""

    def __init__(self, file: io.FileIO, left: int) -> None:
        self._file, self._left = file, left

    def read(self, size: int, /) -> bytes:
        data = self._file.read(min(size, self._left)) or b""
        self._left -= len(data)
        return data


def is_archive(path: Path) -> bool:
    """Whether this is a zip archive, by its first bytes."""
    if not path.is_file():  # a pipe would wait for whoever writes to it
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in ZIP_MAGICS
    except OSError:
        return False


def place_in_archive(path: Path) -> tuple[Path, str] | None:
    """Archive and member that a path names; None: it leads through no archive."""
    if os.path.lexists(path):
        return None
    for parent in path.parents:
        if parent.is_file():
            return (parent, path.relative_to(parent).as_posix()) if is_archive(parent) else None
    return None


def captures_in(archive: Path, is_capture: Callable[[bytes], bool]) -> list[Path]:
    """Captures in an archive, sorted; none where it holds none.

    Args:
        archive: a zip archive.
        is_capture: whether the first four bytes of a file are those of a capture.

    Raises:
        CaptureError: the archive cannot be read, or holds captures, and beside them something
            that is packed twice and may be one.
    """
    with _opened(archive) as file:
        members = _members(archive, file)
        firsts = {name: _first(archive, file, info) for name, info in sorted(members.items())}
    found = [archive / name for name, first in firsts.items() if is_capture(first)]
    packed = [archive / name for name, first in firsts.items() if first.startswith(PACKED_MAGICS)]
    if found and packed:
        raise CaptureError(f"{packed[0]}: packed twice: unpack the archive first")
    return found


def open_member(archive: Path, name: str) -> Member:
    """A member of an archive, at its begin.

    Raises:
        CaptureError: there is none of this name, or none that can be read.
        OSError: the archive cannot be opened.
    """
    file = _opened(archive)
    try:
        info = _member(archive, file, name)
        return Member(file, _unpacking(archive, file, info), info.compress_size)
    except (CaptureError, OSError):
        file.close()
        raise


def _opened(archive: Path) -> _Careful:
    return _Careful(archive, "r")


def _members(archive: Path, file: _Careful) -> dict[str, zipfile.ZipInfo]:
    """Members by name, folders left out."""
    status = os.fstat(file.fileno())
    return _listed(archive, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=1)
def _listed(archive: Path, _: tuple[int, ...]) -> dict[str, zipfile.ZipInfo]:
    """Members of an archive in this state; the last list is kept, for each member asks for it."""
    with _opened(archive) as file:
        return _read_list(archive, file)


def _read_list(archive: Path, file: _Careful) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as opened:
            listed = [info for info in opened.infolist() if not info.filename.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise CaptureError(f"{archive}: a zip archive that cannot be read: {error}") from error
    if sum(info.compress_size for info in listed) > file.seek(0, os.SEEK_END):
        raise CaptureError(f"{archive}: its members claim more bytes than the archive has")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        name = info.filename
        if name in members:
            raise CaptureError(f"{archive}: two members of the name {name!r}")
        members[name] = info
    return members


def _member(archive: Path, file: _Careful, name: str) -> zipfile.ZipInfo:
    members = _members(archive, file)
    if name not in members:
        raise CaptureError(f"{archive}: no member of the name {name!r}")
    return members[name]


def _first(archive: Path, file: _Careful, info: zipfile.ZipInfo) -> bytes:
    """First four bytes of a member; fewer where it has fewer, or where they are broken."""
    try:
        return _unpacking(archive, file, info).read(4)
    except DecompressionError:
        return b""


def _unpacking(archive: Path, file: _Careful, info: zipfile.ZipInfo) -> Zipped:
    """What unpacks a member, from its begin."""
    _check(archive, info)
    head = b""
    if 0 <= info.header_offset < file.seek(0, os.SEEK_END):
        file.seek(info.header_offset)
        head = file.read(LOCAL_HEADER)
    if len(head) < LOCAL_HEADER or head[:4] != ZIP_MAGICS[0]:
        _refuse(archive, info, f"header of a member expected at byte {info.header_offset}")
    lengths = (int.from_bytes(head[part], "little") for part in (NAME_LENGTH, EXTRA_LENGTH))
    file.seek(info.header_offset + LOCAL_HEADER + sum(lengths))
    return Zipped(
        _Stretch(file, info.compress_size),
        is_deflated=METHODS[info.compress_type],
        size=info.file_size,
        crc=info.CRC,
    )


def _check(archive: Path, info: zipfile.ZipInfo) -> None:
    """Refuse a member that cannot be read, or whose name leads elsewhere."""
    name = PurePosixPath(info.filename)
    is_plain = str(name) == info.filename and "\\" not in info.filename
    if not is_plain or not name.parts or name.is_absolute() or ".." in name.parts:
        _refuse(archive, info, "a name that leads out of the archive")
    if info.flag_bits & ENCRYPTED:
        _refuse(archive, info, "encrypted: unpack it first")
    if info.compress_type not in METHODS:
        _refuse(archive, info, f"stored or deflated expected, method {info.compress_type} found")


def _refuse(archive: Path, info: zipfile.ZipInfo, why: str) -> NoReturn:
    raise CaptureError(f"{archive}: member {info.filename!r}: {why}")
