"""Newer databases for the folder of the user: fetched, checked, opened, and only then put in place.

The old file stays whatever goes wrong: a download is written beside it, and takes its place in one
rename once it has been opened and asked. A key is taken from the environment, goes to the server
that it is for, and is struck from every message.
"""

import os
import re
import shutil
import tempfile
import time
from datetime import date, timedelta
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from phonehome.geo.databases import open_database
from phonehome.geo.errors import GeoError, UpdateError, one_line
from phonehome.geo.fetching import BOUNDS, Bounds, fetch, server
from phonehome.geo.places import answers
from phonehome.geo.unpacking import unpack
from phonehome.geo.user_databases import SUFFIX, data_folder

ASKED = ("1.1.1.1", "8.8.8.8", "2001:4860:4860::8888", "203.205.254.157", "255.255.255.255")
"""Looked up in a new database before it is put in place; no answer is expected, only no damage."""

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_BESIDE = ".new-"
_LEFT_BEHIND_SECONDS = 86_400
_CHECKSUM_BOUNDS = Bounds(packed=1 << 16, unpacked=1 << 16, seconds=60)


class Source(NamedTuple):
    """One database that its maker offers.

    Attributes:
        base: start of the addresses; a mirror can stand in its place.
        path: the rest of it, with `{month}` as YYYY-MM and `{key}`.
        checksum: where its SHA-256 stands; None: nowhere.
        key: the variable of the environment that holds its key; None: none is needed.
    """

    base: str
    path: str
    checksum: str | None = None
    key: str | None = None


def _geolite2(edition: str) -> Source:
    path = f"/app/geoip_download?edition_id={edition}&license_key={{key}}&suffix=tar.gz"
    return Source("https://download.maxmind.com", path, f"{path}.sha256", "MAXMIND_LICENSE_KEY")


SOURCES = {
    "dbip-country": Source("https://download.db-ip.com", "/free/dbip-country-lite-{month}.mmdb.gz"),
    "dbip-asn": Source("https://download.db-ip.com", "/free/dbip-asn-lite-{month}.mmdb.gz"),
    "geolite2-country": _geolite2("GeoLite2-Country"),
    "geolite2-asn": _geolite2("GeoLite2-ASN"),
    "ipinfo-lite": Source(
        "https://ipinfo.io",
        "/data/ipinfo_lite.mmdb?token={key}",
        "/data/ipinfo_lite.mmdb/checksums?token={key}",
        "IPINFO_TOKEN",
    ),
}
"""Each by the name that its opinions bear."""

WITHOUT_KEY = tuple(name for name, source in SOURCES.items() if source.key is None)


class Updated(NamedTuple):
    """What is in place now.

    Attributes:
        name: of the database.
        path: where it lies.
        sha256: of its file.
        kind: what its records say.
        data_date: day of its data; None: unknown.
        is_new: whether the file differs from the one before.
    """

    name: str
    path: Path
    sha256: str
    kind: str
    data_date: date | None
    is_new: bool


class _Wanted(NamedTuple):
    """What to ask for: addresses, tried in order; where the checksum stands; what is secret."""

    name: str
    urls: tuple[str, ...]
    checksum: str | None
    sha256: str | None
    key: str | None


def update(name: str, *, today: date, base: str | None = None, bounds: Bounds = BOUNDS) -> Updated:
    """Fetch one of `SOURCES` and put it in place.

    Args:
        name: a key of `SOURCES`.
        today: monthly files are asked for under this month, then under the one before.
        base: a mirror to ask instead of its maker; it gets the key.
        bounds: what the fetch may cost.

    Raises:
        UpdateError: It cannot be had, or is not what it should be; the old one stays.
    """
    source = SOURCES[name]
    key = _key(name, source.key) if source.key else None
    months = (today, today.replace(day=1) - timedelta(days=1))
    root = (base or source.base).rstrip("/")

    def address(path: str, day: date) -> str:
        return root + path.format(month=f"{day:%Y-%m}", key=key)

    urls = tuple(dict.fromkeys(address(source.path, day) for day in months))
    checksum = source.checksum and address(source.checksum, today)
    return _put(_Wanted(name, urls, checksum, None, key), bounds)


def update_from(
    url: str, name: str, *, sha256: str | None = None, bounds: Bounds = BOUNDS
) -> Updated:
    """Fetch a database from any address and put it in place under a name.

    Raises:
        UpdateError: The name or the hash is none; or as for `update`.
    """
    if not _NAME.fullmatch(name):
        raise UpdateError("geo update: name: expected small letters, digits, . _ -, got others")
    if sha256 is not None and not _SHA256.fullmatch(sha256.lower()):
        raise UpdateError(f"geo update: {name}: expected a SHA-256 of 64 digits, got another")
    return _put(_Wanted(name, (url,), None, sha256 and sha256.lower(), None), bounds)


def _key(name: str, variable: str) -> str:
    """The key in the environment.

    Raises:
        UpdateError: There is none, or it holds what no key does.
    """
    key = os.environ.get(variable, "")
    if not _KEY.fullmatch(key):
        got = "other characters" if key else "none"
        raise UpdateError(f"geo update: {name}: expected a key in {variable}, got {got}")
    return key


def _put(wanted: _Wanted, bounds: Bounds) -> Updated:
    """Fetch, check and put in place.

    Raises:
        UpdateError: As for `update`. The message is free of the key.
    """
    try:
        folder = data_folder()
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_BESIDE) as beside:
            return _fetched(wanted, folder, Path(beside), bounds)
    except GeoError as error:
        told = str(error)
    except OSError as error:
        told = f"{one_line(data_folder())}: expected to write there, got {error.strerror or 'less'}"
    secret = wanted.key or ""
    clean = told.replace(secret, "…") if secret else told
    raise UpdateError(f"geo update: {wanted.name}: {clean.removeprefix('geo database: ')}")


def _tidy(folder: Path) -> None:
    """Remove what runs left behind that were killed more than a day ago."""
    for left in folder.glob(f"{_BESIDE}*"):
        if left.stat().st_mtime < time.time() - _LEFT_BEHIND_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _fetched(wanted: _Wanted, folder: Path, beside: Path, bounds: Bounds) -> Updated:
    """The new database in place, once it has been fetched beside it and found good."""
    packed, plain = beside / "packed", beside / f"{wanted.name}{SUFFIX}"
    with packed.open("wb") as out:
        if not any(fetch(url, out, bounds) for url in wanted.urls):
            raise UpdateError(f"{server(wanted.urls[0])}: expected a file, got none of that name")
    expected = wanted.sha256 or _told(wanted.checksum)
    if expected is not None and _sha256(packed) != expected:
        raise UpdateError(f"the file: expected SHA-256 {expected}, got {_sha256(packed)}")
    unpack(packed, plain, bounds.unpacked)
    database = open_database(plain, name=wanted.name)
    answers(ASKED, [database])
    database.reader.close()
    place = folder / plain.name
    is_new = not place.exists() or _sha256(place) != database.sha256
    _replace(plain, place)
    return Updated(wanted.name, place, database.sha256, database.kind, database.data_date, is_new)


def _told(checksum: str | None) -> str | None:
    """The SHA-256 that the maker tells; None where it tells none.

    Raises:
        UpdateError: It tells something else.
    """
    text = BytesIO()
    if checksum is None or not fetch(checksum, text, _CHECKSUM_BOUNDS):
        return None
    found = _SHA256.search(text.getvalue().decode("ascii", "replace").lower())
    if found is None:
        raise UpdateError(f"{server(checksum)}: expected a SHA-256, got none in its answer")
    return found[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _replace(new: Path, place: Path) -> None:
    """Put a file in place in one rename, once all of it is on the disk."""
    new.chmod(0o644)
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    new.replace(place)
