"""One encoder per sink: what a capture says reaches no terminal, chart or cell without its own.

The page has two: jinja's autoescape, and `visible` for the characters that HTML lets through.
"""

import html
import re
from typing import Final

import polars as pl

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: move the cursor, forge lines, end strings
    "\xad\u180e"  # soft hyphen, Mongolian vowel separator: no width
    "\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069"  # zero width, and the order of letters
    "\u2028\u2029"  # line and paragraph separators
    "\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # joiners, deprecated formats, annotations
    "\U000e0000-\U000e007f"  # tags
    "\ud800-\udfff"  # lone surrogates, which no file can hold: bytes of a file name
    "]"
)

_UNSEEN_IN_CELLS: Final = _UNSEEN.pattern.replace("\ud800-\udfff", "")  # no UTF-8 holds them
_FORMULA: Final = r"^([=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"

_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]<>#|~&!@^$]|:(?=//)|(?<=www)\.|(?<=WWW)\.")
_LINE_START: Final = re.compile(r"^(\d*)([-=]|(?<=\d)[.)](?=\s|$))")
_BACKTICKS: Final = re.compile("`+")


def visible(text: str) -> str:
    r"""The text with every character that cannot be seen, or that moves others, as `\u{…}`.

    These are the controls C0, DEL and C1, the bidirectional overrides, what has no width, and
    lone surrogates. An octet of a file name that is not UTF-8 is `\xff`, as tables have it.
    """
    return _UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    number = ord(match.group())
    is_octet = 0xDC80 <= number <= 0xDCFF  # noqa: PLR2004 - an octet of a file name (PEP 383)
    return rf"\x{number - 0xDC00:x}" if is_octet else rf"\u{{{number:x}}}"


def terminal(text: str) -> str:
    """The text as a terminal may show it: one line, no escape sequence, in reading order."""
    return visible(text)


def shortened(text: str, length: int) -> str:
    """The text, its middle left out where it has more than `length` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def markdown(text: str) -> str:
    """The text as Markdown shows it: on one line, with no mark-up, no link and no HTML in it."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", visible(text))
    return _LINE_START.sub(r"\1\\\2", escaped)


def markdown_code(text: str) -> str:
    """The text as code in Markdown, whatever backticks it holds; a table cell may hold it too."""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{visible(text)}{space}{fence}"


def label(text: str, length: int = 44) -> str:
    """The text as plotly may show it, its end left out where it has more than `length` characters.

    Plotly reads its labels as HTML of its own kind, without entities for quotes.
    """
    seen = visible(text)
    short = seen if len(seen) <= length else f"{seen[: length - 1]}…"
    return html.escape(short, quote=False)


def cell(text: pl.Expr) -> pl.Expr:
    r"""The text column as a spreadsheet or a terminal may show it, one line per cell.

    What cannot be seen, or moves other text, is `\u{…}` as in `visible`: tabs and line breaks
    too. A `'` goes before a first `=`, `+`, `-`, `@`, or one of the four in full width, so that
    nothing begins a formula. JSON and Parquet keep the text as it was.
    """
    seen = text.map_batches(_visible_cells, return_dtype=pl.String, is_elementwise=True)
    return seen.str.replace(_FORMULA, "'${1}")


def _visible_cells(cells: pl.Series) -> pl.Series:
    """`visible` of every cell; only those that need it pass through Python."""
    hidden = cells.filter(cells.str.contains(_UNSEEN_IN_CELLS)).unique()
    if hidden.is_empty():
        return cells
    return cells.replace(hidden, [visible(cell) for cell in hidden])
