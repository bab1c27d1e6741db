"""Every identifier in every encoding is found, once, and nothing else is."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.search.looking import Looker
from tests.captures.search.known import EMAIL, IDENTIFIERS, IMEI, PLANTS

LOOKER = Looker(IDENTIFIERS)

ESCAPED = {"URL-encoded", "form", "escaped JSON"}  # only text has escapes
WHOLE = {"degrees in protobuf", "degrees times 10,000,000 in protobuf"}  # only a whole message


def labels(found):
    return {IDENTIFIERS[one.identifier].label for one in found}


@pytest.mark.parametrize("name", PLANTS)
def test_each_plant_is_found_and_told_from_all_others(name):
    label, octets = PLANTS[name]
    assert labels(LOOKER.look(octets)) == {label}


@pytest.mark.parametrize("name", PLANTS)
def test_each_plant_is_found_among_other_octets(name):
    label, octets = PLANTS[name]
    around = random.Random(name).randbytes(2_000)  # noqa: S311 - not for secrets
    if name in ESCAPED:
        around = around.hex().encode()
    if name not in WHOLE:
        assert label in labels(LOOKER.look(around + b"\r\n" + octets + b"\r\n" + around))


def test_what_stands_once_is_found_once():
    for octets in (json.dumps({"m": EMAIL}).encode(), PLANTS["base64, shifted by 1"][1]):
        assert len(LOOKER.look(octets)) == 1


def test_steps_are_told_from_the_outside_in():
    (found,) = LOOKER.look(PLANTS["gzip in base64"][1])
    assert (found.steps, found.field) == (("base64", "gzip"), "id")
    (found,) = LOOKER.look(PLANTS["SHA-256 in base64"][1])
    assert found.steps == ("base64", "SHA-256")


def test_the_name_of_a_field_that_holds_an_identifier_is_not_told():
    found = LOOKER.look(json.dumps({"x": 1, f"imei-{IMEI}": EMAIL}).encode())
    assert labels(found) == {"imei", "email"}
    assert {one.field for one in found} == {None}


@given(st.binary(max_size=3_000))
def test_arbitrary_octets_hold_nothing(octets):
    assert LOOKER.look(octets) == []


def test_a_mebibyte_of_random_octets_holds_nothing():
    assert LOOKER.look(random.Random(7).randbytes(1 << 20)) == []  # noqa: S311 - not for secrets
