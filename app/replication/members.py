"""The nodes that sync with this one: inviting them, seeing whether they came, and taking their right away.

Each has a user of its own in this node's store and a document ``member:<user>`` in ``local``. On the manufacturer's
node a member belongs to a dealer and reaches that dealer's replica; on a dealership's, a laptop reaches the book.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.couch.certificates import fingerprint
from app.errors import IronbookError
from app.replication.invitations import Invitation, expiry
from app.replication.password_records import random_password, record_of
from app.replication.passwords import member_entry, new_key, take_request
from app.security.certificates import own_certificate

if TYPE_CHECKING:
    from app.node import Node

VALID_HOURS = 72.0
_PREFIX = "member:"


@dataclass(frozen=True)
class Member:
    """A node that was invited. `state` is ``"invited"``, ``"joined"``, ``"expired"`` (never came) or ``"removed"``.

    Times are UTC, by this node's clock, empty for never.
    """

    user: str
    label: str
    dealer: str
    state: str
    invited_at: str
    expires_at: str
    joined_at: str
    left_at: str


def invite(node: Node, label: str, dealer: str = "", hours: float = VALID_HOURS, url: str = "") -> Invitation:
    """Makes a user for a node called `label` and the invitation with its one password, good for `hours`.

    `dealer` is needed on the manufacturer's node and admitted there already. `url` is how the other node reaches this
    one's store, if not as the settings say. Raises IronbookError before anything is made.
    """
    label = label.strip()
    if not label:
        raise IronbookError("Say which computer the invitation is for, for example: Anna's laptop.")
    address = (url or public_url(node.settings)).rstrip("/") or node.store.url
    code, dealer_name, book = _dealership(node, dealer)
    prefix = node.store.prefix
    user = f"{prefix}{'dealer' if node.is_manufacturer else 'laptop'}-{code.lower()}-{secrets.token_hex(4)}"
    password = random_password()
    now = datetime.now(UTC)
    invitation = Invitation(
        url=address,
        user=user,
        password=password,
        book=prefix + book,
        catalog=f"{prefix}catalog",
        share="manufacturer" if node.is_manufacturer else "dealer",
        dealer=code,
        dealer_name=dealer_name,
        expires_at=expiry(now, hours),
        key=new_key(),
        fingerprint=public_fingerprint(node.settings),
    )
    invitation.connection("upstream")
    node.secrets.set(member_entry(user), invitation.key)
    node.store.put_user_record(user, record_of(password), _roles(node, code))
    node.local.put(
        {
            "_id": _PREFIX + user,
            "type": "member",
            "user": user,
            "label": label,
            "dealer": code,
            "database": book,
            "invited_at": _text(now),
            "expires_at": invitation.expires_at,
            "password_number": 0,
            "joined_at": "",
            "left_at": "",
        }
    )
    # Last of what admits anybody: until now the new user reaches nothing of a dealer's.
    for database in _databases(node, book):
        node.store.admit(database, user)
    return invitation


def members(node: Node, dealer: str = "") -> list[Member]:
    """Every node that was ever invited, the latest first; of one dealer, if `dealer` is given. One request."""
    rows = node.local.all_docs(startkey=_PREFIX, endkey="member;", include_docs=True).rows
    found = [_member(row.doc) for row in rows if row.doc]
    chosen = [member for member in found if not dealer or member.dealer == dealer]
    return sorted(chosen, key=lambda member: (member.invited_at, member.user), reverse=True)


def remove_member(node: Node, user: str) -> Member:
    """Takes the right of a node to sync away, at once. What it sent stays here, and what it has stays there."""
    document = node.local.get(_PREFIX + user)
    if document is None:
        raise IronbookError(f"No node with the user {user!r} was invited here.")
    return _member(_end(node, document))


def remove_members(node: Node, dealer: str) -> None:
    """Takes the right to sync away from every node of a dealer, at once."""
    for member in members(node, dealer):
        if not member.left_at:
            remove_member(node, member.user)


def settle_members(node: Node) -> None:
    """Puts the passwords in force that joined nodes ask for, and takes back invitations that nobody used in time.

    Run by the schedule. A node has joined when it asks for a password of its own.
    """
    now = _text(datetime.now(UTC))
    rows = node.local.all_docs(startkey=_PREFIX, endkey="member;", include_docs=True).rows
    for document in (row.doc for row in rows if row.doc and not row.doc.get("left_at")):
        replica = node.store.database(document["database"])
        number = take_request(node, replica, document, _roles(node, document["dealer"]))
        if number:
            joined = document.get("joined_at") or now
            node.local.put({**document, "joined_at": joined, "password_number": number})
        elif not document.get("joined_at") and document["expires_at"] < now:
            _end(node, document)


def public_url(settings: Settings) -> str:
    """Where other nodes reach this node's store by its settings; empty when they say nothing about it."""
    if settings.public_url or not settings.public_host:
        return settings.public_url or settings.store_url
    import socket

    return f"https://{socket.gethostname()}:{settings.public_port}"


def public_fingerprint(settings: Settings) -> str:
    """The fingerprint of the certificate this node made for itself; empty when it shows none or an authority's."""
    if not settings.embedded or not settings.public_host or settings.certificate:
        return ""
    certificate, _ = own_certificate(settings.data / "tls")
    return fingerprint(certificate.read_text(encoding="ascii"))


def _end(node: Node, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document of a member that has left now, whose user is gone. The user goes first: that is what counts."""
    node.store.delete_user(document["user"])
    node.secrets.remove(member_entry(document["user"]))
    for database in _databases(node, document["database"]):
        node.store.expel(database, document["user"])
    if not document.get("left_at"):
        document = {**document, "left_at": _text(datetime.now(UTC))}
        node.local.put(document)
    return document


def _dealership(node: Node, dealer: str) -> tuple[str, str, str]:
    """Code, name and database of the dealership that a new node will belong to."""
    if not node.is_manufacturer:
        return node.dealer, node.settings.name, "book"
    if not dealer:
        raise IronbookError("Say which dealer the node belongs to, for example: --dealer D042")
    document = node.local.get(f"dealer:{dealer}")
    if document is None or document.get("left_at"):
        raise IronbookError(f"The dealer {dealer} is not admitted here; admit it with: ironbook dealer add {dealer}")
    return dealer, document["name"], document["database"]


def _roles(node: Node, code: str) -> list[str]:
    return [f"{node.store.prefix}dealer", f"dealer:{code}"]


def _databases(node: Node, book: str) -> list[str]:
    """The databases that a member is admitted to by name; to head office's catalog its role admits it."""
    return [book] if node.is_manufacturer else [book, "catalog"]


def _member(document: Mapping[str, Any]) -> Member:
    joined, left = document.get("joined_at", ""), document.get("left_at", "")
    state = "joined" if joined else "invited"
    if left:
        state = "removed" if joined or left < document["expires_at"] else "expired"
    return Member(
        user=document["user"],
        label=document.get("label", ""),
        dealer=document.get("dealer", ""),
        state=state,
        invited_at=document["invited_at"],
        expires_at=document["expires_at"],
        joined_at=joined,
        left_at=left,
    )


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
