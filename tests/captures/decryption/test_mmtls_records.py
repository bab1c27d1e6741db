import json

import pytest

from phonehome.captures.decryption.keylogs import keys_of
from phonehome.captures.decryption.mmtls_records import RecordOpener, opened_of
from phonehome.captures.limits import Limits
from phonehome.captures.names.faults import Moment
from phonehome.captures.names.mmtls import RecordReader
from tests.captures.decryption.made_mmtls import (
    URI,
    Link,
    cbc,
    line,
    long_message,
    packed,
    short_request,
)

ENDS = {0: ("tcp", "10.0.0.1", 40_000, "203.0.113.7", 8_080)}
MOMENT = Moment(7, 1_000)


def opener(*lines, **limits):
    keys = keys_of("\n".join(lines).encode(), "keylog").mmtls
    return RecordOpener(keys, Limits(**limits))


def feed(opener, octets, from_b=0):
    for record, moment in RecordReader(is_keeping=True).feed(octets, MOMENT):
        opener.take((0, from_b), record, moment)


def said(opener):
    return [(record.layer, record.what, record.octets) for record in opener.opened]


def test_records_of_both_directions_are_opened_by_their_tails():
    up, down = Link(), Link(key=bytes(16), is_up=False)
    asked, answer = short_request(b"inner"), b"\0\1answer"
    given = opener()
    sent, got = up.send(asked), down.send(answer)
    given = opener(*up.lines, *down.lines)
    feed(given, sent)
    feed(given, got, from_b=1)
    assert said(given) == [
        ("mmtls", f"mmtls request {URI}", asked),
        ("mmtls", "mmtls data", answer),
    ]
    pieces, (attempt,) = opened_of(given, ENDS)
    assert pieces[0][:7] == ("tcp", *ENDS[0][1:], 7, 1_000)
    assert pieces[1][:5] == ("tcp", *ENDS[0][3:], *ENDS[0][1:3])
    assert attempt.opened_bytes == {True: len(asked), False: len(answer)}
    assert (attempt.keys_source, attempt.requests, attempt.failures) == ("mmtls_keylog", 1, 0)


def test_records_behind_one_with_a_line_are_opened_by_its_key_and_their_number():
    link = Link()
    stream = link.send(b"\0first") + link.send(b"\0second", is_logged=False)
    link.number += 2
    stream += link.send(b"\0third", is_logged=False)
    given = opener(*link.lines)
    feed(given, stream)
    assert [octets for _, _, octets in said(given)] == [b"\0first", b"\0second", b"\0third"]


def test_the_nonce_of_a_line_may_be_that_of_its_direction():
    link = Link(number=5)
    sent = link.send(b"\0text")
    changed = json.loads(link.lines[0]) | {"nonce": link.base.hex()}
    given = opener(json.dumps(changed))
    feed(given, sent)
    assert [octets for _, _, octets in said(given)] == [b"\0text"]


def test_a_line_without_what_was_authenticated_opens_too():
    link = Link(number=0)
    sent = link.send(b"\0text")
    changed = json.loads(link.lines[0])
    del changed["metadata"]
    given = opener(json.dumps(changed))
    feed(given, sent)
    assert [octets for _, _, octets in said(given)] == [b"\0text"]


@pytest.mark.parametrize("name", ["key", "nonce", "metadata"])
def test_a_wrong_line_opens_nothing_and_is_counted(name):
    link = Link()
    sent = link.send(b"\0text")
    changed = json.loads(link.lines[0])
    changed[name] = "ff" * (len(changed[name]) // 2)
    given = opener(json.dumps(changed))
    feed(given, sent)
    assert said(given) == []
    _, (attempt,) = opened_of(given, ENDS)
    assert (attempt.failures, attempt.is_opened) == (1, False)


def test_records_without_a_key_are_told_and_no_failure():
    given = opener(*Link().lines)
    feed(given, Link().send(b"\0text"))
    _, (attempt,) = opened_of(given, ENDS)
    assert (attempt.keys_source, attempt.failures) == (None, 0)


def test_messages_of_the_long_link_are_named_by_their_type():
    link = Link()
    message = long_message(238, b"body")
    sent = link.send(message) + link.send(message[:-1]) + link.send(b"\0", kind=0x15)
    given = opener(*link.lines)
    feed(given, sent)
    assert [what for _, what, _ in said(given)] == [
        "mmtls request of type 238",
        "mmtls data",
        "mmtls alert",
    ]


def test_the_business_layer_is_opened_inside_and_counted_apart():
    link, text = Link(), b"account 12345678"
    inner = cbc(bytes(16), bytes(16), packed(text))
    sent = link.send(short_request(b"\xbf\1\2" + inner))
    given = opener(*link.lines, line("INNER", bytes(16), bytes(16), inner))
    feed(given, sent)
    assert said(given)[1] == ("mmtls-inner", f"mmtls-inner request {URI}", text)
    _, (_, attempt) = opened_of(given, ENDS)
    assert (attempt.layer, attempt.opened_bytes[True], attempt.requests) == (
        "mmtls-inner",
        len(text),
        1,
    )


def test_a_wrong_key_of_the_business_layer_is_counted():
    link = Link()
    inner = cbc(bytes(16), bytes(16), packed(b"text"))
    sent = link.send(short_request(inner))
    given = opener(*link.lines, line("INNER", bytes(16), bytes(12), inner))
    feed(given, sent)
    assert [layer for layer, _, _ in said(given)] == ["mmtls"]
    _, attempts = opened_of(given, ENDS)
    assert [attempt.failures for attempt in attempts] == [0, 1]


def test_what_is_too_much_to_keep_is_counted():
    link = Link()
    sent = link.send(bytes(100)) + link.send(bytes(100))
    given = opener(*link.lines, opened_bytes=150)
    feed(given, sent)
    assert (len(given.opened), given.left_out) == (1, 1)
