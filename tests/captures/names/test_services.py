import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.services import RULES, services
from phonehome.captures.tables import Conversations
from tests.captures.payloads import NO_KINDS, dns_header, openssl_hello

QUERY = dns_header(1, flags=0x0100)
ANSWER = dns_header(1, 2)

SPOKEN = [
    ("tls", "tcp", 443, openssl_hello("a.example")),
    ("tls", "tcp", 5228, b"\x17\x03\x03\x00\x20"),
    ("tls", "tcp", 443, b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"),
    ("mmtls", "tcp", 443, b"\x16\xf1\x04\x00\xa6"),
    ("mmtls", "tcp", 80, b"\x19\xf1\x03\x01\x00"),
    ("http", "tcp", 80, b"GET / HTTP/1.1\r\n"),
    ("http", "tcp", 8080, b"POST http://a/ HTTP/1.1\r\n"),
    ("http", "tcp", 3128, b"CONNECT a.example:443 HTTP/1.1\r\n"),
    ("http", "tcp", 80, b"HTTP/1.1 200 OK\r\n"),
    ("http", "tcp", 80, b"PRI * HTTP/2.0\r\n\r\nSM"),
    ("ssh", "tcp", 22, b"SSH-2.0-OpenSSH_9.2"),
    ("dns", "tcp", 53, b"\x00\x1d" + QUERY),
    ("dns", "udp", 53, QUERY),
    ("dns", "udp", 53, ANSWER),
    ("mdns", "udp", 5353, dns_header(0, 1, flags=0x8400)),
    ("llmnr", "udp", 5355, dns_header(1, flags=0)),
    ("dhcp", "udp", 67, b"\x01\x01\x06\x00" + bytes(12)),
    ("dhcp", "udp", 547, b"\x01\xab\xcd\xef\x00\x01"),
    ("ntp", "udp", 123, b"\x23" + bytes(15)),
    ("ssdp", "udp", 1900, b"M-SEARCH * HTTP/1.1\r\n"),
    ("ssdp", "udp", 1900, b"NOTIFY * HTTP/1.1\r\n"),
    ("stun", "udp", 40_000, b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(8)),
    ("stun", "tcp", 443, b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(8)),
    ("stun", "udp", 3478, b"\x00\x01\x00\x18" + b"x" * 12),
    ("dtls", "udp", 4433, b"\x16\xfe\xff" + bytes(13)),
    ("dtls", "udp", 4433, b"\x17\xfe\xfd" + bytes(13)),
    ("quic", "udp", 443, b"\xc3\x00\x00\x00\x01\x08" + bytes(10)),
    ("quic", "udp", 443, b"\xd3\x6b\x33\x43\xcf\x08" + bytes(10)),
    ("quic", "udp", 443, b"\xc3\xff\x00\x00\x1d\x08" + bytes(10)),
    ("quic", "udp", 443, b"\xc3\x1a\x2a\x3a\x4a\x08" + bytes(10)),
    ("quic", "udp", 443, b"\xc3\xfa\xce\xb0\x02\x08" + bytes(10)),
    ("quic", "udp", 443, b"\xc3Q046\x50" + bytes(10)),
    ("quic", "udp", 443, b"\xc3T051\x50" + bytes(10)),
    ("quic", "udp", 443, b"\x0d" + b"x" * 8 + b"Q039\x01aa"),
]
SILENT = [
    ("tcp", 443, None),
    ("tcp", 443, b""),
    ("tcp", 443, b"\x17\x03"),
    ("tcp", 443, b"\x17\x03\x05\x00\x20"),
    ("tcp", 443, b"\x17\x03\x03\xff\xff"),
    ("tcp", 443, b"\x16\xf1\x05\x00\xa6"),
    ("tcp", 443, b"\x18\xf1\x04\x00\xa6"),
    ("udp", 443, b"\x16\xf1\x04\x00\xa6"),
    ("tcp", 80, b"GETAWAY"),
    ("tcp", 4222, b'CONNECT {"verbose"'),
    ("tcp", 5060, b"OPTIONS sip:a@b SIP/2.0"),
    ("tcp", 554, b"OPTIONS rtsp://a RTSP/1.0"),
    ("udp", 80, b"GET / HTTP/1.1\r\n"),
    ("udp", 54, QUERY),
    ("tcp", 53, QUERY),
    ("udp", 53, QUERY[:11]),
    ("udp", 53, bytes(16)),
    ("udp", 53, b"\x8f" * 16),
    ("udp", 124, b"\x23" + bytes(15)),
    ("udp", 123, b"\x20" + bytes(15)),
    ("udp", 123, b"\x2b" + bytes(15)),
    ("udp", 40_000, b"\x00\x01\x00\x09\x21\x12\xa4\x42" + bytes(8)),
    ("udp", 40_000, b"\x00\x01\x00\x18" + b"x" * 12),
    ("udp", 443, b"\x43\x00\x00\x00\x01\x08" + bytes(10)),
    ("udp", 443, b"\xc3\x00\x00\x00\x01\x15" + bytes(10)),
    ("udp", 443, b"\xc3\xff\x00\x00\x23\x08" + bytes(10)),
    ("udp", 443, b"\xc3Q0x6\x50" + bytes(10)),
    ("icmp", None, b"\x08\x00" + bytes(14)),
]


def conversations(*rows):
    """Conversations of these protocols, ports of b, and first bytes of a and of b."""
    names = ("protocol", "b_port", "a_head", "b_head")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return Conversations.validate(
        pl.DataFrame(
            {
                "conversation": range(len(rows)),
                "protocol": columns["protocol"],
                "a_address": "192.168.1.5",
                "a_port": [None if port is None else 50_000 for port in columns["b_port"]],
                "b_address": "203.0.113.7",
                "b_port": columns["b_port"],
                "opener": None,
                "handshake": None,
                **NO_KINDS,
                "acknowledged": None,
                "answered": None,
                "handshake_hop_limit": None,
                "a_mac": None,
                "b_mac": None,
                "a_head": columns["a_head"],
                "b_head": columns["b_head"],
            },
            schema=Conversations.create_empty().schema,
        )
    )


@pytest.mark.parametrize(("service", "protocol", "port", "head"), SPOKEN)
def test_a_service_is_told_by_what_either_end_says_first(service, protocol, port, head):
    spoken = conversations((protocol, port, head[:16], None), (protocol, port, b"?", head[:16]))
    assert services(spoken).to_list() == [service, service]


@pytest.mark.parametrize(("protocol", "port", "head"), SILENT)
def test_what_is_not_recognised_has_no_service(protocol, port, head):
    head = head and head[:16]
    assert services(conversations((protocol, port, head, None))).to_list() == [None]
    assert services(conversations((protocol, port, None, head))).to_list() == [None]


def test_services_stand_in_the_order_of_the_conversations():
    rows = [(protocol, port, head[:16], None) for _, protocol, port, head in SPOKEN]
    rows += [(protocol, port, head and head[:16], None) for protocol, port, head in SILENT]
    expected = [service for service, *_ in SPOKEN] + [None] * len(SILENT)
    found = services(conversations(*rows))
    assert found.to_list() == expected
    assert (found.name, found.dtype) == ("service", pl.String)


def test_no_conversations_have_no_services():
    assert services(Conversations.create_empty()).to_list() == []


def test_every_rule_is_tested():
    """The rule that decides is the first that holds: so each must decide for one of `SPOKEN`."""
    deciding = set()
    for service, protocol, port, head in SPOKEN:
        spoken = conversations((protocol, port, head[:16], None))
        for number in range(len(RULES)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("phonehome.captures.names.services.RULES", RULES[: number + 1])
                if services(spoken).to_list() == [service]:
                    deciding.add(number)
                    break
    assert deciding == set(range(len(RULES)))


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tcp", "udp"]),
            st.sampled_from([53, 123, 443, 3478]),
            st.none() | st.binary(max_size=16),
            st.none() | st.binary(max_size=16),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_each_conversation_is_told_by_itself_alone(rows):
    assert services(conversations(*rows)).to_list() == [
        services(conversations(row)).to_list()[0] for row in rows
    ]
