"""`_changes`: the answer of now (normal), of the next change (longpoll), and feeds that stay open (continuous)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from embedded.changes import Step, steps
from embedded.database import Database
from embedded.http.changes_parameters import Feed, read
from embedded.http.errors import HttpError
from embedded.http.request import Request
from embedded.http.response import Response
from embedded.http.routing import Route


async def changes(request: Request) -> Response:
    feed = await read(request)
    if feed.kind in ("normal", "longpoll"):
        return Response(200, _document(request, feed))
    kind = "text/event-stream" if feed.kind == "eventsource" else None
    return Response(200, _lines(request, feed), content_type=kind)


class _Told:
    """Rows as text. Only every `interval`-th has its sequence number, as `seq_interval` asks."""

    def __init__(self, database: Database, interval: int) -> None:
        self._database = database
        self._interval = interval
        self.count = 0

    def row(self, seq: int, rest: str) -> str:
        has_seq = self.count % self._interval == 0
        self.count += 1
        return f'{{"seq":{self.seq(seq) if has_seq else "null"},{rest}}}'

    def seq(self, number: int) -> str:
        return f'"{self._database.sequence(number)}"'


async def _document(request: Request, feed: Feed) -> AsyncIterator[bytes]:
    """The normal feed and longpoll: one JSON object."""
    told = _Told(request.database, feed.interval)
    separator = '{"results":[\n'
    async with _Waiting(request, feed) as waiting:
        while True:
            last = Step([], feed.wanted.since)
            async for step in request.database.streaming(steps, feed.wanted):
                last = step
                if step.rows:
                    yield (separator + ",\n".join(told.row(seq, rest) for seq, rest in step.rows)).encode()
                    separator = ",\n"
            if feed.kind == "normal" or told.count or feed.wanted.limit == 0:
                break
            feed.wanted.since = last.seen
            if separator != ",\n" and separator:
                yield separator.encode()
                separator = ""
            async for beat in waiting.for_change(last.seen):
                yield beat
            if not waiting.goes_on:
                break
    end = f'\n],\n"last_seq":{told.seq(last.seen)},"pending":{last.pending}}}\n'
    yield ((separator if separator.startswith("{") else "") + end).encode()


async def _lines(request: Request, feed: Feed) -> AsyncIterator[bytes]:
    """The continuous feed, a JSON text a line, and the same as server-sent events."""
    told = _Told(request.database, feed.interval)
    is_events = feed.kind == "eventsource"
    wanted = feed.wanted
    limit = wanted.limit
    async with _Waiting(request, feed) as waiting:
        while True:
            last = Step([], wanted.since)
            async for step in request.database.streaming(steps, wanted):
                last = step
                rows = [(told.seq(seq), told.row(seq, rest)) for seq, rest in step.rows]
                if is_events:
                    yield "".join(f"data: {row}\nid: {seq}\n\n" for seq, row in rows).encode()
                else:
                    yield "".join(row + "\n" for _, row in rows).encode()
            wanted.since = last.seen
            if limit is not None:
                wanted.limit = limit - told.count
                if wanted.limit <= 0:
                    break
            async for beat in waiting.for_change(last.seen):
                yield beat
            if not waiting.goes_on:
                break
    if is_events:
        yield b"\n"
    else:
        yield f'{{"last_seq":{told.seq(last.seen)},"pending":{last.pending}}}\n'.encode()


class _Waiting:
    """Waits for changes, with signs of life, until time is over or the client, the database or the store is gone."""

    def __init__(self, request: Request, feed: Feed) -> None:
        self._request = request
        self._database = request.database
        self._feed = feed
        self._beat = b"event: heartbeat\ndata: \n\n" if feed.kind == "eventsource" else b"\n"
        self.goes_on = True

    async def __aenter__(self) -> _Waiting:
        self._ends = [
            asyncio.ensure_future(self._request.disconnected()),
            asyncio.ensure_future(self._request.store.stopping.wait()),
        ]
        return self

    async def __aexit__(self, *error: object) -> None:
        for end in self._ends:
            end.cancel()
            with suppress(asyncio.CancelledError, HttpError):
                await end

    async def for_change(self, seen: int) -> AsyncIterator[bytes]:
        """Returns when there is something newer than `seen`, or sets `goes_on` to False; yields signs of life."""
        while True:
            seconds = self._feed.heartbeat or self._feed.timeout
            change = asyncio.ensure_future(self._database.wait_for_change(seen, seconds))
            await asyncio.wait([change, *self._ends], return_when=asyncio.FIRST_COMPLETED)
            if any(end.done() for end in self._ends):
                change.cancel()
                self.goes_on = False
                return
            if change.result():
                self.goes_on = not self._database.closed
                return
            if self._feed.heartbeat is None:
                self.goes_on = False
                return
            yield self._beat


def routes() -> list[Route]:
    return [Route("GET", "/{db}/_changes", changes), Route("POST", "/{db}/_changes", changes)]
