"""An invitation: everything a node needs to join an upstream, as one text to copy and paste (pure).

It holds a password that is good for one joining: the node that joins replaces it at once with one that only it knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from app.config import ConnectionSettings, read_connection
from app.errors import ConfigurationError, IronbookError

_BEGINS = "ironbook1-"
_CHECK = 6


class BadInvitation(IronbookError):  # noqa: N818
    """The text is no invitation, or not a whole one, or too old."""


@dataclass(frozen=True)
class Invitation:
    """`dealer` and `dealer_name` are the dealership that the joining node belongs to; `expires_at` is UTC, ISO 8601.

    `key` proves to the upstream who asks for another password. `fingerprint` (SHA-256, hexadecimal) is that of the
    upstream's own certificate; empty where a known authority signed it.
    """

    url: str
    user: str
    password: str
    book: str
    catalog: str
    share: str
    dealer: str
    dealer_name: str
    expires_at: str
    key: str
    fingerprint: str = ""

    def __repr__(self) -> str:
        return f"Invitation({self.user!r} at {self.url!r})"

    def connection(self, name: str) -> ConnectionSettings:
        """The settings of the connection that this invitation leads to, under the name `name`."""
        values = {key: getattr(self, key) for key in ("url", "user", "book", "catalog", "share")}
        return read_connection({"name": name, **values}, "The invitation")


def write_invitation(invitation: Invitation) -> str:
    """The invitation as a text without spaces, about 500 characters."""
    content = base64.urlsafe_b64encode(json.dumps(asdict(invitation), separators=(",", ":")).encode())
    text = content.decode().rstrip("=")
    return f"{_BEGINS}{text}-{_check(text)}"


def read_invitation(text: str) -> Invitation:
    """The invitation that a text holds; line breaks and spaces that e-mail put in do not matter.

    Raises BadInvitation with a sentence for what is none or not whole.
    """
    joined = "".join(text.split()).strip("\"'<>")
    if not joined.startswith(_BEGINS):
        raise BadInvitation(f"This is not an invitation: an invitation begins with {_BEGINS}. Copy all of it.")
    content, _, check = joined.removeprefix(_BEGINS).rpartition("-")
    if not content or _check(content) != check:
        raise BadInvitation("The invitation is not whole: a part was lost or changed on the way. Copy all of it again.")
    try:
        values = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        invitation = Invitation(**values)
    except (ValueError, binascii.Error, TypeError):
        raise BadInvitation("The invitation was written by another version of Ironbook: ask for a new one.") from None
    if not all(isinstance(value, str) for value in asdict(invitation).values()):
        raise BadInvitation("The invitation was written by another version of Ironbook: ask for a new one.")
    try:
        invitation.connection("upstream")
    except ConfigurationError as error:
        raise BadInvitation(str(error)) from None
    return invitation


def check_time(invitation: Invitation, now: datetime) -> None:
    """Raises BadInvitation when the invitation has expired at `now` (with a time zone)."""
    try:
        expires = datetime.fromisoformat(invitation.expires_at.replace("Z", "+00:00"))
    except ValueError:
        raise BadInvitation("The invitation does not say until when it is good: ask for a new one.") from None
    if now > expires:
        raise BadInvitation(
            f"The invitation was good until {invitation.expires_at[:16].replace('T', ' ')} UTC. Ask for a new one; "
            f"if that is still to come, correct this computer's clock."
        )


def expiry(now: datetime, hours: float) -> str:
    """The moment `hours` after `now` (UTC), as an invitation says it."""
    return (now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:_CHECK]
