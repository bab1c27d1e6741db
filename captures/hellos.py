"""Part of the loop that reads the server name of a ClientHello that is whole in its segment.

Most are: a record, in it the whole message, in it one name in plain lower case. Whatever is not
so, and whatever lies, is left to `tls`, which reads the same bytes (RFC 8446, section 4.1.2).
"""

import numpy as np

from captures.compiled import part
from captures.headers import word
from captures.readings import LONGEST_NAME

NOT_READ = np.int64(-1)
RECORD_HEADER = 5
BEFORE_LISTS = 4 + 2 + 32  # header of the message, version, random


@part
def _behind_lists(data, at, end):
    """Where the extensions of the message begin, or -1."""
    at += BEFORE_LISTS
    for place in range(3):
        width = 2 if place == 1 else 1
        if at + width > end:
            return NOT_READ
        at += width + (word(data, at) if width == 2 else np.int64(data[at]))
    if at + 2 > end or at + 2 + word(data, at) != end:
        return NOT_READ
    return at + 2


@part
def _is_plain(data, at, end):
    """Whether a name is spelled as it stands: visible ASCII, lower case, no final dot."""
    for i in range(at, end):
        octet = data[i]
        if octet < 0x21 or octet > 0x7E or octet == 0x5C or 0x41 <= octet <= 0x5A:
            return False
    return data[end - 1] != 0x2E


@part
def server_name(data, at, end):
    """Where the name in the record at `at` begins, and its length: 0, none is named.

    The length is -1 where the record is not whole, or is not read here.
    """
    if at + RECORD_HEADER + 4 > end or data[at] != 0x16 or data[at + 1] != 3 or data[at + 5] != 1:
        return at, NOT_READ
    begin = at + RECORD_HEADER
    stop = begin + 4 + (np.int64(data[begin + 1]) << 16 | word(data, begin + 2))
    if stop > begin + word(data, at + 3) or stop > end:
        return at, NOT_READ
    at = _behind_lists(data, begin, stop)
    if at < 0:
        return begin, NOT_READ
    while at + 4 <= stop:
        kind, behind = word(data, at), at + 4 + word(data, at + 2)
        if behind > stop:
            return at, NOT_READ
        if kind == 0:
            length = word(data, at + 7) if at + 9 < behind else np.int64(0)
            if length <= 0 or length > LONGEST_NAME or at + 9 + length > behind:
                return at, NOT_READ
            if data[at + 6] != 0 or not _is_plain(data, at + 9, at + 9 + length):
                return at, NOT_READ
            return at + 9, length
        at = behind
    return at, np.int64(0) if at == stop else NOT_READ
