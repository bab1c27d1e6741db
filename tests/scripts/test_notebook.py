"""The notebook shows what it shows when it is run."""

import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.mark.slow
def test_the_notebook_shows_what_it_shows_when_it_is_run():
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "notebook.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_notebook_is_small_and_names_no_folder_of_who_ran_it():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 300_000
    assert gettempdir() not in text
    assert str(ROOT) not in text
    assert "Analysis of rep1.pcap: " in text
