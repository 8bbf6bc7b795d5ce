"""A database and the model of it, asked the same things. What is done to them is in `store_machine`."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

import store_model as model_of
from couch_requests import Answer, Couch
from forked_stores import StoreOnFolder
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from store_model import Document, Model, Revision, collated

IDS = ["a", "b", "B", "c:1", "d/e", "ü"]
LOCALS = ["_local/one", "_local/two"]
KEYS = [None, False, True, -1, 0, 1, 2.5, "a", "A", "aa", "aB", "b", [], [0], ["a", 1], {}, {"x": 1}]
NAMES = ["photo.bin", "note.txt"]

ids = st.sampled_from(IDS)
keys = st.sampled_from(KEYS)
numbers = st.integers(-2, 5)
picks = st.integers(0, 1000)
bodies = st.fixed_dictionaries(
    {"n": numbers},
    optional={
        "k": keys,
        "g": st.sampled_from(["x", "y", None]),
        "tags": st.lists(st.sampled_from(["p", "q"]), max_size=3),
    },
)
hows = st.sampled_from(["current", "current", "current", "nothing", "leaf", "stale", "invented"])
bounds = st.one_of(st.just(...), keys)


def path_of(id: str) -> str:
    return id if id.startswith("_local/") else quote(id, safe="")


def digest(*parts: Any) -> str:
    return hashlib.md5(repr(parts).encode(), usedforsecurity=False).hexdigest()


class AskingMachine(RuleBasedStateMachine):
    """`server` is set by the test: what gives the address of the store now, and whether it may be ended."""

    server: StoreOnFolder | None = None
    couch: Couch

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.since: list[tuple[int, str]] = []
        self.remote: dict[str, list[list[str]]] = {}
        self.ended = 0
        self.copies = 0

    @initialize()
    def create(self) -> None:
        couch = type(self).couch
        self.name = couch.database() if couch.is_embedded else self._database_of_one_shard(couch)
        rev = self._put("_design/d", model_of.DESIGN).json()["rev"]
        self.model.edited("_design/d", None, rev, Revision(None, body=model_of.DESIGN))
        for fields in (["n"], ["g", "n"]):
            index = {"index": {"fields": fields}, "ddoc": "find-" + "-".join(fields), "name": "one", "type": "json"}
            assert self._post("_index", index).status == 200
            id = f"_design/{index['ddoc']}"
            found = self._get(id).json()
            body = {name: value for name, value in found.items() if name not in ("_id", "_rev")}
            self.model.edited(id, None, found["_rev"], Revision(None, body=body))
        self._remember_sequence()

    @staticmethod
    def _database_of_one_shard(couch: Couch) -> str:
        """Changes of different shards come in no order."""
        name = couch.database()
        couch.delete(f"/{name}")
        assert couch.put(f"/{name}?q=1").status in (201, 202)
        return name

    # --- requests

    def _get(self, path: str, **options: Any) -> Answer:
        answer: Answer = type(self).couch.get(f"/{self.name}/{path}", **options)
        return answer

    def _put(self, path: str, body: Any = None, **options: Any) -> Answer:
        answer: Answer = type(self).couch.put(f"/{self.name}/{path}", body, **options)
        return answer

    def _post(self, path: str, body: Any = None, **options: Any) -> Answer:
        answer: Answer = type(self).couch.post(f"/{self.name}/{path}", body, **options)
        return answer

    def _remember_sequence(self) -> None:
        told = type(self).couch.get(f"/{self.name}").json()
        self.since.append((self.model.changes, told["update_seq"]))

    # --- asking

    @rule(id=ids)
    def read(self, id: str) -> None:
        self._compare_document(id)

    @rule(low=st.one_of(st.just(...), ids), high=st.one_of(st.just(...), ids), descending=st.booleans(),
          inclusive=st.booleans(), documents=st.booleans(),
          limit=st.integers(0, 4), skip=st.integers(0, 2))  # fmt: skip
    def all_documents(
        self, low: Any, high: Any, descending: bool, inclusive: bool, documents: bool, limit: int, skip: int
    ) -> None:
        rows = [(one.id, one.winner, one.body) for one in self.model.live()]
        if descending:
            rows = [row for row in rows if (low is ... or row[0] <= low)]
            rows = [row for row in rows if high is ... or row[0] > high or (inclusive and row[0] == high)][::-1]
        else:
            rows = [row for row in rows if (low is ... or row[0] >= low)]
            rows = [row for row in rows if high is ... or row[0] < high or (inclusive and row[0] == high)]
        asked = self._parameters(startkey=low, endkey=high, descending=descending, inclusive_end=inclusive,
                                 include_docs=documents, limit=limit or ..., skip=skip)  # fmt: skip
        found = self._get(f"_all_docs?{asked}").json()
        assert found["total_rows"] == len(self.model.live())
        expected = rows[skip:][: limit or None]
        assert [(row["id"], row["value"]["rev"]) for row in found["rows"]] == [row[:2] for row in expected]
        if documents:
            assert [self._plain(row["doc"]) for row in found["rows"]] == [row[2] for row in expected]

    @rule(wanted=st.lists(ids, max_size=4))
    def all_documents_of_keys(self, wanted: list[str]) -> None:
        expected: list[Any] = []
        for id in wanted:
            document = self.model.documents.get(id)
            if document is None:
                expected.append({"key": id, "error": "not_found"})
            else:
                value = {"rev": document.winner} | ({"deleted": True} if document.deleted else {})
                expected.append({"id": id, "key": id, "value": value})
        assert self._post("_all_docs", {"keys": wanted}).json()["rows"] == expected

    @rule(pick=picks, leaves=st.booleans(), descending=st.booleans())
    def changes(self, pick: int, leaves: bool, descending: bool) -> None:
        after, since = self.since[pick % len(self.since)]
        if descending:
            after, since = 0, "0"
        expected = []
        for id, number in self.model.changed.items():
            if number > after:
                document = self.model.documents[id]
                revs = document.leaves() if leaves else [document.winner]
                expected.append((id, revs, document.deleted))
        asked = f"_changes?since={since}&descending={str(descending).lower()}" + ("&style=all_docs" if leaves else "")
        found = self._get(asked).json()
        told = [
            (row["id"], [one["rev"] for one in row["changes"]], row.get("deleted", False)) for row in found["results"]
        ]
        assert told == (expected[::-1] if descending else expected)
        if not descending:
            self.since.append((self.model.changes, found["last_seq"]))

    @rule(view=st.sampled_from(["by_k", "by_group", "by_tag", "conflicted"]), low=bounds, high=bounds,
          descending=st.booleans(), inclusive=st.booleans(), documents=st.booleans(),
          limit=st.integers(0, 4), skip=st.integers(0, 2))  # fmt: skip
    def view_rows(
        self, view: str, low: Any, high: Any, descending: bool, inclusive: bool, documents: bool, limit: int, skip: int
    ) -> None:
        if low is not ... and high is not ... and (collated(low) > collated(high)) != descending:
            low, high = high, low  # CouchDB calls the other order an error
        all_rows = model_of.map_rows(self.model, view)
        if descending:
            rows = model_of.reverse(model_of.between(all_rows, high, low))
            rows = [row for row in rows if inclusive or high is ... or collated(row[0]) != collated(high)]
        else:
            rows = model_of.between(all_rows, low, high, inclusive=inclusive)
        asked = self._parameters(startkey=low, endkey=high, descending=descending, inclusive_end=inclusive,
                                 include_docs=documents, limit=limit or ..., skip=skip)  # fmt: skip
        reduce = "" if view == "conflicted" else "&reduce=false"
        answer = self._get(f"_design/d/_view/{view}?{asked}{reduce}")
        assert answer.status == 200, answer.data
        found = answer.json()
        assert found["total_rows"] == len(all_rows)
        expected = rows[skip:][: limit or None]
        assert [(row["key"], row["value"], row["id"]) for row in found["rows"]] == expected
        if documents:
            assert [row["doc"]["_rev"] for row in found["rows"]] == [
                self.model.documents[id].winner for _, _, id in expected
            ]

    @rule(view=st.sampled_from(["by_k", "by_tag"]), wanted=st.lists(keys, max_size=4), reduce=st.booleans())
    def view_rows_of_keys(self, view: str, wanted: list[Any], reduce: bool) -> None:
        rows = model_of.map_rows(self.model, view)
        expected: list[Any] = []
        for key in wanted:
            same = model_of.between(rows, key, key)
            if reduce:
                expected += [
                    list(group) for group in model_of.grouped(same, 99, "_sum" if view == "by_k" else "_count")
                ]
            else:
                expected += [list(row) for row in same]
        query = "group=true" if reduce else "reduce=false"
        found = self._post(f"_design/d/_view/{view}?{query}", {"keys": wanted}).json()["rows"]
        told = [[row["key"], row["value"]] + ([] if reduce else [row["id"]]) for row in found]
        assert told == expected

    @rule(view=st.sampled_from(["by_k", "by_group", "by_tag"]), level=st.integers(0, 3), low=bounds, high=bounds,
          descending=st.booleans())  # fmt: skip
    def reductions(self, view: str, level: int, low: Any, high: Any, descending: bool) -> None:
        if low is not ... and high is not ... and collated(low) > collated(high):
            low, high = high, low
        rows = model_of.between(model_of.map_rows(self.model, view), low, high)
        expected = model_of.grouped(rows, level, "_count" if view == "by_tag" else "_sum")
        if descending:
            expected.reverse()
            low, high = high, low
        asked = self._parameters(startkey=low, endkey=high, group_level=level, descending=descending)
        answer = self._get(f"_design/d/_view/{view}?{asked}")
        assert answer.status == 200, answer.data
        found = [(row["key"], row["value"]) for row in answer.json()["rows"]]
        if rows:
            assert found == expected
        else:
            assert [value for _, value in found] in ([], [0], [None])

    @rule(selector=st.sampled_from(["k", "n", "g and n", "tags", "no k", "or"]), key=keys, low=numbers, high=numbers)
    def find(self, selector: str, key: Any, low: int, high: int) -> None:
        asked, decide = _selectors(key, low, high)[selector]
        found = self._post("_find", {"selector": asked, "fields": ["_id"], "limit": 100}).json()["docs"]
        matching = [one for one in self.model.live() if not one.id.startswith("_design/") and decide(one.body)]
        assert sorted(one["_id"] for one in found) == [one.id for one in matching]

    @rule(low=numbers, descending=st.booleans(), limit=st.integers(1, 4), skip=st.integers(0, 2))
    def find_sorted(self, low: int, descending: bool, limit: int, skip: int) -> None:
        matching = [
            (one.body["n"], one.id)
            for one in self.model.live()
            if not one.id.startswith("_design/") and "n" in one.body and one.body["n"] >= low
        ]
        matching.sort(reverse=descending)
        sort = [{"n": "desc" if descending else "asc"}]
        asked = {"selector": {"n": {"$gte": low}}, "sort": sort, "fields": ["_id"], "limit": limit, "skip": skip}
        found = self._post("_find", asked).json()["docs"]
        assert [one["_id"] for one in found] == [id for _, id in matching][skip:][:limit]

    @rule(id=ids, pick=picks)
    def revs_diff(self, id: str, pick: int) -> None:
        invented = f"{pick % 5 + 1}-{digest('unheard of', pick)}"
        document = self.model.documents.get(id)
        known = [] if document is None else list(document.revisions)
        found = self._post("_revs_diff", {id: [*known, invented]}).json()
        assert found[id]["missing"] == [invented]
        older = [rev for rev in (document.leaves() if document else []) if model_of.generation(rev) <= pick % 5]
        assert sorted(found[id].get("possible_ancestors", [])) == sorted(older)

    # --- comparing

    def _parameters(self, **values: Any) -> str:
        given = {name: value for name, value in values.items() if value is not ...}
        return "&".join(f"{name}={quote(json.dumps(value))}" for name, value in given.items())

    @staticmethod
    def _plain(document: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in document.items() if not name.startswith("_")}

    def _compare_document(self, id: str, *, old_bodies: bool = True) -> None:
        """`old_bodies`: of revisions that are no leaves, too, which replication does not bring."""
        document = self.model.documents.get(id)
        path = path_of(id)
        answer = self._get(f"{path}?conflicts=true&deleted_conflicts=true&revs=true")
        if document is None or document.deleted:
            reason = "missing" if document is None else "deleted"
            assert (answer.status, answer.json()["reason"]) == (404, reason), answer.data
        else:
            found = answer.json()
            assert (found["_rev"], self._plain(found)) == (document.winner, document.body)
            others = document.leaves()[1:]
            live = [rev for rev in others if not document.revisions[rev].deleted]
            gone = [rev for rev in others if document.revisions[rev].deleted]
            assert (found.get("_conflicts", []), found.get("_deleted_conflicts", [])) == (live, gone)
        if document is not None:
            self._compare_leaves(path, document)
        if document is not None and old_bodies:
            self._compare_bodies(path, document)

    def _leaves(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get(
            f"{path}?open_revs=all&revs=true", headers={"Accept": "application/json"}
        ).json()
        return found

    def _compare_leaves(self, path: str, document: Document) -> None:
        found = {row["ok"]["_rev"]: row["ok"] for row in self._leaves(path)}
        assert set(found) == set(document.leaves())
        for rev, told in found.items():
            kept = document.revisions[rev]
            assert (self._plain(told), told.get("_deleted", False)) == (kept.body, kept.deleted)
            ids = [one.partition("-")[2] for one in document.history(rev)]
            assert told["_revisions"] == {"start": model_of.generation(rev), "ids": ids}
            stubs = told.get("_attachments", {})
            assert {name: (one["content_type"], one["length"], one["revpos"]) for name, one in stubs.items()} == {
                name: (one.content_type, len(one.data), one.revpos) for name, one in kept.attachments.items()
            }
            for name, one in kept.attachments.items():
                assert self._get(f"{path}/{name}?rev={rev}").data == one.data

    def _compare_bodies(self, path: str, document: Document) -> None:
        for rev, kept in document.revisions.items():
            answer = self._get(f"{path}?rev={rev}")
            if kept.body is None:
                assert answer.status == 404
            else:
                assert self._plain(answer.json()) == kept.body

    def _compare_all(self) -> None:
        told = type(self).couch.get(f"/{self.name}").json()
        live = len(self.model.live())
        assert (told["doc_count"], told["doc_del_count"]) == (live, len(self.model.documents) - live)
        for id in IDS:
            self._compare_document(id)
        self.all_documents(..., ..., False, True, True, 0, 0)
        self.changes(0, True, False)
        for view in ("by_k", "by_group", "by_tag", "conflicted"):
            self.view_rows(view, ..., ..., False, True, False, 0, 0)
        self.reductions("by_group", 1, ..., ..., False)
        self.find_sorted(-99, False, 100, 0)

    def teardown(self) -> None:
        if not hasattr(self, "name"):
            return
        try:
            self._compare_all()
        finally:
            type(self).couch.delete(f"/{self.name}")


def _selectors(key: Any, low: int, high: int) -> dict[str, tuple[dict[str, Any], Any]]:
    """Mango selectors and the same in Python."""

    def number(body: dict[str, Any]) -> bool:
        return "n" in body and low <= body["n"] < high

    return {
        "k": ({"k": {"$gte": key}}, lambda body: "k" in body and collated(body["k"]) >= collated(key)),
        "n": ({"n": {"$gte": low, "$lt": high}}, number),
        "g and n": ({"g": "x", "n": {"$in": [low, high]}},
                    lambda body: body.get("g") == "x" and body.get("n") in (low, high)),
        "tags": ({"tags": {"$elemMatch": {"$eq": "p"}}}, lambda body: "p" in body.get("tags", [])),
        "no k": ({"k": {"$exists": False}}, lambda body: "k" not in body),
        "or": ({"$or": [{"k": {"$eq": key}}, {"n": low}]},
               lambda body: ("k" in body and collated(body["k"]) == collated(key)) or body.get("n") == low),
    }  # fmt: skip
