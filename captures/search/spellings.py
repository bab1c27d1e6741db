"""How people and programs spell one value: with and without separators, in either case."""

import re

from phonehome.captures.search.known_values import Identifier

_SEPARATORS = re.compile(r"[\s:._/()+-]")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_ADDRESSES = ("mac", "bssid")
_MAC_DIGITS, _UUID_DIGITS, _IMEI_DIGITS = 12, 32, 15
_NO_SEPARATORS = ("email", "ssid", "contact", "text")
"""Kinds whose dots and spaces are part of them."""


def bare(identifier: Identifier) -> str:
    """The value without what separates its parts; of names and addresses, as it is."""
    if identifier.kind in _NO_SEPARATORS:
        return identifier.value
    return _SEPARATORS.sub("", identifier.value)


def is_hex(identifier: Identifier) -> bool:
    """Whether the bare value is octets in hexadecimal digits, and not merely a decimal number."""
    digits = bare(identifier)
    if identifier.kind in {*_ADDRESSES, "android_id", "advertising_id"}:
        return bool(_HEX.fullmatch(digits)) and len(digits) % 2 == 0
    return bool(_HEX.fullmatch(digits)) and len(digits) == _UUID_DIGITS and not digits.isdigit()


def spellings(identifier: Identifier) -> dict[str, str]:
    """Each way in which the value is written as text, by what it is called; case aside.

    The spelling as the user gave it is called by nothing: "".
    """
    value, digits = identifier.value.strip(), bare(identifier)
    found = {"": value, "without separators": digits}
    if is_hex(identifier) and len(digits) == _MAC_DIGITS and identifier.kind in _ADDRESSES:
        pairs = [digits[at : at + 2] for at in range(0, _MAC_DIGITS, 2)]
        found |= {"with colons": ":".join(pairs), "with hyphens": "-".join(pairs)}
    if is_hex(identifier) and len(digits) == _UUID_DIGITS:
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        found["with hyphens"] = "-".join(parts)
    if identifier.kind == "imei" and len(digits) == _IMEI_DIGITS:
        found["without its check digit"] = digits[:-1]
    if identifier.kind == "ssid":
        found["in quotation marks"] = f'"{value}"'
    seen: set[str] = set()
    return {
        name: text
        for name, text in found.items()
        if text and not (text in seen or seen.add(text))  # type: ignore[func-returns-value]
    }


def cases(text: str) -> dict[str, str]:
    """A text as it is, in lower and in upper case, where these differ, by what they are called."""
    found = {"": text}
    for name, other in (("lower case", text.lower()), ("upper case", text.upper())):
        if other not in found.values():
            found[name] = other
    return found
