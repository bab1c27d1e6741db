from collections import defaultdict

import numpy as np
import pytest

from benchmarks.messages import messages
from benchmarks.packets import (
    ACK,
    FIN,
    NO_BODY,
    POOL,
    SYN,
    Kind,
    draw_packets,
)
from benchmarks.plan import draw_flows


def test_a_capture_has_exactly_the_packets_and_flows_that_were_asked_for(packets):
    assert len(packets.time) == 12_000
    assert len(np.unique(packets.flow)) == 400


def test_packets_stand_in_the_order_of_time_within_about_an_hour(packets):
    assert (np.diff(packets.time) >= 0).all()
    assert packets.time[-1] - packets.time[0] < 3_700_000_000


def test_the_same_seed_gives_the_same_packets(flows, bodies, packets):
    again = draw_packets(7, flows, 12_000, bodies)
    assert np.array_equal(packets.seq, again.seq)
    assert np.array_equal(packets.source, again.source)


def test_each_tcp_direction_covers_its_sequence_range_without_a_gap(flows, packets):
    used = packets.size + ((packets.flags & (SYN | FIN)) != 0)
    sent = defaultdict(set)
    for flow, is_up, flags, seq, count in zip(
        packets.flow.tolist(),
        packets.is_up.tolist(),
        packets.flags.tolist(),
        packets.seq.tolist(),
        used.tolist(),
        strict=True,
    ):
        if flags and count:
            sent[flow, is_up].add((seq, count))
    tcp_flows = np.isin(flows.kind, (Kind.TLS, Kind.HTTP, Kind.OPAQUE_TCP)).sum()
    assert len(sent) == 2 * tcp_flows
    for pieces in sent.values():
        followed = {(seq + count) % 2**32 for seq, count in pieces}
        assert len({seq for seq, _ in pieces} - followed) == 1


def test_each_acknowledgement_is_a_number_that_the_other_end_has_reached(packets):
    reached = defaultdict(set)
    used = packets.size + ((packets.flags & (SYN | FIN)) != 0)
    is_tcp = packets.flags != 0
    ends = ((packets.seq.astype(np.int64) + used) % 2**32).tolist()
    for flow, is_up, end in zip(
        packets.flow[is_tcp].tolist(),
        packets.is_up[is_tcp].tolist(),
        [end for end, tcp in zip(ends, is_tcp.tolist(), strict=True) if tcp],
        strict=True,
    ):
        reached[flow, is_up].add(end)
    acking = (packets.flags & ACK) != 0
    for flow, is_up, ack in zip(
        packets.flow[acking].tolist(),
        packets.is_up[acking].tolist(),
        packets.ack[acking].tolist(),
        strict=True,
    ):
        assert ack in reached[flow, not is_up]


def test_the_phone_acknowledges_the_end_of_the_remote(flows, packets):
    ended = {}
    for row in ((packets.flags & FIN) != 0).nonzero()[0].tolist():
        if not packets.is_up[row]:
            ended[int(packets.flow[row])] = (int(packets.seq[row]) + 1) % 2**32
    acked = defaultdict(set)
    for row in (packets.is_up & (packets.flags == ACK)).nonzero()[0].tolist():
        acked[int(packets.flow[row])].add(int(packets.ack[row]))
    assert len(ended) == np.isin(flows.kind, (Kind.TLS, Kind.HTTP, Kind.OPAQUE_TCP)).sum()
    assert all(end in acked[flow] for flow, end in ended.items())


def test_one_packet_of_a_hundred_is_sent_twice_with_the_same_bytes(packets):
    carries = (packets.flags != 0) & (packets.size > 0)
    columns = (packets.flow, packets.is_up, packets.seq, packets.size, packets.source, packets.body)
    rows = np.stack([column[carries].astype(np.int64) for column in columns], axis=1)
    by_range = len(np.unique(rows[:, :3], axis=0))
    by_bytes = len(np.unique(rows, axis=0))
    assert by_range == by_bytes
    assert len(rows) - by_range == pytest.approx(120, rel=0.1)


def test_some_segments_overtake_each_other(packets):
    carries = (packets.flags != 0) & (packets.size > 0)
    columns = (packets.flow, packets.is_up, packets.seq)
    rows = np.stack([column[carries].astype(np.int64) for column in columns], axis=1)
    _, first = np.unique(rows, axis=0, return_index=True)  # a copy comes after what it copies
    rows = rows[np.sort(first)]
    step = np.diff(rows[np.lexsort((rows[:, 1], rows[:, 0]))], axis=0)
    is_back = (step[:, 2] < 0) & (step[:, 2] > -(2**31)) & ~step[:, :2].any(axis=1)
    assert is_back.sum() > 5


def test_payloads_stay_within_the_pool(packets):
    pooled = packets.body == NO_BODY
    assert (packets.source[pooled].astype(np.int64) + packets.size[pooled] < POOL).all()


def test_frames_of_the_stated_capture_average_nine_hundred_bytes():
    flows = draw_flows(1, 3_200)
    packets = draw_packets(1, flows, 200_000, messages(1, flows))
    assert packets.size.mean() == pytest.approx(840, abs=40)  # 60 bytes of headers on top


def test_too_few_packets_for_the_flows_are_refused(flows, bodies):
    with pytest.raises(ValueError, match="packets: expected at least"):
        draw_packets(7, flows, 1_000, bodies)
