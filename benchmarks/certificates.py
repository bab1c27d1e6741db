"""Server certificates for the benchmark captures, the same bytes each time.

They are signed with Ed25519, whose signatures have no random part (RFC 8032, section
5.1.6), and with keys that are written here: they protect nothing.
"""

import datetime as dt
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ISSUER_KEY = Ed25519PrivateKey.from_private_bytes(b"benchmark issuer, no secret here")
SERVER_KEY = Ed25519PrivateKey.from_private_bytes(b"benchmark server, no secret here")
NOT_BEFORE = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
NOT_AFTER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _subject(name: str) -> x509.Name:
    """A subject that is a common name only."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@cache
def certificate(host: str) -> bytes:
    """A certificate for a host, in DER, about 300 bytes."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(host))
        .issuer_name(_subject("Benchmark Issuing CA 1"))
        .public_key(SERVER_KEY.public_key())
        .serial_number(1 + int.from_bytes(host.encode()[:16], "big"))
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    )
    return builder.sign(ISSUER_KEY, None).public_bytes(Encoding.DER)
