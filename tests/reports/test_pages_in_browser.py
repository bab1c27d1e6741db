"""The pages of comparisons, of a series, and the claims of a report, in a real browser."""

import shutil
from dataclasses import replace
from functools import partial

import pytest

from phonehome.reports.comparison import page as comparison_page
from phonehome.reports.comparison import series
from phonehome.reports.page import report
from tests.looks import first
from tests.made_sides import every_change
from tests.reports.comparison.test_reports_comparison_series import ONE, TWO, series_of
from tests.reports.stated_rows import all_three

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = ("comparison", "series", "claims")

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
def paths(tmp_path_factory, rich):
    made = {
        "comparison": partial(comparison_page.page, every_change()),
        "series": partial(series.page, series_of(ONE, TWO, TWO)),
        "claims": partial(report.page, replace(rich, claims=all_three())),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, content in made.items():
        (folder / f"{name}.html").write_bytes(b"".join(content()))
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture
def opened(browser, paths):
    contexts = []

    def open_page(name, width, scheme):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        tab = context.new_page()
        tab.said = []
        tab.on("console", lambda message: tab.said.append(message.text))
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.goto(paths[name].as_uri())
        if name == "claims":
            tab.wait_for_selector("html[data-drawn=yes]", timeout=30_000)
        return tab

    yield open_page
    for context in contexts:
        context.close()


LOOKS = [
    (name, width, scheme)
    for width, scheme in ((1_400, "light"), (420, "dark"), (420, "light"), (1_400, "dark"))
    for name in PAGES
]


@pytest.mark.parametrize(("name", "width", "scheme"), first(LOOKS, len(PAGES)))
def test_a_page_fits_and_breaks_no_rule_of_accessibility(opened, name, width, scheme):
    tab = opened(name, width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.said == []
    tab.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
    results = axe.Axe().run(tab)
    assert results.violations_count == 0, results.generate_report()


def test_on_a_narrow_screen_every_version_and_the_words_of_each_step_are_seen(opened):
    tab = opened("series", 420, "light")
    outside = """(selector) => [...document.querySelectorAll(selector)].filter(
        (cell) => cell.getBoundingClientRect().right
            > cell.closest("section").getBoundingClientRect().right - 16).length"""
    assert tab.evaluate(outside, ".steps td") == 0
    assert tab.evaluate(outside, "#versions-table tbody td") == 0


def test_on_a_narrow_screen_no_row_is_made_tall_by_what_is_not_seen(opened):
    tab = opened("comparison", 420, "light")
    heights = tab.evaluate(
        """() => [...document.querySelectorAll("#changes tbody td:last-child")].map(
            (cell) => cell.getBoundingClientRect().width)"""
    )
    assert heights
    assert min(heights) >= 160
