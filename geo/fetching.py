"""One file from one server, within bounds: the only module of the rooms that opens a connection.

Only `geo update` leads here. Nothing of what a server says is ever repeated in a message, and no
address with its query: a key stands in it. Names and passwords in addresses are refused, so are
other schemes than https, except http to this machine itself. Proxies are not asked.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from ipaddress import ip_address
from typing import BinaryIO, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from phonehome.geo.errors import UpdateError, one_line

MIB = 1 << 20
MOST_REDIRECTS = 5
READ_AT_ONCE = 1 << 16
SILENCE_SECONDS = 30.0
LONGEST_URL = 4096
_FOUND, _MISSING = http.client.OK, (http.client.NOT_FOUND, http.client.GONE)
_ELSEWHERE = (301, 302, 303, 307, 308)


class Bounds(NamedTuple):
    """What a fetch may cost.

    Attributes:
        packed: bytes that are read from the server.
        unpacked: bytes that they may become.
        seconds: for the whole answer, from the first connection on.
    """

    packed: int = 512 * MIB
    unpacked: int = 1024 * MIB
    seconds: float = 900.0


BOUNDS = Bounds()


class _Clock:
    """Ends a connection once its time is over, however slowly the other side goes on talking."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.seconds = seconds
        self.is_over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connected: socket.socket) -> None:
        """End this connection when the time is over, which may be now.

        A second handle of it is kept: TLS takes the first one for its own.
        """
        with self._lock:
            self._forget()
            self._socket = connected.dup()
        if self.is_over:
            self._ring()

    def left(self) -> float:
        """Seconds until a silence is too long."""
        return max(min(SILENCE_SECONDS, self.end - time.monotonic()), 0.001)

    def stop(self) -> None:
        """Time no more."""
        self._timer.cancel()
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ring(self) -> None:
        self.is_over = True
        with self._lock:
            if self._socket is not None:
                with suppress(OSError):  # it may have ended by itself
                    self._socket.shutdown(socket.SHUT_RDWR)


def fetch(url: str, out: BinaryIO, bounds: Bounds = BOUNDS) -> bool:
    """Write what a server has under an address.

    Returns:
        False where it has nothing there (404, 410).

    Raises:
        UpdateError: The address is none of those allowed; no answer, too late, too large, cut, or
            another one than the file. The message names the server, and never the address.
    """
    clock = _Clock(bounds.seconds)
    try:
        with _answer(url, clock) as response:
            if response is None:
                return False
            _copy(response, out, bounds.packed, clock)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, UpdateError):
            raise
        took = f"no end after {clock.seconds:g} s" if clock.is_over else _word(error)
        raise UpdateError(f"{server(url)}: expected a whole file, got {took}") from None
    finally:
        clock.stop()
    return True


def server(url: str) -> str:
    """The server of an address, without what follows it."""
    try:
        parts = urlsplit(url)
        return one_line(f"{parts.scheme}://{parts.hostname}"[:120])
    except ValueError:
        return "the address"


@contextmanager
def _answer(url: str, clock: _Clock) -> Iterator[http.client.HTTPResponse | None]:
    """The answer that holds the file, after redirects; None where there is no such file."""
    parts = _allowed(url, is_https_before=False)
    for _ in range(MOST_REDIRECTS + 1):
        with (
            closing(_connected(parts, clock)) as connection,
            closing(_asked(connection, parts)) as response,
        ):
            if response.status not in _ELSEWHERE:
                yield _good(response, url)
                return
            url = urljoin(url, response.getheader("Location", ""))
        parts = _allowed(url, is_https_before=parts.scheme == "https")
    raise UpdateError(f"{server(url)}: expected a file, got {MOST_REDIRECTS} redirects and more")


def _good(response: http.client.HTTPResponse, url: str) -> http.client.HTTPResponse | None:
    """The answer, if it is a file; None where there is none.

    Raises:
        UpdateError: The server refuses.
    """
    if response.status in _MISSING:
        return None
    if response.status != _FOUND:
        raise UpdateError(f"{server(url)}: expected a file, got status {response.status}")
    return response


def _allowed(url: str, *, is_https_before: bool) -> SplitResult:
    """The parts of an address that may be asked.

    Raises:
        UpdateError: It may not.
    """
    parts = urlsplit(url)
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise UpdateError("address: expected printable ASCII without blanks, got something else")
    if parts.username is not None or parts.password is not None:
        raise UpdateError(f"{server(url)}: expected an address without a user's name, got one")
    is_here = parts.scheme == "http" and _is_loopback(parts.hostname) and not is_https_before
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        raise UpdateError(f"{server(url)}: expected an https address, got another")
    return parts


def _is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, by its address or its usual name."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _connected(parts: SplitResult, clock: _Clock) -> http.client.HTTPConnection:
    """A connection to the server, with its certificate checked, and under the clock."""
    is_https = parts.scheme == "https"
    host = parts.hostname or ""
    port = parts.port or (http.client.HTTPS_PORT if is_https else http.client.HTTP_PORT)
    plain = socket.create_connection((host, port), timeout=clock.left())
    connection = http.client.HTTPConnection(host, port)
    connection.sock = plain
    try:
        clock.watch(plain)
        if is_https:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(
                plain, server_hostname=host, suppress_ragged_eofs=False
            )
    except BaseException:
        plain.close()
        raise
    return connection


def _asked(connection: http.client.HTTPConnection, parts: SplitResult) -> http.client.HTTPResponse:
    """The head of the answer to one question."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Host": parts.netloc,
        "User-Agent": "phonehome",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connection.request("GET", target, headers=headers)
    return connection.getresponse()


def _copy(response: http.client.HTTPResponse, out: BinaryIO, most: int, clock: _Clock) -> None:
    """Write the body, once for all within its bounds and whole.

    Raises:
        UpdateError: It is larger than its bound, or ends early.
    """
    told = response.length
    if told is not None and told > most:
        raise UpdateError(f"the file: expected at most {most} bytes, got {told} announced")
    got = 0
    while chunk := response.read1(READ_AT_ONCE):
        got += len(chunk)
        if got > most:
            raise UpdateError(f"the file: expected at most {most} bytes, got more")
        out.write(chunk)
    if clock.is_over:
        raise TimeoutError
    if told is not None and got != told:
        raise UpdateError(f"the file: expected {told} bytes, got {got}")


def _word(error: Exception) -> str:
    """What went wrong, in the words of this machine alone."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a certificate that does not hold: {one_line(error.verify_message)}"
    if isinstance(error, ssl.SSLError):
        return "a broken TLS connection"
    if isinstance(error, TimeoutError):
        return "silence"
    if isinstance(error, OSError):
        return one_line(error.strerror or type(error).__name__)
    return f"no valid answer ({type(error).__name__})"
