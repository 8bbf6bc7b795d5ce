"""CouchDB 3.5's replicator pulls from the store and pushes to it, and loses nothing on the way."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from couchdb_replicator import Attached, Counts, Database, Fetched, fetched, mixed_parts, path_of, replicate

IDS = ["a/b", "ü", "with space", "a+b", "100%", "%2F", "c?d&e=f", "#h", '"quoted"', "🚜", "x:y", "å/ö+ü ", "l" * 300]
NAMES = ["photo 1.jpg", "a/b.txt", 'say "cheese".jpg', "back\\slash", "ü.txt", "a+b", "100%"]
LARGE = random.Random(3).randbytes(3_000_000)


@pytest.fixture
def ends(couch: Any) -> Iterator[tuple[Database, Database]]:
    """Two databases as the replicator reaches them."""
    with ExitStack() as opened:

        def end() -> Database:
            name = couch.database()
            opened.callback(couch.delete, f"/{name}")
            database = Database(couch.url, name, couch.admin)
            opened.callback(database.close)
            return database

        yield end(), end()


def replica(id: str, rev: str, *parents: str, **members: Any) -> dict[str, Any]:
    start, _, digest = rev.partition("-")
    history = {"start": int(start), "ids": [digest, *parents]}
    return {"_id": id, "_rev": rev, "_revisions": history, **members}


def write(database: Database, *documents: dict[str, Any]) -> None:
    told = database.ask("POST", "_bulk_docs", body={"docs": list(documents), "new_edits": False})
    assert (told.status, told.json()) == (201, [])


def leaves(database: Database) -> dict[str, list[str]]:
    rows = database.changes(0)
    return {row["id"]: sorted(one["rev"] for one in row["changes"]) for row in rows}


def content(database: Database) -> dict[tuple[str, str], Fetched]:
    """Every leaf with its history and its attachments."""
    found = {}
    for id, revs in leaves(database).items():
        for rev in revs:
            one = database.open_revision(id, rev, [])
            assert one is not None
            found[id, rev] = one
    return found


@pytest.mark.parametrize("by_bulk", [True, False], ids=["by bulk", "one by one"])
def test_every_leaf_goes_over_as_it_is(ends: tuple[Database, Database], by_bulk: bool) -> None:
    source, target = ends
    write(
        source,
        *(replica(id, "1-a", number=number) for number, id in enumerate(IDS)),
        replica("conflict", "2-b", "a", v="b"),
        replica("conflict", "2-c", "a", v="c"),
        replica("conflict", "3-e", "d", "a", _deleted=True, why="merged"),
        replica("gone", "2-b", "a", _deleted=True, type="machine", share="manufacturer"),
        replica("bare", "2-b", "a", _deleted=True),
        replica("long", "1200-b", *(f"{number:x}" for number in range(900)), v=1),
        replica("_design/parts", "1-a", views={"all": {"map": "function (doc) { emit(doc._id); }"}}),
        replica("_design/ü x", "1-a", language="javascript"),
    )
    counts = replicate(source, target, by_bulk=by_bulk)

    assert counts.read == counts.written == len(IDS) + 8
    assert counts.refused == []
    assert content(target) == content(source)
    assert source.pending(source.changes(0)[-1]["seq"]) == 0
    assert replicate(source, target, by_bulk=by_bulk) == Counts()


def test_the_next_pass_begins_at_the_checkpoint(ends: tuple[Database, Database]) -> None:
    source, target = ends
    write(source, replica("a", "1-a", v=1), replica("b", "1-a", v=1))
    assert replicate(source, target).written == 2
    write(source, replica("a", "2-b", "a", v=2), replica("c", "1-a", v=1))

    assert replicate(source, target).written == 2
    assert len(source.checkpoint("_local/3f2a")["history"]) == 2
    assert replicate(target, source, id="back") == Counts()
    assert content(target) == content(source)


def test_a_missing_target_is_made(couch: Any, ends: tuple[Database, Database]) -> None:
    name = f"t{uuid.uuid4().hex}"
    made = Database(couch.url, name, couch.admin)
    write(ends[0], replica("a", "1-a"))
    try:
        assert replicate(ends[0], made, create=True).written == 1
        assert replicate(ends[0], made, create=True) == Counts()
    finally:
        made.close()
        couch.delete(f"/{name}")


@pytest.mark.parametrize(
    ("filter", "body", "expected"),
    [
        ({"filter": "_doc_ids"}, {"doc_ids": ["a/b", "tractor", "none"]}, {"a/b", "tractor"}),
        ({"filter": "_selector"}, {"selector": {"share": "manufacturer"}}, {"tractor", "gone"}),
        ({"filter": "d/kind", "kind": "a b&c"}, None, {"a/b"}),
    ],
)
def test_what_is_asked_for_goes_over_and_nothing_else(
    ends: tuple[Database, Database], filter: dict[str, str], body: Any, expected: set[str]
) -> None:
    source, target = ends
    function = "function (doc, request) { return doc.kind === request.query.kind; }"
    write(
        source,
        replica("a/b", "1-a", kind="a b&c"),
        replica("tractor", "1-a", share="manufacturer"),
        replica("gone", "2-b", "a", _deleted=True, share="manufacturer"),
        replica("bare", "2-b", "a", _deleted=True),
        replica("_design/d", "1-a", filters={"kind": function}),
    )
    replicate(source, target, filter=filter, body=body)
    assert set(leaves(target)) == expected


def put_attachment(database: Database, id: str, name: str, kind: str, raw: bytes, rev: str = "", **more: str) -> str:
    path = f"{path_of(id)}/{path_of(name)}"
    answer = database.ask("PUT", path, {"rev": rev} if rev else {}, raw, Content_Type=kind, **more)
    assert answer.status == 201, answer.body
    return str(answer.json()["rev"])


def test_attachments_go_over_byte_by_byte_in_the_form_they_are_kept(ends: tuple[Database, Database]) -> None:
    source, target = ends
    contents = {name: name.encode() * (number + 1) for number, name in enumerate(NAMES)}
    rev = ""
    for name, raw in contents.items():
        rev = put_attachment(source, "many/of them", name, "image/x" if len(name) > 7 else "text/plain", raw, rev)
    put_attachment(source, "large", "photo", "image/jpeg", LARGE)
    put_attachment(source, "large text", "log", "text/plain", b"a line of many\n" * 200_000)
    packed = gzip.compress(b"packed before it came")
    put_attachment(source, "packed", "image", "image/x", packed, Content_Encoding="gzip")
    put_attachment(source, "empty", "nothing", "image/x", b"")
    counts = replicate(source, target)

    assert (counts.written, counts.refused) == (5, [])
    there, here = content(target), content(source)
    assert there == here
    (image,) = next(one for (id, _), one in there.items() if id == "packed").attached
    assert image.told["encoding"] == "gzip"
    assert image.content == packed
    for name, raw in contents.items():
        answer = target.ask("GET", f"many%2Fof%20them/{path_of(name)}", Accept_Encoding="identity")
        assert answer.body == raw


def test_only_attachments_the_target_lacks_are_sent_again(ends: tuple[Database, Database]) -> None:
    source, target = ends
    rev = put_attachment(source, "a", "photo", "image/x", LARGE[:5000])
    replicate(source, target)
    put_attachment(source, "a", "note", "image/x", b"short", rev)
    [(id, missing)] = [(id, rev) for id, rev in target.missing(leaves(source))]
    newer = source.open_revision(id, missing, [rev])

    assert newer is not None
    assert {one.name: one.content for one in newer.attached} == {"photo": None, "note": b"short"}
    assert replicate(source, target).written == 1
    assert content(target) == content(source)


def test_a_bulk_of_documents_with_attachments_brings_stubs(ends: tuple[Database, Database]) -> None:
    """It reads those documents by themselves; what it then throws away should be small."""
    rev = put_attachment(ends[0], "a", "photo", "image/x", LARGE[:5000])
    query = {"latest": "true", "revs": "true", "attachments": "false"}
    body = {"docs": [{"id": "a", "rev": rev, "atts_since": []}]}
    [result] = ends[0].ask("POST", "_bulk_get", query, body).json()["results"]
    assert result["docs"][0]["ok"]["_attachments"]["photo"]["stub"] is True
    assert ends[0].bulk_get({("a", rev): []}) == {}


def test_a_bulk_says_for_each_document_which_attachments_are_there_already(ends: tuple[Database, Database]) -> None:
    first = put_attachment(ends[0], "a", "photo", "image/x", LARGE[:5000])
    second = put_attachment(ends[0], "a", "note", "image/x", b"short", first)
    body = {"docs": [{"id": "a", "rev": second, "atts_since": [first]}, {"id": "a", "rev": second, "atts_since": [1]}]}
    found, bad = ends[0].ask("POST", "_bulk_get", body=body).json()["results"]
    told = found["docs"][0]["ok"]["_attachments"]
    assert (told["photo"]["stub"], told["note"]["data"]) == (True, base64.b64encode(b"short").decode())
    assert bad["docs"][0]["error"]["error"] == "bad_request"
    answer = ends[0].ask("POST", "_bulk_get", body=body, Accept="multipart/mixed")
    answer.body = answer.body.removesuffix(b"\r\n")  # CouchDB ends this one with a line; its replicator asks for JSON
    (headers, part), (refused, _) = mixed_parts(answer)
    one = fetched(headers["content-type"], part)
    assert {one.name: one.content for one in one.attached} == {"photo": None, "note": b"short"}
    assert refused["content-type"] == 'application/json; error="true"'


def test_a_client_that_takes_json_gets_no_parts(ends: tuple[Database, Database]) -> None:
    answer = ends[0].ask("POST", "_bulk_get", body={"docs": []}, Accept="multipart/mixed, application/json")
    assert answer.json() == {"results": []}


def test_a_revision_that_is_not_there_is_told_as_missing(ends: tuple[Database, Database]) -> None:
    write(ends[0], replica("a", "1-a"))
    assert ends[0].open_revision("a", "2-b", []) is None
    assert ends[0].open_revision("unknown/ü", "2-b", []) is None
    assert ends[0].bulk_get({("a", "2-b"): [], ("unknown", "1-a"): ["1-b"]}) == {}


def test_it_signs_in_again_when_its_cookie_has_ended(couch: Any, ends: tuple[Database, Database]) -> None:
    source, target = ends
    write(source, *(replica(f"d{number}", "1-a") for number in range(3)))
    name, path = f"u{uuid.uuid4().hex}", target.ask("GET").json()["db_name"]
    user = {"name": name, "password": "a b+c&ü", "roles": [], "type": "user"}
    rev = couch.put(f"/_users/org.couchdb.user:{name}", user).json()["rev"]
    couch.put(f"/{path}/_security", {"members": {"names": [name]}})
    as_user = Database(couch.url, path, (name, "a b+c&ü"))
    try:
        assert replicate(source, as_user).written == 3
        # A new record ends every session of the user, as time does.
        rev = couch.put(f"/_users/org.couchdb.user:{name}", user | {"_rev": rev}).json()["rev"]
        write(source, replica("d4", "1-a"))
        assert replicate(source, as_user).written == 1
        # CouchDB remembers an account for a moment, and the cookie may be good for as long.
        assert as_user.sign_ins == 2 or not couch.is_embedded
        assert leaves(target) == leaves(source)
    finally:
        as_user.close()
        couch.delete(f"/_users/org.couchdb.user:{name}?rev={rev}")


def test_a_wrong_password_is_told_so_that_it_does_not_try_another_way(couch: Any) -> None:
    form = b"name=nobody&password=wrong"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = couch.post("/_session", raw=form, headers=kind, auth=None)
    assert answer.status == 401
    assert "WWW-Authenticate" not in answer.headers


def test_documents_that_are_refused_are_counted_and_the_others_are_written(ends: tuple[Database, Database]) -> None:
    source, target = ends
    function = "function (doc) { if (doc.refuse) { throw({forbidden: 'no'}); } }"
    write(target, replica("_design/rules", "1-a", validate_doc_update=function))
    write(source, replica("bad", "1-a", refuse=True), replica("good", "1-a"), replica("worse", "1-a", refuse=True))
    rev = put_attachment(source, "with photo", "photo", "image/x", b"photo")
    document = source.ask("GET", "with%20photo").json() | {"refuse": True}
    assert source.ask("PUT", "with%20photo", {"rev": rev}, document).status == 201
    counts = replicate(source, target)

    assert sorted(counts.refused) == [(id, "forbidden") for id in ("bad", "with photo", "worse")]
    assert counts.written == 1
    assert set(leaves(target)) == {"_design/rules", "good"}


def test_a_document_that_is_too_large_does_not_keep_the_others(ends: tuple[Database, Database]) -> None:
    counts = Counts()
    large = replica("large", "1-a", text="x" * 8_000_001)
    ends[1].save_bulk([replica("a", "1-a"), large, replica("b", "1-a")], counts)
    assert counts == Counts(written=2, refused=[("large", "too large")])
    assert set(leaves(ends[1])) == {"a", "b"}


def attached(name: str, raw: bytes, **told: Any) -> Attached:
    digest = "md5-" + base64.b64encode(hashlib.md5(raw).digest()).decode()
    known = {"content_type": "image/x", "revpos": 1, "digest": digest, "length": len(raw), "follows": True}
    return Attached(name, known | told, raw)


def save(database: Database, document: dict[str, Any], *following: Attached) -> Counts:
    counts = Counts()
    document["_attachments"] = {one.name: one.told for one in following}
    database.save_one(Fetched(document, list(following)), counts)
    return counts


def test_what_was_written_before_its_answer_was_lost_may_be_written_again(ends: tuple[Database, Database]) -> None:
    source, target = ends
    put_attachment(source, "a", "photo", "image/x", LARGE[:5000])
    write(source, replica("_design/parts", "1-a", views={}))
    put_attachment(source, "_design/parts", "logo 1.svg", "image/svg+xml", b"<svg/>", "1-a")
    assert replicate(source, target).written == 2
    counts = Counts()
    for one in content(source).values():
        target.save_one(one, counts)
    assert counts == Counts(written=2)
    assert content(target) == content(source)


def test_an_attachment_name_that_is_not_allowed_is_refused_in_words_it_knows(ends: tuple[Database, Database]) -> None:
    assert save(ends[1], replica("a", "1-a"), attached("_photo", b"x")).refused == [("a", "bad_request")]


def test_a_stub_of_what_is_not_there_is_refused_so_that_it_is_sent_whole(ends: tuple[Database, Database]) -> None:
    stub = {"content_type": "image/x", "revpos": 1, "digest": "md5-AAAAAAAAAAAAAAAAAAAAAA==", "length": 5, "stub": True}
    document = replica("a", "2-b", "a", _attachments={"photo": stub})
    answer = ends[1].ask("PUT", "a", {"new_edits": "false"}, document)
    assert (answer.status, answer.json()["error"]) == (412, "missing_stub")


def test_a_content_that_was_damaged_on_the_way_is_refused(couch: Any, ends: tuple[Database, Database]) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB refuses it too; how it says so nobody has recorded.")
    one = attached("photo", b"photo")
    one.content = b"phoTo"
    with pytest.raises(AssertionError, match="content_md5_mismatch"):
        save(ends[1], replica("a", "1-a"), one)
    assert leaves(ends[1]) == {}


def test_a_continuous_feed_ends_by_itself_and_goes_on_from_there(ends: tuple[Database, Database]) -> None:
    source = ends[0]
    write(source, replica("a", "1-a"), replica("b", "1-a"))
    query = {"feed": "continuous", "style": "all_docs", "since": "0", "timeout": "200"}
    lines = source.ask_lines("_changes", query)
    *rows, last = [json.loads(line) for line in lines if line.strip()]
    assert {row["id"] for row in rows} == {"a", "b"}
    write(source, replica("c", "1-a"))
    again = source.ask_lines("_changes", query | {"since": json.dumps(last["last_seq"])})
    assert json.loads(again[0])["id"] == "c"
