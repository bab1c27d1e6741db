"""Stable tokens: values that nobody listed, and by which requests can be tied to one phone or user.

Looked for are opaque values (digits that no person chose) in parameters and paths of requests of
HTTP/1. One that comes again in requests that otherwise differ is kept by the app: an identifier of
installation, session or user, or of what is asked for again and again. Which of them it is, traffic
does not say. Values that come once (nonces), times, and names of static files are none.
"""

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dataframely as dy
import polars as pl

from analyzer.identifiers import phased
from analyzer.tables import Tokens
from analyzer.withheld import without_identifiers

if TYPE_CHECKING:
    from analyzer.identifiers import Known

FEWEST_REQUESTS: Final = 3
FEWEST_PLACES: Final = 2
"""Requests that differ in more than the value; the same one asked again is no more than that."""
MOST_VALUES: Final = 200_000
"""Of one capture; of more the first are looked at."""
MOST_LENGTH: Final = 512
IN_PATH: Final = "path"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-f]{16,}|[0-9A-F]{16,})")
_DECIMAL = re.compile(r"[0-9]{15,}")
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{20,}={0,2}")
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
_CODE = re.compile(r"(?i)\.(?:js|mjs|css|map|woff2?|ttf|otf|wasm)$")
_SCHEMA: Final[dict[str, Any]] = {
    "conversation": pl.Int32,
    "is_from_b": pl.Boolean,
    "frame": pl.Int64,
    "time": pl.Datetime("ns", "UTC"),
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


def carried(exchanges: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Opaque values of requests, and how many were left out because there are too many.

    Args:
        exchanges: as `captures.tables.Exchanges`, with all that was sent.

    Returns:
        conversation, is_from_b, frame, time, named (the host that the request names), field, given
        (the value), form, token (the value in one spelling), rest (the request without it).
    """
    asked = exchanges.filter(pl.col("target").is_not_null(), pl.col("frame").is_not_null())
    rows: list[tuple[Any, ...]] = []
    left_out = 0
    columns = ("conversation", "is_from_b", "frame", "time", "host", "method", "target")
    for *place, host, method, target in asked.select(
        *columns[:3], pl.col("time").to_physical(), *columns[4:]
    ).iter_rows():
        for one in _values(target):
            if len(rows) == MOST_VALUES:
                left_out += 1
                continue
            rest = f"{method} {host} {one.rest}"
            rows.append((*place, host, one.field, one.given, one.form, _spelled(one), rest))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row"), left_out


def form_of(value: str) -> str | None:
    """The form of an opaque value: uuid, hex, decimal or base64; None: it may be no such value."""
    if len(value) > MOST_LENGTH:
        return None
    if _UUID.fullmatch(value):
        return "uuid" if _bits(value.replace("-", "").lower()) >= _LEAST_BITS["hex"] else None
    if _DECIMAL.fullmatch(value):
        form = "decimal" if not _TIME.fullmatch(value) else None
    elif _HEX.fullmatch(value):
        form = "hex" if re.search("[0-9]", value) else None
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


def _values(target: str) -> Iterator[_Carried]:
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


def _spelled(one: _Carried) -> str:
    """The value in one spelling: hexadecimal digits small, and without hyphens."""
    is_hex = one.form in {"hex", "uuid"}
    return one.given.replace("-", "").lower() if is_hex else one.given


def tokens(
    found: pl.DataFrame,
    flows: pl.DataFrame,
    phases: pl.DataFrame,
    known: "Known",
    *,
    is_revealed: bool = False,
) -> dy.DataFrame[Tokens]:
    """Values that the phone sent in at least three requests that differ in more than them.

    Args:
        found: as `carried` has them, with `flow` for `conversation`.
        flows: flow, capture, app, is_local_b, remote_address, host, country, asn, organisation.
        phases: as `analyzer.tables.Phases`.
        known: its key makes the digests.
        is_revealed: values may be shown.
    """
    ends = ("capture", "app", "is_local_b", "remote_address", "host", "country", "asn")
    sent = (
        found.join(flows.select("flow", *ends, "organisation"), on="flow")
        .filter(pl.col("is_from_b") == pl.col("is_local_b"))
        .with_columns(pl.coalesce("named", "host", "remote_address").alias("host"))
    )
    stable = (
        sent.group_by("token")
        .agg(
            pl.len().cast(pl.Int64).alias("token_requests"),
            pl.col("rest").n_unique().alias("places"),
            pl.col("host").n_unique().cast(pl.Int64).alias("token_hosts"),
            pl.col("capture").n_unique().cast(pl.Int64).alias("token_captures"),
        )
        .filter(
            pl.col("token_requests") >= FEWEST_REQUESTS,
            pl.col("places") >= FEWEST_PLACES,
        )
    )
    seen = phased(sent.join(stable, on="token"), phases)
    table = _numbered(_per_host(seen))
    said = table.with_columns(
        _digests(table["value"], known),
        pl.col("value") if is_revealed else pl.lit(None, dtype=pl.String).alias("value"),
    )
    shown = said if is_revealed else without_identifiers(said, ["field", "host"], known)
    return Tokens.validate(shown.select(Tokens.column_names()))


def _per_host(seen: pl.DataFrame) -> pl.DataFrame:
    """One row per token, host and field, with the first and the last request."""
    first = ("flow", "capture", "app", "remote_address", "country", "asn", "organisation", "form")
    return (
        seen.sort("time", "capture", "frame", "flow", nulls_last=True)
        .group_by("token", "host", "field", maintain_order=True)
        .agg(
            pl.col(*first, "frame", "token_requests", "token_hosts", "token_captures").first(),
            pl.col("given").first().alias("value"),
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("flow").n_unique().cast(pl.Int64).alias("flows"),
            (pl.col("state") == "idle").sum().cast(pl.Int64).alias("idle_requests"),
            pl.col("time").min().alias("first_time"),
            pl.col("time").max().alias("last_time"),
        )
        .with_columns(pl.col("value").str.len_chars().cast(pl.Int64).alias("length"))
    )


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Tokens by number: those first that most hosts got, then in most requests."""
    order = ["token_hosts", "token_requests", "token"]
    ranked = rows.select(order).unique().sort(order, descending=[True, True, False])
    return (
        rows.drop("token_hosts", "token_requests")
        .join(ranked.with_row_index("number"), on="token", how="inner")
        .with_columns(pl.col("number").cast(pl.Int64).alias("token"))
        .sort("token", "requests", "host", "field", descending=[False, True, False, False])
    )


def _digests(values: pl.Series, known: "Known") -> pl.Series:
    """What stands for each value under the key of the list; null: there is none."""
    digests = [known.digest_of(value.encode()) for value in values]
    return pl.Series("digest", digests, dtype=pl.String)
