"""Attachments larger than memory should hold: a promise of the embedded store, measured on a process of its own."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from couch_requests import ADMIN, Couch

import embedded
from embedded import multipart, multipart_file
from embedded.large_contents import LARGE

SIZE = 100_000_000
MEMORY = 120
"""Megabytes the store may hold meanwhile."""


def most_memory(pid: int) -> float:
    """Megabytes a process has held at most; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


class Photo:
    """A content that is made while it is sent, and compared while it comes back."""

    def __init__(self, size: int) -> None:
        self._piece = random.Random(1).randbytes(1_000_000)
        self._pieces = size // len(self._piece)

    def pieces(self) -> Iterator[bytes]:
        for number in range(self._pieces):
            yield number.to_bytes(8, "big") + self._piece[8:]


def test_a_hundred_megabytes_come_and_go_without_being_held_in_memory(tmp_path: Path) -> None:
    photo = Photo(SIZE)
    with embedded.start(tmp_path, admin=ADMIN) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        headers = urllib3.make_headers(basic_auth=":".join(ADMIN)) | {"Content-Type": "image/x"}
        answer = couch.pool.request("PUT", f"{running.url}/book/a/photo", body=photo.pieces(), headers=headers)
        assert answer.status == 201, answer.data
        found = couch.get("/book/a/photo", stream=True)
        for piece in photo.pieces():
            assert found.read(len(piece)) == piece
        assert found.read() == b""
        found.release_conn()
        assert most_memory(running.pid) < MEMORY
        assert not list(tmp_path.glob("receiving-*"))


def test_a_document_that_brings_a_hundred_megabytes_is_not_held_in_memory_either(tmp_path: Path) -> None:
    photo = Photo(SIZE)
    told = {"content_type": "image/x", "follows": True, "length": SIZE}
    document = json.dumps({"_attachments": {"photo": told, "note": {**told, "content_type": "text/plain"}}})

    def body() -> Iterator[bytes]:
        yield f"--x\r\nContent-Type: application/json\r\n\r\n{document}".encode()
        yield b"\r\n--x\r\n\r\n"
        yield from photo.pieces()
        yield b'\r\n--x\r\nContent-Disposition: attachment; filename="note"\r\n\r\nshort\r\n--x--'

    with embedded.start(tmp_path, admin=ADMIN) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        headers = urllib3.make_headers(basic_auth=":".join(ADMIN))
        headers["Content-Type"] = 'multipart/related; boundary="x"'
        answer = couch.pool.request("PUT", f"{running.url}/book/a", body=body(), headers=headers)
        assert answer.status == 201, answer.data
        assert most_memory(running.pid) < MEMORY
        found = couch.get("/book/a/photo", stream=True)
        for piece in photo.pieces():
            assert found.read(len(piece)) == piece
        assert found.read() == b""
        found.release_conn()
        assert couch.get("/book/a/note").data == b"short"
        assert couch.put("/copy").status == 201
        account = {"auth": {"basic": {"username": ADMIN[0], "password": ADMIN[1]}}}
        source, target = ({"url": f"{running.url}/{name}", **account} for name in ("book", "copy"))
        assert couch.post("/_replicate", {"source": source, "target": target}, timeout=60).json()["ok"]
        assert couch.get("/copy/a").json() == couch.get("/book/a").json()
        assert most_memory(running.pid) < MEMORY


@pytest.mark.parametrize("boundary", ["x", "a-longer-one-that-lies-across-pieces"])
def test_parts_are_found_in_a_file_wherever_they_lie(tmp_path: Path, boundary: str) -> None:
    delimiter = f"\r\n--{boundary}".encode()
    for shift in (0, 1, 2, 20, len(delimiter)):
        bodies = [b"{}", bytes(LARGE - 30 - shift), b"", b"b" * (LARGE + 1), b"\r\n--"]
        text = b"".join(delimiter + b" \r\nA: b\r\n\r\n" + body for body in bodies) + delimiter + b"--\r\n"
        with multipart_file.body_file(tmp_path) as file:
            file.write(text[2:])
            parts = multipart_file.split(file, boundary, tmp_path)
            assert [one.body if isinstance(one.body, bytes) else one.body.content() for one in parts] == bodies
            assert all(one.headers == {"a": "b"} for one in parts)
            assert [one.body for one in multipart.parse(text[2:], boundary)] == bodies


def test_what_is_larger_than_allowed_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    with embedded.start(tmp_path, admin=ADMIN, maximum_attachment=2_000_000) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        headers = {"Content-Type": "image/x"}
        assert couch.put("/book/a/photo", raw=bytes(2_000_000), headers=headers).status == 201
        refused = couch.put("/book/b/photo", raw=bytes(2_000_001), headers=headers)
        assert (refused.status, refused.json()["error"]) == (413, "attachment_too_large")
        assert couch.get("/book/b").status == 404
        for size, status in ((1_500_000, 201), (2_000_001, 413)):  # several may come together
            told = {name: {"content_type": "image/x", "follows": True, "length": size} for name in ("one", "two")}
            parts = [json.dumps({"_attachments": told}).encode(), bytes(size), b"\1" * size]
            body = b"".join(multipart.join("x", (({"Content-Type": "a/b"}, [part]) for part in parts)))
            answer = couch.put(f"/book/c{size}", raw=body, headers={"Content-Type": 'multipart/related; boundary="x"'})
            assert (answer.status, answer.json().get("error", "attachment_too_large")) == (
                status,
                "attachment_too_large",
            )
        assert couch.get("/book/c1500000/two").data == b"\1" * 1_500_000
        assert not list(tmp_path.glob("receiving-*"))


def test_a_large_attachment_on_a_full_disk_is_refused_in_a_sentence(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process limit another's files")
    with embedded.start(tmp_path, admin=ADMIN) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        content, headers = bytes(5_000_000), {"Content-Type": "image/x"}
        for limit in (1_000_000, 4_000_000):
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            refused = couch.put("/book/a/photo", raw=content, headers=headers)
            assert refused.status in (503, 507), refused.data
            assert "Nothing was saved" in refused.json()["reason"]
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert couch.put("/book/a/photo", raw=content, headers=headers).status == 201
        assert couch.get("/book/a/photo").data == content
