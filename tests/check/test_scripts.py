"""The scripts of the page: their types, and what they must not do.

Types are checked by tsc where it is installed (`npm install --global typescript`, or in the
repository); the page itself needs no build.
"""

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SCRIPTS = sorted((ROOT / "reports" / "assets").glob("*.js"))
TSC = shutil.which("tsc", path=str(ROOT / "node_modules" / ".bin")) or shutil.which("tsc")
NODE = shutil.which("node")

FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|"
    r"\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|localStorage|sessionStorage|\bvar\b|[^=!]==[^=]"
)


@pytest.mark.skipif(TSC is None, reason="no tsc on this machine")
def test_the_types_of_the_scripts_hold():
    done = subprocess.run(
        [TSC, "--project", HERE / "tsconfig.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_script_can_be_read(script):
    subprocess.run([NODE, "--check", script], check=True)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_script_writes_text_only_asks_no_server_and_keeps_nothing(script):
    assert FORBIDDEN.findall(script.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_line_is_too_long_and_every_function_says_what_it_does(script):
    lines = script.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 100] == []
    for before, line in itertools.pairwise(lines):
        if re.match(r"(async )?function", line):
            assert before.endswith("*/"), line


def test_every_script_is_checked():
    listed = (HERE / "tsconfig.json").read_text(encoding="utf-8")
    assert all(f"reports/assets/{script.name}" in listed for script in SCRIPTS)
