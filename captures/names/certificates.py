"""What a server's certificate says of itself (RFC 5280), and which host it names.

Certificates are shown, not judged: whether a chain is trusted depends on who asks.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from warnings import catch_warnings, simplefilter

from phonehome.captures.names.faults import Fault, spelled
from phonehome.captures.words import LONGEST_NAME

if TYPE_CHECKING:
    from cryptography import x509

MOST_NAMES = 128
"""Names of one certificate that are kept."""
_LONGEST_TEXT = 1_024
_NO_TIME = (None, None)


class Certified(NamedTuple):
    """What one certificate says.

    Attributes:
        sha256: of the certificate as sent, hex.
        subject: its common name; None: it has none.
        issuer: common name of who issued it, else its organisation; None: neither is there.
        names: DNS names that it holds for, as sent, up to `MOST_NAMES`.
        not_before: from when it is valid; None where the time cannot be read.
        not_after: until when; None as above.
        fault: it cannot be read, or None.
    """

    sha256: str
    subject: str | None
    issuer: str | None
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    fault: Fault | None = None


@lru_cache(maxsize=4_096)
def certified(der: bytes) -> Certified:
    """What a certificate says, from its octets; one that cannot be read has a fault."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and most captures need none

    digest = sha256(der).hexdigest()
    unread = Certified(digest, None, None, (), *_NO_TIME, Fault("certificate_malformed"))
    try:
        with catch_warnings():
            simplefilter("ignore")  # what a later cryptography will refuse is for it to refuse
            found = x509.load_der_x509_certificate(der)
        subject, issuer = found.subject, found.issuer
        begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, TypeError, x509.InvalidVersion):
        return unread
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = held.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return unread
    kinds = x509.NameOID
    return Certified(
        sha256=digest,
        subject=_first(subject, kinds.COMMON_NAME),
        issuer=_first(issuer, kinds.COMMON_NAME) or _first(issuer, kinds.ORGANIZATION_NAME),
        names=tuple(_spelled(name) for name in names[:MOST_NAMES] if name),
        not_before=begin.astimezone(UTC),
        not_after=end.astimezone(UTC),
    )


def _first(name: "x509.Name", kind: "x509.ObjectIdentifier") -> str | None:
    """The first value of a kind in a distinguished name; None: there is none that is text."""
    for attribute in name.get_attributes_for_oid(kind):
        value = attribute.value
        if isinstance(value, str) and value:
            return value[:_LONGEST_TEXT]
    return None


def _spelled(name: str) -> str:
    return spelled(name.encode("utf-8", "surrogateescape"))


def host_of(names: Sequence[str], subject: str | None) -> str | None:
    """The name of the server that a certificate is for; None: it does not say which of many.

    A certificate for one name names its server. Of several, the common name does, if it is one
    of them. A wildcard (`*.example.org`) is kept as it stands: one of that group.
    """
    common = _spelled(subject) if subject else ""
    if not names:
        return common if _is_host(common) else None
    chosen = names[0] if len(names) == 1 else common
    return chosen if chosen in names and _is_host(chosen) else None


def _is_host(name: str) -> bool:
    """Whether a text can be the name of a host."""
    plain = name.removeprefix("*.").replace(".", "").replace("-", "").replace("_", "")
    is_plain = plain.isascii() and plain.isalnum()
    return is_plain and "." in name and len(name) <= LONGEST_NAME and ".." not in name
