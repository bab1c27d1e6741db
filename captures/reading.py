"""Reading one capture from its first byte to its last: `read_capture` makes all its tables.

What is decoded is made ahead, in a thread of its own, while names are read out of what came.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.capture_tables import CaptureTables, PacketSums
from phonehome.captures.decoding.app_owners import OwnerReader
from phonehome.captures.decoding.conversation_table import conversations_table
from phonehome.captures.decoding.decode import Decoding
from phonehome.captures.decoding.loop_memory import gap_bytes
from phonehome.captures.decoding.packet_batches import (
    bins_table,
    contacts_table,
    others_table,
    packets_table,
    sides_table,
)
from phonehome.captures.decoding.phase_marks import Mark, MarkReader
from phonehome.captures.decoding.sums import EdgesOf, Sums
from phonehome.captures.decryption.keylogs import Keys, MmtlsKey, keys_of
from phonehome.captures.decryption.mmtls_records import RecordOpener, opened_of
from phonehome.captures.decryption.opened_traffic import opened_traffic
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.files.hashing import Digests
from phonehome.captures.files.read_ahead import ahead
from phonehome.captures.kernels.excerpts import MMTLS_BYTES, Excerpts
from phonehome.captures.kernels.layout import (
    COUNT_AGAIN,
    COUNT_AGAIN_NEW,
    COUNT_BACKWARD,
    COUNT_CAPTURED_BYTES,
    COUNT_FRAME,
    COUNT_GIANTS,
    COUNT_SNAPPED,
    COUNT_TOOL_BYTES,
    COUNT_WIRE_BYTES,
)
from phonehome.captures.limits import Limits
from phonehome.captures.names.reader import NameReader
from phonehome.captures.names.services import services
from phonehome.captures.process_memory import give_back
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.tables import (
    Captures,
    Certificates,
    Contents,
    Conversations,
    Exchanges,
    Hellos,
    Hits,
    MmtlsRecords,
    Oddities,
    Owners,
    Packets,
    RequestParts,
    Searched,
    ServerHellos,
    Sightings,
)

if TYPE_CHECKING:
    from phonehome.captures.search.layers import Looker
    from phonehome.captures.search.payload_search import Searcher

BATCHES_AHEAD = 3
_ENDS = ("conversation", "protocol", "a_address", "a_port", "b_address", "b_port")
FILE_CHANGED = "the file was changed while it was read"


class RequestReader(Protocol):
    """Looks through requests while a capture is read, and through those that keys opened.

    Attributes:
        left_out: requests, or values of them, for which there was no room.
    """

    left_out: int

    def look_into(self, requests: pl.DataFrame) -> None:
        """Look through requests in the clear, as `captures.tables.RequestParts` has them."""

    def look_into_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Look through a piece that a key has opened."""

    def table(self) -> pl.DataFrame:
        """What was found: conversation, and whatever else the reader states."""
        ...


class _NoValues:
    """Looks through no requests, because nobody asked for that."""

    left_out = 0

    def look_into(self, requests: pl.DataFrame) -> None:
        """Nothing."""

    def look_into_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Nothing."""

    def table(self) -> pl.DataFrame:
        """No row, and no column."""
        return pl.DataFrame()


def whole(_: int) -> NDArray[np.int64]:
    """The edges of no span: all of the capture is one."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a capture is read. Can be pickled, if `edges_of` and `values_of` can be.

    Attributes:
        limits: what is bounded, and how.
        keys: keys that the user gave; those inside a capture are added.
        identifiers: what is looked for in payload.
        edges_of: edges of the spans that sums are kept apart by.
        values_of: makes what looks through requests; None: nobody asked for that.
    """

    limits: Limits = field(default_factory=Limits)
    keys: Keys = field(default_factory=Keys, repr=False)
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)
    edges_of: EdgesOf = whole
    values_of: Callable[[], RequestReader] | None = None


def read_capture(
    path: Path,
    options: ReadOptions,
    *,
    digests: Digests | None = None,
    report: Callable[[int], None] | None = None,
) -> CaptureTables:
    """All tables of one capture.

    The same file and options give the same tables, in this process or another.

    Args:
        path: the capture; `-`: standard input, once.
        options: how it is read.
        digests: digests of files that may have been begun already.
        report: called now and then with the bytes read so far.

    Raises:
        CaptureError: the file cannot be opened, is no capture, or unfolds beyond the limits.
    """
    reading = Reading(path, options.limits, digests, options.keys.mmtls, _looker(options))
    sums = read_sums(reading, options.edges_of, report)
    conversations = reading.conversations()
    sightings = reading.sightings(conversations)
    reading.search_names(sightings)
    values = (options.values_of or _NoValues)()
    values.look_into(reading.request_parts())
    begins = sums.sides.group_by("conversation").agg(pl.col("first_frame").min())
    opened = opened_traffic(
        path,
        given=options.keys,
        keys=options.keys.merged(keys_of(reading.secrets(), "secrets_block")),
        records=reading.opened_records(conversations),
        conversations=conversations.join(begins, on="conversation"),
        limits=options.limits,
        take=partial(_look, reading, values),
    )
    hits = reading.hits()
    left_out = {"contacts": sums.contacts_left_out, "tokens": values.left_out}
    return CaptureTables(
        capture=reading.capture(),
        span=reading.span(),
        conversations=conversations,
        services=services(conversations),
        sums=sums,
        sightings=sightings,
        hellos=reading.hellos(),
        server_hellos=reading.server_hellos(),
        certificates=reading.certificates(),
        exchanges=reading.exchanges(),
        mmtls_records=reading.mmtls_records(),
        contents=reading.contents(),
        owners=reading.owners(),
        marks=tuple(reading.marks()),
        hiding_names=frozenset(reading.hiding_names()),
        values=values.table(),
        opened=opened,
        hits=hits,
        searched=reading.searched(),
        oddities=reading.oddities(),
        limits_hit=reading.limits_hit()
        | {name: count for name, count in left_out.items() if count},
    )


def _look(
    reading: "Reading", values: RequestReader, piece: Opened, conversation: int | None
) -> None:
    """Look through a piece that a key has opened, if it is of a conversation."""
    if conversation is None:
        return
    is_from_b = reading.is_from_b(piece, conversation)
    reading.search_opened(piece, conversation, is_from_b=is_from_b)
    values.look_into_opened(piece, conversation, is_from_b=is_from_b)


def read_sums(
    reading: "Reading", edges_of: EdgesOf, report: Callable[[int], None] | None
) -> PacketSums:
    """Read a capture to its end, and add its packets up.

    Args:
        reading: a capture of which nothing was read.
        edges_of: edges of the spans that sums are kept apart by.
        report: called now and then with the bytes read so far.
    """
    begin: int | None = None

    def edges(first_time: int) -> NDArray[np.int64]:
        nonlocal begin
        begin = first_time
        return edges_of(first_time)

    sums = Sums(edges, reading.limits)
    for _ in reading.added_to(sums):
        if report:
            report(reading.done_bytes)
    give_back()
    bins = bins_table(sums.bins())
    contacts = contacts_table(sums.contact_rows())
    return PacketSums(
        begin=begin,
        sides=sides_table(sums.sides()),
        bins=bins,
        bin_seconds=sums.width,
        outcomes=others_table(sums.others()),
        contacts=contacts,
        pause=sums.contacts.pause,
        contacts_left_out=sums.contacts.left_out,
    )


def _looker(options: ReadOptions) -> "Looker | None":
    """What looks for identifiers; what is slow to import is imported where somebody asked."""
    if not options.identifiers:
        return None
    from phonehome.captures.search.layers import looker_of  # noqa: PLC0415 - slow to import

    return looker_of(options.identifiers)


class Reading:
    """One capture, read once, in order.

    Iterate over `packets()` to the end, or over `added_to(sums)`; then ask for the other tables.

    Args:
        path: the capture.
        limits: what is bounded, and how.
        digests: digests of files that may have been begun already.
        mmtls_keys: keys of records of MMTLS.
        looker: looks for identifiers in payload; None: nobody asked for that.

    Attributes:
        limits: bounds on what it may cost, as they were given.

    Raises:
        CaptureError: the file cannot be opened, or is no capture.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits | None = None,
        digests: Digests | None = None,
        mmtls_keys: Sequence[MmtlsKey] = (),
        looker: "Looker | None" = None,
    ) -> None:
        self.limits = limits = limits or Limits()
        self._opener = RecordOpener(mmtls_keys, limits) if mmtls_keys else None
        if mmtls_keys:  # of what they open, all is wanted
            limits = replace(limits, stream_bytes=MMTLS_BYTES, body_bytes=MMTLS_BYTES)
        self._decoding = Decoding(path, limits, digests, is_searched=looker is not None)
        self._searcher = _searcher(looker)
        self._begun: dict[int, tuple[str, int]] | None = None
        self.name = self._decoding.file.name
        self._names = NameReader(limits, opener=self._opener)
        self._owners = OwnerReader()
        self._marks = MarkReader(limits.marks)

    @property
    def done_bytes(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._decoding.file.taken

    @property
    def size(self) -> int:
        """Bytes of the file on disk."""
        return self._decoding.file.size

    def packets(self) -> Iterator[dy.DataFrame[Packets]]:
        """All packets, in batches, in file order (later fragments: when their first one came).

        Raises:
            CaptureError: a compressed file unfolds beyond the limits.
        """
        for batch in self._named(None):
            if batch is not None:
                yield batch

    def added_to(self, sums: Sums) -> Iterator[None]:
        """Add all packets up instead, and come back now and then.

        Raises:
            CaptureError: as `packets`.
        """
        for _ in self._named(sums):
            yield None

    def _named(self, sums: Sums | None) -> Iterator[dy.DataFrame[Packets] | None]:
        """Batches of packets; excerpts are read on the way, and stand as None."""
        for batch in ahead(self._decoding.batches(sums), BATCHES_AHEAD):
            if isinstance(batch, Excerpts):
                self._names.add(batch)
                self._owners.add(batch)
                self._marks.add(batch)
                if self._searcher is not None:
                    self._searcher.add(batch)
                yield None
            else:
                yield packets_table(batch)

    def conversations(self) -> dy.DataFrame[Conversations]:
        """All conversations, by first packet."""
        return conversations_table(self._decoding.states())

    def sightings(self, conversations: dy.DataFrame[Conversations]) -> dy.DataFrame[Sightings]:
        """All name sightings."""
        return self._names.sightings(conversations)

    def hellos(self) -> dy.DataFrame[Hellos]:
        """All ClientHellos; to be asked for after `sightings`."""
        return self._names.hellos()

    def hiding_names(self) -> set[str]:
        """Names whose servers take Encrypted Client Hello, as answers of DNS say."""
        return self._names.hiding_names

    def server_hellos(self) -> dy.DataFrame[ServerHellos]:
        """All ServerHellos; to be asked for after `sightings`."""
        return self._names.server_hellos()

    def certificates(self) -> dy.DataFrame[Certificates]:
        """All certificates that were sent in the clear; to be asked for after `sightings`."""
        return self._names.certificates()

    def exchanges(self) -> dy.DataFrame[Exchanges]:
        """All requests of HTTP/1 with their responses; to be asked for after `sightings`."""
        return self._names.exchanges()

    def request_parts(self) -> dy.DataFrame[RequestParts]:
        """All that requests of HTTP/1 carry, secrets too; to be asked for after `sightings`."""
        return self._names.request_parts()

    def mmtls_records(self) -> dy.DataFrame[MmtlsRecords]:
        """All records of MMTLS, added up; to be asked for after `sightings`."""
        return self._names.mmtls_records()

    def contents(self) -> dy.DataFrame[Contents]:
        """What conversations look like that begin like nothing known."""
        return self._names.contents()

    def opened_records(
        self, conversations: dy.DataFrame[Conversations]
    ) -> tuple[list[Opened], list[Attempt], dict[str, int]]:
        """What keys opened of MMTLS, per conversation what became of it, and limits that bit.

        To be asked for after `sightings`.
        """
        if self._opener is None:
            return [], [], {}
        ends = {row[0]: row[1:] for row in conversations.select(*_ENDS).iter_rows()}
        left_out = self._opener.left_out
        return (*opened_of(self._opener, ends), {"opened_bytes": left_out} if left_out else {})

    def secrets(self) -> bytes:
        """Lines of TLS key logs that the capture holds in blocks of its own."""
        return bytes(self._decoding.container.secrets)

    def owners(self) -> dy.DataFrame[Owners]:
        """All owners that the capture names."""
        container = self._decoding.container
        return self._owners.table(container.packages, container.processes)

    def marks(self) -> list[Mark]:
        """Comments of packets that mark the begin of a phase, in file order."""
        return self._marks.marks

    def search_names(self, sightings: pl.DataFrame) -> None:
        """Search the names that TLS and QUIC carry for identifiers, if any were given."""
        if self._searcher is not None:
            self._searcher.look_into_names(sightings)

    def search_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Search a piece that a key has opened for identifiers, if any were given."""
        if self._searcher is not None:
            self._searcher.look_into_opened(piece, conversation, is_from_b=is_from_b)

    def is_from_b(self, piece: Opened, conversation: int) -> bool:
        """Whether end b of its conversation sent a piece that a key has opened."""
        if self._begun is None:
            columns = ("conversation", "a_address", "a_port")
            rows = self.conversations().select(columns).iter_rows()
            self._begun = {number: (address, port) for number, address, port in rows}
        return self._begun[conversation] != (piece.source, piece.source_port)

    def hits(self) -> dy.DataFrame[Hits]:
        """All identifiers that were found; to be asked for once, at the end."""
        if self._searcher is None:
            return Hits.create_empty()
        self._searcher.finish()
        return self._searcher.hits.table()

    def searched(self) -> dy.DataFrame[Searched]:
        """Octets that were searched; to be asked for after `hits`."""
        return Searched.create_empty() if self._searcher is None else self._searcher.searched()

    def oddities(self) -> dy.DataFrame[Oddities]:
        """All that was odd, in file order."""
        rows = self._decoding.oddities()
        own = pl.DataFrame(rows, schema=Oddities.create_empty().schema, orient="row")
        return Oddities.validate(
            pl.concat([own, self._names.oddities()]).sort("frame", "offset", maintain_order=True)
        )

    def limits_hit(self) -> dict[str, int]:
        """Per limit that bit, how often."""
        return {
            **self._decoding.limits_hit(),
            **self._names.limits_hit,
            **({"marks": self._marks.left_out} if self._marks.left_out else {}),
            **self._hits_left_out(),
        }

    def _hits_left_out(self) -> dict[str, int]:
        left_out = self._searcher.hits.left_out if self._searcher else 0
        return {"identifier_hits": left_out} if left_out else {}

    @property
    def packet_count(self) -> int:
        """Packets read so far."""
        return int(self._decoding.memory.counts[COUNT_FRAME])

    def span(self) -> tuple[int, int] | None:
        """First and last time, ns since 1970; None: no packet has one."""
        return self._decoding.clock.span()

    def sha256(self) -> str:
        """SHA-256 of the file, hex, as `Captures` has it; waits for it."""
        return self._decoding.file.sha256()

    def capture(self) -> dy.DataFrame[Captures]:
        """The one row that says what was read; waits for the file's hash."""
        decoding, span = self._decoding, self.span()
        file, container, counts = decoding.file, decoding.container, decoding.memory.counts
        has_changed = file.has_changed()
        return Captures.cast(
            pl.DataFrame(
                {
                    "capture": [self.name],
                    "sha256": [file.sha256()],
                    "file_bytes": [file.size],
                    "format": [container.format],
                    "compression": [file.compression],
                    "link_types": [sorted(decoding.link_types)],
                    "packets": [int(counts[COUNT_FRAME])],
                    "first_time": [span[0] if span else None],
                    "last_time": [span[1] if span else None],
                    "wire_bytes": [int(counts[COUNT_WIRE_BYTES])],
                    "captured_bytes": [int(counts[COUNT_CAPTURED_BYTES])],
                    "snapped_packets": [int(counts[COUNT_SNAPPED])],
                    "backward_steps": [int(counts[COUNT_BACKWARD])],
                    "other_blocks": [sum(container.blocks.values())],
                    "secrets_blocks": [container.blocks["secrets"]],
                    "gap_bytes": [gap_bytes(decoding.memory)],
                    "dropped_packets": [container.dropped_packets()],
                    "tool_bytes": [int(counts[COUNT_TOOL_BYTES])],
                    "giant_packets": [int(counts[COUNT_GIANTS])],
                    "marked_again_packets": [int(counts[COUNT_AGAIN])],
                    "marked_again_new_packets": [int(counts[COUNT_AGAIN_NEW])],
                    "unread_bytes": [decoding.unread],
                    "damage": [FILE_CHANGED if has_changed else decoding.damage],
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


def _searcher(looker: "Looker | None") -> "Searcher | None":
    """Who searches the payload; what is slow to import is imported where somebody asked for it."""
    if looker is None:
        return None
    from phonehome.captures.search.payload_search import Searcher  # noqa: PLC0415 - slow to import

    return Searcher(looker)
