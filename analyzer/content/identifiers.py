"""What of the phone and its account was found in the traffic: to whom, in which phase, how encoded.

A user says in a TOML file what is known. Its values leave no trace in what is written, but where
`--reveal` asks for that: shown are label, kind, and a digest under the key of that file.
"""

import hmac
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dataframely as dy
import polars as pl

from phonehome.analyzer.content.opaque_values import named
from phonehome.analyzer.tables import Identifiers
from phonehome.analyzer.user_files import octets_of
from phonehome.captures import Identifier
from phonehome.captures.words import IDENTIFIER_KINDS
from phonehome.errors import PhonehomeError

if TYPE_CHECKING:
    from phonehome.captures import Looker

MOST_BYTES: Final = 1 << 20
MOST_FILE_BYTES: Final = 64 << 20
MOST_IDENTIFIERS: Final = 1_000
_KEYS = frozenset({"kind", "label", "value", "file", "tolerance", "keys"})
_DIGEST_DIGITS = 16
_SHOWN_DIGITS = 2
_CERTAIN, _LIKELY = 1e-6, 1e-3
_PLANTED_FILE = "file"
_LEAST_KEY = 16
_LEAST_TOLERANCE = 1e-6
"""Degrees; about 11 cm, which no phone knows better."""
_PIECE = r"\bpiece (\d+) of (\d+)$"


class IdentifiersError(PhonehomeError):
    """A list of identifiers cannot be used; the message names file and place, and no value."""


class Known(NamedTuple):
    """What a user knows.

    Attributes:
        identifiers: each thing that is known.
        key: what digests are made with; None: none are shown.
        looker: looks for them; None: nothing is known.
    """

    identifiers: tuple[Identifier, ...]
    key: bytes | None
    looker: "Looker | None"

    def digest(self, number: int) -> str | None:
        """What stands for a value in a report: the same value and key, the same digits."""
        one = self.identifiers[number]
        return self.digest_of(one.content or one.value.encode())

    def digest_of(self, octets: bytes) -> str | None:
        """What stands for these octets in a report."""
        if self.key is None:
            return None
        return hmac.new(self.key, octets, "sha256").hexdigest()[:_DIGEST_DIGITS]


def read_identifiers(paths: Sequence[Path]) -> Known:
    """All identifiers of these files; the first key counts.

    Raises:
        IdentifiersError: a file cannot be read, or says what cannot be understood; a value is too
            short or too long; the package that searches is not installed.
    """
    found: list[Identifier] = []
    key: bytes | None = None
    for path in paths:
        said = _parsed(path)
        own = said.pop("digest_key", None)
        if own is not None and not (isinstance(own, str) and len(own) >= _LEAST_KEY):
            raise IdentifiersError(f"{path}: digest_key: a text of {_LEAST_KEY} or more expected")
        key = key or (own.encode() if own else None)
        rows = said.pop("identifier", [])
        if said or not isinstance(rows, list):
            raise IdentifiersError(f"{path}: digest_key and [[identifier]] expected, nothing else")
        for number, row in enumerate(rows, start=1):
            found.append(_identifier(path, number, row))
    if paths and not found:
        raise IdentifiersError(f"{paths[0]}: no [[identifier]] in it")
    if len(found) > MOST_IDENTIFIERS:
        raise IdentifiersError(f"{paths[0]}: more than {MOST_IDENTIFIERS} identifiers")
    known = tuple(found)
    return Known(known, key, _looker(known) if known else None)


def _looker(found: tuple[Identifier, ...]) -> "Looker":
    from phonehome.captures import SearchUnavailableError, looker_of  # noqa: PLC0415 - slow to import

    try:
        return looker_of(found)
    except (SearchUnavailableError, ValueError) as error:
        raise IdentifiersError(str(error)) from error


def _parsed(path: Path) -> dict[str, Any]:
    octets = octets_of(path, MOST_BYTES, IdentifiersError)
    try:
        return tomllib.loads(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise IdentifiersError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at [^()]*\)", str(error))
        raise IdentifiersError(f"{path}: not TOML {place[0] if place else ''}".rstrip()) from None
    except RecursionError:
        raise IdentifiersError(f"{path}: nested too deeply") from None


def _identifier(path: Path, number: int, row: object) -> Identifier:
    """One identifier as the file says it.

    Raises:
        IdentifiersError: it lacks something, or has what is not understood.
    """
    place = f"{path}: identifier {number}"
    if not isinstance(row, dict) or set(row) - _KEYS:
        raise IdentifiersError(f"{place}: only {', '.join(sorted(_KEYS))} are known")
    kind, label = row.get("kind"), row.get("label")
    if kind not in IDENTIFIER_KINDS:
        raise IdentifiersError(f"{place}: kind: one of {', '.join(IDENTIFIER_KINDS)} expected")
    label = IDENTIFIER_KINDS[kind] if label is None else label
    keys = row.get("keys", [])
    if not isinstance(label, str) or not _are_texts(keys):
        raise IdentifiersError(f"{place}: label is a text, keys a list of texts")
    found = Identifier(
        label=label,
        kind=kind,
        value=_value(place, row),
        content=_content(place, path, row),
        tolerance=_tolerance(place, row),
        keys=tuple(key.encode() for key in keys),
    )
    _check_place(place, found)
    return found


def _are_texts(things: object) -> bool:
    return isinstance(things, list) and all(isinstance(one, str) for one in things)


def _value(place: str, row: dict[str, Any]) -> str:
    value = row.get("value", "")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise IdentifiersError(f"{place}: value: a text expected")
    if bool(value.strip()) == ("file" in row):
        raise IdentifiersError(f"{place}: a value, or a file, expected")
    return value.strip()


def _content(place: str, path: Path, row: dict[str, Any]) -> bytes:
    """The octets of a planted file, which lies beside the list."""
    if "file" not in row:
        return b""
    if not isinstance(row["file"], str) or row["kind"] != _PLANTED_FILE:
        raise IdentifiersError(f"{place}: file: a name, of kind {_PLANTED_FILE}, expected")
    return octets_of(path.parent / row["file"], MOST_FILE_BYTES, IdentifiersError)


def _tolerance(place: str, row: dict[str, Any]) -> float:
    tolerance = row.get("tolerance", 0.005)
    if not isinstance(tolerance, int | float) or not _LEAST_TOLERANCE <= tolerance <= 1:
        raise IdentifiersError(f"{place}: tolerance: 0.000001 to 1 degrees expected")
    return float(tolerance)


def _check_place(place: str, found: Identifier) -> None:
    if found.kind != "coordinates":
        return
    try:
        found.place()
    except ValueError:
        raise IdentifiersError(f"{place}: latitude,longitude in degrees expected") from None


def identifiers(  # noqa: PLR0913 - all that a find is told by
    hits: pl.DataFrame,
    flows: pl.DataFrame,
    phases: pl.DataFrame,
    known: Known,
    *,
    searched: int,
    is_revealed: bool = False,
) -> dy.DataFrame[Identifiers]:
    """What was found of what is known.

    Args:
        hits: as `captures.tables.Hits`, with `flow` for `conversation`.
        flows: flow, capture, app, is_local_b, remote_address, host, country, asn.
        phases: as `analyzer.tables.Phases`.
        known: what was looked for.
        searched: octets that were searched, of all captures.
        is_revealed: values may be shown.
    """
    said = pl.DataFrame(
        [
            (number, one.label, one.kind, known.digest(number), one.value if is_revealed else None)
            for number, one in enumerate(known.identifiers)
        ],
        schema={
            "identifier": pl.Int64,
            "label": pl.String,
            "kind": pl.String,
            "digest": pl.String,
            "value": pl.String,
        },
        orient="row",
    )
    chance = searched * pl.lit(2.0).pow(-pl.col("bits"))
    ends = ("capture", "app", "is_local_b", "remote_address", "host", "country", "asn")
    found = (
        hits.join(said, on="identifier", maintain_order="left")
        .join(flows.select("flow", *ends), on="flow", maintain_order="left")  # of the phone
        .with_columns(
            pl.col("first_frame").alias("frame"),
            pl.col("field").map_elements(named, return_dtype=pl.String),
            is_up=pl.col("is_from_b") == pl.col("is_local_b"),
            chance=chance,
            confidence=_confidence(chance),
        )
    )
    placed = phased(found, phases)
    order = ("identifier", "flow", "frame", "offset", "part", "field", "encoding")
    table = placed.sort(order, nulls_last=True)
    return Identifiers.validate(table.select(Identifiers.column_names()))


def _confidence(chance: pl.Expr) -> pl.Expr:
    """How sure a find is; of one piece of a file never certain: other files may have it too."""
    piece, of = (pl.col("encoding").str.extract(_PIECE, group) for group in (1, 2))
    pieces = piece.drop_nulls().n_unique().over("identifier", "flow", "is_from_b")
    is_alone = piece.is_not_null() & (of != "1") & (pieces == 1)
    return (
        pl.when((chance < _CERTAIN) & ~is_alone)
        .then(pl.lit("certain"))
        .when(chance < _LIKELY)
        .then(pl.lit("likely"))
        .otherwise(pl.lit("possible"))
    )


def phased(found: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    """With phase and state at the time of each; null where it has no time, or no phase has it."""
    spans = (
        phases.filter(pl.col("start").is_not_null())
        .select("phase", "state", pl.col("start"), pl.col("end"))
        .sort("start", "phase")
    )
    timed = found.with_row_index("row").sort("time", "row")
    joined = timed.filter(pl.col("time").is_not_null()).join_asof(
        spans, left_on="time", right_on="start", strategy="backward"
    )
    is_within = pl.col("time") <= pl.col("end")
    known = joined.select(
        "row",
        pl.when(is_within).then("phase").alias("phase"),
        pl.when(is_within).then("state").alias("state"),
    )
    return timed.join(known, on="row", how="left", maintain_order="left").sort("row").drop("row")


def searched_up(searched: pl.DataFrame, opened: pl.DataFrame, flows: pl.DataFrame) -> int:
    """Uploaded octets of flows with public remotes that were searched in the clear.

    Args:
        searched: as `captures.tables.Searched`, with `flow` for `conversation`.
        opened: as `analyzer.tables.Decryption`: of what is encrypted, this much was searched.
        flows: flow, role, is_local_b, up_encryption, up_unique_bytes.
    """
    own = flows.filter(pl.col("role") == "phone")
    up = searched.filter(pl.col("octets") > 0).join(own, on="flow")
    plain = up.filter(
        pl.col("is_from_b") == pl.col("is_local_b"),
        pl.col("up_encryption").ne_missing("encrypted"),
    )
    keyed = opened.group_by("flow").agg(pl.col("up_opened_bytes").max()).join(own, on="flow")
    of_keys = keyed.select(pl.min_horizontal("up_opened_bytes", "up_unique_bytes").sum()).item()
    return int(plain["octets"].sum()) + int(of_keys)
