"""Messages of HTTP/1 in one direction of a stream, in any pieces: heads, then bodies."""

import re
from collections.abc import Iterator

from phonehome.captures.names.faults import Marks, Moment
from phonehome.captures.names.http import (
    Request,
    Response,
    head_end,
    is_begin,
    is_response_begin,
    request,
    response,
)
from phonehome.captures.names.http_bodies import KEPT_BYTES, Body, BodyReader, Framing

Said = Request | Response | Body
"""What a stream says: each head is followed by its body if that is not empty."""

_BLANK_LINES = re.compile(rb"[\r\n]*")
_ENOUGH_TO_JUDGE = 40
_STATUS = re.compile(rb"HTTP/1\.[0-9] [0-9]{3}")
_STATUS_BYTES = 12


class HttpReader:
    """Requests, or responses, that come in several pieces of a stream, or several in one piece.

    Args:
        is_response: they are responses. A body that begins like a response is none: the one
            before it answered HEAD.
        most: bytes of a body that are kept.

    Attributes:
        head: octets of the head that was read last.
        rest: octets that are no message, once it is over.
    """

    def __init__(self, *, is_response: bool = False, most: int = KEPT_BYTES) -> None:
        self._is_response = is_response
        self._most = most
        self.head = b""
        self.rest = b""
        self._held = bytearray()
        self._searched = 0
        self._passed = 0
        self._body: BodyReader | None = None
        self._marks = Marks()
        self._last = Moment(0, 0)
        self.is_over = False
        """Nothing more is expected: what follows is no message."""

    @property
    def held_bytes(self) -> int:
        """What waits for the rest of its message costs this much."""
        body = self._body.held_bytes if self._body else 0
        return body + (len(self._held) + self._marks.held_bytes if self._held else 0)

    @property
    def is_between(self) -> bool:
        """Nothing of a message is held: what comes next begins one."""
        return self._body is None and not self._held

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Said, Moment]]:
        """What the messages say whose heads or bodies these next bytes of the stream complete."""
        self._last = moment
        if not self._held:
            self._marks = Marks()
        self._held += octets
        self._marks.note(self._passed + len(self._held), moment)
        while not self.is_over:
            if self._body is not None:
                body = self._read_body()
                if body is None:
                    break
                yield body, moment
            if not self._is_at_message():
                break
            end = head_end(self._held, self._searched)
            if not end:
                self._searched = max(len(self._held) - 2, 0)
                break
            found = self._parse(bytes(self._held[:end]))
            self._pass_over(end)
            if found is None:
                self.is_over = True
                self.rest = self.head
            else:
                self._begin_body(found)
                yield found, moment
        if self.is_over:
            self._give_up()

    def finish(self) -> Iterator[tuple[Said, Moment]]:
        """What the last message says as far as it came; the moment that brought the host."""
        if self._body is not None:
            self._body.feed(bytes(self._held))
            yield self._body.body(), self._last
            self._body = None
        elif self._is_at_message():
            found = self._parse(bytes(self._held))
            if found is not None:
                end = found.end if isinstance(found, Request) else len(self._held)
                moment = self._marks.reached(self._passed + end)
                self._pass_over(len(self._held))
                yield found, moment
        self._give_up()
        self.is_over = True

    def _give_up(self) -> None:
        """What is held is no message."""
        self.rest += bytes(self._held)
        self._pass_over(len(self._held))

    def _parse(self, head: bytes) -> Request | Response | None:
        self.head = head
        return response(head) if self._is_response else request(head)

    def _begin_body(self, found: Request | Response) -> None:
        """What follows a head is its body, unless it has none."""
        self.is_over = isinstance(found, Response) and found.is_switch
        if found.framing != Framing(0):
            self._body = BodyReader(found.framing, self._most)

    def _read_body(self) -> Body | None:
        """Take what is here of the body; the body, if it is over."""
        body = self._body
        if body is None:
            return None
        if self._is_response and not body.held_bytes and is_response_begin(self._held):
            if _STATUS.match(self._held):
                self._body = None
                return Body(b"", 0, is_whole=True)
            if len(self._held) < _STATUS_BYTES:
                return None
        self._pass_over(body.feed(bytes(self._held)))
        if not body.is_over:
            return None
        self._body = None
        return body.body()

    def _is_at_message(self) -> bool:
        """Whether a message begins here."""
        if blank := _BLANK_LINES.match(self._held):
            self._pass_over(blank.end())
        if not self._held or self.is_over:
            return False
        begins = is_response_begin if self._is_response else is_begin
        self.is_over = not begins(self._held[:_ENOUGH_TO_JUDGE])
        return not self.is_over

    def _pass_over(self, count: int) -> None:
        """Forget the first bytes that are held."""
        del self._held[:count]
        self._passed += count
        self._searched = 0 if count else self._searched
