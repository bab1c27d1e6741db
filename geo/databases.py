"""Databases of the MMDB form: opened, recognised by what they hold, and asked for addresses.

A database that a user names comes from a stranger, so it is read by maxminddb's reader in pure
Python: its compiled reader (3.2.0) ends the whole process with a segmentation fault when a map's
key in a record is no text. The compiled one is five to ten times as fast, and reads the embedded
databases, once their hash is the recorded one. A database's kind is found by a bounded walk over
its first records; whatever fails is a `DatabaseError` of one line.
"""

import marshal
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import file_digest
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import maxminddb
from maxminddb import MODE_AUTO, MODE_MMAP
from maxminddb.types import Record

from phonehome.geo.errors import DatabaseError, excerpt, one_line
from phonehome.geo.record_fields import NO_ANSWER, Answer, answer
from phonehome.geo.scopes import V4_BYTES, short_text

V4, V6 = 4, 6
METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
METADATA_ROOM = 128 * 1024  # the most that metadata may take, MaxMind DB File Format 2.0
KINDS = ("country", "asn", "anycast")
PROBED_RECORDS = 64
MOST_PROBES = 20_000
_BROKEN = (
    maxminddb.InvalidDatabaseError,  # what the reader itself finds
    ValueError,  # text that is no UTF-8; an infinite float; a depth that marshal refuses
    TypeError,  # metadata of other names or types; a map's key that is a list
    LookupError,  # a record that begins or ends beyond the file
    ArithmeticError,  # a size or a time beyond any machine's
    AttributeError,  # a map where the reader takes a number
    struct.error,  # a number cut by the end of the file
    RecursionError,
    MemoryError,
)
"""What the reader raises on crafted or cut files. Only the reader runs where these are caught."""


class Hit(NamedTuple):
    """What a database says of the network of an address; prefix None: it says nothing."""

    answer: Answer
    address: bytes
    prefix: int | None

    @property
    def network(self) -> str | None:
        """The network as text; None where nothing is said."""
        if self.prefix is None:
            return None
        spare = 8 * len(self.address) - self.prefix
        first = int.from_bytes(self.address) >> spare << spare
        return f"{short_text(first.to_bytes(len(self.address)))}/{self.prefix}"


class Found(NamedTuple):
    """The outcome of a run of look-ups: for each address the index of its hit.

    The first hit says nothing; it stands for addresses without a record, and for None.
    """

    hits: list[Hit]
    indexes: list[int]


@dataclass(frozen=True)
class Database:
    """One open database.

    Attributes:
        name: Short name, used in opinions; distinct among the databases of a run.
        path: Where the file lies, as it was given.
        kinds: What its records say, some of `KINDS`, in that order; never empty.
        database_type: The type that the file's metadata states; may be empty.
        data_date: Day of the data, UTC; None when the metadata hold no date.
        ip_version: 6 when it knows IPv6 and IPv4, 4 when it knows only IPv4.
        nodes: Nodes of its search tree.
        sha256: The SHA-256 of the whole file, in hexadecimal.
        is_embedded: Whether it was shipped with phonehome.
        reader: The open file.
    """

    name: str
    path: Path
    kinds: tuple[str, ...]
    database_type: str
    data_date: date | None
    ip_version: int
    nodes: int
    sha256: str
    is_embedded: bool
    reader: maxminddb.Reader = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """What its records say, joined by +."""
        return "+".join(self.kinds)

    def find(self, addresses: Iterable[bytes | None]) -> Found:
        """What the database says of each packed address; nothing of None.

        A network is looked up once for all addresses in it that follow each other, so sorted
        addresses are found quickest. A database of IPv4 alone says nothing of IPv6.

        Raises:
            DatabaseError: The tree or a record is damaged; the message names the address.
        """
        found = Found([Hit(NO_ANSWER, b"", None)], [])
        known: dict[bytes, Answer] = {}
        width = first = last = index = 0
        for address in addresses:
            if address is None:
                found.indexes.append(0)
                continue
            number = int.from_bytes(address)
            if len(address) != width or not first <= number <= last:
                record, prefix = self._record(address)
                width = len(address)
                spare = 8 * width - prefix
                first = number >> spare << spare
                last = first + (1 << spare) - 1
                index = 0 if record is None else len(found.hits)
                if index:
                    content = marshal.dumps(record)  # many networks share one record
                    said = known.get(content) or known.setdefault(content, answer(record))
                    found.hits.append(Hit(said, address, prefix))
            found.indexes.append(index)
        return found

    def _record(self, address: bytes) -> tuple[Record | None, int]:
        """The record of an address, and the length of the prefix that it holds for.

        Raises:
            DatabaseError: The tree or the record is damaged.
        """
        if self.ip_version == V4 and len(address) != V4_BYTES:
            return None, 0
        text = short_text(address)
        try:
            record, prefix = self.reader.get_with_prefix_len(text)
        except _BROKEN as error:
            raise _refused(self.path, f"a whole record for {text}", excerpt(error)) from error
        return record, max(prefix, 0)


def open_databases(paths: Sequence[Path]) -> list[Database]:
    """The databases of a user, in the order given; they stand in place of the embedded ones.

    Each is named after its file; where two files share a name, each is named by its whole path.

    Raises:
        DatabaseError: A file is missing, damaged, of the wrong kind, or given twice.
    """
    stems = [path.stem for path in paths]
    names = [path.stem if stems.count(path.stem) == 1 else str(path) for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise _refused(Path(name), "each file once", "it twice")
    return [open_database(path, name=name) for path, name in zip(paths, names, strict=True)]


def open_database(
    path: Path, *, name: str, data_date: date | None = None, known_sha256: str | None = None
) -> Database:
    """One database, open and recognised.

    Args:
        path: An MMDB file of any maker that `geo.record_fields` knows.
        name: Its name in opinions.
        data_date: Day of the data where it is better known than from the metadata.
        known_sha256: For an embedded database the hash that it was shipped with.

    Raises:
        DatabaseError: The file is missing, damaged, not the one that was shipped, or holds
            neither countries, nor autonomous systems, nor anycast flags. The message names it and
            what was found.
    """
    sha256 = _sha256(path)
    if METADATA_MARKER not in _end(path):
        raise _refused(path, "an MMDB file", "one without the metadata that end it")
    if known_sha256 not in (None, sha256):
        raise _refused(path, f"the file shipped, SHA-256 {known_sha256}", f"SHA-256 {sha256}")
    is_embedded = known_sha256 is not None
    reader, metadata = _opened(path, MODE_AUTO if is_embedded else MODE_MMAP)
    records = _probed(path, reader, metadata.ip_version)
    kinds = _kinds([answer(record) for record in records])
    if not kinds:
        found = f"{_found(records)} in type '{excerpt(metadata.database_type)}'"
        raise _refused(path, "records with a country, an autonomous system or anycast", found)
    return Database(
        name=name,
        path=path,
        kinds=kinds,
        database_type=str(metadata.database_type),
        data_date=data_date or _day(metadata.build_epoch),
        ip_version=metadata.ip_version,
        nodes=metadata.node_count,
        sha256=sha256,
        is_embedded=is_embedded,
        reader=reader,
    )


def _opened(path: Path, mode: int) -> tuple[maxminddb.Reader, maxminddb.reader.Metadata]:
    """The open file and its metadata, once the numbers that are used later are numbers.

    Raises:
        DatabaseError: The file is damaged, or its IP version or number of nodes is none.
    """
    try:
        reader = maxminddb.open_database(path, mode)
        metadata = reader.metadata()
    except _BROKEN as error:
        raise _refused(path, "a whole MMDB file", excerpt(error)) from error
    if metadata.ip_version not in (V4, V6):
        raise _refused(path, "IP version 4 or 6", excerpt(metadata.ip_version))
    if not isinstance(metadata.node_count, int):
        raise _refused(path, "a number of nodes", excerpt(metadata.node_count))
    return reader, metadata


def _probed(path: Path, reader: maxminddb.Reader, ip_version: int) -> list[object]:
    """The first records of the file.

    Raises:
        DatabaseError: The tree or a record is damaged.
    """
    try:
        return list(islice(_first_records(reader, ip_version), PROBED_RECORDS))
    except _BROKEN as error:
        raise _refused(path, "a whole MMDB file", excerpt(error)) from error


def _end(path: Path) -> bytes:
    """The bytes at the end of a file, where an MMDB keeps its metadata."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - METADATA_ROOM))
        return file.read(METADATA_ROOM)


def _sha256(path: Path) -> str:
    """The SHA-256 of a whole file.

    Raises:
        DatabaseError: It is missing or unreadable.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _refused(path, "a readable MMDB file", error.strerror or str(error)) from error


def _refused(path: Path, expected: str, got: str) -> DatabaseError:
    """The error for a file that cannot be used."""
    return DatabaseError(f"geo database: {one_line(path)}: expected {expected}, got {got}")


def _first_records(reader: maxminddb.Reader, ip_version: int) -> Iterator[object]:
    """Records in the order of their networks, found by at most `MOST_PROBES` look-ups.

    The reader's own iteration has no bound: a crafted tree of shared empty branches would keep
    it busy for ever.
    """
    width, kind = (128, IPv6Address) if ip_version == V6 else (32, IPv4Address)
    position = 0
    for _ in range(MOST_PROBES):
        if position >= 2**width:
            return
        record, length = reader.get_with_prefix_len(kind(position))
        if record is not None:
            yield record
        step = 2 ** (width - min(max(length, 0), width))
        position = (position // step + 1) * step


def _kinds(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What the answers say: some of `KINDS`."""
    has = {
        "country": any(each.country or each.registered_country for each in answers),
        "asn": any(each.asn for each in answers),
        "anycast": any(each.is_anycast is not None for each in answers),
    }
    return tuple(kind for kind in KINDS if has[kind])


def _found(records: Sequence[object]) -> str:
    """A word on the records of a database that says nothing of places."""
    if not records:
        return "no record"
    fields = {str(name) for record in records if isinstance(record, dict) for name in record}
    return f"fields {excerpt(', '.join(sorted(fields)))}" if fields else "records without fields"


def _day(build_epoch: object) -> date | None:
    """The UTC day of a build time; None when it is no time that a calendar knows."""
    if not isinstance(build_epoch, int):
        return None
    try:
        return datetime.fromtimestamp(build_epoch, UTC).date()
    except (OverflowError, OSError, ValueError):  # beyond the platform's clock or the year 9999
        return None
