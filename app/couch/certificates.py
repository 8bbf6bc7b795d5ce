"""Certificates of stores: reading the one a server shows, trusting one and no other, saying which one it is."""

from __future__ import annotations

import hashlib
import ssl
from urllib.parse import urlsplit

from app.couch.errors import unreachable

_PATIENCE = 15.0
"""Seconds a server has to show its certificate."""


def trusting_only(certificate: str) -> ssl.SSLContext:
    """What a client needs to talk to the server with this certificate (PEM text) and to nobody else.

    The name the server is reached by does not matter: laptops reach a dealership by whatever address works today.
    Raises ValueError for a text that is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(cadata=certificate)
    except ssl.SSLError as error:
        raise ValueError(f"not a certificate in PEM format: {error.reason or error}") from None
    return context


def shown_certificate(url: str) -> str:
    """The certificate, as PEM text, that the server at an https address shows to anybody; it is not checked.

    Raises Unreachable.
    """
    parts = urlsplit(url)
    try:
        return ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=_PATIENCE)
    except OSError as problem:
        raise unreachable(url, problem) from problem


def fingerprint(certificate: str) -> str:
    """SHA-256 of a certificate (PEM text) in 64 hexadecimal digits, as browsers show it but without colons.

    Raises ValueError for a text that is no certificate.
    """
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
