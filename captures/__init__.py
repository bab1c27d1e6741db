"""Bytes → tables: what a capture holds, before anyone asks whose phone it was.

Opens files, containers and compression; walks records in bounded windows with one compiled
loop; reads names, opens what keys open, searches payload; hands on the tables of
`captures.tables`, all of one capture at once: `read_capture(path, options) -> CaptureTables`.
Knows no other room.

A capture has two ends per conversation, `a` (the one that sent first) and `b`. Which of them
is the phone is the analyzer's business.

This page is the room's face: other rooms import from here, from `captures.tables` and from
`captures.words`. What it names is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from phonehome.captures.capture_tables import CaptureTables, PacketSums
    from phonehome.captures.decoding.phase_marks import Mark
    from phonehome.captures.decoding.sums import MOST_BINS
    from phonehome.captures.decryption.keylogs import Keys, read_keylogs
    from phonehome.captures.decryption.opened_traffic import OpenedTraffic
    from phonehome.captures.decryption.plaintext import Attempt, Opened
    from phonehome.captures.errors import CaptureError
    from phonehome.captures.files.find_captures import (
        FoundCaptures,
        LeftOut,
        capture_files,
        capture_names,
        find_captures,
    )
    from phonehome.captures.files.hashing import Digests
    from phonehome.captures.files.open_capture import STANDARD_INPUT
    from phonehome.captures.files.path_text import path_text
    from phonehome.captures.kernels.content_shape import VALUES, Z_LIMIT
    from phonehome.captures.kernels.recurring_times import (
        MOST_RECURRING,
        longest_chains,
        recurring_distances,
    )
    from phonehome.captures.limits import Limits
    from phonehome.captures.names.http import holds_values, host_of, kept, request, telling
    from phonehome.captures.process_memory import give_back
    from phonehome.captures.reading import ReadOptions, read_capture
    from phonehome.captures.search.hyperscan_door import SearchUnavailableError
    from phonehome.captures.search.known_values import Identifier
    from phonehome.captures.search.layers import Looker, looker_of

_MODULES: Final = {
    "capture_tables": ("CaptureTables", "PacketSums"),
    "decoding.phase_marks": ("Mark",),
    "decoding.sums": ("MOST_BINS",),
    "decryption.keylogs": ("Keys", "read_keylogs"),
    "decryption.opened_traffic": ("OpenedTraffic",),
    "decryption.plaintext": ("Attempt", "Opened"),
    "errors": ("CaptureError",),
    "files.find_captures": (
        "FoundCaptures",
        "LeftOut",
        "capture_files",
        "capture_names",
        "find_captures",
    ),
    "files.path_text": ("path_text",),
    "files.hashing": ("Digests",),
    "files.open_capture": ("STANDARD_INPUT",),
    "kernels.content_shape": ("VALUES", "Z_LIMIT"),
    "kernels.recurring_times": ("MOST_RECURRING", "longest_chains", "recurring_distances"),
    "limits": ("Limits",),
    "names.http": ("holds_values", "host_of", "kept", "request", "telling"),
    "process_memory": ("give_back",),
    "reading": ("ReadOptions", "read_capture"),
    "search.hyperscan_door": ("SearchUnavailableError",),
    "search.known_values": ("Identifier",),
    "search.layers": ("Looker", "looker_of"),
}
"""What other rooms may import from here, by the module that has it."""

_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "MOST_BINS",
    "MOST_RECURRING",
    "STANDARD_INPUT",
    "VALUES",
    "Z_LIMIT",
    "Attempt",
    "CaptureError",
    "CaptureTables",
    "Digests",
    "FoundCaptures",
    "Identifier",
    "Keys",
    "LeftOut",
    "Limits",
    "Looker",
    "Mark",
    "Opened",
    "OpenedTraffic",
    "PacketSums",
    "ReadOptions",
    "SearchUnavailableError",
    "capture_files",
    "capture_names",
    "find_captures",
    "give_back",
    "holds_values",
    "host_of",
    "kept",
    "longest_chains",
    "looker_of",
    "path_text",
    "read_capture",
    "read_keylogs",
    "recurring_distances",
    "request",
    "telling",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever it names
    """Load what is asked for (PEP 562): the whole room takes a second, one name of it less."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
