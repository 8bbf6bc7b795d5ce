"""The certificate a node makes for itself, so that others reach its store over TLS without any authority's help."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.errors import ConfigurationError

CERTIFICATE = "certificate.pem"
KEY = "certificate.key"
# Whoever trusts it was told its fingerprint and trusts nothing else, so an end date would protect nobody and would stop
# every laptop on one day; and a laptop whose clock is years off still has to sync: where the battery of the clock is
# empty it starts in 1970 or 1980.
_FROM = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = 50


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """The files of the node's certificate and private key in `folder`, made on first use, the key for its owner only.

    Elliptic curve P-256. Raises ConfigurationError when they cannot be written.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if certificate.exists() and key.exists():
        return certificate, key
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificate_text, key_text = _make()
        # The key first: a certificate without its key would be taken for whole.
        _write(key, key_text)
        _write(certificate, certificate_text)
    except OSError as error:
        raise ConfigurationError(
            f"A certificate for this node cannot be written into {folder}: {error.strerror or error}."
        ) from error
    return certificate, key


def _make() -> tuple[bytes, bytes]:
    # Imported here: it takes its time, and a node needs it once in its life.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname() or "ironbook"
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ironbook"), x509.NameAttribute(NameOID.COMMON_NAME, host[:64])]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(datetime.now(UTC) + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), key


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
