"""Initial packets of QUIC, written by an encrypting twin, and the vectors of the RFCs."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from captures import tls
from captures.quic import LONGEST_HELLO, QuicReader, client_secrets, plain_name
from captures.readings import Moment
from tests.captures.building import Ethernet, Ipv4, Udp, pcap
from tests.captures.payloads import hello_message, server_name
from tests.captures.reader import read as read_capture

V1, V2, DRAFT_29 = 1, 0x6B3343CF, 0xFF00001D
SALTS = {
    V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899",
    0xFF000017: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xFACEB001: "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
}
ID = bytes.fromhex("8394c8f03e515708")
NAME = b"api.example.com"
HELLO = hello_message(server_name(NAME))
LONG = hello_message(b"\0\x33" + (1_500).to_bytes(2) + bytes(1_500), server_name(NAME))
SIDE = (0, 0)


def expanded(secret, label, length):
    label = b"tls13 " + label
    info = length.to_bytes(2) + bytes([len(label)]) + label + b"\0" + b"\1"
    return hmac.new(secret, info, hashlib.sha256).digest()[:length]


def varint(number):
    if number < 64:
        return bytes([number])
    if number < 1 << 14:
        return (number | 1 << 14).to_bytes(2)
    return (number | 2 << 30).to_bytes(4)


def crypto(offset, octets):
    return b"\x06" + varint(offset) + varint(len(octets)) + octets


def initial(  # noqa: PLR0913 - the fields of a packet
    frames, key_id=ID, *, to=None, version=V1, number=0, width=2, token=b"", size=0
):
    """An Initial packet of a client, encrypted with the keys that follow from `key_id`."""
    salt = bytes.fromhex(SALTS[version])
    secret = expanded(hmac.new(salt, key_id, hashlib.sha256).digest(), b"client in", 32)
    prefix = b"quicv2 " if version == V2 else b"quic "
    key, iv, hp = (
        expanded(secret, prefix + label, length)
        for label, length in ((b"key", 16), (b"iv", 12), (b"hp", 16))
    )
    frames = frames.ljust(max(size, 20), b"\0")
    kind = 1 if version == V2 else 0
    to = key_id if to is None else to
    head = bytes([0xC0 | kind << 4 | width - 1]) + version.to_bytes(4)
    head += bytes([len(to)]) + to + b"\3abc" + varint(len(token)) + token
    head += varint(width + len(frames) + 16)
    packet_number = number.to_bytes(width)
    nonce = bytes(a ^ b for a, b in zip(iv, packet_number.rjust(12, b"\0"), strict=True))
    body = AESGCM(key).encrypt(nonce, frames, head + packet_number)
    sample = (packet_number + body)[4:20]
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(sample)  # noqa: S305
    first = bytes([head[0] ^ mask[0] & 0x0F])
    hidden = bytes(a ^ b for a, b in zip(packet_number, mask[1:], strict=False))
    return first + head[1:] + hidden + body


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


def test_the_packet_of_rfc_9001_is_opened():
    """Appendix A.2: header, and the sample with its mask; the CRYPTO frame is 241 octets long."""
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
    head = bytes.fromhex("c300000001088394c8f03e5157080000449e00000002")
    key, iv, hp = client_secrets(V1, ID)
    nonce = iv[:-1] + bytes([iv[-1] ^ 2])
    body = AESGCM(key).encrypt(nonce, frame.ljust(1_162, b"\0"), head)
    assert body[:16].hex() == "d1b1c98dd7689fb8ec11d242b123dc9b"
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(body[:16])  # noqa: S305
    assert mask[:5].hex() == "437b9aec36"
    hidden = bytes(a ^ b for a, b in zip(head[18:], mask[1:5], strict=True))
    packet = bytes([head[0] ^ mask[0] & 0x0F]) + head[1:18] + hidden + body
    assert packet[:22].hex() == "c000000001088394c8f03e5157080000449e7b9aec34"
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


def test_a_hello_is_said_once():
    packet = initial(crypto(0, HELLO))
    assert names(packet, packet) == [(1, NAME)]


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
    assert len(list(reader.finish())) == 50 - len(given_up)


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
