"""Makes docs/notebook.ipynb: runs its cells on the sample captures and keeps what they show.

    .venv/bin/python scripts/notebook.py            # writes the notebook
    .venv/bin/python scripts/notebook.py --check    # runs it again; fails where the text differs

It runs with the shipped databases alone and in a home of its own, so that everybody gets the same.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "notebook.ipynb"

KERNEL: Final = {"name": "python3", "display_name": "Python 3", "language": "python"}

CELLS: Final = (
    """\
# What does an app send, to whom, and how much while nobody touches the phone?

The captures are those of [Parrot](samples.md), a chat app made for this purpose that does not
exist. Your own go in the place of `rep1.pcap`; [From Python and notebooks](python.md) says what
else there is.""",
    """\
import phonehome

samples = "../captures/samples"
analysis = phonehome.analyze(
    f"{samples}/parrot-1.0/rep1.pcap",
    timelines=f"{samples}/parrot-1.0/rep1.timeline.csv",
    phone_location="Toronto, CA",
)
analysis""",
    """\
## Each table is a polars data frame

[Every table and column](tables.md) says what it means, and what a missing value means. Which hosts
got most, and how much of it while the phone was idle?""",
    """\
import polars as pl

sent = pl.col("up_unique_bytes")
idle = sent.filter(pl.col("state") == "idle").sum().alias("idle_bytes")
(
    analysis.uploads.group_by("host", "country")
    .agg(sent.sum(), idle)
    .sort("up_unique_bytes", descending=True)
    .head(6)
)""",
    """\
## What a reader should know before the numbers

Findings are data: a kind, how serious it is (1 contradicts the answer, 5 is a note), typed values,
and the sentence that is made of them.""",
    """\
for finding in analysis.findings.filter(pl.col("severity") < 5).iter_rows(named=True):
    print(finding["severity"], finding["kind"])
    print(finding["sentence"])""",
    """\
## Claims, tested

A claim is supported, contradicted, or cannot be told, and the reason says why.""",
    """\
phonehome.check(analysis, "strict-privacy").select("claim", "result", "reason")""",
    """\
## Two versions, each recorded three times

Each capture is one repetition; the timeline beside it is taken.""",
    """\
comparison = phonehome.compare(f"{samples}/parrot-1.0", f"{samples}/parrot-2.0")
comparison""",
    """\
new = comparison.changes.filter(dimension="country", state="all", change="new")
new.select("key", "verdict", "new_up_unique_bytes", "new_seen_in", "new_repetitions")""",
    """\
## Written, and read back

`html` is the page for people; `load` reads `parquet` or `json`.""",
    """\
from tempfile import TemporaryDirectory

with TemporaryDirectory() as folder:
    phonehome.write(analysis, f"{folder}/result", formats="html,parquet")
    again = phonehome.load(f"{folder}/result")
again.uploads.equals(analysis.uploads)""",
)
"""The cells of the notebook in turn. What begins with a hash is text; all else is code."""

ENVIRONMENT: Final = {"POLARS_TABLE_WIDTH": "100", "PYTHONPATH": str(ROOT)}
HOMES: Final = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "XDG_DATA_HOME")
"""What the kernel keeps or finds in a home is left out: history, and databases of the user."""


def made() -> nbformat.NotebookNode:
    """The notebook, run."""
    book = new_notebook(
        cells=[
            (new_markdown_cell if cell.startswith("#") else new_code_cell)(
                cell, id=f"cell-{number}"
            )
            for number, cell in enumerate(CELLS, start=1)
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    with TemporaryDirectory() as home:
        os.environ.update(ENVIRONMENT | dict.fromkeys(HOMES, home))
        client = NotebookClient(
            book,
            timeout=300,
            record_timing=False,
            resources={"metadata": {"path": PAGE.parent}},
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{home}/kernel"}}),
        )
        client.execute()
    book.metadata.pop("language_info", None)  # names the version of Python
    return book


def shown(book: nbformat.NotebookNode) -> list[tuple[str, list[str]]]:
    """Per cell what it is, and the text that it shows."""
    return [
        (
            cell.source,
            [
                output.text if output.output_type == "stream" else output.data["text/plain"]
                for output in cell.get("outputs", ())
            ],
        )
        for cell in book.cells
    ]


def main() -> None:
    """Write the notebook, or hold the one that is there to what it shows today."""
    book = made()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(nbformat.writes(book) + "\n", encoding="utf-8")
        return
    kept = nbformat.read(PAGE, as_version=4)
    for before, now in zip(shown(kept), shown(book), strict=True):
        if before != now:
            sys.exit(f"{PAGE}: stale; run scripts/notebook.py\n{before}\n{now}")


if __name__ == "__main__":
    main()
