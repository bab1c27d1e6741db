"""What `geo` raises when a file, an address or a place that a person named cannot be used.

    GeoError (a ValueError)
    ├── DatabaseError   a database is missing, damaged, or of a kind that says nothing of places
    ├── AddressError    a text is no IPv4 or IPv6 address
    ├── LocationError   a text names no place, or several
    └── UpdateError     a database cannot be fetched, or is not what it should be

Each message is one printable line of the form `{what}: {where}: expected {x}, got {y}`.
"""

from phonehome.errors import PhonehomeError

LONGEST_EXCERPT = 120


class GeoError(PhonehomeError):
    """A database, an address or a place that a person named cannot be used."""


class DatabaseError(GeoError):
    """A database is missing, damaged, or of a kind that says nothing of places."""


class AddressError(GeoError):
    """A text is no IPv4 or IPv6 address."""


class LocationError(GeoError):
    """A text names no place, or several."""


class UpdateError(GeoError):
    """A database cannot be fetched, or is not what it should be; the old one stays."""


def one_line(text: object) -> str:
    """Text that stays within its line of a message: unprintable characters are escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    )


def excerpt(text: object) -> str:
    """The start of a stranger's text, on one line."""
    whole = str(text)
    cut = whole[: LONGEST_EXCERPT - 1] + "…" if len(whole) > LONGEST_EXCERPT else whole
    return one_line(cut)
