"""The span of a capture: times that cannot be true do not stretch it, and are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decoding.capture_clock import DAY_NS, Clock
from phonehome.captures.kernels.layout import NO_TIME
from tests.captures.building import START, Ethernet, Ipv4, Pcap, Record, Udp
from tests.captures.reader import read

NOON = 20_000 * DAY_NS + DAY_NS // 2


def clock(*times):
    result = Clock()
    for low in range(0, len(times), 7):
        result.add(np.array(times[low : low + 7], dtype=np.int64))
    return result


def test_without_times_there_is_no_span():
    assert clock().span() is None
    assert clock(NO_TIME, NO_TIME).span() is None


@given(st.lists(st.integers(NOON, NOON + 25 * DAY_NS), min_size=1, max_size=60))
def test_times_of_one_stretch_are_all_believed(times):
    result = clock(*times)
    assert result.span() == (min(times), max(times))
    assert result.far_off() == 0


@pytest.mark.parametrize("far", [1, NOON - 40 * DAY_NS, NOON + 40 * DAY_NS, 2**62])
@pytest.mark.parametrize(("count", "is_far_off"), [(1, True), (9, True), (10, False), (800, False)])
def test_few_packets_far_away_are_far_off(far, count, is_far_off):
    times = [NOON + at for at in range(1_000)] + [far + at for at in range(count)]
    result = clock(*times)
    assert result.far_off() == (count if is_far_off else 0)
    believed = times[:1_000] if is_far_off else times
    assert result.span() == (min(believed), max(believed))


def test_a_packet_of_another_age_does_not_stretch_the_capture():
    octets = bytes(Ethernet(Ipv4(Udp(b"hello"))))
    times = [START + at * 10**9 for at in range(200)]
    records = [Record(octets, time) for time in [*times, 4_294_967_295 * 10**9, 10**9]]
    tables = read(Pcap().file(records))
    first, last = tables.capture["first_time"], tables.capture["last_time"]
    assert (last - first).total_seconds() == 199
    odd = tables.oddities.filter(kind="time_far_off")
    assert odd.select("layer", "count").rows() == [("file", 2)]
