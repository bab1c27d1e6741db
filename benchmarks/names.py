"""What names cost of an analysis: prints the seconds in which a thread worked on them.

Run as `python -m benchmarks.names FILE`; reading packets goes on beside it.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.kernels.machine_code import machine
from phonehome.captures.names.reader import NameReader

STEPS = ("add", "sightings", "hellos", "server_hellos", "certificates", "exchanges")


class Clock:
    """Adds up the time that functions take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*given: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
            began = time.thread_time()
            try:
                return function(*given)
            finally:
                self.seconds += time.thread_time() - began

        return timed


def main() -> None:
    """Analyse a capture twice, and print the figures of the second time."""
    clock = Clock()
    for step in STEPS:
        setattr(NameReader, step, clock.around(getattr(NameReader, step)))
    machine.load()
    for _ in range(2):
        clock.seconds = 0.0
        analyze([sys.argv[1]], Settings())
    print(clock.seconds)


if __name__ == "__main__":
    main()
