import ipaddress
import struct
from datetime import timedelta

import dns.flags
import dns.message
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_sample import SHAPES, final_frames
from sample.app import Tally
from sample.files import pcap_bytes, pcapng_bytes
from sample.frames import (
    TCP,
    UDP,
    Anchor,
    internet_checksum,
    ip_packet,
    noise,
    readdress,
    spread,
    tcp_segment,
    udp_segment,
)
from sample.network import Recorded
from sample.plan import CDN, CHAT, PHONE_IPV4, PHONE_IPV6, PUSH, plan
from sample.servers import answer
from sample.truth import instant_ns, outcome, phase_at, take_apart, truth

RECORDED, PUBLIC = "10.66.0.1", "52.23.61.14"
RECORDED6, PUBLIC6 = "fd66::7", "2a01:4f8:c17:b0f::2"
ADDRESSES = {
    ipaddress.ip_address(old).packed: ipaddress.ip_address(new).packed
    for old, new in ((RECORDED, PUBLIC), (RECORDED6, PUBLIC6))
}
BEGIN = instant_ns(plan("1.0", 1).start)


def checksum_residue(packet: bytes) -> int:
    """Zero for a right transport checksum: RFC 1071 summed over pseudo header and segment."""
    if packet[0] >> 4 == 4:
        head, protocol, ends = (packet[0] & 15) * 4, packet[9], packet[12:20]
    else:
        head, protocol, ends = 40, packet[6], packet[8:40]
    segment = packet[head:]
    total, odd = 0, ends + struct.pack("!II", len(segment), protocol) + segment
    for at in range(0, len(odd), 2):
        total += int.from_bytes(odd[at : at + 2].ljust(2, b"\0"), "big")
    return total % 0xFFFF


def tcp_frame(sequence: int, payload: bytes, *, is_up: bool = True) -> bytes:
    ends = (PHONE_IPV4, PUBLIC) if is_up else (PUBLIC, PHONE_IPV4)
    ports = (40_000, 443) if is_up else (443, 40_000)
    segment = tcp_segment(ports, (sequence % (1 << 32), 0), 0x18, payload)
    return bytes(12) + b"\x08\x00" + ip_packet(TCP, *ends, segment)


def test_the_checksum_of_the_example_in_rfc_1071_is_right():
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_a_checksum_over_an_odd_length_pads_with_zero():
    assert internet_checksum(b"\x12\x34\x56") == internet_checksum(b"\x12\x34\x56\x00")


@settings(deadline=None)
@given(payload=st.binary(max_size=1400), is_tcp=st.booleans(), is_ipv6=st.booleans())
def test_readdressed_packets_keep_all_but_addresses_and_have_right_checksums(
    payload, is_tcp, is_ipv6
):
    segment = tcp_segment((5, 6), (7, 8), 16, payload) if is_tcp else udp_segment(5, 6, payload)
    ends = (PHONE_IPV6, RECORDED6) if is_ipv6 else (PHONE_IPV4, RECORDED)
    before = ip_packet(TCP if is_tcp else UDP, *ends, segment)
    after = readdress(before, ADDRESSES)
    public = ipaddress.ip_address(PUBLIC6 if is_ipv6 else PUBLIC).packed
    start = 40 if is_ipv6 else 20
    assert after[start - len(public) : start] == public
    assert after[:8] == before[:8]
    assert after[start : start + 4] == before[start : start + 4]
    assert after.endswith(payload)
    assert len(after) == len(before)
    assert checksum_residue(after) == 0
    assert is_ipv6 or internet_checksum(after[:20]) == 0
    back = {new: old for old, new in ADDRESSES.items()}
    assert readdress(after, back) == before


@pytest.mark.parametrize(
    ("ends", "at"), [((RECORDED, PHONE_IPV4), 8), ((RECORDED6, PHONE_IPV6), 7)]
)
def test_the_hop_limit_is_that_of_who_sends(ends, at):
    known = dict.fromkeys(ADDRESSES.values(), 41)
    down, up = (
        readdress(ip_packet(UDP, *way, udp_segment(5, 6, b"x")), ADDRESSES, known)
        for way in (ends, ends[::-1])
    )
    assert (down[at], up[at]) == (41, 64)
    assert [checksum_residue(packet) for packet in (down, up)] == [0, 0]
    assert at == 7 or internet_checksum(down[:20]) == 0


def test_no_two_servers_far_apart_have_the_hop_limit_of_one_machine():
    for version in ("1.0", "2.0"):
        limits = [one.hop_limit for one in plan(version, 1).destinations]
        assert len(set(limits)) == len(limits)
        assert all(
            5 <= min(kind - hops for kind in (64, 128, 255) if hops < kind) <= 30 for hops in limits
        )


def test_a_udp_checksum_of_zero_is_sent_as_all_ones():
    # A payload equal to the checksum over a zero payload brings the checksum itself to zero.
    packet = ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, b"\0\0"))
    needed = struct.unpack_from("!H", packet, 26)[0]
    chosen = ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, struct.pack("!H", needed)))
    assert chosen[26:28] == b"\xff\xff"


def test_a_fragment_is_refused():
    packet = bytearray(ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, b"")))
    packet[6:8] = b"\x20\x00"
    with pytest.raises(ValueError, match="got a fragment"):
        readdress(bytes(packet), ADDRESSES)


def test_an_unknown_protocol_is_refused():
    packet = bytearray(ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, b"")))
    packet[9] = 132
    with pytest.raises(ValueError, match="got 132"):
        readdress(bytes(packet), ADDRESSES)


def test_spreading_keeps_gaps_inside_a_step_and_widens_those_between():
    anchors = [Anchor(100, 5_000), Anchor(200, 90_000)]
    assert [spread(at, anchors) for at in (100, 130, 199, 200, 260)] == [
        5_000,
        5_030,
        5_099,
        90_000,
        90_060,
    ]


def test_spreading_refuses_a_packet_before_the_first_step():
    with pytest.raises(ValueError, match="earlier than every step"):
        spread(99, [Anchor(100, 5_000)])


def test_spreading_refuses_a_step_that_runs_into_the_next():
    with pytest.raises(ValueError, match="runs into the next one"):
        spread(180, [Anchor(100, 5_000), Anchor(200, 5_050)])


def test_a_packet_across_the_edge_of_a_phase_is_refused():
    planned = plan("1.0", 1)
    late = Anchor(0, BEGIN + 600 * 10**9 - 5)
    packet = ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, b""))
    with pytest.raises(ValueError, match="runs over an edge"):
        final_frames(planned, [Recorded(5, packet, is_up=True)], [late], 1)


def test_final_frames_bear_public_addresses_and_times_of_the_resolution():
    planned = plan("1.0", 1)
    packet = ip_packet(UDP, PHONE_IPV4, RECORDED, udp_segment(5, 6, b"hello"))
    anchors = [Anchor(0, BEGIN + 10**9)]
    frames = final_frames(planned, [Recorded(1_999, packet, is_up=True)], anchors, 1000)
    ours = [(at, frame) for at, frame in frames if frame.endswith(b"hello")]
    assert [at for at, _ in ours] == [BEGIN + 10**9 + 1000]
    seen = take_apart(1, *ours[0])
    assert seen.target == (PUBLIC, 6)
    assert frames == sorted(frames, key=lambda moment: moment[0])


def test_unique_bytes_count_a_retransmission_and_a_wrap_once():
    planned = plan("1.0", 1)
    start = (1 << 32) - 10
    frames = [
        (BEGIN, tcp_frame(start, bytes(30))),
        (BEGIN + 1, tcp_frame(start + 20, bytes(30))),
        (BEGIN + 2, tcp_frame(start, bytes(5), is_up=False)),
    ]
    api = next(one for one in planned.destinations if one.address == PUBLIC)
    only = plan_of(planned, api)
    tallies = {(api.host, 0): tally(50, 5)}
    found = truth(only, frames, tallies)
    total = found["destinations"][0]["total"]
    assert (total["up_payload_bytes"], total["up_unique_bytes"]) == (60, 50)
    assert (total["down_payload_bytes"], total["down_unique_bytes"]) == (5, 5)
    assert found["attributed_bytes"]["payload_again"] == 10
    assert sum(found["attributed_bytes"].values()) == found["wire_bytes"]


def test_a_socket_that_disagrees_with_its_packets_is_an_error():
    planned = plan("1.0", 1)
    api = next(one for one in planned.destinations if one.address == PUBLIC)
    with pytest.raises(ValueError, match=r"api\.parrot\.example: phase 0"):
        truth(
            plan_of(planned, api),
            [(BEGIN, tcp_frame(1, bytes(30)))],
            {(api.host, 0): tally(29, 0)},
        )


def plan_of(planned, *destinations):
    return type(planned)(**{**vars(planned), "destinations": destinations})


def tally(up: int, down: int):
    return Tally(socket_up_bytes=up, socket_down_bytes=down)


def test_the_noise_has_every_outcome_that_is_not_attributed():
    seen = [take_apart(1, 0, frame) for _, frame in noise(PHONE_IPV4, PHONE_IPV6)]
    outcomes = {outcome(one) if one else "non_ip" for one in seen}
    assert outcomes == {"local", "bystander", "non_ip"}


@pytest.mark.parametrize("key", SHAPES)
def test_plans_repeat_exactly_and_keep_every_step_inside_its_phase(key):
    planned = plan(*key)
    assert planned == plan(*key)
    edges = {edge for phase in planned.phases for edge in (phase.start, phase.end)}
    assert all(abs(step.at - edge) > 3 for step in planned.steps for edge in edges if edge)
    gaps = [b.at - a.at for a, b in zip(planned.steps, planned.steps[1:], strict=False)]
    assert min(gaps) > 3


def test_a_phase_holds_its_start_and_not_its_end():
    planned = plan("1.0", 1)
    at = [instant_ns(planned.start + timedelta(seconds=s)) for s in (-1, 0, 600, 4200)]
    assert [phase_at(planned, one) for one in at] == [None, 0, 1, None]


def known():
    return {one.host: one for one in plan("2.0", 1).destinations}


def test_the_resolver_follows_an_alias_to_the_public_address():
    reply = dns.message.from_wire(
        answer(dns.message.make_query(CDN, "A").to_wire(), known(), is_datagram=True)
    )
    assert [section.to_text().split()[3:] for section in reply.answer] == [
        ["CNAME", "parrot.cdn.vendor.example."],
        ["A", "35.182.44.19"],
    ]


def test_the_resolver_truncates_datagrams_of_a_name_that_is_looked_up_over_tcp():
    query = dns.message.make_query(CHAT, "A").to_wire()
    datagram = dns.message.from_wire(answer(query, known(), is_datagram=True))
    stream = dns.message.from_wire(answer(query, known(), is_datagram=False))
    assert datagram.flags & dns.flags.TC
    assert not datagram.answer
    assert "54.210.11.7" in stream.answer[0].to_text()


def test_the_resolver_gives_no_ipv4_address_to_a_host_on_ipv6():
    query = dns.message.make_query(PUSH, "A").to_wire()
    assert not dns.message.from_wire(answer(query, known(), is_datagram=True)).answer


FRAMES = [(BEGIN + number * 1_001_000, bytes([number]) * (60 + number)) for number in range(5)]


@pytest.mark.parametrize("resolution_ns", [1, 1000])
def test_a_pcap_file_holds_every_frame_with_its_time(resolution_ns):
    data = pcap_bytes(FRAMES, resolution_ns=resolution_ns)
    assert data[:4] == struct.pack("<I", 0xA1B23C4D if resolution_ns == 1 else 0xA1B2C3D4)
    at, read = 24, []
    while at < len(data):
        seconds, fraction, captured, original = struct.unpack_from("<IIII", data, at)
        assert captured == original
        frame = data[at + 16 : at + 16 + captured]
        read.append((seconds * 10**9 + fraction * resolution_ns, frame))
        at += 16 + captured
    assert read == FRAMES


@pytest.mark.parametrize("resolution_ns", [1, 1000])
def test_a_pcapng_file_holds_every_frame_with_its_time_between_its_other_blocks(resolution_ns):
    data = pcapng_bytes(FRAMES, resolution_ns=resolution_ns)
    at, kinds, read = 0, [], []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert data[at + length - 4 : at + length] == data[at + 4 : at + 8]
        kinds.append(kind)
        if kind == 6:
            high, low, captured = struct.unpack_from("<III", data, at + 12)
            time_ns = (high << 32 | low) * resolution_ns
            read.append((time_ns, data[at + 28 : at + 28 + captured]))
        at += length
    assert kinds == [0x0A0D0D0A, 1, 6, 6, 6, 6, 6, 5]
    assert read == FRAMES
