"""The forms and views in force on a node: the project's files, under what the catalog has, under what the book adds.

A dealer's node that has not synced yet has an empty catalog and works with the files; nothing is ever written into a
catalog that is pulled. A dealer's own additions are ``<dealer>:form:<name>`` documents in its book.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from app.couch import Database
from app.design.fields import DesignError
from app.design.forms import Form, read_form
from app.design.project import form_tables, table_of, view_tables
from app.design.views import View, read_view

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

# How long a node goes without asking whether somebody changed a form, in seconds. Its own changes show at once.
_FRESH = 2.0
_KEY = "design"
_Made = TypeVar("_Made", Form, View)


@dataclass(frozen=True)
class Design:
    """All forms by type and all views by name, as they were at the update sequences `seen`."""

    forms: dict[str, Form]
    views: dict[str, View]
    seen: tuple[Any, ...]


@dataclass
class _Cache:
    lock: threading.Lock
    design: Design | None = None
    checked: float = 0.0


def design(node: Node) -> Design:
    """The forms and views in force, read again when the catalog or the book has changed."""
    cache = node.extensions.setdefault(_KEY, _Cache(threading.Lock()))
    assert isinstance(cache, _Cache)
    found = cache.design
    if found and time.monotonic() - cache.checked < _FRESH:
        return found
    with cache.lock:
        if cache.design and time.monotonic() - cache.checked < _FRESH:
            return cache.design
        databases = _databases(node)
        seen = tuple(database.info().get("update_seq") for database in databases)
        if cache.design is None or seen != cache.design.seen:
            before = cache.design
            cache.design = _read(node, databases, seen)
            if before and cache.design.views != before.views:
                from app.design.installing import install_lists

                install_lists(node, cache.design.views)
        cache.checked = time.monotonic()
        return cache.design


def refresh(node: Node) -> None:
    """Makes the next question read the forms and views again; called after one was saved on this node."""
    cache = node.extensions.get(_KEY)
    if isinstance(cache, _Cache):
        cache.checked = 0.0


def _databases(node: Node) -> list[Database]:
    return [node.catalog] if node.is_manufacturer else [node.catalog, node.book]


def _read(node: Node, databases: list[Database], seen: tuple[Any, ...]) -> Design:
    forms, views = dict(form_tables()), dict(view_tables())
    for database in databases:
        own = f"{node.dealer}:" if database.name == "book" else ""
        forms |= _tables(database, f"{own}form:")
        views |= _tables(database, f"{own}view:")
    return Design(_made(forms, form_tables(), read_form), _made(views, view_tables(), read_view), seen)


def _tables(database: Database, prefix: str) -> dict[str, Mapping[str, Any]]:
    rows = database.all_docs(startkey=prefix, endkey=prefix[:-1] + ";", include_docs=True).rows
    return {str(row.id)[len(prefix) :]: table_of(row.doc) for row in rows if row.doc}


def _made(
    tables: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], _Made],
) -> dict[str, _Made]:
    made: dict[str, _Made] = {}
    for name, table in tables.items():
        try:
            made[name] = read({**table, "name": name})
        except DesignError as problem:
            # One wrong form, perhaps pulled from elsewhere, must not stop a node that knows a right one.
            log.error("%s The project's own is used, if there is one.", problem)
            if name in files:
                made[name] = read(files[name])
    return made
