# Held by tests/analyzer/clock/test_second_pass.py: puts modules together.
"""How the phone behaved over time: rates, bursts, beacons, and stretches inferred from traffic."""

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from phonehome.analyzer.behaviour.beacons import beacons
from phonehome.analyzer.behaviour.bursts import bursts
from phonehome.analyzer.behaviour.busy_and_quiet import stretches
from phonehome.analyzer.behaviour.rates import rates
from phonehome.analyzer.flows.apps import is_alone
from phonehome.analyzer.flows.contacts import of_phone
from phonehome.analyzer.tables import Beacons, Bursts, Rates, Stretches
from phonehome.analyzer.timeline.phases import merged_spans


@dataclass(frozen=True)
class Behaviour:
    """What contacts over time show."""

    rates: dy.DataFrame[Rates]
    bursts: dy.DataFrame[Bursts]
    beacons: dy.DataFrame[Beacons]
    stretches: dy.DataFrame[Stretches]


def behaviour(  # noqa: PLR0913 - every table that it comes from
    *,
    app: str | None,
    contacts: pl.DataFrame,
    pause: int,
    per_phase: pl.DataFrame,
    flows: pl.DataFrame,
    uploads: pl.DataFrame,
    phases: pl.DataFrame,
    spans: list[tuple[int, int]],
) -> Behaviour:
    """What contacts over time show; rates are of the app under test, where flows have apps.

    Args:
        app: app under test.
        contacts: flow, phase, is_up, start, last, unique_bytes, packets, first_ and last_frame.
        pause: ns that part two contacts.
        per_phase: flow, phase and its first_time in it.
        flows: all flows.
        uploads: as `tables.Uploads`.
        phases: as `tables.Phases`.
        spans: time that captures observed, ns.
    """
    observed = merged_spans(spans)
    met = of_phone(contacts, flows, phases)
    counted, sent, own = met, uploads, met.flows
    if app is not None and is_alone(app, own["app"]):
        counted, sent = met.of_app(app), uploads.filter(pl.col("app").eq_missing(app))
        own = counted.flows
    first = per_phase.select("flow", "phase", "first_time").join(
        own.select("flow", "host", "remote_address", "country"), on="flow"
    )
    return Behaviour(
        rates=rates(counted, sent, first, phases, observed),
        bursts=bursts(met, phases),
        beacons=beacons(met, pause),
        stretches=stretches(met.contacts, observed),
    )
