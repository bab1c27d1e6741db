from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Marks, Moment, spelled, spelled_labels


def test_a_name_is_in_lower_case_without_the_final_dot():
    assert spelled(b"WWW.Example.COM.") == "www.example.com"


def test_octets_that_are_no_visible_ascii_are_spelled_in_hex():
    assert spelled(b"a\nb \xff\\") == "a\\x0ab\\x20\\xff\\x5c"


def test_a_dot_inside_a_label_is_told_from_a_dot_between_labels():
    assert spelled_labels([b"a.b", b"c"]) == "a\\x2eb.c"
    assert spelled_labels([b"a", b"b", b"c"]) == "a.b.c"


def test_the_root_has_no_name():
    assert spelled(b".") == ""
    assert spelled_labels([]) == ""


@given(st.binary(max_size=40))
def test_a_spelling_is_visible_ascii_and_can_be_read_back(name):
    text = spelled(name)
    assert all("!" <= char <= "~" for char in text)
    assert text.encode().decode("unicode_escape").encode("latin-1") == name.rstrip(b".").lower()


@given(st.lists(st.binary(min_size=1, max_size=5), max_size=5))
def test_labels_can_be_read_back_from_their_spelling(labels):
    parts = spelled_labels(labels).split(".") if labels else []
    read = [part.encode().decode("unicode_escape").encode("latin-1") for part in parts]
    assert read == [label.lower() for label in labels]


def test_marks_tell_which_frame_brought_a_byte():
    marks = Marks()
    for frame, length in enumerate((10, 10, 30), start=1):
        marks.note(length, Moment(frame, 0))
    assert [marks.reached(length).frame for length in (1, 10, 11, 30)] == [1, 1, 3, 3]
