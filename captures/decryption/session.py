"""One capture, opened with keys: pieces of plain bytes, and an account of what was opened."""

from collections.abc import Iterator
from pathlib import Path

from phonehome.captures.decryption import tshark
from phonehome.captures.decryption.keylogs import Keys
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.decryption.tls_sessions import Connections
from phonehome.captures.decryption.tshark_input import fed
from phonehome.captures.decryption.tshark_output import FIELDS, SHOWN, said
from phonehome.captures.files.open_capture import STANDARD_INPUT
from phonehome.captures.limits import Limits

READ_ONCE = "standard input cannot be read twice, so nothing of it was opened: give a file"
NOT_UNDERSTOOD = "tshark printed what is none of its lines"


class Opening:
    """One capture whose TLS and QUIC are opened, once, in order.

    Iterate over `pieces()` to the end; then ask for the rest.

    Args:
        path: the capture.
        keys: the keys that there are.
        limits: bounds on what it may cost.

    Attributes:
        version: version of the tshark that did it; None: there is none.
        problem: what went wrong, in a line; None: nothing.
        reason: the same as one of `opened.REASONS`; None as above.
        limits_hit: how often each limit left something out.
    """

    def __init__(self, path: Path, keys: Keys, limits: Limits) -> None:
        self._path, self._keys, self._limits = path, keys, limits
        self._connections = Connections(keys, limits)
        self.version: str | None = None
        self.problem: str | None = None
        self.reason: str | None = None

    @property
    def limits_hit(self) -> dict[str, int]:
        """See above."""
        return self._connections.limits_hit

    def pieces(self) -> Iterator[Opened]:
        """What was opened, a piece at a time; where tshark stops, what came before.

        Raises:
            CaptureError: the capture cannot be read any more.
        """
        if str(self._path) == STANDARD_INPUT:
            self.problem, self.reason = READ_ONCE, "read_once"
            return
        try:
            yield from self._told()
        except tshark.TsharkError as error:
            self.problem, self.reason = str(error), error.reason
        yield from self._connections.finish()

    @property
    def seen_randoms(self) -> set[bytes]:
        """Randoms of the clients in the capture that there are keys for."""
        return self._connections.seen_randoms

    def attempts(self) -> list[Attempt]:
        """What became of each connection of TLS and QUIC that tshark saw."""
        return self._connections.attempts()

    def _told(self) -> Iterator[Opened]:
        program = tshark.program(self._limits)
        self.version = program.version
        told = tshark.lines(
            program,
            fed(self._path, self._limits),
            b"\n".join([*self._keys.lines, b""]),
            fields=FIELDS,
            shown=SHOWN,
            limits=self._limits,
        )
        try:
            for line in told:
                if line:
                    yield from self._read(line)
        finally:
            told.close()  # type: ignore[attr-defined] # a generator: ends the child

    def _read(self, line: bytes) -> Iterator[Opened]:
        try:
            packet = said(line)
        except ValueError:
            raise tshark.TsharkError("tshark_stopped", NOT_UNDERSTOOD) from None
        if packet is not None:
            yield from self._connections.take(packet)
