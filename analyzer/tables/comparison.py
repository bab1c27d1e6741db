# Held by tests/test_house.py: the contract: described, and validated in every run.
"""Two sides or a series of versions, compared."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column, time_column
from phonehome.analyzer.tables.phases import STATES

SIDES = ("base", "new")

ALL_STATES = "all"

DIMENSIONS = ("country", "asn", "organisation", "domain", "host", "app", "service", "phase")

CHANGES = ("new", "gone", "more", "less", "same", "not comparable")

CANNOT_TELL = "cannot tell"

FINDINGS = ("new", "gone", "moved", "more", "less")

JUDGED = (*FINDINGS, "same", CANNOT_TELL)

UNTOLD = ("few", "chance", "unobserved", "exposure", "direction")

TESTS = ("presence", "volume", "place", "sameness")

TRAITS = ("service", "tls_version", "ja3", "ja4", "beacon")


class Repetitions(dy.Schema):
    """One row per observation of a side of a comparison: a capture, or a saved analysis.

    A saved analysis is one repetition, however many captures it was made from: its uploads are
    not kept per capture. Sorted by side and repetition.
    """

    side = dy.String(
        nullable=False, primary_key=True, check=lambda word: word.is_in(SIDES), description="Side."
    )
    repetition = dy.Int64(
        nullable=False, primary_key=True, min=1, description="Number in its side, from 1."
    )
    name = dy.String(nullable=False, description="File name, or name of the folder of results.")
    is_saved = dy.Bool(nullable=False, description="A saved analysis.")
    captures = dy.Int64(nullable=False, min=1, description="Captures in it; of a capture 1.")
    sha256 = dy.List(dy.String(), nullable=False, description="SHA-256 of each capture, hex.")
    timelines = dy.List(
        dy.String(), nullable=False, description="Names of its timelines. Empty: none."
    )
    timelines_sha256 = dy.List(
        dy.String(), nullable=False, description="Their SHA-256. Of a saved analysis none are kept."
    )
    timeline_source = dy.String(
        nullable=True,
        check=lambda word: word.is_in(("given", "beside", "saved")),
        description="given: by the user; beside: found beside the capture; saved: used by the "
        "saved analysis. Null: there is no timeline.",
    )
    phone_addresses = dy.List(dy.String(), nullable=False, description="Taken as the phone.")
    packets = count_column("Packets read.")
    first_time = time_column("Earliest packet. Null: no packet has a time.")
    last_time = time_column("Latest packet. Null: no packet has a time.")
    up_unique_bytes = count_column("Uploaded: payload bytes up, each counted once.")
    is_damaged = dy.Bool(nullable=False, description="Part of it could not be read.")


class Exposures(dy.Schema):
    """One row per repetition and state, and one for `all`. Sorted by side, repetition, state."""

    side = dy.String(
        nullable=False, primary_key=True, check=lambda word: word.is_in(SIDES), description="Side."
    )
    repetition = dy.Int64(nullable=False, primary_key=True, min=1, description="Repetition.")
    state = dy.String(
        nullable=False,
        primary_key=True,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in that state."
    )
    up_unique_bytes = count_column("Uploaded in that state.")


class ComparedDatabases(dy.Schema):
    """One row per side and database that placed its addresses. Sorted by side and position."""

    side = dy.String(nullable=False, check=lambda word: word.is_in(SIDES), description="Side.")
    position = dy.Int64(nullable=False, min=1, description="Place in the order asked, from 1.")
    name = dy.String(nullable=False, description="Short name.")
    kind = dy.String(nullable=False, description="What its records say.")
    data_date = dy.Date(nullable=True, description="Day of the data. Null: unknown.")
    sha256 = dy.String(nullable=False, description="SHA-256 of the file.")
    licence = dy.String(nullable=True, description="Licence. Null: unknown.")
    attribution = dy.String(nullable=True, description="What the licence demands. Null: unknown.")
    attribution_url = dy.String(nullable=True, description="Where to. Null: unknown.")


def _rate(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, description=description)


def _p_value(description: str) -> dy.Float64:
    return dy.Float64(nullable=True, min=0, max=1, description=description)


def _verdict() -> dy.String:
    return dy.String(
        nullable=False,
        check=lambda word: word.is_in(JUDGED),
        description="What can be said: new, gone, moved, more, less: a finding, at a false "
        "discovery rate of 5 % over all tests of this comparison; same; cannot tell.",
    )


def _needed() -> dy.Int64:
    return dy.Int64(
        nullable=True,
        min=2,
        description="Repetitions a side from which on this could be a finding, if as large a part "
        "of all tests came out as clearly. Null: the reason is not `few`, or more than 60.",
    )


class Changes(dy.Schema):
    """One row per key and state in which either side exchanged a packet with it.

    A key is a country, ASN, organisation, domain, host, app or service; `phase` is a host in the
    phases of one label, where a state has several. A rate is bytes uploaded over the time observed
    in that state, of all repetitions of a side. `change` describes what was measured; `verdict`
    says what of it can be told from chance. Sorted by dimension, key, state, label.
    """

    dimension = dy.String(
        nullable=False, check=lambda word: word.is_in(DIMENSIONS), description="What `key` is."
    )
    key = dy.String(
        nullable=True,
        description="ISO 3166-1 code; `AS` and number; name; host (of phases too), or the address "
        "where no name was seen. Null: it is not known.",
    )
    holder = dy.String(nullable=True, description="Holder of the ASN. Null: unknown, or no ASN.")
    is_named = dy.Bool(nullable=True, description="Host: `key` is a name. Null: no host.")
    state = dy.String(
        nullable=False,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    label = dy.String(nullable=True, description="Phase: its label. Null: no phase.")
    change = dy.String(
        nullable=False,
        check=lambda word: word.is_in(CHANGES),
        description="new, gone: packets on that side alone, in that state; more, less: the rate "
        "differs by more than `same_within` of the larger one; same: it does not; not comparable: "
        "a side did not observe that state.",
    )
    verdict = _verdict()
    reason = dy.String(
        nullable=True,
        check=lambda word: word.is_in(UNTOLD),
        description="Why it cannot be told. few: even the clearest result of so few repetitions "
        "comes by chance too often; chance: this one does; unobserved: a side did not observe that "
        "state; exposure: it did, for less than half as long; direction: the mean grew and most "
        "repetitions fell, or the other way round. Null: it can be told.",
    )
    needed_repetitions = _needed()
    test = dy.String(
        nullable=True,
        check=lambda word: word.is_in(TESTS),
        description="What `p_value` is of. presence: in how many repetitions (Fisher, exact); "
        "volume: rates (permutation of repetitions, of mean logarithms); place: countries and "
        "ASNs (permutation); sameness: that rates differ by `same_within` or more. Null: none.",
    )
    p_value = _p_value("How often chance alone gives as much. Null: nothing could be tested.")
    q_value = _p_value(
        "The same, corrected for all tests (Benjamini-Hochberg). Null: too few repetitions for a "
        "p-value of 0.05, so that the test is in no family; or sameness."
    )
    base_up_unique_bytes = count_column("Base: uploaded.")
    new_up_unique_bytes = count_column("New: uploaded.")
    base_exposure = dy.Duration(nullable=False, time_unit="ns", description="Base: observed.")
    new_exposure = dy.Duration(nullable=False, time_unit="ns", description="New: observed.")
    base_up_unique_bytes_per_hour = _rate("Base: rate. Null: nothing was observed.")
    new_up_unique_bytes_per_hour = _rate("New: rate. Null: nothing was observed.")
    ratio = _rate("New rate over base rate. Null: base has none, or it is 0.")
    ratio_low = _rate(
        "Lower end of its 95 % interval, by resampling repetitions. Null: a side has fewer than 2, "
        "or is 0."
    )
    ratio_high = _rate("Upper end. Null: as above, or there is none, for base may be 0.")
    base_flows_per_hour = _rate("Base: flows with packets, per hour. Null: as the rate.")
    new_flows_per_hour = _rate("New: flows with packets, per hour. Null: as the rate.")
    base_repetitions = count_column("Base: repetitions that observed the state.")
    new_repetitions = count_column("New: repetitions that observed the state.")
    base_seen_in = count_column("Base: of those, how many exchanged a packet with it.")
    new_seen_in = count_column("New: of those, how many exchanged a packet with it.")
    base_least_per_hour = _rate("Base: lowest rate of a repetition. Null: as the rate.")
    base_most_per_hour = _rate("Base: highest rate of a repetition. Null: as the rate.")
    new_least_per_hour = _rate("New: lowest rate of a repetition. Null: as the rate.")
    new_most_per_hour = _rate("New: highest rate of a repetition. Null: as the rate.")
    is_overlapping = dy.Bool(
        nullable=True,
        description="The ranges from lowest to highest rate of both sides share a value. Null: a "
        "side has fewer than two repetitions in that state, so nobody knows its spread.",
    )
    base_countries = dy.List(
        dy.String(), nullable=True, description="Host: its countries. Null: no host."
    )
    new_countries = dy.List(
        dy.String(), nullable=True, description="Host: its countries. Null: no host."
    )
    base_asns = dy.List(dy.Int64(), nullable=True, description="Host: its ASNs. Null: no host.")
    new_asns = dy.List(dy.Int64(), nullable=True, description="Host: its ASNs. Null: no host.")
    is_moved = dy.Bool(
        nullable=True,
        description="Host on both sides: its addresses differ, and so do their countries or ASNs. "
        "Null: no host, or not on both sides.",
    )
    remark = dy.String(
        nullable=True, description="What to know before believing the row. Null: nothing."
    )


class Traits(dy.Schema):
    """One row per host that both sides met, and value of a trait that it had on either.

    Tested as changes are, by presence. Sorted by key, trait, value.
    """

    key = dy.String(nullable=False, description="Host, or the address where no name was seen.")
    trait = dy.String(
        nullable=False,
        check=lambda word: word.is_in(TRAITS),
        description="service; tls_version: that the server chose; ja3, ja4: fingerprints of what "
        "opened its connections; beacon: state in which its contacts are clearly periodic.",
    )
    value = dy.String(nullable=False, description="Value.")
    change = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("new", "gone", "same")),
        description="new, gone: on that side alone; same: on both, however often.",
    )
    verdict = _verdict()
    needed_repetitions = _needed()
    p_value = _p_value(
        "How often chance alone gives as much (Fisher, exact). Null: as in `changes`."
    )
    q_value = _p_value("The same, corrected for all tests. Null: as in `changes`.")
    base_repetitions = count_column("Base: repetitions that met the host.")
    new_repetitions = count_column("New: repetitions that met the host.")
    base_seen_in = count_column("Base: of those, how many saw this value.")
    new_seen_in = count_column("New: of those, how many saw this value.")


class Versions(dy.Schema):
    """One row per key, state and version of a series: what it sent, of zero where it sent nothing.

    Sorted by dimension, key, state, version.
    """

    dimension = dy.String(
        nullable=False,
        check=lambda word: word.is_in(DIMENSIONS),
        description="What `key` is; as in `changes`.",
    )
    key = dy.String(nullable=True, description="As in `changes`. Null: it is not known.")
    state = dy.String(
        nullable=False,
        check=lambda word: word.is_in((ALL_STATES, *STATES)),
        description="State, or `all`.",
    )
    version = dy.Int64(nullable=False, min=1, description="Number of the version, from 1.")
    label = dy.String(nullable=False, description="What it is called.")
    up_unique_bytes = count_column("Uploaded.")
    exposure = dy.Duration(nullable=False, time_unit="ns", description="Time observed.")
    up_unique_bytes_per_hour = _rate("Rate. Null: nothing was observed.")
    seen_in = count_column("Repetitions that exchanged a packet with it.")
    repetitions = count_column("Repetitions that observed the state for any time; of `all`, each.")
