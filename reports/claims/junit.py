"""What was found of claims as JUnit XML: a suite per file of claims, a case per claim."""

import re
from collections.abc import Iterable
from typing import Any, Final
from xml.etree import ElementTree as ET

import polars as pl

from phonehome.reports.claims.words import paragraphs, result_text
from phonehome.reports.words.escape import visible

_NO_XML: Final = re.compile("[\ufffe\uffff]")  # beside what `visible` shows (XML 1.0, section 2.2)


def junit(claims: pl.DataFrame, *, is_strict: bool) -> bytes:
    """The content of the file, UTF-8; the same claims give the same bytes.

    A contradicted claim is a failure; one that cannot be told is skipped, or strictly a failure.
    """
    files = claims.group_by("file", maintain_order=True)
    top = ET.Element("testsuites", name="phonehome claims")
    for (file,), of_file in files:
        rows = of_file.to_dicts()
        suite = ET.SubElement(top, "testsuite", _suite(str(file), rows, is_strict))
        for row in rows:
            _case(suite, row, is_strict=is_strict)
    ET.indent(top)
    content: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suite(file: str, rows: list[dict[str, Any]], is_strict: bool) -> dict[str, str]:  # noqa: FBT001 - passed on
    contradicted = sum(row["result"] == "contradicted" for row in rows)
    untold = sum(row["result"] == "cannot tell" for row in rows)
    return {
        "name": _text(file),
        "tests": str(len(rows)),
        "failures": str(contradicted + (untold if is_strict else 0)),
        "errors": "0",
        "skipped": str(0 if is_strict else untold),
    }


def _case(suite: ET.Element, row: dict[str, Any], *, is_strict: bool) -> None:
    name = {"classname": _text(row["file"].removesuffix(".toml")), "name": _text(row["claim"])}
    case = ET.SubElement(suite, "testcase", name)
    message = _text(f"{result_text(row)}: {row['sentence']}")
    if row["result"] == "contradicted" or (row["result"] == "cannot tell" and is_strict):
        kind = "contradicted" if row["result"] == "contradicted" else "cannot-tell"
        ET.SubElement(case, "failure", message=message, type=kind).text = _lines(row)
    elif row["result"] == "cannot tell":
        ET.SubElement(case, "skipped", message=message)
    ET.SubElement(case, "system-out").text = _lines(row)


def _lines(row: dict[str, Any]) -> str:
    said: Iterable[tuple[str, str]] = [("Claim", row["sentence"]), *paragraphs(row)]
    return "\n".join(f"{name}: {_text(text)}" for name, text in said)


def _text(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NO_XML.sub("\ufffd", visible(text))
