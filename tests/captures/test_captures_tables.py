"""House rules of the room's tables and words."""

import dataframely as dy
import polars as pl
import pytest

from phonehome.captures import tables, words
from phonehome.captures.decoding.loop_memory import new_memory
from phonehome.captures.decoding.oddities import LIMIT_KINDS
from phonehome.captures.kernels import fragments, headers, packet_loop
from phonehome.captures.kernels.layout import COUNT_KINDS
from tests.captures.building import Ethernet, Icmp, Ipv4, Ipv6, Pcapng, Raw, Tcp, Udp, pcap
from tests.captures.reader import read

SCHEMAS = [
    table
    for table in vars(tables).values()
    if isinstance(table, type) and issubclass(table, dy.Schema) and table is not dy.Schema
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_column_says_what_it_means(schema: type[dy.Schema]) -> None:
    for name, column in schema.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name
        if column.nullable:
            assert "Null" in column.description, name


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_column_in_bytes_says_so(schema: type[dy.Schema]) -> None:
    for name, column in schema.columns().items():
        if name.endswith("_bytes"):
            assert "ytes" in column.description, name


def test_every_outcome_a_kernel_gives_is_a_word() -> None:
    given = {
        headers.READ: "conversation",
        headers.NON_IP: "non_ip",
        headers.MALFORMED: "malformed",
        headers.CUT: "cut",
        packet_loop.FRAGMENT: "fragment",
        packet_loop.LIMIT: "limit",
        fragments.WITHOUT_FIRST: "fragment",
    }
    assert {number: words.OUTCOMES[number] for number in given} == given


def test_words_are_said_once() -> None:
    for listed in (words.OUTCOMES, words.PACKET_ODDITIES, words.NAME_SOURCES):
        assert len(set(listed)) == len(listed)
    assert len(set(words.PROTOCOLS.values())) == len(words.PROTOCOLS)


def test_there_is_a_counter_for_each_kind_of_oddity() -> None:
    assert len(new_memory(1).counts) == COUNT_KINDS + len(words.PACKET_ODDITIES)


def test_each_limit_of_packets_has_an_oddity() -> None:
    kinds = {kind for _, kind in words.PACKET_ODDITIES}
    assert set(LIMIT_KINDS) <= kinds


def test_every_protocol_is_called_by_its_name_or_number() -> None:
    frames = [Ethernet(Ipv4(Raw(bytes(60), number))) for number in range(256)]
    found = read(pcap(*frames))
    named = dict(
        found.packets.filter(pl.col("word") == "conversation")
        .join(found.conversations, on="conversation")
        .select("frame", "protocol")
        .iter_rows()
    )
    for frame, protocol in named.items():
        assert protocol == words.PROTOCOLS.get(frame - 1, str(frame - 1))
    assert len(named) >= 254


def test_every_table_of_a_capture_is_valid() -> None:
    frames = [Ethernet(Ipv4(Tcp(b"x"))), Ethernet(Ipv6(Udp())), Ethernet(Ipv4(Icmp(8)))]
    for octets in (pcap(*frames), Pcapng().file(*frames, b"short"), pcap()):
        found = read(octets)
        assert tables.Packets.is_valid(found.packets.drop("word"))
        assert tables.Conversations.is_valid(found.conversations)
        assert tables.Sightings.is_valid(found.sightings)
        assert tables.Oddities.is_valid(found.oddities)
        row = pl.DataFrame([found.capture], schema=tables.Captures.create_empty().schema)
        assert tables.Captures.is_valid(row)
        known = {layer for layer, _ in words.PACKET_ODDITIES}
        assert set(found.oddities["layer"]) <= known
