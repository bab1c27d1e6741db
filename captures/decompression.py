"""Decoders of gzip and zstd that give all that came before a break, and say that there is one.

Libraries drop what they decoded in the call that fails, and take a zstd frame that ends early
for a whole one. Both would be silent losses, so that frames are walked here (RFC 8878).
"""

import zlib
from typing import Protocol

import zstandard

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_WINDOW = 1 << 27
SKIPPABLE = bytes.fromhex("2a4d18")  # behind an octet from 0x50 to 0x5f
ONE_OCTET_BLOCK = 1


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
        self._decoder = zlib.decompressobj(wbits=31)
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
                self._decoder = zlib.decompressobj(wbits=31)
            if data := self._step(size):
                return data
        raise DecompressionError(f"gzip: {self._failure}")

    def _step(self, size: int) -> bytes:
        """Decode what is pending; if it breaks, all that stands before the break."""
        before = self._decoder.copy()
        try:
            data = self._decoder.decompress(self._pending, size)
        except zlib.error as error:
            self._failure = str(error)
            return _before_break(before, self._pending, size)
        self._pending = self._decoder.unconsumed_tail or self._decoder.unused_data
        return data


def _before_break(decoder: "zlib._Decompress", pending: bytes, size: int) -> bytes:
    """What a decoder makes of bytes, one by one, until it fails."""
    found = bytearray()
    try:
        for octet in pending:
            found += decoder.decompress(bytes([octet]), max(size - len(found), 1))
    except zlib.error:
        pass
    return bytes(found[:size])


class Zstd:
    """zstd frames, one after the other, decoded block by block: 128 KiB at most.

    Attributes:
        taken: compressed bytes read so far.
    """

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._input = b""
        self._at = 0
        self._decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        self._next = self._header
        self._has_checksum = False
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
            try:
                self._decoded = self._decoder.decompress(piece)
            except zstandard.ZstdError as error:
                raise DecompressionError(f"zstd: {error}") from error
        data, self._decoded = self._decoded[:size], self._decoded[size:]
        return data

    def _take(self, count: int) -> bytes:
        """The next bytes of the file, exactly as many."""
        data = self._take_up_to(count)
        if len(data) < count:
            raise DecompressionError("zstd: the file ends inside a frame")
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

    def _header(self) -> bytes:
        """Header of the next frame, skippable ones passed over; nothing at the end."""
        while True:
            magic = self._take_up_to(4)
            if not magic:
                return b""
            if magic[1:] != SKIPPABLE or not 0x50 <= magic[0] <= 0x5F:  # noqa: PLR2004 - RFC 8878
                break
            left = int.from_bytes(self._take(4), "little")
            while left:
                left -= len(self._take(min(left, CHUNK)))
        if magic != ZSTD_MAGIC:
            raise DecompressionError("zstd: bytes behind the last frame")
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
