"""Kernels that take the time of a conversation's first round trips.

Three times, each measured once and never too short: from the first SYN to its SYN-ACK, from the
opener's first payload to the first acknowledgement of it, and to the first payload that comes with
one. Of QUIC, from the first Initial to the first datagram back, if the conversation begins with
it. What is sent again does not begin a measurement anew: so an answer to a copy makes it longer.
With the handshake's answer goes its hop limit: what answers from nearby passed no router.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    CONVERSATION_FIRST,
    CONVERSATION_OPENER,
    HEADER_ACKNOWLEDGED,
    HEADER_AT,
    HEADER_FLAGS,
    HEADER_PAYLOAD,
    HEADER_SEQUENCE,
    HEADER_VERSION,
    NO_TIME,
    TRIP_ACKNOWLEDGED,
    TRIP_ANSWERED,
    TRIP_ASKED,
    TRIP_HANDSHAKE,
    TRIP_HOP_LIMIT,
    TRIP_REQUESTED,
    TRIP_SEQUENCE,
)
from phonehome.captures.kernels.machine_code import part

SYN, ACK = 2, 16
IPV4, IPV4_HOPS_AT, IPV6_HOPS_AT = 4, 8, 7  # where the hop limit stands in the header
OPENER = 3  # bits of the opener; what is waited for stands in the bits above
FOR_HANDSHAKE, FOR_REQUEST, FOR_ACKNOWLEDGEMENT, FOR_ANSWER, WAS_ASKED = 4, 8, 16, 32, 64
FOR_ANY = FOR_HANDSHAKE | FOR_REQUEST | FOR_ACKNOWLEDGEMENT | FOR_ANSWER


@part
def _note_trip(state, column, begin, time):
    """Note how long something took; nothing where time went backward."""
    if time >= begin:
        state[column] = max(time - begin, np.int64(1))


@part
def _note_handshake(state, data, found, time):
    """Note when and how far away the first answer was sent."""
    _note_trip(state, TRIP_HANDSHAKE, state[TRIP_ASKED], time)
    place = IPV4_HOPS_AT if found[HEADER_VERSION] == IPV4 else IPV6_HOPS_AT
    state[TRIP_HOP_LIMIT] = data[found[HEADER_AT] + place]


@part
def opened_by(state, side):
    """Note that this side sent the opening SYN, unless the other one did before."""
    if state[CONVERSATION_OPENER] & OPENER == 0:
        state[CONVERSATION_OPENER] |= side + 1


@part
def time_segment(state, side, data, found, time):
    """Begin or end the measurements that this segment of TCP is part of."""
    stage, flags = state[CONVERSATION_OPENER], found[HEADER_FLAGS]
    if time == NO_TIME or not (stage & FOR_ANY or flags & SYN):
        return
    is_opener = stage & OPENER == side + 1
    payload = found[HEADER_PAYLOAD]
    if flags & SYN and not flags & ACK:
        if is_opener and stage & WAS_ASKED == 0:
            state[TRIP_ASKED] = time
            stage |= FOR_HANDSHAKE | WAS_ASKED
    elif flags & SYN:
        if stage & FOR_HANDSHAKE and not is_opener:
            _note_handshake(state, data, found, time)
            stage = stage & ~FOR_HANDSHAKE | FOR_REQUEST
    elif stage & FOR_REQUEST and is_opener and payload:
        state[TRIP_REQUESTED] = time
        state[TRIP_SEQUENCE] = (found[HEADER_SEQUENCE] + payload) & 0xFFFFFFFF
        stage = stage & ~FOR_REQUEST | FOR_ACKNOWLEDGEMENT | FOR_ANSWER
    elif stage & FOR_ANSWER and not is_opener and flags & ACK:
        ahead = (found[HEADER_ACKNOWLEDGED] - state[TRIP_SEQUENCE]) & 0xFFFFFFFF
        if ahead < 0x80000000:
            if stage & FOR_ACKNOWLEDGEMENT:
                _note_trip(state, TRIP_ACKNOWLEDGED, state[TRIP_REQUESTED], time)
                stage &= ~FOR_ACKNOWLEDGEMENT
            if payload:
                _note_trip(state, TRIP_ANSWERED, state[TRIP_REQUESTED], time)
                stage &= ~FOR_ANSWER
    state[CONVERSATION_OPENER] = stage


@part
def time_datagram(state, side, is_first_of_all, data, found, time):
    """Begin or end the measurement of a conversation over UDP that begins with QUIC.

    `is_first_of_all`: this is its first datagram, and may begin a connection.
    """
    if time == NO_TIME:
        return
    stage = state[CONVERSATION_OPENER]
    if is_first_of_all:
        state[TRIP_ASKED] = time
        state[CONVERSATION_OPENER] = stage | FOR_HANDSHAKE
    elif stage & FOR_HANDSHAKE and side != state[CONVERSATION_FIRST]:
        _note_handshake(state, data, found, time)
        state[CONVERSATION_OPENER] = stage & ~FOR_HANDSHAKE
