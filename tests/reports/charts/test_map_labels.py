from phonehome.reports.charts.map_labels import Bubble, positions


def test_a_text_stands_above_its_bubble_where_nothing_is_in_the_way():
    assert positions([Bubble(10, 50, 20, "Germany 2 MB")]) == ["top center"]


def test_two_neighbours_do_not_cover_each_other():
    near = [Bubble(103.8, 1.4, 24, "Singapore 1 MB"), Bubble(104, 8, 12, "Vietnam 1 kB")]
    first, second = positions(near)
    assert first != second


def test_a_text_at_the_edge_stays_inside_the_map():
    assert "right" not in positions([Bubble(179, 0, 10, "Fiji 1.00 MB")])[0]
    assert positions([Bubble(-179, 0, 10, "Samoa 1.00 MB")])[0] == "middle right"


def test_bubbles_without_a_text_need_no_place_but_take_one():
    assert len(positions([Bubble(0, 0, 10, ""), Bubble(0, 0, 10, "Ghana 1 kB")])) == 2
