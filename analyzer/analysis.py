"""The one place that calls the rooms in order: captures, geo, and then the analyzer itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dataframely as dy
import polars as pl

from phonehome import geo
from phonehome.analyzer.behaviour.over_time import behaviour
from phonehome.analyzer.claims.check import with_claims
from phonehome.analyzer.claims.file import read_claims
from phonehome.analyzer.clock.offset import clocks
from phonehome.analyzer.clock.second_pass import Judged, SecondLook, second_look, unmoved
from phonehome.analyzer.content.decryption import (
    Decrypted,
    Take,
    decrypted,
    decryption,
    decryption_notes,
)
from phonehome.analyzer.content.identifiers import Known, identifiers, read_identifiers, searched_up
from phonehome.analyzer.content.opaque_values import Values
from phonehome.analyzer.content.redaction import (
    REQUEST_TEXTS,
    requests_without_values,
    without_identifiers,
)
from phonehome.analyzer.content.tokens import tokens
from phonehome.analyzer.findings.amplification import amplification
from phonehome.analyzer.findings.completeness import completeness
from phonehome.analyzer.findings.phone_counters import Counted, Key, between, read_counters
from phonehome.analyzer.findings.run import READ_ONCE, SAME_FILE, notes
from phonehome.analyzer.findings.summary import summary
from phonehome.analyzer.findings.traffic import findings
from phonehome.analyzer.flows import details
from phonehome.analyzer.flows.apps import Apps, is_alone, owned, read_packages
from phonehome.analyzer.flows.client_software import software
from phonehome.analyzer.flows.contents import with_contents
from phonehome.analyzer.flows.encryption import with_encryption
from phonehome.analyzer.flows.file_order import order_of
from phonehome.analyzer.flows.hosts import hosts
from phonehome.analyzer.flows.ledger import ledger, violations
from phonehome.analyzer.flows.packet_sums import tally
from phonehome.analyzer.flows.pcapdroid_list import (
    Connections,
    connection_notes,
    read_connections,
    with_connections,
)
from phonehome.analyzer.flows.phone_address import phones
from phonehome.analyzer.flows.record_kinds import with_kinds
from phonehome.analyzer.flows.seen_from_phone import directed, flow_sums, seen_from_phone
from phonehome.analyzer.flows.segment_offload import with_estimate
from phonehome.analyzer.flows.server_choice import servers
from phonehome.analyzer.flows.unicode_names import with_unicode
from phonehome.analyzer.flows.uploads import flow_phases, over_time, uploads
from phonehome.analyzer.places.organisations import (
    Organisations,
    publisher_of,
    read_organisations,
    with_organisations,
)
from phonehome.analyzer.places.round_trips import round_trips, usable
from phonehome.analyzer.places.verdicts import judged, location_notes
from phonehome.analyzer.process_memory import give_back
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import Analysis, Flows, Ledger, Names, Oddities, Phones
from phonehome.analyzer.timeline.capture_gaps import bins_of, observed_spans, silence_note, silences
from phonehome.analyzer.timeline.line_oddities import odd_lines
from phonehome.analyzer.timeline.phases import CapturePhases, phases
from phonehome.analyzer.timeline.sources import PhoneStates, read_timelines
from phonehome.captures.decoding.sums import SECOND
from phonehome.captures.decryption.keylogs import read_keylogs
from phonehome.captures.decryption.plaintext import Opened
from phonehome.captures.errors import CaptureError
from phonehome.captures.files.find_captures import capture_files, capture_names
from phonehome.captures.files.hashing import Digests
from phonehome.captures.names.services import services
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Captures, Exchanges, Hits, Searched, Sightings
from phonehome.captures.tables import Oddities as FoundOddities

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class _Part:
    """What one capture gives, before anything is known of the others."""

    reading: Reading
    name: str
    phones: dy.DataFrame[Phones]
    flows: pl.DataFrame
    per_phase: pl.DataFrame
    bins: pl.DataFrame
    bin_seconds: int
    contacts: pl.DataFrame
    pause: int
    names: pl.DataFrame
    requests: pl.DataFrame
    values: Values
    certificates: pl.DataFrame
    mmtls: pl.DataFrame
    hellos: pl.DataFrame
    oddities: pl.DataFrame
    ledger: dy.DataFrame[Ledger]
    phases: CapturePhases
    codes: set[int]
    observed: list[tuple[int, int]]
    limits_hit: dict[str, int]
    found_connections: set[int]
    decrypted: Decrypted = field(default_factory=Decrypted)
    hits: pl.DataFrame = field(default_factory=Hits.create_empty)
    searched: pl.DataFrame = field(default_factory=Searched.create_empty)
    estimates: list[Judged] = field(default_factory=list)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Beside:
    """What is known beside the captures."""

    databases: list[geo.Database]
    organisations: Organisations
    location: geo.Location | None
    connections: Connections
    apps: Apps
    counted: dict[Key, Counted | None]
    known: Known


def analyze(
    paths: Sequence[str | Path],
    settings: Settings,
    *,
    progress: Progress | None = None,
    digests: Digests | None = None,
) -> Analysis:
    """All tables of these captures.

    Args:
        paths: files, directories, patterns, or `-` for standard input.
        settings: what the user asked for.
        progress: called now and then while captures are read.
        digests: digests of the files that may have been begun already.

    Raises:
        CaptureError: a path is no capture, or holds no packet.
        GeoError: a database, an address or the phone's place cannot be used.
        TimelineError: a timeline cannot be used.
        IdentifiersError: a list of identifiers cannot be used.
        PackagesError: a list of packages cannot be used.
        ConnectionsError: a list of connections cannot be used.
        CountersError: readings of the phone's counters cannot be used.
        OrganisationsError: a table of organisations cannot be used.
        KeylogError: a key log cannot be used.
        ClaimsError: a file of claims cannot be used, or a query in it cannot be answered.
    """
    files = capture_files(paths)
    names = capture_names(files)
    databases = geo.databases_in_use(settings.databases)
    location = geo.locate(settings.phone_location) if settings.phone_location is not None else None
    states = read_timelines(settings.timelines, settings.timezone, settings.app)
    states = replace(states, offset=round((settings.clock_offset or 0) * SECOND))
    apps = read_packages(settings.packages)
    connections = read_connections(settings.connections, settings.timezone)
    counters = [read_counters(path) for path in settings.counters]
    organisations = read_organisations(settings.organisations)
    keys = read_keylogs(settings.keylogs)
    known = read_identifiers(settings.identifiers)
    stated = read_claims(settings.claims, settings.idle_means)
    sizes = [0 if str(file) == "-" else _size(file) for file in files]
    parts = []
    for place, (file, name) in enumerate(zip(files, names, strict=True)):
        before, total = sum(sizes[:place]), sum(sizes)
        report = (
            (lambda done, before=before, total=total: progress(before + done, total))
            if (progress)
            else None
        )
        reading = Reading(file, settings.limits, digests, keys.mmtls, looker=known.looker)
        part = _part(reading, name, states, apps, connections, known, settings, report)
        look = _second_look(part, states, settings)
        estimates, remarks = look.estimates, tuple[str, ...]()
        if look.timeline is not None and str(file) == "-":
            estimates, remarks = unmoved(estimates), (READ_ONCE,)
        elif look.timeline is not None:
            reading = Reading(file, settings.limits, digests, keys.mmtls, looker=known.looker)
            part = _part(reading, name, look.timeline, apps, connections, known, settings, report)
        opened = decrypted(file, keys, part.reading, part.flows, settings.limits, _looking(part))
        parts.append(
            replace(
                part,
                decrypted=opened,
                hits=part.reading.hits(),
                searched=part.reading.searched(),
                estimates=estimates,
                notes=remarks,
            )
        )
    states.refuse_years(_span(part)[0] for part in parts)
    parts, repeated = _each_once(parts)
    if not sum(part.reading.packet_count for part in parts):
        raise CaptureError(f"{', '.join(map(str, files))}: no packet to analyse")
    counted = between(*counters) if counters else {}
    beside = _Beside(databases, organisations, location, connections, apps, counted, known)
    return with_claims(_whole(parts, repeated, settings, beside), stated)


def _looking(part: _Part) -> Take:
    """Looks into what keys opened of a capture: for identifiers, and for values nobody listed."""

    def take(piece: Opened, conversation: int | None) -> None:
        part.reading.search_opened(piece, conversation)
        if conversation is not None:
            is_from_b = part.reading.is_from_b(piece, conversation)
            part.values.look_into_opened(piece, conversation, is_from_b=is_from_b)

    return take


def _second_look(part: _Part, states: PhoneStates, settings: Settings) -> SecondLook:
    """What a capture that was read says of its phases."""
    if not (states.files or part.reading.marks() or settings.infer_phases):
        return SecondLook(None, [])
    return second_look(
        part.name,
        states,
        settings,
        span=part.reading.span(),
        flows=part.flows,
        contacts=part.contacts,
        marks=part.reading.marks(),
        hellos=part.hellos,
        mmtls=part.mmtls,
        names=part.names,
    )


def _each_once(parts: list[_Part]) -> tuple[list[_Part], list[str]]:
    """The captures without those that hold the same bytes as one before; and what was left out."""
    if len(parts) == 1:
        return parts, []  # without waiting for its hash
    known: dict[str, str] = {}
    kept, repeated = [], []
    for part in parts:
        digest = part.reading.sha256()
        if digest in known:
            repeated.append(SAME_FILE.format(part.name, known[digest]))
        else:
            known[digest] = part.name
            kept.append(part)
    return kept, repeated


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _part(  # noqa: PLR0913, PLR0917 - all that one capture is seen with
    reading: Reading,
    name: str,
    states: PhoneStates,
    apps: Apps,
    connections: Connections,
    known: Known,
    settings: Settings,
    report: Callable[[int], None] | None,
) -> _Part:
    """Read one capture to its end, and see it from the phone."""
    tallied = tally(reading, states, report)
    conversations = reading.conversations()
    said = reading.sightings(conversations)
    reading.search_names(said)
    values = Values()
    values.look_into(reading.request_parts())
    sightings, exchanges = _shown(said, reading.exchanges(), known, settings)
    ends = pl.concat([conversations["a_address"], conversations["b_address"]]).unique()
    scopes = {address: geo.scope(address) for address in ends}
    candidates = phones(name, conversations, tallied, scopes, settings.phones)
    phone = candidates.filter("is_phone")["address"].to_list()
    seen = seen_from_phone(conversations, scopes, phone).with_columns(
        services(conversations).alias("service")
    )
    per_phase = directed(seen, tallied.sides)
    flows = (
        seen.join(flow_sums(per_phase), on="conversation")
        .sort("conversation")
        .with_columns(pl.col("conversation").cast(pl.Int64).alias("flow"))
    )
    flows = flows.join(hosts(flows, sightings), on="flow", how="left", maintain_order="left")
    hellos = reading.hellos()
    flows = flows.join(software(hellos), on="conversation", how="left", maintain_order="left")
    chosen = servers(reading.server_hellos())
    flows = flows.join(chosen, on="conversation", how="left", maintain_order="left")
    flows = with_estimate(with_kinds(with_contents(flows, reading.contents())))
    flows = with_encryption(flows, reading.contents(), reading.exchanges(), reading.mmtls_records())
    owners = owned(reading.owners(), apps)
    flows = flows.join(owners, on="conversation", how="left", maintain_order="left")
    flows, disagreeing, matched = with_connections(flows, connections, apps)
    flows = usable(flows)
    bins, contacts = (
        table.with_columns(is_up=table["is_from_b"] == _is_local_b(seen, table)).drop("is_from_b")
        for table in (tallied.bins, tallied.contacts)
    )
    named = sightings.join(
        seen.select("conversation", "a_address", "a_port", "b_address", "b_port"),
        on="conversation",
    ).with_columns(_other_end("address"), _other_end("port"))
    flows = flows.with_columns(pl.lit(name).alias("capture"))
    span = reading.span()
    return _Part(
        reading=reading,
        name=name,
        phones=Phones.cast(_unnamed(candidates, ["mac"], known, settings)),
        flows=flows,
        per_phase=per_phase,
        bins=bins,
        bin_seconds=tallied.width,
        contacts=contacts,
        pause=tallied.pause,
        names=named.with_columns(pl.lit(name).alias("capture")),
        requests=exchanges,
        values=values,
        certificates=_unnamed(
            reading.certificates(), ["subject", "issuer", "names"], known, settings
        ),
        mmtls=reading.mmtls_records(),
        hellos=hellos,
        oddities=pl.concat(
            [
                reading.oddities(),
                _on_owners(owners["changed_frame"].drop_nulls(), "owner_changed"),
                _on_owners(disagreeing["first_frame"], "connections_disagree"),
            ]
        ).with_columns(pl.lit(name).alias("capture")),
        ledger=ledger(name, seen, tallied),
        phases=tallied.phases,
        codes=set(tallied.sides["code"].unique()),
        observed=list(observed_spans(*span, silences(flows, bins_of(bins, tallied.width))))
        if span
        else [],
        limits_hit={
            **reading.limits_hit(),
            "contacts": tallied.contacts_left_out,
        },
        found_connections=matched,
    )


def _shown(
    sightings: dy.DataFrame[Sightings],
    exchanges: dy.DataFrame[Exchanges],
    known: Known,
    settings: Settings,
) -> tuple[dy.DataFrame[Sightings], dy.DataFrame[Exchanges]]:
    """Names and requests as they may be written."""
    names = _unnamed(sightings, ["name"], known, settings)
    said = _unnamed(exchanges, list(REQUEST_TEXTS), known, settings)
    plain = said if settings.is_revealed else requests_without_values(said)
    return Sightings.cast(names), Exchanges.cast(plain)


def _unnamed(
    table: pl.DataFrame, columns: list[str], known: Known, settings: Settings
) -> pl.DataFrame:
    """A table without the identifiers that are known, unless they are to be revealed."""
    return table if settings.is_revealed else without_identifiers(table, columns, known)


def _is_local_b(seen: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """Whether end b of the conversation of each row is the local one; `seen` has all, in order."""
    return seen["is_local_b"].gather(table["conversation"])


def _on_owners(frames: pl.Series, kind: str) -> dy.DataFrame[FoundOddities]:
    """What is odd about the owners of conversations, by frame."""
    return FoundOddities.cast(
        pl.DataFrame({"frame": frames}).select(
            "frame",
            pl.lit(None, dtype=pl.Int64).alias("offset"),
            pl.lit("app").alias("layer"),
            pl.lit(kind).alias("kind"),
            pl.lit(None, dtype=pl.Int64).alias("needed_bytes"),
            pl.lit(None, dtype=pl.Int64).alias("got_bytes"),
            pl.lit(1, dtype=pl.Int64).alias("count"),
        )
    )


def _other_end(what: str) -> pl.Expr:
    """The end of a sighting that does not bear the name: who asked, or who connected."""
    is_of_sender = pl.col("port").is_null() | (pl.col("source") == "certificate")
    is_a = pl.when(is_of_sender).then(pl.col("is_from_b")).otherwise(~pl.col("is_from_b"))
    return (
        pl.when(is_a)
        .then(pl.col(f"a_{what}"))
        .otherwise(pl.col(f"b_{what}"))
        .alias(f"local_{what}")
    )


def _whole(
    parts: list[_Part], repeated: list[str], settings: Settings, beside: _Beside
) -> Analysis:
    """Put the captures together by first packet, number flows and phases, and look places up."""
    give_back()
    given = parts
    parts = [parts[place] for place in order_of([_span(part)[0] for part in parts])]
    table, numbers = phases([(part.phases, part.observed, part.codes) for part in parts])
    offsets = [sum(part.flows.height for part in parts[:place]) + 1 for place in range(len(parts))]
    flows = pl.concat(
        [
            part.flows.with_columns(pl.col("conversation").cast(pl.Int64).add(offset).alias("flow"))
            for part, offset in zip(parts, offsets, strict=True)
        ]
    )
    flows = with_organisations(
        with_unicode(flows), beside.organisations, settings.publisher or publisher_of(settings.app)
    )
    remotes = flows.filter(pl.col("role") != "bystander")["remote_address"].unique()
    places = judged(geo.places(remotes, beside.databases), beside.location, round_trips(flows))
    flows = flows.join(
        places.select("address", "country", "asn", "as_org"),
        left_on="remote_address",
        right_on="address",
        how="left",
        maintain_order="left",
    ).with_columns(pl.lit(settings.version, dtype=pl.String).alias("version"))
    exported = Flows.validate(flows.select(Flows.column_names()))
    per_phase = _numbered([part.per_phase for part in parts], offsets, numbers)
    sent = uploads(per_phase, exported, table)
    timeline, moments = over_time(_numbered_bins(parts, offsets, numbers), exported, table)
    seen = behaviour(
        app=settings.app,
        contacts=_numbered([part.contacts for part in parts], offsets, numbers),
        pause=max((part.pause for part in parts), default=0),
        per_phase=per_phase,
        flows=exported,
        uploads=sent,
        phases=table,
        spans=[span for part in parts for span in part.observed],
    )
    clocked = clocks([judged for part in parts for judged in part.estimates])
    captures = _captures(parts)
    accounts = Ledger.validate(pl.concat([part.ledger for part in parts]))
    wrong = violations(accounts, captures=captures, flows=exported, uploads=sent, timeline=timeline)
    candidates = Phones.validate(pl.concat([part.phones for part in parts]))
    described = geo.databases_table(beside.databases)
    searched = _by_flow([part.searched for part in parts], offsets)
    records = details.mmtls(_by_flow([part.mmtls for part in parts], offsets), flows)
    opened = decryption(_by_flow([part.decrypted.table for part in parts], offsets), flows)
    limits_hit: dict[str, int] = {}
    for part in parts:
        for limit, count in (*part.limits_hit.items(), *part.decrypted.limits_hit.items()):
            if count:
                limits_hit[limit] = limits_hit.get(limit, 0) + count
        if part.values.left_out:
            limits_hit["tokens"] = limits_hit.get("tokens", 0) + part.values.left_out
    return Analysis(
        settings=settings,
        summary=summary(
            app=settings.app,
            idle_means=settings.idle_means,
            version=settings.version,
            captures=captures,
            flows=exported,
            places=places,
            phases=table,
            uploads=sent,
            is_balanced=not wrong,
            searched_up_bytes=searched_up(searched, opened, flows)
            if beside.known.identifiers
            else None,
        ),
        captures=captures,
        phones=candidates,
        flows=exported,
        names=_names(parts),
        requests=details.requests(_by_flow([part.requests for part in parts], offsets), flows),
        certificates=details.certificates(
            _by_flow([part.certificates for part in parts], offsets), flows
        ),
        mmtls=records,
        places=places,
        phases=table,
        uploads=sent,
        flow_phases=flow_phases(per_phase, exported, table),
        timeline=timeline,
        moments=moments,
        clocks=clocked,
        rates=seen.rates,
        bursts=seen.bursts,
        beacons=seen.beacons,
        stretches=seen.stretches,
        amplification=amplification(settings.sent, _counting(sent, settings.app), table),
        completeness=completeness(beside.counted, exported, beside.apps, _observed_seconds(parts)),
        identifiers=identifiers(
            _by_flow([part.hits for part in parts], offsets),
            flows.filter(pl.col("role") != "bystander"),
            table,
            beside.known,
            searched=int(searched["octets"].sum()),
            is_revealed=settings.is_revealed,
        ),
        tokens=tokens(
            _by_flow([part.values.table() for part in parts], offsets),
            flows.filter(
                pl.col("role") != "bystander",
                ~pl.col("remote_scope").is_in(("multicast", "broadcast")),  # a call to all around
            ),
            table,
            beside.known,
            is_revealed=settings.is_revealed,
        ),
        ledger=accounts,
        oddities=_oddities(parts),
        databases=described,
        limits_hit=limits_hit,
        decryption=opened,
        tshark=next((part.decrypted.version for part in parts if part.decrypted.version), None),
        keys_used=opened.filter("is_opened")["flow"].n_unique(),
        notes=(
            *repeated,
            *decryption_notes(opened, [(part.name, part.decrypted) for part in parts]),
            *(note for part in parts for note in part.notes),
            *(note for part in parts for note in silence_note(part.name, part.observed)),
            *location_notes(beside.location),
            *notes(
                settings,
                captures=_captures(given),
                phones=candidates,
                phases=table,
                databases=described,
                clocks=clocked,
                apps=exported.filter(role="phone")["app"],
            ),
            *connection_notes(
                beside.connections,
                set[int]().union(*(part.found_connections for part in parts)),
                exported.filter(role="phone"),
            ),
            *findings(
                flows.filter(role="phone"),
                records,
                set[str]().union(*(part.reading.hiding_names() for part in parts)),
            ),
            *wrong,
        ),
    )


def _counting(uploads: pl.DataFrame, app: str | None) -> pl.DataFrame:
    """The uploads of the app under test, where apps are known; else all."""
    if not is_alone(app, uploads["app"]):
        return uploads
    return uploads.filter(pl.col("app").eq_missing(app))


def _span(part: _Part) -> tuple[int | None, int | None]:
    return part.reading.span() or (None, None)


def _observed_seconds(parts: list[_Part]) -> float:
    """Time that the captures observed, all together."""
    return sum(last - first for part in parts for first, last in part.observed) / SECOND


def _captures(parts: list[_Part]) -> dy.DataFrame[Captures]:
    """What was read, in this order; waits for the hashes of the files."""
    rows = [part.reading.capture().with_columns(capture=pl.lit(part.name)) for part in parts]
    return Captures.validate(pl.concat(rows))


def _numbered(
    tables: list[pl.DataFrame], offsets: list[int], numbers: list[dict[int, int]]
) -> pl.DataFrame:
    """Rows by conversation and code of a capture as rows by flow and phase of all."""
    return pl.concat(
        [
            table.with_columns(
                pl.col("conversation").cast(pl.Int64).add(offset).alias("flow"),
                pl.col("code")
                .replace_strict(number or {0: 0}, default=None, return_dtype=pl.Int64)
                .alias("phase"),
            )
            for table, offset, number in zip(tables, offsets, numbers, strict=True)
        ]
    )


def _numbered_bins(
    parts: list[_Part], offsets: list[int], numbers: list[dict[int, int]]
) -> list[tuple[pl.DataFrame, int]]:
    """Of each capture its bins as rows by flow and phase of all, and their seconds."""
    return [
        (_numbered([part.bins], [offset], [number]).drop("conversation", "code"), part.bin_seconds)
        for part, offset, number in zip(parts, offsets, numbers, strict=True)
    ]


def _by_flow(tables: list[pl.DataFrame], offsets: list[int]) -> pl.DataFrame:
    """Rows by conversation of a capture as rows by flow of all."""
    return pl.concat(
        [
            table.with_columns(
                pl.col("conversation").cast(pl.Int64).add(offset).alias("flow")
            ).drop("conversation")
            for table, offset in zip(tables, offsets, strict=True)
        ]
    )


def _names(parts: list[_Part]) -> dy.DataFrame[Names]:
    named = pl.concat([part.names for part in parts])
    ordered = named.select(Names.column_names()).sort(
        "capture", "frame", "address", "port", "name", "source", nulls_last=True
    )
    return Names.validate(ordered)


def _oddities(parts: list[_Part]) -> dy.DataFrame[Oddities]:
    lines = odd_lines(odd for part in parts for odd in part.phases.oddities)
    odd = pl.concat([*(part.oddities.select(lines.columns) for part in parts), lines])
    ordered = odd.select(Oddities.column_names()).sort(
        "capture", "frame", "offset", "layer", "kind", nulls_last=True
    )
    return Oddities.validate(ordered)
