"""A few nodes in memory, as far as merging can tell: revision trees, winners, syncs, edits with ``field_revs``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from app.documents.merging import Merged, merge
from app.documents.revising import first_revision, next_revision

ID = "D001:customer:1"


class Replica:
    """One node's revisions of one document: every revision's body, and the revision each was made from."""

    def __init__(self, salt: str = "") -> None:
        # Two kinds of store digest the same content differently: the salt is the kind.
        self.salt = salt
        self.bodies: dict[str, dict[str, Any]] = {}
        self.parents: dict[str, str | None] = {}

    def history(self, rev: str) -> dict[str, Any]:
        ids, at = [], rev
        while True:
            ids.append(at.partition("-")[2])
            parent = self.parents[at]
            if parent is None:
                return {"start": int(rev.partition("-")[0]), "ids": ids}
            at = parent

    def leaves(self) -> list[dict[str, Any]]:
        inner = set(self.parents.values())
        return [
            {**body, "_rev": rev, "_revisions": self.history(rev)}
            for rev, body in self.bodies.items()
            if rev not in inner
        ]

    def current(self) -> dict[str, Any] | None:
        """The winner, or None when there is none or it is deleted."""
        live = [leaf for leaf in self.leaves() if not leaf.get("_deleted")]
        return max(live, key=lambda leaf: (int(leaf["_rev"].partition("-")[0]), leaf["_rev"])) if live else None

    def write(self, document: Mapping[str, Any]) -> str:
        body = {name: value for name, value in document.items() if name not in ("_rev", "_revisions")}
        parent = document.get("_rev")
        number = int(parent.partition("-")[0]) + 1 if parent else 1
        text = json.dumps([self.salt, parent, body], sort_keys=True)
        rev = f"{number}-{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}"
        self.bodies[rev] = {**body}
        self.parents[rev] = parent
        return rev

    def create(self, by: str, at: str, **fields: Any) -> None:
        document = {"_id": ID, "type": "customer", "dealer": "D001", "share": "manufacturer", **fields}
        self.write(first_revision(document, by, at).document)

    def edit(self, by: str, at: str, **fields: Any) -> None:
        current = self.current()
        assert current is not None
        shown = {name: value for name, value in current.items() if name != "_revisions"}
        self.write(next_revision(shown, {**shown, **fields}, shown, by, at).document)

    def delete(self, by: str, at: str) -> None:
        for leaf in self.leaves():
            if not leaf.get("_deleted"):
                kept = {name: leaf[name] for name in ("_id", "_rev", "type", "dealer", "share")}
                self.write({**kept, "_deleted": True, "deleted_by": by, "deleted_at": at})

    def pull(self, other: Replica) -> None:
        self.bodies |= other.bodies
        self.parents |= other.parents

    def merge(self) -> Merged:
        merged = merge(self.leaves())
        if merged.changed:
            self.write(merged.document)
        for tombstone in merged.tombstones:
            self.write(tombstone)
        return merged

    def content(self) -> dict[str, Any] | None:
        current = self.current()
        if current is None:
            return None
        return {name: value for name, value in current.items() if name not in ("_rev", "_revisions")}


def settle(*replicas: Replica) -> None:
    """Syncs all with all and merges everywhere until nothing changes any more."""
    for _ in range(20):
        before = [set(replica.bodies) for replica in replicas]
        for one in replicas:
            for other in replicas:
                one.pull(other)
        for replica in replicas:
            replica.merge()
        if [set(replica.bodies) for replica in replicas] == before:
            return
    raise AssertionError("The replicas do not come to an end.")
