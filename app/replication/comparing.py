"""What differs between this replica and its upstream, by type, with the reason for each.

Both sides are paged through by their changes with the connection's own selector, a thousand documents at a time, and
each page is compared with the other side in a few requests whatever its documents: current revisions first, then what
differs by ``_revs_diff``. Nothing is held but counts and the first ids of each kind. The other side is never asked
about what the connection does not carry: not even the names of private documents are told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.errors import IronbookError
from app.replication import differences as kinds
from app.replication.connections import ALL_DOCUMENTS, Connection, password_of
from app.replication.differences import Comparison, Side, Tally
from app.replication.failures import failure_of
from app.replication.passwords import reach
from app.replication.running import running
from app.replication.sequences import changes_from
from app.replication.state import State, read_state

if TYPE_CHECKING:
    from app.node import Node

PAGE = 1000
EXAMPLES = 20

# Documents looked at, documents there are to look at, and what is being looked at.
Progress = Callable[[int, int, str], None]


class CannotCompare(IronbookError):  # noqa: N818
    """The upstream does not answer, so there is nothing to compare with."""


def compare(
    node: Node,
    connection: Connection,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    examples: int = EXAMPLES,
) -> Comparison:
    """Compares the book and the catalog with those of the upstream; writes nothing on either side.

    `examples` ids of each kind are kept. Setting `stop` ends it soon, with what was found so far. Raises CannotCompare
    with a sentence when the upstream cannot be asked.
    """
    try:
        there = reach(node, connection, password_of(node, connection))
        job = _Job(progress or (lambda _done, _total, _what: None), stop or threading.Event(), Tally(examples))
        state = read_state(node, connection.name)
        book = _Pair(node, connection, "book", node.book, there.database(connection.book), state)
        catalog = _Pair(node, connection, "catalog", node.catalog, there.database(connection.catalog), state)
        job.total = sum(_size(each) for each in (book.here, book.there, catalog.here, catalog.there))
        complete = (
            _scan_here(book, job)
            and _scan_there(book, job)
            and _scan_private(book, job)
            and _scan_here(catalog, job)
            and _scan_there(catalog, job)
        )
    except StoreError as error:
        raise CannotCompare(failure_of(error, connection.url, connection.user).sentence) from error
    syncing = "A sync was running meanwhile; what it exchanged may be counted." if _runs(node, connection) else ""
    return Comparison(connection.name, complete, job.tally.totals(), job.tally.differences(), syncing)


@dataclass
class _Job:
    progress: Progress
    stop: threading.Event
    tally: Tally
    done: int = 0
    total: int = 0

    def step(self, documents: int, what: str) -> None:
        self.done += documents
        self.total = max(self.total, self.done)
        self.progress(self.done, self.total, what)


@dataclass(frozen=True)
class _Pair:
    """A database here and over there. The catalog is only pulled, and nobody notes how far."""

    node: Node
    connection: Connection
    name: str
    here: Database
    there: Database
    state: State

    @property
    def selector(self) -> dict[str, Any]:
        return self.connection.book_selector if self.name == "book" else ALL_DOCUMENTS

    @property
    def synced(self) -> bool:
        return bool(self.state.last_success)

    def refused(self, ids: Iterable[str], direction: str) -> dict[str, str]:
        """The reasons of those of the documents that are listed as refused."""
        if self.name != "book":
            return {}
        keys = [f"refused:{self.connection.name}:{document_id}" for document_id in ids]
        found = self.node.local.get_many(keys).values()
        return {entry["document"]: entry["reason"] for entry in found if entry["direction"] == direction}

    def changed_since(self, ids: Iterable[str], direction: str) -> set[str]:
        """Those of the documents that changed since the last sync."""
        asked = list(ids)
        if self.name != "book":
            return set(asked)
        source, since = (
            (self.here, self.state.pushed_seq) if direction == "push" else (self.there, self.state.pulled_seq)
        )
        return {change["id"] for change in changes_from(source, since, doc_ids=asked).results}


def _scan_here(pair: _Pair, job: _Job) -> bool:
    """Counts what is here and what of it the other side lacks; False when it was stopped."""
    since: Any = 0
    while not job.stop.is_set():
        page = pair.here.changes(since=since, limit=PAGE, style="all_docs", selector=pair.selector)
        leaves = _leaves(page.results)
        here = {change["id"]: _side_of(change) for change in page.results if change["id"] in leaves}
        for document_id, side in here.items():
            job.tally.count(pair.name, document_id, "here", side.deleted)
        there = _current(pair.there, leaves)
        suspects = _suspects(leaves, here, there)
        lacking = set(pair.there.revs_diff(suspects)) if suspects else set()
        if lacking:
            _count_lacking_there(pair, job, lacking, here, there)
        gone = [id for id in suspects if id not in lacking and _side(there, id).deleted and not here[id].deleted]
        for document_id in _bare(pair.there, gone):
            job.tally.add(pair.name, kinds.DELETED_THERE, kinds.BARE, document_id)
        job.step(len(page.results), f"Comparing the {pair.name} with the upstream's")
        if len(page.results) < PAGE:
            return True
        since = page.last_seq
    return False


def _count_lacking_there(
    pair: _Pair, job: _Job, lacking: set[str], here: Mapping[str, Side], there: Mapping[str, Side]
) -> None:
    others = {id: [there[id].rev] for id in lacking if id in there}
    unknown_here = set(pair.here.revs_diff(others)) if others else set()
    refused = pair.refused(lacking, "push")
    unsent = pair.changed_since(lacking, "push") if pair.synced else set()
    for id in lacking:
        what = kinds.lacking_there(here[id], _side(there, id), id not in unknown_here)
        if pair.name == "book":
            why, detail = kinds.why_not_there(id, refused, unsent, pair.synced)
        else:
            why, detail = kinds.NOT_IN_CATALOG, ""
        job.tally.add(pair.name, what, why, id, detail)


def _scan_there(pair: _Pair, job: _Job) -> bool:
    """Counts what is over there and what of it this side lacks; False when it was stopped."""
    since: Any = 0
    while not job.stop.is_set():
        page = pair.there.changes(since=since, limit=PAGE, style="all_docs", selector=pair.selector)
        leaves = _leaves(page.results)
        there = {change["id"]: _side_of(change) for change in page.results if change["id"] in leaves}
        for document_id, side in there.items():
            job.tally.count(pair.name, document_id, "there", side.deleted)
        here = _current(pair.here, leaves)
        suspects = _suspects(leaves, there, here)
        lacking = set(pair.here.revs_diff(suspects)) if suspects else set()
        if lacking:
            _count_lacking_here(pair, job, lacking, here, there)
        gone = [id for id in suspects if id not in lacking and _side(here, id).deleted and not there[id].deleted]
        for document_id in _bare(pair.here, gone):
            job.tally.add(pair.name, kinds.DELETED_HERE, kinds.BARE, document_id)
        job.step(len(page.results), f"Comparing the upstream's {pair.name} with this one")
        if len(page.results) < PAGE:
            return True
        since = page.last_seq
    return False


def _count_lacking_here(
    pair: _Pair, job: _Job, lacking: set[str], here: Mapping[str, Side], there: Mapping[str, Side]
) -> None:
    # What the other side lacks as well was counted from here already, as changed on both sides.
    own = {id: [here[id].rev] for id in lacking if id in here}
    lacking = lacking - (set(pair.there.revs_diff(own)) if own else set())
    refused = pair.refused(lacking, "pull")
    unread = pair.changed_since(lacking, "pull") if pair.synced and lacking else set()
    for id in lacking:
        why, detail = kinds.why_not_here(id, refused, unread, pair.synced)
        job.tally.add(pair.name, kinds.lacking_here(_side(here, id), there[id]), why, id, detail)


def _scan_private(pair: _Pair, job: _Job) -> bool:
    """Counts the living documents that the connection does not carry; only this side is asked."""
    selector: dict[str, Any] = {"$or": [{"share": {"$exists": False}}, {"share": "dealer"}]}
    if pair.connection.shares_all:
        selector = {"type": {"$exists": False}}
    since: Any = 0
    while not job.stop.is_set():
        page = pair.here.changes(since=since, limit=PAGE, selector=selector)
        for change in page.results:
            if not change.get("deleted") and not change["id"].startswith("_design/"):
                job.tally.add(pair.name, kinds.PRIVATE, kinds.NOT_SHARED, change["id"])
        job.step(len(page.results), "Counting what is not shared")
        if len(page.results) < PAGE:
            return True
        since = page.last_seq
    return False


def _leaves(changes: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {
        change["id"]: [leaf["rev"] for leaf in change["changes"]]
        for change in changes
        if not change["id"].startswith("_design/")
    }


def _side_of(change: Mapping[str, Any]) -> Side:
    return Side(change["changes"][0]["rev"], bool(change.get("deleted")))


def _current(database: Database, ids: Iterable[str]) -> dict[str, Side]:
    """The winning revision of each document that the database knows, deleted ones too, in one request."""
    asked = list(ids)
    rows = database.all_docs(keys=asked).rows if asked else []
    return {str(row.key): Side(row.value["rev"], bool(row.value.get("deleted"))) for row in rows if row.value}


def _suspects(
    leaves: Mapping[str, list[str]], one: Mapping[str, Side], other: Mapping[str, Side]
) -> dict[str, list[str]]:
    """The documents whose winning revisions differ, or that have several leaves, of which some may differ."""
    return {id: revs for id, revs in leaves.items() if len(revs) > 1 or _side(other, id).rev != one[id].rev}


def _bare(database: Database, ids: list[str]) -> list[str]:
    """Those of the deleted documents whose deletion says nothing, so that no selector lets it pass."""
    if not ids:
        return []
    found = database.changes(doc_ids=ids, include_docs=True).results
    return [change["id"] for change in found if not (change.get("doc") or {}).get("share")]


def _side(sides: Mapping[str, Side], id: str) -> Side:
    return sides.get(id, Side())


def _size(database: Database) -> int:
    info = database.info()
    return int(info.get("doc_count", 0)) + int(info.get("doc_del_count", 0))


def _runs(node: Node, connection: Connection) -> bool:
    return running(node).get(connection.name) is not None
