"""How the store speaks HTTP, whatever is asked: connections, tags, kinds of content."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3


@pytest.fixture
def kept(couch: Any, db: str) -> str:
    """A database with a document, one with an attachment and a view."""
    view = {"map": "function (doc) { emit(doc._id, null); }"}
    documents = [
        {"_id": "a", "v": 1},
        {"_id": "b", "_attachments": {"f.txt": {"data": "aGVsbG8=", "content_type": "text/plain"}}},
        {"_id": "_design/d", "views": {"v": view}},
    ]
    couch.post(f"{db}/_bulk_docs", {"docs": documents})
    return db


@pytest.fixture
def connection(couch: Any) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(couch.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 5984, timeout=30)
    yield connection
    connection.close()


def test_one_connection_carries_many_requests_refused_ones_too(
    couch: Any, kept: str, connection: http.client.HTTPConnection
) -> None:
    headers = urllib3.make_headers(basic_auth=":".join(couch.admin)) | {"Content-Type": "application/json"}
    statuses = []
    for method, path, body in [
        ("GET", f"{kept}/a", None),
        ("PUT", f"{kept}/a", b"{}"),
        ("GET", f"{kept}/none", None),
        ("POST", f"{kept}/_bulk_docs", b"{broken"),
        ("HEAD", f"{kept}/a", None),
        ("GET", f"{kept}/_changes?feed=longpoll&since=now&timeout=20", None),
        ("PUT", f"{kept}/new", b'{"v": 2}'),
    ]:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
        used = connection.sock
        assert used is not None, "the connection was closed"

    assert statuses == [200, 409, 404, 400, 200, 200, 201]


@pytest.mark.parametrize("path", ["", "/a", "/b/f.txt", "/_all_docs", "/_design/d/_view/v", "/_changes"])
def test_head_tells_what_get_would_and_sends_nothing(couch: Any, kept: str, path: str) -> None:
    got = couch.get(kept + path)
    told = couch.request("HEAD", kept + path)

    assert (told.status, told.data) == (got.status, b"")
    for header in ("Content-Type", "ETag"):
        assert told.headers.get(header) == got.headers.get(header)


@pytest.mark.parametrize("path", ["/a", "/b/f.txt", "/_design/d"])
def test_what_a_client_has_already_is_not_sent_again(couch: Any, kept: str, path: str) -> None:
    tag = couch.get(kept + path).headers["ETag"]
    again = couch.get(kept + path, headers={"If-None-Match": tag})
    other = couch.get(kept + path, headers={"If-None-Match": '"another"'})

    assert (again.status, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert other.status == 200


@pytest.mark.parametrize(
    ("accepted", "kind"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/plain", "text/plain"),
        ("text/html", "text/plain"),
    ],
)
def test_json_is_called_json_for_those_who_take_it(couch: Any, kept: str, accepted: str, kind: str) -> None:
    answer = couch.get(f"{kept}/a", headers={"Accept": accepted})

    assert answer.headers["Content-Type"].split(";")[0] == kind
    assert json.loads(answer.data)["v"] == 1


def test_a_revision_may_be_named_by_url_by_body_or_by_if_match_and_they_must_agree(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/a", {"v": 0}).json()["rev"]
    rev = couch.put(f"{db}/a?rev={rev}", {"v": 1}).json()["rev"]
    rev = couch.put(f"{db}/a", {"v": 2}, headers={"If-Match": rev}).json()["rev"]

    assert couch.put(f"{db}/a?rev={rev}", {"v": 3, "_rev": "1-" + "0" * 32}).status == 400
    assert couch.put(f"{db}/a?rev={rev}", {"v": 3}, headers={"If-Match": "1-" + "0" * 32}).status == 400
    assert couch.delete(f"{db}/a", headers={"If-Match": rev}).status == 200


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(
    couch: Any, db: str, connection: http.client.HTTPConnection
) -> None:
    headers = urllib3.make_headers(basic_auth=":".join(couch.admin))
    connection.putrequest("PUT", f"{db}/asked")
    for name, value in {**headers, "Content-Type": "application/json", "Expect": "100-continue"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", "9")
    connection.endheaders()
    connection.send(b'{"v": 17}')
    answer = connection.getresponse()
    answer.read()

    assert answer.status == 201
    assert couch.get(f"{db}/asked").json()["v"] == 17


def test_a_method_that_is_none_of_a_path_names_those_that_are(couch: Any, kept: str) -> None:
    answer = couch.delete(f"{kept}/_all_docs")

    assert answer.status == 405
    assert answer.json()["error"] == "method_not_allowed"
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
