"""What is done to a database and its model: edits, replicas, deletions, attachments, compaction, purges, restarts."""

from __future__ import annotations

import base64
from typing import Any

import store_model as model_of
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from store_machine_asking import KEYS, LOCALS, NAMES, AskingMachine, bodies, digest, hows, ids, numbers, path_of, picks
from store_model import ConflictError, Content, Revision


class StoreMachine(AskingMachine):
    """All of it. Without `server` the store is not ended, as a CouchDB that was given."""

    edits = 0
    """How many edits the store and the model have both taken, in all histories so far."""

    def _named(self, id: str, how: str, pick: int) -> str | None:
        """A revision for an edit to name: the winner, a leaf, an old one, one nobody knows."""
        document = self.model.documents.get(id)
        if how == "invented":
            return f"{pick % 4 + 1}-{digest('invented', pick)}"
        if document is None or how == "nothing":
            return None
        if how == "current":
            return document.winner
        among = document.leaves() if how == "leaf" else list(document.revisions)
        return among[pick % len(among)]

    def _kept_attachments(self, id: str, parent: str | None, keep: bool) -> dict[str, Content]:
        document = self.model.documents.get(id)
        if not keep or document is None or parent is None or parent not in document.revisions:
            return {}
        return dict(document.revisions[parent].attachments)

    @rule(id=ids, body=bodies, how=hows, pick=picks, deleted=st.sampled_from([False, False, False, True]),
          keep=st.booleans(), inline=st.one_of(st.none(), st.binary(max_size=20)))  # fmt: skip
    def edit(
        self, id: str, body: dict[str, Any], how: str, pick: int, deleted: bool, keep: bool, inline: bytes | None
    ) -> None:
        named = self._named(id, how, pick)
        deleted = deleted and id in self.model.documents
        new, sent = self._new_edit(id, named, body, deleted, keep, inline)
        answer = self._put(path_of(id), sent)
        if new is None:
            assert answer.status == 409, answer.data
            return
        assert answer.status == (200 if deleted else 201), answer.data
        self._edited(id, new, answer.json())

    def _new_edit(
        self, id: str, named: str | None, body: dict[str, Any], deleted: bool, keep: bool, inline: bytes | None
    ) -> tuple[Revision | None, dict[str, Any]]:
        """What the edit makes (None: it is refused) and what to send."""
        sent = dict(body) | ({} if named is None else {"_rev": named}) | ({"_deleted": True} if deleted else {})
        told: dict[str, Any] = {}
        if inline is not None and not deleted:
            told[NAMES[0]] = {"data": base64.b64encode(inline).decode(), "content_type": "application/x-photo"}
            sent["_attachments"] = told
        try:
            parent = self.model.parent_of_edit(id, named, bool(told))
        except ConflictError:
            return None, sent
        attachments = self._kept_attachments(id, parent, keep and not deleted)
        told = {name: {"stub": True} for name in attachments} | told
        if inline is not None and not deleted:
            position = 1 if parent is None else model_of.generation(parent) + 1
            attachments[NAMES[0]] = Content("application/x-photo", inline, position)
        if told:
            sent["_attachments"] = told
        return Revision(parent, deleted, body, attachments), sent

    def _edited(self, id: str, new: Revision, told: dict[str, Any]) -> None:
        position = 1 if new.parent is None else model_of.generation(new.parent) + 1
        assert told["id"] == id
        assert model_of.generation(told["rev"]) == position
        self.model.edited(id, new.parent, told["rev"], new)
        type(self).edits += 1

    @rule(edits=st.lists(st.tuples(ids, bodies, hows, picks, st.booleans()), max_size=4, unique_by=lambda e: e[0]))
    def bulk(self, edits: list[tuple[str, dict[str, Any], str, int, bool]]) -> None:
        made = []
        for id, body, how, pick, deleted in edits:
            named = self._named(id, how, pick)
            deleted = deleted and id in self.model.documents
            new, sent = self._new_edit(id, named, body, deleted, keep=False, inline=None)
            made.append((id, new, sent | {"_id": id}))
        answer = self._post("_bulk_docs", {"docs": [sent for _, _, sent in made]})
        assert answer.status == 201
        for (id, new, _), told in zip(made, answer.json(), strict=True):
            if new is None:
                assert told["error"] == "conflict"
            else:
                self._edited(id, new, told)

    @rule(id=ids, how=hows, pick=picks)
    def delete(self, id: str, how: str, pick: int) -> None:
        document = self.model.documents.get(id)
        named = self._named(id, how, pick)
        answer = type(self).couch.delete(f"/{self.name}/{path_of(id)}" + ("" if named is None else f"?rev={named}"))
        if document is None or document.deleted:
            assert answer.status == 404
        elif named is None or named not in document.leaves():
            assert answer.status == 409
        else:
            assert answer.status == 200
            self._edited(id, Revision(named, True, {}), answer.json())

    @rule(id=ids, body=bodies, pick=picks, more=st.integers(1, 3), known=st.integers(0, 4),
          deleted=st.booleans(), branch=st.integers(0, 2), alone=st.booleans())  # fmt: skip
    def replica(
        self, id: str, body: dict[str, Any], pick: int, more: int, known: int, deleted: bool, branch: int, alone: bool
    ) -> None:
        """A revision from elsewhere: on top of one of ours or of theirs, or of nothing, with some of its history."""
        document = self.model.documents.get(id)
        bases: list[list[str]] = [[], *self.remote.get(id, [])]
        bases += [] if document is None else [document.history(rev) for rev in document.revisions]
        path = list(bases[pick % len(bases)])
        for _ in range(more):
            position = model_of.generation(path[0]) + 1 if path else 1
            path.insert(0, f"{position}-{digest(path[:1], branch)}")
        self.remote.setdefault(id, []).append(path)
        self._send_replica(id, path[: known + 1], Revision(None, deleted, self._body_of(path[0], body)), alone)

    @staticmethod
    def _body_of(rev: str, body: dict[str, Any]) -> dict[str, Any]:
        """The same revision is the same document wherever it comes from."""
        number = int(rev[-6:], 16)
        return {"n": number % 7, "k": KEYS[number % len(KEYS)], "g": "x"}

    def _send_replica(self, id: str, path: list[str], newest: Revision, alone: bool) -> None:
        known = self.model.documents.get(id)
        if known is not None and path[0] in known.revisions:
            newest = known.revisions[path[0]]
        start = model_of.generation(path[0])
        sent = {
            **(newest.body or {}), "_id": id, "_rev": path[0],
            "_revisions": {"start": start, "ids": [rev.partition("-")[2] for rev in path]},
            **({"_deleted": True} if newest.deleted else {}),
        }  # fmt: skip
        if alone:
            answer = self._put(f"{path_of(id)}?new_edits=false", sent)
            assert answer.status == (200 if newest.deleted else 201), answer.data
            assert answer.json()["rev"] == path[0]
        else:
            answer = self._post("_bulk_docs", {"docs": [sent], "new_edits": False})
            assert (answer.status, answer.json()) == (201, [])
        self.model.replicated(id, path, newest)

    @rule(id=ids, pick=picks, known=st.integers(0, 4), alone=st.booleans())
    def replica_again(self, id: str, pick: int, known: int, alone: bool) -> None:
        """What was sent before comes once more, perhaps with more of its history."""
        paths = self.remote.get(id, [])
        if not paths:
            return
        path = paths[pick % len(paths)][: known + 1]
        deleted = bool(int(path[0][-2:], 16) % 2)
        document = self.model.documents.get(id)
        if document is not None and path[0] in document.revisions:
            deleted = document.revisions[path[0]].deleted
        self._send_replica(id, path, Revision(None, deleted, self._body_of(path[0], {})), alone)

    @rule(
        id=ids,
        how=st.sampled_from(["current", "current", "nothing", "leaf", "stale"]),
        pick=picks,
        name=st.sampled_from(NAMES),
        data=st.binary(max_size=50),
        remove=st.booleans(),
    )
    def attachment(self, id: str, how: str, pick: int, name: str, data: bytes, remove: bool) -> None:
        document = self.model.documents.get(id)
        named = self._named(id, how, pick)
        where = f"/{self.name}/{path_of(id)}/{name}" + ("" if named is None else f"?rev={named}")
        kind = "text/plain" if name.endswith("txt") else "application/x-photo"
        leaf = None if document is None or named not in document.leaves() else document.revisions[str(named)]
        if remove:
            if leaf is None or name not in leaf.attachments or leaf.deleted:
                return
            answer = type(self).couch.delete(where)
            assert answer.status == 200, answer.data
            kept = {one: content for one, content in leaf.attachments.items() if one != name}
            self._edited(id, Revision(named, False, leaf.body, kept), answer.json())
            return
        answer = type(self).couch.put(where, raw=data, headers={"Content-Type": kind})
        if named is None and (document is None or document.deleted):
            parent = None if document is None else document.winner
            body, kept = {}, {}
        elif leaf is None:
            assert answer.status == 409, answer.data
            return
        else:
            parent, body, kept = named, leaf.body, dict(leaf.attachments)
        assert answer.status == 201, answer.data
        position = 1 if parent is None else model_of.generation(parent) + 1
        self._edited(id, Revision(parent, False, body, kept | {name: Content(kind, data, position)}), answer.json())

    @rule(id=st.sampled_from(LOCALS), n=numbers, remove=st.booleans())
    def local(self, id: str, n: int, remove: bool) -> None:
        known = self.model.local.get(id)
        rev = {} if known is None else {"_rev": f"0-{known[0]}"}
        if remove:
            answer = type(self).couch.delete(f"/{self.name}/{id}" + (f"?rev=0-{known[0]}" if known else ""))
            assert answer.status == (404 if known is None else 200)
            self.model.local.pop(id, None)
        else:
            answer = self._put(id, {"n": n, **rev})
            number = 1 if known is None else known[0] + 1
            assert (answer.status, answer.json()["rev"]) == (201, f"0-{number}")
            self.model.local[id] = (number, {"n": n})
        found = self._get(id)
        if id in self.model.local:
            number, body = self.model.local[id]
            assert found.json() == {"_id": id, "_rev": f"0-{number}", **body}
        else:
            assert found.status == 404

    # --- looking after it

    @rule()
    def compact(self) -> None:
        assert self._post("_compact", {}).status == 202
        while type(self).couch.get(f"/{self.name}").json()["compact_running"]:
            pass
        for document in self.model.documents.values():
            document.compact()

    @rule(id=ids, picked=st.lists(picks, min_size=1, max_size=2))
    def purge(self, id: str, picked: list[int]) -> None:
        document = self.model.documents.get(id)
        among = [f"1-{digest('nobody')}"] if document is None else list(document.revisions)
        revs = list(dict.fromkeys(among[pick % len(among)] for pick in picked))
        answer = self._post("_purge", {id: revs})
        assert answer.status == 201, answer.data
        gone = self.model.purged(id, revs)
        assert sorted(answer.json()["purged"][id]) == sorted(gone)

    @rule(limit=st.sampled_from([1, 2, 3, 1000]))
    def revs_limit(self, limit: int) -> None:
        assert self._put("_revs_limit", raw=str(limit).encode()).status == 200
        assert self._get("_revs_limit").json() == limit
        self.model.revs_limit = limit

    @precondition(lambda self: self.server is not None and self.ended < 2)
    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        server = type(self).server
        assert server is not None
        self.ended += 1
        if killed:
            server.kill()
        else:
            server.stop()
        type(self).couch = server.start()
        self._compare_all()

    @precondition(lambda self: self.copies < 1)
    @rule()
    def replicate(self) -> None:
        """Into a new database, which then has every leaf, its history and its attachments."""
        couch, name = type(self).couch, self.name
        self.copies += 1
        copy = couch.database()
        account = {"auth": {"basic": dict(zip(("username", "password"), couch.admin, strict=True))}}
        source, target = ({"url": f"{couch.url}/{one}", **account} for one in (name, copy))
        answer = couch.post("/_replicate", {"source": source, "target": target}, timeout=120)
        assert answer.status == 200, answer.data
        self.name = copy
        try:
            for id in self.model.documents:
                self._compare_document(id, old_bodies=False)
        finally:
            self.name = name
            couch.delete(f"/{copy}")
