"""One database of a store: documents, bulk writes, views, changes, attachments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from app.couch.asking import BUILDING, USUAL, Asking
from app.couch.errors import Conflict, NotFound, no_store

if TYPE_CHECKING:
    from app.couch.store import Store


class Row(NamedTuple):
    """One row of a view. `id` is None in reductions; `doc` only with ``include_docs``."""

    id: str | None
    key: Any
    value: Any
    doc: dict[str, Any] | None = None


@dataclass
class Rows:
    """The answer of a view. `total_rows` and `offset` are None for reductions; `update_seq` (opaque) says what the
    index had seen, where it was asked for.
    """

    rows: list[Row]
    total_rows: int | None = None
    offset: int | None = None
    update_seq: Any = None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


class BulkResult(NamedTuple):
    """What became of one document of a bulk write; `error` is None when it was written."""

    id: str
    rev: str | None
    error: str | None = None
    reason: str | None = None


@dataclass
class Changes:
    """One page of the changes feed. `last_seq` is opaque: hand it back as ``since``."""

    results: list[dict[str, Any]]
    last_seq: Any
    pending: int | None = None


class Database:
    """A database by its `name` (without the store's prefix). Made by ``Store.database``; safe between threads."""

    def __init__(self, asking: Asking, name: str, full_name: str, store: Store) -> None:
        self._asking = asking
        self._path = full_name
        self.name = name
        self.store = store

    def __repr__(self) -> str:
        return f"Database({self.name!r} at {self.store.url!r})"

    # Documents

    def get(self, id: str, **params: Any) -> dict[str, Any] | None:
        """The document, or None when there is none or it is deleted. `params` as CouchDB's (``rev``, ``revs`` …).

        Raises NotFound when the database itself is missing.
        """
        path = _document_path(id)
        if path is None:
            return None
        try:
            document: dict[str, Any] = self._ask("GET", path, parameters=_json_parameters(params))
        except NotFound as problem:
            if "database" in problem.reason.lower() or "no_db_file" in problem.reason:
                raise
            return None
        return document

    def get_many(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The documents with these ids, by id, in one request; missing and deleted ones are left out."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        rows = self.all_docs(keys=wanted, include_docs=True).rows
        return {row.id: row.doc for row in rows if row.id and row.doc}

    def leaves(self, id: str) -> list[dict[str, Any]]:
        """Every leaf revision of a document, deleted ones too, each with ``_rev`` and ``_revisions``."""
        path = _document_path(id)
        if path is None:
            return []
        try:
            answer = self._ask("GET", path, parameters={"open_revs": "all", "revs": "true"})
        except NotFound as problem:
            if "database" in problem.reason.lower() or "no_db_file" in problem.reason:
                raise
            return []
        return [entry["ok"] for entry in answer if "ok" in entry]

    def revisions(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[dict[str, Any]]]:
        """These revisions of these documents, each with ``_rev`` and ``_revisions``, in one request.

        Those the database does not have, or not the content of any more, are left out.
        """
        docs = [{"id": id, "rev": rev} for id, revs in wanted.items() for rev in revs]
        if not docs:
            return {}
        answer = self._ask("POST", ["_bulk_get"], {"docs": docs}, {"revs": "true"}, BUILDING)
        found: dict[str, list[dict[str, Any]]] = {id: [] for id in wanted}
        for line in answer["results"]:
            found[line["id"]] += [entry["ok"] for entry in line["docs"] if "ok" in entry]
        return found

    def put(self, document: Mapping[str, Any]) -> str:
        """Writes one document as it is and returns its new revision. Raises Conflict.

        Documents of a book or the catalog are written by ``documents.saving``, which calls this.
        """
        path = _document_path(document.get("_id", ""))
        if path is None:
            raise ValueError(f"A document cannot have the id {document.get('_id')!r}.")
        answer = self._ask("PUT", path, dict(document))
        return str(answer["rev"])

    def bulk(self, documents: Iterable[Mapping[str, Any]], new_edits: bool = True) -> list[BulkResult]:
        """Writes documents in one request. With `new_edits` one result each, in order; otherwise only the refused.

        Each document is written or refused by itself: look at every result's ``error``.
        """
        docs = [dict(document) for document in documents]
        if not docs:
            return []
        body: dict[str, Any] = {"docs": docs}
        if not new_edits:
            body["new_edits"] = False
        answer = self._ask("POST", ["_bulk_docs"], body, timeout=BUILDING)
        return [
            BulkResult(line["id"], line.get("rev"), line.get("error"), _words(line.get("reason"))) for line in answer
        ]

    # Views

    def view(self, design: str, view: str, **options: Any) -> Rows:
        """Reads a view of ``_design/<design>``. `options` are CouchDB's, as Python values."""
        return self._rows(["_design", design, "_view", view], options)

    def view_queries(self, design: str, view: str, queries: Sequence[Mapping[str, Any]]) -> list[Rows]:
        """Reads a view with several sets of options in one request; the answers in the same order."""
        if not queries:
            return []
        path = ["_design", design, "_view", view, "queries"]
        answer = self._ask("POST", path, {"queries": [dict(query) for query in queries]}, timeout=BUILDING)
        return [_rows(result) for result in answer["results"]]

    def all_docs(self, **options: Any) -> Rows:
        """Reads ``_all_docs`` with a view's options; with `keys`, missing ones are rows without an id."""
        return self._rows(["_all_docs"], options)

    def find(self, selector: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
        """The documents a Mango selector fits (``limit``, ``sort``, ``fields`` … as CouchDB's ``_find``)."""
        answer = self._ask("POST", ["_find"], {"selector": dict(selector), **options}, timeout=BUILDING)
        documents: list[dict[str, Any]] = answer["docs"]
        return documents

    def _rows(self, path: list[str], options: Mapping[str, Any]) -> Rows:
        parameters = {name: value for name, value in options.items() if name != "keys" and value is not None}
        encoded = {name: _view_parameter(name, value) for name, value in parameters.items()}
        if options.get("keys") is not None:
            body = {"keys": list(options["keys"])}
            answer = self._ask("POST", path, body, encoded, BUILDING)
        else:
            answer = self._ask("GET", path, None, encoded, BUILDING)
        if not isinstance(answer, dict) or "rows" not in answer:
            raise no_store(self.store.url, "its answer has no rows")
        return _rows(answer)

    # Changes and replication

    def changes(
        self,
        since: Any = 0,
        selector: Mapping[str, Any] | None = None,
        doc_ids: Sequence[str] | None = None,
        **options: Any,
    ) -> Changes:
        """What changed after `since` (as given by ``last_seq``; ``"now"`` for nothing yet).

        With ``feed="longpoll"`` and ``timeout`` (milliseconds) it waits for the first change.
        """
        parameters = _json_parameters({"since": since, **options})
        patience = USUAL
        if options.get("feed") == "longpoll":
            patience += float(options.get("timeout", 60_000)) / 1000
        if selector is not None:
            body: dict[str, Any] | None = {"selector": dict(selector)}
            parameters["filter"] = "_selector"
        elif doc_ids is not None:
            body = {"doc_ids": list(doc_ids)}
            parameters["filter"] = "_doc_ids"
        else:
            body = None
        answer = self._ask("GET" if body is None else "POST", ["_changes"], body, parameters, patience)
        return Changes(answer["results"], answer["last_seq"], answer.get("pending"))

    def revs_diff(self, revs: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Which of these revisions the database lacks: ``{id: {"missing": [rev, …]}}``."""
        answer: dict[str, Any] = self._ask("POST", ["_revs_diff"], {id: list(each) for id, each in revs.items()})
        return answer

    def info(self) -> dict[str, Any]:
        """``doc_count``, ``update_seq`` (opaque), ``sizes`` … Raises NotFound when the database is missing."""
        answer: dict[str, Any] = self._ask("GET", [])
        return answer

    def security(self) -> dict[str, Any]:
        """Who may read and write the database."""
        answer: dict[str, Any] = self._ask("GET", ["_security"])
        return answer

    def cleanup_views(self) -> None:
        """Removes the indexes that no design document names any more."""
        self._ask("POST", ["_view_cleanup"])

    # Local documents and attachments

    def get_local(self, id: str) -> dict[str, Any] | None:
        """The ``_local`` document called `id` (without that prefix), or None. Such documents never replicate."""
        try:
            document: dict[str, Any] = self._ask("GET", ["_local", id])
        except NotFound as problem:
            if "database" in problem.reason.lower():
                raise
            return None
        return document

    def put_local(self, document: Mapping[str, Any]) -> str:
        """Writes a ``_local`` document, whose ``_id`` may have that prefix or not, and returns its revision."""
        id = str(document["_id"]).removeprefix("_local/")
        answer = self._ask("PUT", ["_local", id], {**document, "_id": f"_local/{id}"})
        return str(answer["rev"])

    def attachment(self, id: str, name: str) -> tuple[bytes, str]:
        """An attachment's bytes and content type. Raises NotFound."""
        path = _document_path(id)
        if path is None:
            raise NotFound(f"There is no document {id!r}.", 404)
        return self._asking.content([self._path, *path, *name.split("/")])

    def put_attachment(self, document: Mapping[str, Any], name: str, content: bytes, content_type: str) -> str:
        """Attaches `content` to the document's revision and returns the new revision. Raises Conflict."""
        path = _document_path(document["_id"])
        if path is None:
            raise Conflict(f"A document cannot have the id {document['_id']!r}.")
        parameters = {"rev": document["_rev"]} if "_rev" in document else {}
        headers = {"Content-Type": content_type}
        answer = self._ask("PUT", [*path, *name.split("/")], content, parameters, headers=headers)
        return str(answer["rev"])

    def _ask(
        self,
        method: str,
        path: Sequence[str],
        body: Any = None,
        parameters: Mapping[str, Any] | None = None,
        timeout: float = USUAL,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return self._asking.json(method, [self._path, *path], body, parameters, timeout, headers)


def _document_path(id: str) -> list[str] | None:
    """The path of a document, or None for an id no document can have (it would be another resource's address)."""
    if id.startswith(("_design/", "_local/")) and not id.endswith("/"):
        return id.split("/", 1)
    if not id or id.startswith("_"):
        return None
    return [id]


def _words(reason: Any) -> str | None:
    """A refusal's reason as text; a validation rule may throw any JSON as one."""
    return reason if reason is None or isinstance(reason, str) else json.dumps(reason, ensure_ascii=False)


def _rows(answer: Mapping[str, Any]) -> Rows:
    rows = [Row(line.get("id"), line["key"], line.get("value"), line.get("doc")) for line in answer["rows"]]
    return Rows(rows, answer.get("total_rows"), answer.get("offset"), answer.get("update_seq"))


# Parameters of views that hold JSON; the others are plain words and numbers.
_JSON_KEYS = frozenset(("key", "startkey", "endkey", "start_key", "end_key"))


def _view_parameter(name: str, value: Any) -> str:
    if name in _JSON_KEYS or not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return value


def _json_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in params.items()
        if value is not None
    }
