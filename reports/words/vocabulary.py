"""The closed lists of words that other rooms use, for the catalogues of languages.

Tables hold these words in English. `translate.told` says them in the language of a report; what
stands in no list, and is no statement, stays as it is.
"""

from typing import Any, Final

from phonehome.analyzer import INFERRED
from phonehome.reports.words.translate import mark, told

WORDS: Final = (
    mark("and"),
    mark("or"),
    mark("{names} and {count} more"),
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
    mark("that nothing matched"),
    mark("nothing matched"),
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
)
"""What is said whole."""

_OURS: Final = ("none", "uncovered", INFERRED)
"""Sources of phases that have no words of their own."""


def label_text(row: dict[str, Any]) -> str:
    """The label of a phase: the user's own words as they are, ours in the language spoken."""
    label = str(row["label"])
    return told(label) if row["source"] in _OURS else label
