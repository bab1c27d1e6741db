"""Every identifier in every encoding is found, once, and nothing else is."""

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.budget import FREE_OCTETS, MOST_OCTETS, RATIO, Budget
from phonehome.captures.search.layers import Looker
from phonehome.captures.search.unwrap import unfolded
from tests.captures.search.known import EMAIL, IDENTIFIERS, IMEI, PLANTED, PLANTS
from tests.small_captures import gzipped

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


@pytest.mark.parametrize(
    "bomb",
    [
        gzipped(gzipped(b"a" * (1 << 20)) * 64),
        gzipped(gzipped(b"a" * (1 << 20)) * 64) * 64,
        gzipped(b"%41" * 10_000),
        b" ".join([base64.b64encode(gzipped(bytes(1 << 20)))] * 64),
    ],
    ids=["one", "many", "small", "base64"],
)
def test_all_layers_of_a_bomb_together_unfold_to_no_more_than_is_stated(bomb, monkeypatch):
    octets = []

    def noted(*given):
        for one in unfolded(*given):
            octets.append(len(one.octets))
            yield one

    monkeypatch.setattr("phonehome.captures.search.layers.unfolded", noted)
    budget = Budget(len(bomb))
    LOOKER.look(bomb, budget)
    assert 0 < sum(octets) <= min(MOST_OCTETS, max(FREE_OCTETS, RATIO * len(bomb)))
    assert budget.left_out == 1
    assert budget.left <= 0


def test_what_stands_beside_a_piece_that_unfolds_to_much_is_found():
    bomb = base64.b64encode(gzipped(bytes(8 << 20)))
    told = base64.b64encode(EMAIL.title().encode())
    budget = Budget(len(bomb))
    assert labels(LOOKER.look(bomb + b" " + told, budget)) == {"email"}
    assert budget.left_out == 1


def test_base64_in_lines_is_one_text():
    folded = gzipped(json.dumps({"k": PLANTED.hex(), "mail": EMAIL}).encode())
    found = LOOKER.look(base64.encodebytes(folded))
    assert {one.steps for one in found if IDENTIFIERS[one.identifier].label == "email"} == {
        ("base64", "gzip")
    }


@pytest.mark.parametrize(
    "octets", [b"GET /a?x=1&n=Parrot+Nest+5G HTTP/1.1\r\n", b"n=Parrot+Nest+5G"]
)
def test_a_plus_sign_is_a_space(octets):
    (found,) = LOOKER.look(octets)
    assert (found.steps, found.field) == (("URL-encoded",), "n")


def test_many_fields_in_what_was_unfolded_cost_more_than_their_octets():
    message = b"\x08\x01" * 3_000
    budget = Budget(1)
    LOOKER.look(gzipped(message), budget)
    assert budget.left < FREE_OCTETS - len(message) - 10 * 3_000
