"""Paging through one side of two databases and finding of each page what the other side lacks.

A page costs a few requests whatever its documents: current revisions of the other side first, then what differs by
``_revs_diff``. Nothing is held but counts and the first ids of each kind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.couch import Database
from app.replication import differences as kinds
from app.replication.differences import Side, Tally

PAGE = 1000

# Documents looked at, documents there are to look at, and what is being looked at.
Progress = Callable[[int, int, str], None]
Sides = Mapping[str, Side]


@dataclass
class Job:
    """One comparison under way: whom to tell, whether to end, and what was counted."""

    progress: Progress
    stop: threading.Event
    tally: Tally
    done: int = 0
    total: int = 0

    def step(self, documents: int, what: str) -> None:
        """Tells that so many documents more were looked at."""
        self.done += documents
        self.total = max(self.total, self.done)
        self.progress(self.done, self.total, what)


@dataclass(frozen=True)
class Look:
    """From one side to the other: what is counted under `name`, and at which `place` one's `own` documents are.

    `lacking` is told the ids of which the other side lacks a revision, and how the documents of the page are on either
    side; it counts them with their reasons.
    """

    name: str
    place: str
    own: Database
    other: Database
    selector: Mapping[str, Any]
    lacking: Callable[[set[str], Sides, Sides], None]
    words: str

    @property
    def bare(self) -> str:
        """What it is called when the other side's deletion is bare and so never comes here."""
        return kinds.DELETED_THERE if self.place == kinds.HERE else kinds.DELETED_HERE


def scan(job: Job, look: Look) -> bool:
    """Counts what one side holds of what `selector` admits, and what of it the other lacks; False when stopped."""
    since: Any = 0
    while not job.stop.is_set():
        page = look.own.changes(since=since, limit=PAGE, style="all_docs", selector=look.selector)
        leaves = _leaves(page.results)
        own = {change["id"]: _side_of(change) for change in page.results if change["id"] in leaves}
        for document_id, side in own.items():
            job.tally.count(look.name, document_id, look.place, side.deleted)
        other = current(look.other, leaves)
        suspects = _suspects(leaves, own, other)
        lacking = set(look.other.revs_diff(suspects)) if suspects else set()
        if lacking:
            look.lacking(lacking, own, other)
        gone = [id for id in suspects if id not in lacking and side_in(other, id).deleted and not own[id].deleted]
        for document_id in bare_deletions(look.other, gone):
            job.tally.add(look.name, look.bare, kinds.BARE, document_id)
        job.step(len(page.results), look.words)
        if len(page.results) < PAGE:
            return True
        since = page.last_seq
    return False


def scan_private(job: Job, name: str, own: Database, selector: Mapping[str, Any], why: str = kinds.NOT_SHARED) -> bool:
    """Counts the living documents that `selector` finds, which stay where they are; False when stopped."""
    since: Any = 0
    while not job.stop.is_set():
        page = own.changes(since=since, limit=PAGE, selector=selector)
        for change in page.results:
            if not change.get("deleted") and not change["id"].startswith("_design/"):
                job.tally.add(name, kinds.PRIVATE, why, change["id"])
        job.step(len(page.results), "Counting what is not shared")
        if len(page.results) < PAGE:
            return True
        since = page.last_seq
    return False


def current(database: Database, ids: Iterable[str]) -> dict[str, Side]:
    """The winning revision of each document that the database knows, deleted ones too, in one request."""
    asked = list(ids)
    rows = database.all_docs(keys=asked).rows if asked else []
    return {str(row.key): Side(row.value["rev"], bool(row.value.get("deleted"))) for row in rows if row.value}


def known_to(database: Database, sides: Sides, ids: Iterable[str]) -> set[str]:
    """Those of the documents whose winning revision in `sides`, if any, the database knows."""
    asked = list(ids)
    revs = {id: [sides[id].rev] for id in asked if id in sides}
    return set(asked) - (set(database.revs_diff(revs)) if revs else set())


def side_in(sides: Sides, id: str) -> Side:
    """How a document is on a side; where it never was it has no revision."""
    return sides.get(id, Side())


def bare_deletions(database: Database, ids: list[str]) -> list[str]:
    """Those of the deleted documents whose deletion says nothing, so that no selector lets it pass."""
    if not ids:
        return []
    found = database.changes(doc_ids=ids, include_docs=True).results
    return [change["id"] for change in found if not (change.get("doc") or {}).get("share")]


def size_of(database: Database) -> int:
    """How many documents there are to look at, deleted ones too."""
    info = database.info()
    return int(info.get("doc_count", 0)) + int(info.get("doc_del_count", 0))


def _leaves(changes: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {
        change["id"]: [leaf["rev"] for leaf in change["changes"]]
        for change in changes
        if not change["id"].startswith("_design/")
    }


def _side_of(change: Mapping[str, Any]) -> Side:
    return Side(change["changes"][0]["rev"], bool(change.get("deleted")))


def _suspects(leaves: Mapping[str, list[str]], one: Sides, other: Sides) -> dict[str, list[str]]:
    """The documents whose winning revisions differ, or that have several leaves, of which some may differ."""
    return {id: revs for id, revs in leaves.items() if len(revs) > 1 or side_in(other, id).rev != one[id].rev}
