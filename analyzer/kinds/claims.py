# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""Why a claim is supported, contradicted, or cannot be told, and what to know of that."""

from phonehome.analyzer.kinds.statement import Kind, Statement

MEASURED = Kind(
    "claim_measured", 5, "{test}: {found} (expected: {expect}), in {time} observed.", expect="name"
)
MEASURED_STATES = Kind(
    "claim_measured_in_states",
    5,
    "{test}: {found} (expected: {expect}), in {time} of {states} time observed.",
    expect="name",
)
EXPLAINED = Kind("claim_explained", 5, "{parts}", parts="sentences")
NOTHING_MATCHED = Kind("nothing_matched", 5, "nothing matched")
THAT_NOTHING_MATCHED = Kind("that_nothing_matched", 5, "that nothing matched")
ONLY_A_PART = Kind(
    "only_a_part", 5, "What was tested holds, and is only a part of what the sentence says."
)
MAY_SAY_MORE = Kind("may_say_more", 5, "That is what was tested; the sentence may say more.")
NEVER_IS_NOT_SHOWN = Kind(
    "never_is_not_shown",
    5,
    "This is what these captures show of the time they cover; it does not show that it never "
    "happens.",
)
NOT_SEEN_IN_TIME = Kind(
    "not_seen_in_time",
    5,
    "It was not seen in these captures, and the claim asks to see it within {time}.",
)
NOT_SO_MUCH_IN_TIME = Kind(
    "not_so_much_in_time",
    5,
    "So much was not seen in these captures, and the claim asks to see it within {time}.",
)
NO_UPLOAD = Kind("no_upload_seen", 5, "No upload of {whose} was seen in these captures at all.")
NO_UPLOAD_OF_PHONE = Kind(
    "no_upload_of_phone_seen", 5, "No upload of the phone was seen in these captures at all."
)
NO_NUMBER = Kind("no_number", 5, "Nothing matched the query, so there is no number.")
STATES_ARE_GUESSED = Kind(
    "states_are_guessed",
    5,
    "When the phone was in use was inferred from its traffic: no log says it, and a guess neither "
    "supports nor contradicts a claim about it.",
)
NO_SUCH_TIME = Kind("no_such_time", 5, "No {any_of} time lies in these captures.", any_of="words")
NO_STATES = Kind(
    "no_states",
    5,
    "Nothing says when the phone was in use: a timeline or a log of it does (--timeline).",
)
TOO_LITTLE_TIME = Kind(
    "too_little_time",
    5,
    "The claim takes {time} of it to be told; what was not seen in less may come later.",
)
INPUT_DAMAGED = Kind(
    "claim_input_damaged",
    5,
    "Part of the input could not be read, and may hold what is asked for.",
)
LEFT_OUT = Kind("claim_packets_left_out", 5, "{count} packets were left out by a limit.")
UNLESS = Kind("claim_unless", 5, "{what}: {found}.", what="name", found="sentence")
NOTHING_SAYS_IT_SENT = Kind(
    "nothing_says_the_app_sent",
    5,
    "The sentence is about an app, and nothing says that it sent anything here: what was not seen "
    "may be missing because the app is. --app-alone says that it is the one.",
)
NOT_SEEN = Kind(
    "not_seen",
    5,
    "It was not seen in these captures; the claim does not say how long to look for it, so that "
    "contradicts nothing.",
)
NOT_SO_MUCH = Kind(
    "not_so_much_seen",
    5,
    "So much was not seen in these captures; the claim does not say how long to look for it, so "
    "that contradicts nothing.",
)
NAMES_HIDDEN = Kind(
    "names_hidden",
    5,
    "{amount} to addresses whose name was not seen, or may be another (several names, or Encrypted "
    "Client Hello): any of them may be what is asked for.",
)
OWNER_UNKNOWN = Kind("owner_unknown", 5, "{amount} to hosts of which no table says who runs them.")
NETWORK_UNKNOWN = Kind(
    "network_unknown", 5, "{amount} to addresses whose network no database knows."
)
WENT_UP = Kind("went_up_in_flow", 5, "{bytes} bytes went up in {count} flow")
WENT_UP_MANY = Kind("went_up_in_flows", 5, "{bytes} bytes went up in {count} flows")
ELSEWHERE_ABSENT = Kind(
    "elsewhere_for_absence",
    5,
    "The claim accepts countries that are {verdicts}, but what was not seen counts as absent only "
    "if no database sees it: were the addresses where another one says, the answer would be "
    "{found}.",
)
ELSEWHERE = Kind(
    "elsewhere",
    5,
    "The claim counts only countries that are {verdicts}. Were addresses without such a verdict "
    "elsewhere than the first database says, the answer would be {found}.",
)
OTHER_NAMES = Kind(
    "other_names",
    5,
    "Without names that may be another (several, or a cover), the answer would be {found}.",
)
OWNERS_TOO = Kind(
    "unknown_owners_too",
    5,
    "Were the flows without a known owner those of {app} too, the answer would be {found}.",
)
NO_APP_NAMED = Kind(
    "no_app_named",
    5,
    "The sentence is about an app, and all traffic of the phone counts, whichever app sent it. "
    "Were nothing of it that app's, the answer would be {found}. --app names the app, and "
    "--app-alone says that no other one sent anything.",
)
NOTHING_OF_THE_APP = Kind(
    "nothing_of_the_app",
    5,
    "The captures do not say which app owns a flow. Were nothing of it sent by {app}, the answer "
    "would be {found}. --app-alone says that no other app sent anything.",
)
CONCERNED = Kind("concerned", 5, "Concerned: {parts}.", parts="series")
CONCERNED_AND_MORE = Kind(
    "concerned_and_more", 5, "Concerned: {parts}; and {count} more.", parts="series"
)
PLACE = Kind(
    "place_concerned",
    5,
    "{address} ({bytes} bytes): {place}, {verdict}",
    place="sentence",
    verdict="word",
)
PLACE_AND_REASON = Kind(
    "place_concerned_and_reason",
    5,
    "{address} ({bytes} bytes): {place}, {verdict}, {reason}",
    place="sentence",
    verdict="word",
)
COUNTRY = Kind("country_code", 5, "{country}")
BY_VERDICT = Kind(
    "bytes_by_verdict",
    5,
    "Bytes of the flows concerned, by the verdict on their country: {parts}.",
    parts="list",
)
OF_VERDICT = Kind("bytes_of_verdict", 5, "{bytes} {verdict}")
VALUES = Kind("values", 5, "{names}")
NUMBER = Kind("number", 5, "{number}", number="number")
ONLY_OF_APP = Kind("only_flows_of_app", 5, "Only flows that the captures ascribe to {app} count.")
ALL_AS_THAT_OF = Kind(
    "all_traffic_as_app",
    5,
    "All traffic of the phone counts as that of {app}, because the user says that no other app "
    "sent anything.",
)
ALL_AS_THAT_APP = Kind(
    "all_traffic_as_the_app",
    5,
    "All traffic of the phone counts as that of the app, because the user says that no other app "
    "sent anything.",
)
ALL_COUNTS = Kind(
    "all_traffic_counts", 5, "All traffic of the phone counts, whichever app sent it."
)
NOT_ONLY_OF_APP = Kind(
    "not_only_of_app",
    5,
    "The captures do not say which app owns a flow: all traffic of the phone counts, not only that "
    "of {app}.",
)
FIRST_SERVER = Kind(
    "country_of_first_server",
    5,
    "A country is where {database} places the address of the first server; what happens behind it, "
    "a capture does not show.",
)
ACCEPTED = Kind(
    "bytes_of_accepted_countries",
    5,
    "Of {all} bytes uploaded in all, {counted} went to addresses whose country is {verdicts}, as "
    "the claim accepts.",
)
UNVERIFIABLE = Kind(
    "what_unverifiable_means",
    5,
    "Unverifiable means that databases say so and that no round trip was held against it.",
)
NAME_IS_WANTED = Kind(
    "what_a_name_is",
    5,
    "A name is what the phone said it wanted, or what a look-up gave for the address; who answers "
    "behind it, a capture does not show.",
)
GUESS_ACCEPTED = Kind(
    "guess_accepted",
    5,
    "The states were inferred from traffic, which the claim accepts: they prove nothing about a "
    "person.",
)
STATE_UNKNOWN = Kind(
    "bytes_of_unknown_state",
    5,
    "{bytes} bytes were uploaded when the state of the phone is unknown; they count for no state.",
)
CLOCK_NOT_MENDED = Kind(
    "clock_not_mended",
    5,
    "{capture}: the timeline's clock seems to be off by {offset} s, which was not mended, so what "
    "is near to a change of state may count for the wrong one.",
)
SILENT_HOURS = Kind(
    "silent_hours",
    5,
    "{hours} h do not count as observed: for more than a day no flow is in the capture, so its "
    "clock jumped or nothing was captured.",
)
PACKETS_LOST = Kind(
    "packets_lost",
    5,
    "The files record {count} packets lost while capturing: they may have gone anywhere.",
)
BYTES_MISSING = Kind(
    "bytes_missing",
    5,
    "By their sequence numbers, TCP streams held {count} bytes that were not captured: numbers are "
    "lower bounds.",
)


def explained(*parts: Statement | None) -> Statement:
    """Sentences one after the other, those that there are."""
    return EXPLAINED(parts=[part for part in parts if part is not None])
