from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Moment
from phonehome.captures.names.reassembly import Assembly
from tests.captures.cost import lines_run

NOW = Moment(1, 0)
PIECES = st.lists(st.tuples(st.integers(0, 40), st.binary(min_size=1, max_size=12)), max_size=30)


def first_copies(pieces, begin):
    """The slow twin: every byte in a dictionary, then those without a gap."""
    octets = {}
    for position, piece in pieces:
        for offset, octet in enumerate(piece, start=position):
            octets.setdefault(offset, octet)
    joined = bytearray()
    while begin + len(joined) in octets:
        joined.append(octets[begin + len(joined)])
    return bytes(joined)


@given(PIECES)
def test_bytes_come_once_in_order_and_the_first_copy_wins(pieces):
    assembly = Assembly(5)
    joined = b"".join(assembly.add(position, piece, NOW) for position, piece in pieces)
    assert joined == first_copies(pieces, 5)
    assert assembly.position == 5 + len(joined)


@given(PIECES)
def test_what_waits_behind_gaps_comes_out_when_gaps_are_skipped(pieces):
    assembly = Assembly(0)
    known = dict.fromkeys(
        offset for position, piece in pieces for offset in range(position, position + len(piece))
    )
    count = sum(len(assembly.add(position, piece, NOW)) for position, piece in pieces)
    while (piece := assembly.skip_gap()) is not None:
        count += len(piece[0])
    assert count == len(known)
    assert assembly.held_bytes == 0


def test_a_piece_behind_a_gap_keeps_the_moment_at_which_it_came():
    assembly = Assembly(0)
    assembly.add(10, b"late", Moment(7, 70))
    assert assembly.skip_gap() == (b"late", Moment(7, 70))
    assert assembly.skip_gap() is None


def test_what_waits_has_a_cost_until_it_is_handed_on():
    assembly = Assembly(0)
    assembly.add(1, b"xyz", NOW)
    assert assembly.held_bytes > 3
    assert assembly.add(0, b"w", NOW) == b"wxyz"
    assert assembly.held_bytes == 0


def test_pieces_from_the_last_byte_to_the_first_cost_in_proportion():
    def backwards(count):
        assembly = Assembly(0)
        for position in reversed(range(count)):
            assembly.add(position, b"x", NOW)

    assert lines_run(lambda: backwards(2_000)) <= 2.3 * lines_run(lambda: backwards(1_000))
