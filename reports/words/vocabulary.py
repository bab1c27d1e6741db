"""What other rooms say, in the language of a report.

The analyzer hands on its words and sentences in English, as text in tables, for they are data that
CSV, JSON and Parquet keep as they are. Here they are recognised by their patterns at the border of
the page, and said in its language. What no pattern knows stays in English.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from phonehome.analyzer import INFERRED
from phonehome.analyzer.settings import ENGLISH
from phonehome.reports.words.translate import figures, mark, say, spoken

WORDS: Final = (
    mark("active"),
    mark("background"),
    mark("idle"),
    mark("unknown"),
    mark("all"),
    mark("base"),
    mark("new"),
    mark("gone"),
    mark("more"),
    mark("less"),
    mark("same"),
    mark("moved"),
    mark("not comparable"),
    mark("cannot tell"),
    mark("supported"),
    mark("contradicted"),
    mark("nothing observed"),
    mark("not seen"),
    mark("too little time"),
    mark("no phases known"),
    mark("phases inferred"),
    mark("location unverifiable"),
    mark("names hidden"),
    mark("network unknown"),
    mark("app unknown"),
    mark("content unknown"),
    mark("input damaged"),
    mark("only a part"),
    mark("as the claim says"),
    mark("clear"),
    mark("weak"),
    mark("certain"),
    mark("likely"),
    mark("possible"),
    mark("busy"),
    mark("quiet"),
    mark("consistent"),
    mark("disputed"),
    mark("impossible"),
    mark("unverifiable"),
    mark("attributed"),
    mark("local"),
    mark("bystander"),
    mark("non ip"),
    mark("duplicate"),
    mark("malformed"),
    mark("cut"),
    mark("fragment"),
    mark("limit"),
    mark("country"),
    mark("anycast"),
    mark("country, asn"),
    mark("inferred"),
    mark("uncovered"),
    mark("none"),
    mark("given"),
    mark("beside"),
    mark("saved"),
    mark("as given"),
    mark("as its analysis was labelled"),
    mark("name of its paths"),
    mark("standard input"),
    mark("hellos"),
    mark("names"),
    mark("bursts"),
    mark("cloud"),
    mark("platform"),
    mark("service"),
    mark("carrier"),
    mark("no country"),
    mark("no verdict"),
    mark("hellos in which the phone states its clock"),
    mark("names that an App Privacy Report lists and the capture shows"),
    mark("uploads that follow the screen coming on"),
    mark("outside the timeline"),
    mark("whole capture"),
    mark(
        "a VPN app on the phone made this capture, and handshakes were answered by the app itself"
    ),
    mark("an emulator's own network answers handshakes for the servers"),
    mark("packets without a time stamp"),
    mark("given by the user"),
    mark("the user named others"),
    mark("the file marks packets as sent from it"),
    mark("the file marks no packet as sent from it"),
    mark("opens connections and asks for names"),
    mark("takes part in most of the traffic; nothing opened a connection or asked for a name"),
    mark(
        "is not public and takes part in most of the traffic; nothing opened a connection or "
        "asked for a name"
    ),
    mark("same link address as the phone"),
    mark("behaves as the phone does, in the other IP version; the link has no addresses"),
    mark("another address opens more connections"),
    mark("too little time observed"),
    mark("bursts do not follow the states closely"),
    mark("the timeline names one state alone"),
    mark("names agree on several offsets"),
    mark("the phone's counter was reset between the two readings"),
    mark(
        "the capture holds more than the phone counted: the readings lie inside it, or it "
        "counts twice"
    ),
    mark("no flow of it was captured"),
    mark("only one database has an opinion"),
    mark("the databases agree"),
    mark("announced from many places at once: where it is depends on who asks"),
    mark("the distance was not checked, because the phone's place was not named"),
    mark("no round trip was measured"),
    mark("the map has no border for the country"),
    mark("handshakes were answered within a millisecond, nearer than any public server is"),
    mark("no handshake that the phone began was captured with its answer"),
    mark(
        "data were acknowledged far faster than handshakes were answered: something near the "
        "phone acknowledges for the servers"
    ),
    mark(
        "every handshake was answered at once, and every request far later: something near the "
        "phone answers handshakes for the servers"
    ),
    mark(
        "Networks that became anycast after its date are denied, networks that are newer than "
        "its date are missing."
    ),
    mark(
        "Its makers warn that this edition has bugs that give some wrong holders; check a "
        "holder that matters against a registry."
    ),
    mark(
        "Follows registrations: networks abroad of a large operator are often placed in its "
        "home country or where the block is registered."
    ),
    mark(
        "No timeline was given, so active and idle time cannot be told apart: --timeline FILE "
        "does it."
    ),
    mark("The captures do not say which app owns a flow: all traffic of the phone counts."),
    mark(
        "Standard input can be read once: what the capture itself says of phases or clocks "
        "came too late to be used. Save it to a file first."
    ),
    mark(
        "No log says when the phone was in use: active and idle are inferred from traffic "
        "(busy and quiet stretches), so they prove nothing about a person."
    ),
    mark(
        "--clock-offset moved nothing: no timeline has times of a clock of its own. Seconds "
        "from the first packet are those of the capture."
    ),
    mark(
        "Borders: made with Natural Earth, https://www.naturalearthdata.com, de facto. Place "
        "names and coordinates by GeoNames, https://www.geonames.org, CC BY 4.0."
    ),
    mark("All traffic of the phone counts, whichever app sent it."),
    mark(
        "A name is what the phone said it wanted, or what a look-up gave for the address; who "
        "answers behind it, a capture does not show."
    ),
    mark("Unverifiable means that databases say so and that no round trip was held against it."),
    mark(
        "The states were inferred from traffic, which the claim accepts: they prove nothing "
        "about a person."
    ),
    mark("Part of the input could not be read, and may hold what is asked for."),
    mark("base and new"),
    mark("advertising ID"),
    mark("Android ID"),
    mark("IMEI"),
    mark("IMSI"),
    mark("serial number"),
    mark("MAC address"),
    mark("phone number"),
    mark("e-mail address"),
    mark("account number or name"),
    mark("name of a Wi-Fi network (SSID)"),
    mark("address of a Wi-Fi access point (BSSID)"),
    mark("place"),
    mark("name from the address book"),
    mark("planted text"),
    mark("planted file"),
    mark(
        "All traffic of the phone counts as that of the app, because the user says that no other "
        "app sent anything."
    ),
    mark("No upload of the phone was seen in these captures at all."),
    mark("that nothing matched"),
    mark("nothing matched"),
    mark("What was tested holds, and is only a part of what the sentence says."),
    mark("That is what was tested; the sentence may say more."),
    mark(
        "This is what these captures show of the time they cover; it does not show that it "
        "never happens."
    ),
    mark("Nothing matched the query, so there is no number."),
    mark(
        "When the phone was in use was inferred from its traffic: no log says it, and a guess "
        "neither supports nor contradicts a claim about it."
    ),
    mark("Nothing says when the phone was in use: a timeline or a log of it does (--timeline)."),
    mark(
        "It was not seen in these captures; the claim does not say how long to look for it, so "
        "that contradicts nothing."
    ),
)
"""What is said whole."""

PATTERNS: Final = (
    mark("{capture}: no address behaves like a phone: name it with --phone"),
    mark("{capture}: none of the addresses given with --phone takes part"),
    mark(
        "{capture}: {addresses} opens connections too and is counted as a bystander: if it is "
        "the phone, name it with --phone"
    ),
    mark("No span of the timeline falls into the time of the captures, {first} to {last}."),
    mark("{capture} was not read: {reason}."),
    mark("{capture} holds the same bytes as {other} and is counted once."),
    mark(
        "{capture}: {days} d without a flow do not count as observed: its clock jumped, or "
        "nothing was captured."
    ),
    mark(
        "The captures are of {day}, the geo data of {date}: addresses change hands, so places "
        "may have been others then."
    ),
    mark(
        "{capture}: the timeline's clock seems to be off: {offset} s (between {low} and "
        "{high}) would bring it to the capture's, by {evidence}. It was not moved: "
        "--clock-offset auto does it."
    ),
    mark(
        "{capture}: times of the timeline were moved by {offset} s (between {low} and {high}, "
        "by {evidence}); so near to a change of state none is known."
    ),
    mark("{capture}: times of the timeline were moved by {offset} s, as told."),
    mark("{capture}: how far the timeline's clock is off cannot be told by {evidence}: {reason}."),
    mark("No flow belongs to {app}. The captures name: {apps}."),
    mark("Of {all} flows of the phone, {unknown} have no known app and are not counted to {app}."),
    mark(
        "{first} to {last}: {count} files that continue one another, at most {seconds} s "
        "apart. They are one recording; a connection that goes on from one file into the next "
        "is a flow in each."
    ),
    mark(
        "{first} and {second} cover the same time: packets that are in both are counted twice, "
        "duplicates are not looked for."
    ),
    mark("{count} more captures begin before an earlier one ends."),
    mark("The captures were given in another order than that of their first packets: {captures}."),
    mark("{first} begins before {second}"),
    mark(
        "{bytes} bytes ({share} %) were uploaded in plain text (HTTP), to {names}: whoever "
        "carried these packets could read and change them."
    ),
    mark(
        "{connections} to resolvers that encrypt ({names}): which names were asked for there "
        "cannot be seen, so destinations may lack a name in this capture."
    ),
    mark(
        "In {connections} the client offered Encrypted Client Hello, or a decoy that looks "
        "like it: where a server took it, the server name in the clear is a cover."
    ),
    mark("{connections} with only a cover ({names}) for a server name: it names no destination."),
    mark(
        "Answers of DNS announce Encrypted Client Hello for {count} ({names}): the server name "
        "that a client sends there may be a cover."
    ),
    mark(
        "{bytes} bytes ({share} %) were uploaded to addresses that bore several names, of "
        "which the flow itself says none: the name given is the likeliest, and the others are "
        "listed."
    ),
    mark(
        "{connections} with a name for which no look-up in the capture gave that address "
        "({names}): it was looked up before, elsewhere or encrypted, or the name is a front."
    ),
    mark("The name {name} ({shown}) {warning}."),
    mark(
        "{bytes} bytes in {records} of MMTLS, WeChat's own encryption: without its keys their "
        "content cannot be read, their number and length can."
    ),
    mark(
        "The phone's clock, as {hellos} of MMTLS states, differs from the capture's by {low} "
        "to {high} s (to the second)."
    ),
    mark(
        "The phone's clock, as {hellos} of MMTLS state, differs from the capture's by {low} to "
        "{high} s (to the second)."
    ),
    mark("The phone was in {place}, as --phone-location tells: distances hang on it."),
    mark(
        "a round trip of {time} ms reaches {reach} km at most, and {country} is {distance} km "
        "or more from {place}"
    ),
    mark(
        "handshakes are answered within {handshake} ms, but none of {requests} requests sooner "
        "than {answer} ms: bytes may stop here on their way, and answers come from farther"
    ),
    mark(
        "every handshake was answered with a hop limit of {limit}, as it leaves a machine, "
        "although they took {low} to {high} ms: no router was passed, so something near the "
        "phone answers for the servers"
    ),
    mark(
        "the handshakes of {addresses} addresses in {networks} networks were all answered with "
        "a hop limit of {limit}, although they took {low} to {high} ms: one and the same "
        "machine seems to answer for the servers"
    ),
    mark("they differ by {seconds} s"),
    mark("anything from {low} to {high} s fits"),
    mark("fewer than {count} bursts"),
    mark("more than {count} spans"),
    mark("fewer than {count} names agree on an offset"),
    mark(
        "counted in buckets of {bucket} min, longer than the {observed} min observed: right "
        "only if --poll was asked for right before and right after the capture"
    ),
    mark("a label begins with {prefix} and cannot be decoded"),
    mark("looks like {name}"),
    mark("mixes {scripts}"),
    mark("Keys opened {flows} of {all}: {up} plain bytes up and {down} down, {how}."),
    mark(
        "{capture}: none of the keys that were given ({keys}) belongs to a connection in it "
        "({connections} whose begin was captured). They are of another time, or of the other "
        "side of a proxy that reads along: take the key log of the side on which the capture "
        "was made."
    ),
    mark(
        "{keys} of {all} that were given belong to no connection in the captures: they are of "
        "another time, or of the other side of a proxy that reads along."
    ),
    mark("{state} time was observed on {has} alone; {lacks} has none to compare."),
    mark(
        "Parts of the time observed, on base and on new: {parts}. Rates over all states mix "
        "them, so compare state by state."
    ),
    mark("{side}: {captures} are the same file and count each time."),
    mark("On both sides: {captures}."),
    mark("{side}: part of {captures} could not be read."),
    mark("{side}: the files record {count} packets lost while capturing."),
    mark("Repetitions: {base} on base, {new} on new."),
    mark("{side} is a single repetition: how much its rates vary from one to the next is unknown."),
    mark(
        "{side}: the saved analysis {name} of {count} captures counts as one repetition, for "
        "it keeps no uploads per capture."
    ),
    mark("{side}: {names} has no timeline, the others have one."),
    mark("Phone addresses: {base} on base, {new} on new."),
    mark(
        "Link types of the captures: {base} on base, {new} on new. They were made with other "
        "tools or at another place of the network."
    ),
    mark("Packets were cut short while capturing on {side} alone."),
    mark("The capture tool added bytes to packets on {side} alone."),
    mark("Bytes are missing inside TCP streams on {side} alone."),
    mark("App under test: {base} on base, {new} on new."),
    mark("Place of the phone: {base} on base, {new} on new."),
    mark("Seconds added to times of timelines: {base} on base, {new} on new."),
    mark("Phases inferred from traffic: {base} on base, {new} on new."),
    mark("{side}: its traffic tells of several versions: {versions}."),
    mark("Databases: {base} on base; {new} on new."),
    mark(
        "They place {count} of {all} addresses that both sides know in another country or ASN: "
        "such a change is one of the databases, not of the app."
    ),
    mark("{remarks}; and {count} more"),
    mark("{state} {base}% and {new}%"),
    mark("{database} places {address} ({side}) in {country}"),
    mark("{database} also places {address} ({side}) here, the first database in {country}"),
    mark("the address also bears the name {name} ({side})"),
    mark("{address} on {side} is an address without a name"),
    mark("{address} on {side} is {name}"),
    mark("Only flows that the captures ascribe to {app} count."),
    mark(
        "All traffic of the phone counts as that of {app}, because the user says that no other "
        "app sent anything."
    ),
    mark(
        "The captures do not say which app owns a flow: all traffic of the phone counts, not "
        "only that of {app}."
    ),
    mark(
        "A country is where {database} places the address of the first server; what happens "
        "behind it, a capture does not show."
    ),
    mark(
        "Of {all} bytes uploaded in all, {counted} went to addresses whose country is "
        "{verdicts}, as the claim accepts."
    ),
    mark(
        "{bytes} bytes were uploaded when the state of the phone is unknown; they count for no "
        "state."
    ),
    mark(
        "{capture}: the timeline's clock seems to be off by {offset} s, which was not mended, "
        "so what is near to a change of state may count for the wrong one."
    ),
    mark("The files record {count} packets lost while capturing: they may have gone anywhere."),
    mark("At least {count} bytes inside TCP streams were not captured: numbers are lower bounds."),
    mark(
        "{unmatched} of {connections} connections of the lists are in no capture; {without} of "
        "{flows} flows of the phone have no app all the same."
    ),
    mark(
        "{list}: {count} lines name no connection and were passed over, the first is line {line}."
    ),
    mark("{count} connection"),
    mark("{count} connections"),
    mark("{count} name"),
    mark("{count} names"),
    mark("{count} record"),
    mark("{count} records"),
    mark("{count} hello"),
    mark("{count} hellos"),
    mark("{names} and {count} more"),
    mark("base, {capture}: {note}"),
    mark("new, {capture}: {note}"),
    mark("base: {note}"),
    mark("new: {note}"),
    mark("{sentence} Concerned: {places}; and {more} more."),
    mark("{sentence} Concerned: {places}."),
    mark("{test}: {found} (expected: {expect}), in {time} of {states} time observed. {rest}"),
    mark("{test}: {found} (expected: {expect}), in {time} observed. {rest}"),
    mark("{test}: {found} (expected: {expect}), in {time} of {states} time observed."),
    mark("{test}: {found} (expected: {expect}), in {time} observed."),
    mark("It was not seen in these captures, and the claim asks to see it within {time}."),
    mark("No upload of {whose} was seen in these captures at all."),
    mark("No {states} time lies in these captures."),
    mark("The claim takes {time} of it to be told; what was not seen in less may come later."),
    mark("{count} packets were left out by a limit."),
    mark(
        "{amount} to addresses whose name was not seen, or may be another (several names, or "
        "Encrypted Client Hello): any of them may be what is asked for."
    ),
    mark("{amount} to hosts of which no table says who runs them."),
    mark("{amount} to addresses whose network no database knows."),
    mark("{bytes} bytes went up in {count} flow"),
    mark("{bytes} bytes went up in {count} flows"),
    mark(
        "The claim accepts countries that are {verdicts}, but what was not seen counts as "
        "absent only if no database sees it: were the addresses where another one says, the "
        "answer would be {found}."
    ),
    mark(
        "The claim counts only countries that are {verdicts}. Were addresses without such a "
        "verdict elsewhere than the first database says, the answer would be {found}."
    ),
    mark("Without names that may be another (several, or a cover), the answer would be {found}."),
    mark("Were the flows without a known owner those of {app} too, the answer would be {found}."),
    mark(
        "The sentence is about an app, and all traffic of the phone counts, whichever app sent "
        "it. Were nothing of it that app's, the answer would be {found}. --app names the app, "
        "and --app-alone says that no other one sent anything."
    ),
    mark(
        "The captures do not say which app owns a flow. Were nothing of it sent by {app}, the "
        "answer would be {found}. --app-alone says that no other app sent anything."
    ),
)
"""What is said with parts; where several fit, the first is taken."""

_OURS: Final = ("none", "uncovered", INFERRED)
"""Sources of phases that have no words of their own."""
_DEEPEST: Final = 3  # sentences within sentences: what a capture says may look like one
_MOST_PIECES: Final = 12
_PART: Final = re.compile(r"\{(\w+)\}")
_COUNT: Final = r"[-+]?[\d,.]+"
_SHAPES: Final = dict.fromkeys(("count", "bytes", "offset", "low", "high"), _COUNT)
"""Parts that are numbers; any other may be anything."""
_NUMBER: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?|[+-]?\d+\.\d+")


def told(text: str) -> str:
    """A word or sentence of another room, in the language spoken."""
    return text if spoken() == ENGLISH else _told(text, _DEEPEST)


def label_text(row: dict[str, Any]) -> str:
    """The label of a phase: the user's own words as they are, ours in the language spoken."""
    label = str(row["label"])
    return told(label) if row["source"] in _OURS else label


def told_each(text: str) -> str:
    """Remarks that the analyzer has joined into one text, each in the language spoken."""
    return "; ".join(told(part) for part in text.split("; "))


def _told(text: str, depth: int) -> str:
    if _NUMBER.fullmatch(text):
        return figures(text)
    said = say(text)
    if said != text or not depth:
        return said
    said = _in_pieces(text, depth - 1)
    return said if said != text else _by_pattern(text, depth - 1)


def _in_pieces(text: str, depth: int) -> str:
    """A list whose every piece is known; any other stays, for it may be names."""
    pieces = text.split(", ")
    if len(pieces) == 1:
        return text
    said = [_told(piece, depth) for piece in pieces[:_MOST_PIECES]]
    is_known = len(said) == len(pieces) and all(map(str.__ne__, pieces, said))
    return ", ".join(said) if is_known else text


def _by_pattern(text: str, depth: int) -> str:
    for begin, pattern, message in _patterns():
        if text.startswith(begin) and (found := pattern.fullmatch(text)):
            parts = found.groupdict().items()
            return say(message, **{name: _told(part, depth) for name, part in parts})
    return text


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], str]]:
    return list(_compiled(PATTERNS))


def _compiled(messages: Iterable[str]) -> Iterator[tuple[str, re.Pattern[str], str]]:
    """Each message as how it begins, what recognises it, and itself."""
    for message in messages:
        pieces = _PART.split(message)
        parts = [
            f"(?P<{piece}>{_SHAPES.get(piece, '.+?')})" if place % 2 else re.escape(piece)
            for place, piece in enumerate(pieces)
        ]
        yield pieces[0], re.compile("".join(parts), re.DOTALL), message
