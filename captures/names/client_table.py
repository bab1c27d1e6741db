# Held by tests/captures/kernels/test_client_hello.py: read by the loop, and in pieces.
"""Collects what ClientHellos show while packets are read, and makes their table at the end."""

from array import array

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.captures.names.faults import Moment, spelled
from phonehome.captures.names.fingerprints import TLS, Fingerprint, fingerprint
from phonehome.captures.tables import Hellos

_ROW = 7
_NO_TIME = np.iinfo(np.int64).min
_SECOND = 1_000_000_000
_RANDOM_AT = 6
_TIME_BYTES = 4
_NEAR = 2 * 86_400 * _SECOND
"""How far a time that a hello states may be from that of its packet, ns, or it is none."""
_NO_NAME = 0
_MOST_SHAPES = 1 << 16


class HelloList:
    """ClientHellos in the order in which they were read.

    Args:
        most: hellos that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most_numbers = most * _ROW
        self._numbers = array("q")
        self._names: dict[str, int] = {"": _NO_NAME}
        self._fingerprints: dict[Fingerprint | None, int] = {}
        self._shapes: dict[int, int] = {}

    def add_shape(
        self, moment: Moment, side: tuple[int, int], name: str, shape: int, message: bytes
    ) -> None:
        """Note a hello that the loop has read: of each shape one is looked at.

        Args:
            moment: when it was complete.
            side: conversation, and whether end b spoke.
            name: its server name, or nothing.
            shape: hash of what its fingerprint is made of.
            message: the handshake message; what follows it does no harm.
        """
        number = self._shapes.get(shape)
        if number is None:
            if len(self._shapes) == _MOST_SHAPES:
                self._shapes.clear()
            number = self._shapes[shape] = self._number(fingerprint(message))
        self._add(moment, side, name, number, message)

    def add(
        self,
        moment: Moment,
        side: tuple[int, int],
        name: str,
        message: bytes,
        transport: str = TLS,
    ) -> None:
        """Note a hello that came in pieces, that is unusual, or that came over QUIC."""
        self._add(moment, side, name, self._number(fingerprint(message, transport)), message)

    def _number(self, found: Fingerprint | None) -> int:
        return self._fingerprints.setdefault(found, len(self._fingerprints))

    def _add(
        self, moment: Moment, side: tuple[int, int], name: str, number: int, message: bytes
    ) -> None:
        if len(self._numbers) < self._most_numbers:
            name_number = self._names.setdefault(name, len(self._names))
            random = message[_RANDOM_AT : _RANDOM_AT + _TIME_BYTES]
            stated = int.from_bytes(random, "big") * _SECOND
            is_near = len(random) == _TIME_BYTES and abs(stated - moment.time) < _NEAR
            times = (stated, moment.time) if is_near else (_NO_TIME, _NO_TIME)
            self._numbers.extend((moment.frame, *side, name_number, number, *times))

    def table(self) -> dy.DataFrame[Hellos]:
        """One row per hello, by frame, then as they were read."""
        rows = np.array(self._numbers, dtype=np.int64).reshape(-1, _ROW)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        names = pl.Series([None, *list(self._names)[1:]], dtype=pl.String)
        found = pl.DataFrame(
            [
                (of.version, [spelled(text) for text in of.alpn], of.ja3, of.ja4, of.is_ech)
                if of
                else (None,) * 5
                for of in self._fingerprints
            ],
            schema={
                name: dtype
                for name, dtype in Hellos.create_empty().schema.items()
                if name in {"version", "alpn", "ja3", "ja4", "is_ech"}
            },
            orient="row",
        )
        return Hellos.validate(
            pl.DataFrame(
                {
                    "frame": rows[:, 0].copy(),
                    "conversation": rows[:, 1].astype(np.int32),
                    "is_from_b": rows[:, 2].astype(np.bool_),
                    "name": names.gather(rows[:, 3].copy()),
                    "client_time": rows[:, 5].copy(),
                    "client_time_seen": rows[:, 6].copy(),
                }
            )
            .hstack(found[rows[:, 4].copy()])
            .with_columns(
                pl.when(pl.col(time) != _NO_TIME)
                .then(pl.col(time))
                .cast(pl.Datetime("ns", "UTC"))
                .alias(time)
                for time in ("client_time", "client_time_seen")
            )
            .select(Hellos.column_names())
        )
