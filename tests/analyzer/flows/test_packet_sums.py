"""A capture's packets added up by phase: the phases come from the time of its first packet."""

from pathlib import Path

from phonehome.analyzer.flows.packet_sums import tally
from phonehome.analyzer.timeline.sources import PhoneStates, Source
from phonehome.analyzer.timeline.spans import Span
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Packets
from tests.small_captures import BEGIN, household, pcap, put

SECOND = 1_000_000_000


def said(span):
    return PhoneStates((Source(Path("t"), [span], is_written=True),))


def test_relative_spans_begin_at_the_first_packet(tmp_path):
    path = put(tmp_path / "a.pcap", pcap(household()))
    span = Span(start=0, end=SECOND, is_relative=True, state="idle", label="x", source="t:2")
    told = []
    result = tally(Reading(path), said(span), told.append)
    assert result.phases.edges.tolist() == [BEGIN, BEGIN + SECOND]
    assert told[-1] == path.stat().st_size
    packets = Packets.validate(next(Reading(path).packets()))
    in_span = (packets["time"].to_physical() - BEGIN).is_between(0, SECOND, closed="left")
    idle = result.sides.filter(code=1)
    assert idle["wire_bytes"].sum() == packets.filter(in_span)["wire_bytes"].sum() > 0
    whole = result.sides["wire_bytes"].sum() + result.outcomes["wire_bytes"].sum()
    assert whole == packets["wire_bytes"].sum()


def test_without_a_time_there_are_no_edges(tmp_path):
    path = put(tmp_path / "a.pcap", pcap([]))
    span = Span(start=0, end=SECOND, is_relative=False, state="idle", label="x", source="t:2")
    result = tally(Reading(path), said(span), None)
    assert result.sides.height == result.bins.height == result.outcomes.height == 0
    assert result.phases.spans == [span]
