"""Takes the pictures of the README and of `docs/gallery/` from the demo's report, in Chromium.

Run `./scripts/demo` first; needs the extra `test` and a Chromium.
"""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "demo-output" / "parrot-1.0" / "report.html"
README_PICTURE = ROOT / "docs" / "picture" / "report.png"
GALLERY = ROOT / "docs" / "gallery"
MAX_BYTES = 400_000


class Picture(NamedTuple):
    """What a picture shows.

    Attributes:
        name: of its file in the gallery.
        width: of the page in pixels.
        height: the same.
        scheme: light or dark.
        fragment: the selection in the address.
        section: the part of the page at the top; None: the top of the page.
    """

    name: str
    width: int = 1180
    height: int = 900
    scheme: str = "light"
    fragment: str = ""
    section: str | None = None


PICTURES = (
    Picture("answer", height=1_000),
    Picture("where", section="where"),
    Picture("who-dark", scheme="dark", height=640, section="who"),
    Picture("when", height=860, section="when"),
    Picture("selection", fragment="country=HK", section="when"),
    Picture("narrow-dark", width=420, scheme="dark"),
)


def main() -> int:
    """Write the pictures; 1 where report or browser is missing, or a picture is too large."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not REPORT.is_file():
        print("needs Chromium, and the report that ./scripts/demo makes", file=sys.stderr)
        return 1
    GALLERY.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        files = [take(browser, picture, GALLERY / f"{picture.name}.png") for picture in PICTURES]
        files.append(take(browser, Picture("readme", height=1_400), README_PICTURE))
        browser.close()
    for file in files:
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes")
    return int(any(file.stat().st_size > MAX_BYTES for file in files))


def take(browser: Browser, picture: Picture, file: Path) -> Path:
    """The file with the picture in it."""
    tab = browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    tab.goto(f"{REPORT.as_uri()}#{picture.fragment}")
    tab.wait_for_selector("html[data-drawn=yes]", timeout=60_000)
    if picture.section is not None:
        tab.locator(f"#{picture.section}").evaluate("(part) => part.scrollIntoView()")
    tab.wait_for_timeout(500)
    tab.screenshot(path=file)
    tab.close()
    return file


if __name__ == "__main__":
    sys.exit(main())
