"""Kernel that reads all headers of one packet, down to the innermost IP packet.

A packet that carries another one counts as that other one: all that stands around it is link
header. Where what is carried cannot be read, or only a port says that it is a packet and it
does not look like one, the packet around it counts.
"""

from phonehome.captures.kernels.headers import (
    LENGTH_ZERO,
    MALFORMED,
    NON_IP,
    READ,
    TCP,
    UDP,
    kind,
    network,
    odd,
    transport,
)
from phonehome.captures.kernels.layout import (
    HEADER_AT,
    HEADER_END,
    HEADER_FRAGMENT,
    HEADER_GOT,
    HEADER_IP,
    HEADER_KEY,
    HEADER_LAYERS,
    HEADER_MAC,
    HEADER_NEEDED,
    HEADER_ODDITY,
    HEADER_OUTBOUND,
    HEADER_OUTER,
    HEADER_PROTOCOL,
    HEADER_WIRE_END,
)
from phonehome.captures.kernels.links import LAYERS_DEPTH, LAYERS_LIMIT, link
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.tunnels import NOTHING, tunnel

INNER_UNREAD = kind("network", "inner_packet_unread")


@part
def _enter(found):
    """Keep what was read, and clear the columns for what is inside."""
    for i in range(HEADER_KEY):
        found[HEADER_OUTER + i] = found[i]
    for i in range(HEADER_OUTBOUND):
        found[i] = 0
    found[HEADER_FRAGMENT] = -1
    found[HEADER_MAC] = found[HEADER_OUTER + HEADER_MAC]
    found[HEADER_ODDITY] = -1
    found[HEADER_LAYERS] += 1


@part
def _leave(found, is_unread):
    """Go back to the packet outside."""
    needed, got = found[HEADER_NEEDED], found[HEADER_GOT]
    for i in range(HEADER_KEY):
        found[i] = found[HEADER_OUTER + i]
    if is_unread:
        odd(found, INNER_UNREAD, needed, got)
    return READ


@part
def _believe(found):
    """What was odd outside stays; it came first."""
    if found[HEADER_OUTER + HEADER_ODDITY] >= 0:
        found[HEADER_ODDITY] = found[HEADER_OUTER + HEADER_ODDITY]
        found[HEADER_NEEDED] = found[HEADER_OUTER + HEADER_NEEDED]
        found[HEADER_GOT] = found[HEADER_OUTER + HEADER_GOT]


@part
def _is_sound(found):
    """Whether nothing contradicts that this is a packet."""
    return found[HEADER_ODDITY] < 0 or found[HEADER_ODDITY] == LENGTH_ZERO


@part
def read_layers(data, at, end, wire_end, link_type, found):
    """Read the headers of a packet that lies in [at, end), `wire_end` on the wire: the outcome."""
    found[HEADER_END] = end
    found[HEADER_WIRE_END] = wire_end
    found[HEADER_LAYERS] = 0
    what, is_inner, is_guess = link_type, False, False
    while True:
        outcome, at = link(data, at, what, found)
        if outcome == READ:
            outcome = network(data, at, found[HEADER_END], found[HEADER_WIRE_END], found)
        if outcome == READ:
            packet_end = found[HEADER_AT] + found[HEADER_IP]
            outcome = transport(data, min(found[HEADER_END], packet_end), found)
        if is_inner:
            if found[HEADER_ODDITY] == LAYERS_DEPTH:
                return MALFORMED
            if outcome != READ or (is_guess and not _is_sound(found)):
                return _leave(found, outcome != READ and outcome != NON_IP and not is_guess)
            _believe(found)
        if outcome != READ or found[HEADER_PROTOCOL] == TCP:
            return outcome
        what, at = tunnel(data, found)
        if what == NOTHING:
            return READ
        is_guess = found[HEADER_PROTOCOL] == UDP
        is_inner = True
        _enter(found)
        if found[HEADER_LAYERS] > LAYERS_LIMIT:
            odd(found, LAYERS_DEPTH, found[HEADER_LAYERS], LAYERS_LIMIT)
            return MALFORMED
