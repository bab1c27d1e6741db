"""How the charts of a sample look, held to golden grids of colours.

A chart is photographed without its text, since fonts differ between machines, and scaled to a few
cells. A cell may differ as much as an edge that another version of a browser draws elsewhere makes
it; a chart that is missing, moved, cut or in the colours of the other scheme differs by far more.
"""

import base64
import shutil
from pathlib import Path

import pytest

from phonehome.reports.page import report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

GOLDEN = Path(__file__).parents[1] / "golden" / "reports"
ACROSS, DOWN = 24, 12
MEAN, MOST = 3.0, 48.0  # of 255, over all cells and in one of them
CHARTS = ("map", "sankey", "time")
LOOKS = [(1_400, "light"), (1_400, "dark"), (420, "light")]
HIDE_TEXT = "svg text, .hovertext { visibility: hidden !important; }"
SCALED = """async ([picture, across, down]) => {
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = new OffscreenCanvas(across, down);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const bitmap = await createImageBitmap(image, {
    resizeWidth: across, resizeHeight: down, resizeQuality: "high" });
  context.drawImage(bitmap, 0, 0);
  return [...context.getImageData(0, 0, across, down).data].filter((_, at) => at % 4 < 3);
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def grids(browser, samples, tmp_path_factory):
    """The grid of each chart of a sample in each look: numbers from 0 to 255, red, green, blue."""
    path = tmp_path_factory.mktemp("pictures") / "report.html"
    path.write_bytes(b"".join(report.page(samples("parrot-1.0/rep1").analysis)))
    scaler = browser.new_page()
    found = {}
    for width, scheme in LOOKS:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            offline=True,
            reduced_motion="reduce",
        )
        tab = context.new_page()
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-drawn=yes]", timeout=60_000)
        tab.add_style_tag(content=HIDE_TEXT)
        for chart in CHARTS:
            picture = tab.locator(f"#plot-{chart}").screenshot(animations="disabled")
            data = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
            found[chart, width, scheme] = scaler.evaluate(SCALED, [data, ACROSS, DOWN])
        context.close()
    return found


def written(grid):
    """A line per row of cells, a colour per cell."""
    cells = [f"{r:02x}{g:02x}{b:02x}" for r, g, b in zip(*[iter(grid)] * 3, strict=True)]
    rows = [cells[at : at + ACROSS] for at in range(0, len(cells), ACROSS)]
    return "".join(" ".join(row) + "\n" for row in rows)


def read(text):
    return [byte for cell in text.split() for byte in bytes.fromhex(cell)]


def apart(one, other):
    """Mean and largest distance of two grids, per cell the mean of its three colours."""
    colours = [abs(a - b) for a, b in zip(one, other, strict=True)]
    cells = [sum(cell) / 3 for cell in zip(*[iter(colours)] * 3, strict=True)]
    return sum(cells) / len(cells), max(cells)


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("chart", CHARTS)
def test_the_chart_looks_as_it_did(grids, request, chart, width, scheme):
    grid = grids[chart, width, scheme]
    golden = GOLDEN / f"{chart}-{width}-{scheme}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(written(grid), encoding="utf-8", newline="\n")
    mean, most = apart(grid, read(golden.read_text(encoding="utf-8")))
    assert mean <= MEAN, f"{golden.name}: cells differ by {mean:.1f} of 255 in mean"
    assert most <= MOST, f"{golden.name}: one cell differs by {most:.1f} of 255"


def test_charts_and_looks_are_further_apart_than_the_tolerance(grids):
    looks = {key: grid for key, grid in grids.items() if key[1] == LOOKS[0][0]}
    for key, grid in looks.items():
        for other_key, other in looks.items():
            if key != other_key:
                mean, most = apart(grid, other)
                assert mean > MEAN or most > MOST, (key, other_key)


def test_an_empty_chart_is_further_from_its_golden_than_the_tolerance(grids):
    for grid in grids.values():
        mean, most = apart(grid, grid[:3] * (len(grid) // 3))
        assert mean > MEAN or most > MOST
