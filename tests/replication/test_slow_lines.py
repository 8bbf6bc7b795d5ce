"""A slow line is slow and not broken: the limits of time are for each piece, not for the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, Slow

from app.couch import Store
from embedded.replicator.http_transport import HttpTransport
from embedded.replicator.request import Side

PATIENCE = 0.6
BYTES = 250_000
BYTES_PER_SECOND = 125_000


@pytest.fixture
def slow_transport(store: Store) -> Iterator[HttpTransport]:
    """To the database ``things`` of the store, over a line on which a large request takes three times the patience."""
    store.create("things")
    proxy = FaultProxy(store.url)
    proxy.fault(Slow(BYTES_PER_SECOND))
    address = f"{proxy.url}/{store.prefix}things/"
    transport = HttpTransport(Side(address, user=store.user, password=store.password), PATIENCE)
    yield transport
    transport.close()
    proxy.stop()


def test_a_large_request_may_take_longer_than_the_patience_for_one_piece(
    store: Store, slow_transport: HttpTransport
) -> None:
    body = json.dumps({"docs": [{"_id": "a", "text": "x" * BYTES}]}).encode()
    assert BYTES / BYTES_PER_SECOND > 3 * PATIENCE
    reply = slow_transport.ask("POST", "_bulk_docs", body=body, longer=PATIENCE)
    assert reply.status in (201, 202)
    assert len((store.database("things").get("a") or {})["text"]) == BYTES


def test_a_large_file_may_too(store: Store, slow_transport: HttpTransport, tmp_path: Path) -> None:
    part = tmp_path / "part"
    about = {"_attachments": {"f": {"follows": True, "length": BYTES, "content_type": "x/y"}}}
    head = f"--b\r\nContent-Type: application/json\r\n\r\n{json.dumps(about)}\r\n--b\r\n\r\n"
    part.write_bytes(b"y" * BYTES)
    parts: list[bytes | Path] = [head.encode(), part, b"\r\n--b--"]
    reply = slow_transport.upload("a", {}, 'multipart/related; boundary="b"', parts)
    assert reply.status in (201, 202), reply.body
    assert store.database("things").attachment("a", "f")[0] == b"y" * BYTES


def test_a_large_answer_may_too(store: Store, slow_transport: HttpTransport) -> None:
    store.database("things").put({"_id": "a", "text": "x" * BYTES})
    assert len(json.loads(slow_transport.ask("GET", "a").body)["text"]) == BYTES
