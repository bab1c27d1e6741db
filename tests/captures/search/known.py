"""What the tests of the search know of a phone that does not exist, and all its encodings."""

import base64
import hashlib
import hmac
import json
import struct
import zlib
from urllib.parse import quote

import zstandard

from phonehome.captures.search.encodings import varint
from phonehome.captures.search.known_values import Identifier
from tests.small_captures import gzipped

ADVERTISING = "38400000-8cf0-11bd-b23e-10b96e40000d"
ANDROID = "9774d56d682e549c"
ACCOUNT = "2654017823"
EMAIL = "ann.test@parrot.example"
IMEI = "490154203237518"
MAC = "02:00:4c:4f:4f:50"
KEY = b"app-secret-key-1"
PLACE = "43.651070,-79.347015"
SSID = "Parrot Nest 5G"
CHINESE = "王小明的测试机"
PLANTED = hashlib.shake_128(b"planted").digest(3_000)

IDENTIFIERS = (
    Identifier(label="advertising", kind="advertising_id", value=ADVERTISING, keys=(KEY,)),
    Identifier(label="android", kind="android_id", value=ANDROID),
    Identifier(label="account", kind="account", value=ACCOUNT),
    Identifier(label="email", kind="email", value=EMAIL),
    Identifier(label="imei", kind="imei", value=IMEI),
    Identifier(label="mac", kind="mac", value=MAC),
    Identifier(label="place", kind="coordinates", value=PLACE),
    Identifier(label="ssid", kind="ssid", value=SSID),
    Identifier(label="contact", kind="contact", value=CHINESE),
    Identifier(label="file", kind="file", content=PLANTED),
)


def _json(value: object) -> bytes:
    return json.dumps({"device": {"id": value}, "v": 3}).encode()


def _digits(text: str) -> str:
    return text.replace("-", "").replace(":", "")


def _protobuf(number: int, octets: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(octets)) + octets


PLANTS: dict[str, tuple[str, bytes]] = {
    "plain": ("advertising", _json(ADVERTISING)),
    "upper case": ("advertising", _json(ADVERTISING.upper())),
    "without hyphens": ("advertising", _json(_digits(ADVERTISING))),
    "octets of a UUID": ("advertising", b"\1\2" + bytes.fromhex(_digits(ADVERTISING)) + b"\3"),
    "reversed": ("advertising", _json(ADVERTISING[::-1])),
    "MD5 in hex": (
        "advertising",
        _json(hashlib.md5(ADVERTISING.encode(), usedforsecurity=False).hexdigest()),
    ),
    "MD5 of upper case in hex": (
        "advertising",
        _json(hashlib.md5(ADVERTISING.upper().encode(), usedforsecurity=False).hexdigest().upper()),
    ),
    "SHA-1 as octets": (
        "android",
        b"\0" + hashlib.sha1(ANDROID.encode(), usedforsecurity=False).digest() + b"\0",
    ),
    "SHA-256 in base64": (
        "email",
        _json(base64.b64encode(hashlib.sha256(EMAIL.encode()).digest()).decode()),
    ),
    "HMAC-SHA-256 in hex": (
        "advertising",
        _json(hmac.new(KEY, ADVERTISING.encode(), "sha256").hexdigest()),
    ),
    "varint": ("account", b"\x08\x01\x10" + varint(int(ACCOUNT)) + b"\x1a\x02hi"),
    "32 bits, big-endian": ("account", b"\xff\xfe" + int(ACCOUNT).to_bytes(4, "big") + b"\xff"),
    "fixed32": ("account", b"\x0d" + int(ACCOUNT).to_bytes(4, "little") + b"\x12\x02hi"),
    "decimal of hex": ("android", _json(int(ANDROID, 16))),
    "URL-encoded": (
        "email",
        b"GET /t?mail=" + quote(EMAIL, safe="").encode() + b" HTTP/1.1\r\n\r\n",
    ),
    "form": ("email", b"a=1&mail=" + quote(EMAIL, safe="").encode() + b"&b=2"),
    "escaped JSON": ("contact", json.dumps({"name": CHINESE}).encode()),
    "UTF-8": ("contact", json.dumps({"name": CHINESE}, ensure_ascii=False).encode()),
    "UTF-16": ("ssid", b"\1\0" + SSID.encode("utf-16-le") + b"\0\0"),
    "XML": ("imei", f"<d><imei>{IMEI}</imei></d>".encode()),
    "without check digit": ("imei", f"imei={IMEI[:-1]}&x=1".encode()),
    "multipart": (
        "imei",
        b'--b\r\nContent-Disposition: form-data; name="dev"\r\n\r\n' + IMEI.encode() + b"\r\n--b--",
    ),
    "with hyphens": ("mac", f"mac={MAC.replace(':', '-')}".encode()),
    "octets": ("mac", b"\7" + bytes.fromhex(_digits(MAC)) + b"\7"),
    **{
        f"base64, shifted by {shift}": (
            "ssid",
            b'{"p":"' + base64.b64encode(b"x" * shift + SSID.encode() + b"yz") + b'"}',
        )
        for shift in range(3)
    },
    "base64 for URLs": ("email", base64.urlsafe_b64encode(b"~~~???" + EMAIL.encode())),
    "hex": ("ssid", _json(SSID.encode().hex().upper())),
    "gzip": ("email", gzipped(_json(EMAIL) * 3)),
    "zlib": ("email", zlib.compress(_json(EMAIL) * 3)),
    "zstd": ("email", zstandard.compress(_json(EMAIL) * 3)),
    "gzip in base64": (
        "email",
        _json(base64.b64encode(gzipped(_json(EMAIL))).decode()),
    ),
    "base64 of upper case": ("android", _json(base64.b64encode(ANDROID.upper().encode()).decode())),
    "base64 in a URL": (
        "imei",
        b"q=" + quote(base64.b64encode(_json(IMEI)).decode(), safe="").encode(),
    ),
    "protobuf in gzip": (
        "account",
        gzipped(_protobuf(3, b"\x10" + varint(int(ACCOUNT))) * 4),
    ),
    "decimal degrees": ("place", b'{"lat":43.6527,"lon":-79.3470}'),
    "degrees in a URL": ("place", b"GET /w?ll=43.65107,-79.34702&z=1 HTTP/1.1\r\n\r\n"),
    "degrees times 1,000,000": ("place", b'{"latE6":43652700,"lonE6":-79347015}'),
    "degrees in protobuf": (
        "place",
        b"\x09" + struct.pack("<d", 43.6511) + b"\x11" + struct.pack("<d", -79.3471),
    ),
    "degrees times 10,000,000 in protobuf": (
        "place",
        b"\x0d" + struct.pack("<i", 436510700) + b"\x15" + struct.pack("<i", -793470150),
    ),
    "geohash": ("place", b'{"g":"dpz866mm"}'),
    "piece of a file": ("file", b"--b\r\n\r\n" + PLANTED[:1_500]),
    "piece of a file in base64": ("file", _json(base64.b64encode(PLANTED).decode())),
}
"""How each identifier may be sent: whose it is, and the octets."""
