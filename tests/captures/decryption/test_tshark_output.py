import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption.tshark_output import Http2Frame, QuicFrame, said

BASE = {
    "frame_number": ["7"],
    "frame_time_epoch": ["1700000000.123456789"],
    "frame_protocols": ["eth:ethertype:ip:tcp:tls:data"],
    "ip_src": ["192.0.2.1"],
    "ip_dst": ["203.0.113.7"],
    "tcp_srcport": ["40000"],
    "tcp_dstport": ["443"],
    "tcp_stream": ["3"],
}


def line(**changes):
    return json.dumps({"timestamp": "1", "layers": BASE | changes}).encode()


def test_ends_frame_and_time_of_a_packet_are_read():
    found = said(line(data_data=["00ff", "10"]))
    assert (found.frame, found.time) == (7, 1_700_000_000_123_456_789)
    assert (found.protocol, found.connection) == ("tcp", 3)
    assert found.source == ("192.0.2.1", 40_000)
    assert found.destination == ("203.0.113.7", 443)
    assert found.octets == [b"\0\xff", b"\x10"]


def test_of_a_tunnel_the_innermost_ends_count():
    found = said(
        line(
            frame_protocols=["raw:ip:ip:ipv6:tcp:tls"],
            ip_src=["10.0.0.1", "10.0.0.2"],
            ipv6_src=["2001:db8::1", "2001:DB8:0::2"],
            ipv6_dst=["2001:db8::3", "2001:db8::4"],
        )
    )
    assert found.source == ("2001:db8::2", 40_000)
    assert found.destination == ("2001:db8::4", 443)


def test_an_index_line_and_a_packet_without_ends_say_nothing():
    assert said(b'{"index":{"_index":"packets-2026-09-28"}}') is None
    assert said(line(tcp_srcport=[""])) is None
    assert said(line(frame_protocols=["eth:arp"])) is None
    without = {name: values for name, values in BASE.items() if name != "tcp_stream"}
    assert said(json.dumps({"layers": without}).encode()) is None


def test_headers_of_http_2_go_to_the_frames_that_end_their_block():
    found = said(
        line(
            http2_type=["4", "1", "9", "0", "0", "1"],
            http2_flags=["0x00", "0x00", "0x04", "0x00", "0x01", "0x05"],
            http2_streamid=["0", "1", "1", "1", "1", "3"],
            http2_length=["0", "10", "5", "0", "4", "2"],
            http2_header_count=["2", "1"],
            http2_header_name=[":path", "x", ":status"],
            http2_header_value=["/", "", "200"],
            http2_data_data=["61626364"],
        )
    )
    assert found.http2 == [
        Http2Frame(1, [(":path", "/"), ("x", "")], b"", is_whole=False, is_last=False),
        Http2Frame(1, None, b"", is_whole=False, is_last=False),
        Http2Frame(1, None, b"abcd", is_whole=False, is_last=True),
        Http2Frame(3, [(":status", "200")], b"", is_whole=False, is_last=True),
    ]
    assert found.http2_bytes == 6 * 9 + 21


def test_frames_of_quic_without_an_offset_begin_their_stream():
    found = said(
        line(
            frame_protocols=["eth:ethertype:ip:udp:quic"],
            udp_srcport=["1"],
            udp_dstport=["443"],
            quic_connection_number=["5"],
            quic_frame_type=["2", "8", "15", "30"],
            quic_stream_stream_id=["0", "4"],
            quic_stream_offset=["100"],
            quic_stream_data=["61", "62"],
        )
    )
    assert found.quic == [
        QuicFrame(0, 0, b"a", is_last=False),
        QuicFrame(4, 100, b"b", is_last=True),
    ]


@pytest.mark.parametrize(
    "octets", [b"garbage", b"[1]", b'{"layers": 7}', b'{"layers": {"a": 1}}', b"[" * 100_000]
)
def test_what_is_no_line_of_tsharks_is_refused(octets):
    with pytest.raises(ValueError, match=r"tshark|JSON|Expecting|recursion|Extra"):
        said(octets)


@given(
    st.dictionaries(
        st.sampled_from([*BASE, "http2_type", "quic_stream_data", "data_data"]),
        st.lists(st.text(max_size=5), max_size=3),
    )
)
def test_any_values_are_read_or_refused(changes):
    with contextlib.suppress(ValueError):
        found = said(line(**changes))
        assert found is None or found.frame == int(found.frame)
