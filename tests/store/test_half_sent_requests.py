"""A client that stops in the middle of a request is given up; one that is slow or waits for an answer is not.

The time is this store's own setting, so these start stores of their own.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import itertools
import json
import select
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from couch_requests import ADMIN, Couch
from uvicorn.server import ServerState

import embedded
from embedded.http.connection import LARGEST_HEAD, UNREAD, Connection
from embedded.http.request import Request
from embedded.http.response import Response
from embedded.server import Application, Store
from embedded.server_settings import Settings

PATIENCE = 0.6
_WORD = base64.b64encode(":".join(ADMIN).encode()).decode()
HEADERS = f"Host: x\r\nAuthorization: Basic {_WORD}\r\n"
PUT = f"PUT /book/half HTTP/1.1\r\n{HEADERS}"
HALVES = (
    "",
    "PUT /book/half HTTP/1.1\r\nHo",
    f"{PUT}Content-Length: 1000\r\n\r\n{{",
    f"{PUT}Transfer-Encoding: chunked\r\n\r\n5\r\n{{",
    f"{PUT}Content-Type: multipart/related; boundary=x\r\nContent-Length: 9\r\n\r\n--x",
    f"PUT /book/half/photo HTTP/1.1\r\n{HEADERS}Content-Length: 1000\r\n\r\nphoto",
    f"GET /book HTTP/1.1\r\n{HEADERS}Content-Length: 1000\r\n\r\n{{",  # answered, and the rest never comes
    f"GET /book HTTP/1.1\r\n{HEADERS}\r\nGET /boo",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.RunningStore]:
    with embedded.start(tmp_path_factory.mktemp("store"), admin=ADMIN, request_timeout=PATIENCE) as running:
        Couch(running.url, ADMIN).put("/book")
        yield running


def connect(running: embedded.RunningStore, text: str) -> socket.socket:
    parts = urlsplit(running.url)
    opened = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10)
    opened.sendall(text.encode())
    return opened


def closed(connections: list[socket.socket]) -> Iterator[bytes]:
    """Waits until the store has hung up on all of them; what it said to each."""
    for connection in connections:
        said = b""
        try:
            while piece := connection.recv(4096):
                said += piece
        except ConnectionResetError:
            pass
        connection.close()
        yield said


def status(connection: socket.socket) -> int:
    """Of the next answer, which is read whole."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def memory(running: embedded.RunningStore) -> float:
    """Megabytes the store holds now; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    lines = Path(f"/proc/{running.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def test_who_stops_in_the_middle_is_hung_up_on_and_nobody_else_notices(running: embedded.RunningStore) -> None:
    couch = Couch(running.url, ADMIN)
    feed = f"GET /book/_changes?feed=longpoll&since=now&timeout=60000 HTTP/1.1\r\n{HEADERS}\r\n"
    feeds = [connect(running, feed) for _ in range(64)]
    for connection in feeds:
        said = b""
        while not said.endswith(b'{"results":[\n\r\n'):
            said += connection.recv(4096)
    held = []
    slowest = 0.0
    for number in range(3):
        halves = [connect(running, text) for text in itertools.islice(itertools.cycle(HALVES), 200)]
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE / 3:
            asked = time.monotonic()
            assert couch.put(f"/book/_local/{number}", {"v": number}).status == 201
            slowest = max(slowest, time.monotonic() - asked)
        said = list(closed(halves))
        statuses = {text: answer[9:12] for text, answer in zip(HALVES, said, strict=False)}
        assert statuses == dict(zip(HALVES, (b"", b"", b"408", b"408", b"408", b"408", b"200", b"200"), strict=True))
        held.append(memory(running))
    assert slowest < 2
    assert held[2] - held[0] < 2
    assert couch.get("/book/half").status == 404
    assert select.select(feeds, [], [], 0)[0] == []
    couch.put("/book/change", {})
    for connection in feeds:
        assert connection.recv(4096)
        connection.close()


def test_a_body_that_comes_slowly_and_a_connection_that_is_idle_are_let_be(running: embedded.RunningStore) -> None:
    body = json.dumps({"text": "x" * 2000}).encode()
    slow = connect(running, f"PUT /book/slow HTTP/1.1\r\n{HEADERS}Content-Length: {len(body)}\r\n\r\n")
    idle = connect(running, f"GET /_up HTTP/1.1\r\n{HEADERS}\r\n")
    assert status(idle) == 200
    begun = time.monotonic()
    for at in range(0, len(body), 500):  # 2 kB a second
        slow.sendall(body[at : at + 500])
        time.sleep(0.25)
    assert time.monotonic() - begun > 1.5 * PATIENCE
    assert status(slow) == 201
    idle.sendall(f"GET /_up HTTP/1.1\r\n{HEADERS}\r\n".encode())
    assert status(idle) == 200
    slow.close()
    idle.close()


def test_a_head_that_comes_letter_by_letter_has_no_more_time(running: embedded.RunningStore) -> None:
    connection = connect(running, "GET /_up HTTP/1.1\r\nX: ")
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 10 and not select.select([connection], [], [], PATIENCE / 8)[0]:
            connection.sendall(b"x")
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert PATIENCE / 2 < time.monotonic() - begun < 10
    connection.close()


UNREAD_SECONDS = 0.3
ANSWER = 2_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"%d" % ANSWER)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in reversed(range(ANSWER // 20_000)):
        await send({"type": "http.response.body", "body": bytes(20_000), "more_body": left > 0})


async def what_is_read(pause: float) -> int:
    """Bytes of an answer that a client gets who waits so many seconds after each piece; for ever: until it is given up.

    The systems' buffers between the two are small, so that they do not take in the whole answer.
    """
    lost = asyncio.Event()

    class Impatient(Connection):
        patience = UNREAD_SECONDS / UNREAD

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    config = uvicorn.Config(application, http=Impatient, ws="none", lifespan="off", log_config=None)
    config.load()
    here, there = socket.socket(), socket.socket()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50_000)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50_000)
    here.bind(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Impatient(config, ServerState(), {}), sock=here):
        there.setblocking(False)
        await loop.sock_connect(there, here.getsockname())
        await loop.sock_sendall(there, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        if pause == float("inf"):
            await asyncio.wait_for(lost.wait(), 30)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := await loop.sock_recv(there, 40_000):
                got += len(piece)
                await asyncio.sleep(0 if lost.is_set() else pause)
        there.close()
        return got


def test_an_answer_that_nobody_reads_is_given_up_and_one_that_is_read_slowly_is_not() -> None:
    assert asyncio.run(what_is_read(float("inf"))) < ANSWER
    begun = time.monotonic()
    assert asyncio.run(what_is_read(0.01)) > ANSWER
    assert time.monotonic() - begun > UNREAD_SECONDS


def test_nothing_more_is_read_for_a_client_that_has_gone_away(tmp_path: Path) -> None:
    async def asking() -> bool:
        store = Store(tmp_path, {}, asyncio.get_running_loop(), Settings())
        application = Application(store)
        ended = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(20_000)
                    await asyncio.sleep(0)
            finally:
                ended.set()

        async def answer(request: Request) -> Response:
            return Response(200, endless())

        application.answer = answer  # type: ignore[method-assign]
        config = uvicorn.Config(application, http=Connection, ws="none", lifespan="off", log_config=None)
        config.load()
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: Connection(config, ServerState(), {}), "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readexactly(100_000)
            writer.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 10)
        store.close()
        return ended.is_set()

    assert asyncio.run(asking()), "it was read on for nobody"


def test_a_head_without_end_takes_no_memory(running: embedded.RunningStore) -> None:
    before = memory(running)
    connection = connect(running, "GET /_up HTTP/1.1\r\nX: ")
    sent = 0
    try:
        while sent < 50 * LARGEST_HEAD:
            connection.sendall(b"x" * 100_000)
            sent += 100_000
        pytest.fail("the store takes all of it")
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert memory(running) - before < 20
    connection.close()
