"""Initial packets of QUIC, encrypted by a twin of what reads them (RFC 9001, RFC 9369)."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

V1, V2, DRAFT_29 = 1, 0x6B3343CF, 0xFF00001D
SALTS = {
    V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899",
    0xFF000017: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xFACEB001: "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a",
}
ID = bytes.fromhex("8394c8f03e515708")


def expanded(secret, label, length):
    label = b"tls13 " + label
    info = length.to_bytes(2) + bytes([len(label)]) + label + b"\0" + b"\1"
    return hmac.new(secret, info, hashlib.sha256).digest()[:length]


def varint(number):
    if number < 64:
        return bytes([number])
    if number < 1 << 14:
        return (number | 1 << 14).to_bytes(2)
    return (number | 2 << 30).to_bytes(4)


def crypto(offset, octets):
    return b"\x06" + varint(offset) + varint(len(octets)) + octets


def initial(  # noqa: PLR0913 - the fields of a packet
    frames, key_id=ID, *, to=None, version=V1, number=0, width=2, token=b"", size=0
):
    """An Initial packet of a client, encrypted with the keys that follow from `key_id`."""
    salt = bytes.fromhex(SALTS[version])
    secret = expanded(hmac.new(salt, key_id, hashlib.sha256).digest(), b"client in", 32)
    prefix = b"quicv2 " if version == V2 else b"quic "
    key, iv, hp = (
        expanded(secret, prefix + label, length)
        for label, length in ((b"key", 16), (b"iv", 12), (b"hp", 16))
    )
    frames = frames.ljust(max(size, 20), b"\0")
    kind = 1 if version == V2 else 0
    to = key_id if to is None else to
    head = bytes([0xC0 | kind << 4 | width - 1]) + version.to_bytes(4)
    head += bytes([len(to)]) + to + b"\3abc" + varint(len(token)) + token
    head += varint(width + len(frames) + 16)
    packet_number = number.to_bytes(width)
    nonce = bytes(a ^ b for a, b in zip(iv, packet_number.rjust(12, b"\0"), strict=True))
    body = AESGCM(key).encrypt(nonce, frames, head + packet_number)
    sample = (packet_number + body)[4:20]
    mask = Cipher(algorithms.AES(hp), modes.ECB()).encryptor().update(sample)  # noqa: S305
    first = bytes([head[0] ^ mask[0] & 0x0F])
    hidden = bytes(a ^ b for a, b in zip(packet_number, mask[1:], strict=False))
    return first + head[1:] + hidden + body
