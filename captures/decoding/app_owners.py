"""Who owns a conversation, as the capture itself says: tags that the loop cut out, read.

A tag belongs to the conversation, so to both directions: tools that know the owner of outgoing
packets alone tell that of incoming ones too.
"""

import re
import struct
from collections.abc import Mapping
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.captures.files.app_map import Package
from phonehome.captures.kernels.excerpts import OWNER, Excerpts
from phonehome.captures.kernels.layout import NO_TIME
from phonehome.captures.kernels.tool_tags import (
    NFLOG_GID,
    NFLOG_UID,
    TAG_COMMENT,
    TAG_NFLOG,
    TAG_PKTAP,
    TAG_PKTAP2,
    TAG_PROCESS,
    TAG_TRAILER,
)
from phonehome.captures.tables import Owners

PCAPDROID_COMMENT = re.compile(rb"u-(-?\d{1,10})\Z")
PYMOBILEDEVICE3_COMMENT = re.compile(
    rb"PID: (-?\d{1,10}), ProcName: (.{0,64}?), EPID: (-?\d{1,10}), EProcName: (.{0,64}?), SVC: ",
    re.DOTALL,
)
PTCPDUMP_COMMENT = re.compile(rb"PID: (\d{1,10})\nCmd: ([^\n]{1,512})")
PACKAGE_COMMENT = re.compile(rb"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+\Z")
NOBODY = -1


class Owner(NamedTuple):
    """Whom a tag names.

    Attributes:
        source: one of `words.OWNER_SOURCES`.
        uid: user id, Android's for an app.
        gid: group id.
        pid: process id.
        name: app, package or process, as the tag spells it.
    """

    source: str
    uid: int | None = None
    gid: int | None = None
    pid: int | None = None
    name: str | None = None


class OwnerReader:
    """Reads tags from the excerpts of a capture."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int | None, Owner | int]] = []

    def add(self, excerpts: Excerpts) -> None:
        """Read the tags of the next window."""
        for at in (excerpts.kind == OWNER).nonzero()[0].tolist():
            start = int(excerpts.start[at])
            octets = excerpts.data[start : start + int(excerpts.length[at])].tobytes()
            kind, number = int(excerpts.message[at]), int(excerpts.position[at])
            owner = number if kind == TAG_PROCESS else READERS[kind](octets)
            if owner is not None:
                time = int(excerpts.time[at])
                self._rows.append(
                    (
                        int(excerpts.conversation[at]),
                        int(excerpts.frame[at]),
                        None if time == NO_TIME else time,
                        owner,
                    )
                )

    def table(
        self, packages: Mapping[int, Package], processes: list[tuple[int, str | None]]
    ) -> dy.DataFrame[Owners]:
        """One row per conversation and owner, by conversation, then by first frame.

        Args:
            packages: app of each user id, as the capture says.
            processes: pid and name of each process that the capture describes, in order.
        """
        rows, known = [], set()
        for conversation, frame, time, found in self._rows:
            owner = _process(found, processes) if isinstance(found, int) else found
            if owner is None or (conversation, owner) in known:
                continue
            known.add((conversation, owner))
            package = packages.get(owner.uid) if owner.uid is not None else None
            rows.append(
                (
                    conversation,
                    frame,
                    time,
                    owner.source,
                    owner.uid,
                    owner.gid,
                    owner.pid,
                    (package.name or None) if package and not owner.name else owner.name,
                    package.package or None if package else None,
                )
            )
        schema = Owners.create_empty().schema
        table = pl.DataFrame(rows, schema=schema | {"time": pl.Int64}, orient="row")
        return Owners.validate(
            table.with_columns(pl.col("time").cast(pl.Datetime("ns", "UTC"))).sort(
                "conversation", "frame", maintain_order=True
            )
        )


def _process(number: int, processes: list[tuple[int, str | None]]) -> Owner | None:
    """The Darwin process that a packet names by its number."""
    if not 0 <= number < len(processes):
        return None
    pid, name = processes[number]
    return Owner("darwin", pid=pid, name=name)


def _text(octets: bytes) -> str | None:
    """A name up to its first NUL, as it is; octets that are no UTF-8 are spelled out."""
    return octets.split(b"\0", 1)[0].decode("utf-8", "backslashreplace") or None


def _trailer(octets: bytes) -> Owner | None:
    """User id and app name in PCAPdroid's trailer."""
    if len(octets) < 24:  # noqa: PLR2004 - user id and name
        return None
    (uid,) = struct.unpack_from(">i", octets)
    return Owner("pcapdroid_trailer", uid=uid, name=_text(octets[4:24]))


def _effective(
    source: str, process: tuple[int, bytes], effective: tuple[int, bytes]
) -> Owner | None:
    """The process for which another one did the work, where there is one; else that one."""
    for pid, name in (effective, process):
        text = _text(name)
        if pid > 0 or (pid == 0 and text):
            return Owner(source, pid=pid, name=text)
    return None


def _pktap(octets: bytes) -> Owner | None:
    """The process in a PKTAP header of version 1."""
    (pid,), (effective_pid,) = (
        struct.unpack_from("<i", octets, 52),
        struct.unpack_from("<i", octets, 84),
    )
    return _effective("pktap", (pid, octets[56:73]), (effective_pid, octets[88:105]))


def _pktap2(octets: bytes) -> Owner | None:
    """The process in a PKTAP header of version 2: names stand at offsets that it states."""
    (pid, effective_pid) = struct.unpack_from("<ii", octets, 28)
    names = [octets[place : place + 17] if place else b"" for place in octets[4:6]]
    return _effective("pktap", (pid, names[0]), (effective_pid, names[1]))


def _nflog(octets: bytes) -> Owner | None:
    """User and group id in attributes of NFLOG, each 8 bytes."""
    found: dict[int, int] = {}
    for at in range(0, len(octets) - 7, 8):
        little, big = (struct.unpack_from(f"{order}HH", octets, at) for order in "<>")
        kind = little[1] if little[0] == 8 else big[1]  # noqa: PLR2004 - the attribute's length
        found[kind] = struct.unpack_from(">I", octets, at + 4)[0]
    if NFLOG_UID not in found:
        return None
    return Owner("nflog", uid=found[NFLOG_UID], gid=found.get(NFLOG_GID))


def _comment(octets: bytes) -> Owner | None:
    """The owner in a packet's comment, in the words of the tools that write one."""
    if match := PCAPDROID_COMMENT.match(octets):
        uid = int(match[1])
        return None if uid == NOBODY else Owner("pcapdroid_comment", uid=uid)
    if match := PYMOBILEDEVICE3_COMMENT.match(octets):
        process, effective = (int(match[1]), match[2]), (int(match[3]), match[4])
        return _effective("pymobiledevice3", process, effective)
    if match := PTCPDUMP_COMMENT.match(octets):
        name = _text(match[2].rsplit(b"/", 1)[-1].strip())
        return Owner("ptcpdump", pid=int(match[1]), name=name)
    if PACKAGE_COMMENT.match(octets):
        return Owner("antmonitor", name=_text(octets))
    return None


READERS = {
    int(TAG_TRAILER): _trailer,
    int(TAG_PKTAP): _pktap,
    int(TAG_PKTAP2): _pktap2,
    int(TAG_NFLOG): _nflog,
    int(TAG_COMMENT): _comment,
}
