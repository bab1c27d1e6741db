"""What octets stand for one value."""

import hashlib
import hmac
import random

from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.encodings import forms, integers, varint
from phonehome.captures.search.known_values import Identifier
from tests.captures.search.known import ADVERTISING, ANDROID, KEY, PLANTED


def octets_of(identifier):
    found = {}
    for form in forms(identifier):
        found.setdefault(form.octets, form.steps)
    return found


def test_digests_are_of_each_spelling_in_each_case():
    found = octets_of(Identifier(label="x", kind="advertising_id", value=ADVERTISING, keys=(KEY,)))
    for text in (ADVERTISING, ADVERTISING.upper(), ADVERTISING.replace("-", "")):
        for name in ("md5", "sha1", "sha256"):
            assert hashlib.new(name, text.encode()).digest() in found
            assert hmac.new(KEY, text.encode(), name).digest() in found
    assert found[hashlib.sha256(ADVERTISING.upper().encode()).digest()] == ("SHA-256", "upper case")


def test_hexadecimal_digits_are_octets_and_a_number_too():
    found = octets_of(Identifier(label="x", kind="android_id", value=ANDROID))
    assert found[bytes.fromhex(ANDROID)] == ("octets",)
    assert found[str(int(ANDROID, 16)).encode()] == ("decimal number",)
    assert varint(int(ANDROID, 16)) in found


def test_a_guid_has_its_first_three_numbers_turned():
    found = octets_of(
        Identifier(label="x", kind="advertising_id", value="00112233-4455-6677-8899-aabbccddeeff")
    )
    assert bytes.fromhex("33221100554477668899aabbccddeeff") in found


@given(st.integers(0, (1 << 64) - 1))
def test_a_varint_is_read_back(number):
    value = sum((octet & 0x7F) << 7 * place for place, octet in enumerate(varint(number)))
    assert value == number
    assert all(octet & 0x80 for octet in varint(number)[:-1])
    assert not varint(number)[-1] & 0x80


def test_a_number_beyond_32_bits_takes_64():
    assert {len(form.octets) for form in integers(1 << 40)} == {6, 8}
    assert {len(form.octets) for form in integers(1 << 30)} == {5, 4}


def pieces_of(content):
    found = octets_of(Identifier(label="x", kind="file", content=content))
    return [octets for octets, steps in found.items() if steps[0].startswith("piece")]


def test_pieces_of_a_file_reach_over_all_of_it_but_what_every_file_of_its_format_has():
    content = random.Random(3).randbytes(20_000)  # noqa: S311 - not for secrets
    places = sorted(content.index(piece) for piece in pieces_of(content))
    assert len(places) == 8
    assert 1_024 <= places[0] < 4_000
    assert 15_000 < places[-1] <= 20_000 - 1_024 - 24
    found = octets_of(Identifier(label="x", kind="file", content=PLANTED))
    assert PLANTED[:24] not in found
    assert hashlib.sha256(PLANTED).digest() in found
    assert octets_of(Identifier(label="x", kind="file", content=b"short"))[b"short"]


def test_no_piece_of_a_file_is_one_that_any_file_may_have():
    noise = random.Random(4).randbytes(2_000)  # noqa: S311 - not for secrets
    found = pieces_of(b"RIFF" + noise + bytes(60_000) + noise[::-1])
    assert found
    assert all(len(set(piece)) >= 8 for piece in found)
    assert pieces_of(bytes(60_000)) == []
    assert pieces_of(b"aa bb aa bb") == [b"aa bb aa bb"]


def test_a_piece_that_tells_more_is_taken_rather_than_one_that_tells_less():
    noise = random.Random(5).randbytes(48)  # noqa: S311 - not for secrets
    content = bytes(range(12)) * 400
    found = pieces_of(content[:2_000] + noise + content[2_000:])
    assert max(len(set(piece)) for piece in found) > 20


@given(st.binary(min_size=1, max_size=6_000))
def test_a_piece_stands_in_its_file(content):
    for piece in pieces_of(content):
        assert piece in content
        assert len(piece) == min(24, len(content))


def test_a_name_has_plus_signs_for_its_spaces_as_forms_write_it():
    found = octets_of(Identifier(label="x", kind="contact", value="Ann Parrot"))
    assert found[b"Ann+Parrot"] == ("URL-encoded",)
