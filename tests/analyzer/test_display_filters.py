"""Display filters, and what Wireshark finds by them."""

import shutil
import struct
import subprocess

import polars as pl
import pytest

from phonehome.analyzer.display_filters import MOST_ADDRESSES, display_filter, flows_filter


def row(**changes):
    plain = {
        "remote_address": "192.0.2.1",
        "is_shared": False,
        "local_ports": [40_000],
        "protocols": ["tcp"],
    }
    return plain | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ip.addr == 192.0.2.1"),
        ({"remote_address": "2001:db8::1"}, "ipv6.addr == 2001:db8::1"),
        (
            {"is_shared": True, "local_ports": [40_000, 40_001]},
            "ip.addr == 192.0.2.1 && tcp.port in {40000, 40001}",
        ),
        (
            {"is_shared": True, "protocols": ["udp"]},
            "ip.addr == 192.0.2.1 && udp.port in {40000}",
        ),
        ({"is_shared": True, "protocols": ["tcp", "udp"]}, "ip.addr == 192.0.2.1"),
        ({"is_shared": True, "protocols": ["icmp"], "local_ports": []}, "ip.addr == 192.0.2.1"),
        ({"is_shared": True, "local_ports": list(range(13))}, "ip.addr == 192.0.2.1"),
    ],
)
def test_the_display_filter_names_address_and_ports_where_names_share_it(changes, expected):
    assert display_filter(row(**changes)) == expected


def udp_packet(local_port):
    payload = b"x"
    udp = struct.pack("!4H", local_port, 443, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     bytes([10, 0, 0, 1]), bytes([192, 0, 2, 1]))  # fmt: skip
    return ip + udp


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark on this machine")
@pytest.mark.parametrize(
    ("changes", "frames"),
    [
        ({}, ["1", "2", "3"]),
        ({"is_shared": True, "protocols": ["udp"], "local_ports": [40_000, 40_002]}, ["1", "3"]),
        ({"remote_address": "2001:db8::1"}, []),
    ],
)
def test_wireshark_finds_the_frames_by_the_filter(tmp_path, changes, frames):
    packets = [udp_packet(port) for port in (40_000, 40_001, 40_002)]
    capture = tmp_path / "three.pcap"
    capture.write_bytes(
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
        + b"".join(
            struct.pack("<4I", 0, 0, len(packet), len(packet)) + packet for packet in packets
        )
    )
    shown = display_filter(row(**changes))
    found = subprocess.run(
        ["tshark", "-r", capture, "-Y", shown, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert found.stdout.split() == frames


def flows(*rows):
    schema = {
        "flow": pl.Int64,
        "protocol": pl.String,
        "remote_address": pl.String,
        "local_port": pl.Int64,
        "up_unique_bytes": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_no_flows_have_no_filter():
    assert flows_filter(flows(), flows()) is None


def test_flows_are_found_by_address_and_by_port_where_others_share_it():
    every = flows(
        (1, "tcp", "192.0.2.1", 1, 10),
        (2, "tcp", "192.0.2.1", 2, 20),
        (3, "udp", "192.0.2.2", 3, 5),
    )
    assert flows_filter(every, every) == "ip.addr == 192.0.2.1 || ip.addr == 192.0.2.2"
    first = every.filter(pl.col("flow") != 2)
    shown = "(ip.addr == 192.0.2.1 && tcp.port in {1}) || ip.addr == 192.0.2.2"
    assert flows_filter(first, every) == shown
    assert flows_filter(first.head(1), every) == "ip.addr == 192.0.2.1 && tcp.port in {1}"


def test_of_many_addresses_those_that_got_most_are_found():
    every = flows(*((n, "tcp", f"192.0.2.{n}", n, n) for n in range(1, 30)))
    found = flows_filter(every, every).split(" || ")
    assert len(found) == MOST_ADDRESSES
    assert found[0] == "ip.addr == 192.0.2.29"
