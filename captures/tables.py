"""The tables that the captures room hands on: the contract of its door."""

import dataframely as dy

from phonehome.captures.words import (
    CONTENTS,
    NAME_SOURCES,
    OUTCOMES,
    OWNER_SOURCES,
    PROTOCOLS,
    SAID_BY_CAPTURE,
    SEARCHED_LAYERS,
)


class Packets(dy.Schema):
    """One row per packet of one window, in file order.

    The five parts `link_bytes`, `network_header_bytes`, `transport_header_bytes`,
    `unique_bytes` and `payload_bytes - unique_bytes` add up to `wire_bytes` in every row that
    has a conversation.
    """

    frame = dy.Int64(nullable=False, min=1, description="Number of the packet in its file, from 1.")
    time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Time stamp of the packet. Null: absent or beyond what 64 bits can hold.",
    )
    conversation = dy.Int32(
        nullable=True,
        description="Number of its conversation in this capture. Null: it belongs to none.",
    )
    is_from_b = dy.Bool(
        nullable=False, description="Sent by end b. False also where there is no conversation."
    )
    outcome = dy.UInt8(
        nullable=False,
        max=len(OUTCOMES) - 1,
        description="Index into `words.OUTCOMES`: what reading made of the packet.",
    )
    is_outbound = dy.Bool(
        nullable=True,
        description="The file says that the phone sent it. Null: the file does not say.",
    )
    wire_bytes = dy.Int64(
        nullable=False, min=0, description="Length on the wire, less what the tool added. Bytes."
    )
    ip_bytes = dy.Int64(
        nullable=False, min=0, description="IP total length of the innermost header. Bytes."
    )
    link_bytes = dy.Int64(
        nullable=False,
        min=0,
        description="What is around the IP packet or pads it: link header, outer headers, padding. "
        "Bytes.",
    )
    network_header_bytes = dy.Int64(
        nullable=False, min=0, description="IP header with options and extensions. Bytes."
    )
    transport_header_bytes = dy.Int64(
        nullable=False, min=0, description="TCP, UDP or ICMP header. Bytes."
    )
    payload_bytes = dy.Int64(
        nullable=False, min=0, description="Payload by the length fields, captured or not. Bytes."
    )
    unique_bytes = dy.Int64(
        nullable=False, min=0, description="Payload that was sent for the first time. Bytes."
    )


class Conversations(dy.Schema):
    """One row per conversation of a capture: protocol and two ends, from first to last packet."""

    conversation = dy.Int32(
        nullable=False, primary_key=True, description="Number in this capture, by first packet."
    )
    protocol = dy.String(
        nullable=False,
        description="Name of the IP protocol: "
        + ", ".join(PROTOCOLS.values())
        + ", or its number.",
    )
    a_address = dy.String(nullable=False, description="Address that sent first.")
    a_port = dy.Int64(nullable=True, description="Its port. Null: the protocol has none.")
    b_address = dy.String(nullable=False, description="Address of the other end.")
    b_port = dy.Int64(nullable=True, description="Its port. Null: the protocol has none.")
    opener = dy.String(
        nullable=True,
        check=lambda word: word.is_in(["a", "b"]),
        description="End that sent the opening SYN. Null: no SYN captured, or not TCP.",
    )
    handshake = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the first SYN to its SYN-ACK; of QUIC from the first Initial to the "
        "first datagram back. Null: not both captured.",
    )
    acknowledged = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the opener's first payload to the first segment that acknowledges it. "
        "Null: as above.",
    )
    answered = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From there to the first payload that comes with such an acknowledgement. "
        "Null: as above.",
    )
    handshake_hop_limit = dy.Int64(
        nullable=True,
        description="Hop limit (TTL) with which the handshake's first answer arrived: what its "
        "sender set, less the routers on the way. Null: no such answer.",
    )
    a_handshake_bytes = dy.Int64(
        nullable=False, description="Bytes of a that would be handshake of TLS or QUIC."
    )
    a_application_bytes = dy.Int64(
        nullable=False, description="Bytes of a that would be application of TLS or QUIC."
    )
    a_keep_alive_bytes = dy.Int64(
        nullable=False, description="Bytes of a that would be keep alive of TLS or QUIC."
    )
    b_handshake_bytes = dy.Int64(
        nullable=False, description="Bytes of b that would be handshake of TLS or QUIC."
    )
    b_application_bytes = dy.Int64(
        nullable=False, description="Bytes of b that would be application of TLS or QUIC."
    )
    b_keep_alive_bytes = dy.Int64(
        nullable=False, description="Bytes of b that would be keep alive of TLS or QUIC."
    )
    a_mac = dy.String(
        nullable=True, description="Link address a sent from. Null: none on the link."
    )
    b_mac = dy.String(nullable=True, description="Link address b sent from. Null: none seen.")
    a_head = dy.Binary(
        nullable=True,
        description="First payload bytes a sent, up to 16. Null: no payload captured.",
    )
    b_head = dy.Binary(
        nullable=True,
        description="First payload bytes b sent, up to 16. Null: no payload captured.",
    )


class Sightings(dy.Schema):
    """One row per sighting that an address bore a name."""

    frame = dy.Int64(nullable=False, min=1, description="Frame that proves it, from 1.")
    time = dy.Datetime(
        nullable=True, time_unit="ns", time_zone="UTC", description="Its time. Null: absent."
    )
    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b said it.")
    address = dy.String(nullable=False, description="Address that bears the name.")
    port = dy.Int64(nullable=True, description="Its port. Null: the name came from DNS.")
    name = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=False,
        description="Name as sent, lower case, no final dot; octets that are no text as \\xNN.",
    )
    source = dy.String(
        nullable=False,
        check=lambda word: word.is_in(NAME_SOURCES),
        description="Where it was said.",
    )


class Hellos(dy.Schema):
    """One row per TLS ClientHello that was read, by frame."""

    frame = dy.Int64(nullable=False, min=1, description="Frame that completes it, from 1.")
    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    name = dy.String(nullable=True, description="Server name, as in sightings. Null: it has none.")
    version = dy.Int64(
        nullable=True,
        description="Highest version that it offers, as its number; 772 is TLS 1.3. Null: the "
        "hello is cut, or it lies.",
    )
    alpn = dy.List(
        dy.String(),
        nullable=True,
        description="Application protocols that it offers, in order. Null: as above.",
    )
    ja3 = dy.String(nullable=True, description="JA3: MD5, hex. Null: as above.")
    ja4 = dy.String(nullable=True, description="JA4. Null: as above.")
    is_ech = dy.Bool(
        nullable=True,
        description="It carries Encrypted Client Hello, or GREASE that looks like it: its name "
        "may be a cover. Null: as above.",
    )
    client_time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Clock of the client as the first four octets of its random state it, as TLS "
        "up to 1.2 has it. Null: they are not within two days of the packet, so they are chance.",
    )
    client_time_seen = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Time of the frame. Null: as above.",
    )


class ServerHellos(dy.Schema):
    """One row per TLS ServerHello that was read, by frame."""

    frame = dy.Int64(nullable=False, min=1, description="Frame that completes it, from 1.")
    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    version = dy.Int64(nullable=False, description="Version that it chose; 772 is TLS 1.3.")
    cipher = dy.Int64(nullable=False, description="Cipher suite that it chose, as its number.")
    alpn = dy.String(
        nullable=True,
        description="Application protocol that it chose. Null: none in the clear; in TLS 1.3 it is "
        "always encrypted.",
    )


class Certificates(dy.Schema):
    """One row per certificate that a server of TLS up to 1.2 sent as its own, by frame."""

    frame = dy.Int64(nullable=False, min=1, description="Frame that completes it, from 1.")
    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    sha256 = dy.String(nullable=False, description="SHA-256 of the certificate as sent, hex.")
    subject = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Its common name. Null: none, or unreadable.",
    )
    issuer = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Common name of its issuer, or organisation. Null: as above.",
    )
    names = dy.List(
        dy.String(),
        metadata=SAID_BY_CAPTURE,
        nullable=False,
        description="DNS names that it holds for, as sent, up to 128.",
    )
    not_before = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Valid from. Null: unreadable, or beyond what 64 bits can hold.",
    )
    not_after = dy.Datetime(
        nullable=True, time_unit="ns", time_zone="UTC", description="Valid until. Null: as above."
    )


class Exchanges(dy.Schema):
    """One row per request of HTTP/1 with its response, as far as both were captured, by frame.

    Requests and responses of a connection are paired in their order.
    """

    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b asked.")
    frame = dy.Int64(
        nullable=True, min=1, description="Frame that completes the request's head. Null: not seen."
    )
    time = dy.Datetime(
        nullable=True, time_unit="ns", time_zone="UTC", description="Its time. Null: absent."
    )
    method = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Method. Null: the request was not seen.",
    )
    host = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Host that it names. Null: none, or as above.",
    )
    target = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Path and query as sent, up to 2,048 octets. Null: as above.",
    )
    agent = dy.String(
        metadata=SAID_BY_CAPTURE, nullable=True, description="User-Agent. Null: none, or as above."
    )
    request_type = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Content-Type of the request. Null: none.",
    )
    request_bytes = dy.Int64(
        nullable=True,
        min=0,
        description="Bytes of the request's body: as its head states, of chunks what came. "
        "Null: not known.",
    )
    status = dy.Int64(nullable=True, description="Status of the response. Null: none was seen.")
    response_frame = dy.Int64(
        nullable=True, min=1, description="Frame that completes the response's head. Null: none."
    )
    response_type = dy.String(
        metadata=SAID_BY_CAPTURE, nullable=True, description="Its Content-Type. Null: none."
    )
    response_bytes = dy.Int64(
        nullable=True, min=0, description="Bytes of its body, as for the request. Null: not known."
    )
    request_coding = dy.String(
        nullable=True, description="Content-Encoding of the request. Null: none, or as above."
    )
    response_coding = dy.String(
        nullable=True, description="Content-Encoding of the response. Null: none."
    )


class RequestParts(dy.Schema):
    """One row per request of HTTP/1 that was seen: all that may carry a value, as it was sent.

    Secrets stand in it: it is looked through, and never written.
    """

    conversation = dy.Int32(nullable=False, description="Conversation that carried it.")
    is_from_b = dy.Bool(nullable=False, description="End b asked.")
    frame = dy.Int64(nullable=False, min=1, description="Frame that completes its head.")
    time = dy.Datetime(
        nullable=True, time_unit="ns", time_zone="UTC", description="Its time. Null: absent."
    )
    method = dy.String(nullable=False, description="Method.")
    host = dy.String(nullable=True, description="Host that it names. Null: none.")
    target = dy.String(nullable=False, description="Path and query, up to 2,048 octets.")
    headers = dy.String(
        nullable=True,
        description="Lines of headers that no rule of HTTP asks for, up to 4,096 octets. "
        "Null: none, or no room.",
    )
    body = dy.String(
        nullable=True,
        description="Its body, unfolded, where it is a form or JSON, up to 16,384 octets. "
        "Null: none, or no room.",
    )


class MmtlsRecords(dy.Schema):
    """One row per conversation, direction and type of record of MMTLS, WeChat's own encryption.

    Both its long link (a TCP connection of its own) and its short link (bodies of HTTP).
    """

    conversation = dy.Int32(nullable=False, description="Conversation that carried them.")
    is_from_b = dy.Bool(nullable=False, description="End b sent them.")
    kind = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("alert", "handshake", "data", "early")),
        description="Type of record; early: handshake that comes with data at once (0-RTT).",
    )
    records = dy.Int64(nullable=False, min=1, description="Records.")
    record_bytes = dy.Int64(nullable=False, min=0, description="Bytes in them, without headers.")
    first_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the first.")
    suites = dy.String(
        nullable=True,
        description="Cipher suites that the first hello of a client offers, each in four "
        "hexadecimal digits, with commas between. Null: no such hello.",
    )
    client_time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Clock of the phone as the first hello of a client states it, in seconds. "
        "Null: no such hello.",
    )
    client_time_frame = dy.Int64(
        nullable=True, min=1, description="Frame that completes that hello. Null: as above."
    )
    client_time_seen = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Time of that frame. Null: as above, or it has none.",
    )


class Contents(dy.Schema):
    """One row per side of a conversation that began like nothing known: what that looks like."""

    conversation = dy.Int32(nullable=False, description="The conversation.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    frame = dy.Int64(nullable=False, min=1, description="Frame of the sample.")
    octets = dy.Int64(nullable=False, min=1, description="Octets of the sample, up to 512.")
    kind = dy.String(
        nullable=False,
        check=lambda word: word.is_in(CONTENTS),
        description="text; random: evenly spread, so encrypted or compressed; structured: neither; "
        "too_short: fewer than 256 octets, of which evenness says nothing; mixed: one half of them "
        "is random and the other is not.",
    )
    entropy = dy.Float64(
        nullable=False, min=0, max=8, description="Bits per octet, of 8. Of few octets it is low."
    )
    framing = dy.String(
        nullable=True, description="Where a number states the length. Null: nowhere."
    )


class Hits(dy.Schema):
    """One row per identifier, conversation, direction, place and encoding in which it was found."""

    identifier = dy.Int64(nullable=False, min=0, description="Its place in the list of them.")
    conversation = dy.Int32(nullable=False, description="The conversation.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    layer = dy.String(
        nullable=False,
        check=lambda word: word.is_in(SEARCHED_LAYERS),
        description="What carried it: one of `words.SEARCHED_LAYERS`.",
    )
    part = dy.String(
        nullable=False,
        description="Part of that: stream, datagram, request head, request body, response head, "
        "response body, server name, or what a key has opened.",
    )
    field = dy.String(
        nullable=True,
        description="Name of the field that holds it, of protobuf its numbers. Null: none that can "
        "be told, or the name holds an identifier itself.",
    )
    encoding = dy.String(
        nullable=False,
        description="What was undone to find it, the outermost step first, with commas between; "
        "empty: it stands there as it was given.",
    )
    first_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the first.")
    time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Time of that frame. Null: it has none.",
    )
    offset = dy.Int64(
        nullable=False,
        min=0,
        description="Octets before the first one, or before what holds it folded: of the stream, "
        "datagram, head or body.",
    )
    last_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the last.")
    count = dy.Int64(nullable=False, min=1, description="How often it was found so.")
    bits = dy.Float64(
        nullable=False, min=0, description="By chance it stands at one place with 2 ** -bits."
    )


class Searched(dy.Schema):
    """One row per conversation and direction whose payload was searched for identifiers."""

    conversation = dy.Int32(nullable=False, description="The conversation.")
    is_from_b = dy.Bool(nullable=False, description="End b sent it.")
    octets = dy.Int64(
        nullable=False, min=0, description="Octets that were searched, of a stream each once."
    )


class Owners(dy.Schema):
    """One row per conversation and owner that the capture names for it."""

    conversation = dy.Int32(nullable=False, min=0, description="Number of the conversation.")
    frame = dy.Int64(nullable=False, min=1, description="First packet that says so.")
    time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Time of that packet. Null: it has none.",
    )
    source = dy.String(
        nullable=False,
        check=lambda word: word.is_in(OWNER_SOURCES),
        description="What says so: one of `words.OWNER_SOURCES`.",
    )
    uid = dy.Int64(nullable=True, description="User id. Null: the source has none.")
    gid = dy.Int64(nullable=True, description="Group id. Null: the source has none.")
    pid = dy.Int64(nullable=True, description="Process id. Null: the source has none.")
    name = dy.String(
        nullable=True,
        description="App, package or process as the source spells it. Null: it has none.",
    )
    package = dy.String(
        nullable=True, description="Package of the user id. Null: the capture has no map of it."
    )


class Oddities(dy.Schema):
    """One row per thing in a capture that could not be read or believed.

    Only the first rows of a kind stand alone; what follows is one row with its `count`.
    """

    frame = dy.Int64(nullable=True, description="Frame, from 1. Null: not inside a packet.")
    offset = dy.Int64(
        nullable=True, description="Byte in the decompressed file. Null: not at one place."
    )
    layer = dy.String(
        nullable=False, description="File, block, link, network, transport, name or app."
    )
    kind = dy.String(
        nullable=False,
        description="What is odd: in packets one of `words.PACKET_ODDITIES`, in names one of "
        "`readings.FAULTS`.",
    )
    needed_bytes = dy.Int64(
        nullable=True,
        description="Bytes it takes; of `link_type_unknown`, the number of that link type. Null: "
        "not about length.",
    )
    got_bytes = dy.Int64(nullable=True, description="Bytes that were there. Null: as above.")
    count = dy.Int64(nullable=False, min=1, description="How many alike this row stands for.")


class Captures(dy.Schema):
    """One row per input file."""

    capture = dy.String(
        nullable=False,
        description="File name; of a member of an archive, behind the archive's; `-` for "
        "standard input.",
    )
    sha256 = dy.String(
        nullable=False,
        description="SHA-256 of the file as it lies on disk; of a member of an archive, of the "
        "member as unpacked. Hex.",
    )
    file_bytes = dy.Int64(
        nullable=False,
        min=0,
        description="Size of the file on disk; of a member, what it takes in its archive. Bytes.",
    )
    format = dy.String(nullable=False, description="pcap, pcapng or snoop.")
    compression = dy.String(nullable=True, description="gzip, zstd, lz4 or zip. Null: plain.")
    link_types = dy.List(
        dy.Int64(), nullable=False, description="Link types that its packets have, by number."
    )
    packets = dy.Int64(nullable=False, min=0, description="Packets read.")
    first_time = dy.Datetime(
        nullable=True,
        time_unit="ns",
        time_zone="UTC",
        description="Earliest. Null: no time at all.",
    )
    last_time = dy.Datetime(
        nullable=True, time_unit="ns", time_zone="UTC", description="Latest. Null: no time at all."
    )
    wire_bytes = dy.Int64(nullable=False, min=0, description="Sum over its packets. Bytes.")
    captured_bytes = dy.Int64(
        nullable=False, min=0, description="Sum of what of each packet is in the file. Bytes."
    )
    snapped_packets = dy.Int64(
        nullable=False, min=0, description="Packets of which the end is not in the file."
    )
    backward_steps = dy.Int64(
        nullable=False, min=0, description="Packets with a time before that of the packet ahead."
    )
    other_blocks = dy.Int64(
        nullable=False, min=0, description="pcapng blocks that are no packet and were passed over."
    )
    secrets_blocks = dy.Int64(
        nullable=False, min=0, description="pcapng blocks that hold decryption secrets."
    )
    gap_bytes = dy.Int64(
        nullable=False,
        min=0,
        description="Bytes missing inside TCP streams, between what was seen: at least this much "
        "was not captured. Bytes.",
    )
    dropped_packets = dy.Int64(
        nullable=True,
        description="Packets that the file says were lost while it was written. Null: the file "
        "does not say.",
    )
    tool_bytes = dy.Int64(
        nullable=False,
        min=0,
        description="What the capture tool added to the packets (fake Ethernet header, trailer, "
        "pseudo header); in no other count. Bytes.",
    )
    giant_packets = dy.Int64(
        nullable=False,
        min=0,
        description="Packets longer than 1,500 bytes of IP, which ordinary links do not carry: "
        "segmentation offload joined them, or a tunnel interface or jumbo frames.",
    )
    marked_again_packets = dy.Int64(
        nullable=False,
        min=0,
        description="Packets with payload that the capture itself marks as sent again (PKTAP).",
    )
    marked_again_new_packets = dy.Int64(
        nullable=False,
        min=0,
        description="Of those, packets with payload that was not in the capture before.",
    )
    unread_bytes = dy.Int64(
        nullable=False, min=0, description="Bytes at the end that could not be read. 0: all read."
    )
    damage = dy.String(nullable=True, description="What is broken, in a line. Null: nothing.")
