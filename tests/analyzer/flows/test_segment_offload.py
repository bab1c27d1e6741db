"""What offloaded uploads would have weighed: only where packets are too large for a link."""

import polars as pl

from phonehome.analyzer.flows.segment_offload import MSS, with_estimate


def estimate(packets, payload, wire, protocol="tcp"):
    row = {
        "protocol": protocol,
        "up_packets": packets,
        "up_payload_bytes": payload,
        "up_wire_bytes": wire,
    }
    return with_estimate(pl.DataFrame([row]))["up_wire_estimate_bytes"][0]


def test_giants_get_the_headers_of_the_segments_that_they_stand_for():
    assert estimate(1, 10 * MSS, 10 * MSS + 66) == 10 * (MSS + 66)
    assert estimate(2, 20 * MSS, 20 * MSS + 132) == 20 * (MSS + 66)
    assert estimate(1, 10 * MSS + 1, 10 * MSS + 67) == 10 * MSS + 1 + 11 * 66


def test_ordinary_packets_and_other_protocols_need_no_estimate():
    assert estimate(10, 10 * MSS, 10 * (MSS + 66)) is None
    assert estimate(1, 9_000, 9_042, "udp") is None
    assert estimate(0, 0, 0) is None
