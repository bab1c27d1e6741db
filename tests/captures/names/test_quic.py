"""Initial packets of QUIC, and the vectors of the RFCs."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.kernels.excerpts import QUIC
from phonehome.captures.limits import Limits
from phonehome.captures.names import tls
from phonehome.captures.names.faults import Fault, Moment
from phonehome.captures.names.quic import LONGEST_HELLO, QuicReader, client_secrets, plain_name
from phonehome.captures.names.reader import NameReader
from tests.captures.building import Ethernet, Ipv4, Udp, pcap
from tests.captures.initials import DRAFT_29, ID, SALTS, V1, V2, crypto, initial, varint
from tests.captures.payloads import Piece, excerpts, hello_message, server_name
from tests.captures.reader import read as read_capture

NAME = b"api.example.com"
HELLO = hello_message(server_name(NAME))
LONG = hello_message(b"\0\x33" + (1_500).to_bytes(2) + bytes(1_500), server_name(NAME))
SIDE = (0, 0)


def said(*datagrams, reader=None):
    reader = reader or QuicReader()
    found = []
    for frame, datagram in enumerate(datagrams, start=1):
        found += reader.read(SIDE, datagram, Moment(frame, 0))
    return [*found, *reader.finish()]


def names(*datagrams):
    """Frame and name of all that datagrams say."""
    return [
        (moment.frame, of.name if of.name is not None else tls.hello(of.message).name)
        for _, moment, of in said(*datagrams)
    ]


@pytest.mark.parametrize(
    ("version", "key", "iv", "hp"),
    [
        (
            V1,
            "1f369613dd76d5467730efcbe3b1a22d",
            "fa044b2f42a3fd3b46fb255c",
            "9f50449e04a0e810283a1e9933adedd2",
        ),
        (
            V2,
            "8b1a0bc121284290a29e0971b5cd045d",
            "91f73e2351d8fa91660e909f",
            "45b95e15235d6f45a6b19cbcb0294ba9",
        ),
    ],
)
def test_keys_are_those_of_the_rfcs(version, key, iv, hp):
    assert [secret.hex() for secret in client_secrets(version, ID)] == [key, iv, hp]


@pytest.mark.parametrize(
    ("version", "head", "sample", "mask", "hidden"),
    [
        (
            V1,
            "c300000001088394c8f03e5157080000449e00000002",
            "d1b1c98dd7689fb8ec11d242b123dc9b",
            "437b9aec36",
            "c000000001088394c8f03e5157080000449e7b9aec34",
        ),
        (
            V2,
            "d36b3343cf088394c8f03e5157080000449e00000002",
            "ffe67b6abcdb4298b485dd04de806071",
            "94a0c95e80",
            "d76b3343cf088394c8f03e5157080000449ea0c95e82",
        ),
    ],
)
def test_the_packets_of_the_rfcs_are_opened(version, head, sample, mask, hidden):
    """RFC 9001 and RFC 9369, appendix A.2: headers, sample and mask; the frame is the same."""
    frame = bytes.fromhex(
        "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
        "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
        "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
        "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
        "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
        "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
        "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
        "75300901100f088394c8f03e51570806048000ffff"
    )
    plain = bytes.fromhex(head)
    key, iv, hp = client_secrets(version, ID)
    nonce = iv[:-1] + bytes([iv[-1] ^ 2])
    body = AESGCM(key).encrypt(nonce, frame.ljust(1_162, b"\0"), plain)
    assert body[:16].hex() == sample
    found = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(body[:16])  # noqa: S305
    assert found[:5].hex() == mask
    packet = bytes.fromhex(hidden) + body
    assert len(packet) == 1_200
    assert names(packet) == [(1, b"example.com")]


@pytest.mark.parametrize("version", SALTS)
def test_a_hello_in_one_packet_is_read_in_every_version(version):
    assert names(initial(crypto(0, HELLO), version=version)) == [(1, NAME)]


@pytest.mark.parametrize("version", [V1, DRAFT_29])
def test_a_version_that_none_has_is_opened_with_the_keys_of_a_known_one(version):
    SALTS[0x1A2A3A4A] = SALTS[version]
    assert names(initial(crypto(0, HELLO), version=0x1A2A3A4A)) == [(1, NAME)]
    del SALTS[0x1A2A3A4A]


@pytest.mark.parametrize("length", range(21))
def test_connection_ids_may_have_any_length(length):
    assert names(initial(crypto(0, HELLO), bytes(range(length)))) == [(1, NAME)]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_packet_numbers_may_have_any_length(width):
    assert names(initial(crypto(0, HELLO), number=200, width=width)) == [(1, NAME)]


def test_a_hello_larger_than_a_packet_is_put_together_in_any_order():
    parts = [initial(crypto(at, LONG[at : at + 600]), number=at // 600) for at in (0, 600, 1_200)]
    assert names(*parts) == [(3, NAME)]
    assert names(*reversed(parts)) == [(3, NAME)]
    assert names(parts[1], parts[1], parts[0], parts[2]) == [(4, NAME)]


def test_ranges_that_overlap_and_come_in_one_packet_are_put_together():
    frames = (
        crypto(50, HELLO[50:])
        + b"\x01"
        + crypto(0, HELLO[:20])
        + b"\0\0"
        + crypto(10, HELLO[10:60])
    )
    assert names(initial(frames)) == [(1, NAME)]


def test_acknowledgements_are_passed_over():
    ack = b"\x02" + varint(9) + varint(0) + varint(1) + varint(0) + varint(3) + varint(2)
    ecn = b"\x03" + varint(9) + varint(0) + varint(0) + varint(0) + varint(1) * 3
    assert names(initial(ack + ecn + crypto(0, HELLO))) == [(1, NAME)]


def test_packets_in_one_datagram_are_all_read():
    one, other = initial(crypto(0, HELLO[:40])), initial(crypto(40, HELLO[40:]), number=1)
    assert names(one + other) == [(1, NAME)]
    assert names(one + other + b"\x40 a short header") == [(1, NAME)]


def test_a_retry_makes_new_keys():
    first = initial(crypto(0, HELLO[:30]))
    after = initial(crypto(0, HELLO), b"new id", token=b"t" * 70, number=1)
    assert names(first, after) == [(2, NAME)]


def test_a_connection_id_that_the_server_chose_later_makes_none():
    first = initial(crypto(0, HELLO[:30]))
    later = initial(crypto(30, HELLO[30:]), ID, to=b"chosen", number=1)
    assert names(first, later) == [(2, NAME)]


def test_a_hello_that_never_completes_is_read_as_far_as_it_came():
    at = LONG.index(NAME)
    tail = hello_message(server_name(NAME), bytes(1_500))
    assert names(initial(crypto(0, LONG[: at - 5]))) == [(1, None)]
    assert names(initial(crypto(0, tail[:300]))) == [(1, NAME)]


def test_the_frame_of_a_hello_that_never_completes_is_the_one_that_brought_the_name():
    tail = hello_message(server_name(NAME), bytes(1_500))
    parts = [initial(crypto(at, tail[at : at + 300]), number=at) for at in (0, 300, 600)]
    assert names(*parts) == [(1, NAME)]
    assert names(parts[1], parts[0], parts[2]) == [(2, NAME)]


def test_keys_are_kept_of_a_packet_that_says_nothing_yet():
    silent = initial(b"\x01")
    later = initial(crypto(0, HELLO), ID, to=b"chosen", number=1)
    assert names(silent, later) == [(2, NAME)]
    assert said(silent) == []


def test_a_hello_is_said_once():
    packet = initial(crypto(0, HELLO))
    assert names(packet, packet) == [(1, NAME)]


OTHER = hello_message(server_name(b"cdn.example.org"))
SECOND = b"an id of the second"


def test_a_second_connection_on_the_same_ports_says_its_name_too():
    first, second = initial(crypto(0, HELLO)), initial(crypto(0, OTHER), SECOND)
    assert names(first, second) == [(1, NAME), (2, b"cdn.example.org")]
    assert names(first, first, second, first, second) == [(1, NAME), (3, b"cdn.example.org")]


def test_what_the_first_connection_sends_again_is_no_part_of_the_second():
    first = initial(crypto(0, HELLO))
    begin = initial(crypto(0, OTHER[:30]), SECOND)
    rest = initial(crypto(30, OTHER[30:]), SECOND, number=1)
    assert names(first, begin, first, rest) == [(1, NAME), (4, b"cdn.example.org")]


def test_a_later_id_of_the_server_begins_no_second_connection():
    later = initial(b"\x01", ID, to=b"chosen by it", number=1)
    reader = QuicReader()
    assert len(said(initial(crypto(0, HELLO)), later, later, reader=reader)) == 1
    many = [initial(b"\x01", ID, to=b"chosen %4d" % at, number=1) for at in range(100)]
    assert said(*many, reader=reader) == []
    assert names(initial(crypto(0, HELLO)), *many, initial(crypto(0, OTHER), SECOND)) == [(1, NAME)]


def test_what_no_key_opens_is_a_fault():
    packet = bytearray(initial(crypto(0, HELLO)))
    packet[-1] ^= 1
    ((_, moment, of),) = said(bytes(packet))
    assert (moment.frame, of.fault.kind, of.message) == (1, "quic_undecryptable", b"")


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\xc0",
        bytes([0xC0]) + (0).to_bytes(4) + bytes(40),
        bytes([0xC0]) + (1).to_bytes(4) + b"\xff" + bytes(300),
        initial(crypto(0, HELLO))[:-1],
        initial(crypto(0, HELLO), token=b"t" * 20)[:30],
    ],
)
def test_what_is_cut_or_no_initial_is_let_be(datagram):
    assert said(datagram) == []


@pytest.mark.parametrize(
    "frames",
    [
        b"\x06\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x06\x00\xff\xff\xff\xff\xff\xff\xff\xff",
        crypto(LONGEST_HELLO, b"x"),
        b"\x02" + varint(1) + varint(1) + b"\xbf\xff\xff\xff",
        b"\x1c" + crypto(0, HELLO),
        crypto(0, b"\x02" + HELLO[1:]),
        crypto(5, HELLO[5:]),
    ],
)
def test_frames_that_lie_or_tell_no_hello_give_no_name(frames):
    assert [name for _, name in names(initial(frames)) if name] == []


def chlo(*entries, prefix=b"", count=None):
    """A CHLO of Google's QUIC with these tags and values."""
    table, values = b"", b""
    for tag, value in entries:
        values += value
        table += tag.ljust(4, b"\0") + len(values).to_bytes(4, "little")
    head = b"CHLO" + (len(entries) if count is None else count).to_bytes(2, "little") + b"\0\0"
    return prefix + head + table + values


def test_the_name_of_a_chlo_in_the_clear_is_read():
    hello = chlo((b"PAD", b"-" * 30), (b"SNI", NAME), (b"VER", b"Q043"))
    assert names(b"\x0d" + bytes(8) + b"Q043" + bytes(30) + hello) == [(1, NAME)]
    q050 = b"\x08" + varint(0) + varint(len(hello)) + hello
    assert names(initial(q050)) == [(1, NAME)]


def test_a_chlo_counts_in_the_versions_alone_that_say_it():
    hello = chlo((b"SNI", NAME))
    assert names(b"\xc3Q046\x50" + bytes(8) + bytes(16) + hello) == [(1, NAME)]
    assert names(b"\xc3\0\0\0\x01\x08" + bytes(8) + bytes(16) + hello) == []
    assert names(initial(crypto(0, HELLO), token=chlo((b"SNI", b"cover.example")))) == [(1, NAME)]


def test_a_name_of_a_chlo_that_is_too_long_is_a_fault():
    hello = chlo((b"SNI", b"a" * 256))
    q050 = b"\x08" + varint(0) + varint(len(hello)) + hello
    for datagram in (b"\x0d" + bytes(8) + b"Q043" + bytes(30) + hello, initial(q050)):
        ((_, _, of),) = said(datagram)
        assert (of.fault, of.name) == (Fault("name_too_long", 256, 255), None)


@pytest.mark.parametrize(
    "octets",
    [
        chlo((b"SNI", NAME))[:-1],
        chlo((b"VER", b"Q043")),
        chlo((b"SNI", NAME), count=60_000),
        chlo(count=0),
        chlo((b"SNI", NAME), prefix=bytes(100)),
        b"CHLO",
        b"",
    ],
)
def test_a_chlo_that_is_cut_or_lies_has_no_name(octets):
    assert plain_name(octets) is None


def test_offsets_of_a_chlo_that_fall_are_not_believed():
    octets = bytearray(chlo((b"PAD", b"-" * 30), (b"SNI", NAME)))
    octets[12:16] = (1_000).to_bytes(4, "little")
    assert plain_name(bytes(octets)) is None


@given(st.data())
def test_wrong_bytes_raise_nothing(data):
    whole = initial(crypto(0, LONG[:600])) + initial(crypto(600, LONG[600:]), number=1)
    changed = bytearray(whole)
    places = st.integers(0, len(changed) - 1)
    for at, octet in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        changed[at] = octet
    said(bytes(changed[: data.draw(places)]), bytes(changed))


@given(st.binary(max_size=200))
def test_arbitrary_frames_raise_nothing(frames):
    said(initial(frames))


def test_hellos_that_wait_take_bounded_memory():
    reader = QuicReader(pending_bytes=4_000)
    given_up = []
    for number in range(50):
        part = initial(crypto(0, LONG[:600]), bytes([number]) * 8)
        given_up += reader.read((number, 0), part, Moment(number + 1, 0))
    assert [side[0] for side, _, _ in given_up] == list(range(len(given_up)))
    assert len(given_up) >= 40
    assert reader.given_up == len(given_up)
    assert len(list(reader.finish())) == 50 - len(given_up)


def test_connections_that_say_nothing_take_bounded_memory_too():
    reader = QuicReader(pending_bytes=4_000)
    for number in range(50):
        silent = initial(b"\x01", bytes([number]) * 8)
        assert list(reader.read((number, 0), silent, Moment(number + 1, 0))) == []
    assert reader.given_up > 40


def test_hellos_that_are_given_up_are_a_limit_that_bit():
    reader = NameReader(Limits())
    assert reader.limits_hit == {}
    reader._quic = QuicReader(pending_bytes=1)
    reader.add(excerpts(Piece(initial(crypto(0, LONG[:600])), kind=QUIC)))
    assert reader.limits_hit == {"pending_bytes": 1}


def test_names_of_a_capture_come_from_its_initials():
    first, second = initial(crypto(0, LONG[:900])), initial(crypto(900, LONG[900:]), number=1)
    back = Ipv4(Udp(first, from_port=443, to_port=50_000), source="203.0.113.7", to="192.168.1.5")
    tables = read_capture(
        pcap(
            Ethernet(Ipv4(Udp(first, to_port=8_853))),
            Ethernet(back),
            Ethernet(Ipv4(Udp(second, to_port=8_853))),
        )
    )
    assert tables.sightings.select("frame", "name", "source", "port").rows() == [
        (3, NAME.decode(), "quic_sni", 8_853)
    ]
    assert tables.hellos["frame"].to_list() == [2, 3]
    assert [(ja4 or "")[:1] for ja4 in tables.hellos["ja4"]] == ["", "q"]


def test_a_flood_of_initials_is_cut_out_a_few_times():
    broken = initial(crypto(0, HELLO))[:-1] + b"\0"
    frames = [Ethernet(Ipv4(Udp(broken, to_port=443)))] * 100
    tables = read_capture(pcap(*frames))
    assert tables.oddities["count"].sum() == 12
    assert set(tables.kinds) == {"quic_undecryptable"}


def test_datagrams_without_the_fixed_bit_begin_nothing_and_count_for_nothing():
    octets = bytearray(initial(crypto(0, HELLO)))
    octets[0] &= 0xBF
    frames = [Ethernet(Ipv4(Udp(bytes(octets), to_port=443)))] * 12
    frames.append(Ethernet(Ipv4(Udp(initial(crypto(0, HELLO)), to_port=443))))
    tables = read_capture(pcap(*frames))
    assert tables.sightings["frame"].to_list() == [13]
    assert tables.oddities.is_empty()
