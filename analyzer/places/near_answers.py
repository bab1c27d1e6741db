"""What near the phone answers for the servers, so that round trips measure the way to that.

Signs, in this order: who made the capture and the phone's own address, acknowledgements far faster
than handshakes, handshakes far faster than requests, and hop limits. A machine sends its packets
with a hop limit of 64, 128 or 255, and each router on the way takes one: what servers in several
places send arrives with several, and none of it as it was sent.
"""

import ipaddress

import polars as pl

from phonehome.analyzer.kinds.measured import NO_ROUTER, SAME_HOPS

VPN_APP = "a VPN app on the phone made this capture, and handshakes were answered by the app itself"
EMULATOR = "an emulator's own network answers handshakes for the servers"
NEAR_ANSWERS = (
    "data were acknowledged far faster than handshakes were answered: something near the phone "
    "acknowledges for the servers"
)
NEAR_HANDSHAKES = (
    "every handshake was answered at once, and every request far later: something near the phone "
    "answers handshakes for the servers"
)
VPN_SOURCES = ("pcapdroid_trailer", "pcapdroid_comment")
VPN_ADDRESSES = "10.215.173."  # PCAPdroid's own network
EMULATOR_ADDRESSES = "10.0.2."  # of QEMU's user networking, and so of Android's emulator
NEEDED = pl.col(
    "app_source",
    "local_address",
    "remote_address",
    "trip",
    "acknowledged",
    "answered",
    "handshake_hop_limit",
)
AS_SENT = (64, 128, 255)
LEAST_FLOWS = 3
LEAST_REMOTES = 5
LEAST_REMOTES_UNROUTED = 3
LEAST_NETWORKS = 3
DIFFERENT = 2
FAR_FASTER = 4
NEAR_MS = 10.0
LATE_MS = 30.0


def terminator(flows: pl.DataFrame) -> str | None:
    """Why no handshake of this capture can be used; None: they can.

    Args:
        flows: of the phone, in one capture: `NEEDED`.
    """
    if flows["app_source"].is_in(VPN_SOURCES).any() or _any_like(flows, VPN_ADDRESSES):
        return VPN_APP
    if _any_like(flows, EMULATOR_ADDRESSES):
        return EMULATOR
    timed = flows.filter(pl.col("trip").is_not_null(), pl.col("acknowledged").is_not_null())
    seen = timed.filter(_ms("trip") >= NEAR_MS)
    fast = seen.filter(pl.col("acknowledged") * FAR_FASTER < pl.col("trip"))
    if fast.height >= LEAST_FLOWS and 2 * fast.height > seen.height:
        return NEAR_ANSWERS
    return _answered_at_once(timed) or _same_hops(flows)


def _answered_at_once(timed: pl.DataFrame) -> str | None:
    """Whether handshakes of many remotes are answered at once, and requests far later."""
    late = timed.filter(pl.col("answered").is_not_null())
    is_near = (_ms("trip") < NEAR_MS) & (_ms("answered") > LATE_MS)
    is_far_later = pl.col("answered") > FAR_FASTER * pl.col("trip")
    if (
        late["remote_address"].n_unique() >= LEAST_REMOTES
        and late.select((is_near & is_far_later).all()).item()
    ):
        return NEAR_HANDSHAKES
    return None


def _same_hops(flows: pl.DataFrame) -> str | None:
    """Whether what answers for all remotes is as many routers away as one machine would be."""
    met = flows.filter(pl.col("trip").is_not_null(), pl.col("handshake_hop_limit").is_not_null())
    limits = met["handshake_hop_limit"].unique()
    if limits.len() != 1:
        return None
    remotes = met.group_by("remote_address").agg(_ms("trip").min())
    hops, trips = limits[0], remotes["trip"].sort().round(1)
    if remotes.height >= LEAST_REMOTES_UNROUTED and hops in AS_SENT:
        return NO_ROUTER(limit=hops, low=trips[0], high=trips[-1])
    networks = {_network(address) for address in remotes["remote_address"]}
    if (
        remotes.height >= LEAST_REMOTES
        and len(networks) >= LEAST_NETWORKS
        and trips[-1] >= DIFFERENT * trips[0]
    ):
        return SAME_HOPS(
            addresses=remotes.height,
            networks=len(networks),
            limit=hops,
            low=trips[0],
            high=trips[-1],
        )
    return None


def _network(address: str) -> str:
    """The first 16 bits of an address of IPv4, 32 of IPv6: coarser than most networks are."""
    if ":" not in address:
        return address.rpartition(".")[0].rpartition(".")[0]
    return ipaddress.ip_address(address).exploded[:9]


def _ms(column: str) -> pl.Expr:
    return pl.col(column).dt.total_nanoseconds() / 1e6


def _any_like(flows: pl.DataFrame, begin: str) -> bool:
    return any(address.startswith(begin) for address in flows["local_address"].unique())
