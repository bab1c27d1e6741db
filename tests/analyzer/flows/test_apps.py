"""Apps of conversations: what the capture says, and lists of packages beside it."""

import struct
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.flows.apps import PackagesError, owned, read_packages
from phonehome.analyzer.settings import Settings
from phonehome.captures.tables import Owners
from tests.small_captures import BEGIN, household, pcap, put

LISTED = """\
package:org.parrot.chat uid:10123
package:/data/app/x==/base.apk=com.owl.mail uid:10124,1010124
package:com.android.phone uid:1001
package:com.android.stk uid:1001
"""
DUMPED = """\
Packages:
  Package [org.parrot.chat] (a1b2c3):
    userId=10123
    pkg=Package{d4e5f6 org.parrot.chat}
  Package [com.owl.mail] (b2c3d4):
    appId=10124
"""


def owners(*rows):
    """Owners from (conversation, frame, source, uid, pid, name, package)."""
    names = ("conversation", "frame", "source", "uid", "pid", "name", "package")
    return Owners.validate(
        pl.DataFrame(
            [dict(zip(names, row, strict=True)) for row in rows],
            schema=Owners.create_empty().schema,
        )
    )


@pytest.mark.parametrize("text", [LISTED, DUMPED, LISTED.replace("\n", "\r\n")])
def test_packages_are_read_from_what_android_prints(tmp_path, text):
    path = tmp_path / "packages.txt"
    path.write_text(text)
    found = read_packages([path])
    assert found[10_123] == "org.parrot.chat"
    assert found[10_124] == "com.owl.mail"
    if text is LISTED:
        assert found[1_001] == "com.android.phone,com.android.stk"


@pytest.mark.parametrize("content", [b"", b"package:org.parrot.chat\n", bytes(1000), b"\xff" * 99])
def test_a_list_without_packages_is_refused(tmp_path, content):
    path = tmp_path / "packages.txt"
    path.write_bytes(content)
    with pytest.raises(PackagesError, match="no package with a user id"):
        read_packages([path])


def test_a_list_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PackagesError, match="cannot be read"):
        read_packages([tmp_path / "missing"])


@pytest.mark.parametrize(
    ("row", "app"),
    [
        ((10_123, None, "Parrot", "org.parrot"), "org.parrot"),
        ((10_123, None, "Parrot", None), "listed"),
        ((1_010_123, None, None, None), "listed"),
        ((10_999, 7, "Parrot", None), "Parrot"),
        ((10_999, 7, None, None), "uid 10999"),
        ((None, 7, None, None), "pid 7"),
    ],
)
def test_the_best_name_of_the_app_is_taken(row, app):
    uid, pid, name, package = row
    table = owned(owners((0, 1, "nflog", uid, pid, name, package)), {10_123: "listed"})
    assert table["app"].to_list() == [app]
    assert table.select("uid", "pid").row(0) == (uid, pid)


def test_the_first_owner_counts_and_a_later_one_is_told():
    table = owned(
        owners(
            (0, 9, "nflog", 6, None, None, None),
            (0, 3, "nflog", 5, None, None, None),
            (0, 5, "pktap", 5, None, "uid 5", None),
            (1, 4, "nflog", 6, None, None, None),
        ),
        {},
    )
    assert table.select("conversation", "app", "changed_frame").rows() == [
        (0, "uid 5", 9),
        (1, "uid 6", None),
    ]


def tagged(frame, uid):
    """An Ethernet frame's IP packet among the attributes of NFLOG."""
    packet = frame.octets[14:]
    head = struct.pack(">BBH", 2, 0, 0) + struct.pack("<HH", 8, 1) + struct.pack(">HBx", 0x800, 3)
    owner = struct.pack("<HH", 8, 11) + struct.pack(">I", uid)
    return head + owner + struct.pack("<HH", 4 + len(packet), 9) + packet


@pytest.fixture
def capture(tmp_path) -> Path:
    """A household's IPv4 traffic as NFLOG writes it: HTTPS of one app, all else of another."""
    frames = [one for one in household() if one.octets[12:14] == b"\x08\x00"]
    body = b""
    for at, one in enumerate(frames):
        ports = struct.unpack(">HH", one.octets[34:38])
        octets = tagged(one, 10_123 if 443 in ports else 10_124)
        body += struct.pack("<IIII", BEGIN // 10**9 + at, 0, len(octets), len(octets)) + octets
    head = bytearray(pcap([])[:24])
    head[20:24] = struct.pack("<I" if head[:1] in b"\xd4\x4d" else ">I", 239)
    return put(tmp_path / "tagged.pcap", bytes(head) + body)


def test_totals_are_those_of_the_app_and_the_rest_is_kept(capture, tmp_path):
    packages = tmp_path / "packages.txt"
    packages.write_text(LISTED)
    whole = analyze([capture], Settings(packages=(packages,)))
    assert set(whole.uploads["app"]) == {"org.parrot.chat", "com.owl.mail"}
    assert whole.flows["app_source"].unique().to_list() == ["nflog"]
    mine = analyze([capture], Settings(packages=(packages,), app="org.parrot.chat"))
    sums = dict(whole.uploads.group_by("app").agg(pl.col("up_unique_bytes").sum()).rows())
    assert mine.summary.up_unique_bytes == sums["org.parrot.chat"] > 0
    assert whole.summary.up_unique_bytes == sum(sums.values())
    assert mine.uploads.equals(whole.uploads)
    of_time = mine.timeline.filter(app="org.parrot.chat")["up_unique_bytes"].sum()
    assert of_time == mine.summary.up_unique_bytes
    assert mine.summary.is_balanced
    assert mine.summary.is_app_known


def test_an_app_that_owns_nothing_is_told_with_those_that_do(capture):
    result = analyze([capture], Settings(app="org.parrot"))
    assert result.summary.up_unique_bytes == 0
    assert any("uid 10123, uid 10124" in note for note in result.notes)
