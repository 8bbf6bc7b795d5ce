"""What a database must answer, in the simplest words: revision trees, sequence, rows. No store, no SQLite, no speed.

Written from CouchDB's documentation and not from the store's code, so that a mistake would have to be made twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


def generation(rev: str) -> int:
    return int(rev.partition("-")[0])


@dataclass
class Content:
    """An attachment of a revision."""

    content_type: str
    data: bytes
    revpos: int


@dataclass
class Revision:
    """`body` None: known to have been, but not what it was."""

    parent: str | None
    deleted: bool = False
    body: dict[str, Any] | None = None
    attachments: dict[str, Content] = field(default_factory=dict)


@dataclass
class Document:
    id: str
    revisions: dict[str, Revision] = field(default_factory=dict)

    def leaves(self) -> list[str]:
        """The winner first: what is not deleted goes before what is, then the longer, then the higher digest."""
        parents = {one.parent for one in self.revisions.values()}
        found = [rev for rev in self.revisions if rev not in parents]
        return sorted(found, key=self._rank, reverse=True)

    def _rank(self, rev: str) -> tuple[bool, int, str]:
        return not self.revisions[rev].deleted, generation(rev), rev.partition("-")[2]

    @property
    def winner(self) -> str:
        return self.leaves()[0]

    @property
    def deleted(self) -> bool:
        return self.revisions[self.winner].deleted

    @property
    def body(self) -> dict[str, Any]:
        body = self.revisions[self.winner].body
        assert body is not None
        return body

    def history(self, rev: str) -> list[str]:
        """The revision and its known ancestors, newest first."""
        path: list[str] = []
        at: str | None = rev
        while at is not None:
            path.append(at)
            at = self.revisions[at].parent
        return path

    def graft(self, path: list[str], newest: Revision) -> bool:
        """Add a history, newest first; says whether anything was learnt."""
        before = {rev: one.parent for rev, one in self.revisions.items()}
        for child, parent in zip(path, [*path[1:], None], strict=True):
            known = self.revisions.setdefault(child, newest if child == path[0] else Revision(None))
            known.parent = known.parent or parent
        return before != {rev: one.parent for rev, one in self.revisions.items()}

    def stem(self, limit: int) -> None:
        keep = {rev for leaf in self.leaves() for rev in self.history(leaf)[:limit]}
        self._keep(keep)

    def purge(self, revs: Iterable[str]) -> list[str]:
        """Forget leaves and what only they came from; returns those that were leaves."""
        leaves = self.leaves()
        gone = [rev for rev in dict.fromkeys(revs) if rev in leaves]
        self._keep({rev for leaf in leaves if leaf not in gone for rev in self.history(leaf)})
        return gone

    def _keep(self, keep: set[str]) -> None:
        self.revisions = {rev: one for rev, one in self.revisions.items() if rev in keep}
        for one in self.revisions.values():
            if one.parent not in self.revisions:
                one.parent = None

    def compact(self) -> None:
        leaves = self.leaves()
        for rev, one in self.revisions.items():
            if rev not in leaves:
                one.body, one.attachments = None, {}


class ConflictError(Exception):
    """409: the edit is not on a leaf."""


@dataclass
class Model:
    """A database. `changed` holds its ids in the order of their last change, with the number of that change."""

    documents: dict[str, Document] = field(default_factory=dict)
    local: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    revs_limit: int = 1000

    def live(self) -> list[Document]:
        return [self.documents[id] for id in sorted(self.documents) if not self.documents[id].deleted]

    def parent_of_edit(self, id: str, named: str | None, has_attachments: bool) -> str | None:
        """The leaf an edit that names this revision goes on. Raises ConflictError."""
        document = self.documents.get(id)
        if document is None:
            # CouchDB believes in a parent of a document it does not know unless it has to look, and so do we.
            if named is not None and has_attachments:
                raise ConflictError
            return named
        if named is None and document.deleted:
            return document.winner
        if named is None or named not in document.leaves():
            raise ConflictError
        return named

    def edited(self, id: str, parent: str | None, rev: str, new: Revision) -> None:
        """The store made `rev` of an edit."""
        document = self.documents.setdefault(id, Document(id))
        assert rev not in document.revisions
        document.graft([rev] if parent is None else [rev, parent], new)
        self._touched(document)

    def replicated(self, id: str, path: list[str], newest: Revision) -> None:
        """A replica with its history, newest first. Nothing happens when all of it is known."""
        document = self.documents.setdefault(id, Document(id))
        before = {rev: one.parent for rev, one in document.revisions.items()}
        document.graft(path, newest)
        document.stem(self.revs_limit)
        if before != {rev: one.parent for rev, one in document.revisions.items()}:
            self._touched(document)

    def _touched(self, document: Document) -> None:
        document.stem(self.revs_limit)
        self.changes += 1
        self.changed.pop(document.id, None)
        self.changed[document.id] = self.changes

    def purged(self, id: str, revs: list[str]) -> list[str]:
        document = self.documents.get(id)
        if document is None:
            return []
        gone = document.purge(revs)
        if gone:
            self.changes += 1
            self.changed.pop(id)
            if document.revisions:
                self.changed[id] = self.changes
            else:
                del self.documents[id]
        return gone


def collated(value: Any) -> tuple[Any, ...]:
    """A sort key for simple JSON values in CouchDB's order; strings of ASCII letters and digits only."""
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, (int, float)):
        return (2, value)
    if isinstance(value, str):
        # Small letters go before capitals, but only where nothing else tells two strings apart.
        return (3, value.lower(), [letter.isupper() for letter in value])
    if isinstance(value, list):
        return (4, [collated(one) for one in value])
    return (5, [(collated(name), collated(one)) for name, one in value.items()])


Row = tuple[Any, Any, str]
"""Key, value, id."""


def map_rows(model: Model, view: str) -> list[Row]:
    """The rows of the views in `DESIGN`, in order."""
    rows: list[Row] = []
    for document in model.live():
        if document.id.startswith("_design/"):
            continue
        body = document.body
        if view == "by_k":
            rows.append((body.get("k"), body.get("n", 0), document.id))
        elif view == "by_group" and "g" in body:
            rows.append(([body["g"], body.get("n", 0)], 1, document.id))
        elif view == "by_tag":
            rows += [(tag, place, document.id) for place, tag in enumerate(body.get("tags", []))]
        elif view == "conflicted":
            others = [rev for rev in document.leaves()[1:] if not document.revisions[rev].deleted]
            rows += [(len(others), others, document.id)] if others else []
    return sorted(rows, key=lambda row: (collated(row[0]), row[2]))


DESIGN: dict[str, Any] = {
    "views": {
        "by_k": {"map": "function (doc) { emit(doc.k === undefined ? null : doc.k, doc.n || 0); }", "reduce": "_sum"},
        "by_group": {"map": "function (doc) { if (doc.g !== undefined) { emit([doc.g, doc.n || 0], 1); } }",
                     "reduce": "function (keys, values, again) { return sum(values); }"},
        "by_tag": {"map": "function (doc) { (doc.tags || []).forEach(function (t, i) { emit(t, i); }); }",
                   "reduce": "_count"},
        "conflicted": {"map": "function (doc) { if (doc._conflicts) "
                              "{ emit(doc._conflicts.length, doc._conflicts); } }"},
    }
}  # fmt: skip


def between(rows: list[Row], low: Any, high: Any, *, inclusive: bool = True) -> list[Row]:
    """The rows with keys from `low` to `high`; `...` for no bound."""
    kept = [row for row in rows if low is ... or collated(row[0]) >= collated(low)]
    if high is ...:
        return kept
    end = collated(high)
    return [row for row in kept if collated(row[0]) < end or (inclusive and collated(row[0]) == end)]


def reverse(rows: list[Row]) -> list[Row]:
    """What one document emits several times for one key stays in its order when all else is turned round."""
    ordered = sorted(rows, key=lambda row: row[2], reverse=True)
    return sorted(ordered, key=lambda row: collated(row[0]), reverse=True)


def grouped(rows: list[Row], level: int, reduction: str) -> list[tuple[Any, int]]:
    """Reductions of runs of rows whose keys are the same in the first `level` members; 0: all rows are one run."""
    groups: list[tuple[Any, list[Any]]] = []
    for key, value, _ in rows:
        group = None if level == 0 else key[:level] if isinstance(key, list) else key
        if groups and collated(groups[-1][0]) == collated(group):
            groups[-1][1].append(value)
        else:
            groups.append((group, [value]))
    return [(key, len(values) if reduction == "_count" else sum(values)) for key, values in groups]
