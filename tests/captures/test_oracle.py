"""tshark is the oracle: on the samples of the project, and on captures that others published.

The published ones lie where `PHONEHOME_REAL` points, with tables of what tshark says of them.
"""

import csv
import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from tests.captures.reader import Tables, read_path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "captures/samples").glob("*/*.pcap*"))
REAL = Path(os.environ.get("PHONEHOME_REAL", ROOT.parent / "shared/real"))
SIZE_LIMIT = 6_000_000
FIELDS = ["frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"]
FIELDS += ["tcp.srcport", "tcp.dstport", "tcp.len", "udp.srcport", "udp.dstport", "udp.length"]
STRIPPED = {"zeek__nflog-http.pcap", "tcpdump__LINKTYPE_PKTAP.pcap"}
"""Captures in which a tool wrote before each packet what was never on the wire."""

pytestmark = pytest.mark.tshark

End = tuple[str, int]
Flow = tuple[str, End, End]  # protocol, sender, receiver


def sums(rows: Iterable[tuple[Flow, int, int]]) -> dict[Flow, tuple[int, int, int]]:
    """Packets, bytes on the wire and payload of each direction."""
    total: dict[Flow, list[int]] = defaultdict(lambda: [0, 0, 0])
    for flow, wire, payload in rows:
        cell = total[flow]
        cell[0] += 1
        cell[1] += wire
        cell[2] += payload
    return {flow: (cell[0], cell[1], cell[2]) for flow, cell in total.items()}


def found_sums(tables: Tables) -> dict[Flow, tuple[int, int, int]]:
    joined = (
        tables.packets.join(tables.conversations, on="conversation")
        .filter(pl.col("protocol").is_in(["tcp", "udp"]))
        .iter_rows(named=True)
    )
    rows = []
    for row in joined:
        a, b = (row["a_address"], row["a_port"]), (row["b_address"], row["b_port"])
        ends = (b, a) if row["is_from_b"] else (a, b)
        rows.append(((row["protocol"], *ends), row["wire_bytes"], row["payload_bytes"]))
    return sums(rows)


def tshark_rows(path: Path) -> list[dict[str, str]]:
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=,"]
    command += [part for field in FIELDS for part in ("-e", field)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return list(csv.DictReader(done.stdout.splitlines(), fieldnames=FIELDS))


def tshark_sums(rows: list[dict[str, str]]) -> dict[Flow, tuple[int, int, int]]:
    told = []
    for row in rows:
        protocol = "tcp" if row["tcp.srcport"] else "udp"
        if not row[f"{protocol}.srcport"]:
            continue
        source = row["ip.src"] or row["ipv6.src"], int(row[f"{protocol}.srcport"])
        to = row["ip.dst"] or row["ipv6.dst"], int(row[f"{protocol}.dstport"])
        payload = int(row["tcp.len"]) if protocol == "tcp" else int(row["udp.length"]) - 8
        told.append(((protocol, source, to), int(row["frame.len"]), payload))
    return sums(told)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_samples_hold_what_tshark_says(path: Path) -> None:
    rows = tshark_rows(path)
    tables = read_path(path)
    assert tables.capture["packets"] == len(rows)
    assert tables.capture["wire_bytes"] == sum(int(row["frame.len"]) for row in rows)
    assert found_sums(tables) == tshark_sums(rows)


def expected_sums(path: Path) -> dict[Flow, tuple[int, int, int]]:
    expected = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        if row["proto"] not in {"6", "17"} or row["port_a"] == row["port_b"] == "0":
            continue
        protocol = "tcp" if row["proto"] == "6" else "udp"
        a, b = (row["ip_a"], int(row["port_a"])), (row["ip_b"], int(row["port_b"]))
        for ends, way in (((a, b), "ab"), ((b, a), "ba")):
            numbers = [int(row[f"{what}_{way}"]) for what in ("frames", "wire", "l4")]
            if numbers[0]:
                before = expected.get((protocol, *ends), (0, 0, 0))
                counts = [had + more for had, more in zip(before, numbers, strict=True)]
                expected[protocol, *ends] = (counts[0], counts[1], counts[2])
    return expected


def published() -> list[str]:
    """Whole captures without fragments and damage, not too large."""
    chosen = []
    index = REAL / "index.csv"
    for row in csv.DictReader(index.read_text().splitlines() if index.exists() else []):
        if row["reason"].startswith("malformed") or int(row["size"]) > SIZE_LIMIT:
            continue
        summary = json.loads((REAL / "expected" / row["id"] / "summary.json").read_text())
        counts = summary["counts"]
        odd = ("fragment_frames", "malformed_frames", "short_frames")
        if any(summary["rc"].values()) or any(counts.get(name) for name in odd):
            continue
        chosen.append(row["id"])
    return chosen


NAMES = published()


@pytest.mark.skipif(not NAMES, reason="no published captures: set PHONEHOME_REAL")
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_published_captures_hold_what_tshark_says(name: str) -> None:
    expected = REAL / "expected" / name
    tables = read_path(REAL / "captures" / name)
    counts = json.loads((expected / "summary.json").read_text())["counts"]
    assert tables.capture["packets"] == counts.get("frames", 0)
    assert tables.capture["unread_bytes"] == 0
    found, said = found_sums(tables), expected_sums(expected / "conv_inner.csv")
    if name in STRIPPED:
        assert {flow: (packets, payload) for flow, (packets, _, payload) in found.items()} == {
            flow: (packets, payload) for flow, (packets, _, payload) in said.items()
        }
        assert tables.capture["wire_bytes"] < counts["wire_bytes"]
        return
    assert tables.capture["wire_bytes"] == counts.get("wire_bytes", 0)
    assert found == said
