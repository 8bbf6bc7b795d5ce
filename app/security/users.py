"""The users of a node: documents ``user:<name>`` in ``local``, which never replicate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.couch import Database
from app.errors import IronbookError
from app.security import rights
from app.security.passwords import check_usable, hash_password, is_outdated, password_matches

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,59}")


class UserError(IronbookError):
    """A user cannot be made or changed as asked; ``str(error)`` says why."""


@dataclass(frozen=True)
class User:
    """Somebody who signs in. Their sessions end everywhere when `session_epoch` changes."""

    name: str
    display_name: str
    roles: frozenset[str]
    node_role: str
    session_epoch: int
    active: bool = True

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> str:
        return f"{self.session_epoch}:{self.name}"


@dataclass(frozen=True)
class Anonymous:
    """Nobody: has no role, hence no right."""

    name: str = ""
    display_name: str = ""
    roles: frozenset[str] = frozenset()
    node_role: str = ""

    is_authenticated = False
    is_anonymous = True
    is_active = False

    def get_id(self) -> None:
        return None


def clean_name(name: str) -> str:
    """A user's name as it is kept: small letters, no spaces around it."""
    return name.strip().lower()


def find_user(local: Database, name: str, node_role: str) -> User | None:
    """The user `name`, or None."""
    document = local.get(_id(name)) if _NAME.fullmatch(clean_name(name)) else None
    return _user(document, node_role) if document else None


def user_of_session(local: Database, session_id: str, node_role: str) -> User | None:
    """Whose session it is, unless it ended since: another password, other roles, or no longer allowed to sign in."""
    epoch, _, name = session_id.partition(":")
    user = find_user(local, name, node_role)
    return user if user and user.active and str(user.session_epoch) == epoch else None


def all_users(local: Database, node_role: str) -> list[User]:
    """Everybody, by name."""
    rows = local.all_docs(startkey="user:", endkey="user;", inclusive_end=False, include_docs=True).rows
    return [_user(row.doc, node_role) for row in rows if row.doc]


def any_users(local: Database) -> bool:
    """Whether anybody can sign in at all; if not, the first-start page makes the first administrator."""
    return bool(local.all_docs(startkey="user:", endkey="user;", inclusive_end=False, limit=1).rows)


def check_password(local: Database, name: str, password: str, node_role: str) -> User | None:
    """The user, if `password` is theirs and they may sign in; None otherwise, after the same time."""
    document = local.get(_id(name)) if _NAME.fullmatch(clean_name(name)) else None
    matches = password_matches(password, document["password"] if document else None)
    if not matches or document is None or not document.get("active", True):
        return None
    if is_outdated(document["password"]):
        local.put({**document, "password": hash_password(password)})
    return _user(document, node_role)


def add_user(
    local: Database,
    name: str,
    display_name: str,
    roles: Iterable[str],
    password: str,
    node_role: str,
    hashed: str | None = None,
) -> User:
    """Makes a user. Raises UserError or UnusablePassword, having made nothing.

    `hashed` is the hash of `password` where it has been made already.
    """
    name = clean_name(name)
    if not _NAME.fullmatch(name):
        raise UserError(
            "The user name must begin with a letter or digit and hold only small letters, digits, dots, dashes and @."
        )
    check_usable(password, name)
    if local.get(_id(name)) is not None:
        raise UserError(f"There is already a user named {name}.")
    document = {
        "_id": _id(name),
        "type": "user",
        "name": name,
        "display_name": display_name.strip() or name,
        "roles": _checked_roles(roles, node_role),
        "password": hashed or hash_password(password),
        "session_epoch": 1,
        "active": True,
    }
    local.put(document)
    return _user(document, node_role)


def change_password(local: Database, name: str, password: str, node_role: str) -> User:
    """Sets a password and ends every session of the user. Raises UserError or UnusablePassword."""
    check_usable(password, name)
    return _change(local, name, node_role, {"password": hash_password(password)}, ends_sessions=True)


def change_user(
    local: Database, name: str, display_name: str, roles: Iterable[str], active: bool, node_role: str
) -> User:
    """Sets what a user is called and may do; ends their sessions when they may do something else than before.

    Raises UserError, also when nobody would be left who can administer users.
    """
    before = find_user(local, name, node_role)
    if before is None:
        raise UserError(f"There is no user named {name}.")
    checked = _checked_roles(roles, node_role)
    if "admin" in before.roles and before.active and ("admin" not in checked or not active):
        others = [user for user in all_users(local, node_role) if user.name != before.name]
        if not any("admin" in user.roles and user.active for user in others):
            raise UserError(f"{before.display_name} is the only administrator: make somebody else one first.")
    changed = {"display_name": display_name.strip() or before.name, "roles": checked, "active": active}
    ends = before.roles != frozenset(checked) or before.active != active
    return _change(local, name, node_role, changed, ends_sessions=ends)


def end_sessions(local: Database, name: str, node_role: str) -> User:
    """Signs the user out on every device."""
    return _change(local, name, node_role, {}, ends_sessions=True)


def _change(local: Database, name: str, node_role: str, changed: Mapping[str, Any], ends_sessions: bool) -> User:
    document = local.get(_id(name))
    if document is None:
        raise UserError(f"There is no user named {name}.")
    document.update(changed)
    if ends_sessions:
        document["session_epoch"] = int(document.get("session_epoch", 0)) + 1
    local.put(document)
    return _user(document, node_role)


def _checked_roles(roles: Iterable[str], node_role: str) -> list[str]:
    chosen = set(roles)
    unknown = chosen - set(rights.ROLES_OF_NODE[node_role])
    if unknown:
        raise UserError(f"There is no role {', '.join(sorted(unknown))} on this node.")
    if not chosen:
        raise UserError("Choose at least one role, or the user may do nothing.")
    return sorted(chosen)


def _id(name: str) -> str:
    return f"user:{clean_name(name)}"


def _user(document: Mapping[str, Any], node_role: str) -> User:
    return User(
        name=document["name"],
        display_name=document.get("display_name") or document["name"],
        roles=frozenset(document.get("roles", ())),
        node_role=node_role,
        session_epoch=int(document.get("session_epoch", 0)),
        active=bool(document.get("active", True)),
    )
