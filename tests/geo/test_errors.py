from phonehome.geo.errors import (
    LONGEST_EXCERPT,
    AddressError,
    DatabaseError,
    GeoError,
    excerpt,
    one_line,
)


def test_every_error_of_the_room_is_a_value_error():
    assert issubclass(GeoError, ValueError)
    assert issubclass(AddressError, GeoError)
    assert issubclass(DatabaseError, GeoError)


def test_control_characters_are_escaped_and_letters_kept():
    assert one_line("Zürich\n\x1b[31m\u2028") == "Zürich\\n\\x1b[31m\\u2028"


def test_a_long_strangers_text_is_cut_with_a_mark():
    assert excerpt("x" * 1000) == "x" * (LONGEST_EXCERPT - 1) + "…"
    assert excerpt("x" * LONGEST_EXCERPT) == "x" * LONGEST_EXCERPT
