"""What each flow of a benchmark capture says in readable form: its first messages."""

import numpy as np

from benchmarks import payloads
from benchmarks.certificates import certificate
from benchmarks.plan import Flows, Kind

SEGMENT = 1_388  # payload bytes of a full segment of a mobile network
NOISE = 112  # random bytes of each flow


def _message_pair(flows: Flows, flow: int, noise: bytes) -> tuple[bytes, bytes]:
    """What the phone says first in a flow, and what the remote answers."""
    name = flows.names[flows.name[flow]]
    kind = flows.kind[flow]
    if kind == Kind.TLS:
        hello = payloads.client_hello(name, noise, is_hybrid=noise[0] < 26)
        return hello, _server_flight(name, noise)
    if kind == Kind.QUIC:
        return payloads.quic_initial(name, noise), b""
    if kind == Kind.HTTP:
        return payloads.http_request(name, flow), payloads.http_response(noise * 6, 1 << 30)
    if kind == Kind.DNS:
        return _question_pair(flows, flow, name, noise)
    return b"", b""


def _server_flight(name: str, noise: bytes) -> bytes:
    """What a TLS server says first: in one of seven flows TLS 1.2, else TLS 1.3."""
    if noise[2] < 37:
        chain = [certificate(name), certificate("issuing-ca.example")]
        return payloads.server_hello_with_certificate(noise, chain)
    return payloads.server_hello(noise, encrypted_bytes=600 + 2 * noise[1])


def _question_pair(flows: Flows, flow: int, name: str, noise: bytes) -> tuple[bytes, bytes]:
    """A DNS question for the host of a later flow, and an answer with its address."""
    asked = flows.asks_for[flow]
    is_v6 = bool(flows.is_v6[asked])
    address = flows.addresses[flows.remote[asked]].tobytes()[: 16 if is_v6 else 4]
    number = int.from_bytes(noise[:2], "big")
    alias = f"{name}.cdn{noise[2] % 20}.plexora.net" if noise[3] < 80 else None
    query = payloads.dns_query(name, number, is_v6=is_v6)
    return query, payloads.dns_response(name, number, [address], alias)


def messages(seed: int, flows: Flows) -> list[bytes]:
    """Three messages a flow: the phone's first, its continuation, the remote's answer.

    A first message that is longer than a segment continues in the second; a flow that
    says nothing readable has empty ones.
    """
    noise = np.random.default_rng([seed, 2]).bytes(NOISE * len(flows.kind))
    found = []
    for flow in range(len(flows.kind)):
        first, answer = _message_pair(flows, flow, noise[NOISE * flow : NOISE * (flow + 1)])
        found += [first[:SEGMENT], first[SEGMENT:], answer]
    return found
