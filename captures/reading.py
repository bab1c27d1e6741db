"""Reading one capture from its first byte to its last, in bounded windows.

The only place that owns memory: it fills a window, lets the container find records and the
compiled loop read them, hands on packets, and grows what has become too small.
"""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from captures.batches import excerpts_of, packets_table
from captures.clocks import Clock
from captures.compiled import machine
from captures.containers import Container, container
from captures.decompression import DecompressionError
from captures.digests import Digests
from captures.ends import conversations_table
from captures.errors import BadRecordError, CaptureError
from captures.excerpts import Excerpts
from captures.files import CaptureFile
from captures.fragments import write_all_waiting
from captures.layout import (
    COUNT_BACKWARD,
    COUNT_CAPTURED_BYTES,
    COUNT_CONVERSATIONS,
    COUNT_EXCERPT_BYTES,
    COUNT_EXCERPTS,
    COUNT_FRAME,
    COUNT_PACKETS,
    COUNT_SNAPPED,
    COUNT_WIRE_BYTES,
    INTERFACE_LINK_TYPE,
    PACKET_TIME,
    RECORD_CAPTURED,
    RECORD_INTERFACE,
    RECORD_WIDTH,
    Bounds,
)
from captures.limits import Limits
from captures.memory import gap_bytes, new_memory, new_output, roomier, roomier_output
from captures.names import NameReader
from captures.owners import OwnerReader
from captures.packets import read_packets
from captures.pipeline import ahead
from captures.strange import Strange
from captures.sums import Sums
from captures.tables import Captures, Conversations, Oddities, Owners, Packets, Sightings

WINDOW_BYTES = 1 << 20
RECORDS = 32_768
PACKETS = 131_072
PACKETS_ADDED = 4_096  # few enough to be still in the cache when they are added up
BATCHES_AHEAD = 3
INTERPRETED_PACKETS = 10_000
INTERPRETED_RECORDS = 200
INTERPRETED_SECONDS = 4.0

Batch = dy.DataFrame[Packets] | Excerpts


class Reading:
    """One capture, read once, in order.

    Iterate over `packets()` to the end, or over `added_to(sums)`; then ask for the other tables.

    Raises:
        CaptureError: the file cannot be opened, or is no capture.
    """

    def __init__(
        self, path: Path, limits: Limits | None = None, digests: Digests | None = None
    ) -> None:
        machine.load()
        self._started = time.monotonic()
        self._limits = limits or Limits()
        self._file = CaptureFile(path, self._limits, digests)
        self.name = self._file.name
        self._buffer = np.empty(WINDOW_BYTES, dtype=np.uint8)
        self._filled = 0
        self._offset = 0
        self._is_end = False
        self._damage: str | None = None
        self._strange = Strange(self._limits.oddities)
        try:
            self._fill()
            self._container = self._begin(path)
        except BaseException:
            self._file.close()
            raise
        self._records = np.empty((RECORDS, RECORD_WIDTH), dtype=np.int64)
        self._memory = new_memory(self._limits.open_gaps)
        self._names = NameReader(self._limits)
        self._owners = OwnerReader()
        self._sums: Sums | None = None
        self._bounds = Bounds(
            self._limits.conversations,
            self._limits.open_gaps,
            self._limits.stream_bytes,
            self._limits.oddities,
            np.uint64(int.from_bytes(os.urandom(8))),
        )
        self._link_types: set[int] = set()
        self._clock = Clock()
        self._unread = 0

    def _begin(self, path: Path) -> Container:
        """The container whose header stands in the first window."""
        if self._damage and not self._filled:
            raise CaptureError(f"{path}: {self._damage}")
        first = self._buffer[: min(self._filled, 64)].tobytes()
        return container(first, str(path), self._limits)

    @property
    def done_bytes(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._file.taken

    @property
    def size(self) -> int:
        """Bytes of the file on disk."""
        return self._file.size

    def packets(self) -> Iterator[dy.DataFrame[Packets]]:
        """All packets, in batches, in file order (later fragments: when their first one came).

        Raises:
            CaptureError: a compressed file unfolds beyond the limits.
        """
        self._output = new_output(PACKETS)
        for batch in self._named():
            if batch is not None:
                yield batch

    def added_to(self, sums: Sums) -> Iterator[None]:
        """Add all packets up instead, and come back now and then.

        Raises:
            CaptureError: as `packets`.
        """
        self._output = new_output(PACKETS_ADDED)
        self._sums = sums
        for _ in self._named():
            yield None

    def _named(self) -> Iterator[dy.DataFrame[Packets] | None]:
        """Batches of packets; excerpts are read on the way, and stand as None."""
        for batch in ahead(self._batches(), BATCHES_AHEAD):
            if isinstance(batch, Excerpts):
                self._names.add(batch)
                self._owners.add(batch)
                yield None
            else:
                yield batch

    def _batches(self) -> Iterator[Batch]:
        """Packets and excerpts, as they are read; lets go of the file whatever happens."""
        try:
            yield from self._windows()
        finally:
            self._file.close()

    def _windows(self) -> Iterator[Batch]:
        """Packets and excerpts of one window after the other."""
        start = self._container.header_bytes
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
        write_all_waiting(self._memory, self._output.packets)
        yield from self._flush()
        yield from self._flush_excerpts()
        if far_off := self._clock.far_off():
            self._strange.add_count("file", "time_far_off", far_off)

    def _fill(self) -> None:
        """Read on until the window is full or the file ends."""
        view = memoryview(self._buffer.data)
        while self._filled < len(self._buffer) and not self._is_end:
            try:
                count = self._file.readinto(view[self._filled :])
            except DecompressionError as error:
                self._damage = str(error)
                self._strange.add("file", "decompression", offset=self._offset + self._filled)
                count = 0
            except OSError as error:
                raise CaptureError(
                    f"{self._file.path}: byte {self._offset + self._filled}: {error.strerror}"
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
                at, count, is_more = self._container.walk(window, len(window), self._records)
            except BadRecordError as bad:
                bad.offset += self._offset + done
                raise
            if count:
                yield from self._read(window, count, self._offset + done)
            done += at
        return done

    def _read(self, window: NDArray[np.uint8], count: int, offset: int) -> Iterator[Batch]:
        """Let the compiled loop read the records that were found."""
        interfaces = self._container.interfaces
        self._note_link_types(interfaces, count)
        first = 0
        while True:
            last = count
            if not machine.is_settled:
                last = min(count, first + INTERPRETED_RECORDS)
                is_many = self._memory.counts[COUNT_FRAME] >= INTERPRETED_PACKETS
                if is_many or time.monotonic() - self._started > INTERPRETED_SECONDS:
                    machine.compile()
            done = read_packets(
                window,
                self._records,
                first,
                last,
                offset,
                interfaces,
                self._memory,
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
            self._strange.take(self._output.oddities, self._memory.counts)
            self._memory = roomier(self._memory, self._bounds)
            self._output = roomier_output(self._output, int(self._records[first, RECORD_CAPTURED]))

    def _note_link_types(self, interfaces: NDArray[np.int64], count: int) -> None:
        used = np.unique(self._records[:count, RECORD_INTERFACE]) if len(interfaces) > 1 else [0]
        self._link_types.update(
            int(interfaces[row, INTERFACE_LINK_TYPE]) for row in used if 0 <= row < len(interfaces)
        )

    def _flush(self) -> Iterator[Batch]:
        """Hand on the packets read so far."""
        count = int(self._memory.counts[COUNT_PACKETS])
        if not count:
            return
        columns = self._output.packets[:, :count]
        self._clock.add(columns[PACKET_TIME])
        self._memory.counts[COUNT_PACKETS] = 0
        if self._sums is None:
            yield packets_table(columns)
        else:
            self._sums.add(self._output.packets, count)

    def _flush_excerpts(self) -> Iterator[Batch]:
        """Hand on the excerpts read so far."""
        counts = self._memory.counts
        rows = self._output.excerpts[: counts[COUNT_EXCERPTS]]
        if len(rows):
            yield excerpts_of(rows, self._output.excerpt_data[: counts[COUNT_EXCERPT_BYTES]])
        counts[COUNT_EXCERPTS] = 0
        counts[COUNT_EXCERPT_BYTES] = 0

    def _finish(self) -> None:
        """The file is at its end: what is left of the window is a record cut short."""
        self._unread = self._filled
        if self._unread:
            self._strange.add("file", "record_cut", offset=self._offset, got=self._unread)
            self._damage = self._damage or f"byte {self._offset}: the last record is cut short"

    def _stop(self, bad: BadRecordError) -> None:
        """Nothing behind this place can be read: count how much that is."""
        self._strange.add("file", bad.kind, offset=bad.offset, needed=bad.needed, got=bad.got)
        self._damage = (
            f"byte {bad.offset}: {bad.kind.replace('_', ' ')}: {bad.needed} bytes claimed, "
            f"{bad.got} possible"
        )
        end = self._offset + self._filled
        while not self._is_end:
            self._filled = 0
            self._fill()
            end += self._filled
        self._unread = end - bad.offset

    def _note_damaged_blocks(self) -> None:
        """Say what was passed over on the way."""
        count = self._container.damaged_blocks
        if count:
            self._strange.add_count("block", "block_damaged", count)
            self._damage = self._damage or f"{count} blocks passed over: lengths not to be believed"
        if broken := self._container.broken_options:
            self._strange.add_count("block", "block_options", broken)

    def conversations(self) -> dy.DataFrame[Conversations]:
        """All conversations, by first packet."""
        count = int(self._memory.counts[COUNT_CONVERSATIONS])
        return conversations_table(self._memory.states[:count])

    def sightings(self, conversations: dy.DataFrame[Conversations]) -> dy.DataFrame[Sightings]:
        """All name sightings."""
        return self._names.sightings(conversations)

    def owners(self) -> dy.DataFrame[Owners]:
        """All owners that the capture names."""
        return self._owners.table(self._container.packages, self._container.processes)

    def oddities(self) -> dy.DataFrame[Oddities]:
        """All that was odd, in file order."""
        self._strange.take(self._output.oddities, self._memory.counts)
        own = self._strange.table(self._memory.counts)
        return Oddities.cast(
            pl.concat([own, self._names.oddities()]).sort("frame", "offset", maintain_order=True)
        )

    def limits_hit(self) -> dict[str, int]:
        """Per limit that bit, how often."""
        return {**self._strange.limits_hit(self._memory.counts), **self._names.limits_hit}

    @property
    def packet_count(self) -> int:
        """Packets read so far."""
        return int(self._memory.counts[COUNT_FRAME])

    def span(self) -> tuple[int, int] | None:
        """First and last time, ns since 1970; None: no packet has one."""
        return self._clock.span()

    def sha256(self) -> str:
        """SHA-256 of the file, hex, as `Captures` has it; waits for it."""
        return self._file.sha256()

    def capture(self) -> dy.DataFrame[Captures]:
        """The one row that says what was read; waits for the file's hash."""
        counts, span = self._memory.counts, self.span()
        if self._file.has_changed():
            self._damage = "the file was changed while it was read"
        return Captures.cast(
            pl.DataFrame(
                {
                    "capture": [self.name],
                    "sha256": [self._file.sha256()],
                    "file_bytes": [self._file.size],
                    "format": [self._container.format],
                    "compression": [self._file.compression],
                    "link_types": [sorted(self._link_types)],
                    "packets": [int(counts[COUNT_FRAME])],
                    "first_time": [span[0] if span else None],
                    "last_time": [span[1] if span else None],
                    "wire_bytes": [int(counts[COUNT_WIRE_BYTES])],
                    "captured_bytes": [int(counts[COUNT_CAPTURED_BYTES])],
                    "snapped_packets": [int(counts[COUNT_SNAPPED])],
                    "backward_steps": [int(counts[COUNT_BACKWARD])],
                    "other_blocks": [sum(self._container.blocks.values())],
                    "secrets_blocks": [self._container.blocks["secrets"]],
                    "gap_bytes": [gap_bytes(self._memory)],
                    "dropped_packets": [self._container.dropped_packets()],
                    "unread_bytes": [self._unread],
                    "damage": [self._damage],
                },
                schema_overrides={
                    "first_time": pl.Datetime("ns", "UTC"),
                    "last_time": pl.Datetime("ns", "UTC"),
                    "compression": pl.String,
                    "damage": pl.String,
                    "dropped_packets": pl.Int64,
                    "link_types": pl.List(pl.Int64),
                },
            )
        )
