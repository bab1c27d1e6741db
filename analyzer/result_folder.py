# Held by tests/analyzer/comparison/test_from_folder.py: what is saved is read through it.
"""Folders that `analyze` wrote: which paths name one, and its tables, held to its manifest.

A table is read from Parquet, which keeps types, else from `analysis.json`. CSV is not read back:
it is written for spreadsheets, with text changed and lists joined, so that two different tables
can give the same cells.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import dataframely as dy
import polars as pl

from phonehome.analyzer.settings import Sent, Settings
from phonehome.analyzer.tables import Analysis, Summary
from phonehome.captures import CaptureError, Limits, path_text

MANIFEST: Final = "manifest.json"
JSON: Final = "analysis.json"
RESULTS: Final = ("uploads.parquet", JSON)

_LATER: Final = ("findings",)
"""Tables that came after the first layout: an older folder lacks them, and they are empty."""

_TIME: Final = "%Y-%m-%dT%H:%M:%S%.9fZ"

S = TypeVar("S", bound=dy.Schema)
T = TypeVar("T")


def saved_folder(path: Path) -> Path | None:
    """The folder of results that a path names, itself or by a file in it; None: it is none."""
    folder = path.parent if path.name in RESULTS else path
    return folder if any((folder / name).is_file() for name in RESULTS) else None


def shown_name(path: Path) -> str:
    """The last part of a path; of `.` and the like, that of the folder it stands for."""
    return path_text(path.name or path.resolve().name or path)


@dataclass(frozen=True)
class SavedResult:
    """A folder that `analyze` wrote. Every file is held to its hash when it is first read.

    Attributes:
        folder: where it is.
        manifest: what its manifest says.
    """

    folder: Path
    manifest: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether the folder holds this table in a form that can be read back."""
        return f"{name}.parquet" in self._hashes or name in self._json

    def table(self, name: str, schema: type[S]) -> dy.DataFrame[S]:
        """One table as `analyze` wrote it.

        Raises:
            CaptureError: it is missing, changed, or of another version.
        """
        if not self.has(name):
            raise CaptureError(
                f"{self.folder}: expected {name}.parquet, got none: {self._reason(name)}; analyse "
                "again with --format parquet"
            )
        is_parquet = f"{name}.parquet" in self._hashes
        path = self.folder / (f"{name}.parquet" if is_parquet else JSON)
        try:
            if is_parquet:
                self._hold(path)
                return schema.validate(pl.read_parquet(path))
            return schema.validate(_typed(self._json[name], schema))
        except OSError as error:
            raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from error
        except CaptureError:
            raise
        except _OTHER_VERSION as error:
            reason = str(error).partition("\n")[0]
            what = "the table" if is_parquet else f"the table {name}"
            raise CaptureError(
                f"{path}: expected {what} that this version writes; analyse again: {reason}"
            ) from error

    def tables(self) -> dict[str, Any]:
        """Every table of an analysis, by the name of its attribute.

        Raises:
            CaptureError: as for `table`.
        """
        return {
            name: self.known_table(name, get_args(hint)[0])
            for name, hint in get_type_hints(Analysis).items()
            if get_origin(hint) is dy.DataFrame
        }

    def known_table(self, name: str, schema: type[S]) -> dy.DataFrame[S]:
        """The same; empty where an older phonehome did not make it.

        Raises:
            CaptureError: as for `table`.
        """
        if name in _LATER and not self.has(name):
            return schema.create_empty()
        return self.table(name, schema)

    def settings(self) -> Settings:
        """What the analysis was asked for; what is no setting any more is left out.

        Raises:
            CaptureError: the manifest does not say it, or says what no setting can be.
        """
        asked = self._told("settings")
        known = {each.name: asked[each.name] for each in fields(Settings) if each.name in asked}
        try:
            known["limits"] = _of_fields(Limits, known.get("limits", {}))
            known["sent"] = tuple(_of_fields(Sent, thing) for thing in known.get("sent", ()))
            return Settings(**known)
        except (TypeError, ValueError) as error:
            raise self._other_version(f"the settings of {MANIFEST}", error) from error

    def summary(self) -> Summary:
        """The answer in numbers; an older phonehome wrote it into `analysis.json` alone.

        Raises:
            CaptureError: neither file says it, or it lacks what this version knows.
        """
        told = self.manifest if "summary" in self.manifest else self._head
        if "summary" not in told:
            raise CaptureError(
                f"{self.folder}: expected the summary in {MANIFEST} or {JSON}, got none; analyse "
                "again with --format json,parquet"
            )
        try:
            return _of_fields(Summary, told["summary"])
        except (TypeError, ValueError) as error:
            raise self._other_version("the summary", error) from error

    def facts(self) -> dict[str, Any]:
        """What else an analysis has that stands in no table, by the names of its attributes.

        Raises:
            CaptureError: the manifest says what it cannot be.
        """
        told, hit = self.manifest, self.manifest.get("limits_hit", {})
        try:
            return {
                "notes": tuple(map(str, told.get("notes", ()))),
                "limits_hit": {str(name): int(count) for name, count in dict(hit).items()},
                "tshark": told.get("tshark"),
                "keys_used": int(told.get("keys_used") or 0),
            }
        except (TypeError, ValueError) as error:
            raise self._other_version(MANIFEST, error) from error

    def _told(self, name: str) -> dict[str, Any]:
        """What the manifest says under this name, which is an object."""
        told = self.manifest.get(name)
        if not isinstance(told, dict):
            raise CaptureError(f"{self.folder}: expected the {name} in its {MANIFEST}, got none")
        return told

    def _other_version(self, what: str, error: Exception) -> CaptureError:
        reason = str(error).partition("\n")[0]
        return CaptureError(
            f"{self.folder}: expected {what} as this version writes it; analyse again: {reason}"
        )

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {output["file"]: output["sha256"] for output in self.manifest["outputs"]}

    @cached_property
    def _json(self) -> Mapping[str, Any]:
        """The content of `analysis.json`, where it stands in for Parquet."""
        if JSON not in self._hashes or any(name.endswith(".parquet") for name in self._hashes):
            return {}
        return self._parsed(lambda path: json.loads(path.read_bytes()))

    @cached_property
    def _head(self) -> Mapping[str, Any]:
        """What stands before the tables in `analysis.json`, on its first line."""
        return self._parsed(_first_line) if JSON in self._hashes else {}

    def _parsed(self, parse: Callable[[Path], Any]) -> Mapping[str, Any]:
        path = self.folder / JSON
        try:
            self._hold(path)
            content = parse(path)
        except CaptureError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise CaptureError(f"{path}: expected what analyze writes, got {error!r}") from error
        return content if isinstance(content, dict) else {}

    def _hold(self, path: Path) -> None:
        """Refuse a file that is not what was written."""
        if sha256(path) != self._hashes[path.name]:
            raise CaptureError(f"{path}: expected the SHA-256 in {MANIFEST}, got another one")

    def _reason(self, name: str) -> str:
        if f"{name}.csv" in self._hashes:
            return "CSV is for spreadsheets and cannot be read back"
        return "it was saved without Parquet and JSON, or by an older phonehome"


_OTHER_VERSION: Final = (
    pl.exceptions.PolarsError,
    dy.exc.SchemaError,
    dy.exc.ValidationError,
    TypeError,
    ValueError,
    OverflowError,
)


def saved_result(folder: Path) -> SavedResult:
    """The folder of results with what its manifest says.

    Raises:
        CaptureError: the manifest is missing, or is none.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        [(output["file"], output["sha256"]) for output in manifest["outputs"]]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CaptureError(
            f"{folder}: expected {MANIFEST} in a saved analysis, got none"
        ) from error
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise CaptureError(f"{path}: expected what analyze writes, got {error!r}") from error
    return SavedResult(folder, dict(manifest))


def load(folder: str | Path) -> Analysis:
    """The analysis that `write` saved, table by table as it was.

    It is read from Parquet, else from `analysis.json`. Tables that an older phonehome did not
    know are empty.

    Args:
        folder: what `write` made, or a file in it.

    Raises:
        CaptureError: a table is missing or was changed, or the manifest is none.
    """
    path = Path(folder)
    result = saved_result(saved_folder(path) or path)
    return Analysis(
        settings=result.settings(), summary=result.summary(), **result.facts(), **result.tables()
    )


def _first_line(path: Path) -> Any:  # noqa: ANN401 - as JSON has it
    with path.open(encoding="utf-8") as file:
        return json.loads(file.readline().rstrip().rstrip(",") + "}")


def _of_fields(kind: type[T], told: Mapping[str, Any]) -> T:
    """One of this kind with those values that it knows."""
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type] # a class of data
    return kind(**{name: told[name] for name in names if name in told})


def _typed(rows: Any, schema: type[dy.Schema]) -> pl.DataFrame:  # noqa: ANN401 - as JSON has it
    """Rows of `analysis.json` with the types of their table."""
    dtypes = schema.create_empty().schema
    if rows and list(rows[0]) != list(dtypes):
        raise ValueError(f"expected the columns {', '.join(dtypes)}")
    written = {name: _written(dtype) for name, dtype in dtypes.items()}
    return pl.DataFrame(rows, schema=written, orient="row").with_columns(
        _read(name, dtype) for name, dtype in dtypes.items() if written[name] != dtype
    )


def _written(dtype: pl.DataType) -> pl.DataType:
    """What JSON holds of a type."""
    if isinstance(dtype, pl.Duration):
        return pl.Int64()
    return pl.String() if isinstance(dtype, pl.Datetime | pl.Date) else dtype


def _read(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Duration):
        return pl.col(name).cast(dtype)
    if isinstance(dtype, pl.Date):
        return pl.col(name).str.to_date("%Y-%m-%d")
    return pl.col(name).str.to_datetime(_TIME, time_unit="ns", time_zone="UTC")


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
