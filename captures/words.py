# Held by tests/analyzer/flows/test_hosts.py: closed lists.
"""The closed lists of words that the tables of captures use."""

OUTCOMES = ("conversation", "non_ip", "malformed", "cut", "fragment", "limit", "duplicate")
"""What reading makes of a packet; its place in this list is its number in the packets table."""

PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmp6",
    89: "ospf",
    103: "pim",
    112: "vrrp",
    132: "sctp",
    136: "udplite",
}
"""IP protocol numbers with a name of ours; any other protocol is shown as its number."""

NAME_SOURCES = ("sni", "quic_sni", "http_host", "httpdns", "dns", "certificate")
"""Where a name was seen, the most telling first."""

CONTENTS = ("text", "random", "structured", "too_short", "mixed")
"""What octets can look like."""

OWNER_SOURCES = (
    "pktap",
    "darwin",
    "pcapdroid_trailer",
    "pcapdroid_comment",
    "pymobiledevice3",
    "ptcpdump",
    "nflog",
    "antmonitor",
)
"""What in a capture says who owns a conversation."""

BARE_LINK_TYPES = (12, 14, 101, 228, 229)
"""Link types of packets without a link header: they begin with the IP header."""

PACKET_ODDITIES = (
    ("link", "link_type_unknown"),
    ("link", "link_header_cut"),
    ("link", "vlan_depth"),
    ("link", "tool_header_cut"),
    ("link", "tool_header_malformed"),
    ("network", "network_header_cut"),
    ("network", "network_header_malformed"),
    ("network", "ip_length_zero"),
    ("network", "ip_length_beyond_frame"),
    ("network", "extension_headers_depth"),
    ("network", "fragment_table_full"),
    ("transport", "transport_header_cut"),
    ("transport", "transport_header_malformed"),
    ("transport", "udp_length_beyond_packet"),
    ("transport", "sequence_gaps_limit"),
    ("transport", "conversations_limit"),
    ("file", "captured_beyond_original"),
    ("file", "interface_unknown"),
    ("link", "link_header_malformed"),
    ("link", "encrypted"),
    ("network", "layers_depth"),
    ("network", "inner_packet_unread"),
)
"""Layer and kind of what can be odd in a packet; kernels know each by its place here."""

SEARCHED_LAYERS = ("tcp", "udp", "dns", "http", "tls", "quic", "mmtls")
"""What may carry an identifier; of tls, quic and mmtls names, or what a key has opened."""

LONGEST_NAME = 255
"""Octets that a name may have (RFC 1035, section 2.3.4). What is longer names no host."""

SUMS = (
    "wire_bytes",
    "ip_bytes",
    "link_bytes",
    "network_header_bytes",
    "transport_header_bytes",
    "payload_bytes",
    "unique_bytes",
)
"""The sums of packets that are kept per conversation, direction and span of time."""

SECOND = 1_000_000_000
"""Nanoseconds."""

KEY_SOURCES = ("keylog", "secrets_block", "mmtls_keylog")
"""Where a key may come from."""

REASONS = (
    "no_key",
    "no_handshake",
    "not_dissected",
    "no_answer",
    "nothing_opened",
    "tshark_missing",
    "tshark_stopped",
    "read_once",
    "not_supported",
)
"""Why nothing of a conversation was opened."""

IDENTIFIER_KINDS = {
    "advertising_id": "advertising ID",
    "android_id": "Android ID",
    "imei": "IMEI",
    "imsi": "IMSI",
    "serial": "serial number",
    "mac": "MAC address",
    "phone_number": "phone number",
    "email": "e-mail address",
    "account": "account number or name",
    "ssid": "name of a Wi-Fi network (SSID)",
    "bssid": "address of a Wi-Fi access point (BSSID)",
    "coordinates": "place",
    "contact": "name from the address book",
    "text": "planted text",
    "file": "planted file",
}
"""The kinds of identifier, and how people call them."""

SAID_BY_CAPTURE = {"said_by": "capture"}
"""What a column bears whose text is of a capture: it may name a person, and is withheld so."""
