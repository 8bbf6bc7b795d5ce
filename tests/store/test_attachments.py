"""Attachments: inside documents, beside them, by themselves."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from embedded import multipart

BINARY = bytes(range(256)) * 40


def test_an_attachment_comes_back_byte_for_byte(couch: Any, db: str) -> None:
    data = base64.b64encode(BINARY).decode()
    couch.put(f"{db}/a", {"_attachments": {"b.bin": {"content_type": "image/x", "data": data}}})

    alone = couch.get(f"{db}/a/b.bin")
    inside = couch.get(f"{db}/a?attachments=true", headers={"Accept": "application/json"}).json()["_attachments"][
        "b.bin"
    ]

    assert (alone.data, alone.headers["Content-Type"]) == (BINARY, "image/x")
    assert base64.b64decode(inside["data"]) == BINARY


def test_text_is_kept_compressed_and_read_as_it_was(couch: Any, db: str) -> None:
    text = ("all work and no play " * 500).encode()
    couch.put(f"{db}/a/t.txt", raw=text, headers={"Content-Type": "text/plain"})

    told = couch.get(f"{db}/a?att_encoding_info=true").json()["_attachments"]["t.txt"]
    assert told["length"] == len(text)
    assert told["encoding"] == "gzip"
    assert told["encoded_length"] < len(text) / 10
    assert couch.get(f"{db}/a/t.txt").data == text
    assert couch.get(f"{db}/a/t.txt", headers={"Accept-Encoding": "gzip"}).data == text


def test_a_stub_keeps_what_was_there_and_leaving_it_out_drops_it(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/a", {"_attachments": {"x": {"data": "eA=="}, "y": {"data": "eQ=="}}}).json()["rev"]
    rev = couch.put(f"{db}/a", {"_rev": rev, "n": 2, "_attachments": {"x": {"stub": True}}}).json()["rev"]

    assert couch.get(f"{db}/a/x").data == b"x"
    assert couch.get(f"{db}/a/y").status == 404
    assert couch.get(f"{db}/a").json()["_attachments"]["x"]["revpos"] == 1
    answer = couch.put(f"{db}/a", {"_rev": rev, "_attachments": {"never": {"stub": True}}})
    assert (answer.status, answer.json()["error"]) == (412, "missing_stub")


def test_part_of_an_attachment_can_be_asked_for(couch: Any, db: str) -> None:
    couch.put(f"{db}/a/b.bin", raw=BINARY, headers={"Content-Type": "application/octet-stream"})

    part = couch.get(f"{db}/a/b.bin", headers={"Range": "bytes=10-19"})
    assert (part.status, part.data) == (206, BINARY[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(BINARY)}"
    assert couch.get(f"{db}/a/b.bin", headers={"Range": "bytes=-5"}).data == BINARY[-5:]
    assert couch.get(f"{db}/a/b.bin", headers={"Range": f"bytes={len(BINARY)}-"}).status == 416


def test_an_attachment_is_put_and_deleted_under_the_documents_revision(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/a", {"keep": "me"}).json()["rev"]
    kind = {"Content-Type": "text/plain"}

    assert couch.put(f"{db}/a/n.txt", raw=b"1", headers=kind).status == 409
    rev = couch.put(f"{db}/a/n.txt?rev={rev}", raw=b"1", headers=kind).json()["rev"]
    assert couch.get(f"{db}/a").json()["keep"] == "me"
    assert couch.delete(f"{db}/a/n.txt?rev=1-x").status in (404, 409)
    assert couch.delete(f"{db}/a/n.txt?rev={rev}").status == 200
    found = couch.get(f"{db}/a").json()
    assert "_attachments" not in found
    assert found["keep"] == "me"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("id", ["mark", "none"])
def test_a_local_document_has_no_attachments_and_says_so(couch: Any, db: str, method: str, id: str) -> None:
    told = {"v": 1, "_attachments": {"t.txt": {"content_type": "text/plain", "data": "eA=="}}}
    assert couch.put(f"{db}/_local/mark", told).status == 201

    answer = couch.request(method, f"{db}/_local/{id}/t.txt", raw=b"x" if method == "PUT" else None)
    assert (answer.status, answer.json()["error"]) == (400, "bad_request")
    assert answer.json()["reason"] == "_local documents do not accept attachments."
    assert couch.get(f"{db}/_local/mark?attachments=true").json() == {"_id": "_local/mark", "_rev": "0-1", "v": 1}


def test_names_of_any_kind_are_kept(couch: Any, db: str) -> None:
    for name in ("ü ñ.txt", "a/b/c.png", "x+y", "100%"):
        document = f"{db}/{quote(name, safe='')}"
        assert couch.put(f"{document}/{quote(name)}", raw=b"z", headers={"Content-Type": "a/b"}).status == 201, name
        assert list(couch.get(document).json()["_attachments"]) == [name]
        assert couch.get(f"{document}/{quote(name, safe='/')}").data == b"z"


def test_a_document_and_its_attachments_come_in_one_multipart_body(couch: Any, db: str) -> None:
    document = {
        "n": 1,
        "_attachments": {
            "one": {"follows": True, "content_type": "x/one", "length": 3},
            "two": {"follows": True, "content_type": "x/two", "length": len(BINARY)},
        },
    }
    parts: list[tuple[dict[str, str], list[bytes]]] = [
        ({"Content-Type": "application/json"}, [json.dumps(document).encode()]),
        ({"Content-Disposition": 'attachment; filename="two"'}, [BINARY]),
        ({"Content-Disposition": 'attachment; filename="one"'}, [b"abc"]),
    ]
    body = b"".join(multipart.join("frontier", parts)).lstrip()
    kind = {"Content-Type": 'multipart/related; boundary="frontier"'}

    assert couch.put(f"{db}/a", raw=body, headers=kind).status == 201
    assert couch.get(f"{db}/a/two").data == BINARY
    assert couch.get(f"{db}/a/one").data == b"abc"
    answer = couch.get(f"{db}/a?attachments=true", headers={"Accept": "multipart/related"})
    back = multipart.parse(answer.data, multipart.boundary_of(answer.headers["Content-Type"]))
    assert json.loads(back[0].body)["n"] == 1
    assert {part.file_names()[0]: part.body for part in back[1:]} == {"one": b"abc", "two": BINARY}


@pytest.mark.parametrize("end", [b"", b"\r\n--frontier", b"\r\n--other--"])
def test_a_multipart_body_that_breaks_off_writes_nothing(couch: Any, db: str, end: bytes) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB waits for the rest")
    body = b'--frontier\r\nContent-Type: application/json\r\n\r\n{"a":1}' + end
    kind = {"Content-Type": 'multipart/related; boundary="frontier"'}

    assert couch.put(f"{db}/a", raw=body, headers=kind).status == 400
    assert couch.get(f"{db}/a").status == 404


def test_replicas_bring_their_attachments_with_them(couch: Any, db: str) -> None:
    replica = {
        "_id": "a",
        "_rev": "3-c",
        "_revisions": {"start": 3, "ids": ["c", "b", "a"]},
        "_attachments": {"x": {"data": "eA==", "revpos": 2, "content_type": "a/b"}},
    }
    newer = {
        "_id": "a",
        "_rev": "4-d",
        "_revisions": {"start": 4, "ids": ["d", "c", "b", "a"]},
        "_attachments": {"x": {"stub": True, "revpos": 2}},
    }
    assert couch.post(f"{db}/_bulk_docs", {"new_edits": False, "docs": [replica, newer]}).json() == []

    found = couch.get(f"{db}/a").json()
    assert (found["_rev"], found["_attachments"]["x"]["revpos"]) == ("4-d", 2)
    assert couch.get(f"{db}/a/x").data == b"x"


LARGE = 3_000_000


@pytest.mark.parametrize("kind", ["image/jpeg", "text/plain"])
def test_a_large_content_comes_back_whole_in_parts_and_by_every_way(couch: Any, db: str, kind: str) -> None:
    content = random.Random(5).randbytes(LARGE // 2) + b"the same again " * (LARGE // 30)
    put = couch.put(f"{db}/a/large", raw=content, headers={"Content-Type": kind})
    assert put.status == 201
    assert couch.get(f"{db}/a/large").data == content
    stub = couch.get(f"{db}/a").json()["_attachments"]["large"]
    assert stub["length"] == len(content)
    found = couch.get(f"{db}/a/large", headers={"Accept-Encoding": "identity"})
    assert (found.data, found.headers["Content-Length"]) == (content, str(len(content)))
    if kind == "image/jpeg":
        assert stub["digest"] == "md5-" + base64.b64encode(hashlib.md5(content).digest()).decode()
        for first, last in ((0, 9), (262_140, 262_150), (LARGE // 2, 2_000_000)):
            part = couch.get(f"{db}/a/large", headers={"Range": f"bytes={first}-{last}"})
            assert (part.status, part.data) == (206, content[first : last + 1])
    inline = couch.get(f"{db}/a?attachments=true").json()["_attachments"]["large"]["data"]
    assert base64.b64decode(inline) == content
    answer = couch.get(f"{db}/a?attachments=true", headers={"Accept": "multipart/related"})
    boundary = multipart.boundary_of(answer.headers["Content-Type"])
    [_, part] = multipart.parse(answer.data, boundary)
    assert (gzip.decompress(part.body) if part.headers.get("content-encoding") == "gzip" else part.body) == content


def test_a_large_content_is_the_same_revision_however_it_comes(couch: Any, db: str) -> None:
    content = b"a line of many\n" * 200_000
    first = couch.put(f"{db}/a/f.txt", raw=content, headers={"Content-Type": "text/plain"}).json()["rev"]
    told = {"f.txt": {"content_type": "text/plain", "data": base64.b64encode(content).decode()}}
    second = couch.put(f"{db}/b", {"_attachments": told}).json()["rev"]
    assert first == second
    packed = gzip.compress(content)
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    assert couch.put(f"{db}/c/f.txt", raw=packed, headers=headers).status == 201
    assert couch.get(f"{db}/c/f.txt").data == content


def test_compaction_forgets_a_large_content_nobody_has_any_more(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/a/f", raw=bytes(LARGE), headers={"Content-Type": "image/x"}).json()["rev"]
    full = couch.get(db).json()["sizes"]["file"]
    couch.delete(f"{db}/a?rev={rev}")
    couch.post(f"{db}/_compact", {})
    while couch.get(db).json()["compact_running"]:
        pass
    assert couch.get(db).json()["sizes"]["file"] < full - LARGE // 2 or not couch.is_embedded
