"""What an app sends, to whom, where, and when: the library's one name.

    import phonehome

    analysis = phonehome.analyze("phone.pcap", timelines="phone.csv")
    analysis.uploads                    # each table is a polars data frame
    phonehome.write(analysis, "result", formats="html,json,parquet")
    phonehome.load("result")            # the same again

The rooms stand beside this file, in the repository and in an installed package alike, and are
found as `phonehome.captures`, `phonehome.geo`, `phonehome.analyzer` and `phonehome.reports`.
What this page names is loaded when it is first asked for.
"""

import os

TYPE_CHECKING = False  # typing and pathlib would take longer than all the rest of this page
if TYPE_CHECKING:
    from typing import Any

    from phonehome.analyzer import load
    from phonehome.analyzer.library import analyze, check, compare
    from phonehome.analyzer.settings import Settings
    from phonehome.analyzer.tables import Analysis, Findings
    from phonehome.errors import PhonehomeError
    from phonehome.reports.library import write

__path__ = [os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120 - as above
__all__ = [
    "Analysis",
    "Findings",
    "PhonehomeError",
    "Settings",
    "analyze",
    "check",
    "compare",
    "load",
    "write",
]

_MODULES = {
    "analyzer.library": ("analyze", "check", "compare"),
    "analyzer.result_folder": ("load",),
    "analyzer.settings": ("Settings",),
    "analyzer.tables": ("Analysis", "Findings"),
    "errors": ("PhonehomeError",),
    "reports.library": ("write",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> "Any":  # noqa: ANN401 - whatever it names
    """Load what is asked for (PEP 562): importing this page alone costs nothing."""
    from importlib import import_module  # noqa: PLC0415 - as above

    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"phonehome.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    """What the library offers."""
    return __all__


if __name__ == "__main__":  # `python -m phonehome` in a checkout; __main__.py in a wheel
    from phonehome.cli import program

    program()
