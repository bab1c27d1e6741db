"""The door to scapy, for packets of link types that the compiled loop does not know.

scapy is optional (the extra `dissect`), under the GPL, and slow: one packet at a time, some
thousand a second. It is imported when the first packet is dissected.
"""

import importlib
import logging
import struct
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.layout import (
    INTERFACE_LINK_TYPE,
    RECORD_AT,
    RECORD_CAPTURED,
    RECORD_INNER,
    RECORD_INTERFACE,
)
from phonehome.captures.kernels.links import KNOWN_LINK_TYPES
from phonehome.captures.kernels.tool_tags import TOOL_LINK_TYPES

LOOKED_AT_BYTES = 512
"""What stands before an IP packet, and the begin of the packet, lie within so many bytes."""
IP_LAYERS = ("IP", "IPv6")
DISSECTION_FAULTS = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What scapy's dissectors raise on octets that do not fit; each is met in its issue tracker."""


class Dissection:
    """Asks scapy about packets whose link type the compiled loop does not know.

    Args:
        packets: most packets that are given to scapy.

    Attributes:
        left_out: packets that were not, because there were too many.
    """

    def __init__(self, packets: int) -> None:
        self._left = packets
        self._is_used = False
        self.left_out = 0

    def note(
        self,
        window: NDArray[np.uint8],
        records: NDArray[np.int64],
        interfaces: NDArray[np.int64],
    ) -> None:
        """Write into each of these records where scapy finds an IP packet (`RECORD_INNER`)."""
        unknown = [
            row
            for row, link_type in enumerate(interfaces[:, INTERFACE_LINK_TYPE].tolist())
            if link_type not in KNOWN_LINK_TYPES and link_type not in TOOL_LINK_TYPES
        ]
        if self._is_used:
            records[:, RECORD_INNER] = 0
        if not unknown or not is_available():
            return
        self._is_used = True
        places = np.flatnonzero(np.isin(records[:, RECORD_INTERFACE], unknown))
        for record in (records[place] for place in places[: self._left]):
            at = record[RECORD_AT]
            octets = window[at : at + min(record[RECORD_CAPTURED], LOOKED_AT_BYTES)].tobytes()
            link_type = interfaces[record[RECORD_INTERFACE], INTERFACE_LINK_TYPE]
            found = innermost_ip(int(link_type), octets)
            record[RECORD_INNER] = 0 if found is None else found.at + 1
        self.left_out += max(len(places) - self._left, 0)
        self._left -= min(len(places), self._left)


class Layer(Protocol):
    """A header as scapy gives it: its octets to the end of the packet, and what is inside."""

    name: str
    original: bytes
    payload: "Layer"


@dataclass(frozen=True)
class Dissected:
    """Where the innermost IP packet lies in a packet.

    Attributes:
        at: offset of its IP header.
        layers: what stands before it, the outermost first, as scapy calls it.
    """

    at: int
    layers: tuple[str, ...]


def is_available() -> bool:
    """Whether scapy is installed."""
    return find_spec("scapy") is not None


def innermost_ip(link_type: int, octets: bytes) -> Dissected | None:
    """Where the innermost IP packet lies, as scapy reads it; None: scapy finds none there.

    None also where scapy does not know the link type, cannot read the octets, or reads an IP
    header that does not stand in them as it is (compressed headers, for one). The packet that an
    ICMP error quotes is not inside it.
    """
    known = _link_types().get(link_type)
    if known is None:
        return None
    try:
        packet = known(octets)
    except DISSECTION_FAULTS:
        return None
    return _innermost(packet, octets)


@cache
def _link_types() -> dict[int, Any]:
    """Link types that scapy knows, with the class that reads each."""
    logging.getLogger("scapy").setLevel(logging.CRITICAL)  # what it says is not for the user
    with warnings.catch_warnings(action="ignore"):
        importlib.import_module("scapy.layers.all")
    types: dict[int, Any] = importlib.import_module("scapy.config").conf.l2types.num2layer
    return types


def _innermost(packet: Layer, octets: bytes) -> Dissected | None:
    """The last IP header of a dissected packet, found again in its octets."""
    at, found = 0, None
    names: list[str] = []
    layer = packet
    while layer.name != "NoPayload":
        place = octets.find(layer.original, at)
        if place < 0 or not layer.original:
            break
        at = place
        if type(layer).__name__ in IP_LAYERS:
            found = Dissected(at, tuple(names))
        names.append(type(layer).__name__)
        layer = layer.payload
    return found
