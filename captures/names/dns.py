"""Addresses that a DNS response gives for the name that was asked for (RFC 1035, RFC 9460).

Nothing that a message says of itself is believed: pointers lead strictly backward, names and
counts have limits, and what was read before a lie stays.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from phonehome.captures.names.faults import Fault, Moment, spelled_labels
from phonehome.captures.words import LONGEST_NAME

JUMPS = 20
"""Compression pointers that one name may take."""
LABELS = 128
"""Labels that one name may have."""
RECORDS = 4096
"""Records of one message that are read."""
QUESTIONS = 16
"""Questions of one message that are read. RFC 9619 allows one."""
EXPANSION = 16
"""Characters of names that one message may give, per byte of it."""

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_LENGTH_BYTES = 2
_QUESTION_TAIL = 4
_RESPONSE = 0x8000
_POINTER = 0xC0
_LONGEST_LABEL = 0x3F
_A, _CNAME, _AAAA, _SVCB, _HTTPS = 1, 5, 28, 64, 65
_IPV4_HINT, _ECH, _IPV6_HINT = 4, 5, 6
_HINT_BYTES = {_IPV4_HINT: 4, _IPV6_HINT: 16}
_ADDRESS_BYTES = {_A: 4, _AAAA: 16}
_INTERNET = 1

_Known = dict[int, tuple[str, int, int]]
"""Names read so far: offset → name, jumps that it took, and the offset behind its first part."""
_UNKNOWN = ("", 0, 0)


class Answers(NamedTuple):
    """What one response says.

    Attributes:
        pairs: packed address and the name asked for, each pair once, in the message's order.
        fault: the lie at which reading stopped, or None.
        hiding: names asked for whose servers take Encrypted Client Hello, as HTTPS or SVCB
            records of the response say.
    """

    pairs: list[tuple[bytes, str]]
    fault: Fault | None
    hiding: tuple[str, ...] = ()


class _LieError(Exception):
    """Reading stops here; the message holds no more that can be believed."""

    def __init__(self, kind: str, needed: int | None = None, got: int | None = None) -> None:
        super().__init__(kind)
        self.fault = Fault(kind, needed, got)


class _Records(NamedTuple):
    """What of a message bears on addresses: names asked for, aliases, and owned addresses."""

    asked: list[str]
    aliases: dict[str, list[str]]
    owned: list[tuple[str, bytes]]
    hiding: set[str]


def answers(message: bytes) -> Answers:
    """Addresses in a response, each with the name asked for.

    Aliases (CNAME) are followed from the question, whatever the order of the records, through
    all sections. A query gives nothing.
    """
    if len(message) < _HEADER.size:
        return Answers([], Fault("dns_cut", _HEADER.size, len(message)))
    if not message[2] & _RESPONSE >> 8:
        return Answers([], None)
    records = _Records([], {}, [], set())
    fault = None
    try:
        _read(message, records)
    except _LieError as lie:
        fault = lie.fault
    pairs, is_cut = _pairs(records, EXPANSION * len(message))
    return Answers(
        pairs,
        Fault("dns_malformed") if is_cut and fault is None else fault,
        _hiding(records) if records.hiding else (),
    )


def _read(message: bytes, into: _Records) -> None:
    """Fill `into` with the records of a message, as far as they can be believed.

    Raises:
        _LieError: at the first lie; what came before it is in `into`.
    """
    _, _, questions, *sections = _HEADER.unpack_from(message)
    known: _Known = {}
    at = _HEADER.size
    for _ in range(min(questions, QUESTIONS)):
        name, at = _name(message, at, known)
        into.asked.append(name)
        at += _QUESTION_TAIL
        if at > len(message):
            raise _LieError("dns_cut", at, len(message))
    if questions > QUESTIONS:
        raise _LieError("dns_malformed", questions, QUESTIONS)
    records = sum(sections)
    for _ in range(min(records, RECORDS)):
        at = _read_record(message, at, into, known)
    if records > RECORDS:
        raise _LieError("dns_malformed", records, RECORDS)


def _read_record(message: bytes, owner_at: int, into: _Records, known: _Known) -> int:
    """Add the record at an offset, if it bears on addresses; the offset behind it."""
    at = _after_name(message, owner_at)
    data_at = at + _RECORD.size
    if data_at > len(message):
        raise _LieError("dns_cut", data_at, len(message))
    kind, network, _, length = _RECORD.unpack_from(message, at)
    end = data_at + int(length)
    if end > len(message):
        raise _LieError("dns_cut", end, len(message))
    if network != _INTERNET:
        return end
    if kind in _ADDRESS_BYTES:
        if length != _ADDRESS_BYTES[kind]:
            raise _LieError("dns_malformed", _ADDRESS_BYTES[kind], length)
        owner, _ = _name(message, owner_at, known)
        into.owned.append((owner, message[data_at:end]))
    elif kind == _CNAME:
        owner, _ = _name(message, owner_at, known)
        target, target_end = _name(message, data_at, known)
        if target_end != end:
            raise _LieError("dns_malformed", target_end - data_at, length)
        into.aliases.setdefault(owner, []).append(target)
    elif kind in {_SVCB, _HTTPS}:
        _read_service(message, owner_at, (data_at, end), into, known)
    return end


def _read_service(
    message: bytes, owner_at: int, data: tuple[int, int], into: _Records, known: _Known
) -> None:
    """Add an SVCB or HTTPS record: the name that it leads to, its hints, and its ECH keys."""
    at, end = data
    owner, _ = _name(message, owner_at, known)
    target, at = _name(message, at + 2, known)
    if target:
        into.aliases.setdefault(owner, []).append(target)
    while at < end:
        if at + 4 > end:
            raise _LieError("dns_malformed", at + 4 - data[0], end - data[0])
        key, length = message[at] << 8 | message[at + 1], message[at + 2] << 8 | message[at + 3]
        begin, at = at + 4, at + 4 + length
        if at > end:
            raise _LieError("dns_malformed", at - data[0], end - data[0])
        if key == _ECH:
            into.hiding.add(owner)
        width = _HINT_BYTES.get(key, 0)
        if width:
            places = range(begin, at - width + 1, width)
            into.owned.extend((target or owner, message[here : here + width]) for here in places)


def _after_name(message: bytes, at: int) -> int:
    """The offset behind a name, which is passed over and not followed."""
    size = len(message)
    while at < size:
        length = message[at]
        if length >= _POINTER:
            return at + 2
        if length == 0:
            return at + 1
        if length > _LONGEST_LABEL:
            raise _LieError("dns_malformed")
        at += length + 1
    raise _LieError("dns_cut", at + 1, size)


def _name(message: bytes, at: int, known: _Known) -> tuple[str, int]:
    """The name at an offset, and the offset behind it.

    A pointer leads before the labels that it follows, and what stands there ends before them:
    so every name is shorter than what encloses it, and reading ends.
    """
    start = lowest = at
    bound = len(message)
    labels: list[bytes] = []
    octets, jumps, end = 1, 0, 0
    while at < bound:
        length = message[at]
        if length == 0:
            name = spelled_labels(labels)
            end = end or at + 1
            known[start] = (name, jumps, end)
            return name, end
        if length >= _POINTER:
            if at + 2 > bound:
                break
            target = (length & _LONGEST_LABEL) << 8 | message[at + 1]
            end = end or at + 2
            jumps += 1
            name, more, known_end = known.get(target, _UNKNOWN)
            if target >= lowest or jumps + more > JUMPS:
                raise _LieError("dns_malformed")
            if name and not labels and known_end <= lowest:
                return name, end
            bound = lowest
            at = lowest = target
            continue
        if length > _LONGEST_LABEL:
            raise _LieError("dns_malformed")
        octets += length + 1
        if octets > LONGEST_NAME or len(labels) == LABELS:
            raise _LieError("dns_malformed", octets, LONGEST_NAME)
        labels.append(message[at + 1 : at + 1 + length])
        at += length + 1
    if jumps:
        raise _LieError("dns_malformed")
    raise _LieError("dns_cut", at + 1, bound)


def _pairs(records: _Records, budget: int) -> tuple[list[tuple[bytes, str]], bool]:
    """Each address with each name that was asked for and leads to it, and whether that was cut.

    `budget` bounds the sum of the lengths of the names given.
    """
    pairs: dict[tuple[bytes, str], None] = {}
    for asked in dict.fromkeys(records.asked):
        if not asked:
            continue
        reached = _reached(asked, records.aliases) if records.aliases else {asked}
        for owner, address in records.owned:
            if owner in reached and (address, asked) not in pairs:
                budget -= len(asked)
                if budget < 0:
                    return list(pairs), True
                pairs[address, asked] = None
    return list(pairs), False


def _hiding(records: _Records) -> tuple[str, ...]:
    """Names asked for that lead to an owner of ECH keys."""
    asked = (name for name in dict.fromkeys(records.asked) if name)
    return tuple(name for name in asked if _reached(name, records.aliases) & records.hiding)


def _reached(asked: str, aliases: dict[str, list[str]]) -> set[str]:
    """A name and all that it is an alias of."""
    reached = {asked}
    ahead = [asked]
    while ahead:
        for target in aliases.get(ahead.pop(), ()):
            if target not in reached:
                reached.add(target)
                ahead.append(target)
    return reached


class MessageReader:
    """DNS over TCP: messages behind two octets of length each (RFC 1035, section 4.2.2)."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._moment = Moment(0, 0)
        self.is_over = False
        """Nothing more is expected: never, a stream of messages has no end."""

    @property
    def held_bytes(self) -> int:
        """Bytes that wait for the rest of their message."""
        return len(self._held)

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Answers, Moment]]:
        """What the messages say that these next bytes of the stream complete."""
        self._held += octets
        self._moment = moment
        at = 0
        while len(self._held) - at >= _LENGTH_BYTES:
            begin = at + _LENGTH_BYTES
            end = begin + int.from_bytes(self._held[at:begin], "big")
            if end > len(self._held):
                break
            yield answers(bytes(self._held[begin:end])), moment
            at = end
        del self._held[:at]

    def finish(self) -> Iterator[tuple[Answers, Moment]]:
        """What the last message says, of which the end is missing."""
        if len(self._held) >= _LENGTH_BYTES + _HEADER.size:
            yield answers(bytes(self._held[_LENGTH_BYTES:])), self._moment
        self._held.clear()
