"""Tags read: owners of conversations, hostile names included."""

import struct

import numpy as np
import pytest

from phonehome.captures.decoding.app_owners import OwnerReader
from phonehome.captures.files.app_map import Package
from phonehome.captures.kernels.excerpts import OWNER, STREAM, Excerpts
from phonehome.captures.kernels.layout import NO_TIME
from phonehome.captures.kernels.tool_tags import TAG_COMMENT, TAG_NFLOG, TAG_PROCESS, TAG_TRAILER


def excerpts(*tags):
    """Excerpts of (conversation, kind of tag, number, bytes), a frame each."""
    data = b"".join(octets for *_, octets in tags)
    lengths = [len(octets) for *_, octets in tags]
    count = len(tags)
    return Excerpts(
        frame=np.arange(1, count + 1),
        time=np.array([NO_TIME, *range(count)][:count]),
        conversation=np.array([tag[0] for tag in tags], dtype=np.int32),
        is_from_b=np.zeros(count, dtype=np.uint8),
        kind=np.array([OWNER] * (count - 1) + [STREAM], dtype=np.uint8),
        incarnation=np.zeros(count, dtype=np.int32),
        message=np.array([int(tag[1]) for tag in tags]),
        position=np.array([tag[2] for tag in tags]),
        start=np.array([sum(lengths[:at]) for at in range(count)]),
        length=np.array(lengths, dtype=np.int32),
        name_at=np.zeros(count, dtype=np.int64),
        name_length=np.full(count, -1, dtype=np.int32),
        shape=np.zeros(count, dtype=np.int64),
        data=np.frombuffer(data, dtype=np.uint8),
    )


def read(*tags, packages=None, processes=()):
    reader = OwnerReader()
    reader.add(excerpts(*tags, (9, 0, 0, b"a piece of a stream")))
    return reader.table(packages or {}, list(processes))


def trailer(uid, name):
    return struct.pack(">i20s", uid, name)


def test_the_same_owner_is_told_once_per_conversation():
    table = read(
        (1, TAG_TRAILER, 0, trailer(5, b"a")),
        (0, TAG_TRAILER, 0, trailer(5, b"a")),
        (1, TAG_TRAILER, 0, trailer(6, b"a")),
        (1, TAG_TRAILER, 0, trailer(5, b"a")),
    )
    assert table.select("conversation", "frame", "uid").rows() == [(0, 2, 5), (1, 1, 5), (1, 3, 6)]
    assert table["time"].to_physical().to_list() == [0, None, 1]


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"Parrot\0garbage", "Parrot"),
        ("Попугай".encode(), "Попугай"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"</script>=cmd|\x1b[2J", "</script>=cmd|\x1b[2J"),
        (b"", None),
    ],
)
def test_names_are_taken_as_they_are_spelled(octets, name):
    assert read((0, TAG_TRAILER, 0, trailer(5, octets)))["name"].to_list() == [name]


def test_a_map_of_packages_adds_the_package_and_a_name_where_there_is_none():
    packages = {5: Package("org.parrot", "Parrot"), 6: Package("", "")}
    table = read(
        (0, TAG_TRAILER, 0, trailer(5, b"Own name")),
        (1, TAG_COMMENT, 0, b"u-5"),
        (2, TAG_COMMENT, 0, b"u-6"),
        packages=packages,
    )
    assert table.select("name", "package").rows() == [
        ("Own name", "org.parrot"),
        ("Parrot", "org.parrot"),
        (None, None),
    ]


@pytest.mark.parametrize("number", [-1, 1, 2**40])
def test_a_process_that_was_not_described_is_nobody(number):
    assert read((0, TAG_PROCESS, number, b""), processes=[(5, "a")]).height == 0


def test_a_process_is_told_by_its_number():
    table = read((0, TAG_PROCESS, 1, b""), processes=[(5, "a"), (6, None)])
    assert table.select("pid", "name").rows() == [(6, None)]


def test_a_group_without_a_user_is_nobody():
    assert read((0, TAG_NFLOG, 0, struct.pack("<HHI", 8, 14, 5))).height == 0
