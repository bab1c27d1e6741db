# Held by tests/captures/kernels/test_packet_loop.py: each reading goes through it.
"""Doing two things at once: what an iterator makes is made ahead, in a thread of its own."""

import queue
import threading
from collections.abc import Iterator
from typing import Final, TypeVar

Item = TypeVar("Item")
WAIT_SECONDS: Final = 0.1


class _Failed:
    """What the thread raised, on its way to the one who takes."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


_END: Final = object()


def ahead(items: Iterator[Item], depth: int) -> Iterator[Item]:  # noqa: C901 - two closures
    """The same items in the same order, up to `depth` of them made before they are asked for.

    Whatever `items` raises is raised here, at its place in the order. When nobody takes any
    more, the thread stops after the item that it is at.
    """
    made: queue.Queue[object] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=WAIT_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            put(_Failed(error))
        else:
            put(_END)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc] # neither of the two marks: an item
    finally:
        stopped.set()
        thread.join()
