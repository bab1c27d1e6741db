"""Reads the bytes of a capture through the door of the room, all tables at once."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import phonehome.captures.decoding.decode
import phonehome.captures.decoding.loop_memory
from phonehome.captures.kernels.machine_code import machine
from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Packets
from phonehome.captures.words import OUTCOMES

PARTS = ("link_bytes", "network_header_bytes", "transport_header_bytes", "payload_bytes")


class Tables:
    """All that the room says of one capture; packets by frame, with a column `word`.

    Tables that a test does not ask for are not made.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        packets = pl.concat([Packets.create_empty(), *reading.packets()]).sort("frame")
        self.packets = packets.with_columns(word=pl.Series(_words(packets), dtype=pl.String))
        self.capture: dict[str, Any] = reading.capture().row(0, named=True)

    @cached_property
    def conversations(self) -> pl.DataFrame:
        return self._reading.conversations()

    @cached_property
    def sightings(self) -> pl.DataFrame:
        return self._reading.sightings(self.conversations)

    @cached_property
    def hellos(self) -> pl.DataFrame:
        assert self.sightings is not None
        return self._reading.hellos()

    @cached_property
    def owners(self) -> pl.DataFrame:
        return self._reading.owners()

    @cached_property
    def oddities(self) -> pl.DataFrame:
        return self._reading.oddities()

    @cached_property
    def limits_hit(self) -> dict[str, int]:
        return self._reading.limits_hit()

    @property
    def words(self) -> list[str]:
        return self.packets["word"].to_list()

    @property
    def kinds(self) -> list[str]:
        return self.oddities["kind"].to_list()

    def sum(self, column: str) -> int:
        return int(self.packets[column].sum())


def _words(packets: pl.DataFrame) -> list[str]:
    return [OUTCOMES[number] for number in packets["outcome"].to_list()]


def assert_same(one_way: Tables, other_way: Tables) -> None:
    """Two readings say the same in every table."""
    for name in ("packets", "conversations", "sightings", "owners", "oddities"):
        assert getattr(one_way, name).equals(getattr(other_way, name)), name
    assert one_way.capture == other_way.capture
    assert one_way.limits_hit == other_way.limits_hit


@cache
def compile_once() -> None:
    """Use machine code from the first packet on, which a short run would do without."""
    if not machine.load():
        machine.compile()


@contextmanager
def interpreted() -> Iterator[None]:
    """Kernels run as Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "is_settled", True)
        patch.setattr(machine, "entry", None)
        yield


def read_path(path: Path, limits: Limits | None = None) -> Tables:
    """Tables of a file."""
    compile_once()
    return Tables(Reading(path, limits))


def read(octets: bytes, limits: Limits | None = None) -> Tables:
    """Tables of a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written.cap"
        path.write_bytes(octets)
        return read_path(path, limits)


def one(tables: Tables) -> dict[str, Any]:
    """The only packet there is."""
    assert len(tables.packets) == 1
    return tables.packets.row(0, named=True)


def assert_accounts(tables: Tables, wire_bytes: list[int]) -> None:
    """Each packet has one row, and each of its bytes one place in it."""
    packets = tables.packets
    assert packets["frame"].to_list() == list(range(1, len(wire_bytes) + 1))
    assert packets["wire_bytes"].to_list() == wire_bytes
    assert tables.capture["packets"] == len(wire_bytes)
    assert tables.capture["wire_bytes"] == sum(wire_bytes)
    numbers = packets.select(pl.col(pl.Int64).exclude("frame"))
    assert all(number >= 0 for column in numbers for number in column)
    assert packets.select(pl.sum_horizontal(*PARTS))[PARTS[0]].to_list() == wire_bytes
    assert (packets["unique_bytes"] <= packets["payload_bytes"]).all()
    has_conversation = packets["word"] == "conversation"
    assert (packets["conversation"].is_not_null() == has_conversation).all()


@contextmanager
def narrow(window_bytes: int = 64, record_count: int = 2) -> Iterator[None]:
    """Windows, batches and tables so small that everything has to be moved, refilled, grown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phonehome.captures.decoding.decode, "WINDOW_BYTES", window_bytes)
        patch.setattr(phonehome.captures.decoding.decode, "RECORDS", record_count)
        for name in ("PACKETS", "PACKETS_ADDED"):
            patch.setattr(phonehome.captures.decoding.decode, name, 1)
        for name in ("EXCERPT_BYTES", "FIRST_CONVERSATIONS", "FIRST_LISTS"):
            patch.setattr(phonehome.captures.decoding.loop_memory, name, 1)
        patch.setattr(phonehome.captures.decoding.loop_memory, "EXCERPTS", 3)
        patch.setattr(phonehome.captures.decoding.loop_memory, "ODDITIES", 4)
        yield
