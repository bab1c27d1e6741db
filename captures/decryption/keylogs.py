"""Key logs: which keys the user has, for TLS and QUIC (NSS's format) and for MMTLS (JSON lines).

Both formats are told by what a line holds. Nothing that a key log says goes into a message: of a
line that cannot be read only its number is told.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phonehome.captures.errors import CaptureError
from phonehome.errors import USAGE

MOST_BYTES = 256 << 20
LONGEST_LINE = 65_536
_TLS_LINE = re.compile(
    rb"(RSA|CLIENT_RANDOM|PMS_CLIENT_RANDOM|[A-Z][A-Z_]*SECRET(?:_[0-9N]+)?)"
    rb" ([0-9A-Fa-f]{2,128}) ([0-9A-Fa-f]{2,256})\s*"
)
_RANDOM_DIGITS = 64
_JSON = b"{"


class KeylogError(CaptureError):
    """A key log that cannot be used. The message names file and line, and nothing that it holds."""

    exit_code = USAGE


@dataclass(frozen=True, repr=False)
class MmtlsKey:
    """A key of MMTLS, as a line of the key log has it.

    Attributes:
        is_inner: it opens the business layer, inside of a record.
        is_up: it encrypts, so the phone sends with it; None: the line does not say.
        key: 16 octets, or 24.
        start: the nonce of GCM, or the initialisation vector of CBC.
        metadata: what GCM authenticates beside the message; empty: not told.
        tail: last 8 octets of the ciphertext that it opens; empty: not told.
    """

    is_inner: bool
    is_up: bool | None
    key: bytes
    start: bytes
    metadata: bytes
    tail: bytes


@dataclass(repr=False)
class Keys:
    """All keys that there are. Has no text of its own, so that none gets into a traceback.

    Attributes:
        lines: lines of NSS's format, each once, in order.
        sources: where the keys of a connection come from, by the random of its client.
        mmtls: keys of MMTLS.
        unread_lines: lines that hold no key that is known, beside comments.
    """

    lines: dict[bytes, None] = field(default_factory=dict)
    sources: dict[bytes, str] = field(default_factory=dict)
    mmtls: list[MmtlsKey] = field(default_factory=list)
    unread_lines: int = 0

    def merged(self, other: "Keys") -> "Keys":
        """Both together; where both know a connection, this one's source counts."""
        return Keys(
            self.lines | other.lines,
            other.sources | self.sources,
            self.mmtls + other.mmtls,
            self.unread_lines + other.unread_lines,
        )


def read_keylogs(paths: Iterable[Path]) -> Keys:
    """The keys of all these files.

    Raises:
        KeylogError: a file cannot be read, is too large, or holds no key.
    """
    keys = Keys()
    for path in paths:
        try:
            size = path.stat().st_size
            if size > MOST_BYTES:
                raise KeylogError(f"{path}: at most {MOST_BYTES} bytes expected, {size} found")
            octets = path.read_bytes()
        except OSError as error:
            raise KeylogError(f"{path}: cannot be read: {error.strerror or error}") from None
        found = keys_of(octets, "keylog")
        if not found.lines and not found.mmtls:
            raise KeylogError(
                f"{path}: lines of a TLS key log (CLIENT_RANDOM …) or of an MMTLS key log (JSON) "
                f"expected, none found"
            )
        keys = keys.merged(found)
    return keys


def keys_of(octets: bytes, source: str) -> Keys:
    """The keys that these lines hold.

    Args:
        octets: lines of either format, mixed or not.
        source: where they come from, as in `KEY_SOURCES`.
    """
    keys = Keys()
    for line in octets.replace(b"\r", b"\n").split(b"\n"):
        if not line.strip() or line.startswith(b"#"):
            continue
        if len(line) > LONGEST_LINE:
            keys.unread_lines += 1
        elif found := _TLS_LINE.fullmatch(line):
            keys.lines[line.strip()] = None
            if len(found[2]) == _RANDOM_DIGITS:
                keys.sources.setdefault(bytes.fromhex(found[2].decode()), source)
        elif line.lstrip().startswith(_JSON) and (key := _mmtls_key(line)) is not None:
            keys.mmtls.append(key)
        else:
            keys.unread_lines += 1
    return keys


def _mmtls_key(line: bytes) -> MmtlsKey | None:
    """The key of a line of JSON; None where it holds none that is whole."""
    try:
        said = json.loads(line)
        layer = said["layer"]
        is_up = said.get("encrypt")
        key = MmtlsKey(
            is_inner=layer == "INNER",
            is_up=is_up if isinstance(is_up, bool) else None,
            key=bytes.fromhex(said["key"]),
            start=_octets(said, "nonce") or _octets(said, "iv"),
            metadata=_octets(said, "metadata"),
            tail=_octets(said, "tail")[-8:],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    is_usable = layer in {"OUTER", "INNER"} and len(key.key) in {16, 24, 32} and key.start
    return key if is_usable and (key.is_inner or key.tail) else None


def _octets(said: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(said.get(name) or "")
