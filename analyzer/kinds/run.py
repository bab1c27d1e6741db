# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""What a run could not do, and what a reader must know before its numbers."""

from phonehome.analyzer.kinds.statement import Kind

LEFT_OUT = Kind("left_out", 2, "{capture} was not read: {reason}.")
NO_PHONE = Kind(
    "no_phone",
    1,
    "{capture}: no address behaves like a phone. Name it with --phone.",
    capture="names",
)
NO_PHONE_GIVEN = Kind(
    "no_phone_given",
    1,
    "{capture}: none of the addresses given with --phone occurs in this capture.",
    capture="names",
)
OTHER_DEVICES = Kind(
    "other_devices",
    2,
    "{capture}: {addresses} opens connections too and is counted as a bystander: if it is the "
    "phone, name it with --phone",
    capture="names",
)
NO_TIMELINE = Kind(
    "no_timeline",
    4,
    "Without a timeline, idle and active time cannot be separated. Add one with --timeline FILE.",
)
TIMELINE_ELSEWHERE = Kind(
    "timeline_elsewhere",
    2,
    "No span of the timeline falls into the time of the captures, {first} to {last}.",
)
NO_APPS = Kind(
    "no_apps",
    4,
    "The captures do not say which app owns a flow: all traffic of the phone counts.",
)
OTHER_APPS = Kind("other_apps", 2, "No flow belongs to {app}. The captures name: {apps}.")
SOME_APPS_UNKNOWN = Kind(
    "some_apps_unknown",
    4,
    "Of {all} flows of the phone, {unknown} have no known app and are not counted to {app}.",
)
READ_ONCE = Kind(
    "read_once",
    4,
    "Standard input can be read once: what the capture itself says of phases or clocks came too "
    "late to be used. Save it to a file first.",
)
SAME_FILE = Kind("same_file", 5, "{capture} holds the same bytes as {other} and is counted once.")
OTHER_DATE = Kind(
    "other_date",
    4,
    "The captures are of {day}, the geo data of {date}. Addresses change hands, so some "
    "servers may have been elsewhere at the time.",
)
INFERRED_PHASES = Kind(
    "inferred_phases",
    3,
    "No log says when the phone was in use: active and idle are inferred from traffic (busy and "
    "quiet stretches), so they prove nothing about a person.",
)
CLOCK_OFF = Kind(
    "clock_off",
    3,
    "{capture}: the timeline's clock seems to be off. {offset} s (between {low} and "
    "{high}) would bring it to the capture's, by {evidence}. The timeline was not shifted; "
    "--clock-offset auto shifts it.",
)
CLOCK_MOVED = Kind(
    "clock_moved",
    5,
    "{capture}: the timeline was shifted by {offset} s (between {low} and {high}, by "
    "{evidence}). This close to a change, the state is unknown.",
)
CLOCK_GIVEN = Kind(
    "clock_given", 5, "{capture}: the timeline was shifted by {offset} s, as --clock-offset asks."
)
NOTHING_MOVED = Kind(
    "nothing_moved",
    3,
    "--clock-offset shifted nothing: no timeline has a clock of its own. Seconds from the "
    "first packet are those of the capture.",
)
CLOCK_UNKNOWN = Kind(
    "clock_unknown",
    3,
    "{capture}: how far the timeline's clock is off cannot be told by {evidence}: {reason}.",
)
OVERLAP = Kind(
    "overlap",
    2,
    "{first} and {second} cover the same time: packets that are in both are counted twice, "
    "duplicates are not looked for.",
)
MORE_OVERLAPS = Kind("more_overlaps", 2, "{count} more captures begin before an earlier one ends.")
OUT_OF_ORDER = Kind(
    "out_of_order",
    5,
    "The captures were given in another order than that of their first packets: {captures}.",
    captures="series",
)
BEGINS_BEFORE = Kind("begins_before", 5, "{first} begins before {second}")
MORE = Kind("more", 5, "{count} more")
SERIES = Kind(
    "series",
    5,
    "{first} to {last}: {count} files that continue one another, at most {seconds} s apart. They "
    "are one recording; a connection that goes on from one file into the next is a flow in each.",
)
SILENT = Kind(
    "silent",
    4,
    "{capture}: {days} d without a flow do not count as observed: its clock jumped, or nothing was "
    "captured.",
)
BAD_ROWS = Kind(
    "bad_rows",
    4,
    "{list}: {count} lines name no connection and were passed over, the first is line {line}.",
)
UNMATCHED = Kind(
    "unmatched_connections",
    4,
    "{unmatched} of {connections} connections of the lists are in no capture; {without} of {flows} "
    "flows of the phone have no app all the same.",
    connections="count",
    flows="count",
)
PHONE_LOCATION = Kind(
    "phone_location",
    5,
    "The phone was in {place} (--phone-location). All distances are measured from there.",
)
ATTRIBUTION = Kind(
    "attribution",
    5,
    "Borders: made with Natural Earth, https://www.naturalearthdata.com, de facto. Place names and "
    "coordinates by GeoNames, https://www.geonames.org, CC BY 4.0.",
)
DOES_NOT_BALANCE = Kind("does_not_balance", 1, "{problem}")
"""An identity of the ledger that does not hold: in English alone, for whoever mends phonehome."""

KEYS_PROBLEM = Kind("keys_problem", 3, "{capture}: {problem}.")
KEYS_OPENED = Kind(
    "keys_opened",
    5,
    "Keys opened {flows} of {all}: {up} plain bytes up and {down} down, {how}.",
    flows="count",
    all="sentence",
    up="count",
    down="count",
)
KEYS_OF_OTHERS = Kind(
    "keys_of_others",
    3,
    "{capture}: none of the keys that were given ({keys}) belongs to a connection in it "
    "({connections} whose begin was captured). They are of another time, or of the other side of a "
    "proxy that reads along: take the key log of the side on which the capture was made.",
    keys="count",
    connections="count",
)
KEYS_SPARE = Kind(
    "keys_spare",
    4,
    "{keys} of {all} that were given belong to no connection in the captures: they are of another "
    "time, or of the other side of a proxy that reads along.",
    keys="count",
    all="sentence",
)
