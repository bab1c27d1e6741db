"""Records of MMTLS opened with keys: AES-GCM around, and WeChat's business layer inside.

Rules as published by Citizen Lab (wechat-security-report, docs/mmtls-layer): a line of the key
log is for the record whose ciphertext ends with its `tail`. The nonce of a record is that of its
direction XOR the record's number, which the authenticated data begin with; so a key that opened
one record opens those behind it as well.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from phonehome.captures.decryption.keylogs import MmtlsKey
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.decryption.wechat_business import BusinessKeys
from phonehome.captures.kernels.layout import NO_TIME
from phonehome.captures.limits import Limits
from phonehome.captures.names.faults import Moment
from phonehome.captures.names.mmtls import Record

TAG = 16
TAIL = 8
_HEADER = 5
_NUMBER = 8
_SHORTEST_NONCE = 8
_MOST_AHEAD = 8  # records between two that are opened, at most, for which no line of the log is
_URI = re.compile(rb"/cgi-bin/[!-~]{1,200}")
_LONG_LINK_HEADER = 16
_LONG_LINK_VERSION = 1

Side = tuple[int, int]
"""Conversation, and whether end b sends."""


class OpenedRecord(NamedTuple):
    """What a record, or what is inside of it, says in the clear.

    Attributes:
        side: who sent it.
        moment: the frame that completes it.
        layer: mmtls or mmtls-inner.
        what: what it is, in words.
        octets: its content.
    """

    side: Side
    moment: Moment
    layer: str
    what: str
    octets: bytes


class Tried:
    """What became of the records of one conversation, per layer.

    Attributes:
        first_frame: frame of its first record.
        opened_bytes: plain bytes per layer and side.
        has_key: layers for which there is a key.
        requests: requests among them, per layer.
        failures: records for which there is a key that does not open them, per layer.
    """

    def __init__(self, first_frame: int) -> None:
        self.first_frame = first_frame
        self.opened_bytes: dict[tuple[str, int], int] = {}
        self.has_key: set[str] = set()
        self.requests: dict[str, int] = {}
        self.failures: dict[str, int] = {}


class _Sequence(NamedTuple):
    """A key of one direction, and the number of the record that it opened last."""

    key: bytes
    base: int
    width: int
    number: int


def name_of(kind: str, plain: bytes, *, is_up: bool) -> str:
    """What to call the content of a record: its path or its number, where they are known.

    On the long link a header of 16 octets says length, its own length, version 1, and a number:
    that of the request.
    """
    if kind != "data":
        return f"mmtls {kind}"
    side = "request" if is_up else "response"
    if path := _URI.search(plain[:512]):
        return f"mmtls request {path[0].decode('ascii')}"
    head = plain[:_LONG_LINK_HEADER]
    is_long_link = (
        len(head) == _LONG_LINK_HEADER
        and int.from_bytes(head[:4], "big") == len(plain)
        and int.from_bytes(head[4:6], "big") == _LONG_LINK_HEADER
        and int.from_bytes(head[6:8], "big") == _LONG_LINK_VERSION
    )
    if is_long_link:
        return f"mmtls {side} of type {int.from_bytes(head[8:12], 'big')}"
    return "mmtls data"


class RecordOpener:
    """Opens records while a capture is read, and keeps what they say.

    Args:
        keys: keys of MMTLS.
        limits: `opened_bytes` bounds what is kept.
    """

    def __init__(self, keys: Sequence[MmtlsKey], limits: Limits) -> None:
        self._keys: dict[bytes, list[MmtlsKey]] = {}
        for key in keys:
            if not key.is_inner:
                self._keys.setdefault(key.tail, []).append(key)
        self._business = BusinessKeys([key for key in keys if key.is_inner])
        self._most = limits.opened_bytes
        self._kept_bytes = 0
        self._sequences: dict[Side, _Sequence] = {}
        self.client: dict[int, int] = {}
        """Per conversation, whether end b sent the first record."""
        self.left_out = 0
        """Records that were opened and not kept, because there are too many."""
        self.opened: list[OpenedRecord] = []
        self.tried: dict[int, Tried] = {}

    def take(self, side: Side, record: Record, moment: Moment) -> None:
        """Open a record, if there is a key for it."""
        conversation, from_b = side
        self.client.setdefault(conversation, from_b)
        tried = self.tried.setdefault(conversation, Tried(moment.frame))
        plain = self._open(side, record.octets, tried)
        if plain is None:
            return
        is_up = self.client[conversation] == from_b
        what = name_of(record.kind, plain, is_up=is_up)
        self._keep(OpenedRecord(side, moment, "mmtls", what, plain), tried, is_up=is_up)
        if record.kind == "data":
            inner = self._business.open(plain)
            if inner.is_tried:
                tried.has_key.add("mmtls-inner")
            if inner.plain:
                name = what.replace("mmtls ", "mmtls-inner ", 1)
                found = OpenedRecord(side, moment, "mmtls-inner", name, inner.plain)
                self._keep(found, tried, is_up=is_up)
            elif inner.is_tried:
                tried.failures["mmtls-inner"] = tried.failures.get("mmtls-inner", 0) + 1

    def _keep(self, found: OpenedRecord, tried: Tried, *, is_up: bool) -> None:
        key = (found.layer, found.side[1])
        tried.opened_bytes[key] = tried.opened_bytes.get(key, 0) + len(found.octets)
        if is_up and " request " in found.what:
            tried.requests[found.layer] = tried.requests.get(found.layer, 0) + 1
        if self._kept_bytes + len(found.octets) > self._most:
            self.left_out += 1
            return
        self._kept_bytes += len(found.octets)
        self.opened.append(found)

    def _open(self, side: Side, octets: bytes, tried: Tried) -> bytes | None:
        """The content of a record; None: no key is for it, or none opens it."""
        content = octets[_HEADER:]
        if len(content) <= TAG:
            return None
        keys = self._keys.get(content[-TAIL:]) or self._keys.get(content[-TAG - TAIL : -TAG]) or []
        for key in keys:
            tried.has_key.add("mmtls")
            for number, nonce, said in _attempts(key, octets[:_HEADER]):
                plain = _decrypted(key.key, nonce, content, said)
                if plain is not None:
                    base = int.from_bytes(nonce, "big") ^ number
                    self._sequences[side] = _Sequence(key.key, base, len(nonce), number)
                    return plain
        if keys:
            tried.failures["mmtls"] = tried.failures.get("mmtls", 0) + 1
            return None
        return self._open_next(side, octets[:_HEADER], content)

    def _open_next(self, side: Side, header: bytes, content: bytes) -> bytes | None:
        """The content of a record behind one that was opened, with the same key."""
        known = self._sequences.get(side)
        if known is None:
            return None
        for number in range(known.number + 1, known.number + 1 + _MOST_AHEAD):
            nonce = (known.base ^ number).to_bytes(known.width, "big")
            plain = _decrypted(known.key, nonce, content, number.to_bytes(_NUMBER, "big") + header)
            if plain is not None:
                self._sequences[side] = known._replace(number=number)
                return plain
        return None


def _attempts(key: MmtlsKey, header: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number of the record, nonce and authenticated data, as they may be meant.

    The nonce of a line is that of its record, or that of its direction, which the number changes.
    """
    if len(key.metadata) >= _NUMBER:
        number, said = int.from_bytes(key.metadata[:_NUMBER], "big"), key.metadata
        changed = int.from_bytes(key.start, "big") ^ number
        yield number, key.start, said
        yield number, changed.to_bytes(max(len(key.start), _NUMBER), "big"), said
        return
    for number in range(_MOST_AHEAD):
        yield number, key.start, number.to_bytes(_NUMBER, "big") + header


def _decrypted(key: bytes, nonce: bytes, content: bytes, said: bytes) -> bytes | None:
    """The plain text; None where the tag says that key, nonce or data are not the right ones."""
    if len(nonce) < _SHORTEST_NONCE:
        return None
    try:
        return AESGCM(key).decrypt(nonce, content, said)
    except (InvalidTag, ValueError):
        return None


def opened_of(
    opener: RecordOpener, ends: Mapping[int, tuple[Any, ...]]
) -> tuple[list[Opened], list[Attempt]]:
    """Pieces that were opened, in order, and what became of each conversation.

    Args:
        opener: what opened them.
        ends: per conversation its protocol, and address and port of end a and of end b.
    """
    pieces = []
    for record in opener.opened:
        conversation, from_b = record.side
        protocol, *both = ends[conversation]
        source, source_port = both[2:] if from_b else both[:2]
        destination, destination_port = both[:2] if from_b else both[2:]
        pieces.append(
            Opened(
                protocol,
                source,
                source_port,
                destination,
                destination_port,
                record.moment.frame,
                None if record.moment.time == NO_TIME else record.moment.time,
                record.layer,
                record.what,
                record.octets,
            )
        )
    attempts = [
        _attempt(tried, layer, opener.client[conversation], ends[conversation])
        for conversation, tried in sorted(opener.tried.items())
        for layer in ("mmtls", "mmtls-inner")
        if layer == "mmtls" or layer in tried.has_key
    ]
    return pieces, attempts


def _attempt(tried: Tried, layer: str, client: int, ends: tuple[Any, ...]) -> Attempt:
    """What became of a layer of a conversation; `client` is whether end b sent first."""
    protocol, *both = ends
    first, second = (both[2], both[3]), (both[0], both[1])
    return Attempt(
        protocol,
        *((first, second) if client else (second, first)),
        tried.first_frame,
        layer,
        keys_source="mmtls_keylog" if layer in tried.has_key else None,
        has_hello=True,
        opened_bytes={
            is_client: tried.opened_bytes.get((layer, client if is_client else 1 - client), 0)
            for is_client in (True, False)
        },
        requests=tried.requests.get(layer, 0),
        failures=tried.failures.get(layer, 0),
    )
