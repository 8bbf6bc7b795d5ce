"""Databases in memory that answer what saving and merging ask of a store, for histories by the thousand.

Trees, winners and leaves are the embedded store's own pure functions; the histories are also run over real stores, so
what is answered differently here shows there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.couch import BulkResult, Changes
from app.couch.database import Row, Rows
from embedded.revtree import Revision, RevisionTree, add_path, history, leaves, parse_revision, winner

Document = dict[str, Any]


class MemoryBook:
    """One database. `kind` is the kind of store: two kinds digest the same content to different revision ids."""

    def __init__(self, name: str, kind: str = "") -> None:
        self.name = name
        self.kind = kind
        self.trees: dict[str, RevisionTree] = {}
        self.bodies: dict[tuple[str, Revision], Document] = {}
        self.local: dict[str, Document] = {}
        self.sequences: dict[str, int] = {}

    # Reading

    def get(self, id: str, **params: Any) -> Document | None:
        tree = self.trees.get(id)
        if tree is None:
            return None
        revision = parse_revision(params["rev"]) if "rev" in params else winner(tree)
        if (id, revision) not in self.bodies or ("rev" not in params and tree.nodes[revision].deleted):
            return None
        return self._shown(id, revision, bool(params.get("attachments")))

    def get_many(self, ids: Iterable[str]) -> dict[str, Document]:
        found = {id: self.get(id) for id in dict.fromkeys(ids)}
        return {id: document for id, document in found.items() if document}

    def leaves(self, id: str) -> list[Document]:
        return [self._with_history(id, leaf) for leaf in leaves(self.trees[id])] if id in self.trees else []

    def revisions(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[Document]]:
        return {
            id: [
                self._with_history(id, parse_revision(rev)) for rev in revs if (id, parse_revision(rev)) in self.bodies
            ]
            for id, revs in wanted.items()
        }

    def all_docs(self, **options: Any) -> Rows:
        rows = []
        for id in options.get("keys", sorted(self.trees)):
            tree = self.trees.get(id)
            if tree is None:
                rows.append(Row(None, id, None))
            elif tree.nodes[winner(tree)].deleted:
                rows.append(Row(id, id, {"rev": str(winner(tree)), "deleted": True}))
            else:
                rows.append(Row(id, id, {"rev": str(winner(tree))}, self.get(id)))
        return Rows(rows)

    def changes(self, since: int = 0, limit: int = 1000, style: str = "all_docs") -> Changes:
        ordered = sorted((number, id) for id, number in self.sequences.items() if number > since)
        results = [
            {"id": id, "seq": number, "changes": [{"rev": str(leaf)} for leaf in leaves(self.trees[id])]}
            for number, id in ordered[:limit]
        ]
        return Changes(results, results[-1]["seq"] if results else since, len(ordered) - len(results))

    def get_local(self, id: str) -> Document | None:
        return self.local.get(id)

    def put_local(self, document: Document) -> str:
        self.local[document["_id"]] = dict(document)
        return "0-1"

    def _with_history(self, id: str, revision: Revision) -> Document:
        known = history(self.trees[id], revision)
        revisions = {"start": revision.position, "ids": [each.digest for each in known]}
        return {**self._shown(id, revision, False), "_revisions": revisions}

    def _shown(self, id: str, revision: Revision, attachments: bool) -> Document:
        document = {**self.bodies[id, revision], "_id": id, "_rev": str(revision)}
        if self.trees[id].nodes[revision].deleted:
            document["_deleted"] = True
        if "_attachments" in document:
            hidden = () if attachments else ("data",)
            document["_attachments"] = {
                name: {key: value for key, value in {**file, "stub": True}.items() if key not in hidden}
                for name, file in document["_attachments"].items()
            }
        return document

    # Writing

    def bulk(self, documents: Iterable[Mapping[str, Any]], new_edits: bool = True) -> list[BulkResult]:
        assert new_edits
        return [self._write(json.loads(json.dumps(document))) for document in list(documents)]

    def _write(self, document: Document) -> BulkResult:
        id, deleted = document["_id"], bool(document.get("_deleted"))
        tree = self.trees.setdefault(id, RevisionTree())
        parent = parse_revision(document["_rev"]) if document.get("_rev") else None
        if parent is None and tree.nodes and tree.nodes[winner(tree)].deleted:
            parent = winner(tree)
        if (parent is None and tree.nodes) or (parent is not None and not tree.is_leaf(parent)):
            return BulkResult(id, None, "conflict", "Document update conflict.")
        position = parent.position + 1 if parent else 1
        body = {name: value for name, value in document.items() if name[:1] != "_"}
        files = self._files(id, parent, position, document.get("_attachments") or {})
        text = json.dumps([self.kind, deleted, parent, body, [(n, f["digest"]) for n, f in sorted(files.items())]])
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        made = Revision(position, digest)
        add_path(tree, [made, *([*history(tree, parent)] if parent else [])], 0, deleted)
        self.bodies[id, made] = {**body, **({"_attachments": files} if files else {})}
        self._changed(id)
        return BulkResult(id, str(made))

    def _files(self, id: str, parent: Revision | None, position: int, given: Mapping[str, Any]) -> Document:
        before = self.bodies.get((id, parent), {}).get("_attachments", {}) if parent else {}
        files: Document = {}
        for name, file in given.items():
            if "data" in file:
                digest = hashlib.md5(base64.b64decode(file["data"]), usedforsecurity=False).hexdigest()
                kept = {"content_type": file["content_type"], "data": file["data"]}
                files[name] = {**kept, "digest": f"md5-{digest}", "revpos": position}
            else:
                files[name] = before[name]
        return files

    def _changed(self, id: str) -> None:
        self.sequences[id] = max(self.sequences.values(), default=0) + 1

    # Replication

    def pull(self, other: MemoryBook, selector: Mapping[str, Any], only: Iterable[str] | None = None) -> None:
        """Brings the leaves that `selector` lets through; `only` of these documents, when it was cut off after them."""
        for id in list(other.trees) if only is None else only:
            tree, added = self.trees.get(id, RevisionTree()), False
            for leaf in leaves(other.trees[id]):
                body = other.bodies[id, leaf]
                if leaf not in tree.nodes and all(body.get(name) == value for name, value in selector.items()):
                    added |= add_path(tree, history(other.trees[id], leaf), 0, other.trees[id].nodes[leaf].deleted)
                    self.bodies[id, leaf] = body
            if added:
                self.trees[id] = tree
                self._changed(id)

    def compact(self) -> None:
        """Forgets what every revision but the leaves held, as a compaction does."""
        self.bodies = {
            (id, revision): body for (id, revision), body in self.bodies.items() if self.trees[id].is_leaf(revision)
        }

    def restart(self) -> None:
        """What is in memory here is what the disk is elsewhere: nothing goes with the process."""
