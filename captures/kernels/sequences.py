"""Kernels that know which bytes of a TCP stream were seen: what is sent again counts once.

A direction's stream positions are sequence numbers less the first one, unwrapped at 2**32
(RFC 9293, section 3.4). What is covered is one range in the conversation's row; once it has a
gap, a sorted list of ranges in a pool. No two ranges of a list touch.
"""

from phonehome.captures.kernels.layout import (
    CONVERSATION_HALF,
    CONVERSATION_REST,
    COUNT_LISTS,
    COUNT_POOL,
    HALF_BASE,
    HALF_HAS,
    HALF_HIGH,
    HALF_LIST,
    HALF_LOW,
    HALF_WANTED,
    HALF_WIDTH,
    KIND_PARTIAL,
    KINDS,
    KINDS_WIDTH,
    LIST_AT,
    LIST_CAPACITY,
    LIST_COUNT,
    REST_INCARNATION,
    REST_MESSAGE,
    REST_WIDTH,
)
from phonehome.captures.kernels.machine_code import part

FIRST_CAPACITY = 8


@part
def rest_of(half):
    """Where what is seldom needed of a half begins."""
    return CONVERSATION_REST + (half - CONVERSATION_HALF) // HALF_WIDTH * REST_WIDTH


@part
def begin_stream(state, half, memory, sequence):
    """Position 0 of this direction is at this sequence number; nothing is covered."""
    if state[half + HALF_HAS]:
        state[rest_of(half) + REST_INCARNATION] += 1
    state[half + HALF_HAS] = 2
    state[half + HALF_BASE] = sequence
    state[half + HALF_LOW] = 0
    state[half + HALF_HIGH] = 0
    state[rest_of(half) + REST_MESSAGE] = 0
    state[half + HALF_WANTED] = -1
    state[KINDS + (half - CONVERSATION_HALF) // HALF_WIDTH * KINDS_WIDTH + KIND_PARTIAL] = 0
    if state[half + HALF_LIST] >= 0:
        memory.lists[state[half + HALF_LIST], LIST_COUNT] = 0


@part
def stream_position(state, half, sequence):
    """Stream position of a sequence number: the one nearest to the end of what is covered."""
    high = state[half + HALF_HIGH]
    distance = (sequence - state[half + HALF_BASE] - high) & 0xFFFFFFFF
    if distance >= 0x80000000:
        distance -= 0x100000000
    return high + distance


@part
def _first_reaching(pool, at, count, low):
    """Place in the list of the first range that ends at this position or behind it."""
    left, right = 0, count
    while left < right:
        middle = (left + right) // 2
        if pool[at + middle, 1] < low:
            left = middle + 1
        else:
            right = middle
    return left


@part
def _open_list(state, half, memory):
    """The direction's list, made if it has none, holding the one range that is covered."""
    counts, lists, pool = memory.counts, memory.lists, memory.pool
    index = state[half + HALF_LIST]
    if index < 0:
        index = counts[COUNT_LISTS]
        counts[COUNT_LISTS] += 1
        lists[index, LIST_AT] = counts[COUNT_POOL]
        lists[index, LIST_CAPACITY] = FIRST_CAPACITY
        lists[index, LIST_COUNT] = 0
        counts[COUNT_POOL] += FIRST_CAPACITY
        state[half + HALF_LIST] = index
    if lists[index, LIST_COUNT] == 0 and state[half + HALF_HIGH] > state[half + HALF_LOW]:
        at = lists[index, LIST_AT]
        pool[at, 0] = state[half + HALF_LOW]
        pool[at, 1] = state[half + HALF_HIGH]
        lists[index, LIST_COUNT] = 1
    return index


@part
def _make_room(index, memory):
    """The list has room for one more range, moved to the pool's end if it must grow."""
    counts, lists, pool = memory.counts, memory.lists, memory.pool
    at, count = lists[index, LIST_AT], lists[index, LIST_COUNT]
    if count < lists[index, LIST_CAPACITY]:
        return at
    moved = counts[COUNT_POOL]
    counts[COUNT_POOL] += 2 * count
    lists[index, LIST_CAPACITY] = 2 * count
    lists[index, LIST_AT] = moved
    for i in range(count):
        pool[moved + i, 0] = pool[at + i, 0]
        pool[moved + i, 1] = pool[at + i, 1]
    return moved


@part
def _cover_in_list(index, memory, low, high):
    """Positions of [low, high) that the list did not cover; from now on it does."""
    lists, pool = memory.lists, memory.pool
    at, count = lists[index, LIST_AT], lists[index, LIST_COUNT]
    first = _first_reaching(pool, at, count, low)
    behind, seen, from_, to = first, 0, low, high
    while behind < count and pool[at + behind, 0] <= high:
        seen += max(0, min(pool[at + behind, 1], high) - max(pool[at + behind, 0], low))
        from_ = min(from_, pool[at + behind, 0])
        to = max(to, pool[at + behind, 1])
        behind += 1
    if behind == first:
        at = _make_room(index, memory)
        for i in range(count, first, -1):
            pool[at + i, 0] = pool[at + i - 1, 0]
            pool[at + i, 1] = pool[at + i - 1, 1]
        lists[index, LIST_COUNT] = count + 1
    elif behind > first + 1:
        merged = behind - first - 1
        for i in range(behind, count):
            pool[at + i - merged, 0] = pool[at + i, 0]
            pool[at + i - merged, 1] = pool[at + i, 1]
        lists[index, LIST_COUNT] = count - merged
    pool[at + first, 0] = from_
    pool[at + first, 1] = to
    return high - low - seen


@part
def _close_lowest_gaps(lists, index, pool):
    """Half of the ranges fewer: the oldest gaps count as seen from now on.

    Half at once, so that closing costs a packet nothing on average.
    """
    at, count = lists[index, LIST_AT], lists[index, LIST_COUNT]
    closed = max(count // 2, 1)
    pool[at + closed, 0] = pool[at, 0]
    for i in range(closed, count):
        pool[at + i - closed, 0] = pool[at + i, 0]
        pool[at + i - closed, 1] = pool[at + i, 1]
    lists[index, LIST_COUNT] = count - closed


@part
def cover(state, half, memory, low, length, gap_limit):
    """Bytes of this segment that were not seen before, and whether the gap limit was hit.

    A segment of one byte just below all that is covered is a keep-alive probe (RFC 1122,
    section 4.2.3.6) and brings nothing new.
    """
    high = low + length
    index = state[half + HALF_LIST]
    covered_low, covered_high = state[half + HALF_LOW], state[half + HALF_HIGH]
    if length == 1 and high == covered_low:
        return 0, False
    if index < 0 or memory.lists[index, LIST_COUNT] == 0:
        if covered_low == covered_high:
            state[half + HALF_LOW] = low
            state[half + HALF_HIGH] = high
            return length, False
        if low <= covered_high and high >= covered_low:
            seen = min(high, covered_high) - max(low, covered_low)
            state[half + HALF_LOW] = min(low, covered_low)
            state[half + HALF_HIGH] = max(high, covered_high)
            return length - seen, False
    index = _open_list(state, half, memory)
    new = _cover_in_list(index, memory, low, high)
    state[half + HALF_LOW] = min(low, covered_low)
    state[half + HALF_HIGH] = max(high, covered_high)
    if memory.lists[index, LIST_COUNT] > gap_limit + 1:  # one range more than gaps
        _close_lowest_gaps(memory.lists, index, memory.pool)
        return new, True
    return new, False
