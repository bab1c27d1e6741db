"""The page of a comparison: as text, and in a real browser with the network cut."""

import html
import math
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.reports.comparison import page as comparison_page
from phonehome.reports.comparison.page import MOST_CHANGES, MOST_ROWS, page
from phonehome.reports.comparison.words import METHOD
from tests.looks import first
from tests.made_sides import Repetition, Sent, side

SCRIPT = "</script><img src=x onerror=alert(1)>"
OVERRIDE = "moc.knab\u202egro.live"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOURS = {"active": 1.0, "idle": 2.0}
OLD = (
    Sent(100, host="same.example"),
    Sent(100, host="more.example"),
    Sent(7, host="gone.example", address="95.216.3.4", country="FI", asn=24940),
    Sent(3, host="moved.example"),
    Sent(30, host="same.example", state="active"),
)
YOUNG = (
    Sent(101, host="same.example"),
    Sent(90_000, host="more.example"),
    Sent(50, host=SCRIPT, address="113.96.232.10", country="CN", asn=4134, as_org=SCRIPT),
    Sent(60, host=OVERRIDE, address="113.96.232.11", country="CN", asn=4134, as_org=SCRIPT),
    Sent(3, host="moved.example", address="13.250.100.4", country="SG", asn=16509),
    Sent(31, host="same.example", state="active"),
)


def text(comparison):
    return b"".join(page(comparison)).decode()


@pytest.fixture(scope="module")
def rich():
    return compared(
        side("base", *[Repetition(OLD, HOURS)] * 2), side("new", *[Repetition(YOUNG, HOURS)] * 3)
    )


@pytest.fixture(scope="module")
def alike():
    part = Repetition(OLD, HOURS)
    return compared(side("base", part, part), side("new", part, part))


@pytest.fixture(scope="module")
def apart():
    """Sides that observed no state in common, one without any time."""
    return compared(
        side("base", Repetition((Sent(5, state="active"),), {})),
        side("new", Repetition((Sent(5),), {"idle": 1.0}, damage="cut")),
    )


def test_the_same_comparison_gives_the_same_page(rich):
    assert text(rich) == text(rich)


def test_the_page_can_load_nothing(rich):
    found = text(rich)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', found)
    assert html.unescape(policy).startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r'<(?:script|link|img|iframe)[^>]*\b(?:src|href)="', found)
    assert "url(" not in found
    assert "@import" not in found


def test_it_says_how_it_tells_differences_from_chance_and_n(rich):
    found = html.unescape(text(rich))
    assert METHOD in found
    assert "n = 2 on base (base.pcap); n = 3 on new (new.pcap)" in found


def test_what_changed_comes_before_whether_they_can_be_compared_and_differences_before_both(rich):
    found = text(rich)
    places = [
        found.index(part) for part in ("Repetitions: 2 on base", 'id="changes"', 'id="sides"')
    ]
    assert places == sorted(places)


def test_strangers_write_no_markup_and_turn_no_text_round(rich):
    found = text(rich)
    assert SCRIPT not in found
    assert "\u202e" not in found
    assert "moc.knab\\u{202e}gro.live" in found


def test_sides_without_a_common_state_have_no_chart_and_say_why(apart):
    found = text(apart)
    assert "there are no rates to hold against each other" in found
    assert "Base observed no idle time" in found
    assert "not observed" in found
    assert "Part of the input could not be read" in found


def test_a_long_list_closes_with_what_it_left_out():
    many = tuple(Sent(1, host=f"h{number}.example") for number in range(MOST_CHANGES + 5))
    found = text(compared(side("base", Repetition((Sent(1),))), side("new", Repetition(many))))
    assert f"{5 + 1} other rows" in found


def test_a_page_of_more_rows_than_it_can_hold_says_how_many_it_left_out():
    many = tuple(Sent(1, host=f"h{number}.example") for number in range(MOST_ROWS // 2 + 3))
    found = text(compared(side("base", Repetition(many)), side("new", Repetition(many))))
    assert "12 other rows" in found


@pytest.mark.parametrize("highest", [1, 9, 10, 950, 1e6, 3.2e9])
def test_a_place_on_the_axis_is_from_nothing_to_the_highest_and_in_order(highest):
    rates = [0, highest / 100, highest / 2, highest]
    places = [comparison_page._position(rate, highest) for rate in rates]
    assert places[0] == 0
    assert places == sorted(set(places))
    assert places[-1] <= 100
    assert math.isclose(places[-1], 100) or highest < 9


@pytest.mark.parametrize("highest", [0, 3, 10, 999, 123_456, 5e9])
def test_the_ticks_of_an_axis_begin_at_nothing_and_lie_on_it(highest):
    ticks = comparison_page._ticks(highest)
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert ticks[-1] <= max(highest, 10)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens a comparison as a page; returns it with all that it said, asked and requested."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    folder = tmp_path_factory.mktemp("page")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def open_page(comparison, *, width=1_400, scheme="light"):
            path = folder / f"{len(list(folder.iterdir()))}.html"
            path.write_text(text(comparison), encoding="utf-8")
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
            )
            tab = context.new_page()
            seen = SimpleNamespace(tab=tab, said=[], requests=[], path=path)
            tab.on("console", lambda message: seen.said.append(message.text))
            tab.on("pageerror", lambda error: seen.said.append(str(error)))
            tab.on("dialog", lambda dialog: (seen.said.append(dialog.message), dialog.dismiss()))
            tab.on("request", lambda request: seen.requests.append(request.url))
            tab.goto(path.as_uri())
            return seen

        yield open_page
        chromium.close()


LOOKS = [
    (name, width, scheme)
    for name in ("rich", "alike", "apart")
    for width, scheme in ((1_400, "light"), (420, "dark"))
]


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "scheme"), LOOKS)
def test_the_page_asks_nothing_says_nothing_and_fits(request, opened, name, width, scheme):
    seen = opened(request.getfixturevalue(name), width=width, scheme=scheme)
    assert seen.requests == [seen.path.as_uri()]
    assert seen.said == []
    assert seen.tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "scheme"), first(LOOKS))
def test_no_rule_of_accessibility_is_broken(request, opened, name, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    comparison = replace(request.getfixturevalue(name), is_damaged=True, is_balanced=False)
    seen = opened(comparison, width=width, scheme=scheme)
    seen.tab.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
    results = axe.Axe().run(seen.tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.browser
def test_rates_are_sorted_by_their_number_and_not_by_what_is_printed(opened, rich):
    tab = opened(rich).tab
    heading = tab.get_by_role("button", name="New per hour")
    for order in ("descending", "ascending"):
        heading.click()
        cells = tab.locator("#every-table tbody tr > :nth-child(6)")
        rates = [float(cell.get_attribute("data-sort")) for cell in cells.all()]
        assert rates == sorted(rates, reverse=order == "descending")
        assert len(set(rates)) > 4


@pytest.mark.browser
def test_the_filter_shows_what_contains_every_word(opened, rich):
    tab = opened(rich).tab
    tab.get_by_label("Show rows that contain").fill("more.example IDLE")
    assert tab.locator("#every-table tbody tr:visible").count() == 1
    assert tab.locator("#filter-count").inner_text().startswith("1 of ")


@pytest.mark.browser
def test_a_dot_of_base_lies_left_of_that_of_new_where_the_rate_grew(opened, rich):
    tab = opened(rich).tab
    row = tab.locator(".dots li", has_text="more.example").first
    base, new = (row.locator(f".track i.{side}").bounding_box() for side in ("base", "new"))
    assert base["x"] + base["width"] < new["x"]
