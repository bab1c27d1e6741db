# Held by tests/test_house.py: the contract: described, and validated in every run.
"""Where addresses are, and how far that holds."""

from datetime import timedelta

import dataframely as dy
import polars as pl

VERDICTS = ("consistent", "disputed", "impossible", "unverifiable")


class Places(dy.Schema):
    """One row per remote address of the phone's and of local flows: what is known of its place."""

    address = dy.String(nullable=False, primary_key=True, description="The remote address.")
    scope = dy.String(nullable=False, description="global, private, link_local, shared, …")
    country = dy.String(
        nullable=True, description="First database's opinion. Null: not public, or no opinion."
    )
    registered_country = dy.String(
        nullable=True, description="Country of registration. Null: no database says."
    )
    asn = dy.Int64(nullable=True, description="Autonomous system. Null: unknown.")
    as_org = dy.String(nullable=True, description="Its holder. Null: unknown.")
    holder = dy.String(
        nullable=True, description="Company behind the system. Null: not in the table of holders."
    )
    holder_country = dy.String(
        nullable=True, description="Country of that company's head office. Null: as for holder."
    )
    holder_kind = dy.String(
        nullable=True,
        description="What the system is for: cloud, cdn, dns, platform, service or carrier. Null: "
        "as for holder.",
    )
    is_anycast = dy.Bool(
        nullable=True, description="Announced from many places. Null: no database says."
    )
    opinions = dy.List(
        dy.Struct({"database": dy.String(), "country": dy.String(nullable=True)}),
        nullable=True,
        description="Each country database and what it says. Null: not public.",
    )
    agreement = dy.Int64(
        nullable=True, description="How many databases share the first opinion. Null: none."
    )
    rtt_floor = dy.Duration(
        nullable=True, time_unit="ns", description="Shortest round trip seen. Null: none usable."
    )
    relay_hint = dy.String(
        nullable=True,
        description="A hint that what answers handshakes only relays: how soon it answers, and how "
        "late requests are answered. Null: none.",
    )
    verdict = dy.String(
        nullable=True,
        check=lambda word: word.is_in(VERDICTS),
        description="How far the country can be believed. Null: there is no country to judge.",
    )
    reason = dy.String(nullable=True, description="Why that verdict. Null: no verdict.")


class RoundTrips(dy.Schema):
    """One row per remote address whose distance could be asked for: the shortest round trip."""

    address = dy.String(nullable=False, primary_key=True, description="The remote address.")
    rtt_floor = dy.Duration(
        nullable=True,
        time_unit="ns",
        min=timedelta(0),
        description="Shortest round trip seen. Null: none is usable.",
    )
    rtt_problem = dy.String(
        nullable=True,
        description="Why no round trip is usable. Null: one is.",
    )
    relay_hint = dy.String(
        nullable=True,
        description="What late answers suggest: that bytes are relayed. Null: nothing.",
    )

    @dy.rule()
    def one_or_the_other(cls) -> pl.Expr:  # noqa: N805 - dataframely passes the class
        """A round trip, or why there is none."""
        return pl.col("rtt_floor").is_null() != pl.col("rtt_problem").is_null()
