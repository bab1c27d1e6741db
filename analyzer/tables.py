# Held by tests/test_house.py: the contract: described, and validated in every run.
"""The tables that the analyzer hands on: the contract of its door, and of every export.

Times are UTC, counts are bytes. The four byte counts are never mixed:

- `wire_bytes`: original length of the frame, less what the capture tool added
- `ip_bytes`: IP total length (IPv6: payload length + 40)
- `payload_bytes`: TCP or UDP payload from the length fields; of other protocols what stands
  behind the IP header, of ICMP only what an echo carries
- `unique_bytes`: payload without retransmission
"""

from dataclasses import dataclass, field
from datetime import timedelta

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.hosts import RULES
from phonehome.analyzer.settings import Settings
from phonehome.captures.decryption.plaintext import KEY_SOURCES, REASONS
from phonehome.captures.search.known_values import KINDS
from phonehome.captures.tables import Captures
from phonehome.captures.words import CONTENTS, SEARCHED_LAYERS
from phonehome.geo.tables import Databases

IDENTIFIER_KINDS = KINDS
ROLES = ("phone", "local", "bystander")
STATES = ("active", "background", "idle", "unknown")
ENCRYPTION = ("plain", "compressed", "encrypted", "mixed", "too_short")
"""How a direction of a flow is protected."""
PARTIES = ("first", "tracker", "infrastructure", "third")
VERDICTS = ("consistent", "disputed", "impossible", "unverifiable")
RESULTS = ("supported", "contradicted", "cannot tell")
DOUBTS = (
    "nothing observed",
    "not seen",
    "too little time",
    "no phases known",
    "phases inferred",
    "location unverifiable",
    "names hidden",
    "network unknown",
    "app unknown",
    "content unknown",
    "input damaged",
    "only a part",
    "as the claim says",
)
LEDGER_OUTCOMES = (
    "attributed",
    "local",
    "bystander",
    "non_ip",
    "duplicate",
    "malformed",
    "cut",
    "fragment",
    "limit",
)


def _time(description: str, *, nullable: bool = True) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_unit="ns", time_zone="UTC", description=description)


def _count(description: str) -> dy.Int64:
    return dy.Int64(nullable=False, min=0, description=description)


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
    first_time = _time("Time of its first packet. Null: no packet of it has a time.")
    last_time = _time("Time of its last packet. Null: no packet of it has a time.")
    up_packets = _count("Packets from the phone.")
    down_packets = _count("Packets to the phone.")
    up_wire_bytes = _count("Bytes on the wire, up.")
    down_wire_bytes = _count("Bytes on the wire, down.")
    up_ip_bytes = _count("IP bytes, up.")
    down_ip_bytes = _count("IP bytes, down.")
    up_payload_bytes = _count("Payload bytes, up; retransmissions count again.")
    down_payload_bytes = _count("Payload bytes, down; retransmissions count again.")
    up_unique_bytes = _count("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = _count("Payload bytes down, each counted once.")
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
        check=lambda word: word.is_in(RULES),
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
    time = _time("Time of that frame. Null: it has none.")
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
    time = _time("Time of that frame. Null: it has none.")
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
    not_before = _time("Valid from. Null: unreadable, or beyond what 64 bits can hold.")
    not_after = _time("Valid until. Null: as above.")
    sha256 = dy.String(nullable=False, description="SHA-256 of the certificate as sent, hex.")


class Mmtls(dy.Schema):
    """One row per flow, direction and type of record of MMTLS, WeChat's own encryption."""

    flow = dy.Int64(nullable=False, description="Its flow.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    is_up = dy.Bool(nullable=False, description="The phone sent them.")
    kind = dy.String(nullable=False, description="alert, handshake, data, or early (0-RTT).")
    records = _count("Records.")
    record_bytes = _count("Bytes in them, without their headers.")
    first_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the first.")
    suites = dy.String(
        nullable=True,
        description="Cipher suites that its hello offers: c02b is ECDHE with ECDSA, 00a8 a key "
        "shared before. Null: no hello of a client.",
    )
    client_time = _time("Clock of the phone, to the second, as its hello states it. Null: none.")
    client_time_frame = dy.Int64(
        nullable=True, min=1, description="Frame of that hello. Null: as above."
    )
    client_time_seen = _time("Time of that frame. Null: as above, or it has none.")


class Decryption(dy.Schema):
    """One row per flow that is encrypted, where keys were given or found in a capture.

    What keys open is looked into and not kept. Empty: there are no keys. Sorted by flow and layer.
    """

    flow = dy.Int64(nullable=False, primary_key=True, description="Its flow.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    layer = dy.String(
        nullable=False,
        primary_key=True,
        description="What encrypts: tls, quic, dtls, mmtls (records) or mmtls-inner (what WeChat "
        "encrypts once more inside of them).",
    )
    keys_source = dy.String(
        nullable=True,
        check=lambda word: word.is_in(KEY_SOURCES),
        description="Where a key for it comes from: keylog, secrets_block (inside the capture) or "
        "mmtls_keylog. Null: there is none.",
    )
    is_opened = dy.Bool(nullable=False, description="Keys opened something of it.")
    up_opened_bytes = _count("Plain bytes that the phone sent, as far as they were opened.")
    down_opened_bytes = _count("Plain bytes that the remote sent, as far as they were opened.")
    requests = _count("Requests in them: of HTTP, or of MMTLS.")
    failures = _count("Records for which there is a key that does not open them (MMTLS).")
    reason = dy.String(
        nullable=True,
        check=lambda word: word.is_in(REASONS),
        description="Why nothing was opened. no_key: none is for this connection; no_handshake: "
        "its hello was not captured, so nobody knows which key is for it; not_dissected: it was, "
        "but tshark did not find the connection; no_answer: the hello of its server was not "
        "captured; nothing_opened: there is a key, but nothing was opened with it, because it is "
        "wrong, packets are missing, or nothing was sent; tshark_missing, tshark_stopped: it is "
        "not there, or was stopped before; read_once: standard input; not_supported: this "
        "encryption cannot be opened here. Null: something was opened.",
    )


class Places(dy.Schema):
    """One row per remote address of the phone's and of local flows: what is known of its place."""

    address = dy.String(nullable=False, primary_key=True, description="The remote address.")
    scope = dy.String(nullable=False, description="global, private, link_local, shared, …")
    country = dy.String(
        nullable=True, description="First database's opinion. Null: not public, or no opinion."
    )
    registered_country = dy.String(
        nullable=True, description="Country of registration. Null: no database says."
    )
    asn = dy.Int64(nullable=True, description="Autonomous system. Null: unknown.")
    as_org = dy.String(nullable=True, description="Its holder. Null: unknown.")
    holder = dy.String(
        nullable=True, description="Company behind the system. Null: not in the table of holders."
    )
    holder_country = dy.String(
        nullable=True, description="Country of that company's head office. Null: as for holder."
    )
    holder_kind = dy.String(
        nullable=True,
        description="What the system is for: cloud, cdn, dns, platform, service or carrier. Null: "
        "as for holder.",
    )
    is_anycast = dy.Bool(
        nullable=True, description="Announced from many places. Null: no database says."
    )
    opinions = dy.List(
        dy.Struct({"database": dy.String(), "country": dy.String(nullable=True)}),
        nullable=True,
        description="Each country database and what it says. Null: not public.",
    )
    agreement = dy.Int64(
        nullable=True, description="How many databases share the first opinion. Null: none."
    )
    rtt_floor = dy.Duration(
        nullable=True, time_unit="ns", description="Shortest round trip seen. Null: none usable."
    )
    relay_hint = dy.String(
        nullable=True,
        description="A hint that what answers handshakes only relays: how soon it answers, and how "
        "late requests are answered. Null: none.",
    )
    verdict = dy.String(
        nullable=True,
        check=lambda word: word.is_in(VERDICTS),
        description="How far the country can be believed. Null: there is no country to judge.",
    )
    reason = dy.String(nullable=True, description="Why that verdict. Null: no verdict.")


class RoundTrips(dy.Schema):
    """One row per remote address whose distance could be asked for: the shortest round trip."""

    address = dy.String(nullable=False, primary_key=True, description="The remote address.")
    rtt_floor = dy.Duration(
        nullable=True,
        time_unit="ns",
        min=timedelta(0),
        description="Shortest round trip seen. Null: none is usable.",
    )
    rtt_problem = dy.String(
        nullable=True,
        description="Why no round trip is usable. Null: one is.",
    )
    relay_hint = dy.String(
        nullable=True,
        description="What late answers suggest: that bytes are relayed. Null: nothing.",
    )

    @dy.rule()
    def one_or_the_other(cls) -> pl.Expr:  # noqa: N805 - dataframely passes the class
        """A round trip, or why there is none."""
        return pl.col("rtt_floor").is_null() != pl.col("rtt_problem").is_null()


class Phones(dy.Schema):
    """One row per address that could be the phone, with what speaks for it, per capture."""

    capture = dy.String(nullable=False, description="File name of its capture.")
    address = dy.String(nullable=False, description="Candidate.")
    mac = dy.String(nullable=True, description="Link address it sent from. Null: none on the link.")
    scope = dy.String(nullable=False, description="global, private, link_local, shared, …")
    is_phone = dy.Bool(nullable=False, description="Taken as an address of the phone.")
    reason = dy.String(nullable=False, description="Why it was taken or rejected.")
    packets = _count("Packets that it sent or received.")
    opened = _count("TCP connections that it opened.")
    asked_dns = _count("DNS conversations that it began.")
    outbound_packets = _count("Packets of it that the file marks as sent by the phone.")


class Phases(dy.Schema):
    """One row per span of time with a label and a state. Sorted by `phase`."""

    phase = dy.Int64(nullable=False, primary_key=True, description="Number of the phase, from 1.")
    label = dy.String(nullable=False, description="What happened, in the words of its source.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of phone and app."
    )
    start = _time("Begin, included. Null: no packet in it has a time.")
    end = _time("End, excluded (of the last stretch included). Null: as for start.")
    source = dy.String(
        nullable=False,
        description="Timeline file and line; capture and frame of a comment; `uncovered`; "
        "`inferred`: from traffic alone; or `none`.",
    )
    exposure = dy.Duration(
        nullable=False,
        time_unit="ns",
        description="Part of it that captures observed: from their first packet to their last, "
        "without more than a day in which none has a flow.",
    )


class Uploads(dy.Schema):
    """One row per phase, app and remote with traffic of the phone to a public remote.

    Sorted by phase, then bytes uploaded (most first), then address.
    """

    phase = dy.Int64(nullable=False, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="Its state."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    remote_address = dy.String(nullable=False, description="Address of the remote.")
    host = dy.String(nullable=True, description="Its best name. Null: none was seen.")
    country = dy.String(nullable=True, description="First opinion. Null: none.")
    asn = dy.Int64(nullable=True, description="Autonomous system. Null: unknown.")
    as_org = dy.String(nullable=True, description="Its holder. Null: unknown.")
    organisation = dy.String(nullable=True, description="Who runs the host. Null: not known.")
    organisation_country = dy.String(
        nullable=True, description="Where its parent has its headquarters. Null: not known."
    )
    party = dy.String(
        nullable=True, description="What it is to the app, as in `flows`. Null: as above."
    )
    up_packets = _count("Packets up.")
    down_packets = _count("Packets down.")
    up_wire_bytes = _count("Bytes on the wire, up.")
    down_wire_bytes = _count("Bytes on the wire, down.")
    up_ip_bytes = _count("IP bytes, up.")
    down_ip_bytes = _count("IP bytes, down.")
    up_payload_bytes = _count("Payload bytes, up.")
    down_payload_bytes = _count("Payload bytes, down.")
    up_unique_bytes = _count("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = _count("Payload bytes down, each counted once.")
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Part of the phase that captures observed."
    )
    up_unique_bytes_per_hour = dy.Float64(
        nullable=True, description="Uploaded per hour of exposure. Null: no time was observed."
    )


class FlowPhases(dy.Schema):
    """One row per phase and flow of the phone that had packets in it: `uploads` by flow.

    Joined to `flows`, it says what any kind of flow sent in any state. Sorted by flow, then phase.
    """

    flow = dy.Int64(nullable=False, primary_key=True, description="Its flow.")
    phase = dy.Int64(nullable=False, primary_key=True, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of that phase."
    )
    up_packets = _count("Packets up.")
    down_packets = _count("Packets down.")
    up_unique_bytes = _count("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = _count("Payload bytes down, each counted once.")


class Timeline(dy.Schema):
    """One row per bin of time, phase, app, country and organisation with traffic of the phone.

    Bins are all of one width, the smallest of 1, 2, 4, … seconds that needs at most 4,096 for
    everything that the captures hold, other devices included, and that splits what each capture's
    conversations sent into no more than 300,000 pieces, unless 256 bins are enough for it.
    Its sum is the ledger's: packets without a time stand in the row whose `start` is null.
    """

    start = _time("Begin of the bin. Null: packets without a time.")
    width = dy.Duration(nullable=False, time_unit="ns", description="Width of every bin.")
    phase = dy.Int64(nullable=False, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phase."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    country = dy.String(nullable=True, description="First opinion. Null: none.")
    organisation = dy.String(nullable=True, description="Who runs the host. Null: not known.")
    as_org = dy.String(nullable=True, description="Holder of the network. Null: unknown.")
    up_unique_bytes = _count("Uploaded in the bin.")
    down_unique_bytes = _count("Payload bytes down in the bin, each counted once.")


class Moments(dy.Schema):
    """One row per flow of the phone, phase and bin of the timeline with uploads.

    The timeline before its flows are added up: who got what in a span of time. Packets without a
    time are in no row.
    """

    flow = dy.Int64(nullable=False, description="Flow.")
    phase = dy.Int64(nullable=False, description="Phase.")
    start = _time("Begin of the bin.", nullable=False)
    up_unique_bytes = dy.Int64(nullable=False, min=1, description="Uploaded in the bin.")


class Clocks(dy.Schema):
    """One row per capture and kind of evidence: how far the timelines' clock is off the capture's.

    In the order of the captures.
    """

    capture = dy.String(nullable=False, description="File name of the capture.")
    evidence = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("hellos", "names", "bursts", "given")),
        description="hellos: the phone states its clock in hellos of TLS or MMTLS (a log of the "
        "phone has the same clock); names: that an App Privacy Report lists and the capture shows; "
        "bursts: uploads that follow the screen coming on; given: by the user.",
    )
    events = _count("Hellos, names or bursts that it rests on.")
    offset = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="To be added to times of the timelines. Null: see remark.",
    )
    low = dy.Duration(
        nullable=True, time_unit="ns", description="Lower end of its interval. Null: see remark."
    )
    high = dy.Duration(nullable=True, time_unit="ns", description="Upper end. Null: as above.")
    remark = dy.String(nullable=True, description="Why it cannot be told. Null: it can.")
    is_applied = dy.Bool(nullable=False, description="The timelines were moved by it.")


class Rates(dy.Schema):
    """One row per state that was observed and country or host, and one for all of the state.

    Of a state and dimension up to 300 keys, most bytes first; totals are in the row for `all`.
    """

    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phone."
    )
    dimension = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("all", "country", "host")),
        description="What `key` is.",
    )
    key = dy.String(
        nullable=True,
        description="ISO 3166-1 code; host, or address where it has no name. Null: all, or no "
        "country is known.",
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in that state."
    )
    up_unique_bytes = _count("Uploaded in that state.")
    down_unique_bytes = _count("Payload bytes down in that state, each counted once.")
    up_packets = _count("Packets from the phone in that state.")
    flows = _count("Flows with packets in that state.")
    remotes = _count("Addresses that it exchanged packets with.")
    destinations = _count("Hosts of those, and addresses without a name.")
    up_unique_bytes_per_hour = dy.Float64(
        nullable=False, min=0, description="Uploaded per hour of that state."
    )
    low_per_hour = dy.Float64(
        nullable=True,
        description="Lower end of its 95 % interval, bytes per hour, by block bootstrap over "
        "time. Null: see remark.",
    )
    high_per_hour = dy.Float64(
        nullable=True, description="Upper end, bytes per hour. Null: as above."
    )
    blocks = _count("Blocks of time that the interval is drawn from.")
    block = dy.Duration(nullable=False, time_unit="ns", description="About how long each is.")
    first_met = dy.String(
        nullable=True,
        check=lambda word: word.is_in(STATES),
        description="State in which the host was met first. Null: no host.",
    )
    remark = dy.String(nullable=True, description="Why there is no interval. Null: there is one.")


class Bursts(dy.Schema):
    """One row per burst: uploads of an app in one phase with no pause of more than 5 s.

    Sorted by capture and begin. Bytes are those of packets with a time.
    """

    burst = dy.Int64(nullable=False, primary_key=True, description="Number of the burst, from 1.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    phase = dy.Int64(nullable=False, description="Its phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phase."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    start = _time("Time of its first packet.", nullable=False)
    end = _time("Time of its last packet.", nullable=False)
    up_unique_bytes = _count("Uploaded in it.")
    up_packets = _count("Packets that carried that.")
    size = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("heartbeat", "message", "photo", "large")),
        description="By bytes alone: heartbeat below 4,000 (a TLS hello and a short message), "
        "message below 35,625 (a minute of the slowest speech codec), photo below 915,000 (as "
        "messengers shrink them, or up to ten minutes of speech), large.",
    )
    names = dy.List(
        dy.String(),
        nullable=False,
        description="Hosts, or addresses, that it went to, most bytes first, up to 8.",
    )
    flows = dy.List(
        dy.Int64(), nullable=False, description="Flows that carried it, up to 100 by number."
    )
    flow_count = dy.Int64(nullable=False, min=1, description="How many flows carried it.")
    preceded_by = dy.String(
        nullable=True,
        description="Host or address whose payload came last before it, within 10 s. Null: none.",
    )
    preceding_flow = dy.Int64(nullable=True, description="Flow of that payload. Null: as above.")
    preceded = dy.Duration(
        nullable=True, time_unit="ns", description="How long before. Null: as above."
    )
    since_phase = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the begin of the phase to it. Null: the phase has no begin.",
    )
    first_frame = dy.Int64(nullable=False, min=1, description="Its first frame.")
    last_frame = dy.Int64(nullable=False, min=1, description="Its last frame.")


class Beacons(dy.Schema):
    """One row per state, app, name and service whose contacts are periodic.

    Clear ones first, then by beats. What nobody answered is left out, and so is DNS.
    """

    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phone."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    host = dy.String(nullable=True, description="Its host. Null: no name was seen.")
    remote_addresses = dy.List(
        dy.String(),
        nullable=False,
        description="Addresses that bore the name in these contacts, up to 100.",
    )
    service = dy.String(nullable=True, description="tls, quic, http, … Null: not recognised.")
    period = dy.Duration(
        nullable=False, time_unit="ns", description="From beat to beat, as fits best."
    )
    beats = dy.Int64(nullable=False, min=3, description="Contacts that count.")
    missed = _count("Beats that did not come between them.")
    jitter = dy.Duration(
        nullable=False,
        time_unit="ns",
        description="Mean distance of the intervals from whole periods.",
    )
    score = dy.Float64(nullable=False, description="1: exact; 0: as contacts that come by chance.")
    confidence = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("clear", "weak")),
        description="clear: of 10,000 trains of so many contacts by chance one looks so; weak: of "
        "200.",
    )
    bytes_per_beat = dy.Float64(
        nullable=False,
        description="Bytes uploaded per beat, in mean; other contacts count for none.",
    )
    up_unique_bytes = _count("Uploaded in these contacts.")
    flows = dy.Int64(nullable=False, min=1, description="Flows that carried them.")
    first_time = _time("Begin of the first.", nullable=False)
    last_time = _time("End of the last.", nullable=False)
    capture = dy.String(nullable=False, description="Capture of the first.")
    first_frame = dy.Int64(nullable=False, min=1, description="Its first frame there.")


class Amplification(dy.Schema):
    """Per thing that the user says was sent: how many times over it left the phone, and to whom.

    The first row of each is for all destinations, then up to 50 of them, most bytes first.
    """

    thing = dy.Int64(nullable=False, min=1, description="Number of the thing, as given.")
    label = dy.String(nullable=True, description="Label of its phases. Null: all phases.")
    source = dy.String(nullable=False, description="What it is called.")
    sent_bytes = dy.Int64(nullable=False, min=1, description="Its bytes.")
    name = dy.String(
        nullable=True, description="Host, or address where it has no name. Null: all of them."
    )
    country = dy.String(nullable=True, description="First opinion. Null: none, or all of them.")
    up_unique_bytes = _count("Uploaded in those phases.")
    times = dy.Float64(nullable=False, min=0, description="How many times its bytes that is.")


class Completeness(dy.Schema):
    """Per app, and for all: how much of what the phone counted is in the captures.

    The row for all comes first, then by bytes counted. IP bytes, with local remotes too.
    """

    app = dy.String(nullable=True, description="App, or `uid` and its number. Null: all of them.")
    uid = dy.Int64(nullable=True, description="User id. Null: all, or known by name alone.")
    counted_up_bytes = dy.Int64(
        nullable=True,
        min=0,
        description="IP bytes that the phone counted, up. Null: see remark, or it does not tell "
        "the directions apart.",
    )
    counted_down_bytes = dy.Int64(
        nullable=True, min=0, description="IP bytes that it counted, down. Null: as above."
    )
    counted_bytes = dy.Int64(
        nullable=True, min=0, description="IP bytes that it counted, both ways. Null: see remark."
    )
    counted_foreground_up_bytes = dy.Int64(
        nullable=True,
        min=0,
        description="Of the IP bytes up, what it counted while the app was in front. Null: not "
        "told.",
    )
    captured_up_ip_bytes = _count("IP bytes up in the captures.")
    captured_down_ip_bytes = _count("IP bytes down in the captures.")
    up_share = dy.Float64(
        nullable=True, description="Captured of counted, up. Null: nothing was counted."
    )
    down_share = dy.Float64(
        nullable=True, description="Captured of counted, down. Null: nothing was counted."
    )
    share = dy.Float64(
        nullable=True, description="Captured of counted, both ways. Null: nothing was counted."
    )
    remark = dy.String(nullable=True, description="What to know of the row. Null: nothing.")


class Stretches(dy.Schema):
    """One row per busy or quiet stretch of the observed time, inferred from traffic alone.

    No state of the phone: see docs/timelines.md for the rule. In order of time.
    """

    stretch = dy.Int64(nullable=False, primary_key=True, description="Number, from 1.")
    activity = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("busy", "quiet")),
        description="busy: contacts without a pause of two minutes that carried 20,000 bytes or "
        "more, both ways, 100 a second in mean, with three remotes or more, or 100,000 bytes at "
        "1,000 a second; quiet: all else.",
    )
    source = dy.String(nullable=False, description="inferred: no log says so.")
    start = _time("Begin.", nullable=False)
    end = _time("End.", nullable=False)
    up_unique_bytes = _count("Uploaded in contacts that began in it.")
    down_unique_bytes = _count("Payload bytes down in those, each counted once.")


class Ledger(dy.Schema):
    """One row per capture and outcome: every packet has one outcome, every byte one category.

    In rows with parts, `link_bytes + ip_header_bytes + transport_header_bytes + unique_bytes +
    retransmitted_bytes == wire_bytes`; this is checked on every run.
    """

    capture = dy.String(nullable=False, description="File name of the capture.")
    outcome = dy.String(
        nullable=False, check=lambda word: word.is_in(LEDGER_OUTCOMES), description="Outcome."
    )
    packets = _count("Packets with that outcome.")
    wire_bytes = _count("Their bytes on the wire.")
    ip_bytes = dy.Int64(nullable=True, description="Their IP bytes. Null: not read as IP.")
    payload_bytes = dy.Int64(nullable=True, description="Their payload. Null: not read as IP.")
    link_bytes = dy.Int64(
        nullable=True, description="Link header, padding, outer headers of tunnels. Null: as above."
    )
    ip_header_bytes = dy.Int64(nullable=True, description="IP headers. Null: as above.")
    transport_header_bytes = dy.Int64(
        nullable=True, description="TCP, UDP, ICMP headers. Null: as above."
    )
    unique_bytes = dy.Int64(nullable=True, description="Payload first seen. Null: as above.")
    retransmitted_bytes = dy.Int64(nullable=True, description="Payload seen again. Null: as above.")


class Oddities(dy.Schema):
    """One row per thing that could not be read or believed. Sorted by capture, frame, offset."""

    capture = dy.String(nullable=False, description="File name of its capture, or of its timeline.")
    frame = dy.Int64(
        nullable=True,
        description="Frame, from 1; in a timeline the line. Null: not inside a packet.",
    )
    offset = dy.Int64(
        nullable=True, description="Byte in the decompressed file. Null: not at one place."
    )
    layer = dy.String(
        nullable=False, description="file, block, link, network, transport, name, app, timeline."
    )
    kind = dy.String(nullable=False, description="What is odd.")
    needed_bytes = dy.Int64(
        nullable=True,
        description="Bytes it takes; of `link_type_unknown`, the number of that link type. Null: "
        "not about length.",
    )
    got_bytes = dy.Int64(nullable=True, description="Bytes that were there. Null: as above.")
    count = dy.Int64(nullable=False, min=1, description="How many alike this row stands for.")


class Identifiers(dy.Schema):
    """One row per known identifier, flow, direction, place, field and encoding it was found in.

    Empty where nobody said what is known. Sorted by identifier, then flow and frame.
    """

    identifier = _count("Its place in the user's list, from 0.")
    label = dy.String(nullable=False, description="What the user calls it.")
    kind = dy.String(
        nullable=False, check=lambda word: word.is_in(list(KINDS)), description="What it is."
    )
    digest = dy.String(
        nullable=True,
        description="First 16 digits of HMAC-SHA-256 of the value under the list's digest_key: the "
        "same value, the same digits. Null: the list has no key.",
    )
    value = dy.String(
        nullable=True, description="The value itself. Null: nobody asked to reveal it."
    )
    flow = dy.Int64(nullable=False, description="Flow that carried it.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    phase = dy.Int64(nullable=True, description="Phase at that time. Null: none is known.")
    state = dy.String(
        nullable=True,
        check=lambda word: word.is_in(STATES),
        description="Its state. Null: as above.",
    )
    is_up = dy.Bool(nullable=False, description="The phone sent it.")
    remote_address = dy.String(nullable=False, description="Address of the other end.")
    host = dy.String(nullable=True, description="Its best name. Null: none is known.")
    country = dy.String(nullable=True, description="Its country, first opinion. Null: unknown.")
    asn = dy.Int64(nullable=True, description="Its autonomous system. Null: unknown.")
    layer = dy.String(
        nullable=False,
        check=lambda word: word.is_in(SEARCHED_LAYERS),
        description="What carried it: tcp, udp, dns, http, tls, quic, mmtls.",
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
        "empty: it stands there as it was given, letters in either case.",
    )
    frame = dy.Int64(nullable=False, min=1, description="Frame that completes the first.")
    time = _time("Time of that frame. Null: it has none.")
    offset = _count(
        "Octets before the first one, or before what holds it folded: of stream, datagram, head "
        "or body.",
    )
    last_frame = dy.Int64(nullable=False, min=1, description="Frame that completes the last.")
    count = dy.Int64(nullable=False, min=1, description="How often it was found so.")
    chance = dy.Float64(
        nullable=False,
        min=0,
        description="How many such finds chance alone would make among all octets searched.",
    )
    confidence = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("certain", "likely", "possible")),
        description="certain: chance makes fewer than one in a million of them; likely: fewer than "
        "one in 1,000, or a single piece of a planted file; possible.",
    )


class Tokens(dy.Schema):
    """One row per stable token, host that got it, and field: values that nobody listed.

    A token is an opaque value that the phone sent in three requests or more which differ in more
    than it. Sorted by token, those that most hosts got first. Looked through are requests of HTTP/1
    in the clear, and of HTTP/1 and HTTP/2 that keys opened.
    """

    token = _count("Its number in this analysis, from 0.")
    form = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("uuid", "hex", "decimal", "base64", "jwt")),
        description="What it is written with: uuid, hex, decimal, base64 (either alphabet), or jwt "
        "(JSON Web Token).",
    )
    length = dy.Int64(nullable=False, min=1, description="Characters of it, hyphens too.")
    digest = dy.String(
        nullable=True,
        description="First 16 digits of its HMAC-SHA-256 under the digest_key of the list of "
        "identifiers. Null: there is none.",
    )
    value = dy.String(nullable=True, description="It itself. Null: nobody asked to reveal it.")
    field = dy.String(
        nullable=False,
        description="Name of the parameter; `path`: a part of that; `cookie NAME`, `header NAME`, "
        "`body NAME`: of a cookie, a header, a form or JSON.",
    )
    host = dy.String(
        nullable=False, description="Host that the requests name, else the flow's, else address."
    )
    remote_address = dy.String(nullable=False, description="Address of the first request.")
    organisation = dy.String(nullable=True, description="Who runs its host. Null: unknown.")
    country = dy.String(nullable=True, description="Its country, first opinion. Null: unknown.")
    asn = dy.Int64(nullable=True, description="Its autonomous system. Null: unknown.")
    app = dy.String(nullable=True, description="App of the first. Null: the capture does not say.")
    requests = dy.Int64(nullable=False, min=1, description="Requests to this host with it.")
    idle_requests = _count("Of those, requests while idle.")
    flows = dy.Int64(nullable=False, min=1, description="Flows that carried them.")
    token_requests = dy.Int64(nullable=False, min=3, description="Its requests to all hosts.")
    token_idle_requests = _count("Of those, requests while idle.")
    token_hosts = dy.Int64(nullable=False, min=1, description="Hosts that got it.")
    token_captures = dy.Int64(nullable=False, min=1, description="Captures that hold it.")
    flow = dy.Int64(nullable=False, description="Flow of the first request to this host.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    frame = dy.Int64(nullable=False, min=1, description="Frame of that request.")
    first_time = _time("Time of the first. Null: it has none.")
    last_time = _time("Time of the last. Null: as above.")


class Claims(dy.Schema):
    """One row per claim that was tested, in the order of its file."""

    claim = dy.String(nullable=False, primary_key=True, description="Its id.")
    file = dy.String(nullable=False, description="Name of the file that states it.")
    sentence = dy.String(nullable=False, description="The claim, as somebody published it.")
    source = dy.String(nullable=False, description="Who published it, and where.")
    source_date = dy.String(nullable=True, description="When. Null: the file does not say.")
    source_url = dy.String(nullable=True, description="Its address. Null: none is given.")
    test = dy.String(nullable=False, description="What was tested, in words.")
    can_show = dy.String(
        nullable=True, description="What a capture can show of it. Null: the file does not say."
    )
    cannot_show = dy.String(
        nullable=True, description="What a capture cannot show of it. Null: as above."
    )
    query = dy.String(nullable=False, description="SQL that was asked.")
    expect = dy.String(nullable=False, description="What its answer has to be.")
    found = dy.String(nullable=True, description="The answer. Null: nothing matched.")
    result = dy.String(
        nullable=False,
        check=lambda word: word.is_in(RESULTS),
        description="supported or contradicted by these captures; cannot tell: see reason.",
    )
    reason = dy.String(
        nullable=True,
        check=lambda word: word.is_in(DOUBTS),
        description="Why it cannot be told, in a few words. Null: it can.",
    )
    explanation = dy.String(nullable=False, description="The same in sentences, with numbers.")
    remarks = dy.List(
        dy.String(), nullable=False, description="What to know before relying on the result."
    )
    verdicts = dy.List(
        dy.String(),
        nullable=True,
        description="Verdicts on a country with which it counts. Null: it is not about countries.",
    )
    states = dy.List(
        dy.String(), nullable=False, description="States of the phone it is about. Empty: all."
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in those states."
    )
    needed_exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that it takes to say what is not there."
    )
    up_unique_bytes = _count("Uploaded by the flows concerned, in all states.")
    flow_count = _count("Flows concerned.")
    flows = dy.List(
        dy.Int64(), nullable=False, description="Flows concerned, most bytes first, up to 100."
    )
    display_filter = dy.String(
        nullable=True,
        description="Wireshark display filter that finds their addresses, up to 12 of them. Null: "
        "no flow is concerned.",
    )


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The answer in numbers: totals of the phone's traffic with public remotes.

    Attributes:
        app: app under test; None: all traffic of the phone counts.
        is_app_known: the captures say which app owns a flow.
        version: version label; None: none was given.
        up_unique_bytes: uploaded.
        down_unique_bytes: downloaded, each byte once.
        up_wire_bytes: uploaded as it went over the wire.
        flows: flows of the phone with public remotes.
        remotes: public addresses that it exchanged packets with.
        hosts: different names of those.
        countries: countries that got at least one uploaded byte, first opinion.
        organisations: holders of autonomous systems that got at least one uploaded byte.
        up_unique_bytes_by_state: uploaded per state of the phone; every state has a key.
        exposure_by_state: observed seconds per state; every state has a key.
        idle_means: which states count as idle: `screen-off` (idle), `background`, or `both`.
        is_inferred: states were inferred from traffic: no log says them.
        idle_share: part of all uploaded that was uploaded in phases known to be idle: a lower
            bound where some was uploaded in unknown ones. None: no phase of a known state was
            observed, or nothing was uploaded.
        unnamed_up_unique_bytes: uploaded to remotes without a name.
        unnamed_share: its part of all uploaded. None: nothing was uploaded.
        disputed_up_unique_bytes: uploaded to remotes on whose country databases differ.
        up_unique_bytes_by_verdict: uploaded to remotes whose country has this verdict; every
            verdict has a key, and `none`: remotes without a country.
        up_unique_bytes_by_encryption: uploaded per class of `Flows.up_encryption`; every class has
            a key, and `unknown`: flows of which nothing was captured that tells.
        first_time: earliest packet, ISO 8601. None: no packet has a time.
        last_time: latest packet, ISO 8601.
        packets: packets in all captures.
        wire_bytes: their bytes on the wire.
        is_damaged: part of an input could not be read.
        is_balanced: the ledger's identities hold.
        searched_up_bytes: uploaded octets that were searched for identifiers in the clear, or
            opened with keys: the rest is encrypted, or was not captured. None: nobody asked.
    """

    app: str | None
    is_app_known: bool
    version: str | None
    up_unique_bytes: int
    down_unique_bytes: int
    up_wire_bytes: int
    flows: int
    remotes: int
    hosts: int
    countries: int
    organisations: int
    up_unique_bytes_by_state: dict[str, int]
    exposure_by_state: dict[str, float]
    idle_means: str = "screen-off"
    is_inferred: bool = False
    idle_share: float | None
    unnamed_up_unique_bytes: int
    unnamed_share: float | None
    disputed_up_unique_bytes: int
    up_unique_bytes_by_verdict: dict[str, int]
    up_unique_bytes_by_encryption: dict[str, int] = field(default_factory=dict)
    first_time: str | None
    last_time: str | None
    packets: int
    wire_bytes: int
    is_damaged: bool
    is_balanced: bool
    searched_up_bytes: int | None = None

    @property
    def counted_app(self) -> str | None:
        """The app that alone counts; None: all traffic of the phone does."""
        return self.app if self.is_app_known else None


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """All tables of one run, with the settings that made them.

    Attributes:
        decryption: what keys opened, and what not.
        tshark: version of the tshark that opened it; None: none did.
        keys_used: flows that keys opened.
        limits_hit: per limit that bit (see `settings.Limits`), how often.
        notes: sentences on what the run could not do, for the report's first lines.
    """

    settings: Settings
    summary: Summary
    captures: dy.DataFrame[Captures]
    phones: dy.DataFrame[Phones]
    flows: dy.DataFrame[Flows]
    names: dy.DataFrame[Names]
    requests: dy.DataFrame[Requests]
    certificates: dy.DataFrame[ServerCertificates]
    mmtls: dy.DataFrame[Mmtls]
    places: dy.DataFrame[Places]
    phases: dy.DataFrame[Phases]
    uploads: dy.DataFrame[Uploads]
    flow_phases: dy.DataFrame[FlowPhases]
    timeline: dy.DataFrame[Timeline]
    moments: dy.DataFrame[Moments]
    clocks: dy.DataFrame[Clocks]
    rates: dy.DataFrame[Rates]
    bursts: dy.DataFrame[Bursts]
    beacons: dy.DataFrame[Beacons]
    stretches: dy.DataFrame[Stretches]
    amplification: dy.DataFrame[Amplification]
    completeness: dy.DataFrame[Completeness]
    identifiers: dy.DataFrame[Identifiers]
    tokens: dy.DataFrame[Tokens]
    ledger: dy.DataFrame[Ledger]
    oddities: dy.DataFrame[Oddities]
    databases: dy.DataFrame[Databases]
    limits_hit: dict[str, int]
    notes: tuple[str, ...]
    decryption: dy.DataFrame[Decryption] = field(default_factory=Decryption.create_empty)
    tshark: str | None = None
    keys_used: int = 0
    claims: dy.DataFrame[Claims] = field(default_factory=Claims.create_empty)


SIDES = ("base", "new")
ALL_STATES = "all"
DIMENSIONS = ("country", "asn", "organisation", "domain", "host", "app", "service", "phase")
CHANGES = ("new", "gone", "more", "less", "same", "not comparable")
CANNOT_TELL = "cannot tell"
FINDINGS = ("new", "gone", "moved", "more", "less")
JUDGED = (*FINDINGS, "same", CANNOT_TELL)
UNTOLD = ("few", "chance", "unobserved", "exposure", "direction")
TESTS = ("presence", "volume", "place", "sameness")
TRAITS = ("service", "tls_version", "ja3", "ja4", "beacon")


class Repetitions(dy.Schema):
    """One row per observation of a side of a comparison: a capture, or a saved analysis.

    A saved analysis is one repetition, however many captures it was made from: its uploads are
    not kept per capture. Sorted by side and repetition.
    """

    side = dy.String(
        nullable=False, primary_key=True, check=lambda word: word.is_in(SIDES), description="Side."
    )
    repetition = dy.Int64(
        nullable=False, primary_key=True, min=1, description="Number in its side, from 1."
    )
    name = dy.String(nullable=False, description="File name, or name of the folder of results.")
    is_saved = dy.Bool(nullable=False, description="A saved analysis.")
    captures = dy.Int64(nullable=False, min=1, description="Captures in it; of a capture 1.")
    sha256 = dy.List(dy.String(), nullable=False, description="SHA-256 of each capture, hex.")
    timelines = dy.List(
        dy.String(), nullable=False, description="Names of its timelines. Empty: none."
    )
    timelines_sha256 = dy.List(
        dy.String(), nullable=False, description="Their SHA-256. Of a saved analysis none are kept."
    )
    timeline_source = dy.String(
        nullable=True,
        check=lambda word: word.is_in(("given", "beside", "saved")),
        description="given: by the user; beside: found beside the capture; saved: used by the "
        "saved analysis. Null: there is no timeline.",
    )
    phone_addresses = dy.List(dy.String(), nullable=False, description="Taken as the phone.")
    packets = _count("Packets read.")
    first_time = _time("Earliest packet. Null: no packet has a time.")
    last_time = _time("Latest packet. Null: no packet has a time.")
    up_unique_bytes = _count("Uploaded: payload bytes up, each counted once.")
    is_damaged = dy.Bool(nullable=False, description="Part of it could not be read.")


class Exposures(dy.Schema):
    """One row per repetition and state, and one for `all`. Sorted by side, repetition, state."""

    side = dy.String(
        nullable=False, primary_key=True, check=lambda word: word.is_in(SIDES), description="Side."
    )
    repetition = dy.Int64(nullable=False, primary_key=True, min=1, description="Repetition.")
    state = dy.String(
        nullable=False,
        primary_key=True,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in that state."
    )
    up_unique_bytes = _count("Uploaded in that state.")


class ComparedDatabases(dy.Schema):
    """One row per side and database that placed its addresses. Sorted by side and position."""

    side = dy.String(nullable=False, check=lambda word: word.is_in(SIDES), description="Side.")
    position = dy.Int64(nullable=False, min=1, description="Place in the order asked, from 1.")
    name = dy.String(nullable=False, description="Short name.")
    kind = dy.String(nullable=False, description="What its records say.")
    data_date = dy.Date(nullable=True, description="Day of the data. Null: unknown.")
    sha256 = dy.String(nullable=False, description="SHA-256 of the file.")
    licence = dy.String(nullable=True, description="Licence. Null: unknown.")
    attribution = dy.String(nullable=True, description="What the licence demands. Null: unknown.")
    attribution_url = dy.String(nullable=True, description="Where to. Null: unknown.")


def _rate(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, description=description)


def _p_value(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


def _verdict() -> dy.String:
    return dy.String(
        nullable=False,
        check=lambda word: word.is_in(JUDGED),
        description="What can be said: new, gone, moved, more, less: a finding, at a false "
        "discovery rate of 5 % over all tests of this comparison; same; cannot tell.",
    )


def _needed() -> dy.Int64:
    return dy.Int64(
        nullable=True,
        min=2,
        description="Repetitions a side from which on this could be a finding, if as large a part "
        "of all tests came out as clearly. Null: the reason is not `few`, or more than 60.",
    )


class Changes(dy.Schema):
    """One row per key and state in which either side exchanged a packet with it.

    A key is a country, ASN, organisation, domain, host, app or service; `phase` is a host in the
    phases of one label, where a state has several. A rate is bytes uploaded over the time observed
    in that state, of all repetitions of a side. `change` describes what was measured; `verdict`
    says what of it can be told from chance. Sorted by dimension, key, state, label.
    """

    dimension = dy.String(
        nullable=False, check=lambda word: word.is_in(DIMENSIONS), description="What `key` is."
    )
    key = dy.String(
        nullable=True,
        description="ISO 3166-1 code; `AS` and number; name; host (of phases too), or the address "
        "where no name was seen. Null: it is not known.",
    )
    holder = dy.String(nullable=True, description="Holder of the ASN. Null: unknown, or no ASN.")
    is_named = dy.Bool(nullable=True, description="Host: `key` is a name. Null: no host.")
    state = dy.String(
        nullable=False,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    label = dy.String(nullable=True, description="Phase: its label. Null: no phase.")
    change = dy.String(
        nullable=False,
        check=lambda word: word.is_in(CHANGES),
        description="new, gone: packets on that side alone, in that state; more, less: the rate "
        "differs by more than `same_within` of the larger one; same: it does not; not comparable: "
        "a side did not observe that state.",
    )
    verdict = _verdict()
    reason = dy.String(
        nullable=True,
        check=lambda word: word.is_in(UNTOLD),
        description="Why it cannot be told. few: even the clearest result of so few repetitions "
        "comes by chance too often; chance: this one does; unobserved: a side did not observe that "
        "state; exposure: it did, for less than half as long; direction: the mean grew and most "
        "repetitions fell, or the other way round. Null: it can be told.",
    )
    needed_repetitions = _needed()
    test = dy.String(
        nullable=True,
        check=lambda word: word.is_in(TESTS),
        description="What `p_value` is of. presence: in how many repetitions (Fisher, exact); "
        "volume: rates (permutation of repetitions, of mean logarithms); place: countries and "
        "ASNs (permutation); sameness: that rates differ by `same_within` or more. Null: none.",
    )
    p_value = _p_value("How often chance alone gives as much. Null: nothing could be tested.")
    q_value = _p_value(
        "The same, corrected for all tests (Benjamini-Hochberg). Null: too few repetitions for a "
        "p-value of 0.05, so that the test is in no family; or sameness."
    )
    base_up_unique_bytes = _count("Base: uploaded.")
    new_up_unique_bytes = _count("New: uploaded.")
    base_exposure = dy.Duration(nullable=False, time_unit="ns", description="Base: observed.")
    new_exposure = dy.Duration(nullable=False, time_unit="ns", description="New: observed.")
    base_up_unique_bytes_per_hour = _rate("Base: rate. Null: nothing was observed.")
    new_up_unique_bytes_per_hour = _rate("New: rate. Null: nothing was observed.")
    ratio = _rate("New rate over base rate. Null: base has none, or it is 0.")
    ratio_low = _rate(
        "Lower end of its 95 % interval, by resampling repetitions. Null: a side has fewer than 2, "
        "or is 0."
    )
    ratio_high = _rate("Upper end. Null: as above, or there is none, for base may be 0.")
    base_flows_per_hour = _rate("Base: flows with packets, per hour. Null: as the rate.")
    new_flows_per_hour = _rate("New: flows with packets, per hour. Null: as the rate.")
    base_repetitions = _count("Base: repetitions that observed the state.")
    new_repetitions = _count("New: repetitions that observed the state.")
    base_seen_in = _count("Base: of those, how many exchanged a packet with it.")
    new_seen_in = _count("New: of those, how many exchanged a packet with it.")
    base_least_per_hour = _rate("Base: lowest rate of a repetition. Null: as the rate.")
    base_most_per_hour = _rate("Base: highest rate of a repetition. Null: as the rate.")
    new_least_per_hour = _rate("New: lowest rate of a repetition. Null: as the rate.")
    new_most_per_hour = _rate("New: highest rate of a repetition. Null: as the rate.")
    is_overlapping = dy.Bool(
        nullable=True,
        description="The ranges from lowest to highest rate of both sides share a value. Null: a "
        "side has fewer than two repetitions in that state, so nobody knows its spread.",
    )
    base_countries = dy.List(
        dy.String(), nullable=True, description="Host: its countries. Null: no host."
    )
    new_countries = dy.List(
        dy.String(), nullable=True, description="Host: its countries. Null: no host."
    )
    base_asns = dy.List(dy.Int64(), nullable=True, description="Host: its ASNs. Null: no host.")
    new_asns = dy.List(dy.Int64(), nullable=True, description="Host: its ASNs. Null: no host.")
    is_moved = dy.Bool(
        nullable=True,
        description="Host on both sides: its addresses differ, and so do their countries or ASNs. "
        "Null: no host, or not on both sides.",
    )
    remark = dy.String(
        nullable=True, description="What to know before believing the row. Null: nothing."
    )


class Traits(dy.Schema):
    """One row per host that both sides met, and value of a trait that it had on either.

    Tested as changes are, by presence. Sorted by key, trait, value.
    """

    key = dy.String(nullable=False, description="Host, or the address where no name was seen.")
    trait = dy.String(
        nullable=False,
        check=lambda word: word.is_in(TRAITS),
        description="service; tls_version: that the server chose; ja3, ja4: fingerprints of what "
        "opened its connections; beacon: state in which its contacts are clearly periodic.",
    )
    value = dy.String(nullable=False, description="Value.")
    change = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("new", "gone", "same")),
        description="new, gone: on that side alone; same: on both, however often.",
    )
    verdict = _verdict()
    needed_repetitions = _needed()
    p_value = _p_value(
        "How often chance alone gives as much (Fisher, exact). Null: as in `changes`."
    )
    q_value = _p_value("The same, corrected for all tests. Null: as in `changes`.")
    base_repetitions = _count("Base: repetitions that met the host.")
    new_repetitions = _count("New: repetitions that met the host.")
    base_seen_in = _count("Base: of those, how many saw this value.")
    new_seen_in = _count("New: of those, how many saw this value.")


class Versions(dy.Schema):
    """One row per key, state and version of a series: what it sent, of zero where it sent nothing.

    Sorted by dimension, key, state, version.
    """

    dimension = dy.String(
        nullable=False,
        check=lambda word: word.is_in(DIMENSIONS),
        description="What `key` is; as in `changes`.",
    )
    key = dy.String(nullable=True, description="As in `changes`. Null: it is not known.")
    state = dy.String(
        nullable=False,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    version = dy.Int64(nullable=False, min=1, description="Number of the version, from 1.")
    label = dy.String(nullable=False, description="What it is called.")
    up_unique_bytes = _count("Uploaded.")
    exposure = dy.Duration(nullable=False, time_unit="ns", description="Time observed.")
    up_unique_bytes_per_hour = _rate("Rate. Null: nothing was observed.")
    seen_in = _count("Repetitions that exchanged a packet with it.")
    repetitions = _count("Repetitions that observed the state for any time; of `all`, each.")
