"""`report.html`: one page that holds all it needs and asks no server for anything.

The charts' library travels inside, compressed, and is unpacked by the page's own script. A
content security policy names the hash of each script that may run; nothing else may load.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jinja2
import polars as pl
from markupsafe import Markup

from analyzer.settings import IDLE_STATES
from analyzer.tables import STATES, Analysis
from geo.countries import world_topology
from reports import accounts, behaviour, decryption, figures, quality, sums, timechart, wording
from reports.provenance import version
from reports.text import shortened, visible

_HERE: Final = Path(__file__).parent
_MOST_ROWS: Final = 300
_LONGEST_NAME: Final = 90
_NEGLIGIBLE: Final = 0.01  # of a whole, what need not be said to be unknown
_UNIT: Final = re.compile(r"(?<=\d) (?=%|bytes?\b|[kMGTP]B\b)")
_LEVEL: Final = 4  # 2.0 MB in 0.09 s; level 9 saves 80 kB and costs twice that time


def page(analysis: Analysis) -> Iterator[bytes]:
    """The content of `report.html`: the same analysis gives the same bytes."""
    part = sums.counted(analysis)
    over_time = behaviour.behaviour(analysis)
    has_charts = analysis.summary.up_unique_bytes > 0
    script = asset("report.js")
    text = (
        environment()
        .get_template("report.html")
        .render(
            **_answer(analysis, part),
            over_time=over_time,
            behaviour_sentences=behaviour.sentences(analysis, over_time),
            **_evidence(analysis, part),
            policy=policy(script, *([_plotly()] if has_charts else [])),
            style=Markup(asset("report.css")),  # noqa: S704  # a file of ours
            script=Markup(script),  # noqa: S704  # the same
            plotly=Markup(_packed_plotly()) if has_charts else None,  # noqa: S704  # base64
            island=_island(figures_of(analysis, part, over_time["bursts"])) if has_charts else None,
        )
    )
    yield text.encode()


def _answer(analysis: Analysis, part: sums.Counted) -> dict[str, Any]:
    """What the first screens show: the answer, countries, phases."""
    summary = analysis.summary
    idle_states = IDLE_STATES[summary.idle_means]
    idle = part.uploads.filter(pl.col("state").is_in(idle_states))
    return {
        "version": version(),
        "summary": summary,
        "captures": analysis.captures.to_dicts(),
        "loss": wording.loss_sentence(analysis.captures),
        "phone": wording.phones_sentence(analysis.phones),
        "idle_detail": wording.idle_detail(analysis),
        "stateless": wording.stateless(analysis),
        "country_source": wording.country_source(analysis.databases),
        "notes": analysis.notes,
        "limits_hit": dict(sorted(analysis.limits_hit.items())),
        "words": wording,
        "states": _states_seen(analysis),
        "has_idle": not set(idle_states).isdisjoint(_states_seen(analysis)),
        "countries": sums.by_country(part.uploads, analysis.places, idle_states).to_dicts(),
        "top_countries": _top(part.uploads, "country", figures.country_text),
        "top_idle_countries": _top(idle, "country", figures.country_text),
        "top_organisations": _top(part.uploads, "organisation", _short),
        "top_holders": _top(part.uploads, "as_org", _short),
        "parties": sums.by_party(part.uploads).to_dicts(),
        "phases": sums.by_phase(part.uploads, analysis.phases).head(_MOST_ROWS).to_dicts(),
        "has_gaps": not sums.gaps(
            analysis.captures, sums.bins(part.timeline, analysis.captures)
        ).is_empty(),
        "phases_left_out": max(0, analysis.phases.height - _MOST_ROWS),
        "rest": part.rest_up_unique_bytes,
    }


def _evidence(analysis: Analysis, part: sums.Counted) -> dict[str, Any]:
    """What stands behind the answer: destinations, names, ledger, quality, provenance."""
    found = sums.destinations(part, analysis.places)
    return {
        "destinations": found,
        "sources": sums.by_source(part.flows).to_dicts(),
        "requests": sums.plain_requests(analysis.requests, part.flows),
        "certificates": sums.shown_certificates(analysis.certificates, part.flows),
        "ledger": accounts.by_outcome(analysis.ledger),
        "identities": accounts.identities(analysis, found.total["up"]),
        "quality": quality.quality(analysis),
        "oddities": accounts.by_kind(analysis.oddities).head(_MOST_ROWS).to_dicts(),
        "phones": analysis.phones.head(_MOST_ROWS).to_dicts(),
        "databases": analysis.databases.to_dicts(),
        "settings": accounts.settings_rows(analysis.settings),
        "streams": _streams(part),
        "four_counts": {
            count: int(part.uploads[f"up_{count}_bytes"].sum())
            for count in ("wire", "ip", "payload", "unique")
        },
        "kinds": sums.by_kind_sent(part.flows),
        "per_count": sums.four_counts(part),
        "encryption": decryption.encryption(analysis, part.flows),
    }


def _top(
    uploads: pl.DataFrame, column: str, say: Callable[[str], str], most: int = 3
) -> dict[str, Any]:
    """The largest known receivers by country or holder, and what has none that is known.

    `is_largest` says that nothing unknown is larger than they are.
    """
    rows = (
        uploads.filter(sums.UP > 0, pl.col(column).is_not_null())
        .group_by(column)
        .agg(up=sums.UP.sum())
        .sort(-pl.col("up"), column)
        .head(most)
    )
    whole = int(uploads["up_unique_bytes"].sum())
    unknown = int(uploads.filter(pl.col(column).is_null())["up_unique_bytes"].sum())
    is_largest = not rows.is_empty() and unknown <= rows["up"][0]
    return {
        "rows": [(say(row[column]), row["up"]) for row in rows.to_dicts()],
        "whole": whole,
        "unknown": unknown,
        "is_largest": is_largest,
        "is_unknown_said": unknown > 0 and (not is_largest or unknown >= _NEGLIGIBLE * whole),
    }


def _streams(part: sums.Counted) -> list[dict[str, Any]]:
    """App, organisation and country of every band, as texts, with its bytes."""
    named = (
        ("app", "app", "other apps", wording.NO_APP, str),
        ("organisation", "organisation", "other organisations", wording.NO_ORGANISATION, str),
        ("country", "country", "other countries", wording.NO_COUNTRY, figures.country_text),
    )
    return [
        {
            name: other
            if row[f"is_other_{column}"]
            else unknown
            if row[column] is None
            else say(row[column])
            for name, column, other, unknown, say in named
        }
        | {"up": row["up"]}
        for row in sums.streams(part.uploads).to_dicts()
    ]


def _states_seen(analysis: Analysis) -> list[str]:
    """The states that any phase has; none where all are unknown, for they then say nothing."""
    seen = set(analysis.phases["state"].to_list())
    return [] if seen <= {"unknown"} else [state for state in STATES if state in seen]


def figures_of(
    analysis: Analysis, part: sums.Counted, bursts: Sequence[dict[str, Any]] = ()
) -> dict[str, figures.Figure]:
    """The charts of the page, by the name that the page's script finds them by.

    Args:
        analysis: the tables.
        part: what of them counts.
        bursts: those that the page lists.
    """
    idle = IDLE_STATES[analysis.summary.idle_means]
    countries = sums.by_country(part.uploads, analysis.places, idle)
    bins = sums.bins(part.timeline, analysis.captures)
    has_idle = not set(idle).isdisjoint(_states_seen(analysis))
    return {
        "map": figures.world(
            countries, when_idle=wording.idle_when(analysis.summary) if has_idle else None
        ),
        "sankey": figures.sankey(_streams(part)),
        "time": timechart.over_time(
            bins,
            analysis.phases,
            sums.gaps(analysis.captures, bins),
            bursts,
        ),
    }


def _island(content: dict[str, Any]) -> Markup:
    """Figures and map as JSON that cannot end the script element it stands in."""
    text = json.dumps(content, separators=(",", ":"))[:-1] + f',"topology":{world_topology()}}}'
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  # just escaped for the one place it goes to


@cache
def _plotly() -> str:
    """The source of plotly.js, as the installed package ships it."""
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    return script.read_text(encoding="utf-8")


@cache
def _packed_plotly() -> str:
    return base64.b64encode(zlib.compress(_plotly().encode(), _LEVEL)).decode()


def asset(name: str) -> str:
    """A file of ours that pages carry in themselves."""
    return (_HERE / "assets" / name).read_text(encoding="utf-8")


def policy(*scripts: str) -> str:
    """The content security policy of a page that runs these scripts and loads nothing."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    # plotly writes its style rules while it draws: hashes would break it, and only it.
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> jinja2.Environment:
    """What fills the templates of pages: their filters, and the encoder of all text."""
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_seen,
    )
    environment.filters |= {
        "n": lambda number: "none" if number is None else f"{number:,}",
        "size": lambda count: _tight(wording.bytes_text(count)),
        "tight": _tight,
        "time": wording.time_text,
        "seconds": wording.seconds_text,
        "span": lambda span: wording.seconds_text(span.total_seconds()),
        "country": figures.country_text,
        "short": _short,
    }
    environment.globals |= {
        "share": lambda part, whole: _tight(wording.share_text(part, whole)),
        "counted": wording.counted,
        "display_filter": accounts.display_filter,
        "other_opinions": accounts.other_opinions,
    }
    return environment


def _short(text: str) -> str:
    return shortened(text, _LONGEST_NAME)


def _tight(text: str) -> str:
    """The text with no line break between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def _seen(value: object) -> object:
    """What is about to be escaped and written, with nothing in it that hides or moves text."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
