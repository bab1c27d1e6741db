# Held by tests/test_house.py: the contract: described, and validated in every run.
"""When the phone was active or idle, and what was uploaded then."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column, time_column

STATES = ("active", "background", "idle", "unknown")


class Phases(dy.Schema):
    """One row per span of time with a label and a state. Sorted by `phase`."""

    phase = dy.Int64(nullable=False, primary_key=True, description="Number of the phase, from 1.")
    label = dy.String(nullable=False, description="What happened, in the words of its source.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of phone and app."
    )
    start = time_column("Begin, included. Null: no packet in it has a time.")
    end = time_column("End, excluded (of the last stretch included). Null: as for start.")
    source = dy.String(
        nullable=False,
        description="UploadsOverTime file and line; capture and frame of a comment; `uncovered`; "
        "`inferred`: from traffic alone; or `none`.",
    )
    exposure = dy.Duration(
        nullable=False,
        time_unit="ns",
        description="Part of it that captures observed: from their first packet to their last, "
        "without more than a day in which none has a flow.",
    )


class Uploads(dy.Schema):
    """One row per phase, app and remote with traffic of the phone to a public remote.

    Sorted by phase, then bytes uploaded (most first), then address.
    """

    phase = dy.Int64(nullable=False, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="Its state."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    remote_address = dy.String(nullable=False, description="Address of the remote.")
    host = dy.String(nullable=True, description="Its best name. Null: none was seen.")
    country = dy.String(nullable=True, description="First opinion. Null: none.")
    asn = dy.Int64(nullable=True, description="Autonomous system. Null: unknown.")
    as_org = dy.String(nullable=True, description="Its holder. Null: unknown.")
    organisation = dy.String(nullable=True, description="Who runs the host. Null: not known.")
    organisation_country = dy.String(
        nullable=True, description="Where its parent has its headquarters. Null: not known."
    )
    party = dy.String(
        nullable=True, description="What it is to the app, as in `flows`. Null: as above."
    )
    up_packets = count_column("Packets up.")
    down_packets = count_column("Packets down.")
    up_wire_bytes = count_column("Bytes on the wire, up.")
    down_wire_bytes = count_column("Bytes on the wire, down.")
    up_ip_bytes = count_column("IP bytes, up.")
    down_ip_bytes = count_column("IP bytes, down.")
    up_payload_bytes = count_column("Payload bytes, up.")
    down_payload_bytes = count_column("Payload bytes, down.")
    up_unique_bytes = count_column("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = count_column("Payload bytes down, each counted once.")
    exposure = dy.Duration(
        nullable=False, time_unit="ns", description="Part of the phase that captures observed."
    )
    up_unique_bytes_per_hour = dy.Float64(
        nullable=True, description="Uploaded per hour of exposure. Null: no time was observed."
    )


class FlowPhases(dy.Schema):
    """One row per phase and flow of the phone that had packets in it: `uploads` by flow.

    Joined to `flows`, it says what any kind of flow sent in any state. Sorted by flow, then phase.
    """

    flow = dy.Int64(nullable=False, primary_key=True, description="Its flow.")
    phase = dy.Int64(nullable=False, primary_key=True, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of that phase."
    )
    up_packets = count_column("Packets up.")
    down_packets = count_column("Packets down.")
    up_unique_bytes = count_column("Uploaded: payload bytes up, each counted once.")
    down_unique_bytes = count_column("Payload bytes down, each counted once.")


class UploadsOverTime(dy.Schema):
    """One row per bin of time, phase, app, country and organisation with traffic of the phone.

    Bins are all of one width, the smallest of 1, 2, 4, … seconds that needs at most 4,096 for
    everything that the captures hold, other devices included, and that splits what each capture's
    conversations sent into no more than 300,000 pieces, unless 256 bins are enough for it.
    Its sum is the ledger's: packets without a time stand in the row whose `start` is null.
    """

    start = time_column("Begin of the bin. Null: packets without a time.")
    width = dy.Duration(nullable=False, time_unit="ns", description="Width of every bin.")
    phase = dy.Int64(nullable=False, description="Phase.")
    state = dy.String(
        nullable=False, check=lambda word: word.is_in(STATES), description="State of the phase."
    )
    app = dy.String(nullable=True, description="App. Null: the capture does not say.")
    country = dy.String(nullable=True, description="First opinion. Null: none.")
    organisation = dy.String(nullable=True, description="Who runs the host. Null: not known.")
    as_org = dy.String(nullable=True, description="Holder of the network. Null: unknown.")
    up_unique_bytes = count_column("Uploaded in the bin.")
    down_unique_bytes = count_column("Payload bytes down in the bin, each counted once.")


class Moments(dy.Schema):
    """One row per flow of the phone, phase and bin of the timeline with uploads.

    The timeline before its flows are added up: who got what in a span of time. Packets without a
    time are in no row.
    """

    flow = dy.Int64(nullable=False, description="Flow.")
    phase = dy.Int64(nullable=False, description="Phase.")
    start = time_column("Begin of the bin.", nullable=False)
    up_unique_bytes = dy.Int64(nullable=False, min=1, description="Uploaded in the bin.")


class Clocks(dy.Schema):
    """One row per capture and kind of evidence: how far the timelines' clock is off the capture's.

    In the order of the captures.
    """

    capture = dy.String(nullable=False, description="File name of the capture.")
    evidence = dy.String(
        nullable=False,
        check=lambda word: word.is_in(("hellos", "names", "bursts", "given")),
        description="hellos: the phone states its clock in hellos of TLS or MMTLS (a log of the "
        "phone has the same clock); names: that an App Privacy Report lists and the capture shows; "
        "bursts: uploads that follow the screen coming on; given: by the user.",
    )
    events = count_column("Hellos, names or bursts that it rests on.")
    offset = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="To be added to times of the timelines. Null: see remark.",
    )
    low = dy.Duration(
        nullable=True, time_unit="ns", description="Lower end of its interval. Null: see remark."
    )
    high = dy.Duration(nullable=True, time_unit="ns", description="Upper end. Null: as above.")
    remark = dy.String(nullable=True, description="Why it cannot be told. Null: it can.")
    is_applied = dy.Bool(nullable=False, description="The timelines were moved by it.")
