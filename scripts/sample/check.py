"""Reads the written captures with tshark, a reader that is not ours, and compares."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LARGEST_FRAME = 1514
_LARGEST_FILE = 400_000
_CHECKS = ("ip", "tcp", "udp")
_FIELDS = (
    "frame.len",
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "_ws.malformed",
    "tls.handshake.extensions_server_name",
    "http.host",
    "dns.a",
    "dns.aaaa",
    "tcp.analysis.retransmission",
)
_GOOD = {"", "1"}


def faults(path: Path, truth: Mapping[str, Any]) -> list[str]:
    """What is wrong with a written capture; empty if nothing is, or if tshark is not installed."""
    found = []
    if path.stat().st_size > _LARGEST_FILE:
        found.append(f"{path.name}: expected at most {_LARGEST_FILE} bytes")
    if shutil.which("tshark") is None:
        return found
    columns = _columns(path)
    if len(columns["frame.len"]) != truth["packets"]:
        found.append(f"{path.name}: tshark reads {len(columns['frame.len'])} frames")
    if max(map(int, columns["frame.len"])) > _LARGEST_FRAME:
        found.append(f"{path.name}: a frame is larger than {_LARGEST_FRAME} bytes")
    for name in _CHECKS:
        statuses = {one for text in columns[f"{name}.checksum.status"] for one in text.split(",")}
        if statuses - _GOOD:
            found.append(f"{path.name}: bad {name} checksums")
    if any(columns["_ws.malformed"]):
        found.append(f"{path.name}: malformed frames")
    if not any(columns["tcp.analysis.retransmission"]):
        found.append(f"{path.name}: no retransmission")
    return found + _missing_names(path, columns, truth)


def _columns(path: Path) -> dict[str, list[str]]:
    """Each field of each frame as tshark prints it."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    # Otherwise a retransmission inside a message counts as a malformed frame.
    command += ["-o", "tcp.reassemble_out_of_order:TRUE"]
    for name in _CHECKS:
        command += ["-o", f"{name}.check_checksum:TRUE"]
    for name in _FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: [row[at] for row in rows] for at, name in enumerate(_FIELDS)}


def _missing_names(
    path: Path, columns: Mapping[str, list[str]], truth: Mapping[str, Any]
) -> list[str]:
    """Names and addresses of the truth that tshark does not find where they should be."""
    shown = {
        "sni": _values(columns, "tls.handshake.extensions_server_name"),
        "http_host": _values(columns, "http.host"),
        "dns": _values(columns, "dns.a") | _values(columns, "dns.aaaa"),
    }
    shown["quic_sni"] = shown["sni"]
    found = []
    for row in truth["names"]:
        wanted = row["address"] if row["source"] == "dns" else row["name"]
        if row["source"] in shown and wanted not in shown[row["source"]]:
            found.append(f"{path.name}: {wanted} is not seen as {row['source']}")
    return found


def _values(columns: Mapping[str, list[str]], name: str) -> set[str]:
    return {one for text in columns[name] for one in text.split(",")}
