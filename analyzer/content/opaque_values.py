# Held by tests/analyzer/content/test_content_tokens.py: each place where a value may stand.
"""Opaque values that requests carry: digits that no person chose, wherever an app may put them.

Looked through are parameters and paths, cookies and other headers that no rule of HTTP asks for,
forms and JSON in bodies: of HTTP/1 in the clear, and of HTTP/1 and HTTP/2 that keys opened. Times,
words, and names of static files are no such values.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from math import log2
from typing import Any, Final, NamedTuple

import polars as pl

from phonehome.captures import Opened, holds_values, host_of, kept, request, telling

MOST_VALUES: Final = 200_000
"""Of one capture; of more the first are looked at."""
MOST_IN_REQUEST: Final = 64
MOST_TEXT: Final = 32 << 20
"""Characters of all values that differ."""
MOST_LENGTH: Final = 512
MOST_JWT: Final = 4_096
MOST_TARGET: Final = 2_048
MOST_HEADERS: Final = 4_096
MOST_BODY: Final = 16_384
"""Octets of an opened request that are looked through, as of one in the clear."""
MOST_WAITING: Final = 1_024
"""Opened requests whose bodies are still to come."""
MOST_NAME: Final = 64
_MOST_LOOKED_AT: Final = 512
"""Characters of a name that are looked through before it is cut."""
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
_TIME = re.compile(
    r"1[0-9]{9}(?:[0-9]{6}|[0-9]{9})|20[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{9,}|(?:6[34]|13)[0-9]{16}"
)
"""Micro- and nanoseconds since 1970 (2001 to 2033), a date and a time, or units of 100 ns since the
year 1 or 1601, as .NET and Windows count them (2009 to 2043)."""
_FRACTION = re.compile(r"[+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?")
_OF_NOTHING: Final = (
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "1B2M2Y8AsgTpgAmy7PhCfg",
    "2jmj7l5rSw0yVb/vlWAYkK/YBwk",
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    "9007199254740991",
    "9223372036854775807",
    "18446744073709551615",
    "0123456789abcdef",
)
"""MD5, SHA-1 and SHA-256 of nothing, for a body that is not there, in both spellings; the
largest numbers of 53, 63 and 64 bits, which stand for no number; the digits."""
_WORD = re.compile(r"[A-Za-z]?[a-z]{3,}|[A-Z]{3,}")
_MOST_IN_WORDS = 0.6
_LEAST_BITS: Final = {"hex": 2.5, "decimal": 2.0, "base64": 3.5}
"""Shannon's entropy of the characters, per character: less is a pattern, such as 000…1."""
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_STATIC = re.compile(
    r"(?i)\.(?:js|mjs|css|map|woff2?|ttf|otf|png|jpe?g|gif|webp|avif|svg|ico|heic|mp[34]|m4[asv]"
    r"|ts|m3u8|mpd|webm|aac|ogg|zip|gz|apk|ipa|dex|so|bin|wasm|html?)$"
)
_CODE = re.compile(r"(?i)\.(?:js|mjs|css|map|woff2?|ttf|otf|wasm)$")
_PSEUDO = re.compile(r":([a-z]+): (.*)")
_PAIRS = re.compile(r"([^&;]*)([&;]?)")
_PIECES = re.compile(r"[\s,;\"]+")
_WITHIN = re.compile(r"[.:|=~!*]")
"""What parts a value that is made of several: `s:….…`, `…:APA91b…`."""
_JSON_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\\?\Z)|(?<![\w.+-])([0-9]{15,32})(?![\w.])', re.DOTALL
)
"""A text and whether it names what follows, or a number that may be opaque. One that is cut off is
a text too, so that looking for its end again and again takes no time."""
_JSON = re.compile(r"(?:\ufeff|\xef\xbb\xbf)?\s*[\[{]")
"""How JSON begins, behind a mark of its encoding, which may have been read as Latin-1."""
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_LEAST_LENGTH: Final = 15
_MOST_WITHIN: Final = 2
"""Layers of JSON that stand in a text."""
_FORM_PAIR = re.compile(r"(?:^|&)([^=&]{1,512})=([^&\s]{15,16384})(?=&|\s|$)")
_TELLING_NAME = re.compile(
    r"[^ ]*@[^ ]*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
    r"|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}|[0-9A-Za-z+/_=-]{20,}|[0-9A-Fa-f]{16,}"
    r"|(?<![0-9A-Za-z])(?=[0-9a-f]*[0-9])[0-9a-f]{12}(?![0-9A-Za-z])"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|-?[0-9]{1,3}\.[0-9]{3,}|\+?[0-9](?:[ .()-]{0,2}[0-9]){6,}",
    re.IGNORECASE,
)
"""What may name a person in the name of a field: addresses, numbers, places, opaque values."""
_WITHOUT_BODY: Final = ("GET", "HEAD", "DELETE", "OPTIONS", "CONNECT")
_SCHEMA: Final[dict[str, Any]] = {
    "conversation": pl.Int32,
    "is_from_b": pl.Boolean,
    "frame": pl.Int64,
    "time": pl.Datetime("ns", "UTC"),
    "request": pl.Int64,
    "named": pl.String,
    "field": pl.String,
    "value": pl.UInt32,
    "rest": pl.String,
}
_VALUES: Final[dict[str, Any]] = {"given": pl.String, "form": pl.String, "token": pl.String}

_Place = tuple[int, bool, int, int | None]
_Stream = tuple[int, bool, int]


class _Found(NamedTuple):
    """One value: its field, as it was given, its form."""

    field: str
    given: str
    form: str


class _Request(NamedTuple):
    """A request, as far as it is looked through.

    Attributes:
        place: conversation, whether end b sent it, frame, time.
        method: method.
        host: host that it names; None: none.
        target: path and query.
        headers: lines of those that no rule of HTTP asks for.
        holds_values: its body is a form or JSON.
    """

    place: _Place
    method: str
    host: str | None
    target: str
    headers: str
    holds_values: bool


class Values:
    """The opaque values of one capture's requests.

    Attributes:
        left_out: requests, or values of them, for which there was no room.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._rows: list[tuple[Any, ...]] = []
        self._values: dict[str, int] = {}
        self._described: list[tuple[str, str, str]] = []
        self._text = 0
        self._texts: dict[str, str] = {}
        self._requests = 0
        self._waiting: OrderedDict[_Stream, _Request] = OrderedDict()

    def look_into(self, requests: pl.DataFrame) -> None:
        """Look through requests in the clear, as `captures.tables.RequestParts` has them."""
        columns = ("conversation", "is_from_b", "frame", "time", "method", "host", "target")
        rows = requests.select(
            *columns[:3], pl.col("time").to_physical(), *columns[4:], "headers", "body"
        ).iter_rows()
        for conversation, is_from_b, frame, time, method, host, target, headers, body in rows:
            place = conversation, is_from_b, frame, time
            self._take(_Request(place, method, host, target, headers or "", True), body or "")  # noqa: FBT003

    def look_into_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Look through a piece that a key has opened, if it is the head or body of a request."""
        stream = conversation, is_from_b, piece.stream
        if piece.what.endswith(" request head"):
            self._end(stream)
            found = _head(piece.octets, (conversation, is_from_b, piece.frame, piece.time))
            if found is None:
                return
            if found.method in _WITHOUT_BODY or not found.holds_values:
                self._take(found, "")
                return
            self._waiting[stream] = found
            if len(self._waiting) > MOST_WAITING:
                self._end(next(iter(self._waiting)))
        elif piece.what.endswith(" request body"):
            self._end(stream, kept(piece.octets, MOST_BODY, b"&,").decode("latin-1"))

    def table(self) -> pl.DataFrame:
        """A row per value and request.

        conversation, is_from_b, frame, time, request (its number in the capture), named (the host
        that it names), field, given (the value), form, token (the value in one spelling), rest (a
        digest of the request without the value).
        """
        while self._waiting:
            self._end(next(iter(self._waiting)))
        rows = pl.DataFrame(self._rows, schema=_SCHEMA, orient="row")
        values = pl.DataFrame(self._described, schema=_VALUES, orient="row")
        return rows.hstack(values[rows["value"]]).drop("value")

    def _end(self, stream: _Stream, body: str = "") -> None:
        """Look through an opened request of which nothing more comes, if there is one."""
        found = self._waiting.pop(stream, None)
        if found is not None:
            self._take(found, body)

    def _take(self, said: _Request, body: str) -> None:
        """Look through a request."""
        self._requests += 1
        if len(self._rows) >= MOST_VALUES:
            self.left_out += 1
            return
        found: list[_Found] = []
        rest = f"{said.method} {said.host} {_in_target(said.target, found)}"
        _in_headers(said.headers, found)
        rest += f"\n{_in_body(body, found)}" if body else ""
        self.left_out += max(0, len(found) - MOST_IN_REQUEST)
        found = found[:MOST_IN_REQUEST]
        digests = {token: _digest(token) for token in map(_spelled, found)}
        whole = _digest(rest)
        for digest in digests.values():
            whole ^= digest
        for one in found:
            token = _spelled(one)
            self._add(said, one, token, f"{whole ^ digests[token]:016x}")

    def _add(self, said: _Request, one: _Found, token: str, rest: str) -> None:
        """A row; `rest` stands for the request, and for what it carries beside this token."""
        number = self._values.get(one.given)
        if number is None:
            self._text += len(one.given)
            if self._text > MOST_TEXT:
                self.left_out += 1
                return
            number = self._values[one.given] = len(self._described)
            self._described.append((one.given, one.form, token))
        host = said.host and self._texts.setdefault(said.host, said.host)
        field = self._texts.setdefault(one.field, one.field)
        self._rows.append((*said.place, self._requests, host, field, number, rest))


def _digest(text: str) -> int:
    """What stands for a text: equal texts have the same."""
    octets = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), "big")


def form_of(value: str) -> str | None:
    """The form of an opaque value, as `tables.Tokens` has it; None: it may be no such value."""
    if value.rstrip("=") in _OF_NOTHING or value.lower() in _OF_NOTHING:
        return None
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


def _opaque(value: str) -> Iterator[tuple[str, str]]:
    """A value and its form, if it is opaque; else those of its parts that are."""
    if form := form_of(value):
        yield value, form
    elif _WITHIN.search(value) and not _FRACTION.fullmatch(value):
        for part in _WITHIN.split(value):
            if form := form_of(part):
                yield part, form


def without_opaque(text: str, instead: str) -> str:
    """A text with something else instead of what in it is opaque."""
    if form_of(_unquoted(text)):
        return instead
    if not _WITHIN.search(text) or _FRACTION.fullmatch(text):
        return text
    parts = re.split(f"({_WITHIN.pattern})", text)
    return "".join(instead if form_of(_unquoted(part)) else part for part in parts)


def _without(found: list[_Found], field: str, value: str, layers: int = _MOST_WITHIN) -> str | None:
    """Note what is opaque in a value; what is left of it without that. None: nothing is."""
    before = len(found)
    if layers and _JSON.match(value):
        rest = _in_json(value, found, f"{field}.", layers - 1)
    else:
        found.extend(_Found(field, given, form) for given, form in _opaque(value))
        rest = ""
    return rest if len(found) > before else None


def _in_target(target: str, found: list[_Found]) -> str:
    """Note the opaque values of a request's target; the target without them."""
    path, mark, query = target.partition("?")
    if not _STATIC.search(path):
        parts = re.split("([/;:=])", path)
        without = (_without(found, IN_PATH, _unquoted(part)) for part in parts)
        path = "".join(
            part if rest is None else rest for part, rest in zip(parts, without, strict=True)
        )
    if _CODE.search(path):
        return path + mark + query
    pieces = []
    for pair, end in _PAIRS.findall(query):
        name, is_given, value = pair.partition("=")
        if not is_given:
            name, value = "", pair
        rest = _without(found, named(name) or "?", _given(value))
        pieces.append((pair if rest is None else name + is_given + rest) + end)
    return path + mark + "".join(pieces)


def _given(value: str) -> str:
    """The value of a parameter or of a form: a plus is a space in JSON, and itself in base64."""
    plain = _unquoted(value)
    return _unquoted(value.replace("+", " ")) if _JSON.match(plain.replace("+", " ")) else plain


def _unquoted(text: str) -> str:
    """Text without the escapes of addresses; opaque values hold ASCII alone."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def named(name: str) -> str:
    """The name of a field as it may be written: without what may name a person."""
    plain = _unquoted(_unquoted(name[:_MOST_LOOKED_AT]))
    return _TELLING_NAME.sub(_withheld, plain)[:MOST_NAME]


def _withheld(part: re.Match[str]) -> str:
    """A part of a name; `…` for what is opaque, a number, or an address."""
    text = part[0]
    is_word = re.fullmatch(r"[0-9A-Za-z+/_=-]{20,}", text) and not any(
        form_of(piece) for piece in (text, *re.split("[_=/+]", text))
    )
    is_uuid = _UUID.search(text) or re.search("[0-9]{7,}|[0-9A-Fa-f]{16,}", text)
    return text if is_word and not is_uuid else "…"


def _spelled(one: _Found) -> str:
    """The value in one spelling: hexadecimal digits small, no hyphens; one alphabet of base64."""
    if one.form in {"hex", "uuid"}:
        return one.given.replace("-", "").lower()
    if one.form == "base64":
        return one.given.rstrip("=").replace("-", "+").replace("_", "/")
    return one.given


def _head(octets: bytes, place: _Place) -> _Request | None:
    """What the head of an opened request says: of HTTP/1 as sent, of HTTP/2 a line per field.

    None: it says too little.
    """
    headers = kept(telling(octets), MOST_HEADERS, b"\n;").decode("latin-1")
    if not octets.startswith(b":"):
        said = request(octets)
        if said is None:
            return None
        method, target, kind = said.method, said.target, said.content_type or b""
        host = host_of(said.name or b"")
    else:
        fields: dict[str, str] = {}
        for line in octets.decode("latin-1").split("\r\n"):
            field = _PSEUDO.fullmatch(line)
            if field is None:
                break
            fields.setdefault(field[1], field[2])
        if "path" not in fields:
            return None
        kinds = re.findall(rb"(?i)\ncontent-type: ([^\r\n]*)", octets)
        method, target = (fields.get(name, "").encode("latin-1") for name in ("method", "path"))
        kind = kinds[0] if kinds else b""
        host = host_of(fields.get("authority", "").encode("latin-1"))
    return _Request(
        place=place,
        method=method.decode("latin-1"),
        host=host,
        target=kept(target, MOST_TARGET, b"&/?").decode("latin-1"),
        headers=headers,
        holds_values=holds_values(kind.decode("latin-1")),
    )


def _in_headers(lines: str, found: list[_Found]) -> None:
    """Note the opaque values of headers; cookies each by its name, others by their header's."""
    for line in lines.split("\n"):
        name, _, value = line.partition(":")
        if name.lower() == "cookie":
            for pair in value.split(";"):
                cookie, _, given = pair.strip().partition("=")
                _without(found, IN_COOKIE + named(cookie), _unquoted(given.strip('"')))
        else:
            for given in _PIECES.split(value):
                _without(found, IN_HEADER + named(name.lower()), given)


def _in_body(body: str, found: list[_Found]) -> str:
    """Note the opaque values of a form or of JSON, by the names before them; the body without."""
    if _JSON.match(body):
        return _in_json(body, found, IN_BODY, _MOST_WITHIN)
    pieces, at = [], 0
    for pair in _FORM_PAIR.finditer(body):
        rest = _without(found, IN_BODY + named(pair[1]), _given(pair[2]))
        if rest is not None:
            pieces += [body[at : pair.start(2)], rest]
            at = pair.end(2)
    return "".join(pieces) + body[at:]


def _in_json(text: str, found: list[_Found], prefix: str, layers: int) -> str:
    """Note the opaque values of JSON, by the last name before each; the text without them."""
    pieces, at, name = [], 0, "?"
    for token in _JSON_TOKEN.finditer(text):
        if token[2]:
            name = named(_plain(token[1][:_MOST_LOOKED_AT])) or "?"
            continue
        place = 3 if token[3] else 1
        behind = text[token.end(place) : token.end(place) + 1]
        is_cut = behind != '"' if place == 1 else not behind
        value = _plain(token[place])
        if len(value) < _LEAST_LENGTH or (is_cut and not _JSON.match(value)):
            continue
        rest = _without(found, prefix + name, value, layers)
        if rest is not None:
            pieces += [text[at : token.start(place)], rest]
            at = token.end(place)
    return "".join(pieces) + text[at:]


def _plain(text: str) -> str:
    """A text of JSON without its escapes; half of a character beyond 16 bits is none."""
    plain = _JSON_ESCAPE.sub(_unescaped, text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(escape: re.Match[str]) -> str:
    """What an escape of JSON stands for, as far as opaque values and JSON itself have any."""
    if escape[1]:
        return chr(int(escape[1], 16))
    return " " if escape[2] in "bfnrt" else escape[2]
