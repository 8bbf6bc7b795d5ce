"""Installing forms, views and design documents.

A changed design document is put under another name first and its index built there; an index belongs to the text of
its functions, so that when the document takes its own name the index is there already and nobody waits.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.design.compiling import compile_view
from app.design.forms import Form, read_form
from app.design.handwritten import read_design_documents
from app.design.inforce import design, refresh
from app.design.project import document_of, form_tables, table_of, view_tables
from app.design.views import View, read_view
from app.documents import saving
from app.documents.common import digest, same
from app.documents.ids import catalog_id

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

INSTALLER = "ironbook"
UNIQUE = "unique"
_LIST = "list-"
_NEW = "new-"
# The indexes of so few documents are built by whoever reads them, before anybody could call it waiting.
_FEW = 200
DesignBodies = dict[str, dict[str, Any]]


def install(node: Node) -> None:
    """Puts forms and views into the manufacturer's catalog, and every design document into the databases it is for.

    What is there already as it should be is not written. Raises DesignError for a file that cannot work, naming it.
    """
    for name, table in form_tables().items():
        read_form(table, f"forms/{name}.toml")
    for name, table in view_tables().items():
        read_view(table, f"views/{name}.toml")
    if node.is_manufacturer:
        _install_catalog(node)
    refresh(node)
    _install_into(node, _databases(node))


def install_into(node: Node, name: str) -> None:
    """Puts every design document that belongs there into the database `name`, which is new."""
    _install_into(node, [node.store.database(name)])


def _install_into(node: Node, databases: Iterable[Database]) -> None:
    in_force = design(node)
    handwritten = read_design_documents()
    for database in databases:
        wanted = {name: dict(each.body) for name, each in handwritten.items() if each.belongs_in(database.name)}
        wanted |= _lists(in_force.views, database.name) | _unique(in_force.forms, database.name)
        install_design(database, wanted)


def install_lists(node: Node, views: Mapping[str, View]) -> None:
    """Brings the lists of every database up to date after a view was added, changed or removed."""
    for database in _databases(node):
        existing = _existing(database)
        install_design(database, _lists(views, database.name), existing)


def install_design(database: Database, wanted: DesignBodies, existing: DesignBodies | None = None) -> list[str]:
    """Makes the database's design documents those `wanted` (bodies by name); the names of those written.

    Lists (``list-…``) that are not wanted any more are removed; other design documents of others are left alone.
    """
    if existing is None:
        existing = _existing(database)
    changed = {
        name: content
        for name, content in wanted.items()
        if not any(same(each, _content(existing.get(name, {}))) for each in (content, _over_all(content)))
    }
    if changed and _is_partitioned(database):
        changed = {name: _over_all(content) for name, content in changed.items()}
    _build_first(database, {name: content for name, content in changed.items() if "views" in content}, existing)
    gone = [name for name in existing if name.startswith((_LIST, _NEW)) and name not in wanted]
    if not changed and not gone:
        return []
    documents = [_document(name, content, existing.get(name)) for name, content in changed.items()]
    documents += [{"_id": f"_design/{name}", "_rev": existing[name]["_rev"], "_deleted": True} for name in gone]
    for result in database.bulk(documents):
        if result.error and result.error != "conflict":
            raise StoreError(f"{result.id} cannot be installed in {database.name}: {result.reason or result.error}.")
    if gone or any(name in existing for name in changed):
        database.cleanup_views()
    return sorted(changed)


def _build_first(database: Database, changed: DesignBodies, existing: DesignBodies) -> None:
    """Builds the indexes of changed design documents, unless of few documents, under names that go again."""
    if not changed or int(database.info().get("doc_count") or 0) < _FEW:
        return
    drafts = {f"{_NEW}{name}": content for name, content in changed.items()}
    results = database.bulk(_document(name, content, existing.get(name)) for name, content in drafts.items())
    written = {result.id: result.rev for result in results if not result.error}
    for name, content in drafts.items():
        try:
            database.view(name, next(iter(content["views"])), limit=0, reduce=False)
        except StoreError as problem:
            log.warning("The index of %s in %s could not be built first: %s", name, database.name, problem)
    database.bulk({"_id": id, "_rev": rev, "_deleted": True} for id, rev in written.items())
    for name in drafts:
        existing.pop(name, None)


def _install_catalog(node: Node) -> None:
    wanted: dict[str, Mapping[str, Any]] = {}
    for kind, tables in (("form", form_tables()), ("view", view_tables())):
        for name, table in tables.items():
            wanted[catalog_id(kind, name)] = document_of(kind, table)
    existing = node.catalog.get_many(wanted)
    documents = []
    for id, document in wanted.items():
        found = existing.get(id)
        if found is None:
            documents.append({"_id": id, **document})
        elif found.get("installed") != document["installed"]:
            # What a person made of it stays; the file's new version is not theirs to lose their work to.
            if digest(table_of(found)) == found.get("installed"):
                documents.append({"_id": id, "_rev": found["_rev"], **document})
            else:
                log.info("%s was changed by %s and stays as it is.", id, found.get("updated_by"))
    for result in saving.save_many(node.catalog, documents, INSTALLER):
        if isinstance(result, saving.Refused):
            raise StoreError(f"{result.document['_id']} cannot be installed: {result.reason}")


def _databases(node: Node) -> list[Database]:
    names = node.store.names()
    return [node.store.database(name) for name in names]


def _lists(views: Mapping[str, View], database: str) -> DesignBodies:
    # A dealer's replica at the manufacturer is read through the market: an index of its own would be work for nobody.
    return {
        view.design: compile_view(view.in_database(database)) for view in views.values() if database in view.databases
    }


def _unique(forms: Mapping[str, Form], database: str) -> DesignBodies:
    """A view in which fields that must be unique are looked up: ``[type, field, value]``, without regard to case."""
    fields = {
        form.name: [field.name for field in form.fields if field.unique]
        for form in forms.values()
        if form.database == database
    }
    fields = {name: unique for name, unique in sorted(fields.items()) if unique}
    if not fields:
        return {}
    map_function = (
        f"function (doc) {{\n  var fields = {json.dumps(fields)}[doc.type] || [];\n"
        "  for (var i = 0; i < fields.length; i++) {\n"
        "    var value = doc[fields[i]];\n"
        "    if (value || value === 0) { emit([doc.type, fields[i], String(value).toLowerCase()], null); }\n"
        "  }\n}"
    )
    return {UNIQUE: {"language": "javascript", "views": {"values": {"map": map_function}}}}


def _existing(database: Database) -> DesignBodies:
    rows = database.all_docs(startkey="_design/", endkey="_design0", include_docs=True).rows
    return {str(row.id).removeprefix("_design/"): row.doc for row in rows if row.doc}


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("_id", "_rev")}


def _document(name: str, content: Mapping[str, Any], existing: Mapping[str, Any] | None) -> dict[str, Any]:
    document = {"_id": f"_design/{name}", **content}
    return document | {"_rev": existing["_rev"]} if existing else document


def _over_all(content: dict[str, Any]) -> dict[str, Any]:
    """A design document whose views, in a partitioned database, are over all partitions."""
    if "views" not in content:
        return content
    return {**content, "options": {"partitioned": False, **content.get("options", {})}}


def _is_partitioned(database: Database) -> bool:
    return bool((database.info().get("props") or {}).get("partitioned"))
