"""What a page is served from and for: the node, the user, and the database a document is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g
from flask_login import current_user

from app.couch import Database
from app.security import rights
from app.security.users import User

if TYPE_CHECKING:
    from app.design import Form
    from app.node import Node
    from app.replication.schedule import Schedule

CATALOG_TYPES = ("model", "part", "bulletin", "form", "view")


def node() -> Node:
    """The node that serves this request."""
    return cast("Node", current_app.extensions["ironbook"])


def schedule() -> Schedule | None:
    """The schedule of this process; None where the pages are served without one (tests, tools)."""
    from app.replication.schedule import Schedule

    found = node().extensions.get("schedule")
    return found if isinstance(found, Schedule) else None


def forms() -> dict[str, Form]:
    """Every form in force, by type; asked once a request."""
    if "forms" not in g:
        g.forms = node().forms()
    return cast("dict[str, Form]", g.forms)


def label_of(document_type: str, field: str) -> str:
    """What a field is called by the form in force, so that a page written by hand says it as every other page does."""
    form = forms().get(document_type)
    known = form.by_name.get(field) if form else None
    return known.label if known else field.replace("_", " ").capitalize()


def user() -> User:
    """Who is signed in; on a page open to anybody, possibly nobody (without roles)."""
    return cast("User", current_user)


def may(action: str, subject: Any) -> bool:
    """Whether the signed-in user may do `action` (read, edit, run) with an area, a document's type, or a document."""
    return rights.may(user(), action, subject)


def database_of(document_id: str) -> Database:
    """The database that holds the document: the catalog, the dealer's book, or at the manufacturer the market."""
    if document_id.split(":", 1)[0] in CATALOG_TYPES:
        return node().catalog
    return node().market if node().is_manufacturer else node().book


def database_of_type(document_type: str) -> Database:
    """The database new documents of a type are written to, and documents of that type are read from."""
    if document_type in CATALOG_TYPES:
        return node().catalog
    return node().market if node().is_manufacturer else node().book
