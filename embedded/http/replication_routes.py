"""What the replication protocol asks of either side: `_revs_diff`, `_missing_revs`, `_bulk_get`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from embedded import database_reading, revtree
from embedded.document_text import Show, revision_text
from embedded.http import document_parameters, json_text
from embedded.http.document_reading import select_open_revisions
from embedded.http.errors import HttpError, bad_request
from embedded.http.multipart_reading import Item, mixed
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Route
from embedded.revtree import Revision, RevisionTree


async def revisions_difference(request: Request) -> Response:
    return json_response(await request.database.reading(difference, await request.json_object()))


async def missing_revisions(request: Request) -> Response:
    found = await request.database.reading(difference, await request.json_object())
    return json_response({"missing_revs": {id: one["missing"] for id, one in found.items()}})


def difference(connection: sqlite3.Connection, asked: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Which of these revisions are not here: `{id: {"missing": […], "possible_ancestors": […]}}`. Raises 400."""
    answer: dict[str, dict[str, list[str]]] = {}
    for id, given in asked.items():
        found = connection.execute("SELECT rev, tree FROM documents WHERE id=?", (id,)).fetchone()
        if found is not None and given == [found[0]]:
            # The winner, as of most documents that are asked about: neither has to be taken apart.
            continue
        revisions = document_parameters.revision_list(given)
        tree = RevisionTree() if found is None else revtree.load(found[1])
        absent = revtree.missing(tree, revisions)
        if not absent:
            continue
        answer[id] = {"missing": [str(revision) for revision in absent]}
        ancestors = revtree.possible_ancestors(tree, absent)
        if ancestors:
            answer[id]["possible_ancestors"] = [str(revision) for revision in sorted(ancestors)]
    return answer


_NOT_FOR_ALL = ("open_revs", "new_edits", "w", "rev", "atts_since")
"""Parameters that each document of a `_bulk_get` would have to have by itself."""


async def bulk_get(request: Request) -> Response:
    documents = (await request.json_object()).get("docs")
    if not isinstance(documents, list):
        raise bad_request("Missing JSON list of 'docs'.")
    for name in _NOT_FOR_ALL:
        if name in request.query:
            raise bad_request(f'"{name}" query parameter is not acceptable')
    show = document_parameters.show(request)
    latest = request.boolean("latest")
    for kind in ("mixed", "related"):
        if request.accepts(f"multipart/{kind}") and not request.accepts("application/json"):
            items = await request.database.reading(_bulk_items, documents, latest)
            return mixed(request.database, items, replace(show, attachments=True), kind, named=True)

    async def pieces() -> Any:
        yield b'{"results":['
        first = True
        async for text in request.database.streaming(_bulk_results, documents, latest, show):
            yield (text if first else "," + text).encode()
            first = False
        yield b"]}\n"

    return Response(200, pieces())


_BATCH = 200


def _bulk_results(connection: sqlite3.Connection, documents: list[Any], latest: bool, show: Show) -> Iterator[str]:
    for at in range(0, len(documents), _BATCH):
        yield ",".join(_bulk_result(connection, asked, latest, show) for asked in documents[at : at + _BATCH])


@dataclass(frozen=True, slots=True)
class _Asked:
    """One document of a request: all of its leaves, or one revision. `error`: what cannot be, told in its place.

    `since`: revisions whose attachments the client has; None: it asks for no attachments of this document by itself.
    """

    id: str | None
    rev: Any
    wanted: list[Revision] | None = None
    since: tuple[Revision, ...] | None = None
    error: tuple[str, str] | None = None


def _read_asked(asked: Any) -> _Asked:
    id, rev = (asked.get("id"), asked.get("rev")) if isinstance(asked, dict) else (None, None)
    if not isinstance(id, str):
        return _Asked(None, None, error=("bad_request", "document must be a JSON object"))
    try:
        wanted = None if rev is None else [revtree.parse_revision(rev)]
        since = tuple(document_parameters.revision_list(asked.get("atts_since", [])))
    except HttpError as error:
        return _Asked(id, rev, error=(error.error, error.reason))
    return _Asked(id, rev, wanted, since or None)


def _bulk_result(connection: sqlite3.Connection, document: Any, latest: bool, show: Show) -> str:
    asked = _read_asked(document)
    if asked.error is not None:
        return _bulk_error(asked.id, asked.rev, *asked.error)
    assert asked.id is not None
    if asked.since is not None:
        show = replace(show, attachments=True, atts_since=asked.since)
    stored = database_reading.find(connection, asked.id)
    if stored is None:
        return _bulk_error(asked.id, "undefined" if asked.rev is None else asked.rev, "not_found", "missing")
    tree = stored.tree()
    revisions = revtree.leaves(tree) if asked.wanted is None else select_open_revisions(tree, asked.wanted, latest)
    parts = []
    for revision in revisions:
        text = revision_text(connection, asked.id, tree, revision, show)
        missing = _error_part(asked.id, str(revision), "not_found", "missing")
        parts.append(missing if text is None else f'{{"ok":{text}}}')
    return f'{{"id":{json_text.text(asked.id)},"docs":[{",".join(parts)}]}}'


def _bulk_items(connection: sqlite3.Connection, documents: list[Any], latest: bool) -> list[Item]:
    """The same documents as items of a multipart answer."""
    items = []
    for asked in map(_read_asked, documents):
        if asked.error is not None:
            items.append(_absent(asked.id, asked.rev, *asked.error))
            continue
        assert asked.id is not None
        stored = database_reading.find(connection, asked.id)
        tree = RevisionTree() if stored is None else stored.tree()
        for revision in select_open_revisions(tree, asked.wanted, latest):
            if revision_text(connection, asked.id, tree, revision) is None:
                items.append(_absent(asked.id, str(revision), "not_found", "missing"))
            else:
                items.append(Item(asked.id, str(revision), tree, revision, since=asked.since))
        if stored is None and asked.wanted is None:
            items.append(_absent(asked.id, "undefined", "not_found", "missing"))
    return items


def _absent(id: str | None, rev: Any, error: str, reason: str) -> Item:
    text = json_text.text({"id": id, "rev": rev, "error": error, "reason": reason})
    return Item(id or "null", rev if isinstance(rev, str) else "null", RevisionTree(), error=text)


def _bulk_error(id: str | None, rev: Any, error: str, reason: str) -> str:
    return f'{{"id":{json_text.text(id)},"docs":[{_error_part(id, rev, error, reason)}]}}'


def _error_part(id: str | None, rev: Any, error: str, reason: str) -> str:
    return json_text.text({"error": {"id": id, "rev": rev, "error": error, "reason": reason}})


def routes() -> list[Route]:
    return [
        Route("POST", "/{db}/_revs_diff", revisions_difference),
        Route("POST", "/{db}/_missing_revs", missing_revisions),
        Route("POST", "/{db}/_bulk_get", bulk_get),
    ]
