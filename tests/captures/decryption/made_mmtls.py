"""Traffic of MMTLS with its key log, made from the published rules: nothing of it was recorded."""

import json
import zlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

URI = "/cgi-bin/micromsg-bin/newsync"
HOST = "short.weixin.example"
CLIENT_HELLO = bytes.fromhex("0000005c0104f101c02b") + bytes(85)


def record(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + b"\xf1\x04" + len(content).to_bytes(2) + content


def sized(octets: bytes, width: int) -> bytes:
    return len(octets).to_bytes(width) + octets


def short_request(inner: bytes, uri: str = URI) -> bytes:
    """What a record of the short link holds: length, path, host, and the business layer's body."""
    return sized(sized(uri.encode(), 2) + sized(HOST.encode(), 2) + sized(inner, 4), 4)


def long_message(kind: int, body: bytes) -> bytes:
    """What a record of the long link holds: lengths, version, type, number of the message."""
    head = (16).to_bytes(2) + (1).to_bytes(2) + kind.to_bytes(4) + (1).to_bytes(4)
    return (16 + len(body)).to_bytes(4) + head + body


def cbc(key: bytes, iv: bytes, text: bytes) -> bytes:
    count = 16 - len(text) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return cipher.update(text + bytes([count]) * count) + cipher.finalize()


@dataclass
class Link:
    """One direction: its key, its base nonce, and the lines of the log for what it sent."""

    key: bytes = bytes(range(16))
    base: bytes = bytes(range(100, 112))
    is_up: bool = True
    number: int = 1
    lines: list[str] = field(default_factory=list)

    def send(self, text: bytes, *, kind: int = 0x17, is_logged: bool = True) -> bytes:
        """A record with this content, and a line in the log."""
        nonce = (int.from_bytes(self.base) ^ self.number).to_bytes(12)
        metadata = self.number.to_bytes(8) + bytes([kind]) + b"\xf1\x04"
        metadata += (len(text) + 16).to_bytes(2)
        content = AESGCM(self.key).encrypt(nonce, text, metadata)
        self.number += 1
        if is_logged:
            self.lines.append(line("OUTER", self.key, nonce, content, metadata, is_up=self.is_up))
        return record(kind, content)


def line(  # noqa: PLR0913 - the fields of a line
    layer: str,
    key: bytes,
    start: bytes,
    content: bytes,
    metadata: bytes = b"",
    *,
    is_up: bool = True,
    has_tail: bool = True,
) -> str:
    said = {"layer": layer, "encrypt": is_up, "key": key.hex()}
    said["iv" if len(start) == 16 else "nonce"] = start.hex()
    if metadata:
        said["metadata"] = metadata.hex()
    if has_tail:
        said["tail"] = content[-8:].hex()
    return json.dumps(said)


def packed(text: bytes) -> bytes:
    return zlib.compress(text)
