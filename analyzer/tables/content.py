# Held by tests/test_house.py: the contract: described, and validated in every run.
"""What bytes hold: identifiers, tokens, and what keys opened."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column, time_column
from phonehome.analyzer.tables.phases import STATES
from phonehome.captures.words import IDENTIFIER_KINDS, KEY_SOURCES, REASONS, SEARCHED_LAYERS


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
    up_opened_bytes = count_column("Plain bytes that the phone sent, as far as they were opened.")
    down_opened_bytes = count_column(
        "Plain bytes that the remote sent, as far as they were opened."
    )
    requests = count_column("Requests in them: of HTTP, or of MMTLS.")
    failures = count_column("Records for which there is a key that does not open them (MMTLS).")
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


class Identifiers(dy.Schema):
    """One row per known identifier, flow, direction, place, field and encoding it was found in.

    Empty where nobody said what is known. Sorted by identifier, then flow and frame.
    """

    identifier = count_column("Its place in the user's list, from 0.")
    label = dy.String(nullable=False, description="What the user calls it.")
    kind = dy.String(
        nullable=False,
        check=lambda word: word.is_in(list(IDENTIFIER_KINDS)),
        description="What it is.",
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
    time = time_column("Time of that frame. Null: it has none.")
    offset = count_column(
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

    token = count_column("Its number in this analysis, from 0.")
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
    idle_requests = count_column("Of those, requests while idle.")
    flows = dy.Int64(nullable=False, min=1, description="Flows that carried them.")
    token_requests = dy.Int64(nullable=False, min=3, description="Its requests to all hosts.")
    token_idle_requests = count_column("Of those, requests while idle.")
    token_hosts = dy.Int64(nullable=False, min=1, description="Hosts that got it.")
    token_captures = dy.Int64(nullable=False, min=1, description="Captures that hold it.")
    flow = dy.Int64(nullable=False, description="Flow of the first request to this host.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    frame = dy.Int64(nullable=False, min=1, description="Frame of that request.")
    first_time = time_column("Time of the first. Null: it has none.")
    last_time = time_column("Time of the last. Null: as above.")
