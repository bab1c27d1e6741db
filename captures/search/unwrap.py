"""What octets hold when they are undone: compression, base64, hexadecimal digits, escapes.

Each step is bounded: so many pieces of a content, so many octets of all of them.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import brotli
import numpy as np
import numpy.typing as npt
import zstandard

from phonehome.captures.search.budget import Budget

MOST_PIECES = 64
"""Pieces of one kind that are undone in one content."""
_LEAST_RUN = 16
_LEAST_LINE = 60
"""Digits of a line of base64 that goes on in the next: 64 (PEM) and 76 (MIME) are usual."""
_STEP = 1 << 16
_BREAK = b"\r\n"
_SAMPLE = 4_096
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|[\"\\/bfnrt])")
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_PLAIN_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


Octets = bytes | memoryview


class Unfolded(NamedTuple):
    """What was undone.

    Attributes:
        step: how it was folded.
        begin: place of the folded octets.
        end: place behind them; of what does not tell its length, the end of all.
        octets: what they hold.
    """

    step: str
    begin: int
    end: int
    octets: bytes


def unfolded(octets: bytes, budget: Budget) -> Iterator[Unfolded]:
    """Everything that octets hold one step down, as far as the budget goes, which it lessens."""
    for one in _undone(octets, budget):
        if held := budget.take(one.octets):
            yield one._replace(octets=held)
        if budget.left <= 0:
            return


def _undone(octets: bytes, budget: Budget) -> Iterator[Unfolded]:
    """The same, not yet cut: what is not compressed holds no more octets than there are."""
    yield from _compressed(octets, budget)
    is_text = _is_text(octets)
    if is_text and _PERCENT.search(octets):
        yield Unfolded("URL-encoded", 0, len(octets), _unquoted(octets))
    if is_text and _ESCAPE.search(octets):
        yield Unfolded("JSON escapes", 0, len(octets), _ESCAPE.sub(_escaped, octets))
    yield from _runs(octets, _BASE64, "base64", _of_base64)
    yield from _runs(octets, _BASE64_URL, "base64", _of_url_base64)
    yield from _runs(octets, _HEX, "hex", _of_hex)


def _is_text(octets: bytes) -> bool:
    """Whether most of the first octets are characters of ASCII: only text has escapes."""
    begin = octets[:_SAMPLE]
    return len(begin.translate(None, _PRINTABLE)) * 3 <= len(begin)


def _alphabet(digits: bytes) -> bytes:
    """For each octet, 1 where it is one of these digits."""
    return bytes(octet in digits for octet in range(256))


_ALPHANUMERIC = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE64, _BASE64_URL = _alphabet(_ALPHANUMERIC + b"+/"), _alphabet(_ALPHANUMERIC + b"-_")
_HEX = _alphabet(b"0123456789abcdefABCDEF")


def _runs(
    octets: bytes, alphabet: bytes, step: str, undo: Callable[[str], bytes]
) -> Iterator[Unfolded]:
    """What runs of digits of an alphabet hold, the first so many of them."""
    is_digit = np.frombuffer(b"\0" + octets.translate(alphabet) + b"\0", dtype=np.uint8)
    edges = np.flatnonzero(is_digit[1:] != is_digit[:-1]).reshape(-1, 2)
    lines = _joined(octets, edges)
    runs = lines[lines[:, 1] - lines[:, 0] >= _LEAST_RUN][:MOST_PIECES]
    for begin, end in runs.tolist():
        held = undo(octets[begin:end].translate(None, b"\r\n").decode("ascii"))
        if held:
            yield Unfolded(step, begin, end, held)


def _joined(octets: bytes, edges: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Runs of which those that are lines of one text are one: all as long as the first.

    The last line may be shorter. Encoders break base64 so (RFC 2045, `Base64.DEFAULT` of Android).
    """
    if b"\n" not in octets:
        return edges
    begins, ends = edges[:, 0], edges[:, 1]
    lengths = ends - begins
    long = np.flatnonzero(lengths[:-1] >= _LEAST_LINE)
    if not long.size:
        return edges
    is_near = begins[long + 1] - ends[long] <= len(_BREAK)
    goes_on = np.zeros(len(edges), dtype=bool)
    for number in long[is_near & (lengths[long + 1] <= lengths[long])].tolist():
        is_last = number and goes_on[number - 1] and lengths[number] < lengths[number - 1]
        between = octets[ends[number] : begins[number + 1]]
        goes_on[number] = not is_last and between in {_BREAK, _BREAK[1:]}
    is_first = np.concatenate(([True], ~goes_on[:-1]))
    return np.column_stack((begins[is_first], ends[~goes_on]))


def _of_hex(text: str) -> bytes:
    return bytes.fromhex(text[: len(text) // 2 * 2])


def _of_base64(text: str) -> bytes:
    whole = text[: len(text) - (len(text) % 4 == 1)]
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _of_url_base64(text: str) -> bytes:
    """The octets; nothing where the common alphabet has them too."""
    if "-" not in text and "_" not in text:
        return b""
    return _of_base64(text.translate(str.maketrans("-_", "+/")))


def _unquoted(octets: bytes) -> bytes:
    """What a form or an address holds (application/x-www-form-urlencoded)."""
    plain = octets.replace(b"+", b" ")
    return _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode("ascii")), plain)


def _escaped(found: re.Match[bytes]) -> bytes:
    text = found[0][1:]
    if text[:1] == b"u":
        return chr(int(text[1:], 16)).encode("utf-8", "surrogatepass")
    return _PLAIN_ESCAPES.get(text, text)


def _compressed(octets: bytes, budget: Budget) -> Iterator[Unfolded]:
    """What gzip, zlib and Zstandard fold, wherever it begins."""
    view = memoryview(octets)
    for step, begins, undo in (
        ("gzip", _places(octets, _GZIP), _of_zlib),
        ("zlib", (found.start() for found in _ZLIB.finditer(octets)), _of_zlib),
        ("zstd", _places(octets, _ZSTD), _of_zstandard),
    ):
        for number, at in enumerate(begins):
            if number == MOST_PIECES:
                break
            held = undo(view[at:], budget.left)
            if len(held) >= _LEAST_RUN:
                yield Unfolded(step, at, len(octets), held)


def _places(octets: bytes, begin: bytes) -> Iterator[int]:
    at = octets.find(begin)
    while at >= 0:
        yield at
        at = octets.find(begin, at + 1)


def _of_zlib(octets: Octets, most: int) -> bytes:
    try:
        return zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(octets, most)
    except zlib.error:
        return b""


def deflated(octets: bytes, budget: Budget) -> bytes:
    """What a body without the header of zlib holds, as some servers send it; nothing: not that."""
    if budget.left <= 0:
        return b""
    try:
        held = zlib.decompressobj(-zlib.MAX_WBITS).decompress(octets, budget.left)
    except zlib.error:
        return b""
    return budget.take(held)


def _of_zstandard(octets: Octets, most: int) -> bytes:
    found = bytearray()
    reader = zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(octets)
    try:
        while len(found) < most and (more := reader.read(min(_STEP, most - len(found)))):
            found += more
    except zstandard.ZstdError:
        pass
    return bytes(found)


def of_brotli(octets: bytes, budget: Budget) -> bytes:
    """What Brotli (RFC 7932) folds, which has no mark at its begin; nothing: it is not that."""
    reader = brotli.Decompressor()
    found = bytearray()
    try:
        found += reader.process(octets, output_buffer_limit=_STEP)
        while len(found) < budget.left and not reader.is_finished():
            more = reader.process(b"", output_buffer_limit=_STEP)
            if not more:
                break
            found += more
    except brotli.error:
        pass
    return budget.take(bytes(found))
