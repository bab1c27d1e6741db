"""Names in look-ups over plain HTTP: an app asks a server of its vendor instead of a resolver.

Known are the answers of WeChat (`newgetdns`, XML), of Tencent's DNSPod (`/d?dn=`, text), of
Alibaba's public DNS and others that answer in JSON as Google's does (`/resolve?name=`), of Alibaba
Cloud (`/ACCOUNT/d?host=`, `/ACCOUNT/resolve?host=`) and of Baidu (`/v4/resolve`). The layouts are
those that the vendors document; nothing in an answer is believed that is no address.
"""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from phonehome.captures.names.faults import spelled
from phonehome.captures.words import LONGEST_NAME

MOST_PAIRS = 4_096
"""Names with their addresses that one answer may give."""
_MOST_TARGET = 8_192
_MOST_NAMES = 64
_TEXT, _JSON, _XML = "text", "json", "xml"
_XML_PARTS = re.compile(
    rb"""<domain\s{1,8}name=["']([^"'<>]{1,255})["']|</domain>|"""
    rb"""<ip[^<>]{0,64}>\s{0,8}([0-9A-Fa-f.:]{2,45})\s{0,8}</ip>"""
)
_ADDRESS_TYPES = (1, 28)  # A and AAAA
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_SEPARATORS = re.compile(rb"[;,\s|]+")
_IS_NAME = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?")


class Lookup(NamedTuple):
    """A request that looks names up.

    Attributes:
        names: those it asks for, as sent; none where the target does not say.
        form: how its answer is written.
    """

    names: tuple[bytes, ...]
    form: str


def asked(target: bytes) -> Lookup | None:
    """What a request target asks for; None: it is no look-up."""
    path, _, query = target[:_MOST_TARGET].partition(b"?")
    path = path.partition(b"://")[2].partition(b"/")[2] if b"://" in path else path[1:]
    last = path.rpartition(b"/")[2]
    if b"newgetdns" in last:
        return Lookup((), _XML)
    if last not in {b"d", b"resolve", b"dns-query", b"sign_d", b"sign_resolve"}:
        return None
    if query.count(b"&") >= _MOST_NAMES:
        return None
    values = dict(reversed([pair.split(b"=", 1) for pair in query.split(b"&") if b"=" in pair]))
    if last == b"d" and b"dn" in values:
        return _lookup(values[b"dn"], _TEXT)
    for key in (b"name", b"host", b"dn"):
        if key in values:
            return _lookup(values[key], _JSON)
    return None


def _lookup(value: bytes, form: str) -> Lookup | None:
    plain = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), value)
    names = [name for name in plain.split(b",") if _IS_NAME.fullmatch(name)][:_MOST_NAMES]
    return Lookup(tuple(names), form) if names else None


def answers(lookup: Lookup, content: bytes) -> list[tuple[bytes, str]]:
    """Packed addresses that the answer gives, each with its name; as DNS gives them.

    Args:
        lookup: what was asked for.
        content: body of the answer, unfolded.
    """
    read = {_TEXT: _of_text, _JSON: _of_json, _XML: _of_xml}[lookup.form]
    pairs: dict[tuple[bytes, str], None] = {}
    for name, address in read(lookup, content):
        packed = _packed(address)
        if packed and 0 < len(name) <= LONGEST_NAME and _IS_NAME.fullmatch(name):
            pairs[packed, spelled(name)] = None
            if len(pairs) == MOST_PAIRS:
                break
    return list(pairs)


def _packed(address: bytes) -> bytes:
    """An address as octets; empty where the text is none."""
    try:
        return ip_address(address.decode("ascii").strip()).packed
    except (ValueError, UnicodeDecodeError):
        return b""


def _of_text(lookup: Lookup, content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Answers of DNSPod: addresses with `;` between them; of several names a line each."""
    for line in content.splitlines()[:MOST_PAIRS]:
        said, mark, rest = line.partition(b".:")
        name = said if mark else lookup.names[0]
        if not mark and len(lookup.names) > 1:
            continue
        for part in _SEPARATORS.split(rest if mark else line):
            if b"." in part or b":" in part:
                yield name, part


def _of_xml(_: Lookup, content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Answers of WeChat: the domains, each with its addresses."""
    name = b""
    for part in _XML_PARTS.finditer(content):
        if part[2] is None:
            name = part[1] or b""
        elif name:
            yield name, part[2]


def _of_json(lookup: Lookup, content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Answers in JSON, of any of the known shapes."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    asked_for = lookup.names[0]
    for record in _dicts(found.get("Answer")):
        if record.get("type") in _ADDRESS_TYPES:
            yield asked_for, _text(record.get("data"))
    for one in (found, *_dicts(found.get("dns"))):
        name = _text(one.get("host")) or asked_for
        yield from _listed(name, one, ("ips", "ipsv6", "ipv4", "ipv6"))
    data = found.get("data")
    if isinstance(data, dict):
        for name, one in list(data.items())[:MOST_PAIRS]:
            if isinstance(one, dict):
                yield from _listed(_text(name), one, ("ip", "ipv6", "ips"))


def _listed(
    name: bytes, one: dict[str, Any], keys: tuple[str, ...]
) -> Iterator[tuple[bytes, bytes]]:
    """The addresses in the lists of these keys."""
    for key in keys:
        values = one.get(key)
        for value in values[:MOST_PAIRS] if isinstance(values, list) else ():
            yield name, _text(value)


def _dicts(value: object) -> list[dict[str, Any]]:
    """The objects in a list of JSON."""
    listed = value[:MOST_PAIRS] if isinstance(value, list) else []
    return [one for one in listed if isinstance(one, dict)]


def _text(value: object) -> bytes:
    """A text of JSON as octets; empty where it is none."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""
