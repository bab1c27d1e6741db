# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""What besides the app differs between two sides, and what to know before believing a row."""

from phonehome.analyzer.kinds.statement import Kind

STATE_ALONE = Kind(
    "state_on_one_side",
    2,
    "{state} time was observed on {has} alone; {lacks} has none to compare.",
)
SHARES_DIFFER = Kind(
    "shares_of_time_differ",
    3,
    "Parts of the time observed, on base and on new: {parts}. Rates over all states mix them, so "
    "compare state by state.",
    parts="list",
)
SHARES = Kind("shares_of_state", 5, "{state} {base}% and {new}%", base="number", new="number")
SAME_FILES = Kind("same_files", 2, "{side}: {captures} are the same file and count each time.")
ON_BOTH = Kind("on_both_sides", 2, "On both sides: {captures}.")
BROKEN = Kind("input_broken", 2, "{side}: part of {captures} could not be read.")
LOST = Kind(
    "side_packets_lost", 3, "{side}: the files record {count} packets lost while capturing."
)
REPETITIONS = Kind(
    "repetitions_differ",
    4,
    "Repetitions: {base} on base, {new} on new.",
    base="count",
    new="count",
)
SINGLE = Kind(
    "single_repetition",
    3,
    "{side} is a single repetition: how much its rates vary from one to the next is unknown.",
)
SAVED = Kind(
    "saved_counts_once",
    4,
    "{side}: the saved analysis {name} of {count} captures counts as one repetition, for it keeps "
    "no uploads per capture.",
)
NO_TIMELINE = Kind(
    "some_without_timeline", 3, "{side}: {names} has no timeline, the others have one."
)
PHONES = Kind(
    "phones_differ",
    4,
    "Phone addresses: {base} on base, {new} on new.",
    base="names",
    new="names",
)
LINK_TYPES = Kind(
    "link_types_differ",
    3,
    "Link types of the captures: {base} on base, {new} on new. They were made with other tools or "
    "at another place of the network.",
    base="names",
    new="names",
)
CUT_SHORT = Kind(
    "cut_short_on_one_side", 3, "Packets were cut short while capturing on {side} alone."
)
TOOL_BYTES = Kind(
    "tool_bytes_on_one_side", 4, "The capture tool added bytes to packets on {side} alone."
)
GAPS = Kind("gaps_on_one_side", 3, "Bytes are missing inside TCP streams on {side} alone.")
APP = Kind(
    "app_differs", 2, "App under test: {base} on base, {new} on new.", base="names", new="names"
)
PLACE = Kind(
    "place_differs",
    2,
    "Place of the phone: {base} on base, {new} on new.",
    base="names",
    new="names",
)
OFFSET = Kind(
    "offset_differs",
    4,
    "Seconds added to times of timelines: {base} on base, {new} on new.",
    base="names",
    new="names",
)
INFERRED = Kind(
    "inference_differs",
    3,
    "Phases inferred from traffic: {base} on base, {new} on new.",
    base="names",
    new="names",
)
VERSIONS = Kind("several_versions", 2, "{side}: its traffic tells of several versions: {versions}.")
DATABASES = Kind(
    "databases_differ",
    2,
    "Databases: {base} on base; {new} on new.",
    base="names",
    new="names",
)
PLACED_ELSEWHERE = Kind(
    "databases_place_elsewhere",
    2,
    "They place {count} of {all} addresses that both sides know in another country or ASN: such a "
    "change is one of the databases, not of the app.",
)
REMARKS = Kind("remarks_of_a_row", 5, "{parts}", parts="series")
AND_MORE = Kind("and_more", 5, "and {count} more")
OTHER_COUNTRY = Kind(
    "placed_in_another_country", 5, "{database} places {address} ({side}) in {country}"
)
ALSO_HERE = Kind(
    "placed_here_too",
    5,
    "{database} also places {address} ({side}) here, the first database in {country}",
    country="word",
)
OTHER_NAME = Kind(
    "address_bears_another_name",
    5,
    "the address also bears the name {name} ({side})",
)
NO_NAME = Kind("address_without_name", 5, "{address} on {side} is an address without a name")
IS_NAMED = Kind("address_is_named", 5, "{address} on {side} is {name}")
NO_TIMELINE_GIVEN = Kind(
    "no_timeline_of_side",
    4,
    "Without a timeline, idle and active time cannot be separated. Add one with "
    "--{option}-timeline FILE.",
    option="name",
)
NOTE = Kind("note_of_side", 5, "{side}: {note}")
NOTE_OF = Kind("note_of_capture", 5, "{side}, {captures}: {note}")
