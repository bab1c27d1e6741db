"""A database out of what servers pack it in: as it is, in gzip, or in a tar within gzip.

A tar is searched for its first plain file whose name ends in `.mmdb`; no name in it is ever used.
"""

import zlib
from pathlib import Path
from typing import BinaryIO

from phonehome.geo.errors import UpdateError

GZIP = b"\x1f\x8b"
BLOCK = 512
AT_ONCE = 1 << 20
MOST_MEMBERS = 1000
_NAME, _SIZE, _KIND, _MAGIC = slice(0, 100), slice(124, 136), slice(156, 157), slice(257, 262)
_GZIP_WINDOW = 31  # zlib's number for a gzip stream with the largest window


def unpack(packed: Path, out: Path, most: int) -> None:
    """Write the database in a packed file.

    Args:
        packed: what a server sent.
        out: the file to write; what it held is gone.
        most: bytes that may be unpacked.

    Raises:
        UpdateError: It is damaged, larger than the bound, or a tar without a database.
        OSError: It cannot be written.
    """
    plain = packed
    with packed.open("rb") as source:
        if source.read(len(GZIP)) == GZIP:
            plain = packed.with_suffix(".plain")
            source.seek(0)
            with plain.open("wb") as target:
                _gunzip(source, target, most)
    try:
        with plain.open("rb") as source, out.open("wb") as target:
            _member(source, target)
    finally:
        if plain is not packed:
            plain.unlink()


def _gunzip(source: BinaryIO, target: BinaryIO, most: int) -> None:
    """Unpack gzip streams, one after the other, up to a bound.

    Raises:
        UpdateError: They are damaged, cut, or larger than the bound.
    """
    stream, got = zlib.decompressobj(_GZIP_WINDOW), 0
    waiting = source.read(AT_ONCE)
    while waiting:
        try:
            plain = stream.decompress(waiting, AT_ONCE)
        except zlib.error:
            raise UpdateError("the file: expected gzip, got damaged gzip") from None
        got += len(plain)
        if got > most:
            raise UpdateError(f"the file: expected at most {most} bytes unpacked, got more")
        target.write(plain)
        waiting = stream.unconsumed_tail or stream.unused_data or source.read(AT_ONCE)
        if stream.eof and waiting:
            stream = zlib.decompressobj(_GZIP_WINDOW)
    if not stream.eof:
        raise UpdateError("the file: expected whole gzip, got one that ends early")


def _member(source: BinaryIO, target: BinaryIO) -> None:
    """Copy the database of a tar, or everything where it is no tar.

    Raises:
        UpdateError: The tar is damaged, or holds no database.
    """
    for _ in range(MOST_MEMBERS):
        head = source.read(BLOCK)
        if head[_MAGIC] != b"ustar":
            if source.tell() > BLOCK:
                break
            source.seek(0)
            _copied(source, target, None)
            return
        size = _octal(head[_SIZE])
        if head[_KIND] in {b"0", b"\0"} and head[_NAME].rstrip(b"\0").endswith(b".mmdb"):
            _copied(source, target, size)
            return
        source.seek(-(-size // BLOCK) * BLOCK, 1)
    raise UpdateError("the file: expected a tar with a database (.mmdb), got one without")


def _octal(field: bytes) -> int:
    """A number of a tar's header.

    Raises:
        UpdateError: It is none.
    """
    digits = field.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise UpdateError("the file: expected a whole tar, got a damaged one")
    return int(digits, 8)


def _copied(source: BinaryIO, target: BinaryIO, size: int | None) -> None:
    """Copy so many bytes, or all where that is None.

    Raises:
        UpdateError: There are fewer.
    """
    left = size
    while chunk := source.read(AT_ONCE if left is None else min(left, AT_ONCE)):
        target.write(chunk)
        if left is not None:
            left -= len(chunk)
    if left:
        raise UpdateError("the file: expected a whole tar, got one that ends early")
