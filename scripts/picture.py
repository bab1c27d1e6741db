"""Takes the picture of the README: the top of the demo's report, in a headless Chromium.

Run `./scripts/demo` first; needs the extra `test` and a Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "demo-output" / "parrot-1.0" / "report.html"
PICTURE = ROOT / "docs" / "picture" / "report.png"
WIDTH, HEIGHT = 1180, 1400  # pixels of the page
MAX_BYTES = 400_000


def main() -> int:
    """Write the picture; 1 where report or browser is missing, or the picture is too large."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or not REPORT.is_file():
        print("needs Chromium, and the report that ./scripts/demo makes", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",
        )
        tab.goto(REPORT.as_uri())
        tab.wait_for_selector("html[data-drawn=yes]", timeout=30_000)
        tab.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")
    return int(PICTURE.stat().st_size > MAX_BYTES)


if __name__ == "__main__":
    sys.exit(main())
