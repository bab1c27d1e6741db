# Held by tests/captures/kernels/test_packet_loop.py: places in arrays.
"""Where the kernels keep what: columns of their state arrays, and codes that they return.

All state is int64 in rows of fixed width, so that one conversation is a few cache lines and
growing is one copy. Numbers here are places, nothing more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Memory(NamedTuple):
    """What the loop knows of one capture while it reads it; the caller owns and grows it.

    Attributes:
        counts: counters (`COUNT_*`).
        table: hash table of conversations: row numbers, -1 where free.
        states: a row per conversation (`CONVERSATION_*`, `HALF_*`).
        lists: a row per direction whose stream has gaps (`LIST_*`).
        pool: ranges of those lists: begin and end.
        slots: open fragmented datagrams (`FRAGMENT_*`).
        waiting: later fragments that wait for their first one (`WAITING_*`).
        found: scratch row of one packet's headers (`HEADER_*`).
        recent: packets that were met last, by hash (`RECENT_*`).
        crc_table: eight tables of CRC-32, of a byte and of a byte with 1 to 7 zeros behind it.
    """

    counts: NDArray[np.int64]
    table: NDArray[np.int64]
    states: NDArray[np.int64]
    lists: NDArray[np.int64]
    pool: NDArray[np.int64]
    slots: NDArray[np.int64]
    waiting: NDArray[np.int64]
    found: NDArray[np.int64]
    crc_table: NDArray[np.int64]
    recent: NDArray[np.int64]


class Output(NamedTuple):
    """What the loop writes; the caller empties it.

    Attributes:
        packets: a row per column of packets (`PACKET_*`), so that columns lie in one piece.
        excerpts: rows of excerpts (`EXCERPT_*`).
        excerpt_data: their bytes.
        oddities: rows of oddities (`ODDITY_*`).
    """

    packets: NDArray[np.int64]
    excerpts: NDArray[np.int64]
    excerpt_data: NDArray[np.uint8]
    oddities: NDArray[np.int64]


class Bounds(NamedTuple):
    """Limits that the loop keeps; see `reading.Limits`."""

    conversations: int
    open_gaps: int
    stream_bytes: int
    oddities: int
    body_bytes: int
    seed: np.uint64
    payloads: int  # 1: payload that is not encrypted as a whole is cut out, to be searched


# A record: one packet in the window.
RECORD_AT = 0  # first byte of the packet in the window
RECORD_CAPTURED = 1  # bytes of it in the window
RECORD_ORIGINAL = 2  # bytes of it on the wire
RECORD_TIME = 3  # ns since 1970, or NO_TIME
RECORD_INTERFACE = 4  # row of the interface table, -1: none
RECORD_DIRECTION = 5  # 0: not said, 1: in, 2: out
RECORD_OPTIONS = 6  # where the options of its block begin in the window
RECORD_OPTIONS_END = 7  # where they end; not behind their begin: there are none
RECORD_ORDER = 8  # 1: its block is big-endian
RECORD_INNER = 9  # 1 + where an IP packet begins in it, as scapy found; 0: the loop looks itself
RECORD_WIDTH = 10

NO_TIME = -(2**63)

# An interface: how to read the packets that name it.
INTERFACE_LINK_TYPE = 0
INTERFACE_SNAPLEN = 1  # 0: no limit
INTERFACE_RESOLUTION = 2  # if_tsresol, as in the file
INTERFACE_OFFSET = 3  # if_tsoffset, seconds
INTERFACE_PROCESSES = 4  # how many Darwin processes earlier sections described
INTERFACE_DROPS = 5  # packets that its records say were lost, NOT_SAID: they do not say
INTERFACE_BROKEN_OPTIONS = 6  # packet blocks whose options do not fit into them
INTERFACE_WIDTH = 7

NOT_SAID = -1

# Why a walk over records came back.
WALK_MORE = 0  # the rest of the window holds no whole record
WALK_FULL = 1  # the record table is full
WALK_SPECIAL = 2  # a block that Python reads stands at the position
WALK_BAD = 3  # what stands at the position cannot be believed

# What the headers of one packet say: a scratch row.
HEADER_ACKNOWLEDGED = 0  # TCP acknowledgement number
HEADER_AT = 1  # where the innermost IP header begins
HEADER_IP = 2  # IP total length
HEADER_NETWORK = 3  # bytes of IP header, options and extensions
HEADER_TRANSPORT = 4  # bytes of the transport header
HEADER_PAYLOAD = 5  # bytes of payload
HEADER_PROTOCOL = 6  # IP protocol number
HEADER_VERSION = 7  # 4 or 6
HEADER_PORT_FROM = 8
HEADER_PORT_TO = 9
HEADER_FLAGS = 10  # TCP flags
HEADER_SEQUENCE = 11  # TCP sequence number
HEADER_IDENTITY = 12  # fragment identification
HEADER_FRAGMENT = 13  # fragment offset in bytes; -1: no fragment
HEADER_IS_LAST = 14  # 1: no more fragments
HEADER_MAC = 15  # link address of the sender, -1: none
HEADER_OUTBOUND = 16  # 0: not said, 1: in, 2: out
HEADER_ODDITY = 17  # place in words.PACKET_ODDITIES, -1: none
HEADER_NEEDED = 18
HEADER_GOT = 19
HEADER_FROM = 20  # address of the sender, as two numbers
HEADER_TO = 22  # address of the receiver, as two numbers
HEADER_KEY = 24  # key of the conversation
HEADER_TAG = 29  # what says who owns the packet (`tags.TAG_*`), 0: nothing
HEADER_TAG_AT = 30  # where the tag's bytes begin
HEADER_TAG_BYTES = 31
HEADER_TAG_VALUE = 32  # a tag that is a number
HEADER_TAG_HASH = 33
HEADER_END = 34  # end of what was captured of what encloses the next header
HEADER_WIRE_END = 35  # its end on the wire
HEADER_LAYERS = 36  # how many headers enclose others
HEADER_AGAIN = 37  # 1: the tool says that the payload was sent before
HEADER_MARK_AT = 38  # where the text of a comment begins that marks a phase
HEADER_MARK_BYTES = 39  # 0: no such comment
HEADER_OUTER = 40  # the columns before the key, as they were in the packet around this one
HEADER_SPREAD = HEADER_OUTER + HEADER_KEY  # how often each value of an octet was met
HEADER_WIDTH = HEADER_SPREAD + 256

# A packet that was read: columns of the output.
PACKET_FRAME = 0
PACKET_TIME = 1
PACKET_CONVERSATION = 2
PACKET_FROM_B = 3
PACKET_OUTCOME = 4
PACKET_OUTBOUND = 5  # 0: not said, 1: in, 2: out
PACKET_WIRE = 6
PACKET_IP = 7
PACKET_LINK = 8
PACKET_NETWORK = 9
PACKET_TRANSPORT = 10
PACKET_PAYLOAD = 11
PACKET_UNIQUE = 12
PACKET_WIDTH = 13

# What packets of one direction and one span of time add up to: three cache lines.
SUM_CODE = 0  # code of the span
SUM_BIN = 1  # bin of time that is open, NO_TIME: of packets without a time
SUM_BIN_UNIQUE = 2
SUM_PACKETS = 3  # 0: nothing is open
SUM_WIRE = 4
SUM_IP = 5
SUM_LINK = 6
SUM_NETWORK = 7
SUM_TRANSPORT = 8
SUM_PAYLOAD = 9
SUM_UNIQUE = 10
SUM_OUTBOUND = 11
SUM_INBOUND = 12
SUM_FIRST_TIME = 13
SUM_LAST_TIME = 14
SUM_FIRST_FRAME = 15
SUM_LAST_FRAME = 16
SUM_WIDTH = 17
OPEN_CONTACT = 17  # its contact that is open, as `CONTACT_SUM` has it; no packets: none is open
OPEN_WIDTH = 24

# A row that was closed: whose it is, then its sums.
SIDE_NUMBER = 0  # twice the conversation, and one more for what end b sent
SIDE_SUM = 1
SIDE_WIDTH = SIDE_SUM + SUM_WIDTH

# A bin that was closed.
BIN_SIDE = 0  # as SIDE_NUMBER
BIN_CODE = 1
BIN_START = 2  # times the width it began, NO_TIME: of packets without a time
BIN_UNIQUE = 3
BIN_WIDTH = 4

# A contact that was closed: new payload of a direction without a pause.
CONTACT_SIDE = 0  # as SIDE_NUMBER
CONTACT_CODE = 1
CONTACT_SUM = 2  # what follows stands in the open row too
CONTACT_START = 0  # time of its first packet
CONTACT_LAST = 1  # latest time of its packets
CONTACT_UNIQUE = 2
CONTACT_PACKETS = 3
CONTACT_FIRST_FRAME = 4
CONTACT_LAST_FRAME = 5
CONTACT_SUMS = 6
CONTACT_WIDTH = CONTACT_SUM + CONTACT_SUMS

CLOSED_SIDES = 0
CLOSED_BINS = 1
CLOSED_CONTACTS = 2
CLOSED_KINDS = 3

# A conversation: its ends in sorted order, then one half per end.
KEY_WIDTH = 5  # lower address (2), higher address (2), version with protocol and ports
CONVERSATION_KEY = 0
CONVERSATION_FIRST = 5  # 0: the lower end sent first, 1: the higher
CONVERSATION_OPENER = 6  # 0: no SYN, 1: lower end, 2: higher end; above, bits of `trips`
CONVERSATION_OWNER = 7  # hash of its last tag and how many were shipped, 0: none
CONVERSATION_HALF = 8  # where the half of the lower end begins
HALF_HAS = 0  # a sequence number is known: 2 + where the next record of TLS begins, 1: lost; 0: not
HALF_BASE = 1  # sequence number of stream position 0
HALF_LOW = 2  # begin of what is covered, as stream position
HALF_HIGH = 3  # its end; low == high: nothing is covered
HALF_LIST = 4  # row of the list table where coverage has gaps, -1: it has none
HALF_WANTED = 5  # end of what is wanted of the stream, -1: not known yet
HALF_MAC = 6  # link address this end sent from, -1: none
HALF_HEAD_LENGTH = 7  # how many first payload bytes are kept
HALF_WIDTH = 8
CONVERSATION_REST = 24  # what is seldom needed of a half: of the lower end, then of the higher
REST_INCARNATION = 0  # how often the ports were used again
REST_MESSAGE = 1  # stream position at which the wanted message begins
REST_HEAD = 2  # first 16 payload bytes, as two numbers
REST_WIDTH = 4
TRIP_ASKED = 32  # time of the first SYN, or the first Initial of QUIC
TRIP_REQUESTED = 33  # time of the opener's first payload
TRIP_SEQUENCE = 34  # sequence number behind it
TRIP_HANDSHAKE = 35  # how long the handshake's first round trip took, ns; 0: not known
TRIP_ACKNOWLEDGED = 36  # from the first payload to its acknowledgement
TRIP_ANSWERED = 37  # from the first payload to the first payload back
TRIP_HOP_LIMIT = 38  # hop limit with which the handshake's answer came; 0: not known
KINDS = 40  # what is sent by kind, of TLS and QUIC: of the lower end, then of the higher
KIND_PARTIAL = 0  # octets of the next record's header that came, and how many
KIND_HANDSHAKE = 1  # bytes
KIND_APPLICATION = 2
KIND_KEEP_ALIVE = 3
KINDS_WIDTH = 4
CONVERSATION_WIDTH = 48  # six cache lines: the ends, one per half, the rest, the trips, the kinds

# A list of covered ranges, in a pool.
LIST_AT = 0
LIST_COUNT = 1
LIST_CAPACITY = 2
LIST_WIDTH = 3

# A fragmented datagram that is not complete.
FRAGMENT_SLOTS = 4096
FRAGMENT_PROBES = 8
FRAGMENT_STATE = 0  # 0: free, 1: waits for its first fragment, 2: first fragment seen
FRAGMENT_TIME = 1
FRAGMENT_CONVERSATION = 2
FRAGMENT_SIDE = 3
FRAGMENT_STREAM = 4  # stream position of the byte at fragment offset 0, TCP
FRAGMENT_PENDING = 5  # first waiting row, -1: none
FRAGMENT_KEY = 6  # sender (2), receiver (2), version with protocol and identification
FRAGMENT_WIDTH = 11
FRAGMENT_LIFETIME = 60_000_000_000

# A packet that was met lately, on a capture of several interfaces.
RECENT_SLOTS = 8192
RECENT_HASH = 0
RECENT_INTERFACE = 1
RECENT_TIME = 2
RECENT_WIDTH = 4

# A later fragment that waits for the first one of its datagram.
WAITING_NEXT = 0  # next waiting row of the datagram, or of the free ones
WAITING_OFFSET = 1
WAITING_PACKET = 2  # the packet's row, as it will be written
WAITING_WIDTH = WAITING_PACKET + PACKET_WIDTH

# An excerpt.
EXCERPT_FRAME = 0
EXCERPT_TIME = 1
EXCERPT_CONVERSATION = 2
EXCERPT_FROM_B = 3
EXCERPT_KIND = 4
EXCERPT_INCARNATION = 5
EXCERPT_MESSAGE = 6
EXCERPT_POSITION = 7
EXCERPT_START = 8
EXCERPT_LENGTH = 9
EXCERPT_NAME_AT = 10  # where in the data the name begins that the loop read
EXCERPT_NAME_LENGTH = 11  # 0: the message names none, -1: the loop did not read it
EXCERPT_SHAPE = 12  # hash of what of a message that the loop read tells its software
EXCERPT_WIDTH = 13

# An oddity.
ODDITY_FRAME = 0
ODDITY_OFFSET = 1
ODDITY_KIND = 2
ODDITY_NEEDED = 3
ODDITY_GOT = 4
ODDITY_WIDTH = 5

# Counters that grow while reading.
COUNT_PACKETS = 0  # rows written to the output
COUNT_CONVERSATIONS = 1
COUNT_LISTS = 2
COUNT_POOL = 3  # rows of the pool in use
COUNT_EXCERPTS = 4
COUNT_EXCERPT_BYTES = 5
COUNT_ODDITIES = 6
COUNT_FRAME = 7  # frames seen in this file
COUNT_WAITING_FREE = 8  # first free waiting row, -1: none
COUNT_LAST_TIME = 9
COUNT_BACKWARD = 10
COUNT_SNAPPED = 11
COUNT_CAPTURED_BYTES = 12
COUNT_WIRE_BYTES = 13
COUNT_TOOL_BYTES = 14  # bytes of the frames that the capture tool added
COUNT_GIANTS = 15  # packets that no ordinary link carries
COUNT_AGAIN = 16  # packets of which the tool says that their payload was sent before
COUNT_AGAIN_NEW = 17  # of those, packets with payload that was not seen before
COUNT_KINDS = 18  # how often each of words.PACKET_ODDITIES was met, from here on
