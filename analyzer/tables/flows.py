# Held by tests/test_house.py: the contract: described, and validated in every run.
"""Flows seen from the phone, and what they said: names, requests, certificates."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column, time_column
from phonehome.captures.words import CONTENTS, SAID_BY_CAPTURE

ROLES = ("phone", "local", "bystander")

ENCRYPTION = ("plain", "compressed", "encrypted", "mixed", "too_short")
"""How a direction of a flow is protected."""

HOST_RULES = (
    "own",
    "answered_before",
    "said_elsewhere",
    "certificate",
    "certificate_elsewhere",
    "answered_later",
)
"""Which rule chose the name of a remote, in the order in which they are asked."""
PARTIES = ("first", "tracker", "infrastructure", "third")


class Flows(dy.Schema):
    """One row per flow: one conversation of one capture, seen from the phone.

    Of a flow that is not the phone's, local is the end that sent first.
    Sorted by `flow`, which counts by capture and first frame.
    """

    flow = dy.Int64(nullable=False, primary_key=True, description="Number of the flow, from 1.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    version = dy.String(nullable=True, description="Version label. Null: none was given.")
    app = dy.String(nullable=True, description="App that owns it. Null: the capture does not say.")
    app_source = dy.String(
        nullable=True,
        description="What in the capture says so: pktap, darwin, pcapdroid_trailer, "
        "pcapdroid_comment, pymobiledevice3, ptcpdump, nflog or antmonitor; or connections: a list "
        "beside the capture. Null: as above.",
    )
    uid = dy.Int64(nullable=True, description="User id of the owner. Null: the capture has none.")
    pid = dy.Int64(
        nullable=True, description="Process id of the owner. Null: the capture has none."
    )
    protocol = dy.String(nullable=False, description="tcp, udp, icmp, …, or a protocol number.")
    local_address = dy.String(nullable=False, description="The phone's address.")
    local_port = dy.Int64(nullable=True, description="Its port. Null: the protocol has none.")
    remote_address = dy.String(nullable=False, description="Address of the other end.")
    remote_port = dy.Int64(nullable=True, description="Its port. Null: the protocol has none.")
    role = dy.String(
        nullable=False,
        check=lambda word: word.is_in(ROLES),
        description="phone: phone and public remote; local: phone and a remote that is not "
        "public; bystander: neither end is the phone.",
    )
    first_time = time_column("Time of its first packet. Null: no packet of it has a time.")
    last_time = time_column("Time of its last packet. Null: no packet of it has a time.")
    up_packets = count_column("Packets from the phone.")
    down_packets = count_column("Packets to the phone.")
    up_wire_bytes = count_column("Bytes on the wire, up.")
    down_wire_bytes = count_column("Bytes on the wire, down.")
    up_ip_bytes = count_column("IP bytes, up.")
    down_ip_bytes = count_column("IP bytes, down.")
    up_payload_bytes = count_column("Payload bytes, up; retransmissions count again.")
    down_payload_bytes = count_column("Payload bytes, down; retransmissions count again.")
    up_unique_bytes = count_column("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = count_column("Payload bytes down, each counted once.")
    up_wire_estimate_bytes = dy.Int64(
        nullable=True,
        description="About what would have been on the wire, up, had the card not cut segments "
        "behind the capture. Null: packets carried in mean no more than a link does.",
    )
    up_handshake_bytes = dy.Int64(
        nullable=True,
        description="Of the bytes uploaded: records of TLS that are no application data; of QUIC, "
        "datagrams with a long header. What records do not account for, because something is "
        "missing, is in none of the three. Null: neither TLS nor QUIC.",
    )
    up_application_bytes = dy.Int64(
        nullable=True,
        description="Of the bytes uploaded: records of application data (of TLS 1.3 the end of the "
        "handshake too); of QUIC, all other datagrams. Null: as above.",
    )
    up_keep_alive_bytes = dy.Int64(
        nullable=True, description="Of the bytes uploaded: TLS heartbeats. Null: as above."
    )
    service = dy.String(
        nullable=True, description="tls, quic, http, dns, … by content. Null: not recognised."
    )
    host = dy.String(nullable=True, description="Best name of the remote. Null: none was seen.")
    host_source = dy.String(nullable=True, description="Where the name was said. Null: no host.")
    host_frame = dy.Int64(nullable=True, description="Frame that proves it, from 1. Null: no host.")
    host_rule = dy.String(
        nullable=True,
        check=lambda word: word.is_in(HOST_RULES),
        description="own: the flow itself says it; answered_before, answered_later: a look-up gave "
        "the address, before the flow began or after; said_elsewhere: another flow to the same "
        "address and port says it; certificate, certificate_elsewhere: the server showed a "
        "certificate for it, in this flow or another. The first that applies. Null: no host.",
    )
    is_host_ambiguous = dy.Bool(
        nullable=True,
        description="The flow itself does not say its host, and the address bore other names too. "
        "Null: no host.",
    )
    other_hosts = dy.List(
        dy.String(),
        nullable=True,
        description="Other names that the address (and port) bore, up to 16. Null: no host.",
    )
    is_host_answered = dy.Bool(
        nullable=True,
        description="A look-up in the capture gave this address for this host. Null: no host, the "
        "host is such an answer, or the capture holds none.",
    )
    host_unicode = dy.String(
        nullable=True, description="The host as people read it. Null: no host, or it is ASCII."
    )
    host_warning = dy.String(
        nullable=True,
        description="What is deceptive in that form: mixed scripts, or letters that look like "
        "another name. Null: nothing.",
    )
    country = dy.String(
        nullable=True, description="Country of the remote, first opinion, ISO 3166-1. Null: none."
    )
    asn = dy.Int64(nullable=True, description="Autonomous system of the remote. Null: unknown.")
    as_org = dy.String(nullable=True, description="Holder of that system. Null: unknown.")
    alpn = dy.String(
        nullable=True,
        description="Application protocols that its first ClientHello offers, with commas between. "
        "Null: no hello, or it offers none.",
    )
    ja3 = dy.String(
        nullable=True, description="JA3 of that hello: MD5, hex. Null: no hello that is whole."
    )
    ja4 = dy.String(nullable=True, description="JA4 of that hello. Null: as above.")
    is_ech = dy.Bool(
        nullable=True,
        description="That hello carries Encrypted Client Hello, or GREASE that looks like it. "
        "Null: as above.",
    )
    up_content = dy.String(
        nullable=True,
        check=lambda word: word.is_in(CONTENTS),
        description="What the phone's first bytes look like: text, random (encrypted or "
        "compressed), structured, mixed, or too_short to tell. Null: the service is known, or it "
        "sent none.",
    )
    down_content = dy.String(
        nullable=True,
        check=lambda word: word.is_in(CONTENTS),
        description="The same of the remote's. Null: as above.",
    )
    up_entropy = dy.Float64(
        nullable=True, description="Bits per octet of the phone's first bytes. Null: as above."
    )
    down_entropy = dy.Float64(
        nullable=True, description="The same of the remote's. Null: as above."
    )
    framing = dy.String(
        nullable=True,
        description="Where in its messages a number states their length. Null: the service is "
        "known, or no such number.",
    )
    up_encryption = dy.String(
        nullable=True,
        check=lambda word: word.is_in(ENCRYPTION),
        description="How what the phone sent is protected. encrypted: by a protocol that is "
        "recognised (its handshake aside), or it looks like it: octets as evenly spread as those "
        "of encryption, which those of compression without a magic number are too; compressed: "
        "readable for whoever unpacks it; plain; mixed: some of it encrypted, some not; "
        "too_short: to tell. Of protocols that are not recognised, up to 512 first bytes are "
        "looked at. Null: nothing was sent, or nothing of it was captured.",
    )
    down_encryption = dy.String(
        nullable=True,
        check=lambda word: word.is_in(ENCRYPTION),
        description="The same of what the remote sent. Null: as above.",
    )
    up_encryption_confidence = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="Where octets alone tell: for encrypted, how likely the test would have found "
        "octets of 7.5 bits each to be something else; otherwise a lower bound, how seldom random "
        "octets look so. Null: the protocol tells, too_short, or as above.",
    )
    down_encryption_confidence = dy.Float64(
        nullable=True, min=0, max=1, description="The same of what the remote sent. Null: as above."
    )
    handshake = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the first SYN to its SYN-ACK, of QUIC from the first Initial to the "
        "first datagram back, whoever began. Null: not both captured.",
    )
    answered = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the opener's first payload to the first payload back that acknowledges "
        "it. Null: as above, or not TCP.",
    )
    tls_version = dy.String(
        nullable=True,
        description="Version of TLS that the server chose: 1.3, 1.2, …. Null: no ServerHello in "
        "the clear (QUIC has none).",
    )
    tls_cipher = dy.String(
        nullable=True,
        description="Cipher suite that it chose: its name at IANA, or number. Null: as above.",
    )
    domain = dy.String(
        nullable=True, description="Registrable domain of the host. Null: no host, or it has none."
    )
    organisation = dy.String(
        nullable=True, description="Who runs the host, by its name. Null: no host, or in no table."
    )
    organisation_country = dy.String(
        nullable=True,
        description="Where the organisation's parent has its headquarters. Null: not known.",
    )
    organisation_kind = dy.String(
        nullable=True,
        description="What the domain is for: advertising, analytics, cdn, cloud, messaging, push, "
        "… Null: no organisation.",
    )
    party = dy.String(
        nullable=True,
        check=lambda word: word.is_in(PARTIES),
        description="first: run by who publishes the app; tracker: for advertising, analytics or "
        "crash reports; infrastructure: what phones need whichever app runs; third: any other. "
        "Null: no organisation.",
    )
    first_frame = dy.Int64(nullable=False, min=1, description="Its first frame, from 1.")
    last_frame = dy.Int64(nullable=False, min=1, description="Its last frame.")


class Names(dy.Schema):
    """One row per sighting that an address bore a name. Sorted by capture, frame, address, name."""

    capture = dy.String(nullable=False, description="File name of its capture.")
    frame = dy.Int64(nullable=False, min=1, description="Frame that proves it, from 1.")
    time = time_column("Time of that frame. Null: it has none.")
    address = dy.String(nullable=False, description="Address that bears the name.")
    port = dy.Int64(nullable=True, description="Its port. Null: the name came from DNS.")
    name = dy.String(
        nullable=False,
        description="The name, lower case, no final dot. For DNS the name that was asked for, "
        "also at the end of a chain of CNAMEs.",
    )
    source = dy.String(nullable=False, description="sni, quic_sni, http_host, httpdns, dns, …")
    local_address = dy.String(nullable=False, description="The other end of the sighting.")
    local_port = dy.Int64(nullable=True, description="Its port. Null: the protocol has none.")


class Requests(dy.Schema):
    """One row per request of HTTP/1 with its response, as far as both were captured.

    Sorted by flow, then as they were sent. Unless values are revealed, what looks like a token, an
    address or a place in a path, and the values of parameters, are withheld: `…` stands for them.
    """

    flow = dy.Int64(nullable=False, description="Its flow.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    frame = dy.Int64(nullable=True, min=1, description="Frame of the request. Null: not seen.")
    time = time_column("Time of that frame. Null: it has none.")
    is_up = dy.Bool(nullable=False, description="The phone asked.")
    remote_address = dy.String(nullable=False, description="Address of the other end.")
    remote_port = dy.Int64(nullable=True, description="Its port. Null: it has none.")
    method = dy.String(nullable=True, description="Method. Null: the request was not seen.")
    host = dy.String(nullable=True, description="Host that it names. Null: none, or as above.")
    target = dy.String(
        nullable=True,
        description="Path and query, up to 2,048 octets, as far as they are shown. Null: as above.",
    )
    agent = dy.String(nullable=True, description="User-Agent. Null: none, or as above.")
    request_type = dy.String(nullable=True, description="Content-Type of the request. Null: none.")
    request_bytes = dy.Int64(
        nullable=True, min=0, description="Bytes of the request's body. Null: not known."
    )
    status = dy.Int64(nullable=True, description="Status of the response. Null: none was seen.")
    response_frame = dy.Int64(
        nullable=True, min=1, description="Frame of the response. Null: none was seen."
    )
    response_type = dy.String(nullable=True, description="Its Content-Type. Null: none.")
    response_bytes = dy.Int64(
        nullable=True, min=0, description="Bytes of its body. Null: not known."
    )


class ServerCertificates(dy.Schema):
    """One row per certificate that a server showed in the clear (TLS up to 1.2), by frame.

    What a certificate says is not judged here: no chain is built, no trust asked for.
    """

    flow = dy.Int64(nullable=False, description="Its flow.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    frame = dy.Int64(nullable=False, min=1, description="Frame that completes it, from 1.")
    address = dy.String(nullable=False, description="Address that showed it.")
    port = dy.Int64(nullable=True, description="Its port. Null: it has none.")
    subject = dy.String(nullable=True, description="Its common name. Null: none.")
    issuer = dy.String(nullable=True, description="Who issued it. Null: it does not say.")
    names = dy.List(dy.String(), nullable=False, description="DNS names it holds for, up to 128.")
    not_before = time_column("Valid from. Null: unreadable, or beyond what 64 bits can hold.")
    not_after = time_column("Valid until. Null: as above.")
    sha256 = dy.String(nullable=False, description="SHA-256 of the certificate as sent, hex.")


class Mmtls(dy.Schema):
    """One row per flow, direction and type of record of MMTLS, WeChat's own encryption."""

    flow = dy.Int64(nullable=False, description="Its flow.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    is_up = dy.Bool(nullable=False, description="The phone sent them.")
    kind = dy.String(nullable=False, description="alert, handshake, data, or early (0-RTT).")
    records = count_column("Records.")
    record_bytes = count_column("Bytes in them, without their headers.")
    first_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the first.")
    suites = dy.String(
        nullable=True,
        description="Cipher suites that its hello offers: c02b is ECDHE with ECDSA, 00a8 a key "
        "shared before. Null: no hello of a client.",
    )
    client_time = time_column(
        "Clock of the phone, to the second, as its hello states it. Null: none."
    )
    client_time_frame = dy.Int64(
        nullable=True, min=1, description="Frame of that hello. Null: as above."
    )
    client_time_seen = time_column("Time of that frame. Null: as above, or it has none.")


class Phones(dy.Schema):
    """One row per address that could be the phone, with what speaks for it, per capture."""

    capture = dy.String(nullable=False, description="File name of its capture.")
    address = dy.String(nullable=False, description="Candidate.")
    mac = dy.String(
        metadata=SAID_BY_CAPTURE,
        nullable=True,
        description="Link address it sent from. Null: none on the link.",
    )
    scope = dy.String(nullable=False, description="global, private, link_local, shared, …")
    is_phone = dy.Bool(nullable=False, description="Taken as an address of the phone.")
    reason = dy.String(nullable=False, description="Why it was taken or rejected.")
    packets = count_column("Packets that it sent or received.")
    opened = count_column("TCP connections that it opened.")
    asked_dns = count_column("DNS conversations that it began.")
    outbound_packets = count_column("Packets of it that the file marks as sent by the phone.")
