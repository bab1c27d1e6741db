"""Part of the loop that reads hellos of TLS that are whole in their segment.

Most ClientHellos are: a record, in it the whole message, in it one name in plain lower case. So
are most ServerHellos of TLS 1.3. Whatever is not so, and whatever lies, is left to `tls` and
`server_hellos`, which read the same bytes (RFC 8446, sections 4.1.2 and 4.1.3).
"""

import numpy as np

from phonehome.captures.kernels.headers import word
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.words import LONGEST_NAME

NOT_READ = np.int64(-1)
RECORD_HEADER = 5
BEFORE_LISTS = 4 + 2 + 32  # header of the message, version, random
SUPPORTED_VERSIONS = 43
PRIME = np.uint64(0x100000001B3)


@part
def _mixed(value, data, at, end):
    """The hash with these bytes, and how many they are, mixed in."""
    value = (value ^ np.uint64(end - at)) * PRIME
    for place in range(at, end):
        value = (value ^ np.uint64(data[place])) * PRIME
        value ^= value >> np.uint64(29)
    return value


@part
def _extensions_at(data, at, end):
    """Where the extensions of the message begin, or -1, and where its ciphers do."""
    ciphers = at
    for place in range(3):
        width = 2 if place == 1 else 1
        if place == 1:
            ciphers = at
        if at + width > end:
            return NOT_READ, ciphers
        at += width + (word(data, at) if width == 2 else np.int64(data[at]))
    if at + 2 > end or at + 2 + word(data, at) != end:
        return NOT_READ, ciphers
    return at + 2, ciphers


@part
def _tells(kind):
    """Whether the content of an extension tells the software that sent it."""
    return kind == 10 or kind == 11 or kind == 13 or kind == 16 or kind == 43


@part
def _is_plain(data, at, end):
    """Whether a name is spelled as it stands: visible ASCII, lower case, no final dot."""
    for i in range(at, end):
        octet = data[i]
        if octet < 0x21 or octet > 0x7E or octet == 0x5C or 0x41 <= octet <= 0x5A:
            return False
    return data[end - 1] != 0x2E


@part
def _name_in(data, at, end):
    """Where the name in the content of its extension begins, and its length; -1: not read."""
    length = word(data, at + 3) if at + 5 < end else np.int64(0)
    if length <= 0 or length > LONGEST_NAME or at + 5 + length > end:
        return at, NOT_READ
    if data[at + 2] != 0 or not _is_plain(data, at + 5, at + 5 + length):
        return at, NOT_READ
    return at + 5, length


@part
def read_hello(data, at, end, seed):
    """Of the record at `at`: where the server name begins, its length, and the hello's shape.

    The length is 0 where none is named, -1 where the record is not whole or is not read here.
    The shape is a hash of version, cipher suites, types of extensions, and the contents of those
    that fingerprints are made of.
    """
    shape = np.int64(0)
    if at + RECORD_HEADER + 6 > end or data[at] != 0x16 or data[at + 1] != 3 or data[at + 5] != 1:
        return at, NOT_READ, shape
    begin = at + RECORD_HEADER
    stop = begin + 4 + (np.int64(data[begin + 1]) << 16 | word(data, begin + 2))
    if stop > begin + word(data, at + 3) or stop > end:
        return at, NOT_READ, shape
    at, ciphers = _extensions_at(data, begin + BEFORE_LISTS, stop)
    if at < 0:
        return begin, NOT_READ, shape
    hashed = _mixed(seed, data, begin + 4, begin + 6)
    hashed = _mixed(hashed, data, ciphers, ciphers + 2 + word(data, ciphers))
    name_at, length = at, np.int64(0)
    is_named = False
    while at + 4 <= stop:
        kind, behind = word(data, at), at + 4 + word(data, at + 2)
        if behind > stop:
            return name_at, NOT_READ, shape
        hashed = _mixed(hashed, data, at, at + 2)
        if kind == 0 and not is_named:
            is_named = True
            name_at, length = _name_in(data, at + 4, behind)
            if length < 0:
                return name_at, NOT_READ, shape
        elif _tells(kind):
            hashed = _mixed(hashed, data, at + 4, behind)
        at = behind
    if at != stop:
        return name_at, NOT_READ, shape
    return name_at, length, np.int64(hashed >> np.uint64(1))


@part
def read_server_hello(data, at, end):
    """Of the record at `at`: version and cipher suite of a ServerHello of TLS 1.3, in one number.

    -1 where it is none, or is not whole, or is not read here.
    """
    if at + RECORD_HEADER + BEFORE_LISTS + 1 > end or data[at] != 0x16 or data[at + 1] != 3:
        return NOT_READ
    begin = at + RECORD_HEADER
    stop = begin + 4 + (np.int64(data[begin + 1]) << 16 | word(data, begin + 2))
    if data[begin] != 2 or stop > begin + word(data, at + 3) or stop > end:
        return NOT_READ
    at = begin + BEFORE_LISTS + 1 + np.int64(data[begin + BEFORE_LISTS])
    if at + 5 > stop or at + 5 + word(data, at + 3) != stop:
        return NOT_READ
    cipher = word(data, at)
    at += 5
    while at + 4 <= stop:
        kind, behind = word(data, at), at + 4 + word(data, at + 2)
        if behind > stop:
            return NOT_READ
        if kind == SUPPORTED_VERSIONS and behind == at + 6:
            return word(data, at + 4) << 16 | cipher
        at = behind
    return NOT_READ
