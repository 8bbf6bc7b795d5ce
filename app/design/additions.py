"""What a consultant gives a node: a form or a view as a TOML file, for one dealer or, at the manufacturer, for all.

A definition is named ``form:<type>`` or ``view:<name>``, as its document in the catalog is; a dealer's own one is kept
in that dealer's book under ``<dealer>:form:<type>`` and overrides the catalog's of the same name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.couch import Database, Refused
from app.design.compiling import compile_view
from app.design.fields import DesignError
from app.design.forms import Form, read_form
from app.design.inforce import refresh
from app.design.project import document_of, form_tables, table_of, view_tables
from app.design.views import View, read_view
from app.documents import saving
from app.documents.common import digest
from app.documents.ids import document_id

if TYPE_CHECKING:
    from app.node import Node

Table = Mapping[str, Any]

KINDS = ("form", "view")
_TRIED = "new-definition"
# What somebody has typed about people has been promised to stay; a form must not turn that round.
_STAYS = "dealer"


@dataclass(frozen=True)
class Definition:
    """A form or a view (`kind`) as its table; `database` holds it for `dealer`, or for all when that is empty."""

    kind: str
    name: str
    table: Table

    @property
    def title(self) -> str:
        """What commands call it: ``form:customer``."""
        return f"{self.kind}:{self.name}"


def read_definition(path: Path) -> Definition:
    """The form or view in a TOML file, named as the file is: one with sections is a form, one with columns a view.

    Raises DesignError, naming the file, for one that cannot be read or cannot work, and for a form that would take
    from Ironbook's own pages what they need.
    """
    where = path.name
    try:
        table = {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8-sig"))}
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else problem
        raise DesignError(f"{where} cannot be read: {why}. Nothing was changed.") from problem
    if ("sections" in table) == ("columns" in table):
        raise DesignError(f"{where} has neither a form's sections nor a view's columns, or both. Nothing was changed.")
    if "sections" in table:
        form = read_form(table, where)
        own = form_tables().get(form.name)
        if own:
            _check_replacement(form, read_form(own), where)
        return Definition("form", form.name, table)
    return Definition("view", read_view(table, where).name, table)


def _check_replacement(form: Form, own: Form, where: str) -> None:
    """A form may add to the project's of the same type, and say it otherwise, but not take a field or its kind away."""
    for field in own.fields:
        now = form.by_name.get(field.name)
        if now is None:
            raise DesignError(
                f"{where} leaves out the field {field.name}, which Ironbook's own pages use. Keep it; a field that "
                f'nobody is to see has read = ["admin"]. Nothing was changed.'
            )
        if (now.type, now.target) != (field.type, field.target):
            raise DesignError(
                f"{where}: the field {field.name} is of the type {field.type!r} and has to stay so; "
                "add a field of another name. Nothing was changed."
            )
    if form.database != own.database or form.read_only != own.read_only or form.parent != own.parent:
        raise DesignError(
            f"{where}: database, parent and read_only have to be those of forms/{form.name}.toml. Nothing was changed."
        )
    if own.share == _STAYS and form.share != _STAYS:
        raise DesignError(
            f"{where}: what people type in a {own.label.lower()} stays in the dealership; share has to stay "
            f'"{_STAYS}". Nothing was changed.'
        )


def put(node: Node, database: Database, dealer: str, definition: Definition, by: str) -> str:
    """Puts a definition into force: in the catalog, or, with a `dealer`, in that dealer's book (`database`).

    Returns "created", "changed" or "unchanged". A view's index is built before anything is saved. Raises DesignError
    when its formulas cannot be run; then nothing was changed.
    """
    id = document_id(dealer, definition.kind, definition.name)
    found = database.get(id)
    made = document_of(definition.kind, definition.table)
    # The digest says which of the project's files this comes from: an upgrade must not take it for that file itself.
    installed = (found or {}).get("installed") or _installed(definition)
    made = {**made, "_id": id, "dealer": dealer, "installed": installed}
    if dealer:
        del made["installed"]
    if definition.kind == "view":
        _try_out(read_view(definition.table), database)
    if found:
        made = {**made, "_rev": found["_rev"], "share": found["share"]}
    outcome = saving.save(database, {name: value for name, value in made.items() if value is not None}, by).outcome
    refresh(node)
    return outcome


def _installed(definition: Definition) -> str | None:
    tables = form_tables() if definition.kind == "form" else view_tables()
    own = tables.get(definition.name)
    return digest(own) if own else None


def _try_out(view: View, database: Database) -> None:
    """Builds the list's index under another name; a script that cannot work must not become a list that cannot open."""
    document = {"_id": f"_design/{_TRIED}", **compile_view(view.in_database(database.name))}
    left = database.get(document["_id"])
    rev = ""
    try:
        rev = database.put({**document, "_rev": left["_rev"]} if left else document)
        database.view(_TRIED, "rows", limit=0, reduce=False)
    except Refused as problem:
        said = problem.reason.partition(" (function")[0].rpartition("failed: ")[2]
        raise DesignError(f"The view {view.name} cannot work: {said.rstrip('.')}. Nothing was changed.") from problem
    finally:
        if rev:
            database.bulk([{"_id": document["_id"], "_rev": rev, "_deleted": True}])


def remove(node: Node, database: Database, dealer: str, title: str, by: str) -> str:
    """Takes a definition out of force; the sentence says what is in force instead.

    Raises DesignError when there is none of that name here, or when it is the project's own and unchanged.
    """
    kind, name = split_title(title)
    found = database.get(document_id(dealer, kind, name))
    if found is None:
        raise DesignError(f"There is no {title} in {database.name}; ironbook design list shows those there are.")
    own = (form_tables() if kind == "form" else view_tables()).get(name)
    if own and not dealer:
        if found.get("installed") == digest(table_of(found)):
            raise DesignError(f"{title} is Ironbook's own and nobody has changed it; it stays.")
        # In the catalog the project's own is always there, so that dealers have it too.
        fresh = {**document_of(kind, own), "_id": found["_id"], "_rev": found["_rev"]}
        saving.save(database, fresh, by)
    else:
        saving.delete(database, found, by)
    refresh(node)
    if not (own or (dealer and node.catalog.get(document_id("", kind, name)))):
        return f"{title} is no more. Documents that were made with it stay as they are."
    return f"{title} is again what it was before."


def split_title(title: str) -> tuple[str, str]:
    """``("form", "customer")`` of ``form:customer``. Raises DesignError for anything else."""
    kind, colon, name = title.partition(":")
    if kind not in KINDS or not colon or not name:
        raise DesignError(f"{title!r} names no form and no view; write form:customer or view:customers.")
    return kind, name


def definitions(node: Node, dealer: str = "", book: Database | None = None) -> dict[str, tuple[Table, str]]:
    """Every definition by title, as its table and where it comes from; a dealer's `book` over the catalog's.

    From where is ``""`` (Ironbook's own), ``"catalog"`` or the dealer's code.
    """
    known: dict[str, tuple[Table, str]] = {}
    for kind, tables in (("form", form_tables()), ("view", view_tables())):
        known |= {f"{kind}:{name}": (table, "") for name, table in tables.items()}
        for title, document in _documents(node.catalog, f"{kind}:"):
            table = table_of(document)
            known[title] = (table, "" if document.get("installed") == digest(table) else "catalog")
        if book is not None:
            known |= {title: (table_of(found), dealer) for title, found in _documents(book, f"{dealer}:{kind}:")}
    return dict(sorted(known.items()))


def _documents(database: Database, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind = prefix.split(":")[-2]
    for row in database.all_docs(startkey=prefix, endkey=prefix[:-1] + ";", include_docs=True).rows:
        if row.doc:
            yield f"{kind}:{str(row.id)[len(prefix) :]}", row.doc
