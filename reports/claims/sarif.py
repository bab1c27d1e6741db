"""What was found of claims as SARIF 2.1.0: a rule per claim, a result per claim."""

import json
from typing import Any, Final

import polars as pl

from phonehome.reports.claims.words import paragraphs, result_text, source_text
from phonehome.reports.words.escape import visible
from phonehome.reports.words.version import version

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_PLAIN: Final = frozenset(b"-._~/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def sarif(claims: pl.DataFrame, captures: pl.DataFrame, *, is_strict: bool) -> bytes:
    """The content of the file, UTF-8; the same claims give the same bytes.

    A contradicted claim is an error; one that cannot be told is a warning, or strictly an error;
    a supported one passes. Each result names the captures, by file name and SHA-256.
    """
    artifacts = [
        {
            "location": {"uri": _uri(visible(row["capture"]))},
            "hashes": {"sha-256": row["sha256"]},
        }
        for row in captures.to_dicts()
    ]
    rows = claims.to_dicts()
    run = {
        "tool": {
            "driver": {
                "name": "phonehome",
                "version": version(),
                "rules": [_rule(row) for row in rows],
            }
        },
        "artifacts": artifacts,
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(place, row, artifacts, is_strict=is_strict) for place, row in enumerate(rows)
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1) + "\n").encode()


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    rule = {
        "id": visible(row["claim"]),
        "shortDescription": {"text": visible(row["sentence"])},
        "fullDescription": {"text": visible(f"{row['sentence']} ({source_text(row)})")},
    }
    return rule | ({"helpUri": visible(row["source_url"])} if row["source_url"] else {})


def _result(
    place: int, row: dict[str, Any], artifacts: list[dict[str, Any]], *, is_strict: bool
) -> dict[str, Any]:
    """A result; a pass has no level, as the standard wants it (3.27.10)."""
    grades = {
        "supported": ("pass", "none"),
        "contradicted": ("fail", "error"),
        "cannot tell": ("fail", "error") if is_strict else ("fail", "warning"),
    }
    kind, level = grades[row["result"]]
    return {
        "ruleId": visible(row["claim"]),
        "ruleIndex": place,
        "kind": kind,
        "level": level,
        "message": {"text": visible(f"{result_text(row)}. {row['explanation']}")},
        "locations": [
            {"physicalLocation": {"artifactLocation": {**artifact["location"], "index": index}}}
            for index, artifact in enumerate(artifacts[:10])
        ],
        "partialFingerprints": {"claim/v1": visible(f"{row['file']}:{row['claim']}")},
        "properties": {
            "result": row["result"],
            "reason": row["reason"],
            "found": visible(row["found"] or ""),
            "upUniqueBytes": row["up_unique_bytes"],
            "flows": row["flows"],
            "flowCount": row["flow_count"],
            "said": [f"{name}: {visible(text)}" for name, text in paragraphs(row)],
        },
    }


def _uri(name: str) -> str:
    """A file name as a relative URI (RFC 3986, section 2.1)."""
    return "".join(chr(o) if o in _PLAIN else f"%{o:02X}" for o in name.encode())
