"""Tables → files: the page, its figures, JSON, CSV, Parquet, the manifest, the terminal.

Takes one `analyzer.tables.Analysis`, touches no capture, and does no arithmetic but sums and
formats of table columns. `write.write` makes the folder of results; `terminal.summary` and
`data.summary_json` are what the command line prints.

This page is the room's face: the command line and the library import from here. What it names
is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from phonehome.reports.claims.files import contents
    from phonehome.reports.claims.words import is_failed
    from phonehome.reports.exports.folder import refuse_existing, write, write_private
    from phonehome.reports.exports.single_file import refuse_targets, write_files

_MODULES: Final = {
    "claims.files": ("contents",),
    "claims.words": ("is_failed",),
    "exports.folder": ("refuse_existing", "write", "write_private"),
    "exports.single_file": ("refuse_targets", "write_files"),
}
"""What other rooms may import from here, by the module that has it."""

_MODULE_OF: Final = {
    name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names
}

__all__ = [
    "contents",
    "is_failed",
    "refuse_existing",
    "refuse_targets",
    "write",
    "write_files",
    "write_private",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever it names
    """Load what is asked for (PEP 562): the whole room takes a second, one name of it less."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
