"""Whatever is sent, the answer is a status and a reason: never a 500, never a hang, never a document nobody wrote."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from bad_requests import BadRequests
from couch_requests import ADMIN, Couch
from raw_requests import Client, Got, Sent, ask_at_once

import embedded

REQUESTS = 20_000
A_BATCH = 20
MEMORY = 250
"""Megabytes the store may have held at any time meanwhile."""
_DESIGN = {
    "views": {"a": {"map": "function (doc) { emit(doc._id, 1); }", "reduce": "_count"}},
    "filters": {"a": "function (doc, req) { return doc.a.b; }"},
}


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[embedded.RunningStore]:
    with embedded.start(tmp_path / "store", admin=ADMIN, log=tmp_path / "log") as running:
        yield running


@pytest.mark.timeout(1800)
def test_a_bad_request_is_an_error_of_its_own_and_changes_nothing(
    own_store: embedded.RunningStore, tmp_path: Path, thorough: bool
) -> None:
    couch = Couch(own_store.url, ADMIN)
    couch.put("/fuzz")
    couch.put("/fuzz/a", {"v": 1})
    couch.put("/fuzz/_design/a", _DESIGN)
    requests = BadRequests("/fuzz", 20261125)
    clients = [Client(own_store.url, ADMIN) for _ in range(A_BATCH)]
    before: Any = None
    for number in range((10 if thorough else 1) * REQUESTS // A_BATCH):
        make = requests.surely_bad if number % 4 == 0 else requests.any_kind
        batch = [make() for _ in range(A_BATCH)]
        answers = ask_at_once(clients, batch)
        for sent, got in zip(batch, answers, strict=True):
            _check(sent, got)
            assert number % 4 or got.status in (400, 415), (sent, got)
        now = couch.get("/fuzz").json()
        asked = zip(batch, answers, strict=True)
        wrote = any(got.status < 300 and sent.method not in ("GET", "HEAD") for sent, got in asked)
        if before is not None and not wrote:
            told_apart = ("update_seq", "doc_count", "doc_del_count", "purge_seq")
            assert [now[name] for name in told_apart] == [before[name] for name in told_apart]
        before = now
    for client in clients:
        client.close()
    _check_documents(couch)
    assert "defect" not in (tmp_path / "log").read_text()
    assert _most_memory(own_store.pid) < MEMORY


def _check(sent: Sent, got: Got) -> None:
    """A status, and where it is an error a reason. Hanging up is an answer to what is no HTTP only."""
    what = (sent.method, sent.path[:500], sent.headers, sent.body[:500], got)
    assert 200 <= got.status < 500 or got.status == 501, what
    if got.status >= 400 and sent.method != "HEAD" and got.body != b"Invalid HTTP request received.":
        assert {"error", "reason"} <= set(json.loads(got.body)), what


def _check_documents(couch: Couch) -> None:
    """All that was let in can be read in every way there is, and the counts are right."""
    found = couch.get("/fuzz").json()
    rows = couch.get("/fuzz/_all_docs?include_docs=true&conflicts=true").json()["rows"]
    assert found["doc_count"] == len(rows)
    changes = couch.get("/fuzz/_changes?style=all_docs&include_docs=true").json()["results"]
    assert found["doc_count"] + found["doc_del_count"] == len(changes)


def _most_memory(pid: int) -> float:
    """Megabytes a process has held at most; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize(
    "raw", [b"GET\r\n\r\n", b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"PUT /a HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_not_http_is_answered_or_hung_up_on(couch: Any, raw: bytes) -> None:
    parts = urlsplit(couch.url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    assert couch.get("/_up").status == 200


def test_a_client_that_never_finishes_keeps_nobody_waiting(couch: Any, db: str) -> None:
    parts = urlsplit(couch.url)
    half = f"PUT {db}/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode()
    connections = [socket.create_connection((parts.hostname or "", parts.port or 80)) for _ in range(64)]
    try:
        for connection in connections:
            connection.sendall(half)
        assert couch.put(f"{db}/whole", {"v": 1}, timeout=5).status == 201
        assert couch.get(f"{db}/whole", timeout=5).json()["v"] == 1
    finally:
        for connection in connections:
            connection.close()
    assert couch.get(f"{db}/half").status == 404


def _connections(couch: Any, number: int, text: str) -> list[socket.socket]:
    parts = urlsplit(couch.url)
    opened = [socket.create_connection((parts.hostname or "", parts.port or 80)) for _ in range(number)]
    for connection in opened:
        connection.sendall(text.encode())
    return opened


def test_clients_that_send_or_read_nothing_do_not_starve_a_writer(own_store: embedded.RunningStore) -> None:
    couch = Couch(own_store.url, ADMIN)
    couch.put("/book")
    couch.post("/book/_bulk_docs", {"docs": [{"text": "x" * 10_000} for _ in range(500)]})
    word = couch_headers(couch)
    idle = _connections(couch, 64, f"GET /book/_changes?feed=longpoll&since=now&timeout=60000 HTTP/1.1\r\n{word}\r\n")
    idle += _connections(couch, 64, "PUT /book/half HTTP/1.1\r\nHo")
    idle += _connections(couch, 64, f"PUT /book/half HTTP/1.1\r\n{word}Content-Length: 1000\r\n\r\n{{")
    idle += _connections(couch, 64, f"PUT /book/half HTTP/1.1\r\n{word}Transfer-Encoding: chunked\r\n\r\n5\r\n{{")
    idle += _connections(couch, 16, f"GET /book/_all_docs?include_docs=true HTTP/1.1\r\n{word}\r\n")  # and never reads
    idle += _connections(couch, 64, "")
    try:
        for number in range(50):
            assert couch.put(f"/book/{number}", {"v": number}, timeout=5).status == 201
            assert couch.get(f"/book/{number}", timeout=5).json()["v"] == number
    finally:
        for connection in idle:
            connection.close()
    assert couch.get("/book/half").status == 404


def couch_headers(couch: Couch) -> str:
    word = base64.b64encode(":".join(couch.admin).encode()).decode()
    return f"Host: x\r\nAuthorization: Basic {word}\r\n"


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused_and_takes_no_more_memory_than_is_allowed(
    own_store: embedded.RunningStore,
) -> None:
    couch = Couch(own_store.url, ADMIN)
    couch.put("/book")
    packed = gzip.compress(b" " * 300_000_000, 1)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert couch.post("/book/_bulk_docs", raw=packed, headers=headers).status == 413
    assert _most_memory(own_store.pid) < MEMORY


@pytest.mark.parametrize("source", ["while (true) {}", "var kept = []; while (true) { kept.push(new Array(9999)); }"])
def test_a_map_function_without_end_is_stopped_and_keeps_nobody_waiting(
    own_store: embedded.RunningStore, source: str
) -> None:
    couch = Couch(own_store.url, ADMIN)
    couch.put("/book")
    couch.put("/book/a", {"v": 1})
    couch.put("/book/_design/d", {"views": {"v": {"map": f"function (doc) {{ {source} }}"}}})
    with ThreadPoolExecutor(1) as pool:
        rows = pool.submit(couch.get, "/book/_design/d/_view/v", timeout=90)
        asked = 0
        while not rows.done():
            assert couch.get("/book/a", timeout=5).status == 200
            asked += 1
    assert rows.result().json()["rows"] == []
    assert asked > 5
    assert _most_memory(own_store.pid) < MEMORY
