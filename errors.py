"""What every error has in common that a user can mend: one line, and the exit code that it means.

    PhonehomeError (a ValueError)
    ├── CaptureError      a file is no capture, or nothing of it can be read
    │   └── KeylogError
    ├── GeoError          a database, an address or a place cannot be used
    ├── SettingsError     a setting has a value that it cannot have
    ├── TimelineError, PackagesError, ConnectionsError, CountersError, IdentifiersError,
    │   OrganisationsError, ClaimsError: a file given beside the captures cannot be used
    └── ResultError       a folder of results is there already, or is none

This module is below all rooms: each room derives its own errors from it and knows no other room.
"""

from typing import ClassVar

CHECK_FAILED = 1
USAGE = 2
DAMAGED = 3
REFUSED = 4
UNBALANCED = 5
NOT_WRITTEN = 6
DEFECT = 70
INTERRUPTED = 130

EXIT_CODES = {
    0: "done",
    CHECK_FAILED: "done and a check failed",
    USAGE: "usage",
    DAMAGED: "done but input was damaged",
    REFUSED: "refused",
    UNBALANCED: "accounts do not balance",
    NOT_WRITTEN: "not written",
    DEFECT: "a defect of phonehome",
}
"""What each exit code of the command line means."""


class PhonehomeError(ValueError):
    """Something that a user gave cannot be used. The message is one line, and says what to mend.

    Attributes:
        exit_code: with which the command line ends.
    """

    exit_code: ClassVar[int] = USAGE
