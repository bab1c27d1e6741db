"""The door to scapy, for packets of link types that the compiled loop does not know.

scapy is optional (the extra `dissect`), under the GPL, and slow: one packet at a time, some
thousand a second. It is imported when the first packet is dissected.
"""

import importlib
import struct
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

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
