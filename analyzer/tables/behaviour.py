# Held by tests/test_house.py: the contract: described, and validated in every run.
"""What an app does over time: rates, bursts, beacons, stretches."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column, time_column
from phonehome.analyzer.tables.phases import STATES


class Rates(dy.Schema):
    """One row per state that was observed and country or host, and one for all of the state.

    Of a state and dimension up to 300 keys, most bytes first; totals are in the row for `all`.
    """

    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phone."
    )
    dimension = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("all", "country", "host")),
        description="What `key` is.",
    )
    key = dy.String(
        nullable=True,
        description="ISO 3166-1 code; host, or address where it has no name. Null: all, or no "
        "country is known.",
    )
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Time that was observed in that state."
    )
    up_unique_bytes = count_column("Uploaded in that state.")
    down_unique_bytes = count_column("Payload bytes down in that state, each counted once.")
    up_packets = count_column("Packets from the phone in that state.")
    flows = count_column("Flows with packets in that state.")
    remotes = count_column("Addresses that it exchanged packets with.")
    destinations = count_column("Hosts of those, and addresses without a name.")
    up_unique_bytes_per_hour = dy.Float64(
        nullable=False, min=0, description="Uploaded per hour of that state."
    )
    low_per_hour = dy.Float64(
        nullable=True,
        description="Lower end of its 95 % interval, bytes per hour, by block bootstrap over "
        "time. Null: see remark.",
    )
    high_per_hour = dy.Float64(
        nullable=True, description="Upper end, bytes per hour. Null: as above."
    )
    blocks = count_column("Blocks of time that the interval is drawn from.")
    block = dy.Duration(nullable=False, time_unit="ns", description="About how long each is.")
    first_met = dy.String(
        nullable=True,
        check=lambda word: word.is_in(STATES),
        description="State in which the host was met first. Null: no host.",
    )
    remark = dy.String(nullable=True, description="Why there is no interval. Null: there is one.")


class Bursts(dy.Schema):
    """One row per burst: uploads of an app in one phase with no pause of more than 5 s.

    Sorted by capture and begin. Bytes are those of packets with a time.
    """

    burst = dy.Int64(nullable=False, primary_key=True, description="Number of the burst, from 1.")
    capture = dy.String(nullable=False, description="File name of its capture.")
    phase = dy.Int64(nullable=False, description="Its phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phase."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    start = time_column("Time of its first packet.", nullable=False)
    end = time_column("Time of its last packet.", nullable=False)
    up_unique_bytes = count_column("Uploaded in it.")
    up_packets = count_column("Packets that carried that.")
    size = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("heartbeat", "message", "photo", "large")),
        description="By bytes alone: heartbeat below 4,000 (a TLS hello and a short message), "
        "message below 35,625 (a minute of the slowest speech codec), photo below 915,000 (as "
        "messengers shrink them, or up to ten minutes of speech), large.",
    )
    names = dy.List(
        dy.String(),
        nullable=False,
        description="Hosts, or addresses, that it went to, most bytes first, up to 8.",
    )
    flows = dy.List(
        dy.Int64(), nullable=False, description="Flows that carried it, up to 100 by number."
    )
    flow_count = dy.Int64(nullable=False, min=1, description="How many flows carried it.")
    preceded_by = dy.String(
        nullable=True,
        description="Host or address whose payload came last before it, within 10 s. Null: none.",
    )
    preceding_flow = dy.Int64(nullable=True, description="Flow of that payload. Null: as above.")
    preceded = dy.Duration(
        nullable=True, time_unit="ns", description="How long before. Null: as above."
    )
    since_phase = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the begin of the phase to it. Null: the phase has no begin.",
    )
    first_frame = dy.Int64(nullable=False, min=1, description="Its first frame.")
    last_frame = dy.Int64(nullable=False, min=1, description="Its last frame.")


class Beacons(dy.Schema):
    """One row per state, app, name and service whose contacts are periodic.

    Clear ones first, then by beats. What nobody answered is left out, and so is DNS.
    """

    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phone."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    host = dy.String(nullable=True, description="Its host. Null: no name was seen.")
    remote_addresses = dy.List(
        dy.String(),
        nullable=False,
        description="Addresses that bore the name in these contacts, up to 100.",
    )
    service = dy.String(nullable=True, description="tls, quic, http, … Null: not recognised.")
    period = dy.Duration(
        nullable=False, time_unit="ns", description="From beat to beat, as fits best."
    )
    beats = dy.Int64(nullable=False, min=3, description="Contacts that count.")
    missed = count_column("Beats that did not come between them.")
    jitter = dy.Duration(
        nullable=False,
        time_unit="ns",
        description="Mean distance of the intervals from whole periods.",
    )
    score = dy.Float64(nullable=False, description="1: exact; 0: as contacts that come by chance.")
    confidence = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("clear", "weak")),
        description="clear: of 10,000 trains of so many contacts by chance one looks so; weak: of "
        "200.",
    )
    bytes_per_beat = dy.Float64(
        nullable=False,
        description="Bytes uploaded per beat, in mean; other contacts count for none.",
    )
    up_unique_bytes = count_column("Uploaded in these contacts.")
    flows = dy.Int64(nullable=False, min=1, description="Flows that carried them.")
    first_time = time_column("Begin of the first.", nullable=False)
    last_time = time_column("End of the last.", nullable=False)
    capture = dy.String(nullable=False, description="Capture of the first.")
    first_frame = dy.Int64(nullable=False, min=1, description="Its first frame there.")


class Stretches(dy.Schema):
    """One row per busy or quiet stretch of the observed time, inferred from traffic alone.

    No state of the phone: see docs/timelines.md for the rule. In order of time.
    """

    stretch = dy.Int64(nullable=False, primary_key=True, description="Number, from 1.")
    activity = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("busy", "quiet")),
        description="busy: contacts without a pause of two minutes that carried 20,000 bytes or "
        "more, both ways, 100 a second in mean, with three remotes or more, or 100,000 bytes at "
        "1,000 a second; quiet: all else.",
    )
    source = dy.String(nullable=False, description="inferred: no log says so.")
    start = time_column("Begin.", nullable=False)
    end = time_column("End.", nullable=False)
    up_unique_bytes = count_column("Uploaded in contacts that began in it.")
    down_unique_bytes = count_column("Payload bytes down in those, each counted once.")
