"""The host that an HTTP/1 request names (RFC 9110, section 7.2; RFC 9112, section 3.2)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from captures.readings import LONGEST_NAME, Fault, Marks, Moment

HEADERS = 200
"""Header lines of one request that are looked at."""

_BEGIN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}(?: |\Z)")
_HEAD_END = re.compile(rb"\n\r?\n")
_HOST = re.compile(rb"\nhost[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)(?=\n)", re.IGNORECASE)
_BODY_BYTES = re.compile(rb"\ncontent-length[ \t]*:[ \t]*([0-9]{1,15})[ \t]*\r?\n", re.IGNORECASE)
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_PORT = re.compile(rb":[0-9]*\Z")
_BLANK_LINES = re.compile(rb"[\r\n]*")
_LINE_ENDS = b"\r\n"
_ENOUGH_TO_JUDGE = 40


class Request(NamedTuple):
    """What the head of one request says.

    Attributes:
        name: octets of the host, without port; None where it names none.
        end: offset behind the line in the head that names it.
        body_bytes: bytes that follow the head and belong to the request.
        fault: a lie about the name, or None.
        is_cut: it has more than `HEADERS` lines, and the rest was not looked at.
    """

    name: bytes | None
    end: int
    body_bytes: int
    fault: Fault | None
    is_cut: bool


def is_begin(octets: bytes | bytearray) -> bool:
    """Whether a request can begin like this."""
    return _BEGIN.match(octets) is not None


def head_end(octets: bytes | bytearray, start: int, stop: int | None = None) -> int:
    """The offset behind the empty line that ends a head, searched from `start`; 0: none."""
    found = _HEAD_END.search(octets, start, len(octets) if stop is None else stop)
    return found.end() if found else 0


def request(head: bytes) -> Request | None:
    """What a request says whose head is this, or as much of the head as there is.

    None where the first line is none of HTTP/1. The first Host line counts; without one, the
    host in an absolute target or in that of CONNECT does.
    """
    lines = head.split(b"\n", HEADERS + 1)
    method, target = _method_and_target(lines[0])
    if len(lines) == 1 or not method:
        return None
    is_cut = len(lines) > HEADERS + 1 and lines[-1].strip(_LINE_ENDS) != b""
    seen = head[: len(head) - len(lines[-1])] if is_cut else head
    hosts = [(_without_port(_unfolded(line[1])), line.end(1) + 1) for line in _HOST.finditer(seen)]
    name, end = hosts[0] if hosts else (b"", 0)
    if not name:
        name, end = _target_host(method, target), len(lines[0]) + 1
    fault = Fault("http_two_hosts") if len({host.lower() for host, _ in hosts}) > 1 else None
    if len(name) > LONGEST_NAME:
        name, fault = b"", Fault("name_too_long", len(name), LONGEST_NAME)
    body = _BODY_BYTES.search(seen)
    return Request(name or None, end, int(body[1]) if body else 0, fault, is_cut)


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


class RequestReader:
    """Requests that come in several pieces of a stream, or several in one piece."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._passed = 0
        self._body_left = 0
        self._marks = Marks()
        self.is_over = False
        """Nothing more is expected: what follows is no request."""

    @property
    def held_bytes(self) -> int:
        """What waits for the rest of its request costs this much."""
        return len(self._held) + self._marks.held_bytes if self._held else 0

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Request, Moment]]:
        """What the requests say whose heads these next bytes of the stream complete."""
        if not self._held:
            self._marks = Marks()
        self._held += octets
        self._marks.note(self._passed + len(self._held), moment)
        while self._is_at_request():
            end = head_end(self._held, self._searched)
            if not end:
                self._searched = max(len(self._held) - 2, 0)
                break
            found = request(bytes(self._held[:end]))
            self._pass_over(end)
            if found is None:
                self.is_over = True
            else:
                self._body_left = found.body_bytes
                yield found, moment
        if self.is_over:
            self._pass_over(len(self._held))

    def finish(self) -> Iterator[tuple[Request, Moment]]:
        """What the last request says as far as it came, with the moment that brought the host."""
        found = request(bytes(self._held)) if self._is_at_request() else None
        if found is not None:
            yield found, self._marks.reached(self._passed + found.end)
        self._pass_over(len(self._held))
        self.is_over = True

    def _is_at_request(self) -> bool:
        """Whether a request begins here, once the body of the last one is passed over."""
        if self._body_left:
            body_here = min(self._body_left, len(self._held))
            self._body_left -= body_here
            self._pass_over(body_here)
        if blank := _BLANK_LINES.match(self._held):
            self._pass_over(blank.end())
        if not self._held or self.is_over:
            return False
        self.is_over = not is_begin(self._held[:_ENOUGH_TO_JUDGE])
        return not self.is_over

    def _pass_over(self, count: int) -> None:
        """Forget the first bytes that are held."""
        del self._held[:count]
        self._passed += count
        self._searched = 0 if count else self._searched
