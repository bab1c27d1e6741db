"""What a recording holds, counted a second way: slowly, with `struct` and sets, on final frames.

Nothing of phonehome is used here. Unique bytes are literally a set: one element per sequence
number that carried payload. A byte counts in the phase in which it was first seen.
"""

import ipaddress
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sample.app import Tally
from sample.plan import PHONE_IPV4, PHONE_IPV6, PLANTED, Destination, Plan

_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PHONE = frozenset({PHONE_IPV4, PHONE_IPV6})
_ETHERNET_HEADER = 14
_PROTOCOLS = {6: "tcp", 17: "udp", 58: "icmp6"}
OUTCOMES = (
    "attributed", "local", "bystander", "non_ip", "duplicate", "malformed", "cut", "fragment",
    "limit",
)  # fmt: skip
COUNTS = tuple(
    f"{way}_{what}"
    for what in ("packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes")
    for way in ("up", "down")
)
_SERVICES = {
    "https": "tls", "push": "tls", "certificate": "tls", "http": "http", "httpdns": "http",
    "quic": "quic", "binary": None,
}  # fmt: skip


End = tuple[str, int | None]
Key = tuple[str, End, End]


@dataclass(frozen=True)
class Seen:
    """One IP packet, taken apart."""

    frame: int
    time_ns: int
    protocol: str
    source: End
    target: End
    wire_bytes: int
    ip_bytes: int
    ip_header_bytes: int
    transport_header_bytes: int
    payload_bytes: int
    sequence: int | None


@dataclass
class Conversation:
    """What one flow carried; `numbers` are the sequence numbers seen, by direction."""

    role: str
    packets: list[Seen] = field(default_factory=list)
    numbers: dict[bool, set[int]] = field(default_factory=lambda: {True: set(), False: set()})


def instant_ns(moment: datetime) -> int:
    """Nanoseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def text_of(time_ns: int) -> str:
    """ISO 8601 in UTC with nine digits, whatever the capture's resolution."""
    moment = _EPOCH + timedelta(seconds=time_ns // _NS)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % _NS:09d}Z"


def take_apart(number: int, time_ns: int, frame: bytes) -> Seen | None:
    """The packet in an Ethernet frame; null if it is no IP packet."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[_ETHERNET_HEADER:]
    if kind == 0x0800:  # noqa: PLR2004 - IPv4's EtherType
        start, length = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        protocol, source, target = packet[9], packet[12:16], packet[16:20]
    elif kind == 0x86DD:  # noqa: PLR2004 - IPv6's EtherType
        start, length = 40, 40 + struct.unpack_from("!H", packet, 4)[0]
        protocol, source, target = packet[6], packet[8:24], packet[24:40]
    else:
        return None
    ports: tuple[int | None, int | None] = (None, None)
    sequence, header = None, 0
    if protocol in (6, 17):
        ports = struct.unpack_from("!HH", packet, start)
        header = 8
    if protocol == 6:  # noqa: PLR2004 - TCP's number
        header = (packet[start + 12] >> 4) * 4
        is_syn = packet[start + 13] >> 1 & 1
        sequence = struct.unpack_from("!I", packet, start + 4)[0] + is_syn
    return Seen(
        frame=number,
        time_ns=time_ns,
        protocol=_PROTOCOLS[protocol],
        source=(str(ipaddress.ip_address(source)), ports[0]),
        target=(str(ipaddress.ip_address(target)), ports[1]),
        wire_bytes=len(frame),
        ip_bytes=length,
        ip_header_bytes=start,
        transport_header_bytes=header,
        payload_bytes=length - start - header,
        sequence=sequence,
    )


def outcome(seen: Seen) -> str:
    """The ledger's word for an IP packet of a sample; everything here is whole and unique.

    `local` if an end is multicast or broadcast, or the phone talks to a private address;
    `bystander` if neither end is the phone; else `attributed`.
    """
    ends = {seen.source[0], seen.target[0]}
    addresses = [ipaddress.ip_address(end) for end in ends]
    if "255.255.255.255" in ends or any(address.is_multicast for address in addresses):
        return "local"
    if not ends & _PHONE:
        return "bystander"
    return "attributed" if any(address.is_global for address in addresses) else "local"


def truth(
    plan: Plan, frames: Sequence[tuple[int, bytes]], tallies: Mapping[tuple[str, int | None], Tally]
) -> dict[str, Any]:
    """The truth of one capture as it is written beside it; docs/samples.md explains each field.

    Raises:
        ValueError: a socket's count and the packets' count of unique bytes differ.
    """
    ledger = {name: {"packets": 0, "wire_bytes": 0} for name in OUTCOMES}
    conversations: dict[Key, Conversation] = {}
    for number, (time_ns, frame) in enumerate(frames, start=1):
        seen = take_apart(number, time_ns, frame)
        name = outcome(seen) if seen else "non_ip"
        ledger[name]["packets"] += 1
        ledger[name]["wire_bytes"] += len(frame)
        if seen:
            _join(conversations, seen, name)
    parts: Counter[str] = Counter()
    rows: dict[tuple[str, str, int | None], dict[int | None, Counter[str]]] = {}
    flows = [_flow(key, talk, plan, rows, parts) for key, talk in conversations.items()]
    return {
        "format": "phonehome sample truth 1",
        "app": "Parrot",
        "version": plan.version,
        "repetition": plan.repetition,
        "first_time": text_of(frames[0][0]),
        "last_time": text_of(frames[-1][0]),
        "packets": len(frames),
        "wire_bytes": sum(len(frame) for _, frame in frames),
        "phone_addresses": sorted(_PHONE),
        "phone_location": "Toronto, CA",
        "phases": [
            {
                "phase": number,
                "start": text_of(_planned(plan, phase.start)),
                "end": text_of(_planned(plan, phase.end)),
                "state": phase.state,
                "label": phase.label,
            }
            for number, phase in enumerate(plan.phases)
        ],
        "ledger": ledger,
        "attributed_bytes": dict(sorted(parts.items())),
        "flow_counts": dict(sorted(Counter(str(flow["role"]) for flow in flows).items())),
        "flows": flows,
        "destinations": [
            _destination(destination, rows, tallies, plan)
            for destination in sorted(plan.destinations, key=lambda one: one.host)
        ],
        "names": _names(plan),
        "countries": sorted({destination.opinions[0] for destination in plan.destinations}),
        "planted": PLANTED,
    }


def _join(talks: dict[Key, Conversation], seen: Seen, name: str) -> None:
    """Adds a packet to its flow; the phone is the local end, else whoever spoke first."""
    local, remote = seen.source, seen.target
    key = (seen.protocol, local, remote)
    back = (seen.protocol, remote, local)
    if back in talks or (key not in talks and remote[0] in _PHONE):
        key = back
    role = "phone" if name == "attributed" else name
    talks.setdefault(key, Conversation(role)).packets.append(seen)


def _fresh(talk: Conversation, seen: Seen, *, is_up: bool) -> int:
    """Payload bytes of this packet that the flow had not carried in this direction before."""
    if seen.sequence is None:
        return seen.payload_bytes
    first = seen.sequence
    numbers = {(first + offset) % (1 << 32) for offset in range(seen.payload_bytes)}
    fresh = numbers - talk.numbers[is_up]
    talk.numbers[is_up] |= fresh
    return len(fresh)


def _flow(
    key: Key,
    talk: Conversation,
    plan: Plan,
    rows: dict[tuple[str, str, int | None], dict[int | None, Counter[str]]],
    parts: Counter[str],
) -> dict[str, Any]:
    """The row of one flow; its packets are added to the destination's phases and to the parts."""
    protocol, local, remote = key
    total: Counter[str] = Counter()
    for seen in talk.packets:
        is_up = seen.source == local
        unique = _fresh(talk, seen, is_up=is_up)
        counts = _counts(seen, unique, is_up=is_up)
        total.update(counts)
        if talk.role == "phone":
            by_phase = rows.setdefault((protocol, *remote), defaultdict(Counter))
            by_phase[phase_at(plan, seen.time_ns)].update(counts)
            parts.update(_parts(seen, unique))
    return {
        "role": talk.role,
        "protocol": protocol,
        "local_address": local[0],
        "local_port": local[1],
        "remote_address": remote[0],
        "remote_port": remote[1],
        "first_time": text_of(talk.packets[0].time_ns),
        "last_time": text_of(talk.packets[-1].time_ns),
        "first_frame": talk.packets[0].frame,
        "last_frame": talk.packets[-1].frame,
        **_all(total),
    }


def _counts(seen: Seen, unique: int, *, is_up: bool) -> dict[str, int]:
    way = "up" if is_up else "down"
    return {
        f"{way}_packets": 1,
        f"{way}_wire_bytes": seen.wire_bytes,
        f"{way}_ip_bytes": seen.ip_bytes,
        f"{way}_payload_bytes": seen.payload_bytes,
        f"{way}_unique_bytes": unique,
    }


def _parts(seen: Seen, unique: int) -> dict[str, int]:
    return {
        "link_header": seen.wire_bytes - seen.ip_bytes,
        "ip_header": seen.ip_header_bytes,
        "transport_header": seen.transport_header_bytes,
        "payload_first": unique,
        "payload_again": seen.payload_bytes - unique,
    }


def _all(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in COUNTS}


def phase_at(plan: Plan, time_ns: int) -> int | None:
    """The number of the phase at a time; null outside the timeline."""
    for number, phase in enumerate(plan.phases):
        if _planned(plan, phase.start) <= time_ns < _planned(plan, phase.end):
            return number
    return None


def _planned(plan: Plan, seconds: float) -> int:
    return instant_ns(plan.start) + round(seconds * _NS)


def _destination(
    destination: Destination,
    rows: Mapping[tuple[str, str, int | None], Mapping[int | None, Counter[str]]],
    tallies: Mapping[tuple[str, int | None], Tally],
    plan: Plan,
) -> dict[str, Any]:
    """One server: what it is, and per phase what the packets and the sockets say of it."""
    protocol = "udp" if destination.kind == "quic" else "tcp"
    by_phase = rows[protocol, destination.address, destination.port]
    phases = []
    total: Counter[str] = Counter()
    for number in sorted(by_phase, key=lambda phase: -1 if phase is None else phase):
        counts = _all(by_phase[number])
        tally = tallies[destination.host, number]
        counted = (counts["up_unique_bytes"], counts["down_unique_bytes"])
        if counted != (tally.socket_up_bytes, tally.socket_down_bytes):
            raise ValueError(
                f"{destination.host}: phase {number}: expected {tally}, got {counted} in packets"
            )
        total.update(counts)
        state = "unknown" if number is None else plan.phases[number].state
        phases.append({"phase": number, "state": state, **counts, **asdict(tally)})
    is_named = destination.source is not None
    return {
        "host": destination.host if is_named else None,
        "host_source": destination.source,
        "address": destination.address,
        "port": destination.port,
        "protocol": protocol,
        "service": _SERVICES[destination.kind],
        "country": destination.opinions[0],
        "opinions": {"dbip": destination.opinions[0], "ipfire": destination.opinions[1]},
        "asn": destination.asn,
        "rtt_ms": destination.rtt_ms,
        "hop_limit": destination.hop_limit,
        "total": _all(total),
        "phases": phases,
    }


def _names(plan: Plan) -> list[dict[str, Any]]:
    """Each way in which the capture shows that an address bears a name, once."""
    found: list[dict[str, Any]] = []
    for one in plan.destinations:
        if one.lookup is not None:
            source = "httpdns" if one.lookup == "httpdns" else "dns"
            found.append({"address": one.address, "port": None, "name": one.host, "source": source})
        if one.source not in (None, "dns", "httpdns"):
            found.append(
                {"address": one.address, "port": one.port, "name": one.host, "source": one.source}
            )
    return sorted(found, key=lambda row: (str(row["name"]), str(row["source"])))
