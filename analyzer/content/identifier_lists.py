"""Lists of what is known of a phone: a template to fill in, and one filled from outputs of adb."""

import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from phonehome.analyzer.content.identifiers import IdentifiersError
from phonehome.analyzer.user_files import octets_of
from phonehome.captures.words import IDENTIFIER_KINDS

MOST_BYTES: Final = 64 << 20
_KEY_BYTES = 16
_MAC = r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"
_SAID: Final = (
    ("serial", r"^\[ro\.(?:boot\.)?serialno\]: \[([^\]\s]{4,64})\]"),
    ("imei", r"^\[[\w.]*imei[\w.]*\]: \[(\d{14,16})\]"),
    ("imei", r"^\s*Device ID = (\d{14,16})\s*$"),
    ("imsi", r"^\[[\w.]*imsi[\w.]*\]: \[(\d{14,15})\]"),
    ("mac", rf"^\[[\w.]*(?:wifi|wlan|bt|bluetooth)[\w.]*mac[\w.]*\]: \[({_MAC})\]"),
    ("android_id", r"^android_id=([0-9A-Fa-f]{16})\s*$"),
    ("advertising_id", r"^(?:advertising_id|gaid)=([0-9A-Fa-f-]{32,36})\s*$"),
    ("mac", rf"^bluetooth_address=({_MAC})\s*$"),
    ("phone_number", r"\b(?:mLine1Number|Line1Number|PhoneNumber)\s*[=:]\s*(\+?\d{7,15})\b"),
    ("account", r"Account \{name=([^,@{}]{4,128}), type="),
    ("email", r"Account \{name=([^,{}\s]{1,64}@[^,{}\s]{1,190}), type="),
    ("ssid", r"\bSSID: \"([^\"\r\n]{1,32})\""),
    ("bssid", rf"\bBSSID: ({_MAC})"),
    ("mac", rf"\bMAC: ({_MAC})"),
    ("coordinates", r"last location=Location\[\w+ (-?\d{1,2}\.\d{3,},-?\d{1,3}\.\d{3,}) "),
)
"""What getprop, `settings list` and dumpsys say of a phone, by kind; `adb shell` prints them."""
_NOBODY = {"02:00:00:00:00:00", "00:00:00:00:00:00", "<unknown ssid>"}
"""What Android says instead of a value that it does not tell."""


def template() -> str:
    """A list with one commented entry per kind, and a key of its own."""
    parts = [
        "# What is known of the test phone and its account; see docs/identifiers.md.",
        "# Keep this file to yourself. Delete what you do not know; values stay on this machine.",
        "",
        "# Digests in reports are made with this key: who has the file can tell what they stand",
        "# for, and nobody else can.",
        f'digest_key = "{secrets.token_hex(_KEY_BYTES)}"',
    ]
    examples = {
        "coordinates": 'value = "43.651070,-79.347015"\n# tolerance = 0.005  # degrees',
        "file": 'file = "planted.jpg"  # beside this list',
    }
    for kind, words in IDENTIFIER_KINDS.items():
        value = examples.get(kind, 'value = ""')
        entry = f'[[identifier]]\nkind = "{kind}"\nlabel = "{words} of the test phone"\n{value}'
        parts += ["", *(f"# {line}" for line in entry.split("\n"))]
    return "\n".join(parts) + "\n"


def from_adb(sources: Sequence[Path]) -> list[tuple[str, str]]:
    """Kinds and values that saved outputs of adb tell, each once, in the order of `KINDS`.

    Raises:
        IdentifiersError: a file cannot be read, or none of them tells anything.
    """
    found: dict[tuple[str, str], None] = {}
    for source in sources:
        text = octets_of(source, MOST_BYTES, IdentifiersError).decode("utf-8", "replace")
        found |= dict.fromkeys(_said(text))
    if not found:
        raise IdentifiersError(
            f"{sources[0]}: nothing known in it: output of getprop, `settings list secure` or "
            "dumpsys (wifi, account, iphonesubinfo, location) expected"
        )
    return sorted(found, key=lambda one: (list(IDENTIFIER_KINDS).index(one[0]), one[1]))


def _said(text: str) -> Iterator[tuple[str, str]]:
    for kind, form in _SAID:
        for value in re.findall(form, text, re.MULTILINE):
            if value.lower() not in _NOBODY:
                yield kind, value


def listed(found: Sequence[tuple[str, str]]) -> str:
    """These as a list with a key of its own."""
    parts = [
        "# From saved outputs of adb; see docs/identifiers.md. Keep this file to yourself.",
        f'digest_key = "{secrets.token_hex(_KEY_BYTES)}"',
    ]
    for kind, value in found:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        label = f"{IDENTIFIER_KINDS[kind]} of the phone"
        parts += ["", "[[identifier]]", f'kind = "{kind}"', f'label = "{label}"']
        parts.append(f'value = "{quoted}"')
    return "\n".join(parts) + "\n"
