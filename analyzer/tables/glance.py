"""An analysis at a glance: three lines for a terminal, and a small page for a notebook.

Bytes are whole numbers here, so that nothing is rounded. Captures name hosts and files: each name
is shown without what could move a terminal's cursor or be taken for markup.
"""

from html import escape
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from phonehome.analyzer.tables.result import Analysis, Summary

_MOST_FILES: Final = 3
_MOST_HOSTS: Final = 3
_MOST_ROWS: Final = 8
_LONGEST: Final = 60

_HEAD: Final = (
    '<div style="font:14px/1.5 system-ui,sans-serif;color:inherit;background:none;'
    'overflow-wrap:anywhere">'
)
_CELL: Final = (
    '<td style="text-align:{align};padding:2px 12px 2px 0;border-top:1px solid;'
    'border-color:color-mix(in srgb,currentColor 25%,transparent)">{text}</td>'
)


def plain(name: str) -> str:
    r"""A name on one line: what cannot be seen as `\x…` or `\u…`, and no more than its begin."""
    seen = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in name
    )
    return seen if len(seen) <= _LONGEST else f"{seen[: _LONGEST - 1]}…"


def files(analysis: "Analysis") -> str:
    """The captures of an analysis, the first by name."""
    names = analysis.captures["capture"].to_list()
    shown = ", ".join(map(plain, names[:_MOST_FILES]))
    more = len(names) - _MOST_FILES
    return f"{shown} and {more:,} more" if more > 0 else shown


def text(analysis: "Analysis") -> str:
    """What was read, what was uploaded to whom, and how sure that is: a line each."""
    hosts = [f"{plain(host)} ({sent:,})" for host, _, sent in _hosts(analysis, _MOST_HOSTS)]
    most = f", most to {', '.join(hosts)}" if hosts else ""
    return "\n".join(
        [
            f"Analysis of {files(analysis)}: {_read(analysis.summary)}",
            f"{_sent(analysis.summary)}{most}",
            f"{_idle(analysis.summary)}; {_known(analysis)}",
        ]
    )


def page(analysis: "Analysis") -> str:
    """The same as HTML that needs no other file, in the colours of what it stands in."""
    of = analysis.summary
    lines = [
        f"<b>{escape(_sent(of))}</b>",
        escape(f"{files(analysis)}: {_read(of)}"),
        escape(f"{_idle(of)}; {_known(analysis)}"),
    ]
    rows = [
        _row(plain(host), plain(country or "unknown"), f"{sent:,}")
        for host, country, sent in _hosts(analysis, _MOST_ROWS)
    ]
    table = (
        '<table style="border-collapse:collapse;margin-top:6px;color:inherit;background:none">'
        f"{_row('most was uploaded to', 'country', 'bytes')}{''.join(rows)}</table>"
    )
    return f"{_HEAD}{'<br>'.join(lines)}{table if rows else ''}</div>"


def _row(host: str, country: str, sent: str) -> str:
    cells = ((host, "left"), (country, "left"), (sent, "right"))
    shown = "".join(_CELL.format(text=escape(cell), align=align) for cell, align in cells)
    return f'<tr style="background:none">{shown}</tr>'


def _read(of: "Summary") -> str:
    ends = (of.first_time, of.last_time)
    span = f", {' to '.join(f'{end[:19]}Z' for end in ends if end)}" if all(ends) else ""
    whose = plain(of.counted_app or "the phone")
    return f"{of.packets:,} packets{span}, {of.flows:,} flows of {whose}"


def _sent(of: "Summary") -> str:
    return (
        f"{of.up_unique_bytes:,} bytes up to {of.remotes:,} addresses, {of.hosts:,} hosts, "
        f"{of.countries:,} countries"
    )


def _idle(of: "Summary") -> str:
    if of.idle_share is None:
        return "share while idle: unknown"
    inferred = ", states inferred" if of.is_inferred else ""
    return f"share while idle: {of.idle_share:.1%}{inferred}"


def _known(analysis: "Analysis") -> str:
    """How far the numbers can be relied on."""
    of = analysis.summary
    parts = [
        f"country disputed for {of.disputed_up_unique_bytes:,} bytes",
        "balanced" if of.is_balanced else "THE ACCOUNTS DO NOT BALANCE",
        *(["part of the input is damaged"] if of.is_damaged else []),
        f"{len(analysis.notes):,} notes, {analysis.findings.height:,} findings",
    ]
    return "; ".join(parts)


def _hosts(analysis: "Analysis", most: int) -> list[tuple[str, str | None, int]]:
    """The hosts that got most, each with country and bytes."""
    uploads, app = analysis.uploads, analysis.summary.counted_app
    counted = uploads if app is None else uploads.filter(pl.col("app") == app)
    return (
        counted.group_by(pl.coalesce("host", "remote_address").alias("to"), "country")
        .agg(pl.col("up_unique_bytes").sum())
        .filter(pl.col("up_unique_bytes") > 0)
        .sort(-pl.col("up_unique_bytes"), "to", "country", nulls_last=True)
        .head(most)
        .rows()
    )
