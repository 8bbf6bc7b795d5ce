"""The requests of the replication protocol, one by one, as CouchDB 3.5's replicator sends them to a peer.

Source: the protocol as CouchDB's documentation describes it, with the paths (slashes at the end), query parameters and
headers of `couch_replicator_api_wrap` and the cookie of `couch_replicator_auth_session`.
"""

from __future__ import annotations

import email.parser
import email.policy
import gzip
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

CHANGES = "_changes?feed=normal&style=all_docs&since={since}&timeout=10000"
OPEN = "revs=true&latest=true&attachments=true&open_revs={revs}"
PHOTO = bytes(range(256)) * 40


class Peer:
    """A database as a replicator reaches it: signed in by the cookie of `_session`, asked with its headers."""

    def __init__(self, couch: Any, path: str) -> None:
        self._couch = couch
        self._path = path
        name, password = couch.admin
        signed_in = couch.post(
            "/_session",
            raw=urlencode({"name": name, "password": password}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            auth=None,
        )
        assert signed_in.status == 200
        assert "Max-Age" in signed_in.headers["Set-Cookie"] or not couch.is_embedded
        self._cookie = signed_in.headers["Set-Cookie"].partition(";")[0]

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        sent = {"Accept": "application/json", "User-Agent": "CouchDB-Replicator/3.5.0", "Cookie": self._cookie}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._couch.request(method, f"{self._path}/{path}", body, raw=raw, headers=sent, auth=None)


def parts(answer: Any) -> list[tuple[str, bytes]]:
    """The parts of a multipart answer, with those inside of them: (content type, content)."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + answer.data)
    return [
        (part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in message.walk()
        if not part.is_multipart()
    ]


@pytest.fixture
def source(couch: Any, db: str) -> Peer:
    """A conflict with a deleted leaf, a document with a photo, a tombstone with fields, a design document."""
    replicas = [
        {"_id": "c", "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "v": "b"},
        {"_id": "c", "_rev": "2-c", "_revisions": {"start": 2, "ids": ["c", "a"]}, "v": "c"},
        {"_id": "c", "_rev": "3-e", "_revisions": {"start": 3, "ids": ["e", "d", "a"]}, "_deleted": True},
        {"_id": "gone/ü", "_rev": "1-a", "_deleted": True, "why": "sold"},
        {"_id": "_design/d", "_rev": "1-d", "views": {}},
    ]
    assert couch.post(f"{db}/_bulk_docs", {"docs": replicas, "new_edits": False}).status == 201
    couch.put(f"{db}/p/photo%201", raw=PHOTO, headers={"Content-Type": "image/x-raw"})
    return Peer(couch, db)


def test_a_replicator_finds_its_way_to_every_leaf(source: Peer) -> None:
    assert source.ask("HEAD", "").status == 200
    assert source.ask("GET", "").json()["instance_start_time"] == "0"
    assert source.ask("GET", "_local/checkpoint").status == 404
    first = source.ask("GET", CHANGES.format(since=0) + "&limit=2").json()
    rest = source.ask("GET", CHANGES.format(since=quote(str(first["last_seq"])))).json()
    leaves = {row["id"]: sorted(one["rev"] for one in row["changes"]) for row in [*first["results"], *rest["results"]]}

    assert leaves["c"] == ["2-b", "2-c", "3-e"]
    assert set(leaves) == {"c", "gone/ü", "_design/d", "p"}
    assert rest["pending"] == 0
    again = source.ask("GET", CHANGES.format(since=quote(str(rest["last_seq"])))).json()
    assert again["results"] == []


def test_a_replicator_reads_documents_by_the_batch(source: Peer) -> None:
    (photo,) = [row for row in source.ask("GET", CHANGES.format(since=0)).json()["results"] if row["id"] == "p"]
    asked = {"docs": [{"id": "c", "rev": rev} for rev in ("2-b", "2-c", "3-e")]}
    asked["docs"] += [{"id": "gone/ü", "rev": "1-a"}, {"id": "p", "rev": photo["changes"][0]["rev"]}]
    answer = source.ask("POST", "_bulk_get?latest=true&revs=true&attachments=true", asked)
    found = {}
    for result in answer.json()["results"]:
        for one in result["docs"]:
            found[one["ok"]["_id"], one["ok"]["_rev"]] = one["ok"]

    assert [found["c", rev].get("v") for rev in ("2-b", "2-c", "3-e")] == ["b", "c", None]
    assert found["c", "3-e"]["_revisions"] == {"start": 3, "ids": ["e", "d", "a"]}
    assert found["gone/ü", "1-a"]["why"] == "sold"
    (with_photo,) = [one for (id, _), one in found.items() if id == "p"]
    assert set(with_photo["_attachments"]["photo 1"]) >= {"data", "digest", "revpos", "content_type"}


def test_a_replicator_reads_a_document_with_its_attachments_as_parts(source: Peer) -> None:
    revs = quote(json.dumps([source.ask("GET", "p").json()["_rev"]]))
    answer = source.ask("GET", "p?" + OPEN.format(revs=revs), Accept="multipart/mixed")
    (_, document), (kind, content) = parts(answer)

    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")
    stub = json.loads(document)["_attachments"]["photo 1"]
    assert (stub["follows"], stub["length"], stub["revpos"]) == (True, len(PHOTO), 1)
    assert content == PHOTO
    assert kind == "image/x-raw"
    missing = source.ask("GET", "p?" + OPEN.format(revs=quote('["9-x"]')), Accept="multipart/mixed")
    assert b'"missing":"9-x"' in missing.data


def test_a_replicator_writes_what_the_target_lacks(couch: Any, db: str) -> None:
    target = Peer(couch, db)
    differ = target.ask("POST", "_revs_diff", {"c": ["2-b", "3-e"], "p": ["1-p"]}).json()
    assert differ == {"c": {"missing": ["2-b", "3-e"]}, "p": {"missing": ["1-p"]}}
    docs = [
        {"_id": "c", "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "v": "b"},
        {"_id": "c", "_rev": "3-e", "_revisions": {"start": 3, "ids": ["e", "d", "a"]}, "_deleted": True},
    ]
    packed = gzip.compress(json.dumps({"new_edits": False, "docs": docs}).encode())
    told = target.ask(
        "POST", "_bulk_docs", raw=packed, Content_Type="application/json", Content_Encoding="gzip",
        X_Couch_Full_Commit="false",
    )  # fmt: skip
    stub = {"content_type": "image/x-raw", "revpos": 1, "follows": True, "length": len(PHOTO)}
    document = {"_id": "p", "_rev": "1-p", "_revisions": {"start": 1, "ids": ["p"]}, "_attachments": {"f": stub}}
    body = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(document).encode()
    body += b'\r\n--b\r\nContent-Disposition: attachment; filename="f"\r\nContent-Type: image/x-raw\r\n'
    body += b"Content-Length: %d\r\n\r\n" % len(PHOTO) + PHOTO + b"\r\n--b--"
    put = target.ask("PUT", "p?new_edits=false", raw=body, Content_Type='multipart/related; boundary="b"')
    checkpoint = {"_id": "_local/checkpoint", "history": [], "session_id": "s", "source_last_seq": "5-x"}
    first = target.ask("PUT", "_local/checkpoint", checkpoint).json()
    second = target.ask("PUT", "_local/checkpoint", checkpoint | {"_rev": first["rev"]}).json()

    assert (told.status, told.json()) == (201, [])
    assert (put.status, put.json()["rev"]) == (201, "1-p")
    assert (first["rev"], second["rev"]) == ("0-1", "0-2")
    assert target.ask("POST", "_ensure_full_commit", Content_Type="application/json").json()["ok"] is True
    assert target.ask("POST", "_revs_diff", {"c": ["2-b", "3-e"], "p": ["1-p"]}).json() == {}
    assert couch.get(f"{db}/p/f").data == PHOTO
    assert couch.get(f"{db}/c?deleted_conflicts=true").json()["_deleted_conflicts"] == ["3-e"]
