"""What is known shows no value by itself, and a place must be one."""

import pytest

from phonehome.captures.search.known_values import Identifier
from phonehome.captures.words import IDENTIFIER_KINDS
from tests.captures.search.known import EMAIL, IDENTIFIERS, PLACE


def test_nothing_that_prints_an_identifier_shows_its_value():
    for one in IDENTIFIERS:
        assert one.kind in IDENTIFIER_KINDS
        assert not one.value or one.value not in repr(one)
        assert repr(one.content) not in repr(one) or not one.content
    assert EMAIL not in str(IDENTIFIERS)


def test_a_place_is_latitude_and_longitude():
    found = Identifier(label="home", kind="coordinates", value=PLACE).place()
    assert found == (43.651070, -79.347015)


@pytest.mark.parametrize("value", ["", "43.6", "91,0", "0,181", "north,west", "1,2,3", "nan,1"])
def test_what_is_no_place_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        Identifier(label="home", kind="coordinates", value=value).place()
