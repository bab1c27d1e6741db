"""A closed network for recording: a phone, an internet, and the line between them.

Two network namespaces without any device that leads outside, joined by two TUN devices whose
packets this module carries by hand. That is where distance comes from, where packets get lost,
and where the capture is taken: at the phone's end of the line. Needs Linux and root.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sample.plan import Mishap

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEADER = 0x1001
_LONGEST_PACKET = 65_536
_TCP, _SYN_FIN_RST = 6, 0x07
_LATE_NS = 45_000_000


@dataclass(frozen=True)
class Recorded:
    """An IP packet as it passed the phone's end of the line; the clock is monotonic."""

    time_ns: int
    packet: bytes
    is_up: bool


def enter_new_namespace() -> None:
    """Moves this thread, and the threads it starts later, to an empty network.

    Raises:
        OSError: the kernel refuses, mostly for want of root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace: {os.strerror(number)}")
    _ip("link", "set", "lo", "up")
    for name, value in (
        ("ipv4/tcp_timestamps", "0"),  # their clock would contradict the spread times
        ("ipv4/tcp_no_metrics_save", "1"),
        ("ipv6/conf/default/addr_gen_mode", "1"),
        ("ipv6/conf/default/router_solicitations", "0"),
    ):
        Path("/proc/sys/net", name).write_text(value)


def open_line(name: str, addresses: list[str]) -> int:
    """A TUN device in this thread's network that bears the addresses; the default route.

    Returns:
        The file descriptor that gives and takes whole IP packets.
    """
    line = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(line, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    _ip("link", "set", name, "mtu", "1500", "up")
    for address in addresses:
        _ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
    for family in ("-4", "-6"):
        _ip(family, "route", "add", "default", "dev", name)
    return line


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@dataclass(eq=False)
class Relay(threading.Thread):
    """Carries packets between the two lines, takes time over it, and writes down what passes.

    `distance_ns` is half a round trip, by the packed address of the far end.
    """

    phone: int
    internet: int
    distance_ns: Mapping[bytes, int]
    rng: random.Random
    recorded: list[Recorded] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._waiting: list[tuple[int, int, bytes, bool]] = []
        self._latest: dict[tuple[bytes, bool], int] = {}
        self._count = 0
        self._mishap: tuple[Mishap, bytes, int] | None = None
        self._last_ns = time.monotonic_ns()
        self._is_closing = False

    def arm(self, mishap: Mishap, far: bytes, number: int) -> None:
        """Lets one packet to or from `far` go wrong: the `number`-th that the mishap fits."""
        self._mishap = (mishap, far, number)

    def settle(self, quiet_s: float) -> None:
        """Returns once nothing has passed, and nothing is on its way, for so many seconds."""
        while self._waiting or time.monotonic_ns() - self._last_ns < quiet_s * 1e9:
            time.sleep(0.02)

    def close(self) -> None:
        """Ends the relay and waits for its end."""
        self._is_closing = True
        self.join()

    def run(self) -> None:
        """Carries packets until closed."""
        while not self._is_closing:
            due = self._waiting[0][0] - time.monotonic_ns() if self._waiting else 20_000_000
            readable, _, _ = select.select(
                [self.phone, self.internet], [], [], min(max(due, 0), 20_000_000) / 1e9
            )
            for line in readable:
                self._take(os.read(line, _LONGEST_PACKET), is_up=line == self.phone)
            while self._waiting and self._waiting[0][0] <= time.monotonic_ns():
                self._hand_over(*heapq.heappop(self._waiting)[2:])

    def _take(self, packet: bytes, *, is_up: bool) -> None:
        if is_up:
            self._write_down(packet, is_up=True)
        far = _far_end(packet, is_up=is_up)
        mishap = self._mishap_of(packet, far, is_up=is_up)
        if mishap in ("lose_data", "lose_ack"):
            return
        distance = self.distance_ns.get(far, 400_000)
        due = time.monotonic_ns() + round(distance * self.rng.uniform(1, 1.06))
        if mishap == "late_data":
            due += _LATE_NS
        else:
            due = max(due, self._latest.get((far, is_up), 0) + 1000)
            self._latest[far, is_up] = due
        self._count += 1
        heapq.heappush(self._waiting, (due, self._count, packet, is_up))

    def _hand_over(self, packet: bytes, is_up: bool) -> None:  # noqa: FBT001 - from the heap
        if not is_up:
            self._write_down(packet, is_up=False)
        os.write(self.internet if is_up else self.phone, packet)

    def _write_down(self, packet: bytes, *, is_up: bool) -> None:
        self._last_ns = time.monotonic_ns()
        self.recorded.append(Recorded(self._last_ns, packet, is_up))

    def _mishap_of(self, packet: bytes, far: bytes, *, is_up: bool) -> Mishap | None:
        if self._mishap is None or self._mishap[1] != far:
            return None
        mishap, _, left = self._mishap
        if mishap != _fitting(packet, is_up=is_up, mishap=mishap):
            return None
        self._mishap = (mishap, far, left - 1) if left > 1 else None
        return mishap if left == 1 else None


def _far_end(packet: bytes, *, is_up: bool) -> bytes:
    if packet[0] >> 4 == 4:  # noqa: PLR2004 - the version field of RFC 791
        return packet[16:20] if is_up else packet[12:16]
    return packet[24:40] if is_up else packet[8:24]


def _fitting(packet: bytes, *, is_up: bool, mishap: Mishap) -> Mishap | None:
    """The mishap, if it can befall this packet: only full or empty TCP segments are chosen."""
    is_ipv4 = packet[0] >> 4 == 4  # noqa: PLR2004 - the version field of RFC 791
    start = (packet[0] & 15) * 4 if is_ipv4 else 40
    if packet[9 if is_ipv4 else 6] != _TCP or packet[start + 13] & _SYN_FIN_RST:
        return None
    payload = len(packet) - start - (packet[start + 12] >> 4) * 4
    is_full = payload >= 1200  # noqa: PLR2004 - close to the largest segment
    fits = {
        "lose_data": is_up and is_full,
        "late_data": not is_up and is_full,
        "lose_ack": is_up and payload == 0,
    }
    return mishap if fits[mishap] else None
