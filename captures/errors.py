"""What the captures room raises: one exception, for files that cannot be read at all."""


class CaptureError(Exception):
    """A file that is no capture, or of which nothing can be read.

    The message is one line: file, place, what was expected, what was found.
    """
