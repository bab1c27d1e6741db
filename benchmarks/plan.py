"""The flows of a benchmark capture: who talks to whom, when, and in which protocol.

Everything is drawn from one seed. Flows depend on the seed and on their number alone,
so captures of different length can hold the same flows.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

HOUR = 3_600_000_000  # microseconds
START = 1_750_000_000_000_000  # 2025-06-15, microseconds since 1970
DNS_SHARE = 0.25  # of the conversations, how many are preceded by a question
REMOTES_V4 = 2_700
REMOTES_V6 = 300
NAMES = 1_500
FIRST_PORT = 1_024
PORTS = 65_536 - FIRST_PORT
RESOLVERS = ("192.168.43.1", "8.8.8.8", "223.5.5.5", "1.1.1.1")
V4_FIRST_OCTETS = (8, 13, 20, 23, 34, 35, 43, 47, 52, 54, 101, 104, 119, 129, 142, 157, 162)
V6_PREFIXES = ("24024e00", "24081234", "260019a0", "26064700", "2a001450", "2a032880")
BRANDS = ("kolamo", "tirvani", "zuneva", "plexora", "wendari", "ostrelo", "yumika", "brantis")
SERVICES = ("api", "cdn", "img", "log", "push", "edge", "cfg", "login", "video", "ads", "sync")
SUFFIXES = ("com", "net", "com.cn", "cn", "io", "co.uk", "app", "com.br")


class Kind(IntEnum):
    """What a flow speaks."""

    TLS = 0
    QUIC = 1
    HTTP = 2
    OPAQUE_TCP = 3
    OPAQUE_UDP = 4
    DNS = 5


KIND_SHARES = (0.80, 0.10, 0.04, 0.04, 0.02)  # of all flows but DNS
PORT_OF_KIND = np.array([443, 443, 80, 14_000, 10_000, 53])


@dataclass(frozen=True, slots=True)
class Flows:
    """One entry per flow in every array; flows that answer a question follow it by index.

    Attributes:
        kind: what the flow speaks, a `Kind`.
        is_v6: whether it runs over IPv6.
        remote: row of `addresses`.
        remote_port: port of the remote.
        local_port: port of the phone.
        start: first packet, microseconds since 1970.
        duration: last packet less first packet, microseconds.
        round_trip: microseconds between a packet and its answer.
        weight: share of the packets that the flow gets, in any unit.
        up_share: probability that a piece of bulk data goes up.
        name: row of `names`.
        asks_for: for DNS, the flow whose host it asks for; itself otherwise.
        addresses: packed remote addresses, 16 bytes a row, IPv4 in the first four.
        names: host names.
    """

    kind: np.ndarray
    is_v6: np.ndarray
    remote: np.ndarray
    remote_port: np.ndarray
    local_port: np.ndarray
    start: np.ndarray
    duration: np.ndarray
    round_trip: np.ndarray
    weight: np.ndarray
    up_share: np.ndarray
    name: np.ndarray
    asks_for: np.ndarray
    addresses: np.ndarray
    names: list[str]


def _addresses(rng: np.random.Generator) -> np.ndarray:
    """Packed addresses: distinct IPv4 remotes, distinct IPv6 remotes, then the resolvers."""
    rows = np.zeros((REMOTES_V4 + REMOTES_V6 + len(RESOLVERS), 16), np.uint8)
    tails = rng.choice(1 << 24, REMOTES_V4, replace=False)
    rows[:REMOTES_V4, 0] = rng.choice(V4_FIRST_OCTETS, REMOTES_V4)
    for column, shift in ((1, 16), (2, 8), (3, 0)):
        rows[:REMOTES_V4, column] = tails >> shift & 0xFF
    v6 = rows[REMOTES_V4 : REMOTES_V4 + REMOTES_V6]
    v6[:] = rng.integers(0, 256, v6.shape, np.uint8)
    prefixes = np.array([list(bytes.fromhex(prefix)) for prefix in V6_PREFIXES], np.uint8)
    v6[:, :4] = prefixes[rng.integers(0, len(prefixes), REMOTES_V6)]
    for row, resolver in zip(rows[-len(RESOLVERS) :], RESOLVERS, strict=True):
        row[:4] = [int(part) for part in resolver.split(".")]
    return rows


def _names(rng: np.random.Generator) -> list[str]:
    """Distinct invented host names under real public suffixes."""
    pick = rng.integers(0, 1 << 30, (NAMES, 3))
    return [
        f"{SERVICES[a % len(SERVICES)]}{number}.{BRANDS[b % len(BRANDS)]}{b % 40}"
        f".{SUFFIXES[c % len(SUFFIXES)]}"
        for number, (a, b, c) in enumerate(pick.tolist())
    ]


def _remotes(rng: np.random.Generator, is_v6: np.ndarray, local_port: np.ndarray) -> np.ndarray:
    """A remote for each conversation, a few of them popular, no address and port pair twice.

    A remote is moved on by one until remote and local port are unique, since the same
    pair would be the same flow.
    """
    pool = np.where(is_v6, REMOTES_V6, REMOTES_V4)
    rank = np.floor(rng.random(len(pool)) ** 2 * pool).astype(np.int64)
    while True:
        remote = np.where(is_v6, REMOTES_V4, 0) + rank
        key = remote * 65_536 + local_port
        _, first = np.unique(key, return_index=True)
        is_repeat = np.ones(len(key), bool)
        is_repeat[first] = False
        if not is_repeat.any():
            return remote
        rank = np.where(is_repeat, (rank + 1) % pool, rank)


def _local_ports(count: int, taken_each_round: int) -> np.ndarray:
    """Ports that climb from the first one and start over when they are used up."""
    return FIRST_PORT + np.arange(count, dtype=np.int64) // taken_each_round % PORTS


def draw_flows(seed: int, count: int) -> Flows:
    """The flows of a capture of one hour.

    Four of five are conversations, the rest are the DNS questions before a quarter of
    them.

    Raises:
        ValueError: more flows are wanted than there are ports for questions.
    """
    questions = round(count * DNS_SHARE / (1 + DNS_SHARE))
    if questions > PORTS * len(RESOLVERS):
        raise ValueError(f"flows: expected at most {5 * PORTS * len(RESOLVERS)}, got {count}")
    talks = count - questions
    rng = np.random.default_rng([seed, 1])
    addresses, names = _addresses(rng), _names(rng)
    talk_v6 = rng.random(talks) < 0.10
    talk_port = _local_ports(talks, 1)
    talk_remote = _remotes(rng, talk_v6, talk_port)
    talk_start = START + rng.integers(1_000_000, HOUR * 95 // 100, talks)
    longest = START + HOUR - talk_start
    asked = np.sort(rng.choice(talks, questions, replace=False))
    round_trip = rng.lognormal(np.log(60_000), 0.7, count).clip(4_000, 800_000).astype(np.int64)
    kind = np.full(count, Kind.DNS)
    kind[:talks] = rng.choice(len(KIND_SHARES), talks, p=KIND_SHARES)
    start = np.concatenate([talk_start, talk_start[asked] - round_trip[talks:] - 1_000])
    lasting = np.minimum(rng.lognormal(np.log(20e6), 1.6, talks).astype(np.int64), longest)
    resolver = REMOTES_V4 + REMOTES_V6 + np.arange(questions) % len(RESOLVERS)
    remote = np.concatenate([talk_remote, resolver])
    host = remote[:talks] % NAMES  # two remotes share a name, as servers of one host do
    return Flows(
        kind=kind,
        is_v6=np.concatenate([talk_v6, np.zeros(questions, bool)]),
        remote=remote,
        remote_port=PORT_OF_KIND[kind],
        local_port=np.concatenate([talk_port, _local_ports(questions, len(RESOLVERS))]),
        start=start,
        duration=np.concatenate([lasting, round_trip[talks:]]),
        round_trip=round_trip,
        weight=rng.lognormal(0, 1.5, count),
        up_share=np.where(kind == Kind.HTTP, 0, np.where(rng.random(count) < 0.10, 0.85, 0.05)),
        name=np.concatenate([host, host[asked]]),
        asks_for=np.concatenate([np.arange(talks), asked]),
        addresses=addresses,
        names=names,
    )
