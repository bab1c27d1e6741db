"""What octets stand for one value."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from captures.search.forms import forms, integers, varint
from captures.search.identifiers import Identifier
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


def test_pieces_of_a_file_reach_from_its_begin_to_its_end():
    found = octets_of(Identifier(label="x", kind="file", content=PLANTED))
    assert PLANTED[:24] in found
    assert PLANTED[-24:] in found
    assert hashlib.sha256(PLANTED).digest() in found
    assert octets_of(Identifier(label="x", kind="file", content=b"short"))[b"short"]
