"""Which role may do what: the one place that is asked.

A right is written ``action:area``, for example ``edit:book``. The areas are ``book`` (what a dealer keeps, but nothing
private), ``keepsake`` (what is known about people, which never leaves the dealership), ``catalog``, ``market`` (the
manufacturer's view over all dealers), ``design`` (forms and views), ``replication``, ``connections`` and ``users``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

ROLES: dict[str, str] = {
    "sales": "Sales",
    "parts": "Parts",
    "principal": "Principal",
    "analyst": "Analyst",
    "designer": "Designer",
    "admin": "Administrator",
}
ROLES_OF_NODE: dict[str, tuple[str, ...]] = {
    "dealer": ("sales", "parts", "principal", "designer", "admin"),
    "manufacturer": ("parts", "analyst", "designer", "admin"),
}

_STAFF = frozenset({"sales", "parts", "principal", "admin"})
_EVERYBODY = frozenset(ROLES)
# A dealer's role gives nothing at head office, where nobody can be given it.
_HEAD_OFFICE = frozenset(ROLES_OF_NODE["manufacturer"])
_DESIGNERS = frozenset({"designer", "admin"})
_ADMINISTRATORS = frozenset({"admin"})
_NOBODY: frozenset[str] = frozenset()

_DEALER: dict[str, frozenset[str]] = {
    "read:book": _EVERYBODY,
    "edit:book": _STAFF,
    "read:keepsake": _STAFF,
    "edit:keepsake": _STAFF,
    "read:catalog": _EVERYBODY,
    "read:design": _DESIGNERS,
    "edit:design": _DESIGNERS,
    "read:replication": _EVERYBODY,
    "run:replication": _STAFF,
    "read:connections": _ADMINISTRATORS,
    "edit:connections": _ADMINISTRATORS,
    "read:users": _ADMINISTRATORS,
    "edit:users": _ADMINISTRATORS,
}
_MANUFACTURER: dict[str, frozenset[str]] = {
    "read:book": _HEAD_OFFICE,
    "read:market": _HEAD_OFFICE,
    "read:catalog": _HEAD_OFFICE,
    "edit:catalog": frozenset({"parts", "designer", "admin"}),
    "read:design": _DESIGNERS,
    "edit:design": _DESIGNERS,
    "read:replication": _HEAD_OFFICE,
    "run:replication": frozenset({"parts", "admin"}),
    "read:connections": _ADMINISTRATORS,
    "edit:connections": _ADMINISTRATORS,
    "read:users": _ADMINISTRATORS,
    "edit:users": _ADMINISTRATORS,
}
_MATRIX = {"dealer": _DEALER, "manufacturer": _MANUFACTURER}
_AREA_OF_TYPE = {
    "keepsake": "keepsake",
    "model": "catalog",
    "part": "catalog",
    "bulletin": "catalog",
    "form": "design",
    "view": "design",
    "user": "users",
    "connection": "connections",
}
_AREAS = frozenset(right.split(":")[1] for rights in _MATRIX.values() for right in rights)
RIGHTS = frozenset(right for rights in _MATRIX.values() for right in rights)


class Person(Protocol):
    """Somebody whose rights are asked: their roles, and the role of the node they are signed in to."""

    @property
    def roles(self) -> frozenset[str]: ...

    @property
    def node_role(self) -> str: ...


def area_of(subject: str | Mapping[str, Any]) -> str:
    """The area that `subject` (an area, a document's type, or a document) belongs to; the book, if nothing else.

    An entry in the log of changes belongs where the document does that it tells about.
    """
    name = subject if isinstance(subject, str) else str(subject.get("type", ""))
    if not isinstance(subject, str) and name == "change":
        name = str(subject.get("document_type", ""))
    return name if name in _AREAS else _AREA_OF_TYPE.get(name, "book")


def _kind(subject: str | Mapping[str, Any]) -> str:
    return subject if isinstance(subject, str) else str(subject.get("type", ""))


def may(user: Person, action: str, subject: str | Mapping[str, Any]) -> bool:
    """Whether `user` may do `action` (read, edit, run) with `subject`: an area, a document's type, or a document.

    What no rule allows is refused; deleting is editing.
    """
    if action == "delete":
        action = "edit"
    if action == "edit" and _kind(subject) == "change":
        # The log of changes is written by saving alone: who could edit it could hide what they did.
        return False
    rights = _MATRIX.get(user.node_role, {})
    return not user.roles.isdisjoint(rights.get(f"{action}:{area_of(subject)}", _NOBODY))
