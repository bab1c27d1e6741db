"""The page in a real browser with the network cut."""

import re
import shutil
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import polars as pl
import pytest

from phonehome.reports.charts import timebins
from phonehome.reports.page import report
from phonehome.reports.words.escape import visible
from tests.looks import first

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def opened(browser, folder):
    """Opens an analysis as a page; returns it with all that it said, asked and requested."""
    contexts = []

    def open_page(analysis, *, width=1_400, scheme="light"):
        path = folder / f"{len(contexts)}.html"
        path.write_bytes(b"".join(report.page(analysis)))
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            offline=True,
            reduced_motion="reduce",
        )
        contexts.append(context)
        tab = context.new_page()
        seen = SimpleNamespace(tab=tab, said=[], requests=[], dialogs=[], path=path)
        tab.on("console", lambda message: seen.said.append(message.text))
        tab.on("pageerror", lambda error: seen.said.append(str(error)))
        tab.on("request", lambda request: seen.requests.append(request.url))
        tab.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        tab.on("popup", lambda popup: seen.requests.append(popup.url))
        tab.goto(path.as_uri())
        if analysis.summary.up_unique_bytes:
            tab.wait_for_selector("html[data-drawn=yes]", timeout=30_000)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def light(opened, rich):
    return opened(rich)


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    first(
        [
            ("rich", 1_400, "light"),
            ("rich", 420, "dark"),
            ("empty", 420, "light"),
            ("single", 420, "light"),
            ("rich", 420, "light"),
            ("rich", 1_400, "dark"),
        ],
        3,
    ),
)
def test_the_page_asks_nothing_says_nothing_and_fits(request, opened, name, width, scheme):
    seen = opened(request.getfixturevalue(name), width=width, scheme=scheme)
    assert seen.requests == [seen.path.as_uri()]
    assert seen.said == []
    assert seen.dialogs == []
    assert seen.tab.evaluate("document.documentElement.scrollWidth") <= width


def middles(tab, marks):
    """Where the marks on the map stand, by row, in px from the window's corner."""
    boxes = [mark.bounding_box() for mark in tab.locator(marks).all()]
    return [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]


def test_without_scripts_the_map_stands_where_the_chart_would_draw_it(rich, opened, browser):
    seen = opened(rich)
    drawn = middles(seen.tab, ".plot-map .scattergeo:first-of-type path.point")
    context = browser.new_context(
        viewport={"width": 1_400, "height": 900}, java_script_enabled=False
    )
    tab = context.new_page()
    tab.goto(seen.path.as_uri())
    sketched = middles(tab, ".sketch g :first-child")
    context.close()
    assert len(drawn) == len(sketched) > 3
    assert sketched == [pytest.approx(place, abs=2.5) for place in drawn]
    assert seen.tab.locator(".sketch").count() == 0


def in_german(analysis):
    return replace(analysis, settings=replace(analysis.settings, language="de"))


@pytest.mark.parametrize(("width", "scheme"), first([(420, "light"), (1_400, "dark")]))
def test_a_german_page_asks_nothing_says_nothing_and_fits(rich, opened, width, scheme):
    seen = opened(in_german(rich), width=width, scheme=scheme)
    assert seen.requests == [seen.path.as_uri()]
    assert seen.said == []
    assert seen.tab.evaluate("document.documentElement.scrollWidth") <= width


def test_scripts_and_charts_speak_german_too(rich, opened):
    tab = opened(in_german(rich)).tab
    assert tab.locator("#filter-count").inner_text().endswith("Zeilen")
    tab.locator("#where a.pick").first.click()
    said = tab.locator("#selection-sum").inner_text()
    assert re.fullmatch(r"[\d,]+ [kM]B \([\d.]+ Bytes\) von [\d,]+ [kM]B hochgeladen", said)
    assert tab.locator("#selection-parts button").inner_text().startswith("Land: ")
    assert tab.locator("#plot-time .xtitle").text_content() == "Zeit (UTC)"
    assert any("März" in text for text in tab.locator("#plot-time .xtick").all_text_contents())
    tab.locator("tr[id^=burst-] a.pick").first.click()
    assert "Zeitspanne: 2026-03-14 09:0" in tab.locator("#selection-parts").inner_text()
    tab.locator("#filter").fill("no such thing")
    assert re.fullmatch(r"0 von \d+ Zeilen", tab.locator("#filter-count").inner_text())


@pytest.mark.slow
def test_a_german_page_breaks_no_rule_of_accessibility(rich, opened):
    tab = opened(in_german(rich)).tab
    tab.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
    results = axe.Axe().run(tab)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(
    ("name", "scheme"),
    first([("rich", "light"), ("rich", "dark"), ("single", "light"), ("empty", "light")]),
)
def test_no_rule_of_accessibility_is_broken(request, opened, name, scheme):
    analysis = request.getfixturevalue(name)
    summary = replace(analysis.summary, is_damaged=True, is_balanced=False)
    seen = opened(replace(analysis, summary=summary), scheme=scheme)
    seen.tab.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
    results = axe.Axe().run(seen.tab)
    assert results.violations_count == 0, results.generate_report()


def test_the_map_has_land_and_a_bubble_per_country(light, rich):
    tab = light.tab
    assert tab.locator("#plot-map path.point").count() >= rich.summary.countries
    land = tab.locator("#plot-map .layer.land path").first.get_attribute("d")
    assert len(land) > 10_000


def test_the_sankey_has_a_node_per_app_organisation_and_country(light, rich):
    part = rich.uploads.filter(rich.uploads["up_unique_bytes"] > 0)
    nodes = sum(part[name].n_unique() for name in ("app", "as_org", "country"))
    assert light.tab.locator("#plot-sankey .sankey-node").count() == nodes


def test_the_bars_are_drawn(light):
    assert light.tab.locator("#plot-time .bars .point").count() > 10


def test_hostile_names_are_text_and_nothing_else(light, rich):
    tab = light.tab
    hosts = {visible(host) for host in rich.flows["host"].drop_nulls() if len(host) < 90}
    assert hosts <= set(tab.locator("#destinations-table .host").all_text_contents())
    labels = tab.locator("#plot-sankey .node-label").all_text_contents()
    assert any('<a href="https://evil.example">x</a>' in label for label in labels)
    assert tab.locator("#plot-sankey a").count() == 0
    assert tab.locator("img").count() == 0


def column(tab, place):
    cells = tab.locator(f"#destinations-table tbody tr > :nth-child({place})")
    return cells.all_inner_texts()


def test_a_click_on_a_heading_sorts_and_a_second_turns_round(opened, rich):
    tab = opened(rich).tab
    heading = tab.get_by_role("button", name="Up idle")
    for order in ("descending", "ascending"):
        heading.click()
        numbers = [int(cell.replace(",", "")) for cell in column(tab, 6)]
        assert numbers == sorted(numbers, reverse=order == "descending")
        assert tab.locator("#destinations-table th[aria-sort]").get_attribute("aria-sort") == order
    tab.get_by_role("button", name="Host").click()
    hosts = [cell.split("\n")[0].lower() for cell in column(tab, 1)]
    assert hosts == sorted(hosts)
    assert tab.locator("#destinations-table th[aria-sort]").count() == 1


def test_the_filter_shows_what_contains_every_word_and_says_how_many(opened, rich):
    tab = opened(rich).tab
    tab.get_by_label("Show rows that contain").fill("tencent CHINA")
    shown = tab.locator("#destinations-table tbody tr:visible")
    assert shown.count() == 3
    assert tab.locator("#filter-count").inner_text() == "3 of 13 rows"
    tab.get_by_label("Show rows that contain").fill("no such thing")
    assert shown.count() == 0
    tab.get_by_label("Show rows that contain").fill("")
    assert tab.locator("#filter-count").inner_text() == "13 rows"


def test_a_display_filter_is_copied_or_at_least_selected(opened, rich):
    tab = opened(rich).tab
    row = tab.locator("#destinations-table tbody tr", has_text="2402:4e00::1")
    row.get_by_text("Details").click()
    row.get_by_role("button", name="Copy the filter of 2402:4e00::1").click()
    sync_api.expect(tab.locator("#status")).not_to_be_empty()
    assert tab.evaluate("getSelection().toString()") == "ipv6.addr == 2402:4e00::1"


def number(tab, selector):
    return int(tab.locator(selector).inner_text().replace(",", ""))


def test_one_selection_filters_map_bands_bars_and_table(opened, rich):
    tab = opened(rich).tab
    sent = rich.uploads.filter(pl.col("country") == "CN", pl.col("up_unique_bytes") > 0)
    tab.locator("#where tbody").get_by_role("link", name="China (CN)").click()
    whole = sent["up_unique_bytes"].sum()
    sync_api.expect(tab.locator("#selection")).to_contain_text(f"{whole:,} bytes")
    assert tab.evaluate("location.hash") == "#country=CN"
    shown = tab.locator("#destinations-table tbody tr:visible")
    assert shown.count() == sent["remote_address"].n_unique()
    assert number(tab, "#picked-total") == whole
    assert tab.locator("#filter-count").inner_text() == "1 of 13 rows"
    assert tab.locator("#plot-sankey .sankey-node").count() == 3
    bars = "document.querySelector('#plot-time').data.filter((trace) => trace.meta)"
    drawn = tab.evaluate(
        f"{bars}.filter((trace) => trace.meta.panel === 'all')"
        ".map((trace) => [trace.meta.countries[0], trace.y.reduce((a, b) => a + b, 0)])"
    )
    over_time = rich.timeline.filter(pl.col("country") == "CN")["up_unique_bytes"].sum()
    assert {code: up for code, up in drawn if up} == {"CN": over_time}


def test_a_second_choice_narrows_the_first_and_each_can_be_let_go(opened, rich):
    tab = opened(rich).tab
    tab.locator("#where tbody").get_by_role("link", name="China (CN)").click()
    tab.locator("#when tbody").get_by_role("link", name="3. screen off").click()
    idle = rich.uploads.filter(country="CN", phase=3)["up_unique_bytes"].sum()
    sync_api.expect(tab.locator("#selection-sum")).to_contain_text(f"{idle:,} bytes")
    assert tab.evaluate("location.hash") == "#country=CN&phase=3"
    tab.get_by_role("button", name="phase: 3. screen off").click()
    assert tab.evaluate("location.hash") == "#country=CN"
    tab.get_by_role("button", name="Show all").click()
    assert tab.locator("#selection").is_hidden()
    assert tab.locator("#destinations-table tbody tr:visible").count() == 13


def test_a_selection_can_be_linked_to_and_gone_back_from(opened, rich):
    seen = opened(rich)
    tab = seen.tab
    tab.goto(f"{seen.path.as_uri()}#runner=Cloudflare%2C+Inc.+%28network%29")
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text(
        "organisation: Cloudflare, Inc. (network)"
    )
    tab.get_by_role("button", name="Show all").click()
    tab.go_back()
    assert number(tab, "#picked-total") == 92_500


def test_a_selection_that_names_nothing_selects_nothing(opened, rich):
    seen = opened(rich)
    seen.tab.goto(f"{seen.path.as_uri()}#country=<img src=x>&phase=99")
    assert seen.tab.locator("#selection").is_hidden()
    assert seen.said == []


def test_the_keyboard_reaches_and_sets_a_selection(opened, rich):
    tab = opened(rich).tab
    tab.locator("#who summary").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text("app: com.example.chat")


def drag(tab, begin, end):
    """Drags over a part of the chart over time, from one share of its width to another."""
    tab.locator("#plot-time").scroll_into_view_if_needed()
    box = tab.locator("#plot-time .nsewdrag").first.bounding_box()
    height = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + begin * box["width"], height)
    tab.mouse.down()
    tab.mouse.move(box["x"] + end * box["width"], height, steps=4)
    tab.mouse.up()


def shown_span(tab):
    """The span of time that the address names, as the timeline has times."""
    named = dict(part.split("=") for part in tab.evaluate("location.hash")[1:].split("&"))
    return [datetime.fromisoformat(named[end].replace("%3A", ":")) for end in ("from", "to")]


def test_dragging_over_the_bars_shows_that_span_of_time_on_the_whole_page(opened, rich):
    tab = opened(rich).tab
    drag(tab, 0.02, 0.1)
    begin, end = shown_span(tab)
    sent = rich.timeline.filter(pl.col("start").is_between(begin, end, closed="left"))
    whole = sent["up_unique_bytes"].sum()
    assert 0 < whole < 0.7 * rich.summary.up_unique_bytes
    sync_api.expect(tab.locator("#selection-sum")).to_contain_text(f"{whole:,} bytes")
    assert number(tab, "#picked-total") == whole
    flows = rich.flows.join(rich.moments, on="flow").filter(
        pl.col("start").is_between(begin, end, closed="left")
    )
    shown = tab.locator("#destinations-table tbody tr:visible")
    assert shown.count() == flows.select("remote_address", "host").n_unique()
    assert shown.count() < rich.flows.select("remote_address", "host").n_unique()
    drawn = tab.evaluate(
        "document.querySelector('#plot-time').data.filter((trace) => trace.meta?.panel === 'all')"
        ".flatMap((trace) => trace.y).reduce((a, b) => a + b)"
    )
    assert drawn == whole
    axis = tab.evaluate("document.querySelector('#plot-time').layout.xaxis.range")
    assert [datetime.fromisoformat(f"{text[:19]}Z") for text in axis] == [begin, end]


def test_two_clicks_on_the_bars_show_all_time_again_and_the_rest_stays_chosen(opened, rich):
    tab = opened(rich).tab
    tab.locator("#where tbody").get_by_role("link", name="China (CN)").click()
    drag(tab, 0.02, 0.1)
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text("time span: 2026-03-14 09:0")
    tab.locator("#plot-time .nsewdrag").first.dblclick(position={"x": 300, "y": 20})
    sync_api.expect(tab.locator("#selection-parts")).not_to_contain_text("time")
    assert tab.evaluate("location.hash") == "#country=CN"


def test_a_burst_of_one_packet_at_the_edge_of_a_bar_can_be_selected(opened, rich):
    start = timebins.bins(rich.timeline, rich.captures)["start"].unique().sort().to_list()[3]
    at_edge = rich.bursts.head(1).with_columns(
        pl.lit(moment).cast(pl.Datetime("ns", "UTC")).alias(edge)
        for edge, moment in (("start", start), ("end", start))
    )
    tab = opened(replace(rich, bursts=at_edge)).tab
    tab.locator("tr[id^=burst-] a.pick").click()
    assert shown_span(tab)[0] == start


def test_a_selection_of_nothing_says_so_and_everything_comes_back(opened, rich):
    seen = opened(rich)
    tab = seen.tab
    address = f"{seen.path.as_uri()}#country=GB&from=2026-03-14T09:00:00Z&to=2026-03-14T09:00:02Z"
    other = tab.context.new_page()
    said = []
    other.on("pageerror", lambda error: said.append(str(error)))
    other.goto(address)
    other.wait_for_selector("html[data-drawn=yes]")
    sync_api.expect(other.locator("#plot-sankey")).to_have_text(
        "Nothing of the selection was uploaded."
    )
    assert other.locator("#plot-time .bars").count() > 0
    assert number(other, "#picked-total") == 0
    other.get_by_role("button", name="Show all").click()
    sync_api.expect(other.locator("#plot-sankey .sankey-node").first).to_be_visible()
    assert other.locator("#destinations-table tbody tr:visible").count() == 13
    assert said == []
    other.close()


def test_back_and_forward_follow_the_selection(opened, rich):
    tab = opened(rich).tab
    tab.locator("tr[id^=burst-] a.pick").first.click()
    whole = number(tab, "#picked-total")
    tab.go_back()
    sync_api.expect(tab.locator("#selection")).to_be_hidden()
    tab.go_forward()
    sync_api.expect(tab.locator("#selection")).to_be_visible()
    assert number(tab, "#picked-total") == whole
    tab.get_by_role("button", name="Show all").click()
    tab.go_back()
    sync_api.expect(tab.locator("#selection")).to_be_visible()
    tab.go_forward()
    sync_api.expect(tab.locator("#selection")).to_be_hidden()


def test_what_is_selected_while_charts_are_drawn_is_drawn_too(opened, rich):
    seen = opened(rich)
    other = seen.tab.context.new_page()
    other.add_init_script(
        "addEventListener('DOMContentLoaded', () => new MutationObserver((_, watch) => {"
        " if (!document.querySelector('#plot-map .point')) return; watch.disconnect();"
        " choose({ country: facts.values.country.indexOf('CN') });"
        "}).observe(document.body, { childList: true, subtree: true }))"
    )
    other.goto(seen.path.as_uri())
    other.wait_for_selector("html[data-drawn=yes]")
    faded = other.evaluate(
        "document.querySelector('#plot-map').data[0].marker.opacity.filter((each) => each < 0.5)"
    )
    assert len(faded) > 3
    other.close()


def test_steps_of_a_slider_are_one_place_in_the_history(opened, rich):
    tab = opened(rich).tab
    before = tab.evaluate("history.length")
    tab.get_by_role("slider", name="Only to").focus()
    for _ in range(20):
        tab.keyboard.press("ArrowLeft")
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text("time span")
    assert tab.evaluate("history.length") == before


def test_a_span_of_time_can_be_linked_to_from_a_burst_and_let_go(opened, rich):
    seen = opened(rich)
    tab = seen.tab
    link = tab.locator("tr[id^=burst-] a.pick").first
    link.click()
    sync_api.expect(link).to_have_attribute("aria-current", "true")
    begin, end = shown_span(tab)
    first = rich.bursts.sort("start").row(0, named=True)
    assert begin <= first["start"] <= first["end"] < end
    address = tab.evaluate("location.href")
    whole = number(tab, "#picked-total")
    tab.get_by_role("button", name="time span: 2026").click()
    assert tab.locator("#selection").is_hidden()
    other = tab.context.new_page()
    other.goto(address)
    sync_api.expect(other.locator("#selection-parts")).to_contain_text("time span: 2026-03-14")
    assert number(other, "#picked-total") == whole
    other.close()


def test_the_keyboard_sets_a_span_of_time(opened, rich):
    tab = opened(rich).tab
    slider = tab.get_by_role("slider", name="Only to")
    last = slider.get_attribute("aria-valuetext")
    slider.focus()
    tab.keyboard.press("ArrowLeft")
    said = slider.get_attribute("aria-valuetext")
    assert said < last
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text(f"to {said[11:]} UTC")
    tab.keyboard.press("End")
    sync_api.expect(tab.locator("#selection")).to_be_hidden()
    tab.keyboard.press("Home")
    tab.get_by_role("slider", name="Only from").focus()
    tab.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext") == last, "the other end gives way"


@pytest.mark.parametrize(
    "fragment",
    [
        "from=x&to=y",
        "from=2026-03-14T10:00:00Z&to=2026-03-14T09:00:00Z",
        "from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z",
        "from=2026-03-14T09:00:00Z",
        "from=2026&to=2027",
        "constructor=1",
        "__proto__=1&toString=x",
    ],
)
def test_a_link_to_a_span_that_is_none_selects_nothing(opened, rich, fragment):
    seen = opened(rich)
    seen.tab.goto("about:blank")
    seen.tab.goto(f"{seen.path.as_uri()}#{fragment}")
    seen.tab.wait_for_selector("html[data-drawn=yes]")
    assert seen.tab.locator("#selection").is_hidden()
    assert seen.said == []


def test_a_click_on_the_map_or_a_block_selects(opened, rich):
    tab = opened(rich).tab
    tab.locator("#plot-map path.point").first.hover(force=True)
    sync_api.expect(tab.locator("#plot-map .hovertext")).to_be_visible()
    tab.mouse.down()
    tab.mouse.up()
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text("country: Singapore (SG)")
    tab.get_by_role("button", name="Show all").click()
    tab.locator("#plot-sankey .node-rect").first.hover(force=True)
    sync_api.expect(tab.locator("#plot-sankey .hovertext").first).to_be_visible()
    tab.mouse.down()
    tab.mouse.up()
    sync_api.expect(tab.locator("#selection-parts")).to_contain_text("app: com.example.chat")


def test_charts_take_the_colours_of_the_scheme_when_it_changes(opened, rich):
    tab = opened(rich).tab
    label = tab.locator("#plot-sankey .node-label").first
    sync_api.expect(label).to_have_css("fill", "rgb(27, 29, 33)")
    tab.emulate_media(color_scheme="dark")
    sync_api.expect(label).to_have_css("fill", "rgb(233, 234, 238)")


def test_a_page_printed_from_dark_is_light(opened, rich):
    tab = opened(rich, scheme="dark").tab
    tab.emulate_media(media="print", color_scheme="dark")
    sync_api.expect(tab.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    label = tab.locator("#plot-sankey .node-label").first
    sync_api.expect(label).to_have_css("fill", "rgb(0, 0, 0)")


def test_a_printed_chart_fits_the_sheet_and_is_whole(opened, rich):
    tab = opened(rich).tab
    tab.emulate_media(media="print")
    for name in ("map", "sankey", "time"):
        drawing = tab.locator(f"#plot-{name} svg.main-svg").first
        sync_api.expect(drawing).to_have_attribute("width", "680")
    edges = tab.locator("#plot-sankey .sankey-node").evaluate_all(
        "(nodes) => nodes.map((node) => node.getBoundingClientRect().right)"
    )
    assert max(edges) <= tab.locator("#plot-sankey").bounding_box()["x"] + 680
    sync_api.expect(tab.locator("#who details")).to_have_attribute("open", "")
    tab.emulate_media(media="screen")
    sync_api.expect(tab.locator("#who details")).not_to_have_attribute("open", "")


def test_tables_are_whole_without_scripts(browser, folder, rich):
    path = folder / "scriptless.html"
    path.write_bytes(b"".join(report.page(rich)))
    context = browser.new_context(java_script_enabled=False, offline=True)
    tab = context.new_page()
    tab.goto(path.as_uri())
    assert "2,308,600" in tab.locator("#where table").inner_text()
    assert "The table below says the same" in tab.locator("#plot-sankey").inner_text()
    assert "Singapore 1.48 MB" in tab.locator("#plot-map").inner_text()
    context.close()


def test_the_policy_lets_no_other_script_run(opened, rich):
    seen = opened(rich)
    seen.tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.ran = true'}))"
    )
    assert seen.tab.evaluate("window.ran") is None
