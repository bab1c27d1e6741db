"""Each way in which a value is written as text."""

from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.spellings import bare, cases, is_hex, spellings
from tests.captures.search.known import ADVERTISING, IMEI, MAC


def of(kind, value):
    return Identifier(label="x", kind=kind, value=value)


def test_an_address_is_written_with_colons_with_hyphens_and_without():
    found = spellings(of("mac", MAC))
    assert set(found.values()) == {MAC, "02004c4f4f50", "02-00-4c-4f-4f-50"}
    assert spellings(of("mac", "02004C4F4F50"))["with colons"] == "02:00:4C:4F:4F:50"


def test_a_uuid_is_written_with_and_without_hyphens():
    digits = ADVERTISING.replace("-", "")
    assert set(spellings(of("advertising_id", digits)).values()) == {ADVERTISING, digits}


def test_an_imei_is_also_written_without_its_check_digit():
    assert spellings(of("imei", IMEI)) == {"": IMEI, "without its check digit": IMEI[:-1]}


def test_a_number_with_separators_is_its_digits():
    assert bare(of("phone_number", "+1 (416) 555-01.99")) == "14165550199"


def test_the_dots_and_spaces_of_a_name_are_part_of_it():
    assert bare(of("email", "a.b@c-d.example")) == "a.b@c-d.example"
    assert bare(of("ssid", "My Net")) == "My Net"


def test_only_what_is_meant_as_hexadecimal_digits_is_octets():
    assert is_hex(of("android_id", "9774d56d682e549c"))
    assert not is_hex(of("account", "12345678"))
    assert not is_hex(of("account", "9" * 32))
    assert is_hex(of("account", "a" * 32))


def test_cases_that_do_not_differ_are_one():
    assert cases("12") == {"": "12"}
    assert cases("ab") == {"": "ab", "upper case": "AB"}
    assert cases("Ab") == {"": "Ab", "lower case": "ab", "upper case": "AB"}
