# Held by tests/test_bad_input.py: cut at every byte; windows in test_analysis.
"""Decoding one capture from its first byte to its last, in bounded windows.

The only place that owns memory: it fills a window, lets the container find records and the
compiled loop read them, hands on packets, and grows what has become too small. It makes no
tables: what makes them is slow to import, and decoding shall not wait for it.
"""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.decoding.capture_clock import Clock
from phonehome.captures.decoding.loop_memory import new_memory, new_output, roomier, roomier_output
from phonehome.captures.decoding.oddities import Oddity, Strange
from phonehome.captures.decoding.scapy_door import Dissection
from phonehome.captures.decoding.sums import Sums
from phonehome.captures.errors import BadRecordError, CaptureError
from phonehome.captures.files.containers import Container, container
from phonehome.captures.files.decompression import DecompressionError
from phonehome.captures.files.hashing import Digests
from phonehome.captures.files.open_capture import CaptureFile
from phonehome.captures.kernels.excerpts import Excerpts, excerpts_of
from phonehome.captures.kernels.fragments import write_all_waiting
from phonehome.captures.kernels.layout import (
    COUNT_CONVERSATIONS,
    COUNT_EXCERPT_BYTES,
    COUNT_EXCERPTS,
    COUNT_FRAME,
    COUNT_PACKETS,
    INTERFACE_LINK_TYPE,
    PACKET_TIME,
    RECORD_CAPTURED,
    RECORD_INTERFACE,
    RECORD_WIDTH,
    Bounds,
)
from phonehome.captures.kernels.machine_code import machine
from phonehome.captures.kernels.packet_loop import read_packets
from phonehome.captures.limits import Limits

WINDOW_BYTES = 8 << 20
RECORDS = 32_768
PACKETS = 131_072
PACKETS_ADDED = 16_384  # few enough to be still in the cache when they are added up
INTERPRETED_PACKETS = 10_000
INTERPRETED_RECORDS = 200
INTERPRETED_SECONDS = 4.0

Batch = NDArray[np.int64] | Excerpts
"""Packets, a row per column (`layout.PACKET_*`), or excerpts; whoever gets it may keep it."""


class Decoding:
    """One capture, decoded once, in order.

    Args:
        path: the capture.
        limits: what is bounded, and how.
        digests: digests of files that may have been begun already.
        is_searched: cut out payload too, to be searched.

    Attributes:
        file: the file, whose hash may still be computed.
        container: the format of the file, and what it says beside packets.
        memory: what the loop knows of the capture.
        strange: what was odd.
        clock: when its packets came.
        link_types: numbers of the link types that its packets have.
        unread: bytes at the end that could not be read.
        damage: what is broken, in a line; None: nothing.

    Raises:
        CaptureError: the file cannot be opened, or is no capture.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        digests: Digests | None = None,
        *,
        is_searched: bool = False,
    ) -> None:
        machine.load()
        self._started = time.monotonic()
        self._limits = limits
        self.file = CaptureFile(path, limits, digests)
        self._buffer = np.empty(WINDOW_BYTES, dtype=np.uint8)
        self._filled = 0
        self._offset = 0
        self._is_end = False
        self.damage: str | None = None
        self.strange = Strange(limits.oddities)
        try:
            self._fill()
            self.container = self._begin(path)
        except BaseException:
            self.file.close()
            raise
        self._records = np.zeros((RECORDS, RECORD_WIDTH), dtype=np.int64)
        self._dissection = Dissection(limits.dissected_packets)
        self.memory = new_memory(limits.open_gaps)
        self._sums: Sums | None = None
        self._bounds = Bounds(
            limits.conversations,
            limits.open_gaps,
            limits.stream_bytes,
            limits.oddities,
            limits.body_bytes,
            np.uint64(int.from_bytes(os.urandom(8))),
            int(is_searched),
        )
        self.link_types: set[int] = set()
        self.clock = Clock()
        self.unread = 0

    def _begin(self, path: Path) -> Container:
        """The container whose header stands in the first window."""
        if self.damage and not self._filled:
            raise CaptureError(f"{path}: {self.damage}")
        first = self._buffer[: min(self._filled, 64)].tobytes()
        return container(first, str(path), self._limits)

    def states(self) -> NDArray[np.int64]:
        """A row per conversation (`layout.CONVERSATION_*`)."""
        return self.memory.states[: self.memory.counts[COUNT_CONVERSATIONS]]

    def batches(self, sums: Sums | None = None) -> Iterator[Batch]:
        """Packets and excerpts, as they are read; lets go of the file whatever happens.

        Args:
            sums: add packets up in it instead of handing them on.

        Raises:
            CaptureError: a compressed file unfolds beyond the limits.
        """
        self._sums = sums
        self._output = new_output(PACKETS if sums is None else PACKETS_ADDED)
        try:
            yield from self._windows()
        finally:
            self.file.close()
            self._let_go()

    def _let_go(self) -> None:
        """Keep what reading took no longer than that."""
        self._sums = None
        self._buffer, self._records = self._buffer[:0].copy(), self._records[:0].copy()

    def _windows(self) -> Iterator[Batch]:
        """Packets and excerpts of one window after the other."""
        start = self.container.header_bytes
        try:
            while True:
                done = yield from self._walk(start)
                start = 0
                self._move(done)
                if self._is_end:
                    break
                self._fill()
        except BadRecordError as bad:
            self._stop(bad)
        else:
            self._finish()
        self._note_damaged_blocks()
        write_all_waiting(self.memory, self._output.packets)
        yield from self._flush()
        yield from self._flush_excerpts()
        if far_off := self.clock.far_off():
            self.strange.add_count("file", "time_far_off", far_off)

    def _fill(self) -> None:
        """Read on until the window is full or the file ends."""
        view = memoryview(self._buffer.data)
        while self._filled < len(self._buffer) and not self._is_end:
            try:
                count = self.file.readinto(view[self._filled :])
            except DecompressionError as error:
                self.damage = str(error)
                self.strange.add("file", "decompression", offset=self._offset + self._filled)
                count = 0
            except OSError as error:
                raise CaptureError(
                    f"{self.file.path}: byte {self._offset + self._filled}: {error.strerror}"
                ) from error
            self._filled += count
            self._is_end = count == 0

    def _move(self, done: int) -> None:
        """Bring what is left of the window to its begin, and make room behind it."""
        left = self._filled - done
        if done == 0 and left == len(self._buffer):
            larger = np.empty(2 * len(self._buffer), dtype=np.uint8)
            larger[:left] = self._buffer
            self._buffer = larger
        else:
            self._buffer[:left] = self._buffer[done : self._filled].copy()
        self._filled = left
        self._offset += done

    def _walk(self, done: int) -> Generator[Batch, None, int]:
        """Read all whole records of the window: (as the generator's value) bytes done."""
        is_more = True
        while is_more:
            window = self._buffer[done : self._filled]
            try:
                at, count, is_more = self.container.walk(window, len(window), self._records)
            except BadRecordError as bad:
                bad.offset += self._offset + done
                raise
            if count:
                yield from self._read(window, count, self._offset + done)
            done += at
        return done

    def _read(self, window: NDArray[np.uint8], count: int, offset: int) -> Iterator[Batch]:
        """Let the compiled loop read the records that were found."""
        interfaces = self.container.interfaces
        self._note_link_types(interfaces, count)
        self._dissection.note(window, self._records[:count], interfaces)
        first = 0
        while True:
            last = count
            if not machine.is_settled:
                last = min(count, first + INTERPRETED_RECORDS)
                is_many = self.memory.counts[COUNT_FRAME] >= INTERPRETED_PACKETS
                if is_many or time.monotonic() - self._started > INTERPRETED_SECONDS:
                    machine.compile_beside()
            done = read_packets(
                window,
                self._records,
                first,
                last,
                offset,
                interfaces,
                self.memory,
                self._output,
                self._bounds,
            )
            first = done
            if first == count:
                if self._sums is not None:
                    yield from self._flush()
                return
            if first == last:
                continue
            yield from self._flush()
            yield from self._flush_excerpts()
            self.strange.take(self._output.oddities, self.memory.counts)
            self.memory = roomier(self.memory, self._bounds)
            self._output = roomier_output(self._output, int(self._records[first, RECORD_CAPTURED]))

    def _note_link_types(self, interfaces: NDArray[np.int64], count: int) -> None:
        used = np.unique(self._records[:count, RECORD_INTERFACE]) if len(interfaces) > 1 else [0]
        self.link_types.update(
            int(interfaces[row, INTERFACE_LINK_TYPE]) for row in used if 0 <= row < len(interfaces)
        )

    def _flush(self) -> Iterator[Batch]:
        """Hand on the packets read so far."""
        count = int(self.memory.counts[COUNT_PACKETS])
        if not count:
            return
        columns = self._output.packets[:, :count]
        self.clock.add(columns[PACKET_TIME])
        self.memory.counts[COUNT_PACKETS] = 0
        if self._sums is None:
            yield columns.copy()
        else:
            self._sums.add(self._output.packets, count)

    def _flush_excerpts(self) -> Iterator[Batch]:
        """Hand on the excerpts read so far."""
        counts = self.memory.counts
        rows = self._output.excerpts[: counts[COUNT_EXCERPTS]]
        if len(rows):
            yield excerpts_of(rows, self._output.excerpt_data[: counts[COUNT_EXCERPT_BYTES]])
        counts[COUNT_EXCERPTS] = 0
        counts[COUNT_EXCERPT_BYTES] = 0

    def _finish(self) -> None:
        """The file is at its end: what is left of the window is a record cut short."""
        self.unread = self._filled
        if self.unread:
            self.strange.add("file", "record_cut", offset=self._offset, got=self.unread)
            self.damage = self.damage or f"byte {self._offset}: the last record is cut short"

    def _stop(self, bad: BadRecordError) -> None:
        """Nothing behind this place can be read: count how much that is."""
        self.strange.add("file", bad.kind, offset=bad.offset, needed=bad.needed, got=bad.got)
        self.damage = (
            f"byte {bad.offset}: {bad.kind.replace('_', ' ')}: {bad.needed} bytes claimed, "
            f"{bad.got} possible"
        )
        end = self._offset + self._filled
        while not self._is_end:
            self._filled = 0
            self._fill()
            end += self._filled
        self.unread = end - bad.offset

    def _note_damaged_blocks(self) -> None:
        """Say what was passed over on the way."""
        count = self.container.damaged_blocks
        if count:
            self.strange.add_count("block", "block_damaged", count)
            self.damage = self.damage or f"{count} blocks passed over: lengths not to be believed"
        if broken := self.container.broken_options:
            self.strange.add_count("block", "block_options", broken)

    def oddities(self) -> list[Oddity]:
        """All that was odd; of each kind one row more that counts those without their own."""
        self.strange.take(self._output.oddities, self.memory.counts)
        return self.strange.rows(self.memory.counts)

    def limits_hit(self) -> dict[str, int]:
        """Per limit that bit, how often."""
        hit = self.strange.limits_hit(self.memory.counts)
        if left_out := self._dissection.left_out:
            hit["dissected_packets"] = left_out
        return hit
