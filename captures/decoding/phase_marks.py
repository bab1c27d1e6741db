"""Comments of packets that mark the begin of a phase, as who makes a capture may write them.

A comment of pcapng (`opt_comment`) that begins with `phase:` says what the phone does from this
packet on: `phase: idle screen off`.
"""

from typing import NamedTuple

from phonehome.captures.kernels.excerpts import MARK, Excerpts
from phonehome.captures.kernels.layout import NO_TIME

_PREFIX = len(b"phase:")


class Mark(NamedTuple):
    """Where a phase begins.

    Attributes:
        frame: packet that bears the comment, from 1.
        time: its time, ns since 1970; None: it has none.
        text: what stands behind `phase:`.
    """

    frame: int
    time: int | None
    text: str


class MarkReader:
    """Reads marks from the excerpts of a capture.

    Args:
        most: marks that are kept.

    Attributes:
        marks: the first of them, in file order.
        left_out: how many there are beyond that.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.marks: list[Mark] = []
        self.left_out = 0

    def add(self, excerpts: Excerpts) -> None:
        """Read the marks of the next window."""
        for at in (excerpts.kind == MARK).nonzero()[0].tolist():
            if len(self.marks) == self._most:
                self.left_out += 1
                continue
            start, length = int(excerpts.start[at]), int(excerpts.length[at])
            octets = excerpts.data[start + _PREFIX : start + length].tobytes()
            time = int(excerpts.time[at])
            self.marks.append(
                Mark(
                    int(excerpts.frame[at]),
                    None if time == NO_TIME else time,
                    octets.decode(errors="replace").strip(),
                )
            )
