"""Files of snoop, written field by field as RFC 1761 has them."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.find_captures import capture_files
from phonehome.captures.limits import Limits
from tests.captures.building import START, Ethernet, Ipv4, Record, Snoop, Udp, pcap, records
from tests.captures.reader import narrow, read

FRAMES = [Ethernet(Ipv4(Udp(b"n" * n))) for n in range(7)]
LIES = [0, 1, 23, 24, 27, 2**18 + 24, 2**31, 2**32 - 1]


@pytest.mark.parametrize("padding", [1, 2, 4, 8])
@pytest.mark.parametrize("data_link", [0, 4])
def test_packets_of_snoop_are_those_of_the_classic_format(data_link: int, padding: int) -> None:
    written = Snoop(data_link, padding=padding)
    with narrow():
        tables = read(written.file(*records(*FRAMES)))
    assert tables.packets.equals(read(pcap(*FRAMES)).packets)
    assert tables.conversations.equals(read(pcap(*FRAMES)).conversations)
    assert tables.capture["format"] == "snoop"
    assert tables.capture["link_types"] == [1]
    assert (tables.capture["damage"], tables.capture["unread_bytes"]) == (None, 0)


def test_times_and_lengths_are_those_of_the_record() -> None:
    octets = bytes(FRAMES[3])
    tables = read(Snoop().file(Record(octets[:40], START + 123_456_000, 900), Record(octets, 0)))
    assert tables.packets["time"].to_physical().to_list() == [START + 123_456_000, None]
    assert tables.packets["wire_bytes"].to_list() == [900, len(octets)]
    assert tables.capture["snapped_packets"] == 1


@pytest.mark.parametrize(
    ("drops", "expected"), [((0, 0), 0), ((1, 5), 5), ((5, 1), 5), ((0, 2**32 - 1), 2**32 - 1)]
)
def test_drops_are_counted_from_the_begin(drops: tuple[int, int], expected: int) -> None:
    tables = read(Snoop().file(*records(*FRAMES[:2]), drops=drops))
    assert tables.capture["dropped_packets"] == expected


def test_a_file_without_a_record_does_not_say_what_was_dropped() -> None:
    tables = read(Snoop().file())
    assert (tables.capture["packets"], tables.capture["dropped_packets"]) == (0, None)


@pytest.mark.parametrize(("data_link", "link_type"), [(2, 6), (8, 10)])
def test_other_data_links_keep_their_name(data_link: int, link_type: int) -> None:
    tables = read(Snoop(data_link).file(*records(*FRAMES)))
    assert tables.capture["link_types"] == [link_type]
    assert tables.capture["packets"] == len(FRAMES)


@pytest.mark.parametrize("data_link", [1, 3, 5, 6, 7, 9, 16, 2**32 - 1])
def test_a_data_link_that_cannot_be_read_is_refused(data_link: int) -> None:
    with pytest.raises(CaptureError, match=f"byte 12: .* expected, {data_link} found"):
        read(Snoop(data_link).file(*records(*FRAMES)))


@pytest.mark.parametrize("version", [0, 1, 3, 5])
def test_another_version_is_refused(version: int) -> None:
    with pytest.raises(CaptureError, match=f"byte 8: snoop version 2 expected, {version} found"):
        read(Snoop(version=version).file(*records(*FRAMES)))


@pytest.mark.parametrize("end", range(16))
def test_less_than_a_header_is_refused(end: int) -> None:
    with pytest.raises(CaptureError):
        read(Snoop().header()[:end])


def test_a_file_cut_anywhere_keeps_all_whole_records() -> None:
    written = Snoop()
    sizes = [len(written.record(record)) for record in records(*FRAMES[:3])]
    file = written.file(*records(*FRAMES[:3]))
    for end in range(16, len(file)):
        whole = sum(end >= 16 + sum(sizes[: n + 1]) for n in range(3))
        tables = read(file[:end])
        assert tables.words == ["conversation"] * whole
        assert tables.capture["unread_bytes"] == end - 16 - sum(sizes[:whole])
        assert tables.kinds == (["record_cut"] if tables.capture["unread_bytes"] else [])


@pytest.mark.parametrize("field", [4, 8])
@pytest.mark.parametrize("lie", LIES)
def test_no_length_is_believed_unchecked(field: int, lie: int) -> None:
    written = Snoop()
    first, second, third = (written.record(record) for record in records(*FRAMES[:3]))
    second = second[:field] + struct.pack(">I", lie) + second[field + 4 :]
    included, length = struct.unpack_from(">II", second, 4)
    tables = read(written.header() + first + second + third)
    if included > 2**18 or not included <= length - 24 <= 2**18 + 8:
        assert tables.words == ["conversation"]
        assert tables.capture["unread_bytes"] == len(second) + len(third)
        assert tables.oddities.select("layer", "kind", "offset").rows() == [
            ("file", "record_length", 16 + len(first))
        ]
    elif field == 4:
        assert tables.capture["packets"] == 3
        assert tables.capture["captured_bytes"] == len(bytes(FRAMES[0])) + included + len(
            bytes(FRAMES[2])
        )
    else:
        assert tables.kinds == ["record_cut"]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_octets_behind_the_magic_number_are_read_or_refused(data: st.DataObject) -> None:
    octets = bytearray(Snoop().file(*records(*FRAMES)))
    for _ in range(data.draw(st.integers(0, 6))):
        octets[data.draw(st.integers(8, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        tables = read(bytes(octets), Limits(record_bytes=data.draw(st.sampled_from([60, 2**18]))))
    except CaptureError:
        return
    assert tables.sum("wire_bytes") == tables.capture["wire_bytes"]
    assert len(tables.packets) == tables.capture["packets"]
    assert tables.capture["unread_bytes"] == 0 or tables.capture["damage"]


def test_a_folder_stands_for_files_of_snoop_too(tmp_path) -> None:
    (tmp_path / "one").write_bytes(Snoop().file(*records(*FRAMES)))
    assert capture_files([tmp_path]) == [tmp_path / "one"]
