"""Searches the octets of one capture for twenty identifiers: prints octets, wall and CPU seconds.

The one scan for all patterns, as the searcher of payload does it with each piece, and nothing of
what is undone before and after. The seconds leave out the start of Python and the making of the
patterns. Argument: the capture.
"""

import sys
import time
from pathlib import Path

from phonehome.captures.search.hyperscan_door import Scanner
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.patterns import patterns
from phonehome.captures.search.payload_search import PIECE_BYTES

VALUES = {
    "advertising_id": (
        "38400000-8cf0-11bd-b23e-10b96e40000d",
        "7d1e5c52-77d4-4e3a-9a55-0b3f3f0f2c19",
    ),
    "android_id": ("9774d56d682e549c", "1f0c93a8b2d4e671"),
    "imei": ("490154203237518", "356938035643809"),
    "serial": ("R58M12ABCDE", "FA8X31A01234"),
    "mac": ("02:00:4c:4f:4f:50", "a4:50:46:9b:1c:2d"),
    "phone_number": ("+8613812345678", "+14165550123"),
    "email": ("ann.test@parrot.example", "second.person@parrot.example"),
    "account": ("2654017823", "wxid_8d2kq0v7m1"),
    "ssid": ("Parrot Nest 5G", "Parrot Guest"),
    "contact": ("Ann Parrot Tester", "王小明的测试机"),
}
"""Twenty of them, of the kinds that people know of a phone."""


def search(path: Path) -> int:
    """The octets of a file that were searched."""
    known = [
        Identifier(label=value, kind=kind, value=value)
        for kind, values in VALUES.items()
        for value in values
    ]
    scanner = Scanner(patterns(known))
    wall, cpu = time.perf_counter(), time.process_time()
    searched = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            scanner.matches(piece)
            searched += len(piece)
    print(searched, time.perf_counter() - wall, time.process_time() - cpu)
    return searched


if __name__ == "__main__":
    search(Path(sys.argv[1]))
