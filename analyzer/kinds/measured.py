# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""Reasons and remarks in tables: why a place is believed or not, why a clock cannot be told."""

from phonehome.analyzer.kinds.statement import Kind

TOO_FAR = Kind(
    "distance_and_round_trip",
    5,
    "a round trip of {time} ms reaches {reach} km at most, and {country} is {distance} km or more "
    "from {place}",
)
OPINIONS = Kind("two_reasons", 5, "{opinion}; {checked}")
RELAY = Kind(
    "relay_hint",
    4,
    "handshakes are answered within {handshake} ms, but none of {requests} requests sooner than "
    "{answer} ms: bytes may stop here on their way, and answers come from farther",
    requests="number",
)
NO_ROUTER = Kind(
    "no_router",
    5,
    "every handshake was answered with a hop limit of {limit}, as it leaves a machine, although "
    "they took {low} to {high} ms: no router was passed, so something near the phone answers for "
    "the servers",
)
SAME_HOPS = Kind(
    "same_hops",
    5,
    "the handshakes of {addresses} addresses in {networks} networks were all answered with a hop "
    "limit of {limit}, although they took {low} to {high} ms: one and the same machine seems to "
    "answer for the servers",
    addresses="count",
)
CLOCKS_DIFFER = Kind("clocks_differ", 5, "they differ by {seconds} s")
CLOCK_FITS = Kind("clock_fits", 5, "anything from {low} to {high} s fits")
FEW_BURSTS = Kind("few_bursts", 5, "fewer than {count} bursts")
MANY_SPANS = Kind("many_spans", 5, "more than {count} spans")
FEW_NAMES = Kind("few_names", 5, "fewer than {count} names agree on an offset")
COARSE = Kind(
    "coarse_buckets",
    5,
    "counted in buckets of {bucket} min, longer than the {observed} min observed: right only if "
    "--poll was asked for right before and right after the capture",
)
NOT_DECODED = Kind("label_not_decoded", 5, "a label begins with {prefix} and cannot be decoded")
LOOKS_LIKE = Kind("looks_like", 5, "looks like {name}")
MIXES = Kind("mixes_scripts", 5, "mixes {scripts}")
REMARKS = Kind("several_remarks", 5, "{remarks}", remarks="series")
