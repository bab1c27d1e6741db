"""`report.html`: one page that holds all it needs and asks no server for anything.

This puts the parts together: what each section shows is made by the module that is about it, and
written by the template of its name.
"""

from collections.abc import Iterator
from typing import Any, Final

from markupsafe import Markup

from phonehome.analyzer.kinds.run import ATTRIBUTION
from phonehome.analyzer.tables import Analysis
from phonehome.reports.charts.all import Charts, charts_of, has_idle, states_seen
from phonehome.reports.charts.colours import GRADES
from phonehome.reports.charts.plain_map import sketch
from phonehome.reports.claims import words
from phonehome.reports.page import behaviour, decryption, evidence, quality, story
from phonehome.reports.page.destinations import destinations
from phonehome.reports.page.document import (
    environment,
    island,
    packed_plotly,
    plotly,
    policy,
    script,
    style,
)
from phonehome.reports.page.highlights import highlights, unsaid
from phonehome.reports.page.identifiers import identifiers
from phonehome.reports.page.selection_data import facts
from phonehome.reports.page.tokens import tokens
from phonehome.reports.words import sums, wording
from phonehome.reports.words.translate import speaking, told
from phonehome.reports.words.version import version

_MOST_ROWS: Final = 300
_DETAILED: Final = 300
"""Destinations that stand with all their details."""

_SCRIPTS: Final = ("tables.js", "charts.js", "period.js", "selection.js")


def page(analysis: Analysis) -> Iterator[bytes]:
    """The content of `report.html`: the same analysis gives the same bytes."""
    with speaking(analysis.settings.language, analysis.findings):
        text = _text(analysis)
    yield text.encode()


def _text(analysis: Analysis) -> str:
    part = sums.counted(analysis)
    charts = charts_of(analysis, part)
    over_time = behaviour.behaviour(analysis)
    shown = _evidence(analysis, part)
    run = script(*_SCRIPTS)
    has_charts = analysis.summary.up_unique_bytes > 0
    content = {
        **_answer(analysis, part, over_time),
        **_where(analysis, charts),
        **_when(analysis, part, charts, over_time),
        **shown,
        "policy": policy(run, *([plotly()] if has_charts else [])),
        "style": style("report.css"),
        "script": Markup(run),  # noqa: S704  # files of ours
        "sketch": None,
        "plotly": None,
        "island": None,
    }
    if has_charts:
        found = facts(analysis, part, charts, shown["destinations"].rows)
        content["plotly"] = Markup(packed_plotly())  # noqa: S704  # base64
        figures = charts.figures(over_time["bursts"])
        content["sketch"] = sketch(figures["map"])
        content["island"] = island(figures | {"facts": found})
    return environment().get_template("report.html").render(content)


def _answer(analysis: Analysis, part: sums.Counted, over_time: dict[str, Any]) -> dict[str, Any]:
    """What the first screen shows."""
    found = highlights(analysis, part, over_time)
    return {
        "version": version(),
        "summary": analysis.summary,
        "captures": analysis.captures.to_dicts(),
        "words": wording,
        "has_phone": story.has_phone(analysis),
        "paragraph": story.paragraph(analysis, part),
        "highlights": found,
        "loss": wording.loss_sentence(analysis.captures),
        "phone": wording.phones_sentence(analysis.phones),
        "idle_detail": wording.idle_detail(analysis),
        "country_source": wording.country_source(analysis.databases),
        "behaviour_sentences": behaviour.sentences(
            analysis, over_time, says_periodic=all(row.kind != "beacon" for row in found)
        ),
        "party_sentences": wording.party_sentences(
            sums.by_party(part.uploads).to_dicts(), analysis.summary
        ),
        "notes": [told(note) for note in unsaid(analysis, found)],
        "attribution": ATTRIBUTION.template if ATTRIBUTION.template in analysis.notes else None,
        "limits_hit": dict(sorted(analysis.limits_hit.items())),
        "rest": part.rest_up_unique_bytes,
    }


def _where(analysis: Analysis, charts: Charts) -> dict[str, Any]:
    """Countries and who received it there."""
    colours, countries = charts.colours, charts.countries.to_dicts()
    return {
        "countries": [
            row
            | {
                "colour": colours[row["country"]],
                "parts": [{"grade": grade, "up": row[grade]} for grade in GRADES if row[grade]],
            }
            for row in countries
        ],
        "totals": {name: sum(row[name] for row in countries) for name in ("idle", "remotes")},
        "grades": wording.grade_parts(analysis.summary),
        "colours": colours,
        "has_idle": has_idle(analysis),
        "streams": [
            {
                stage: {
                    "stage": stage,
                    "text": charts.nodes.texts[row[stage]],
                    "key": charts.nodes.keys[row[stage]],
                    "colour": charts.nodes.colours[row[stage]],
                }
                for stage in ("app", "runner", "country")
            }
            | {"up": row["up"]}
            for row in charts.bands.to_dicts()
        ],
    }


def _when(
    analysis: Analysis, part: sums.Counted, charts: Charts, over_time: dict[str, Any]
) -> dict[str, Any]:
    """Phases, and what is drawn over time."""
    phases = sums.by_phase(part.uploads, analysis.phases)
    listed = phases.head(_MOST_ROWS)
    return {
        "over_time": over_time,
        "states": states_seen(analysis),
        "stateless": wording.stateless(analysis),
        "bin_width": charts.bin_width,
        "time_caption": wording.time_caption(
            charts.bin_width,
            is_split="idle" in states_seen(analysis),
            has_gaps=not charts.gaps.is_empty(),
            has_bursts=bool(over_time["bursts"]),
        ),
        "phases": listed.to_dicts(),
        "phases_left_out": phases.height - listed.height,
        "phases_rest": int(phases["up"].sum()) - int(listed["up"].sum()),
    }


def _evidence(analysis: Analysis, part: sums.Counted) -> dict[str, Any]:
    """What stands behind the answer: destinations, names, ledger, quality, provenance."""
    found = destinations(part, analysis.places)
    return {
        "destinations": found,
        "detailed": _DETAILED,
        "sources": sums.by_source(part.flows).to_dicts(),
        "requests": sums.plain_requests(analysis.requests, part.flows),
        "certificates": sums.shown_certificates(analysis.certificates, part.flows),
        "ledger": evidence.by_outcome(analysis.ledger),
        "identities": evidence.identities(analysis, found.total["up"]),
        "quality": quality.quality(analysis),
        "oddities": evidence.by_kind(analysis.oddities).head(_MOST_ROWS).to_dicts(),
        "phones": analysis.phones.head(_MOST_ROWS).to_dicts(),
        "databases": evidence.databases(analysis).to_dicts(),
        "settings": evidence.settings_rows(analysis.settings),
        "claims": words.section(analysis.claims),
        "four_counts": {
            count: int(part.uploads[f"up_{count}_bytes"].sum())
            for count in ("wire", "ip", "payload", "unique")
        },
        "kinds": sums.by_kind_sent(part.flows),
        "per_count": sums.four_counts(part),
        "encryption": decryption.encryption(analysis, part.flows),
        "known": identifiers(analysis),
        "stable": tokens(analysis),
        "is_revealed": analysis.settings.is_revealed,
    }
