# Held by tests/test_bad_input.py: one exception; each way to raise it is there.
"""What the captures room raises: of files that cannot be read at all, and of places in them."""

from phonehome.errors import REFUSED, PhonehomeError


class CaptureError(PhonehomeError):
    """A file that is no capture, or of which nothing can be read.

    The message is one line: file, place, what was expected, what was found.
    """

    exit_code = REFUSED


class BadRecordError(Exception):
    """What stands at a place of the file cannot be believed, and nothing behind it be found.

    Attributes:
        offset: bytes from the begin of the window.
        kind: what is odd, for the oddities table.
        needed: bytes that it claims, or that it takes.
        got: bytes that there may be.
    """

    def __init__(self, offset: int, kind: str, needed: int, got: int) -> None:
        super().__init__(kind)
        self.offset, self.kind, self.needed, self.got = offset, kind, needed, got
