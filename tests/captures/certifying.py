"""Certificates made for a test, and what a server sends that shows one."""

import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BEGIN, END = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)


def issued(
    *names: str, common: str | None = None, begin: datetime = BEGIN, end: datetime = END
) -> tuple[bytes, bytes]:
    """A certificate for these names, and its key with it, as DER and as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    oid = x509.NameOID
    subject = x509.Name([x509.NameAttribute(oid.COMMON_NAME, common)] if common else [])
    issuer = x509.Name([x509.NameAttribute(oid.ORGANIZATION_NAME, "Parrot Authority")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if names:
        held = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(held, critical=False)
    made = builder.sign(key, hashes.SHA256())
    encoding, plain = serialization.Encoding, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = made.public_bytes(encoding.PEM) + key.private_bytes(encoding.PEM, form, plain)
    return made.public_bytes(encoding.DER), pem


def handshake(certificate: tuple[bytes, bytes], version: ssl.TLSVersion) -> bytes:
    """What OpenSSL, as a server of this version, sends upon a ClientHello of OpenSSL."""
    _, pem = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    context.maximum_version = context.minimum_version = version
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for one in (context, client):
        one.set_alpn_protocols(["h2"])
    asked, answered = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(ssl.MemoryBIO(), asked, server_hostname="api.example.org")
    server = context.wrap_bio(asked, answered, server_side=True)
    for one in (caller, server):
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return answered.read()
