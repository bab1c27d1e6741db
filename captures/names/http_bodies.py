"""The body of an HTTP/1 message: where it ends, and what it unfolds to.

Framing is that of RFC 9112, section 6: chunks, a length, or the end of the stream. Of a body the
first `KEPT_BYTES` are kept, and it unfolds to at most `UNFOLDED_BYTES`, however much it would be.
"""

import io
import re
import zlib
from typing import NamedTuple

import zstandard

KEPT_BYTES = 65_536
UNFOLDED_BYTES = 262_144
_LONGEST_SIZE_LINE = 256
_MOST_TRAILER_BYTES = 16_384
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_WINDOW_BITS = 32 + zlib.MAX_WBITS  # header of zlib or gzip, whichever is there


class Framing(NamedTuple):
    """How the end of a body is found.

    Attributes:
        length: bytes it has; None where nothing says so.
        is_chunked: it comes in chunks, whatever the length says.
    """

    length: int | None
    is_chunked: bool = False


class Body(NamedTuple):
    """A body that is over, or of which no more comes.

    Attributes:
        octets: what was captured of it without its chunks, up to what is kept.
        size: its bytes, without chunks; as far as it came.
        is_whole: it came to its end, and all of it is in `octets`.
    """

    octets: bytes
    size: int
    is_whole: bool


class BodyReader:
    """Takes the bytes of one body out of a stream.

    Args:
        framing: how its end is found.
        most: bytes of it that are kept.

    Attributes:
        is_over: its end was found.
    """

    def __init__(self, framing: Framing, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._kept = bytearray()
        self._size = 0
        self._is_chunked = framing.is_chunked
        self._left: int | None = 0 if framing.is_chunked else framing.length
        self._line = bytearray()
        self._is_trailer = False
        self._is_between = True
        self._is_broken = False
        self.is_over = self._left == 0 and not framing.is_chunked

    @property
    def held_bytes(self) -> int:
        """What is kept of it."""
        return len(self._kept) + len(self._line)

    def feed(self, octets: bytes) -> int:
        """Take what belongs to it: how many bytes those are."""
        at = 0
        while at < len(octets) and not self.is_over:
            if self._is_chunked and self._is_between:
                at = self._read_line(octets, at)
            else:
                at = self._take(octets, at)
        return at

    def body(self) -> Body:
        """What has come of it."""
        is_whole = self.is_over and not self._is_broken and self._size == len(self._kept)
        return Body(bytes(self._kept), self._size, is_whole)

    def _take(self, octets: bytes, at: int) -> int:
        """Take content, up to the end of the chunk or the body."""
        end = len(octets) if self._left is None else min(at + self._left, len(octets))
        self._kept += octets[at : min(end, at + self._most - len(self._kept))]
        self._size += end - at
        if self._left is not None:
            self._left -= end - at
            self._is_between = self._left == 0
            self.is_over = self._left == 0 and not self._is_chunked
        return end

    def _read_line(self, octets: bytes, at: int) -> int:
        """Read a line between chunks: the size of the next one, or of the trailer."""
        found = octets.find(b"\n", at)
        end = found + 1 if found >= 0 else len(octets)
        self._line += octets[at:end]
        most = _MOST_TRAILER_BYTES if self._is_trailer else _LONGEST_SIZE_LINE
        if len(self._line) > most:
            self.is_over = self._is_broken = True
        elif found >= 0:
            self._use(bytes(self._line))
            self._line.clear()
        return end

    def _use(self, line: bytes) -> None:
        """Use a whole line between chunks."""
        if self._is_trailer:
            self.is_over = not line.strip(b"\r\n")
        elif size := _SIZE.fullmatch(line):
            self._left = int(size[1], 16)
            self._is_trailer = self._left == 0
            self._is_between = self._is_trailer
        elif line.strip(b"\r\n"):
            self.is_over = self._is_broken = True


def unfolded(octets: bytes, coding: bytes, most: int = UNFOLDED_BYTES) -> bytes:
    """The content of a body, as far as it can be unfolded; empty where the coding is not known.

    Args:
        octets: the body, or as much of it as there is.
        coding: value of Content-Encoding; of several, none is undone.
        most: bytes that it unfolds to at most.
    """
    name = coding.strip().lower()
    if name in {b"", b"identity"}:
        return octets[:most]
    if name in {b"gzip", b"x-gzip", b"deflate"}:
        return _inflated(octets, most)
    return _of_zstandard(octets, most) if name == b"zstd" else b""


def _inflated(octets: bytes, most: int) -> bytes:
    for bits in (_WINDOW_BITS, -zlib.MAX_WBITS):  # some servers send deflate without a header
        try:
            return zlib.decompressobj(bits).decompress(octets, most)
        except zlib.error:
            continue
    return b""


def _of_zstandard(octets: bytes, most: int) -> bytes:
    found = bytearray()
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(
            io.BytesIO(octets)
        ) as stream:
            while len(found) < most and (more := stream.read(16_384)):
                found += more
    except zstandard.ZstdError:
        pass
    return bytes(found[:most])
