"""What a phone passes on for others, or others for it, is counted once, and to whom it belongs."""

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.captures.kernels.test_tool_tags import pktap
from tests.small_captures import ACK, PHONE, REMOTE, SYN, Frame, pcap, put, tcp

CLIENT, HOTSPOT, CELLULAR = "192.168.43.50", "192.168.43.1", "10.20.30.40"
HOTSPOT_INTERFACE, CELLULAR_INTERFACE = 5, 3
SLL2, PKTAP = 276, 258
TO_US, OUTGOING = 0, 4


def on(interface, kind, octets, ms):
    """A packet as `tcpdump -i any` has it on this interface."""
    head = b"\x08\x00\0\0" + interface.to_bytes(4) + b"\0\x01" + bytes([kind, 6]) + bytes(8)
    return Frame(head + octets).at(ms / 1_000)


def connection(sender, hops):
    """Opening and 3,000 bytes up of a connection, as this address bears it."""
    local, far = (sender, 40_000), (REMOTE, 443)
    return [
        (True, tcp(local, far, seq=999, ack=0, flags=SYN, hops=hops)),
        (False, tcp(far, local, seq=8_999, ack=1_000, flags=SYN | ACK, hops=50)),
        *(
            (True, tcp(local, far, b"u" * 1_000, seq=1_000 + 1_000 * n, hops=hops))
            for n in range(3)
        ),
        (False, tcp(far, local, b"d" * 200, seq=9_000, ack=4_000, hops=50)),
    ]


def forwarded(own, translated):
    """A client's connection on the hotspot's interface, and what the phone sends on for it."""
    frames = []
    for at, ((is_up, inside), (_, outside)) in enumerate(zip(own, translated, strict=True)):
        near = on(HOTSPOT_INTERFACE, TO_US if is_up else OUTGOING, inside, 100 * at + (not is_up))
        far = on(CELLULAR_INTERFACE, OUTGOING if is_up else TO_US, outside, 100 * at + is_up)
        frames += [near, far] if is_up else [far, near]
    return frames


def uploaded(tmp_path, frames, link_type=SLL2, **settings):
    path = put(tmp_path / "a.pcap", pcap(frames, link_type=link_type))
    return analyze([path], Settings(**settings))


def test_what_is_sent_on_with_another_address_is_counted_once(tmp_path):
    frames = forwarded(connection(CLIENT, 64), connection(CELLULAR, 63))
    for phones in ((), (CELLULAR, HOTSPOT)):
        found = uploaded(tmp_path, frames, phones=phones)
        assert found.summary.up_unique_bytes == 3_000
        roles = dict(found.flows.select("local_address", "role").rows())
        assert roles == {CLIENT: "bystander", CELLULAR: "phone"}


def test_what_is_sent_on_as_it_came_is_counted_once(tmp_path):
    frames = forwarded(connection(CLIENT, 64), connection(CLIENT, 63))
    found = uploaded(tmp_path, frames, phones=(CLIENT,))
    assert found.summary.up_unique_bytes == 3_000
    outcomes = dict(found.ledger.select("outcome", "packets").rows())
    assert (outcomes["attributed"], outcomes["duplicate"]) == (6, 6)


@pytest.mark.parametrize(("app", "bytes_up"), [("Parrot", 3_000), ("daemon", 0)])
def test_a_delegated_socket_counts_once_to_the_app_that_it_serves(tmp_path, app, bytes_up):
    frames = [
        Frame(pktap(octets, flags=2 if is_up else 1)).at(at / 10)
        for at, (is_up, octets) in enumerate(connection(PHONE, 64))
    ]
    found = uploaded(tmp_path, frames, PKTAP, app=app)
    assert found.summary.up_unique_bytes == bytes_up
    assert found.flows["app"].to_list() == ["Parrot"]
    assert found.flows["up_unique_bytes"].sum() == 3_000
