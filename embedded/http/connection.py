"""A client's connection: uvicorn's, but who stops in the middle of a request or of an answer is hung up on.

Half of a request costs a socket and memory for as long as its connection is open, half of an answer a view of the
database as it was, and a client whose network went away never says so.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 1024 * 1024
"""Bytes of a request before its body."""
UNREAD = 15
"""How many times longer an answer may stand still. What the systems hold between here and there moves in jumps: of four
megabytes a third at once, which is eleven minutes of a download at 2 kB a second."""


class Connection(HttpToolsProtocol):
    """`patience`: seconds in which the head of a request has to be complete, the first one from the connection's
    beginning; and the longest time in which nothing of its body comes.

    The application learns from `scope["extensions"]["is_gone"]()` that the client has gone away: uvicorn takes what is
    sent to it without a word.

    Nobody is hung up on while they are being answered: feeds wait, and a body that stops coming is answered by what
    reads it. An idle connection between two requests is uvicorn's to close.
    """

    patience = 60.0

    _waits_since: float | None
    """Since when the rest of a request is waited for; None between requests."""
    _in_head: bool
    _head_bytes: int
    _watch: asyncio.TimerHandle | None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()
        self._keep_watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for watch in (self._watch, self._unread):
            if watch is not None:
                watch.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waits_since is None:
            return
        if not self._in_head:
            self._waits_since = self.loop.time()
        else:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response(f"A request may have {LARGEST_HEAD} bytes before its body.")
        if self._watch is None:
            self._keep_watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        cycle = self.cycle
        self.scope["extensions"] = {"is_gone": lambda: cycle.disconnected}  # type: ignore[dict-item]

    def on_message_complete(self) -> None:
        self._waits_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._waits_since is not None:
            self._waits_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._keep_unread_watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def _begin(self) -> None:
        self._waits_since = self.loop.time()
        self._in_head = True
        self._head_bytes = 0

    def _keep_watch(self, seconds: float | None = None) -> None:
        self._watch = self.loop.call_later(self.patience if seconds is None else seconds, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._waits_since is None or self.transport.is_closing():
            return
        left = self._waits_since + self.patience - self.loop.time()
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if left > 0:
            self._keep_watch(left)
        elif is_answering:
            self._keep_watch()
        else:
            self.transport.abort()

    def _keep_unread_watch(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(UNREAD * self.patience, self._look_at_unread, waiting)

    def _look_at_unread(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._keep_unread_watch()
        else:
            self.transport.abort()
