"""Reads and decodes one capture, names included: prints packets, wall and CPU seconds.

The seconds leave out the start of Python and of the compiled loop, which whole-process
times contain; a capture of a few packets, read first, gets both out of the way.
Arguments: the small capture, the capture.
"""

import sys
import time
from pathlib import Path

from captures.reading import Reading


def decode(path: Path) -> int:
    """The packets of a capture, counted while they are decoded."""
    return sum(batch.height for batch in Reading(path).packets())


def main() -> None:
    """Decode both, and print what the second took."""
    small, capture = map(Path, sys.argv[1:])
    decode(small)
    wall, cpu = time.perf_counter(), time.process_time()
    packets = decode(capture)
    print(packets, time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main()
