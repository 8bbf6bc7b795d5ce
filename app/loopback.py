"""Whether an address is this computer's own, which nobody else can reach it by."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host, by name or by number, is this computer itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def leads_to_loopback(url: str) -> bool:
    """Whether a URL leads to this computer itself."""
    return is_loopback(urlsplit(url).hostname or "")
