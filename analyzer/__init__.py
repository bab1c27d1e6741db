"""Tables → tables: what the phone sent, to whom, where, and in which phase.

Takes the tables of `captures` and `geo`; finds the phone, turns conversations into flows,
keeps the ledger, lays phases over time, adds up uploads, compares. `analysis.analyze` is the
one place that calls the stages in order.

This page is the room's face: other rooms import from here, from `analyzer.tables`,
`analyzer.settings` and `analyzer.comparison.result`. What it names is loaded when it is first
asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from phonehome.analyzer.analysis import Progress, analyze
    from phonehome.analyzer.claims.check import claims_table
    from phonehome.analyzer.claims.file import read_claims
    from phonehome.analyzer.claims.tables import tables_in
    from phonehome.analyzer.comparison.compare import compare
    from phonehome.analyzer.comparison.fail_rules import KINDS, Rule, RuleError, read_rule
    from phonehome.analyzer.comparison.series import Series, compare_series
    from phonehome.analyzer.comparison.significance import ALPHA, DRAWS, MOST_EXACT, SEED
    from phonehome.analyzer.content.identifier_lists import from_adb, listed, template
    from phonehome.analyzer.display_filters import addresses_filter, display_filter
    from phonehome.analyzer.findings.input_quality import quality_counts
    from phonehome.analyzer.findings.table import statements
    from phonehome.analyzer.flows.uploads import per_hour
    from phonehome.analyzer.result_folder import load, saved_folder
    from phonehome.analyzer.timeline.spans import INFERRED
    from phonehome.captures import path_text

_MODULES: Final = {
    "analysis": ("Progress", "analyze"),
    "claims.check": ("claims_table",),
    "claims.file": ("read_claims",),
    "claims.tables": ("tables_in",),
    "comparison.compare": ("compare",),
    "comparison.fail_rules": ("KINDS", "Rule", "RuleError", "read_rule"),
    "comparison.series": ("Series", "compare_series"),
    "comparison.significance": ("ALPHA", "DRAWS", "MOST_EXACT", "SEED"),
    "content.identifier_lists": ("from_adb", "listed", "template"),
    "display_filters": ("addresses_filter", "display_filter"),
    "findings.input_quality": ("quality_counts",),
    "findings.table": ("statements",),
    "flows.uploads": ("per_hour",),
    "result_folder": ("load", "saved_folder"),
    "timeline.spans": ("INFERRED",),
}
"""What other rooms may import from here, by the module that has it."""

_MODULE_OF: Final = {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names
} | {"path_text": "phonehome.captures"}

__all__ = [
    "ALPHA",
    "DRAWS",
    "INFERRED",
    "KINDS",
    "MOST_EXACT",
    "SEED",
    "Progress",
    "Rule",
    "RuleError",
    "Series",
    "addresses_filter",
    "analyze",
    "claims_table",
    "compare",
    "compare_series",
    "display_filter",
    "from_adb",
    "listed",
    "load",
    "path_text",
    "per_hour",
    "quality_counts",
    "read_claims",
    "read_rule",
    "saved_folder",
    "statements",
    "tables_in",
    "template",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever it names
    """Load what is asked for (PEP 562): the whole room takes a second, one name of it less."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
