"""The one place that calls the stages in order: `analyze(paths, settings) -> Analysis`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from phonehome.analyzer.all_captures import join
from phonehome.analyzer.analysis_tables import analysis_tables
from phonehome.analyzer.claims.check import with_claims
from phonehome.analyzer.findings.table import findings_table
from phonehome.analyzer.kinds.statement import kept_statements
from phonehome.analyzer.read_captures import Progress, read_captures
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.side_files import read_side_files
from phonehome.analyzer.tables import Analysis
from phonehome.captures import Digests, find_captures, give_back

__all__ = ["Progress", "analyze"]


def analyze(
    paths: str | Path | Sequence[str | Path],
    settings: Settings,
    *,
    progress: Progress | None = None,
    digests: Digests | None = None,
) -> Analysis:
    """All tables of these captures.

    Args:
        paths: one or many: files, directories, patterns, or `-` for standard input.
        settings: what the user asked for.
        progress: called now and then while captures are read.
        digests: digests of the files that may have been begun already.

    Raises:
        CaptureError: a path is no capture, or holds no packet.
        GeoError: a database, an address or the phone's place cannot be used.
        TimelineError: a timeline cannot be used.
        IdentifiersError: a list of identifiers cannot be used.
        PackagesError: a list of packages cannot be used.
        ConnectionsError: a list of connections cannot be used.
        CountersError: readings of the phone's counters cannot be used.
        OrganisationsError: a table of organisations cannot be used.
        KeylogError: a key log cannot be used.
        ClaimsError: a file of claims cannot be used, or a query in it cannot be answered.
    """
    found = find_captures([paths] if isinstance(paths, str | Path) else paths)
    with kept_statements() as kept:
        beside = read_side_files(settings)
        seen = read_captures(found, settings, beside, progress=progress, digests=digests)
        give_back()
        analysis = analysis_tables(join(seen.parts), seen, settings, beside)
        analysis = with_claims(analysis, beside.claims)
        return replace(analysis, findings=findings_table(analysis, kept))
