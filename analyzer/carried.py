"""Opaque values that requests carry: digits that no person chose, wherever an app may put them.

Looked through are parameters and paths, cookies and other headers that no rule of HTTP asks for,
forms and JSON in bodies: of HTTP/1 in the clear, and of HTTP/1 and HTTP/2 that keys opened. Times,
words, and names of static files are no such values.
"""

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from math import log2
from typing import Any, Final, NamedTuple

import polars as pl

from captures.http import telling
from captures.opening.opened import Opened

MOST_VALUES: Final = 200_000
"""Of one capture; of more the first are looked at."""
MOST_LENGTH: Final = 512
MOST_JWT: Final = 4_096
MOST_BODY: Final = 16_384
"""Octets of a body that are looked through."""
IN_PATH: Final = "path"
IN_COOKIE: Final = "cookie "
IN_HEADER: Final = "header "
IN_BODY: Final = "body "

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-f]{16,}|[0-9A-F]{16,})")
_DECIMAL = re.compile(r"[0-9]{15,}")
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{20,}={0,2}")
_JWT = re.compile(r"eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*")
"""JSON Web Token (RFC 7519): its first part alone is the same for everybody."""
_TIME = re.compile(r"1[0-9]{9}(?:[0-9]{6}|[0-9]{9})|20[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{9,}")
"""Micro- and nanoseconds since 1970 (2001 to 2033), or a date and a time."""
_WORD = re.compile(r"[A-Za-z]?[a-z]{3,}|[A-Z]{3,}")
_MOST_IN_WORDS = 0.6
_LEAST_BITS: Final = {"hex": 2.5, "decimal": 2.0, "base64": 3.5}
"""Shannon's entropy of the characters, per character: less is a pattern, such as 000…1."""
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_STATIC = re.compile(
    r"(?i)\.(?:js|mjs|css|map|woff2?|ttf|otf|png|jpe?g|gif|webp|avif|svg|ico|heic|mp[34]|m4[asv]"
    r"|ts|m3u8|mpd|webm|aac|ogg|zip|gz|apk|ipa|dex|so|bin|wasm|html?)$"
)
_PSEUDO = re.compile(r":([a-z]+): (.*)")
_PIECES = re.compile(r"[\s,;=\"]+")
_JSON_PAIR = re.compile(r'"([^"\\]{1,64})"\s{0,8}:\s{0,8}"?([0-9A-Za-z+/_=-]{15,512})["\s,}\]]')
_FORM_PAIR = re.compile(r"(?:^|&)([^=&]{1,64})=([^&\s]{15,1024})")
_CODE = re.compile(r"(?i)\.(?:js|mjs|css|map|woff2?|ttf|otf|wasm)$")
_SCHEMA: Final[dict[str, Any]] = {
    "conversation": pl.Int32,
    "is_from_b": pl.Boolean,
    "frame": pl.Int64,
    "time": pl.Datetime("ns", "UTC"),
    "request": pl.Int64,
    "named": pl.String,
    "field": pl.String,
    "given": pl.String,
    "form": pl.String,
    "token": pl.String,
    "rest": pl.String,
}


class _Carried(NamedTuple):
    """One value of a request: field, value as given, its form, and the request without it."""

    field: str
    given: str
    form: str
    rest: str


class _Request(NamedTuple):
    """What a request says of itself."""

    number: int
    method: str
    host: str | None
    target: str


class Values:
    """The opaque values of one capture's requests.

    Attributes:
        left_out: values for which there was no room.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._rows: list[tuple[Any, ...]] = []
        self._requests = 0
        self._latest: dict[tuple[int, bool], _Request] = {}

    def look_into(self, requests: pl.DataFrame) -> None:
        """Look through requests in the clear, as `captures.tables.RequestParts` has them."""
        columns = ("conversation", "is_from_b", "frame", "time", "method", "host", "target")
        rows = requests.select(
            *columns[:3], pl.col("time").to_physical(), *columns[4:], "headers", "body"
        ).iter_rows()
        for *place, method, host, target, headers, body in rows:
            said = self._next(method, host, target)
            self._add(place, said, _in_target(target))
            self._add(place, said, _in_headers(headers or ""))
            self._add(place, said, _in_body(body or ""))

    def look_into_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Look through a piece that a key has opened, if it is the head or body of a request."""
        place = [conversation, is_from_b, piece.frame, piece.time]
        if piece.what.endswith(" request head"):
            head = _head(piece.octets)
            if head is not None:
                said = self._next(*head)
                self._latest[conversation, is_from_b] = said
                self._add(place, said, _in_target(said.target))
                self._add(place, said, _in_headers(telling(piece.octets).decode("latin-1")))
        elif piece.what.endswith(" request body"):
            latest = self._latest.get((conversation, is_from_b))
            if latest is not None:
                body = piece.octets[:MOST_BODY].decode("latin-1")
                self._add(place, latest, _in_body(body))

    def table(self) -> pl.DataFrame:
        """A row per value.

        conversation, is_from_b, frame, time, request (its number in the capture), named (the host
        that it names), field, given (the value), form, token (the value in one spelling), rest (a
        digest of the request without the value).
        """
        return pl.DataFrame(self._rows, schema=_SCHEMA, orient="row")

    def _next(self, method: str, host: str | None, target: str) -> _Request:
        self._requests += 1
        return _Request(self._requests, method, host, target)

    def _add(self, place: list[Any], said: _Request, found: Iterator[_Carried]) -> None:
        for one in found:
            if len(self._rows) == MOST_VALUES:
                self.left_out += 1
                continue
            rest = _digest(f"{said.method} {said.host} {one.rest or said.target}")
            self._rows.append(
                (
                    *place,
                    said.number,
                    said.host,
                    _named(one.field),
                    one.given,
                    one.form,
                    _spelled(one),
                    rest,
                )
            )


def _digest(text: str) -> str:
    """What stands for a text: equal texts have the same."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def form_of(value: str) -> str | None:
    """The form of an opaque value, as `tables.Tokens` has it; None: it may be no such value."""
    if len(value) > MOST_LENGTH:
        return "jwt" if len(value) <= MOST_JWT and _JWT.fullmatch(value) else None
    if _UUID.fullmatch(value):
        return "uuid" if _bits(value.replace("-", "").lower()) >= _LEAST_BITS["hex"] else None
    if _DECIMAL.fullmatch(value):
        form = "decimal" if not _TIME.fullmatch(value) else None
    elif _HEX.fullmatch(value):
        form = "hex" if re.search("[0-9]", value) else None
    elif _JWT.fullmatch(value):
        return "jwt"
    elif _BASE64.fullmatch(value):
        form = "base64" if _is_mixed(value) else None
    else:
        form = None
    return form if form and _bits(value) >= _LEAST_BITS[form] else None


def _is_mixed(value: str) -> bool:
    """Whether digits and letters of both cases are mixed, and hardly any of them spell words."""
    has_all = all(re.search(of, value) for of in ("[0-9]", "[a-z]", "[A-Z]"))
    in_words = sum(len(word) for word in _WORD.findall(value) if len(word) > 3)  # noqa: PLR2004
    return has_all and in_words <= _MOST_IN_WORDS * len(value)


def _bits(value: str) -> float:
    """Shannon's entropy of the characters, in bits per character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * log2(count / len(value)) for count in counts)


def _in_target(target: str) -> Iterator[_Carried]:
    """The opaque values of a request's target."""
    path, _, query = target.partition("?")
    if not _STATIC.search(path):
        parts = path.split("/")
        for at, part in enumerate(parts):
            if form := form_of(given := _unquoted(part)):
                others = [*parts[:at], "", *parts[at + 1 :]]
                yield _Carried(IN_PATH, given, form, "/".join(others) + "?" + query)
    if _CODE.search(path):
        return
    pairs = re.split("[&;]", query)
    for at, pair in enumerate(pairs):
        name, is_given, value = pair.partition("=")
        if is_given and (form := form_of(given := _unquoted(value))):
            others = [*pairs[:at], name, *pairs[at + 1 :]]
            yield _Carried(name, given, form, path + "?" + "&".join(others))


def _unquoted(text: str) -> str:
    """Text without the escapes of addresses; opaque values hold ASCII alone."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def _named(field: str) -> str:
    """The field as it may be written: without a name that is an opaque value itself."""
    kind, space, name = field.rpartition(" ")
    return f"{kind}{space}…" if form_of(name) else field


def _spelled(one: _Carried) -> str:
    """The value in one spelling: hexadecimal digits small, and without hyphens."""
    is_hex = one.form in {"hex", "uuid"}
    return one.given.replace("-", "").lower() if is_hex else one.given


def _head(octets: bytes) -> tuple[str, str | None, str] | None:
    """Method, host, target of an opened request: of HTTP/1 as sent, of HTTP/2 a line per field.

    None: it says too little.
    """
    first, *lines = octets.decode("latin-1").splitlines() or [""]
    if first.startswith(":"):
        found = map(_PSEUDO.fullmatch, [first, *lines])
        fields = {field[1]: field[2] for field in found if field}
        if "path" not in fields:
            return None
        return fields.get("method", ""), fields.get("authority"), fields["path"]
    method, _, rest = first.partition(" ")
    target, _, version = rest.rpartition(" ")
    hosts = [line[5:].strip() for line in lines if line[:5].lower() == "host:"]
    if not version.startswith("HTTP/1"):
        return None
    return method, hosts[0] if hosts else None, target


def _in_headers(lines: str) -> Iterator[_Carried]:
    """The opaque values of headers; cookies each by its name, others by that of their header."""
    for line in lines.split("\n"):
        name, _, value = line.partition(":")
        if name.lower() == "cookie":
            for pair in value.split(";"):
                cookie, _, given = pair.strip().partition("=")
                if form := form_of(given := _unquoted(given.strip('"'))):
                    yield _Carried(IN_COOKIE + cookie, given, form, "")
        else:
            for given in _PIECES.split(value):
                if form := form_of(given):
                    yield _Carried(IN_HEADER + name.lower(), given, form, "")


def _in_body(body: str) -> Iterator[_Carried]:
    """The opaque values of a form or of JSON, with the name that stands before each."""
    body = body[:MOST_BODY]
    pairs = _JSON_PAIR if body.lstrip()[:1] in {"{", "["} else _FORM_PAIR
    for pair in pairs.finditer(body):
        given = _unquoted(pair[2]) if pairs is _FORM_PAIR else pair[2]
        if form := form_of(given):
            rest = body[: pair.start(2)] + body[pair.end(2) :]
            yield _Carried(IN_BODY + pair[1], given, form, rest)
