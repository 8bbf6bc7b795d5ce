"""Peers that misbehave: silent, cut off, not a CouchDB at all. A replication with them ends, in time and with words."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from couch_requests import Couch

from embedded.replicator.http_transport import HttpTransport
from embedded.replicator.request import parse_replication

Reply = tuple[int, dict[str, str], bytes]
Answering = Callable[[str, str], Reply]


@pytest.fixture(autouse=True)
def _only_embedded(couch: Couch) -> None:
    if not couch.is_embedded:
        pytest.skip("How CouchDB's own replicator meets such peers is not ours to promise.")


@pytest.fixture
def peer() -> Iterator[Callable[[Answering], str]]:
    """`peer(answer)` listens and answers every request with `answer(method, path)`; returns the address."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def listen(answering: Answering) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = answering(self.command, self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_GET  # noqa: N815 - the names http.server asks for

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield listen
    for server in servers:
        server.shutdown()
        server.server_close()


def _json(value: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _fails(couch: Couch, source: Any, target: str, **options: Any) -> dict[str, Any]:
    answer = couch.post("/_replicate", {"source": source, "target": target, **options}, timeout=50)
    assert answer.status == 500, answer.data
    told: dict[str, Any] = answer.json()
    return told


def test_a_peer_that_never_answers_does_not_hold_it_up(couch: Couch, db: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        told = _fails(couch, url, db[1:], connection_timeout=200)

    assert told["error"] == "error"
    assert "did not answer in time" in told["reason"]


def test_a_page_instead_of_json_is_recognised(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    url = peer(lambda method, path: (200, {"Content-Type": "text/html"}, b"<html>Please log in to the hotel</html>"))

    told = _fails(couch, f"{url}/x", db[1:])

    assert "text/html" in told["reason"]


def test_a_redirect_is_not_followed(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    url = peer(lambda method, path: (302, {"Location": "http://u:secret@elsewhere/?token=secret"}, b""))

    told = _fails(couch, f"{url}/x", db[1:])

    assert "redirects" in told["reason"]
    assert "secret" not in told["reason"]


def test_json_that_is_no_database_is_recognised(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    for value in ({}, [], 5, {"results": 5}):
        url = peer(lambda method, path, value=value: _json(value))  # type: ignore[misc]
        told = _fails(couch, f"{url}/x", db[1:])
        assert "does not answer like a CouchDB" in told["reason"]


def test_changes_that_are_nonsense_end_it(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    def answer(method: str, path: str) -> Reply:
        if "_changes" in path:
            return _json({"results": [{"id": 5}], "last_seq": 1})
        return _json({"error": "not_found", "reason": "missing"}, 404) if "_local" in path else _json({"db_name": "x"})

    told = _fails(couch, f"{peer(answer)}/x", db[1:])

    assert "list of changes" in told["reason"]


def test_a_busy_peer_is_asked_again(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    busy = [503, 429]

    def answer(method: str, path: str) -> Reply:
        if "_changes" in path and busy:
            return _json({"error": "busy", "reason": "later"}, busy.pop())
        if "_changes" in path:
            return _json({"results": [], "last_seq": "7-x", "pending": 0})
        if method == "PUT":
            return _json({"ok": True, "id": "x", "rev": "0-1"}, 201)
        return _json({"error": "not_found", "reason": "missing"}, 404) if "_local" in path else _json({"db_name": "x"})

    answered = couch.post("/_replicate", {"source": f"{peer(answer)}/x", "target": db[1:]})

    assert answered.status == 200
    assert answered.json()["source_last_seq"] == "7-x"
    assert busy == []


def test_a_rejected_password_is_tried_only_once(couch: Couch, db: str, peer: Callable[[Answering], str]) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Reply:
        asked.append(path)
        return _json({"error": "unauthorized", "reason": "Name or password is incorrect."}, 401)

    url = peer(answer).replace("://", "://ann:secret@")

    told = _fails(couch, f"{url}/x", db[1:])

    assert told["error"] == "replication_auth_error"
    assert "secret" not in told["reason"]
    assert len(asked) == 1, "more tries would lock the account"


def test_a_source_that_does_not_take_checkpoints_is_read_all_the_same(
    couch: Couch, db: str, peer: Callable[[Answering], str]
) -> None:
    document = {"_id": "a", "_rev": "1-a", "_revisions": {"start": 1, "ids": ["a"]}}

    def answer(method: str, path: str) -> Reply:
        if method == "PUT":
            return _json({"error": "forbidden", "reason": "read only"}, 403)
        if "_changes" in path:
            return _json({"results": [{"id": "a", "seq": 1, "changes": [{"rev": "1-a"}]}], "last_seq": 1})
        if "_bulk_get" in path:
            return _json({"results": [{"id": "a", "docs": [{"ok": document}]}]})
        return _json({"error": "not_found", "reason": "missing"}, 404) if "_local" in path else _json({"db_name": "x"})

    answered = couch.post("/_replicate", {"source": f"{peer(answer)}/x", "target": db[1:]})

    assert answered.status == 200
    assert couch.get(f"{db}/a").json()["_rev"] == "1-a"


def test_a_peer_without_bulk_get_is_read_document_by_document(
    couch: Couch, db: str, peer: Callable[[Answering], str]
) -> None:
    document = {"_id": "a/b", "_rev": "1-a", "_revisions": {"start": 1, "ids": ["a"]}}

    def answer(method: str, path: str) -> Reply:
        if method == "PUT":
            return _json({"ok": True, "id": "x", "rev": "0-1"}, 201)
        if "_changes" in path:
            return _json({"results": [{"id": "a/b", "seq": 1, "changes": [{"rev": "1-a"}]}], "last_seq": 1})
        if "open_revs" in path and path.startswith("/x/a%2Fb?"):
            return _json([{"ok": document}, {"missing": "1-zz"}])
        found = "_local" not in path and "_bulk_get" not in path
        return _json({"db_name": "x"}) if found else _json({"error": "not_found", "reason": "missing"}, 404)

    answered = couch.post("/_replicate", {"source": f"{peer(answer)}/x", "target": db[1:]})

    assert answered.status == 200
    assert couch.get(f"{db}/a%2Fb").json()["_rev"] == "1-a"


def test_one_document_a_target_cannot_take_does_not_keep_the_others_away(
    couch: Couch, db: str, peer: Callable[[Answering], str]
) -> None:
    couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": "a"}, {"_id": "big"}, {"_id": "c"}]})
    arrived: list[str] = []

    def answer(method: str, path: str) -> Reply:
        name = path.partition("?")[0].removeprefix("/x/")
        if name in ("_bulk_docs", "big"):
            return _json({"error": "document_too_large", "reason": name}, 413)
        if "_revs_diff" in path:
            revs = {row["id"]: row["value"]["rev"] for row in couch.get(f"{db}/_all_docs").json()["rows"]}
            return _json({id: {"missing": [rev]} for id, rev in revs.items()})
        if method == "PUT":
            arrived.append(name)
            return _json({"ok": True, "id": name, "rev": "0-1"}, 201)
        return _json({"error": "not_found", "reason": "missing"}, 404) if "_local" in path else _json({"db_name": "x"})

    answered = couch.post("/_replicate", {"source": db[1:], "target": f"{peer(answer)}/x"})

    assert answered.status == 200
    assert answered.json()["history"][0]["doc_write_failures"] == 1
    assert {"a", "c"} <= set(arrived)


def test_a_page_in_place_of_an_answer_to_a_write_is_no_refusal(
    couch: Couch, db: str, peer: Callable[[Answering], str]
) -> None:
    couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": "a"}]})

    def answer(method: str, path: str) -> Reply:
        if "_bulk_docs" in path:
            return 400, {"Content-Type": "text/html"}, b"<html>Your session has ended</html>"
        if "_revs_diff" in path:
            return _json({"a": {"missing": [couch.get(f"{db}/a").json()["_rev"]]}})
        return _json({"error": "not_found", "reason": "missing"}, 404) if "_local" in path else _json({"db_name": "x"})

    told = _fails(couch, db[1:], f"{peer(answer)}/x")

    assert "text/html" in told["reason"], "counted as refused it would never be sent again"


def test_a_compressed_request_is_understood(couch: Couch, db: str) -> None:
    side = parse_replication({"source": f"{couch.url}{db}", "target": "x"}, "http://elsewhere").source
    transport = HttpTransport(replace(side, user=couch.admin[0], password=couch.admin[1]), 10, compresses=True)

    reply = transport.ask("POST", "_bulk_docs", None, json.dumps({"docs": [{"_id": "a", "t": "x" * 5000}]}).encode())

    assert reply.status == 201
    assert couch.get(f"{db}/a").json()["t"] == "x" * 5000
    transport.close()


def test_what_goes_over_the_network_is_counted_as_it_went(couch: Couch, db: str) -> None:
    side = parse_replication({"source": f"{couch.url}{db}", "target": "x"}, "http://elsewhere").source
    side = replace(side, user=couch.admin[0], password=couch.admin[1])
    counted = []
    for compresses in (False, True):
        transport = HttpTransport(side, 10, compresses=compresses)
        documents = [{"_id": f"{compresses}{number}", "t": "x" * 5000} for number in range(10)]
        transport.ask("POST", "_bulk_docs", None, json.dumps({"docs": documents}).encode())
        counted.append(transport.bytes_moved)
        transport.close()
    plain, compressed = counted
    assert 50_000 < plain < 60_000
    assert 200 < compressed < 10_000


def test_the_replicator_database_says_that_it_is_not_kept(couch: Couch) -> None:
    for method, path in (("PUT", "/_replicator"), ("POST", "/_replicator"), ("GET", "/_scheduler/jobs")):
        answer = couch.request(method, path, {} if method != "GET" else None)
        assert answer.status == 501
        assert "_replicate" in answer.json()["reason"]
