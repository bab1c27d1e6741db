"""What tshark says of one packet, read from its line of JSON.

With `-e`, every field is a list of its values in the packet's order, whatever frame of HTTP/2 or
QUIC they stand in; here they are put back together.
"""

import json
from ipaddress import ip_address
from itertools import islice
from typing import NamedTuple

FIELDS = (
    "frame.number",
    "frame.time_epoch",
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tcp.stream",
    "quic.connection.number",
    "tls.handshake.type",
    "tls.handshake.random",
    "data.data",
    "http2.type",
    "http2.flags",
    "http2.streamid",
    "http2.length",
    "http2.header.count",
    "http2.header.name",
    "http2.header.value",
    "http2.data.data",
    "quic.frame_type",
    "quic.stream.stream_id",
    "quic.stream.offset",
    "quic.stream_data",
)
SHOWN = "tls.handshake.random or (tls and (data or http2)) or quic.stream_data"
"""The packets that are asked for: hellos, and what is inside of TLS and QUIC."""

CLIENT_HELLO, SERVER_HELLO = 1, 2
DATA, HEADERS, PUSH_PROMISE, CONTINUATION = 0, 1, 5, 9
END_STREAM, END_HEADERS = 0x1, 0x4
_HTTP2_HEADER = 9
_STREAM_FRAMES = range(0x08, 0x10)
_HAS_OFFSET, _IS_LAST = 0x04, 0x01
_LATEST = 1 << 63
_SECOND = 1_000_000_000

Values = dict[str, list[str]]


class Http2Frame(NamedTuple):
    """A frame of HTTP/2: headers, or data.

    Attributes:
        stream: its stream.
        headers: name and value of each, as tshark unpacked them; None: it is data.
        octets: its data; of the frame that ends a message, tshark may give the whole message.
        is_whole: `octets` is the whole message.
        is_last: it ends its message.
    """

    stream: int
    headers: list[tuple[str, str]] | None
    octets: bytes
    is_whole: bool
    is_last: bool


class QuicFrame(NamedTuple):
    """A STREAM frame of QUIC: stream, place of its octets in it, the octets, if it ends there."""

    stream: int
    offset: int
    octets: bytes
    is_last: bool


class Said(NamedTuple):
    """One packet.

    Attributes:
        frame: its number, from 1.
        time: in ns since 1970; None: it has none.
        protocol: tcp or udp.
        source: address and port.
        destination: address and port.
        connection: number of its connection at tshark's, among those of its protocol.
        hellos: type and random of each ClientHello and ServerHello.
        octets: what TLS carried, a piece per record.
        http2: frames of HTTP/2 in TLS that carry headers or data.
        http2_bytes: bytes of all its frames of HTTP/2.
        quic: frames of QUIC.
    """

    frame: int
    time: int | None
    protocol: str
    source: tuple[str, int]
    destination: tuple[str, int]
    connection: int
    hellos: list[tuple[int, bytes]]
    octets: list[bytes]
    http2: list[Http2Frame]
    http2_bytes: int
    quic: list[QuicFrame]


def said(line: bytes) -> Said | None:
    """What a line says; None where it is an index, or of a packet that cannot be placed.

    Raises:
        ValueError: the line is none that tshark prints.
    """
    try:
        content = json.loads(line)
        layers = content.get("layers")
        if layers is None:
            return None
        return _said({name.replace(".", "_"): values for name, values in layers.items()})
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise ValueError("a line that is none of tshark's") from None


def _said(values: Values) -> Said | None:
    ends = _ends(values)
    if ends is None:
        return None
    protocol, source, destination = ends
    number = "tcp_stream" if protocol == "tcp" else "quic_connection_number"
    if number not in values:
        return None
    return Said(
        frame=int(values["frame_number"][0]),
        time=_time(values.get("frame_time_epoch", [""])[0]),
        protocol=protocol,
        source=source,
        destination=destination,
        connection=int(values[number][-1]),
        hellos=_hellos(values),
        octets=[bytes.fromhex(octets) for octets in values.get("data_data", [])],
        http2=_http2(values) if "http2_type" in values else [],
        http2_bytes=sum(_HTTP2_HEADER + int(length) for length in values.get("http2_length", [])),
        quic=_quic(values) if "quic_stream_data" in values else [],
    )


def _ends(values: Values) -> tuple[str, tuple[str, int], tuple[str, int]] | None:
    """Protocol and both ends, of the innermost IP header."""
    layers = values["frame_protocols"][0].split(":")
    network = next((name for name in reversed(layers) if name in {"ip", "ipv6"}), None)
    protocol = "udp" if "udp" in layers[-3:] or "quic" in layers else "tcp"
    ports = [values.get(f"{protocol}_{end}port", [""])[-1] for end in ("src", "dst")]
    if network is None or not all(ports):
        return None
    addresses = [str(ip_address(values[f"{network}_{end}"][-1])) for end in ("src", "dst")]
    return protocol, (addresses[0], int(ports[0])), (addresses[1], int(ports[1]))


def _time(text: str) -> int | None:
    """Nanoseconds since 1970; None: none, or more than a table can hold."""
    whole, _, rest = text.partition(".")
    if not whole.lstrip("-").isdigit():
        return None
    nanoseconds = int(rest.ljust(9, "0")[:9] or 0)
    seconds = int(whole) * _SECOND
    time = seconds - nanoseconds if text.startswith("-") else seconds + nanoseconds
    return time if abs(time) < _LATEST else None


def _hellos(values: Values) -> list[tuple[int, bytes]]:
    types = [int(kind) for kind in values.get("tls_handshake_type", [])]
    randoms = values.get("tls_handshake_random", [])
    kinds = [kind for kind in types if kind in {CLIENT_HELLO, SERVER_HELLO}]
    return [(kind, bytes.fromhex(random)) for kind, random in zip(kinds, randoms, strict=False)]


def _http2(values: Values) -> list[Http2Frame]:
    """Frames of HTTP/2 that carry headers or data."""
    counts = iter([int(count) for count in values.get("http2_header_count", [])])
    names = values.get("http2_header_name", [])
    pairs = iter(list(zip(names, values.get("http2_header_value", []), strict=False)))
    pieces = iter([bytes.fromhex(octets) for octets in values.get("http2_data_data", [])])
    found = []
    for kind, flags, stream, length in zip(
        *(
            [int(number, 0) for number in values[f"http2_{name}"]]
            for name in ("type", "flags", "streamid", "length")
        ),
        strict=False,
    ):
        is_last = bool(flags & END_STREAM)
        if kind == DATA:
            octets = next(pieces, b"") if length else b""
            found.append(Http2Frame(stream, None, octets, len(octets) > length, is_last))
        elif kind in {HEADERS, PUSH_PROMISE, CONTINUATION} and flags & END_HEADERS:
            headers = list(islice(pairs, next(counts, 0)))
            found.append(Http2Frame(stream, headers, b"", is_whole=False, is_last=is_last))
    return found


def _quic(values: Values) -> list[QuicFrame]:
    """STREAM frames; those whose fields cannot be told apart are left out."""
    kinds = [int(kind, 0) for kind in values.get("quic_frame_type", [])]
    streams = [int(stream) for stream in values.get("quic_stream_stream_id", [])]
    offsets = iter([int(offset) for offset in values.get("quic_stream_offset", [])])
    pieces = [bytes.fromhex(octets) for octets in values["quic_stream_data"]]
    carried = [kind for kind in kinds if kind in _STREAM_FRAMES]
    if not len(carried) == len(pieces) <= len(streams):
        return []
    return [
        QuicFrame(
            stream,
            next(offsets, 0) if kind & _HAS_OFFSET else 0,
            octets,
            is_last=bool(kind & _IS_LAST),
        )
        for kind, stream, octets in zip(carried, streams, pieces, strict=False)
    ]
