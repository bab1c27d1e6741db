import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption import tshark_input
from phonehome.captures.decryption.tshark_input import fed
from phonehome.captures.limits import Limits
from tests.captures.building import START, Pcap, Pcapng, records
from tests.small_captures import gzipped

FRAMES = (b"\1" * 60, b"\2" * 61, b"\3" * 62)


def fed_all(path, octets, limits=None):
    path.write_bytes(octets)
    return b"".join(fed(path, limits or Limits()))


@pytest.mark.parametrize("order", ["<", ">"])
def test_blocks_that_are_no_packet_are_left_out_and_packets_stay(tmp_path, order):
    kind = Pcapng(order)
    first, second, third = records(*FRAMES)
    begin = kind.section() + kind.interface()
    kept = [kind.packet(first), kind.old_packet(second), kind.simple_packet(third)]
    others = [kind.custom(), kind.secrets(), kind.names(), kind.statistics()]
    whole = begin + b"".join(a + b for a, b in zip(kept, others, strict=False)) + others[3]
    assert fed_all(tmp_path / "a", whole) == begin + b"".join(kept)


def test_a_second_section_may_have_the_other_order(tmp_path):
    one, two = Pcapng("<"), Pcapng(">")
    record = records(*FRAMES)[0]
    parts = [part for kind in (one, two) for part in (kind.section(), kind.packet(record))]
    assert fed_all(tmp_path / "a", b"".join(parts)) == b"".join(parts)


@pytest.mark.parametrize("size", [12, 50, 100, 1 << 20])
def test_it_does_not_matter_how_it_is_read(tmp_path, monkeypatch, size):
    monkeypatch.setattr(tshark_input, "PIECE_BYTES", size)
    kind = Pcapng()
    packets = [kind.packet(record) for record in records(*FRAMES)]
    begin = kind.section() + kind.interface()
    assert fed_all(tmp_path / "a", begin + kind.custom().join(packets)) == begin + b"".join(packets)


def test_other_formats_are_fed_as_they_are_and_unpacked(tmp_path):
    classic = Pcap().file(records(*FRAMES, time=START))
    assert fed_all(tmp_path / "a", classic) == classic
    assert fed_all(tmp_path / "b", gzipped(classic)) == classic
    assert gzipped(classic)[:-9]
    assert classic.startswith(fed_all(tmp_path / "c", gzipped(classic)[:-9])[:20])


@given(st.binary(max_size=200))
def test_any_blocks_behind_a_section_end_it_without_an_error(tmp_path_factory, octets):
    begin = Pcapng().section()
    path = tmp_path_factory.mktemp("fed") / "a"
    assert fed_all(path, begin + octets).startswith(begin)
