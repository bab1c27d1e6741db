"""Collects what TLS servers say in the clear, and makes the tables of it at the end."""

from array import array
from datetime import datetime

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.captures.kernels.excerpts import Excerpts
from phonehome.captures.names.certificates import Certified
from phonehome.captures.names.faults import Moment, shown
from phonehome.captures.names.server_hello import ServerHello
from phonehome.captures.tables import Certificates, ServerHellos

_ROW = 6
_SHOWN_ROW = 4
_LONGEST_ALPN = 255
_VERSION_BITS = 16
_CIPHER = (1 << _VERSION_BITS) - 1
_FIRST_TIME, _LAST_TIME = datetime(1678, 1, 1), datetime(2262, 1, 1)  # noqa: DTZ001 - of 64 bits


class ServerList:
    """ServerHellos and certificates.

    Args:
        most: rows of each that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers = array("q")
        self._protocols: dict[str | None, int] = {None: 0}
        self._shown = array("q")
        self._certificates: dict[Certified, int] = {}

    def add_read(self, excerpts: Excerpts, is_hello: np.ndarray) -> None:
        """Note the ServerHellos that the loop has read, all of a window at once."""
        shape = excerpts.shape[is_hello]
        rows = np.zeros((len(shape), _ROW), dtype=np.int64)
        rows[:, 0] = excerpts.frame[is_hello]
        rows[:, 1] = excerpts.conversation[is_hello]
        rows[:, 2] = excerpts.is_from_b[is_hello]
        rows[:, 3] = shape >> _VERSION_BITS
        rows[:, 4] = shape & _CIPHER
        room = max(self._most - len(self._numbers) // _ROW, 0)
        self._numbers.frombytes(rows[:room].tobytes())

    def add(self, moment: Moment, side: tuple[int, int], said: ServerHello) -> None:
        """Note a ServerHello that came in pieces, or of TLS up to 1.2."""
        if len(self._numbers) // _ROW >= self._most:
            return
        alpn = shown(said.alpn, _LONGEST_ALPN) if said.alpn else None
        number = self._protocols.setdefault(alpn, len(self._protocols))
        self._numbers.extend((moment.frame, *side, said.version, said.cipher, number))

    def add_certificate(self, moment: Moment, side: tuple[int, int], said: Certified) -> None:
        """Note a certificate."""
        if len(self._shown) // _SHOWN_ROW < self._most:
            number = self._certificates.setdefault(said, len(self._certificates))
            self._shown.extend((moment.frame, *side, number))

    def hellos(self) -> dy.DataFrame[ServerHellos]:
        """One row per ServerHello, by frame, then as they were read."""
        rows = np.array(self._numbers, dtype=np.int64).reshape(-1, _ROW)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        protocols = pl.Series(list(self._protocols), dtype=pl.String)
        return ServerHellos.validate(
            pl.DataFrame(
                {
                    "frame": rows[:, 0].copy(),
                    "conversation": rows[:, 1].astype(np.int32),
                    "is_from_b": rows[:, 2].astype(np.bool_),
                    "version": rows[:, 3].copy(),
                    "cipher": rows[:, 4].copy(),
                    "alpn": protocols.gather(rows[:, 5].copy()),
                }
            )
        )

    def certificates(self) -> dy.DataFrame[Certificates]:
        """One row per certificate, by frame, then as they were read."""
        schema = Certificates.create_empty().schema
        rows = np.array(self._shown, dtype=np.int64).reshape(-1, _SHOWN_ROW)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        said = pl.DataFrame(
            [
                (
                    *(one.sha256, one.subject, one.issuer, list(one.names)),
                    *(_time(one.not_before), _time(one.not_after)),
                )
                for one in self._certificates
            ],
            schema={name: schema[name] for name in list(schema)[-6:]},
            orient="row",
        )
        found = pl.DataFrame(
            {
                "frame": rows[:, 0].copy(),
                "conversation": rows[:, 1].astype(np.int32),
                "is_from_b": rows[:, 2].astype(np.bool_),
            }
        )
        return Certificates.validate(found.hstack(said[rows[:, 3].copy()]))


def _time(when: datetime | None) -> datetime | None:
    """A time that 64 bits of nanoseconds can hold; None: it cannot be."""
    plain = when.replace(tzinfo=None) if when else None
    return when if plain and _FIRST_TIME <= plain < _LAST_TIME else None
