# Held by tests/captures/kernels/test_packet_loop.py: memory of the kernels.
"""The arrays that the compiled loop works in: made small, grown as the capture asks for it."""

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.conversations import rehash
from phonehome.captures.kernels.layout import (
    CONVERSATION_WIDTH,
    COUNT_CONVERSATIONS,
    COUNT_KINDS,
    COUNT_LAST_TIME,
    COUNT_LISTS,
    COUNT_POOL,
    COUNT_WAITING_FREE,
    EXCERPT_WIDTH,
    FRAGMENT_PENDING,
    FRAGMENT_SLOTS,
    FRAGMENT_WIDTH,
    HEADER_WIDTH,
    LIST_WIDTH,
    NO_TIME,
    ODDITY_WIDTH,
    PACKET_WIDTH,
    RECENT_SLOTS,
    RECENT_WIDTH,
    WAITING_NEXT,
    WAITING_WIDTH,
    Bounds,
    Memory,
    Output,
)
from phonehome.captures.kernels.tool_tags import TAGS_BYTES
from phonehome.captures.words import PACKET_ODDITIES

FIRST_CONVERSATIONS = 4_096
FIRST_LISTS = 256
TABLE_PER_CONVERSATION = 2
WAITING = 4_096
EXCERPTS = 4_096  # at least three: a tag, a mark and a piece of one packet; four if searched
EXCERPT_BYTES = 1 << 20
ODDITIES = 4_096
CACHE_LINE = 64
CRC_POLYNOMIAL = 0xEDB88320


def pool_reserve(open_gaps: int) -> int:
    """Rows of the pool that one packet may need at most."""
    return 4 * open_gaps + 65


def new_memory(open_gaps: int) -> Memory:
    """Memory that knows nothing yet."""
    counts = np.zeros(COUNT_KINDS + len(PACKET_ODDITIES), dtype=np.int64)
    counts[COUNT_LAST_TIME] = NO_TIME
    slots = np.zeros((FRAGMENT_SLOTS, FRAGMENT_WIDTH), dtype=np.int64)
    slots[:, FRAGMENT_PENDING] = -1
    waiting = np.zeros((WAITING, WAITING_WIDTH), dtype=np.int64)
    waiting[:, WAITING_NEXT] = np.arange(1, WAITING + 1)
    waiting[-1, WAITING_NEXT] = -1
    counts[COUNT_WAITING_FREE] = 0
    return Memory(
        counts=counts,
        table=np.full(FIRST_CONVERSATIONS * TABLE_PER_CONVERSATION, -1, dtype=np.int64),
        states=aligned(FIRST_CONVERSATIONS, CONVERSATION_WIDTH),
        lists=np.empty((FIRST_LISTS, LIST_WIDTH), dtype=np.int64),
        pool=np.empty((2 * pool_reserve(open_gaps), 2), dtype=np.int64),
        slots=slots,
        waiting=waiting,
        found=np.zeros(HEADER_WIDTH, dtype=np.int64),
        crc_table=_crc_table(),
        recent=np.zeros((RECENT_SLOTS, RECENT_WIDTH), dtype=np.int64),
    )


def _crc_table() -> NDArray[np.int64]:
    """Tables of CRC-32 (IEEE 802.3, reflected) for eight bytes at a time."""
    table = np.empty((8, 256), dtype=np.int64)
    table[0] = np.arange(256)
    for _ in range(8):
        table[0] = table[0] >> 1 ^ np.where(table[0] & 1, CRC_POLYNOMIAL, 0)
    for place in range(1, 8):
        table[place] = table[place - 1] >> 8 ^ table[0][table[place - 1] & 255]
    return table


def new_output(packets: int) -> Output:
    """Room for a batch of what the loop writes, with this many packets."""
    row = packets + WAITING + CACHE_LINE  # rows a power of two apart push each other from the cache
    return Output(
        packets=np.empty((PACKET_WIDTH, row), dtype=np.int64),
        excerpts=np.empty((EXCERPTS, EXCERPT_WIDTH), dtype=np.int64),
        excerpt_data=np.empty(EXCERPT_BYTES, dtype=np.uint8),
        oddities=np.empty((ODDITIES, ODDITY_WIDTH), dtype=np.int64),
    )


def aligned(rows: int, columns: int) -> NDArray[np.int64]:
    """An array of int64 whose rows begin at cache lines, if they are whole lines long."""
    room = np.empty(rows * columns + CACHE_LINE // 8, dtype=np.int64)
    skipped = -room.ctypes.data % CACHE_LINE // 8
    return room[skipped : skipped + rows * columns].reshape(rows, columns)


def _grown(array: np.ndarray, used: int, needed: int) -> np.ndarray:
    """The array with room for `needed` rows: itself, or a copy of twice the size."""
    if needed <= len(array):
        return array
    larger = np.empty((2 * len(array), *array.shape[1:]), dtype=array.dtype)
    larger[:used] = array[:used]
    return larger


def roomier(memory: Memory, bounds: Bounds) -> Memory:
    """Memory in which one more packet fits, whatever it is."""
    counts = memory.counts
    conversations = int(counts[COUNT_CONVERSATIONS])
    lists, pool = int(counts[COUNT_LISTS]), int(counts[COUNT_POOL])
    states = memory.states
    if conversations + 1 > len(states):
        states = aligned(2 * len(states), CONVERSATION_WIDTH)
        states[:conversations] = memory.states
    table = memory.table
    if len(states) > len(memory.states):
        table = np.full(len(states) * TABLE_PER_CONVERSATION, -1, dtype=np.int64)
        rehash(table, states, conversations, bounds.seed)
    return memory._replace(
        table=table,
        states=states,
        lists=_grown(memory.lists, lists, lists + 1),
        pool=_grown(memory.pool, pool, pool + pool_reserve(bounds.open_gaps)),
    )


def roomier_output(output: Output, packet_bytes: int) -> Output:
    """Output, emptied, in which the excerpt of a packet of this length fits."""
    needed = 2 * packet_bytes + int(TAGS_BYTES)
    if needed <= len(output.excerpt_data):
        return output
    return output._replace(excerpt_data=np.empty(needed, dtype=np.uint8))


def gap_bytes(memory: Memory) -> int:
    """Bytes missing inside TCP streams: between the ranges that their directions cover."""
    total = 0
    for begin, count, _ in memory.lists[: memory.counts[COUNT_LISTS]].tolist():
        ranges = memory.pool[begin : begin + count]
        total += int((ranges[1:, 0] - ranges[:-1, 1]).sum())
    return total
