# Held by tests/analyzer/timeline/test_states_from_events.py: values only; each kind is used there.
"""What phones log: the screen goes on, an app comes to the front; each with its line."""

from dataclasses import dataclass, field
from typing import NamedTuple

from phonehome.analyzer.timeline.local_times import Time, has_no_year

SCREEN = "screen"
KEYGUARD = "keyguard"
FRONT = "front"
FRONT_CLASS = "front class"
GONE = "gone"
DOZE = "doze"
LOST = "lost"
MISSED = "missed"
SEEN = "seen"

ON, OFF = "on", "off"
DEEP, LIGHT = "doze", "light doze"


class Event(NamedTuple):
    """One thing that a log says.

    `kind` and `value`: `SCREEN` is `ON` or `OFF`; `KEYGUARD` is `ON` where it is shown; `FRONT` is
    the package of the app in front, empty for none, `FRONT_CLASS` a class of that app, `GONE` a
    package that is in front no longer; `DOZE` is `DEEP`, `LIGHT` or `OFF`. `LOST`: nothing is known
    from here on. `MISSED`: nothing is known since the event before (a reboot, lines that were
    dropped). `SEEN`: the log goes on at least until here.
    """

    time: Time
    kind: str
    value: str
    line: int


@dataclass
class Log:
    """What one log says, in its order.

    Attributes:
        events: what happened.
        odd: lines that could not be read, and what was odd about each.
    """

    events: list[Event] = field(default_factory=list)
    odd: list[tuple[int, str]] = field(default_factory=list)

    def needs_year(self) -> bool:
        """Whether any of its times lacks the year."""
        return any(has_no_year(event.time) for event in self.events)
