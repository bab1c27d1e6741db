"""dnspython is the oracle: it writes the messages, and judges names with pointers."""

from itertools import pairwise, product

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.dns import RECORDS, Answers, MessageReader, answers
from phonehome.captures.names.faults import Fault, Moment, spelled_labels
from tests.captures.cost import lines_run
from tests.captures.payloads import (
    dns_answer,
    dns_header,
    dns_name,
    dns_pointer,
    dns_record,
    sized,
)

A, NS, CNAME, SOA, TXT, AAAA = 1, 2, 5, 6, 16, 28
FIRST, SECOND = b"\xcb\x00\x71\x01", b"\xcb\x00\x71\x02"
LABELS = st.binary(min_size=1, max_size=4).map(lambda octets: octets.hex().encode())
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(dns.name.Name)
ASKED = dns_name(b"www", b"example") + b"\0\x01\0\x01"


def rrset(owner, kind, text):
    return dns.rrset.from_text(owner.concatenate(dns.name.root), 60, "IN", kind, text)


@st.composite
def responses(draw):
    """A response of dnspython: few names, so that aliases meet; records in any section."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    owner = st.sampled_from(names)
    query = dns.message.make_query(draw(owner).concatenate(dns.name.root), "A")
    response = dns.message.make_response(query)
    for section in (response.answer, response.authority, response.additional):
        for kind in draw(
            st.lists(st.sampled_from(["A", "AAAA", "CNAME", "NS", "TXT"]), max_size=4)
        ):
            number = draw(st.integers(1, 3))
            text = {
                "A": f"203.0.113.{number}",
                "AAAA": f"2001:db8::{number}",
                "TXT": '"some text"',
            }.get(kind) or draw(owner).concatenate(dns.name.root).to_text()
            section.append(rrset(draw(owner), kind, text))
    return response


def slow_answers(response):
    """The slow twin: all records of dnspython again and again, until nothing new is reached."""
    sections = (response.answer, response.authority, response.additional)
    records = [(s.name, s.rdtype, rdata) for section in sections for s in section for rdata in s]
    pairs = set()
    for question in response.question:
        reached = {question.name}
        for _ in records:
            reached |= {r.target for name, kind, r in records if kind == CNAME and name in reached}
        for name, kind, rdata in records:
            if name in reached and kind in (A, AAAA):
                pairs.add((rdata.to_wire(), spelled_labels(list(question.name.labels[:-1]))))
    return pairs


@given(responses())
def test_the_addresses_of_a_response_are_those_that_dnspython_wrote(response):
    found = answers(response.to_wire(max_size=65_535))
    assert set(found.pairs) == slow_answers(response)
    assert len(set(found.pairs)) == len(found.pairs)
    assert found.fault is None


@given(responses())
def test_a_message_cut_short_gives_what_stands_before_the_cut(response):
    message = response.to_wire(max_size=65_535)
    whole = set(answers(message).pairs)
    counts = []
    for size in range(len(message)):
        part = answers(message[:size])
        assert part.fault is not None
        assert part.fault.kind == "dns_cut"
        assert set(part.pairs) <= whole
        counts.append(len(part.pairs))
    assert all(fewer <= more for fewer, more in pairwise(counts))


def test_every_record_before_the_cut_counts():
    message = dns_answer(b"a.example", FIRST, SECOND)
    assert answers(message[:-1]) == Answers(
        [(FIRST, "a.example")], Fault("dns_cut", len(message), len(message) - 1)
    )


def test_a_query_gives_nothing():
    message = bytearray(dns_answer(b"a.example", FIRST))
    message[2] &= 0x7F
    assert answers(bytes(message)) == Answers([], None)


def test_the_name_asked_for_is_given_in_lower_case():
    assert answers(dns_answer(b"wWw.eXample", FIRST)).pairs == [(FIRST, "www.example")]


def test_octets_of_a_name_that_are_no_text_are_spelled_in_hex():
    question = dns_name(b"a.b\\", b"\x00 \xff") + b"\0\x01\0\x01"
    message = dns_header(1, 1) + question + dns_record(dns_pointer(12), A, FIRST)
    assert answers(message).pairs == [(FIRST, "a\\x2eb\\x5c.\\x00\\x20\\xff")]


def test_an_alias_is_followed_though_its_address_comes_first():
    edge = dns_name(b"edge", b"cdn")
    message = dns_header(1, 2) + ASKED + dns_record(edge, A, FIRST)
    message += dns_record(dns_pointer(12), CNAME, edge)
    assert answers(message).pairs == [(FIRST, "www.example")]


def test_aliases_in_a_circle_end():
    other = dns_name(b"other")
    message = dns_header(1, 3) + ASKED + dns_record(dns_pointer(12), CNAME, other)
    message += dns_record(other, CNAME, dns_pointer(12)) + dns_record(other, A, FIRST)
    assert answers(message) == Answers([(FIRST, "www.example")], None)


def test_an_address_of_a_name_that_was_not_asked_for_is_left_out():
    message = dns_header(1, 1) + ASKED + dns_record(dns_name(b"glue"), A, FIRST)
    assert answers(message) == Answers([], None)


def test_an_address_of_another_network_than_the_internet_is_left_out():
    chaos = dns_record(dns_pointer(12), A, FIRST, network=3)
    assert answers(dns_header(1, 1) + ASKED + chaos) == Answers([], None)


def test_the_root_is_no_name():
    message = dns_header(1, 1) + b"\0\0\x01\0\x01" + dns_record(b"\0", A, FIRST)
    assert answers(message) == Answers([], None)


def test_an_address_of_the_wrong_size_is_a_lie_and_what_came_before_it_stays():
    good, bad = dns_record(dns_pointer(12), A, FIRST), dns_record(dns_pointer(12), A, b"\1\2\3")
    assert answers(dns_header(1, 2) + ASKED + good + bad) == Answers(
        [(FIRST, "www.example")], Fault("dns_malformed", 4, 3)
    )


def test_an_alias_that_does_not_fill_its_record_is_a_lie():
    record = dns_record(dns_pointer(12), CNAME, dns_name(b"x") + b"rest")
    assert answers(dns_header(1, 1) + ASKED + record).fault == Fault("dns_malformed", 3, 7)


def test_a_label_type_that_is_not_in_use_is_a_lie():
    assert answers(dns_header(1) + b"\x41" + bytes(80)).fault == Fault("dns_malformed")
    record = dns_record(b"\x81" + bytes(20), A, FIRST)
    assert answers(dns_header(1, 1) + ASKED + record).fault == Fault("dns_malformed")


def test_a_header_that_is_cut_says_so():
    assert answers(b"\0\7\x81\x80") == Answers([], Fault("dns_cut", 12, 4))


@pytest.mark.parametrize(("labels", "is_fine"), [(4, True), (5, False)])
def test_a_name_has_255_octets_at_most(labels, is_fine):
    sizes = [63, 63, 63, 61] if labels == 4 else [63, 63, 63, 60, 1]
    name = b".".join(b"x" * size for size in sizes)
    found = answers(dns_answer(name, FIRST))
    assert bool(found.pairs) == is_fine
    assert (found.fault is None) == is_fine


@pytest.mark.parametrize(("jumps", "is_fine"), [(20, True), (21, False)])
def test_a_name_takes_20_jumps_at_most(jumps, is_fine):
    """A chain of pointers, each to the one before it, hidden in a record of text."""
    begin = 12 + len(ASKED) + 12
    chain = b"".join(dns_pointer(12 if n == 0 else begin + 2 * (n - 1)) for n in range(jumps - 1))
    owner = dns_pointer(begin + 2 * (jumps - 2))
    text = dns_record(dns_pointer(12), TXT, chain)
    message = dns_header(1, 2) + ASKED + text + dns_record(owner, A, FIRST)
    found = answers(message)
    assert found == Answers(
        [(FIRST, "www.example")] if is_fine else [], None if is_fine else Fault("dns_malformed")
    )


@pytest.mark.parametrize(("first", "second"), [(0, 62), (10, 30), (31, 33), (40, 41), (60, 20)])
def test_every_graph_of_two_pointers_ends_as_in_dnspython(first, second):
    """The owner of a record points into 64 octets of labels in which two pointers stand."""
    begin = 12 + len(ASKED) + 12
    for to_first, to_second in product(range(64), repeat=2):
        octets = bytearray(b"\1x" * 32)
        octets[first : first + 2] = dns_pointer(begin + to_first)
        octets[second : second + 2] = dns_pointer(begin + to_second)
        text = dns_record(dns_pointer(12), TXT, bytes(octets[:64]))
        owner_at = begin + 64
        owner = dns_pointer(begin + min(first, second))
        message = dns_header(1, 2) + ASKED + text + dns_record(owner, CNAME, b"\0")
        try:
            dns.name.from_wire(message, owner_at)
        except dns.exception.DNSException:
            is_fine = False
        else:
            is_fine = True
        assert (answers(message).fault is None) == is_fine


def amplified(message):
    """Characters of names that a message gives, per byte of it."""
    return sum(len(name) for _, name in answers(message).pairs) / len(message)


def test_a_small_message_cannot_give_huge_names():
    name = dns_name(*[b"\xff" * 63] * 3, b"\xff" * 60)
    addresses = [dns_record(dns_pointer(12), A, n.to_bytes(4, "big")) for n in range(2_000)]
    message = dns_header(1, len(addresses)) + name + b"\0\x01\0\x01" + b"".join(addresses)
    assert 15 < amplified(message) <= 16
    assert answers(message).fault == Fault("dns_malformed")


def test_many_questions_that_meet_in_one_name_cannot_multiply_its_addresses():
    names = [dns_name(b"x" * 60, b"%d" % n) for n in range(16)]
    questions = b"".join(name + b"\0\x01\0\x01" for name in names)
    aliases = [dns_record(name, CNAME, dns_name(b"y")) for name in names]
    addresses = [dns_record(dns_name(b"y"), A, n.to_bytes(4, "big")) for n in range(1_000)]
    records = aliases + addresses
    message = dns_header(16, len(records)) + questions + b"".join(records)
    assert 15 < amplified(message) <= 16


def test_more_questions_than_are_read_are_a_lie():
    assert answers(dns_header(17) + ASKED * 17).fault == Fault("dns_malformed", 17, 16)


def test_more_records_than_are_read_are_a_lie():
    record = dns_record(b"\0", TXT, b"")
    message = dns_header(1, RECORDS + 1) + ASKED + record * (RECORDS + 1)
    assert answers(message).fault == Fault("dns_malformed", RECORDS + 1, RECORDS)


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 30))
def test_arbitrary_bytes_give_a_bounded_answer(octets, questions, records):
    message = dns_header(questions, records) + octets
    assert amplified(message) <= 16


@given(responses(), st.data())
def test_a_response_with_wrong_bytes_gives_a_bounded_answer(response, data):
    message = bytearray(response.to_wire(max_size=65_535))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    assert amplified(bytes(message)) <= 16


def long_chain(count):
    """Aliases from one to the next, in the worst order, and an address at their end."""
    names = [dns_name(b"n%d" % n) for n in range(count + 1)]
    links = [dns_record(names[n], CNAME, names[n + 1]) for n in reversed(range(count))]
    question = names[0] + b"\0\x01\0\x01"
    address = dns_record(names[count], A, FIRST)
    return dns_header(1, count + 1) + question + address + b"".join(links)


def long_names(count):
    """Records whose owners all point into one name of many labels, each at another label."""
    question = dns_name(*[b"x"] * 127) + b"\0\x01\0\x01"
    owners = [dns_pointer(12 + 2 * (n % 100)) for n in range(count)]
    return dns_header(1, count) + question + b"".join(dns_record(o, A, FIRST) for o in owners)


@pytest.mark.parametrize("family", [long_chain, long_names])
def test_twice_the_message_costs_twice_the_work(family):
    once, twice = family(200), family(400)
    assert not answers(twice).fault
    assert lines_run(lambda: answers(twice)) <= 2.3 * lines_run(lambda: answers(once))


NOW, THEN = Moment(1, 10), Moment(2, 20)
STREAM = sized(dns_answer(b"a.example", FIRST), 2) + sized(dns_answer(b"b.example", SECOND), 2)


@given(st.lists(st.integers(0, len(STREAM)), max_size=6).map(sorted))
def test_messages_over_tcp_are_found_however_they_are_cut(cuts):
    reader = MessageReader()
    found = []
    for frame, (begin, end) in enumerate(pairwise([0, *cuts, len(STREAM)])):
        found += reader.feed(STREAM[begin:end], Moment(frame, 0))
    assert [pair for said, _ in found for pair in said.pairs] == [
        (FIRST, "a.example"),
        (SECOND, "b.example"),
    ]
    first_end = 2 + int.from_bytes(STREAM[:2], "big")
    assert found[0][1].frame == sum(cut < first_end for cut in cuts)
    assert reader.held_bytes == 0


def test_the_last_message_over_tcp_is_read_as_far_as_it_came():
    reader = MessageReader()
    message = dns_answer(b"a.example", FIRST, SECOND)
    assert list(reader.feed(sized(message, 2)[:-1], NOW)) == []
    [(said, moment)] = reader.finish()
    assert (said.pairs, moment) == ([(FIRST, "a.example")], NOW)
    assert list(reader.finish()) == []


def test_messages_of_no_bytes_over_tcp_end():
    reader = MessageReader()
    found = list(reader.feed(b"\0\0" * 100, NOW))
    assert [said.fault for said, _ in found] == [Fault("dns_cut", 12, 0)] * 100


HTTPS, SVCB = 65, 64


def service(target, *params, priority=1):
    """The content of an HTTPS record."""
    content = b"".join(key.to_bytes(2) + sized(value, 2) for key, value in params)
    return priority.to_bytes(2) + target + content


def test_the_hints_of_an_https_record_are_addresses_of_the_name_asked_for():
    six = bytes.fromhex("20010db8") + bytes(11) + b"\7"
    data = service(b"\0", (1, b"\2h2"), (4, FIRST + SECOND), (6, six))
    message = dns_header(1, 1) + ASKED + dns_record(dns_pointer(12), HTTPS, data)
    assert answers(message) == Answers(
        [(FIRST, "www.example"), (SECOND, "www.example"), (six, "www.example")], None
    )


def test_a_service_may_lead_to_another_name_and_that_name_to_addresses():
    target = dns_name(b"svc", b"example")
    alias = dns_record(dns_pointer(12), SVCB, service(target, priority=0))
    data = service(b"\0", (4, FIRST), (5, b"keys"))
    message = dns_header(1, 3) + ASKED + alias + dns_record(target, SVCB, data)
    message += dns_record(target, A, SECOND)
    found = answers(message)
    assert found.pairs == [(FIRST, "www.example"), (SECOND, "www.example")]
    assert (found.hiding, found.fault) == (("www.example",), None)


def test_keys_for_a_hidden_name_are_noted_for_whom_was_asked_for():
    other = dns_name(b"other", b"example")
    records = [
        dns_record(owner, HTTPS, service(b"\0", (5, b"keys"))) for owner in (dns_pointer(12), other)
    ]
    assert answers(dns_header(1, 2) + ASKED + b"".join(records)).hiding == ("www.example",)
    assert answers(dns_header(1, 1) + ASKED + records[1]).hiding == ()


@pytest.mark.parametrize("data", [service(b"\0", (4, FIRST))[:-1], service(b"\0") + b"\0\4\0"])
def test_a_parameter_beyond_its_record_is_a_lie(data):
    message = dns_header(1, 1) + ASKED + dns_record(dns_pointer(12), HTTPS, data)
    assert answers(message).fault.kind == "dns_malformed"


@given(st.binary(max_size=60))
def test_any_octets_in_a_service_record_give_a_bounded_answer(octets):
    message = dns_header(1, 1) + ASKED + dns_record(dns_pointer(12), HTTPS, octets)
    assert len(answers(message).pairs) <= 15
