"""Heads of HTTP/1 messages (RFC 9110; RFC 9112): the host that a request names, and the rest."""

import re
from typing import NamedTuple

from phonehome.captures.names.faults import Fault, spelled
from phonehome.captures.names.http_bodies import Framing
from phonehome.captures.words import LONGEST_NAME

HEADERS = 200
"""Header lines of one message that are looked at."""

_BEGIN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}(?: |\Z)")
_HEAD_END = re.compile(rb"\n\r?\n")
_FIELDS = re.compile(
    rb"\n(host|user-agent|content-(?:type|length|encoding)|transfer-encoding)"
    rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)(?=\n)",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rb"\n(?!(?:host|user-agent|accept[a-z-]*|content-[a-z-]*|if-[a-z-]*|transfer-encoding|referer"
    rb"|origin|connection|keep-alive|range|date|te|via|expect|cache-control|pragma|priority"
    rb"|upgrade[a-z-]*|sec-[a-z-]*|traceparent|tracestate|baggage|sentry-trace|b3|x-b3-[a-z]*"
    rb"|x-datadog-[a-z-]*|x-cloud-trace-context|x-amzn-trace-id|uber-trace-id|x-request-id"
    rb"|x-correlation-id|x-amz-(?:content-sha256|date))[ \t]*:)"
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}[ \t]*:[^\n]*)(?=\n)",
    re.IGNORECASE,
)
"""Lines of headers, without those that say how to answer, what is asked for, from where, or which
request it is."""
_LENGTH = re.compile(rb"[0-9]{1,15}")
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9][ \t]+([0-9]{3})(?![0-9])")
_RESPONSE_BEGIN = b"HTTP/1."
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_PORT = re.compile(rb":[0-9]*\Z")
_LINE_ENDS = b"\r\n"
_NO_BODY = (204, 304)
_INFORMATION = range(100, 200)


class Request(NamedTuple):
    """What the head of one request says.

    Attributes:
        name: octets of the host, without port; None where it names none.
        end: offset behind the line in the head that names it.
        framing: how the body ends that follows the head.
        fault: a lie about the name, or None.
        is_cut: it has more than `HEADERS` lines, and the rest was not looked at.
        method: as sent.
        target: as sent.
        agent: value of User-Agent; None: it has none.
        content_type: value of Content-Type; None: it has none.
        coding: value of Content-Encoding, empty where it has none.
        told: lines of headers that no rule of HTTP asks for, such as cookies, keys, identifiers.
    """

    name: bytes | None
    end: int
    framing: Framing
    fault: Fault | None
    is_cut: bool
    method: bytes
    target: bytes
    agent: bytes | None
    content_type: bytes | None
    coding: bytes
    told: bytes = b""


class Response(NamedTuple):
    """What the head of one response says.

    Attributes:
        status: status code.
        framing: how the body ends that follows the head; that of a response to HEAD has none.
        content_type: value of Content-Type; None: it has none.
        coding: value of Content-Encoding, empty where it has none.
        is_final: it is the answer to the request, and not one that comes before it (1xx).
        is_switch: what follows is another protocol.
    """

    status: int
    framing: Framing
    content_type: bytes | None
    coding: bytes
    is_final: bool
    is_switch: bool


def is_begin(octets: bytes | bytearray) -> bool:
    """Whether a request can begin like this."""
    return _BEGIN.match(octets) is not None


def is_response_begin(octets: bytes | bytearray) -> bool:
    """Whether a response can begin like this."""
    begin = bytes(octets[: len(_RESPONSE_BEGIN)])
    return bool(begin) and _RESPONSE_BEGIN.startswith(begin)


def head_end(octets: bytes | bytearray, start: int, stop: int | None = None) -> int:
    """The offset behind the empty line that ends a head, searched from `start`; 0: none."""
    found = _HEAD_END.search(octets, start, len(octets) if stop is None else stop)
    return found.end() if found else 0


def request(head: bytes) -> Request | None:
    """What a request says whose head is this, or as much of the head as there is.

    None where the first line is none of HTTP/1. The first Host line counts; without one, the
    host in an absolute target or in that of CONNECT does.
    """
    first, _, rest = head.partition(b"\n")
    method, target = _method_and_target(first)
    if not method or (not rest and not head.endswith(b"\n")):
        return None
    seen, is_cut = _seen(head)
    fields, ends, is_two = _fields(seen)
    name, end = _without_port(fields.get(b"host", b"")), ends.get(b"host", 0)
    if not name:
        name, end = _target_host(method, target), len(first) + 1
    fault = Fault("http_two_hosts") if is_two else None
    if len(name) > LONGEST_NAME:
        name, fault = b"", Fault("name_too_long", len(name), LONGEST_NAME)
    framing = _framing(fields)
    if framing.length is None and not framing.is_chunked:
        framing = Framing(0)  # a request without either has no body
    return Request(
        name=name or None,
        end=end,
        framing=framing,
        fault=fault,
        is_cut=is_cut,
        method=method,
        target=target,
        agent=fields.get(b"user-agent"),
        content_type=fields.get(b"content-type"),
        coding=fields.get(b"content-encoding", b""),
        told=telling(seen),
    )


def response(head: bytes) -> Response | None:
    """What a response says whose head is this, or as much of the head as there is.

    None where the first line is no status line of HTTP/1.
    """
    line = _STATUS_LINE.match(head)
    if line is None or b"\n" not in head:
        return None
    status = int(line[1])
    fields, _, _ = _fields(_seen(head)[0])
    is_final = status not in _INFORMATION
    is_switch = status == 101  # noqa: PLR2004 - Switching Protocols
    framing = Framing(0) if status in _NO_BODY or not is_final else _framing(fields)
    return Response(
        status=status,
        framing=framing,
        content_type=fields.get(b"content-type"),
        coding=fields.get(b"content-encoding", b""),
        is_final=is_final or is_switch,
        is_switch=is_switch,
    )


def host_of(authority: bytes) -> str | None:
    """The host of an authority as names are spelled, without port or user; None: it has none."""
    name = _without_port(authority.rpartition(b"@")[2].strip())
    return spelled(name) if 0 < len(name) <= LONGEST_NAME else None


def holds_values(content_type: str | None) -> bool:
    """Whether a body of this type holds values with their names: a form, or JSON."""
    said = (content_type or "").lower()
    return "json" in said or "form-urlencoded" in said


def kept(octets: bytes, most: int, ends: bytes) -> bytes:
    """The octets, or of too many as many whole parts as there is room for; `ends` part them."""
    if len(octets) <= most:
        return octets
    last = max(octets.rfind(end, 0, most) for end in (ends[at : at + 1] for at in range(len(ends))))
    return octets[: max(last, 0)]


def telling(head: bytes) -> bytes:
    """Lines of headers, of HTTP/1 or HTTP/2, that no rule of HTTP asks for: cookies, keys, …."""
    return b"\n".join(line.rstrip(b"\r") for line in _TOLD.findall(head))


def _seen(head: bytes) -> tuple[bytes, bool]:
    """The lines of a head that are looked at, and whether there are more."""
    if head.count(b"\n") <= HEADERS:
        return head, False
    rest = head.split(b"\n", HEADERS + 1)[-1]
    if not rest.strip(_LINE_ENDS):
        return head, False
    return head[: len(head) - len(rest)], True


def _fields(seen: bytes) -> tuple[dict[bytes, bytes], dict[bytes, int], bool]:
    """The first value of each header that matters, where its line ends, and if two hosts differ."""
    values: dict[bytes, bytes] = {}
    ends: dict[bytes, int] = {}
    hosts = set()
    for line in _FIELDS.finditer(seen):
        name, value = line[1].lower(), _unfolded(line[2])
        if name == b"host":
            hosts.add(_without_port(value).lower())
        if name not in values:
            values[name], ends[name] = value, line.end() + 1
    return values, ends, len(hosts) > 1


def _framing(fields: dict[bytes, bytes]) -> Framing:
    """How a body ends, by Transfer-Encoding and Content-Length."""
    length = _LENGTH.fullmatch(fields.get(b"content-length", b""))
    coding = fields.get(b"transfer-encoding", b"").lower()
    return Framing(int(length[0]) if length else None, coding.endswith(b"chunked"))


def _method_and_target(line: bytes) -> tuple[bytes, bytes]:
    """Both from a request line; empty where it is none."""
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rstrip(b" \r").rpartition(b" ")
    if not version.startswith(b"HTTP/1") or not is_begin(line):
        return b"", b""
    return method, target.strip(b" ")


def _unfolded(value: bytes) -> bytes:
    """The value of a header; folded lines are joined by a space (RFC 9112, section 5.2)."""
    return b" ".join(value.split()) if b"\n" in value else value.strip(b" \t\r")


def _without_port(authority: bytes) -> bytes:
    """The host of an authority; an IPv6 address keeps its brackets."""
    host = _PORT.sub(b"", authority, count=1)
    return authority if b":" in host and not host.endswith(b"]") else host


def _target_host(method: bytes, target: bytes) -> bytes:
    """The host in a request target; empty where the target is a path."""
    if method == b"CONNECT":
        return _without_port(target)
    absolute = _ABSOLUTE.match(target)
    return _without_port(absolute[1].rpartition(b"@")[2]) if absolute else b""
