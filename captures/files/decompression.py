"""Decoders that give all that came before a break, and say that there is one.

Libraries drop what they decoded in the call that fails, and take a zstd frame that ends early
for a whole one. Both would be silent losses, so that frames are walked here: zstd (RFC 8878), and
LZ4 ("LZ4 Frame Format Description", 1.6.4).
"""

import zlib
from collections.abc import Callable
from typing import Protocol

import lz4.frame
import zstandard

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LZ4_MAGIC = b"\x04\x22\x4d\x18"
COMPRESSED_MAGICS = {GZIP_MAGIC: "gzip", ZSTD_MAGIC: "zstd", LZ4_MAGIC: "lz4"}
ZSTD_WINDOW = 1 << 27
SKIPPABLE = bytes.fromhex("2a4d18")  # behind an octet from 0x50 to 0x5f, both of zstd and LZ4
ONE_OCTET_BLOCK = 1
LZ4_LARGEST_BLOCK = 1 << 22
LZ4_IS_STORED = 0x8000_0000
INFLATE_GZIP, INFLATE_BARE = 31, -15  # zlib's words for the two formats around deflate


class DecompressionError(Exception):
    """Compressed bytes that end early or are broken; what came before them is good."""


class Raw(Protocol):
    """Where compressed bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class Gzip:
    """gzip members, one after the other, decoded in bounded steps.

    Attributes:
        taken: compressed bytes read so far.
    """

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._decoder = zlib.decompressobj(wbits=INFLATE_GZIP)
        self._pending = b""
        self._failure: str | None = None
        self.taken = 0

    def read(self, size: int) -> bytes:
        """Up to `size` decoded bytes; none at the end.

        Raises:
            DecompressionError: nothing behind this place can be decoded.
        """
        while self._failure is None:
            if not self._pending:
                self._pending = self._raw.read(CHUNK)
                self.taken += len(self._pending)
            if not self._pending:
                if not self._decoder.eof:
                    raise DecompressionError("gzip: the file ends inside a member")
                return b""
            if self._decoder.eof:
                if not self._pending.startswith(GZIP_MAGIC[: len(self._pending)]):
                    raise DecompressionError("gzip: bytes behind the last member")
                self._decoder = zlib.decompressobj(wbits=INFLATE_GZIP)
            if data := self._step(size):
                return data
        raise DecompressionError(f"gzip: {self._failure}")

    def _step(self, size: int) -> bytes:
        data, self._failure = _inflated(self._decoder, self._pending, size)
        self._pending = self._decoder.unconsumed_tail or self._decoder.unused_data
        return data


class Zipped:
    """One member of a zip archive, stored or deflated, held against its size and check sum.

    Attributes:
        taken: compressed bytes read so far.
    """

    def __init__(self, raw: Raw, *, is_deflated: bool, size: int, crc: int) -> None:
        self._raw = raw
        self._decoder = zlib.decompressobj(wbits=INFLATE_BARE) if is_deflated else None
        self._size, self._crc = size, crc
        self._found_size = self._found_crc = 0
        self._pending = b""
        self._is_done = False
        self._failure: str | None = None
        self.taken = 0

    def read(self, size: int) -> bytes:
        """Up to `size` decoded bytes; none at the end.

        Raises:
            DecompressionError: nothing behind this place can be decoded.
        """
        while self._failure is None and not self._is_done:
            data = self._stored(size) if self._decoder is None else self._inflate(size)
            self._found_size += len(data)
            self._found_crc = zlib.crc32(data, self._found_crc)
            if self._is_done:
                self._failure = self._failure or self._difference()
            if data:
                return data
        if self._failure is not None:
            raise DecompressionError(f"zip: {self._failure}")
        return b""

    def _stored(self, size: int) -> bytes:
        data = self._raw.read(size)
        self.taken += len(data)
        self._is_done = not data
        return data

    def _inflate(self, size: int) -> bytes:
        assert self._decoder is not None  # noqa: S101 - for the type checker
        if not self._pending:
            self._pending = self._raw.read(CHUNK)
            self.taken += len(self._pending)
        if not self._pending:
            self._failure = "the file ends inside a member"
            return b""
        data, self._failure = _inflated(self._decoder, self._pending, size)
        self._pending = self._decoder.unconsumed_tail
        self._is_done = self._decoder.eof
        return data

    def _difference(self) -> str | None:
        """What the archive says of the member, where that is not what was found."""
        if self._found_size != self._size:
            return f"a member of {self._size} bytes expected, {self._found_size} found"
        if self._found_crc != self._crc:
            return "the check sum of the member differs"
        return None


def _inflated(decoder: "zlib._Decompress", pending: bytes, size: int) -> tuple[bytes, str | None]:
    """Pending bytes decoded; if they break, all that stands before the break, and why."""
    before = decoder.copy()
    try:
        return decoder.decompress(pending, size), None
    except zlib.error as error:
        return _before_break(before, pending, size), str(error)


def _before_break(decoder: "zlib._Decompress", pending: bytes, size: int) -> bytes:
    """What a decoder makes of bytes, one by one, until it fails."""
    found = bytearray()
    try:
        for octet in pending:
            found += decoder.decompress(bytes([octet]), max(size - len(found), 1))
    except zlib.error:
        pass
    return bytes(found[:size])


class _Frames:
    """Frames, one after the other, taken piece by piece: what zstd and LZ4 have in common.

    Attributes:
        taken: compressed bytes read so far.
    """

    name: str

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._input = b""
        self._at = 0
        self._next: Callable[[], bytes] = self._header
        self._decoded = b""
        self.taken = 0

    def read(self, size: int) -> bytes:
        """Up to `size` decoded bytes; none at the end.

        Raises:
            DecompressionError: nothing behind this place can be decoded.
        """
        while not self._decoded:
            piece = self._next()
            if not piece:
                return b""
            self._decoded = self._decode(piece)
        data, self._decoded = self._decoded[:size], self._decoded[size:]
        return data

    def _header(self) -> bytes:
        """Header of the next frame; nothing at the end."""
        raise NotImplementedError

    def _decode(self, piece: bytes) -> bytes:
        """What a piece unfolds to."""
        raise NotImplementedError

    def _magic(self, expected: bytes) -> bytes:
        """Magic number of the next frame, skippable ones passed over; nothing at the end."""
        while True:
            magic = self._take_up_to(4)
            if not magic or magic == expected:
                return magic
            if magic[1:] != SKIPPABLE or not 0x50 <= magic[0] <= 0x5F:  # noqa: PLR2004 - RFC 8878
                raise DecompressionError(f"{self.name}: bytes behind the last frame")
            left = int.from_bytes(self._take(4), "little")
            while left:
                left -= len(self._take(min(left, CHUNK)))

    def _take(self, count: int) -> bytes:
        """The next bytes of the file, exactly as many."""
        data = self._take_up_to(count)
        if len(data) < count:
            raise DecompressionError(f"{self.name}: the file ends inside a frame")
        return data

    def _take_up_to(self, count: int) -> bytes:
        while len(self._input) - self._at < count:
            more = self._raw.read(CHUNK)
            if not more:
                break
            self.taken += len(more)
            self._input, self._at = self._input[self._at :] + more, 0
        data = self._input[self._at : self._at + count]
        self._at += len(data)
        return data


class Zstd(_Frames):
    """zstd frames, decoded block by block: 128 KiB at most."""

    name = "zstd"

    def __init__(self, raw: Raw) -> None:
        super().__init__(raw)
        self._decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        self._has_checksum = False

    def _decode(self, piece: bytes) -> bytes:
        try:
            return self._decoder.decompress(piece)
        except zstandard.ZstdError as error:
            raise DecompressionError(f"zstd: {error}") from error

    def _header(self) -> bytes:
        magic = self._magic(ZSTD_MAGIC)
        if not magic:
            return b""
        descriptor = self._take(1)
        flags = descriptor[0]
        is_single = flags >> 5 & 1
        content_size = (is_single, 2, 4, 8)[flags >> 6]
        dictionary = (0, 1, 2, 4)[flags & 3]
        self._has_checksum = bool(flags & 4)
        self._next = self._block
        self._decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        return magic + descriptor + self._take(1 - is_single + dictionary + content_size)

    def _block(self) -> bytes:
        """The next block of the frame."""
        head = self._take(3)
        number = int.from_bytes(head, "little")
        if number & 1:
            self._next = self._checksum if self._has_checksum else self._header
        size = 1 if number >> 1 & 3 == ONE_OCTET_BLOCK else number >> 3
        return head + self._take(size)

    def _checksum(self) -> bytes:
        """What stands behind the last block of a frame: by itself, for the block may be good."""
        self._next = self._header
        return self._take(4)


class Lz4(_Frames):
    """LZ4 frames, decoded block by block: 4 MiB at most."""

    name = "lz4"

    def __init__(self, raw: Raw) -> None:
        super().__init__(raw)
        self._decoder = lz4.frame.LZ4FrameDecompressor()
        self._has_block_checksum = False
        self._has_checksum = False

    def _decode(self, piece: bytes) -> bytes:
        try:
            return bytes(self._decoder.decompress(piece))
        except (RuntimeError, EOFError) as error:  # what the library raises for any wrong octet
            raise DecompressionError(f"lz4: {error}") from error

    def _header(self) -> bytes:
        magic = self._magic(LZ4_MAGIC)
        if not magic:
            return b""
        descriptor = self._take(2)
        flags = descriptor[0]
        self._has_block_checksum, self._has_checksum = bool(flags & 0x10), bool(flags & 4)
        self._next = self._block
        self._decoder = lz4.frame.LZ4FrameDecompressor()
        content_size, dictionary = 8 * bool(flags & 8), 4 * (flags & 1)
        return magic + descriptor + self._take(content_size + dictionary + 1)

    def _block(self) -> bytes:
        """The next block of the frame, or the mark of its end."""
        head = self._take(4)
        size = int.from_bytes(head, "little") & ~LZ4_IS_STORED
        if head == bytes(4):
            self._next = self._checksum if self._has_checksum else self._header
            return head
        if size > LZ4_LARGEST_BLOCK:
            raise DecompressionError(f"lz4: a block of {size} bytes")
        return head + self._take(size + 4 * self._has_block_checksum)

    def _checksum(self) -> bytes:
        """What stands behind the last block of a frame: by itself, for the block may be good."""
        self._next = self._header
        return self._take(4)
