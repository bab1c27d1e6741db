"""The scope of an address: public, or one of the ranges that never name a place.

The ranges are those of the IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and
its updates), IPv4 multicast (RFC 5771), and what RFC 4291 says of IPv6. Where a registry range
lies inside another, the longer prefix wins.

Four kinds of IPv6 address hold an IPv4 address, and are decided here:

- IPv4-mapped, `::ffff:0:0/96` (RFC 4291, 2.5.5.2), NAT64 with the well-known prefix,
  `64:ff9b::/96` (RFC 6052), and 6to4, `2002::/16` (RFC 3056), stand for that IPv4 address:
  scope and lookup are those of the IPv4 address. Phones on IPv6-only mobile networks reach
  every IPv4 server through NAT64, so its place must not be lost.
- Teredo, `2001::/32` (RFC 4380), holds a helper's and a household's address: scope `tunnel`.
- NAT64 for local use, `64:ff9b:1::/48` (RFC 8215), is laid out as its operator likes, so the
  IPv4 address in it cannot be found: scope `translation`. The same is true of an operator's
  own prefix, which looks like any global address and cannot be told from one.
- IPv4-compatible, `::/96` (RFC 4291, 2.5.5.1), is deprecated: scope `reserved`.
"""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from phonehome.geo.errors import AddressError, excerpt

RANGES_V4 = {
    "0.0.0.0/0": "global",
    "0.0.0.0/8": "reserved",  # this network, RFC 791
    "0.0.0.0/32": "unspecified",  # RFC 1122
    "10.0.0.0/8": "private",  # RFC 1918
    "100.64.0.0/10": "shared",  # carrier-grade NAT, RFC 6598
    "127.0.0.0/8": "loopback",  # RFC 1122
    "169.254.0.0/16": "link_local",  # RFC 3927
    "172.16.0.0/12": "private",  # RFC 1918
    "192.0.0.0/24": "reserved",  # IETF protocol assignments, RFC 6890
    "192.0.0.9/32": "global",  # PCP anycast, RFC 7723
    "192.0.0.10/32": "global",  # TURN anycast, RFC 8155
    "192.0.2.0/24": "documentation",  # TEST-NET-1, RFC 5737
    "192.88.99.0/24": "reserved",  # 6to4 relay anycast, withdrawn by RFC 7526
    "192.168.0.0/16": "private",  # RFC 1918
    "198.18.0.0/15": "benchmarking",  # RFC 2544
    "198.51.100.0/24": "documentation",  # TEST-NET-2, RFC 5737
    "203.0.113.0/24": "documentation",  # TEST-NET-3, RFC 5737
    "224.0.0.0/4": "multicast",  # RFC 5771
    "240.0.0.0/4": "reserved",  # RFC 1112
    "255.255.255.255/32": "broadcast",  # RFC 919
}
"""Scope of each IPv4 range. AS112 (192.31.196.0/24, 192.175.48.0/24) and AMT (192.52.193.0/24)
are in the registry as globally reachable, and so need no line."""

RANGES_V6 = {
    "::/0": "reserved",  # unassigned, RFC 4291
    "2000::/3": "global",  # RFC 4291
    "::/128": "unspecified",  # RFC 4291
    "::1/128": "loopback",  # RFC 4291
    "64:ff9b:1::/48": "translation",  # NAT64 for local use, RFC 8215
    "2001::/23": "reserved",  # IETF protocol assignments, RFC 2928
    "2001::/32": "tunnel",  # Teredo, RFC 4380
    "2001:1::1/128": "global",  # PCP anycast, RFC 7723
    "2001:1::2/128": "global",  # TURN anycast, RFC 8155
    "2001:1::3/128": "global",  # DNS-SD SRP anycast, RFC 9665
    "2001:2::/48": "benchmarking",  # RFC 5180
    "2001:3::/32": "global",  # AMT, RFC 7450
    "2001:4:112::/48": "global",  # AS112, RFC 7535
    "2001:20::/28": "global",  # ORCHIDv2, RFC 7343
    "2001:30::/28": "global",  # drone remote identification, RFC 9374
    "2001:db8::/32": "documentation",  # RFC 3849
    "3fff::/20": "documentation",  # RFC 9637
    "fc00::/7": "unique_local",  # RFC 4193
    "fe80::/10": "link_local",  # RFC 4291
    "fec0::/10": "site_local",  # deprecated by RFC 3879, still seen
    "ff00::/8": "multicast",  # RFC 4291
}
"""Scope of each IPv6 range. Discard-only 100::/64 (RFC 6666), the dummy prefix 100:0:0:1::/64
(RFC 9780) and SRv6 segments 5f00::/16 (RFC 9602) lie outside 2000::/3, and are reserved."""

_MAPPED = inet_pton(AF_INET6, "::ffff:0:0")[:12]
_NAT64 = inet_pton(AF_INET6, "64:ff9b::")[:12]
_SIX_TO_FOUR = inet_pton(AF_INET6, "2002::")[:2]
V4_BYTES = 4


def packed(text: str) -> bytes:
    """The 4 or 16 bytes of an address.

    Raises:
        AddressError: The text is no IPv4 or IPv6 address; the message quotes it. A zone
            (`fe80::1%wlan0`) belongs to one computer, not to the address, and is refused.
    """
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the text
        raise AddressError(
            f"address: expected an IPv4 or IPv6 address, got '{excerpt(text)}'"
        ) from error


def short_text(address: bytes) -> str:
    """The short text form of a packed address (RFC 5952), with IPv4-mapped ones as ::ffff:1.2.3.4.

    IPv4-compatible and IPv4-mapped addresses end in dotted form, as `inet_ntop` writes them.
    """
    return inet_ntop(AF_INET if len(address) == V4_BYTES else AF_INET6, address)


def lookup_address(address: bytes) -> bytes:
    """The packed address that stands for this one: the IPv4 address inside it, or itself."""
    if len(address) == V4_BYTES:
        return address
    if address[:12] in (_MAPPED, _NAT64):
        return address[12:]
    if address[:2] == _SIX_TO_FOUR:
        return address[2:6]
    return address


def packed_scope(address: bytes) -> str:
    """The scope of a packed address, one of `geo.tables.SCOPES`."""
    inner = lookup_address(address)
    starts, names = _V4 if len(inner) == V4_BYTES else _V6
    return names[bisect_right(starts, inner) - 1]


def scope(address: str) -> str:
    """The scope of an address in text form, one of `geo.tables.SCOPES`.

    Raises:
        AddressError: The text is no IPv4 or IPv6 address.
    """
    return packed_scope(packed(address))


def _cut(ranges: Iterable[tuple[IPv4Network | IPv6Network, str]]) -> tuple[list[bytes], list[str]]:
    """Non-overlapping stretches of the address space: where each starts, and its scope.

    Every edge of a range starts a stretch; the longest range around that edge names it.
    """
    longest_first = sorted(ranges, key=lambda pair: -pair[0].prefixlen)
    width = longest_first[0][0].max_prefixlen
    edges = {int(network.network_address) for network, _ in longest_first}
    edges |= {int(network.broadcast_address) + 1 for network, _ in longest_first}
    starts = sorted(edge for edge in edges if edge < 2**width)
    names = [
        next(
            name
            for network, name in longest_first
            if int(network.network_address) <= start <= int(network.broadcast_address)
        )
        for start in starts
    ]
    return [start.to_bytes(width // 8, "big") for start in starts], names


_V4 = _cut((ip_network(text), name) for text, name in RANGES_V4.items())
_V6 = _cut((ip_network(text), name) for text, name in RANGES_V6.items())
