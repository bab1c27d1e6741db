"""Collects requests of HTTP/1 and their responses, and makes their table at the end."""

from collections import OrderedDict, deque

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.captures.names import httpdns, mmtls
from phonehome.captures.names.faults import Moment, shown, spelled
from phonehome.captures.names.http import Request, Response, holds_values, kept
from phonehome.captures.names.http_bodies import Body, unfolded
from phonehome.captures.tables import Exchanges, RequestParts

Stream = tuple[int, int, int]
"""Conversation, whether end b sends, and how often the ports were used again."""

_NO_TIME = np.iinfo(np.int64).min
_LONGEST_TARGET = 2_048
_LONGEST_TEXT = 512
_LONGEST_HEADERS = 4_096
_LONGEST_BODY = 16_384
_MOST_PARTS = 32 << 20
"""Octets of headers and bodies of all requests."""
_MOST_WAITING = 64
_MOST_OPEN = 1 << 14


class _Part:
    """What a request carries beside its target; and its row."""

    __slots__ = ("body", "headers", "row")

    def __init__(self, row: list[object]) -> None:
        self.row = row
        self.headers: str | None = None
        self.body: str | None = None


class _Exchange:
    """A request and its response, as far as they came."""

    __slots__ = ("coding", "lookup", "part", "row")

    def __init__(self, row: list[object]) -> None:
        self.row = row
        self.part: _Part | None = None
        self.coding = b""
        self.lookup: httpdns.Lookup | None = None


_PLACES = {name: place for place, name in enumerate(Exchanges.create_empty().columns)}
_STATUS, _REQUEST_BYTES, _RESPONSE_BYTES, _REQUEST_CODING, _RESPONSE_CODING, _REQUEST_TYPE = (
    _PLACES[name]
    for name in (
        "status",
        "request_bytes",
        "response_bytes",
        "request_coding",
        "response_coding",
        "request_type",
    )
)
_TARGET_END = _PLACES["target"] + 1


class ExchangeList:
    """Requests with their responses, in the order in which they were read.

    Args:
        most: exchanges that are kept.

    Attributes:
        left_out: exchanges beyond `most`.
    """

    def __init__(self, most: int) -> None:
        self.left_out = 0
        self._most = most
        self._rows: list[list[object]] = []
        self._parts: list[_Part] = []
        self._parts_room = _MOST_PARTS
        self._waiting: OrderedDict[tuple[int, int], deque[_Exchange]] = OrderedDict()
        self._latest: OrderedDict[Stream, _Exchange] = OrderedDict()

    def ask(self, stream: Stream, moment: Moment, said: Request) -> None:
        """Note a request; its response is still to come."""
        time = None if moment.time == _NO_TIME else moment.time
        name = spelled(said.name) if said.name else None
        exchange = self._new(
            [
                *stream[:2],
                moment.frame,
                time,
                shown(said.method, _LONGEST_TEXT),
                name,
                shown(said.target, _LONGEST_TARGET),
                _text(said.agent),
                _text(said.content_type),
                said.framing.length if not said.framing.is_chunked else None,
            ]
        )
        exchange.coding = said.coding
        exchange.row[_REQUEST_CODING] = _text(said.coding)
        exchange.lookup = httpdns.asked(said.target)
        if len(self._parts) < self._most:
            exchange.part = _Part(exchange.row)
            exchange.part.headers = self._kept(said.told, _LONGEST_HEADERS, b"\n;")
            self._parts.append(exchange.part)
        waiting = self._waiting.setdefault((stream[0], stream[2]), deque(maxlen=_MOST_WAITING))
        waiting.append(exchange)
        if len(self._waiting) > _MOST_OPEN:
            self._waiting.popitem(last=False)
        self._remember(stream, exchange)

    def answer(self, stream: Stream, moment: Moment, said: Response) -> None:
        """Note a response: of the oldest request of its connection that has none."""
        if not said.is_final:
            return
        waiting = self._waiting.get((stream[0], stream[2]))
        if waiting:
            exchange = waiting.popleft()
        else:
            exchange = self._new([stream[0], 1 - stream[1], *[None] * (_REQUEST_BYTES - 1)])
        length = None if said.framing.is_chunked else said.framing.length
        answer = (said.status, moment.frame, _text(said.content_type), length)
        exchange.row[_STATUS : _STATUS + len(answer)] = answer
        exchange.row[_RESPONSE_CODING] = _text(said.coding)
        exchange.coding = said.coding
        self._remember(stream, exchange)

    def take(self, stream: Stream, body: Body) -> list[tuple[bytes, str]]:
        """Note the body of the last message of a stream: names that it gives, with addresses."""
        exchange = self._latest.pop(stream, None)
        if exchange is None:
            return []
        is_response = exchange.row[1] != stream[1]
        place = _RESPONSE_BYTES if is_response else _REQUEST_BYTES
        if exchange.row[place] is None and body.is_whole:
            exchange.row[place] = body.size
        if not is_response and exchange.part is not None and self._parts_room:
            said = exchange.row[_REQUEST_TYPE]
            if isinstance(said, str) and holds_values(said):
                octets = unfolded(body.octets, exchange.coding, _LONGEST_BODY + 1)
                exchange.part.body = self._kept(octets, _LONGEST_BODY, b"&,")
        if not is_response or exchange.lookup is None:
            return []
        return httpdns.answers(exchange.lookup, unfolded(body.octets, exchange.coding))

    def is_short_link(self, stream: Stream) -> bool:
        """Whether the body of the last message of a stream is records of MMTLS."""
        exchange = self._latest.get(stream)
        return exchange is not None and str(exchange.row[_PLACES["target"]]).startswith(
            mmtls.SHORT_LINK.decode()
        )

    def _new(self, row: list[object]) -> _Exchange:
        """An exchange of which no response is known, kept if there is room."""
        row += [None] * (len(_PLACES) - len(row))
        if len(self._rows) < self._most:
            self._rows.append(row)
        else:
            self.left_out += 1
        return _Exchange(row)

    def _remember(self, stream: Stream, exchange: _Exchange) -> None:
        """The body that may follow in a stream belongs to this."""
        self._latest[stream] = exchange
        self._latest.move_to_end(stream)
        if len(self._latest) > _MOST_OPEN:
            self._latest.popitem(last=False)

    def _kept(self, octets: bytes, most: int, ends: bytes) -> str | None:
        """Text of a part of a request, if there is room for it."""
        text = kept(octets, min(most, self._parts_room), ends)
        self._parts_room -= len(text)
        return text.decode("latin-1") or None

    def parts(self) -> dy.DataFrame[RequestParts]:
        """One row per request, in the order in which they were read."""
        rows = [(*part.row[:_TARGET_END], part.headers, part.body) for part in self._parts]
        schema = RequestParts.create_empty().schema
        plain = schema | {"is_from_b": pl.Int64, "time": pl.Int64}
        return RequestParts.validate(pl.DataFrame(rows, schema=plain, orient="row"), cast=True)

    def table(self) -> dy.DataFrame[Exchanges]:
        """One row per exchange, by its first frame, then as they were read."""
        schema = Exchanges.create_empty().schema
        plain = {
            name: pl.Int64 if isinstance(dtype, pl.Datetime | pl.Boolean) else dtype
            for name, dtype in schema.items()
        }
        found = pl.DataFrame(self._rows, schema=plain, orient="row")
        order = pl.coalesce("frame", "response_frame")
        return Exchanges.validate(found.sort(order, maintain_order=True), cast=True)


def _text(octets: bytes | None) -> str | None:
    return shown(octets, _LONGEST_TEXT) if octets else None
