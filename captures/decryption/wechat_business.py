"""WeChat's business layer, inside of MMTLS: AES-CBC, or the AES-GCM of its hybrid encryption.

What the layer encrypts stands behind a header whose length is not published. So its begin is
tried at the first places behind what says the request; what says that it was right is the tag of
GCM, and of CBC the padding together with the checksum of what was packed with zlib, or the tail
that the key log states.
"""

import zlib
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from phonehome.captures.decryption.keylogs import MmtlsKey

MOST_BEGINS = 512
"""Places at which the ciphertext may begin that are tried."""
MOST_PLAIN_BYTES = 4 << 20
MOST_TRIED = 4
"""Keys without a tail that are tried on one message, the last ones of the log first."""
_BLOCK = 16
_NONCE = 12
_TAG = 16
_FIRST_FIELD = b"\x0a"  # number 1, of any length


class Inner(NamedTuple):
    """What became of a message: its text, empty where none was found; whether a key was for it."""

    plain: bytes
    is_tried: bool


class BusinessKeys:
    """Keys of the business layer.

    Args:
        keys: keys of the log, in its order.
    """

    def __init__(self, keys: list[MmtlsKey]) -> None:
        self._by_tail: dict[bytes, list[MmtlsKey]] = {}
        self._others: list[MmtlsKey] = []
        for key in keys:
            if key.tail:
                self._by_tail.setdefault(key.tail, []).append(key)
            else:
                self._others.append(key)

    def open(self, message: bytes) -> Inner:
        """The text inside of a message of MMTLS."""
        known = self._by_tail.get(message[-8:], []) + self._by_tail.get(message[-24:-16], [])
        for key in known:
            if plain := _opened(key, message, is_known=True):
                return Inner(plain, is_tried=True)
        for key in self._others[-MOST_TRIED:]:
            if plain := _opened(key, message, is_known=False):
                return Inner(plain, is_tried=True)
        return Inner(b"", is_tried=bool(known))


def _opened(key: MmtlsKey, message: bytes, *, is_known: bool) -> bytes:
    """The text of a message; empty where this key does not open it."""
    if len(key.start) == _BLOCK:
        return _of_cbc(key, message, is_known=is_known)
    return _of_gcm(key, message) if len(key.start) == _NONCE else b""


def _of_gcm(key: MmtlsKey, message: bytes) -> bytes:
    cipher = AESGCM(key.key)
    for begin in range(min(MOST_BEGINS, max(0, len(message) - _TAG))):
        try:
            return unpacked(cipher.decrypt(key.start, message[begin:], key.metadata or None))
        except InvalidTag:
            continue
    return b""


def _of_cbc(key: MmtlsKey, message: bytes, *, is_known: bool) -> bytes:
    """Blocks from a begin that fits their number up to the end of the message.

    Where a block begins is known from the end; of those begins the first one counts whose text
    unfolds. Only if the log states the tail, text that was not packed is believed too: from the
    first begin at which a message of protocol buffers can begin, or else all that may be it.
    """
    first = len(message) % _BLOCK
    whole, likely = b"", b""
    for begin in range(first, min(len(message), MOST_BEGINS), _BLOCK):
        blocks = Cipher(algorithms.AES(key.key), modes.CBC(key.start)).decryptor()
        text = _without_padding(blocks.update(message[begin:]) + blocks.finalize())
        if text[:1] == b"\x78" and (plain := unpacked(text)) != text:
            return plain
        whole = whole or text
        likely = likely or (text if text[:1] == _FIRST_FIELD else b"")
    return likely or whole if is_known else b""


def _without_padding(text: bytes) -> bytes:
    """The text before its padding (PKCS #7); empty where it has none."""
    count = text[-1] if text else 0
    is_padded = 0 < count <= _BLOCK and text.endswith(bytes([count]) * count)
    return text[:-count] if is_padded else b""


def unpacked(text: bytes) -> bytes:
    """The text as it was before zlib packed it; as it is where zlib did not, or it is cut."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(text, MOST_PLAIN_BYTES)
    except zlib.error:
        return text
    return plain if inflater.eof else text
