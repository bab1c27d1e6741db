"""Collects sightings and faults while packets are read, and makes their tables at the end."""

from array import array
from collections import Counter
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.names.faults import Fault, Moment
from phonehome.captures.tables import Conversations, Oddities, Sightings
from phonehome.captures.words import NAME_SOURCES

_LAYER = "name"
_DNS_PORT = 53
_IPV4_BYTES = 4
_NO_TIME = np.iinfo(np.int64).min
_RECEIVER = ""
_RECENT_WORDS = 1 << 16
_ROW = (
    ("frame", np.int64),
    ("time", np.int64),
    ("conversation", np.int32),
    ("is_from_b", np.bool_),
    ("source", np.uint8),
    ("name", np.uint32),
    ("address", np.uint32),
)
_SOURCES = {word: number for number, word in enumerate(NAME_SOURCES)}


class _Words:
    """Words by number, most of them in columns, so that a million take little memory.

    A word that comes again soon has the same number again.
    """

    def __init__(self) -> None:
        self._columns: list[pl.Series] = []
        self._count = 0
        self._recent: dict[str, int] = {}

    def number(self, word: str) -> int:
        """The number of a word."""
        number = self._recent.get(word)
        if number is None:
            if len(self._recent) == _RECENT_WORDS:
                self._columns.append(pl.Series(list(self._recent)))
                self._recent.clear()
            number = self._recent[word] = self._count
            self._count += 1
        return number

    def of(self, numbers: pl.Series) -> pl.Series:
        """The word for each number."""
        latest = pl.Series(list(self._recent), dtype=pl.String)
        words = pl.concat([*self._columns, latest], rechunk=False)
        return words.gather(numbers).alias(numbers.name)


class SightingList:
    """Sightings in the order in which they were made.

    Args:
        most: sightings that are kept.

    Attributes:
        left_out: sightings beyond `most`.
    """

    def __init__(self, most: int) -> None:
        self.left_out = 0
        self._most_numbers = most * len(_ROW)
        self._numbers = array("q")
        self._names = _Words()
        self._addresses = _Words()
        self._addresses.number(_RECEIVER)

    def add(
        self, moment: Moment, side: tuple[int, int], source: str, name: str, address: bytes = b""
    ) -> None:
        """Note that a name was said by a side: conversation, and whether end b spoke.

        Without a packed address the name is that of the receiver; in a certificate, of who sent it.
        """
        if len(self._numbers) >= self._most_numbers:
            self.left_out += 1
            return
        name_number = self._names.number(name)
        address_number = self._addresses.number(_address_text(address)) if address else 0
        self._numbers.extend((*moment, *side, _SOURCES[source], name_number, address_number))

    def table(self, conversations: dy.DataFrame[Conversations]) -> dy.DataFrame[Sightings]:
        """One row per frame, address, port, name and source, by frame, then as they were said.

        DNS counts where it was sent from port 53: mDNS and LLMNR name neighbours, not remotes.
        """
        said = self._said()
        ends = conversations.select("conversation", "a_address", "a_port", "b_address", "b_port")
        is_dns = pl.col("source") == _SOURCES["dns"]
        is_answer = pl.col("address") != 0
        is_own = pl.col("source") == _SOURCES["certificate"]
        bearer = [
            pl.when(is_own).then(_sender(what)).otherwise(_receiver(what))
            for what in ("address", "port")
        ]
        found = (
            said.join(ends, on="conversation", how="inner", maintain_order="left")
            .filter(~is_dns | (_sender("port") == _DNS_PORT).fill_null(value=False))
            .with_columns(receiver=bearer[0], port=pl.when(~is_answer).then(bearer[1]))
            .drop("a_address", "a_port", "b_address", "b_port")
        )
        time = pl.col("time")
        return Sightings.validate(
            found.select(
                "frame",
                pl.when(time != _NO_TIME).then(time).cast(pl.Datetime("ns", "UTC")).alias("time"),
                "conversation",
                "is_from_b",
                pl.when(pl.col("address") != 0)
                .then(self._addresses.of(found["address"]))
                .otherwise("receiver")
                .alias("address"),
                "port",
                self._names.of(found["name"]),
                pl.Series(NAME_SOURCES).gather(found["source"]).alias("source"),
            )
        )

    def _said(self) -> pl.DataFrame:
        """The rows by frame, numbers for words, each once: a frame has one sender."""
        rows = np.array(self._numbers, dtype=np.int64).reshape(-1, len(_ROW))
        columns: dict[str, NDArray[Any]] = {
            name: rows[:, place].astype(kind) for place, (name, kind) in enumerate(_ROW)
        }
        del rows
        identity = [columns[name] for name in ("address", "name", "source", "frame")]
        order = np.lexsort(identity)  # stable: of rows that are alike the first comes first
        is_again = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
        for column in identity:
            is_again &= np.diff(column[order]) == 0
        kept = np.sort(np.concatenate((order[:1], order[1:][~is_again])))
        kept = kept[np.argsort(columns["frame"][kept], kind="stable")]
        return pl.DataFrame({name: column[kept] for name, column in columns.items()})


class FaultList:
    """Faults of messages, in the order in which they were met.

    Args:
        most: faults of a kind that have a row of their own; one more row counts the rest.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()
        self._first: list[tuple[int, Fault]] = []

    def add(self, frame: int, fault: Fault) -> None:
        """Note a fault."""
        self._counts[fault.kind] += 1
        if self._counts[fault.kind] <= self._most:
            self._first.append((frame, fault))

    def table(self) -> dy.DataFrame[Oddities]:
        """The first rows of each kind, then one row per kind for the rest.

        That one has no frame, and counts how many it stands for.
        """
        first = [(frame, None, _LAYER, *fault, 1) for frame, fault in self._first]
        rest = [
            (None, None, _LAYER, kind, None, None, count - self._most)
            for kind, count in sorted(self._counts.items())
            if count > self._most
        ]
        schema = Oddities.create_empty().schema
        return Oddities.validate(pl.DataFrame([*first, *rest], schema=schema, orient="row"))


@lru_cache(maxsize=_RECENT_WORDS)
def _address_text(packed: bytes) -> str:
    """An address in its usual short form."""
    return inet_ntop(AF_INET if len(packed) == _IPV4_BYTES else AF_INET6, packed)


def _sender(column: str) -> pl.Expr:
    """Address or port of the end that spoke."""
    return pl.when("is_from_b").then(f"b_{column}").otherwise(f"a_{column}")


def _receiver(column: str) -> pl.Expr:
    """Address or port of the end that was spoken to."""
    return pl.when("is_from_b").then(f"a_{column}").otherwise(f"b_{column}")
