"""Which app owns each conversation: what the capture says, and a list of packages beside it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import dataframely as dy
import polars as pl

from phonehome.analyzer.user_files import octets_of
from phonehome.captures.tables import Owners
from phonehome.errors import PhonehomeError

USERS_APART = 100_000
"""A user id is this many times the number of the phone's user, plus the app's own (AOSP)."""
LISTED = re.compile(r"package:(?:\S*=)?(\S+)\s+uid:(\d+(?:,\d+)*)")
DUMPED = re.compile(r"\s*Package \[(\S+)\]")
DUMPED_ID = re.compile(r"\s*(?:userId|appId|sharedUser=SharedUserSetting\{\S+ \S+/)=?(\d+)")
LONGEST_LIST = 64 << 20

Apps = dict[int, str]
"""Package of each user id; of several that share one, all of them, with commas between."""


class PackagesError(PhonehomeError):
    """A list of packages cannot be read, or holds none."""


def read_packages(paths: Sequence[Path]) -> Apps:
    """Packages by user id, from what `pm list packages -U` or `dumpsys package` printed.

    Raises:
        PackagesError: a file cannot be read, or names no package with a user id.
    """
    found: dict[int, set[str]] = {}
    for path in paths:
        text = octets_of(path, LONGEST_LIST, PackagesError).decode("utf-8", "replace")
        named = list(_named(text))
        if not named:
            raise PackagesError(
                f"{path}: no package with a user id: expected what `pm list packages -U` or "
                "`dumpsys package` prints"
            )
        for uid, package in named:
            found.setdefault(uid, set()).add(package)
    return {uid: ",".join(sorted(packages)) for uid, packages in found.items()}


def _named(text: str) -> Iterator[tuple[int, str]]:
    """User id and package, wherever a line says both or one line after the other does."""
    package = None
    for line in text.splitlines():
        if match := LISTED.match(line.strip()):
            for uid in match[2].split(","):
                yield int(uid), match[1]
        elif match := DUMPED.match(line):
            package = match[1]
        elif package is not None and (match := DUMPED_ID.match(line)):
            yield int(match[1]), package
            package = None


def owned(owners: dy.DataFrame[Owners], apps: Apps) -> pl.DataFrame:
    """One row per conversation whose owner is known.

    Columns: `conversation`, `app`, `app_source`, `uid`, `pid`; `changed_frame`, the frame with
    which another app took it over, null: none did. Of several owners the first one counts.
    """
    app = pl.coalesce(
        "package",
        _listed(pl.col("uid"), apps),
        "name",
        pl.format("uid {}", "uid"),
        pl.format("pid {}", "pid"),
    )
    said = owners.with_columns(app=app).sort("conversation", "frame", maintain_order=True)
    is_other = pl.col("app") != pl.col("app").first()
    return said.group_by("conversation", maintain_order=True).agg(
        pl.col("app").first(),
        pl.col("source").first().alias("app_source"),
        pl.col("uid", "pid").first(),
        pl.col("frame").filter(is_other).first().alias("changed_frame"),
    )


def _of(uid: pl.Expr, apps: Apps) -> pl.Expr:
    return uid.replace_strict(apps, default=None, return_dtype=pl.String)


def _listed(uid: pl.Expr, apps: Apps) -> pl.Expr:
    """The package of a user id, also of a second user of the phone."""
    return pl.coalesce(
        _of(uid, apps), pl.when(uid >= USERS_APART).then(_of(uid % USERS_APART, apps))
    )


def listed_app(uid: pl.Expr, name: pl.Expr, apps: Apps) -> pl.Expr:
    """The app of a user id: its package, else the name that came with it, else the number."""
    return pl.coalesce(_listed(uid, apps), name, pl.format("uid {}", uid))


def is_alone(app: str | None, apps: pl.Series) -> bool:
    """Whether the app under test alone counts: it was asked for, and captures name apps at all."""
    return app is not None and bool(apps.is_not_null().any())
