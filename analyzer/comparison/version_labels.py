"""What a side of a comparison is called and who says so; which version its traffic tells of."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from phonehome.analyzer.comparison.repetition import Observed
from phonehome.analyzer.result_folder import saved_folder, shown_name
from phonehome.captures import STANDARD_INPUT

GIVEN: Final = "as given"
ANALYSED: Final = "as its analysis was labelled"
OF_PATHS: Final = "name of its paths"

PRODUCT: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{1,40})/v?(\d{1,9}(?:\.\d{1,9}){1,4})")
"""A product and its version in a User-Agent (RFC 9110, section 10.1.5)."""

CLIENT_VERSION: Final = re.compile(r"/micromsg-bin/[^ ]*[?&]clientversion=(\d{6,10})(?![\d])")
"""WeChat's version as a number, in what it asks for over plain HTTP."""

OF_PACKAGES: Final = {"micromessenger": "com.tencent.mm"}
"""Products whose name says nothing of their package → that package."""

LEAST_WORD: Final = 3


class Label(NamedTuple):
    """What a side is called, and who says so."""

    text: str
    source: str


class Told(NamedTuple):
    """A version that the traffic of an app tells of, and where."""

    version: str
    source: str


def label(
    paths: Sequence[str | Path], observed: Sequence[Observed], given: str | None, app: str | None
) -> Label:
    """What a side is called.

    By the user; else as its saved analyses were labelled; else by its directories; else by the one
    version that its traffic tells of; else by its files.
    """
    if given is not None:
        return Label(given, GIVEN)
    versions = {part.settings.version for part in observed}
    if len(versions) == 1 and None not in versions:
        return Label(str(*versions), ANALYSED)
    named = Label(", ".join(map(_shown, paths)), OF_PATHS)
    if all(Path(path).is_dir() and not saved_folder(Path(path)) for path in paths):
        return named
    known = {one.version: one for one in reversed(told(observed, app))}
    return Label(*next(iter(known.values()))) if len(known) == 1 else named


def _shown(path: str | Path) -> str:
    return "standard input" if str(path) == STANDARD_INPUT else shown_name(Path(path))


def told(observed: Sequence[Observed], app: str | None) -> tuple[Told, ...]:
    """The versions that the traffic tells of, each once, by its first request.

    A User-Agent counts where its product is named like the app: the one under test, else the one
    that owns the flow.
    """
    found: dict[str, Told] = {}
    for part in observed:
        apps = part.flows.select("flow", "app")
        asked = part.requests.filter(pl.col("is_up")).join(
            apps, on="flow", how="left", maintain_order="left"
        )
        for row in asked.filter(pl.col("frame").is_not_null()).iter_rows(named=True):
            for version, what in _said(row["target"] or "", row["agent"] or "", app or row["app"]):
                place = f"{what}, frame {row['frame']} of {row['capture']}"
                found.setdefault(version, Told(version, place))
    return tuple(found.values())


def _said(target: str, agent: str, app: str | None) -> Iterator[tuple[str, str]]:
    """Versions in one request, each with what tells it."""
    for number in CLIENT_VERSION.findall(target):
        version = client_version(int(number))
        if version is not None:
            yield version, f"clientversion {number}"
    for product, version in PRODUCT.findall(agent):
        if _is_of(product.lower(), app):
            yield version, f"User-Agent {product}/{version}"


def _is_of(product: str, app: str | None) -> bool:
    if product in OF_PACKAGES:
        return app is None or app == OF_PACKAGES[product]
    words = re.split(r"[^a-z0-9]+", (app or "").lower())
    return any(word == product and len(word) >= LEAST_WORD for word in words)


def client_version(number: int) -> str | None:
    """WeChat's version: 671094583 is 0x28001737, so 8.0.23, built for Android (2).

    None: not of a platform that is known (1 iOS, 2 Android).
    """
    if number >> 28 not in {1, 2}:
        return None
    return f"{number >> 24 & 15}.{number >> 16 & 255}.{number >> 8 & 255}"
