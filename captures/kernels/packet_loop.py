"""The compiled loop: records of a window become rows of packets.

For each record: headers, conversation, what of the payload is new, what of it may hold a name.
All state is in arrays that the caller owns and grows (`layout.Memory`, `layout.Output`); the
loop stops before it could overflow one of them, and says how many records it has done.
"""

import numpy as np

from phonehome.captures.kernels.conversations import add_conversation, make_key, place_of
from phonehome.captures.kernels.cut_excerpts import (
    cut_datagram,
    cut_payload,
    cut_segment,
    is_quic_begin,
    keep_head,
    side_is_b,
)
from phonehome.captures.kernels.duplicates import interface_of, is_copy
from phonehome.captures.kernels.first_round_trips import opened_by, time_datagram, time_segment
from phonehome.captures.kernels.fragments import fragment_slot, release
from phonehome.captures.kernels.headers import CUT, MALFORMED, NONE, READ, TCP, UDP, kind, odd
from phonehome.captures.kernels.layers import read_layers
from phonehome.captures.kernels.layout import (
    CONVERSATION_FIRST,
    CONVERSATION_HALF,
    CONVERSATION_OPENER,
    COUNT_AGAIN,
    COUNT_AGAIN_NEW,
    COUNT_BACKWARD,
    COUNT_CAPTURED_BYTES,
    COUNT_CONVERSATIONS,
    COUNT_EXCERPT_BYTES,
    COUNT_EXCERPTS,
    COUNT_FRAME,
    COUNT_GIANTS,
    COUNT_KINDS,
    COUNT_LAST_TIME,
    COUNT_LISTS,
    COUNT_ODDITIES,
    COUNT_PACKETS,
    COUNT_POOL,
    COUNT_SNAPPED,
    COUNT_TOOL_BYTES,
    COUNT_WAITING_FREE,
    COUNT_WIRE_BYTES,
    FRAGMENT_CONVERSATION,
    FRAGMENT_PENDING,
    FRAGMENT_SIDE,
    FRAGMENT_STATE,
    FRAGMENT_STREAM,
    HALF_BASE,
    HALF_HAS,
    HALF_HEAD_LENGTH,
    HALF_MAC,
    HALF_WIDTH,
    HEADER_AGAIN,
    HEADER_AT,
    HEADER_FLAGS,
    HEADER_FRAGMENT,
    HEADER_FROM,
    HEADER_GOT,
    HEADER_IP,
    HEADER_KEY,
    HEADER_MAC,
    HEADER_MARK_BYTES,
    HEADER_NEEDED,
    HEADER_NETWORK,
    HEADER_ODDITY,
    HEADER_OUTBOUND,
    HEADER_PAYLOAD,
    HEADER_PROTOCOL,
    HEADER_SEQUENCE,
    HEADER_TAG,
    HEADER_TAG_HASH,
    HEADER_TRANSPORT,
    INTERFACE_LINK_TYPE,
    NO_TIME,
    ODDITY_FRAME,
    ODDITY_GOT,
    ODDITY_KIND,
    ODDITY_NEEDED,
    ODDITY_OFFSET,
    PACKET_CONVERSATION,
    PACKET_FRAME,
    PACKET_FROM_B,
    PACKET_IP,
    PACKET_LINK,
    PACKET_NETWORK,
    PACKET_OUTBOUND,
    PACKET_OUTCOME,
    PACKET_PAYLOAD,
    PACKET_TIME,
    PACKET_TRANSPORT,
    PACKET_UNIQUE,
    PACKET_WIDTH,
    PACKET_WIRE,
    RECORD_AT,
    RECORD_CAPTURED,
    RECORD_DIRECTION,
    RECORD_INNER,
    RECORD_INTERFACE,
    RECORD_ORIGINAL,
    RECORD_TIME,
    WAITING_NEXT,
    WAITING_OFFSET,
    WAITING_PACKET,
)
from phonehome.captures.kernels.links import RAW
from phonehome.captures.kernels.machine_code import compiled, part
from phonehome.captures.kernels.sequences import begin_stream, cover, stream_position
from phonehome.captures.kernels.tls_records import count_datagram, count_records
from phonehome.captures.kernels.tool_tags import (
    IS_CUT,
    TAGS_BYTES,
    note_mark,
    note_owner,
    tool_header,
)
from phonehome.captures.words import OUTCOMES

FRAGMENT = np.int64(OUTCOMES.index("fragment"))
LIMIT = np.int64(OUTCOMES.index("limit"))
DUPLICATE = np.int64(OUTCOMES.index("duplicate"))
CAPTURED_BEYOND = kind("file", "captured_beyond_original")
INTERFACE_UNKNOWN = kind("file", "interface_unknown")
TABLE_FULL = kind("network", "fragment_table_full")
CONVERSATIONS_LIMIT = kind("transport", "conversations_limit")
GAPS_LIMIT = kind("transport", "sequence_gaps_limit")
SYN, ACK = 2, 16
FIRST_SEEN = 2  # state of a slot whose first fragment was read
ODDITIES_PER_PACKET = 4
LONGEST_ON_LINK = 1500  # the MTU of Ethernet and of mobile networks


@part
def _note(found, counts, oddities, frame, offset, row_limit):
    """Keep what is odd in this packet: a row for the first of a kind, a count for all."""
    place = found[HEADER_ODDITY]
    if place < 0:
        return
    found[HEADER_ODDITY] = -1
    counts[COUNT_KINDS + place] += 1
    if counts[COUNT_KINDS + place] > row_limit:
        return
    row = oddities[counts[COUNT_ODDITIES]]
    row[ODDITY_FRAME] = frame
    row[ODDITY_OFFSET] = offset
    row[ODDITY_KIND] = place
    row[ODDITY_NEEDED] = found[HEADER_NEEDED]
    row[ODDITY_GOT] = found[HEADER_GOT]
    counts[COUNT_ODDITIES] += 1


@part
def _read_headers(data, record, interfaces, memory):
    """Read all headers of a record into the scratch row: the outcome."""
    found = memory.found
    for i in range(HEADER_FROM):
        found[i] = 0
    found[HEADER_FRAGMENT] = -1
    found[HEADER_MAC] = -1
    found[HEADER_ODDITY] = -1
    found[HEADER_OUTBOUND] = record[RECORD_DIRECTION]
    found[HEADER_TAG] = 0
    found[HEADER_TAG_HASH] = 0
    found[HEADER_MARK_BYTES] = 0
    found[HEADER_AGAIN] = 0
    if record[RECORD_CAPTURED] > record[RECORD_ORIGINAL]:
        odd(found, CAPTURED_BEYOND, record[RECORD_CAPTURED], record[RECORD_ORIGINAL])
        record[RECORD_ORIGINAL] = record[RECORD_CAPTURED]
    if record[RECORD_INTERFACE] < 0:
        odd(found, INTERFACE_UNKNOWN, NONE, NONE)
        return MALFORMED
    link_type = interfaces[record[RECORD_INTERFACE], INTERFACE_LINK_TYPE]
    original = record[RECORD_ORIGINAL]
    link_type = tool_header(data, record, interfaces, link_type, memory)
    memory.counts[COUNT_TOOL_BYTES] += original - record[RECORD_ORIGINAL]
    if link_type < 0:
        return CUT if link_type == IS_CUT else MALFORMED
    at = record[RECORD_AT]
    end = at + record[RECORD_CAPTURED]
    wire_end = at + record[RECORD_ORIGINAL]
    interface = interface_of(data, record, interfaces, link_type)
    if record[RECORD_INNER]:
        at, link_type = at + record[RECORD_INNER] - 1, RAW
    outcome = read_layers(data, at, end, wire_end, link_type, found)
    if interface and outcome == READ and is_copy(data, record, end, interface, memory):
        return DUPLICATE
    return outcome


@part
def _write_row(packets, out, frame, record, found, outcome):
    """Fill a row of packets with what the headers say."""
    wire = record[RECORD_ORIGINAL]
    packets[PACKET_FRAME, out] = frame
    packets[PACKET_TIME, out] = record[RECORD_TIME]
    packets[PACKET_CONVERSATION, out] = -1
    packets[PACKET_FROM_B, out] = 0
    packets[PACKET_OUTCOME, out] = outcome
    packets[PACKET_OUTBOUND, out] = found[HEADER_OUTBOUND]
    packets[PACKET_WIRE, out] = wire
    packets[PACKET_UNIQUE, out] = 0
    if outcome != READ:
        packets[PACKET_LINK, out] = wire
        (
            packets[PACKET_IP, out],
            packets[PACKET_NETWORK, out],
            packets[PACKET_TRANSPORT, out],
            packets[PACKET_PAYLOAD, out],
        ) = 0, 0, 0, 0
        return
    before = found[HEADER_AT] - record[RECORD_AT]
    behind = wire - before - found[HEADER_IP]
    inside = found[HEADER_IP] - found[HEADER_NETWORK] - found[HEADER_TRANSPORT]
    packets[PACKET_IP, out] = found[HEADER_IP]
    packets[PACKET_LINK, out] = before + behind + inside - found[HEADER_PAYLOAD]
    packets[PACKET_NETWORK, out] = found[HEADER_NETWORK]
    packets[PACKET_TRANSPORT, out] = found[HEADER_TRANSPORT]
    packets[PACKET_PAYLOAD, out] = found[HEADER_PAYLOAD]


@part
def _follow_stream(state, side, memory, gap_limit):
    """New payload bytes of a TCP segment, its stream position, and whether a limit was hit."""
    found = memory.found
    half = CONVERSATION_HALF + side * HALF_WIDTH
    flags, sequence = found[HEADER_FLAGS], found[HEADER_SEQUENCE]
    is_opening = flags & SYN
    if is_opening:
        sequence = (sequence + 1) & 0xFFFFFFFF
        if not flags & ACK:
            opened_by(state, side)
    if not state[half + HALF_HAS] or (is_opening and sequence != state[half + HALF_BASE]):
        # A stream that is met in its middle with a single byte is met with a keep-alive probe.
        is_probe = not is_opening and found[HEADER_PAYLOAD] == 1
        begin_stream(state, half, memory, (sequence + 1) & 0xFFFFFFFF if is_probe else sequence)
    if found[HEADER_PAYLOAD] == 0:
        return np.int64(0), np.int64(0), False
    position = stream_position(state, half, sequence)
    new, is_limit = cover(state, half, memory, position, found[HEADER_PAYLOAD], gap_limit)
    return new, position, is_limit


@part
def _join(packets, out, slot, memory, offset, gap_limit):
    """Give a row of packets the conversation of its datagram's first fragment."""
    slots = memory.slots
    row, side = slots[slot, FRAGMENT_CONVERSATION], slots[slot, FRAGMENT_SIDE]
    state, stream = memory.states[row], slots[slot, FRAGMENT_STREAM]
    packets[PACKET_OUTCOME, out] = READ
    packets[PACKET_CONVERSATION, out] = row
    packets[PACKET_FROM_B, out] = side_is_b(state, side)
    new = packets[PACKET_PAYLOAD, out]
    if stream != NO_TIME and new:
        half = CONVERSATION_HALF + side * HALF_WIDTH
        new, _ = cover(state, half, memory, stream + offset, new, gap_limit)
    packets[PACKET_UNIQUE, out] = new
    memory.counts[COUNT_PACKETS] += 1


@part
def _later_fragment(packets, out, slot, memory, gap_limit):
    """Write a later fragment's row, or let it wait for the first one."""
    slots, waiting, counts = memory.slots, memory.waiting, memory.counts
    offset = memory.found[HEADER_FRAGMENT]
    if slots[slot, FRAGMENT_STATE] == FIRST_SEEN:
        _join(packets, out, slot, memory, offset, gap_limit)
        return
    packets[PACKET_OUTCOME, out] = FRAGMENT
    place = counts[COUNT_WAITING_FREE]
    if place < 0:
        counts[COUNT_PACKETS] += 1
        odd(memory.found, TABLE_FULL, NONE, NONE)
        return
    counts[COUNT_WAITING_FREE] = waiting[place, WAITING_NEXT]
    waiting[place, WAITING_NEXT] = slots[slot, FRAGMENT_PENDING]
    waiting[place, WAITING_OFFSET] = offset
    for i in range(PACKET_WIDTH):
        waiting[place, WAITING_PACKET + i] = packets[i, out]
    slots[slot, FRAGMENT_PENDING] = place


@part
def _first_fragment(slot, row, side, position, memory, packets, gap_limit):
    """Remember whose datagram this is, and write the rows that waited for it."""
    slots, waiting = memory.slots, memory.waiting
    slots[slot, FRAGMENT_STATE] = FIRST_SEEN
    slots[slot, FRAGMENT_CONVERSATION] = row
    slots[slot, FRAGMENT_SIDE] = side
    is_tcp = memory.found[HEADER_PROTOCOL] == TCP
    slots[slot, FRAGMENT_STREAM] = position - memory.found[HEADER_TRANSPORT] if is_tcp else NO_TIME
    place = slots[slot, FRAGMENT_PENDING]
    slots[slot, FRAGMENT_PENDING] = -1
    while place >= 0:
        following = waiting[place, WAITING_NEXT]
        out = memory.counts[COUNT_PACKETS]
        for i in range(PACKET_WIDTH):
            packets[i, out] = waiting[place, WAITING_PACKET + i]
        _join(packets, out, slot, memory, waiting[place, WAITING_OFFSET], gap_limit)
        release(place, memory.waiting, memory.counts)
        place = following


@part
def _conversation(memory, side, bounds):
    """Row of the packet's conversation, made if it is new; -1 where the limit is reached."""
    table, states, found, counts = memory.table, memory.states, memory.found, memory.counts
    place = place_of(table, states, found, HEADER_KEY, bounds.seed)
    row = table[place]
    if row >= 0:
        return row
    if counts[COUNT_CONVERSATIONS] >= bounds.conversations:
        return np.int64(-1)
    return add_conversation(place, table, states, found, counts, side)


@part
def _read_payload(data, record, out, row, side, memory, output, bounds):
    """Count what is new of a packet's payload and cut out what may hold a name: its position."""
    found, state, packets = memory.found, memory.states[row], output.packets
    half = CONVERSATION_HALF + side * HALF_WIDTH
    is_from_b = side_is_b(state, side)
    packets[PACKET_CONVERSATION, out] = row
    packets[PACKET_FROM_B, out] = is_from_b
    if state[half + HALF_MAC] < 0:
        state[half + HALF_MAC] = found[HEADER_MAC]
    begin = found[HEADER_AT] + found[HEADER_NETWORK] + found[HEADER_TRANSPORT]
    payload, captured_end = found[HEADER_PAYLOAD], record[RECORD_AT] + record[RECORD_CAPTURED]
    end = min(begin + payload, captured_end)
    new, position = payload, np.int64(0)
    if found[HEADER_PROTOCOL] == TCP:
        new, position, is_limit = _follow_stream(state, side, memory, bounds.open_gaps)
        if state[CONVERSATION_OPENER]:
            time_segment(state, side, data, found, record[RECORD_TIME])
        if is_limit:
            odd(found, GAPS_LIMIT, bounds.open_gaps + 1, bounds.open_gaps)
    elif found[HEADER_PROTOCOL] == UDP:
        is_begin = (
            side == state[CONVERSATION_FIRST]
            and state[CONVERSATION_HALF + HALF_HEAD_LENGTH] == 0
            and state[CONVERSATION_HALF + HALF_WIDTH + HALF_HEAD_LENGTH] == 0
            and is_quic_begin(data, begin, end)
        )
        time_datagram(state, side, is_begin, data, found, record[RECORD_TIME])
    packets[PACKET_UNIQUE, out] = new
    if end > begin:
        keep_head(state, half, data, begin, end)
        packet = (packets[PACKET_FRAME, out], packets[PACKET_TIME, out], row, is_from_b)
        if found[HEADER_PROTOCOL] == TCP:
            count_records(state, side, data, begin, end, position, payload)
            cut_segment(state, half, memory, output, data, begin, end, packet, position, bounds)
        elif found[HEADER_PROTOCOL] == UDP:
            count_datagram(state, side, data, begin, payload)
            cut_datagram(state, half, memory, output, data, begin, end, packet)
        if bounds.payloads:
            cut_payload(state, half, memory, output, data, begin, end, packet, position)
    return position


@part
def _read_packet(data, record, frame, outcome, memory, output, bounds):
    """Write the row of a record whose headers were read."""
    found, counts = memory.found, memory.counts
    if outcome == DUPLICATE:
        out = counts[COUNT_PACKETS]
        _write_row(output.packets, out, frame, record, found, READ)
        output.packets[PACKET_OUTCOME, out] = DUPLICATE
        counts[COUNT_PACKETS] += 1
        return
    slot = -1
    if outcome == READ and found[HEADER_FRAGMENT] >= 0:
        slot, is_pushed = fragment_slot(memory, record[RECORD_TIME], output.packets, bounds.seed)
        if is_pushed:
            odd(found, TABLE_FULL, NONE, NONE)
    packets, out = output.packets, counts[COUNT_PACKETS]
    _write_row(packets, out, frame, record, found, outcome)
    if outcome != READ:
        counts[COUNT_PACKETS] += 1
        return
    if found[HEADER_FRAGMENT] > 0:
        _later_fragment(packets, out, slot, memory, bounds.open_gaps)
        return
    side = make_key(found)
    row = _conversation(memory, side, bounds)
    counts[COUNT_PACKETS] += 1
    if row < 0:
        odd(found, CONVERSATIONS_LIMIT, bounds.conversations + 1, bounds.conversations)
        _write_row(packets, out, frame, record, found, LIMIT)
        return
    if found[HEADER_TAG]:
        state = memory.states[row]
        is_from_b = side_is_b(state, side)
        note_owner(data, state, row, is_from_b, frame, record[RECORD_TIME], memory, output)
    position = _read_payload(data, record, out, row, side, memory, output, bounds)
    if slot >= 0:
        _first_fragment(slot, row, side, position, memory, packets, bounds.open_gaps)


@part
def _is_room(memory, output, captured, bounds):
    """Whether one more packet fits everywhere, whatever it is."""
    counts = memory.counts
    return (
        counts[COUNT_PACKETS] + memory.waiting.shape[0] < output.packets.shape[1]
        and counts[COUNT_EXCERPTS] + 2 + bounds.payloads < output.excerpts.shape[0]
        and counts[COUNT_EXCERPT_BYTES] + captured * (1 + bounds.payloads) + TAGS_BYTES
        <= output.excerpt_data.shape[0]
        and counts[COUNT_ODDITIES] + ODDITIES_PER_PACKET <= output.oddities.shape[0]
        and counts[COUNT_CONVERSATIONS] < memory.states.shape[0]
        and counts[COUNT_LISTS] < memory.lists.shape[0]
        and counts[COUNT_POOL] + 4 * bounds.open_gaps + 64 < memory.pool.shape[0]
    )


@part
def _count_quality(outcome, frame, memory, packets):
    """Count what tells how the capture was made."""
    found, counts = memory.found, memory.counts
    if outcome != READ:
        return
    if found[HEADER_IP] > LONGEST_ON_LINK:
        counts[COUNT_GIANTS] += 1
    if found[HEADER_AGAIN] and found[HEADER_PAYLOAD]:
        counts[COUNT_AGAIN] += 1
        last = counts[COUNT_PACKETS] - 1
        if last >= 0 and packets[PACKET_FRAME, last] == frame and packets[PACKET_UNIQUE, last]:
            counts[COUNT_AGAIN_NEW] += 1


@compiled(results=1)
def read_packets(data, records, first, last, offset, interfaces, memory, output, bounds):
    """Read records [first, last) of the window: the number of the first one not read.

    Stops early where the caller must make room. `offset` is where the window begins in the file.
    """
    counts = memory.counts
    for index in range(first, last):
        record = records[index]
        if not _is_room(memory, output, record[RECORD_CAPTURED], bounds):
            return index
        counts[COUNT_FRAME] += 1
        time, last_time = record[RECORD_TIME], counts[COUNT_LAST_TIME]
        if time != NO_TIME:
            if last_time != NO_TIME and time < last_time:
                counts[COUNT_BACKWARD] += 1
            counts[COUNT_LAST_TIME] = time
        frame = counts[COUNT_FRAME]
        outcome = _read_headers(data, record, interfaces, memory)
        place = offset + record[RECORD_AT]
        _note(memory.found, counts, output.oddities, frame, place, bounds.oddities)
        _read_packet(data, record, frame, outcome, memory, output, bounds)
        if memory.found[HEADER_MARK_BYTES]:
            note_mark(data, frame, time, memory, output)
        _count_quality(outcome, frame, memory, output.packets)
        _note(memory.found, counts, output.oddities, frame, place, bounds.oddities)
        counts[COUNT_CAPTURED_BYTES] += record[RECORD_CAPTURED]
        counts[COUNT_WIRE_BYTES] += record[RECORD_ORIGINAL]
        if record[RECORD_CAPTURED] < record[RECORD_ORIGINAL]:
            counts[COUNT_SNAPPED] += 1
    return last
