"""One message of a TCP stream, put together from pieces that overlap, repeat or come late."""

from bisect import bisect_right

from phonehome.captures.names.faults import Moment

PIECE_BYTES = 128
"""What keeping one piece costs beside its octets, about."""


class Assembly:
    """Pieces of a stream in order, without overlap; the first copy of each byte wins.

    Attributes:
        position: position in the stream behind the last byte that was handed on.
        held_bytes: what the pieces that wait for a gap to close cost.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.held_bytes = 0
        self._begins: list[int] = []
        self._pieces: dict[int, tuple[bytes, Moment]] = {}

    def add(self, position: int, octets: bytes, moment: Moment) -> bytes:
        """The bytes that follow without a gap, now that this piece is here; often its own."""
        if position < self.position:
            octets = octets[self.position - position :]
            position = self.position
        if position > self.position or self._begins:
            self._keep(position, octets, moment)
            return self._take()
        self.position += len(octets)
        return octets

    def skip_gap(self) -> tuple[bytes, Moment] | None:
        """The next piece that waits, and when it came; the gap before it is given up."""
        if not self._begins:
            return None
        self.position = self._begins.pop(0)
        return self._release(self.position)

    def _keep(self, begin: int, octets: bytes, moment: Moment) -> None:
        """Keep of a piece what no piece that waits holds already."""
        end = begin + len(octets)
        at = begin
        index = bisect_right(self._begins, at)
        if index:
            before = self._begins[index - 1]
            at = max(at, before + len(self._pieces[before][0]))
        while at < end:
            next_begin = self._begins[index] if index < len(self._begins) else end
            if at < next_begin:
                part = octets[at - begin : min(end, next_begin) - begin]
                self._begins.insert(index, at)
                self._pieces[at] = (part, moment)
                self.held_bytes += len(part) + PIECE_BYTES
                index += 1
            if next_begin >= end:
                break
            at = next_begin + len(self._pieces[next_begin][0])
            index += 1

    def _take(self) -> bytes:
        """Hand on the pieces that follow without a gap."""
        ready: list[bytes] = []
        while len(ready) < len(self._begins) and self._begins[len(ready)] == self.position:
            ready.append(self._release(self.position)[0])
        del self._begins[: len(ready)]
        return b"".join(ready)

    def _release(self, begin: int) -> tuple[bytes, Moment]:
        """Give away a piece that waits."""
        piece = self._pieces.pop(begin)
        self.held_bytes -= len(piece[0]) + PIECE_BYTES
        self.position += len(piece[0])
        return piece
