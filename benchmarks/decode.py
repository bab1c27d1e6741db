"""Reads and decodes one capture: prints packets, wall and CPU seconds.

Records, headers, fragments, conversations and streams of every packet, added up per direction;
names are cut out of the payload, but not read, and the file is not hashed: both are work on top
of decoding, and are measured with the whole analysis.

The seconds leave out the start of Python and of the compiled loop, which whole-process
times contain; a capture of a few packets, read first, gets both out of the way.
Arguments: the small capture, the capture.
"""

import os
import sys
import time
from pathlib import Path
from typing import cast

import numpy as np

from phonehome.captures.decoding.decode import Decoding
from phonehome.captures.decoding.sums import Sums
from phonehome.captures.files.hashing import Digests, FileDigest
from phonehome.captures.kernels.layout import SIDE_SUM, SUM_PACKETS
from phonehome.captures.limits import Limits


class NoDigest:
    """In the place of a file's digest."""

    size = 0

    def sha256(self) -> str:
        """No digest."""
        return ""


class NoDigests(Digests):
    """Hashes nothing."""

    def take(self, path: Path, status: os.stat_result) -> FileDigest:
        """In the place of a digest, nothing."""
        del path, status
        return cast("FileDigest", NoDigest())


def decode(path: Path) -> int:
    """The packets of a capture, counted while they are decoded."""
    sums = Sums(lambda _: np.empty(0, dtype=np.int64))
    for _ in Decoding(path, Limits(), NoDigests()).batches(sums):
        pass
    sides, others = sums.sides()[:, SIDE_SUM:], sums.others()
    return int(sides[:, SUM_PACKETS].sum() + others[:, SUM_PACKETS].sum())


def main() -> None:
    """Decode both, and print what the second took."""
    small, capture = map(Path, sys.argv[1:])
    decode(small)
    wall, cpu = time.perf_counter(), time.process_time()
    packets = decode(capture)
    print(packets, time.perf_counter() - wall, time.process_time() - cpu)
    sys.stdout.flush()
    os._exit(0)  # as the command does


if __name__ == "__main__":
    main()
