"""A store ends when it is told to, and what it has begun to answer it answers. A process of its own, so no CouchDB."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from couch_requests import ADMIN, Couch

import embedded

AT_ONCE = 0.09
"""Seconds; more than any wait that ends by itself would leave of a tenth."""


def stopping(folder: Path) -> float:
    """Seconds to the end of a store with a feed that waits and a connection that is idle."""
    with embedded.start(folder, admin=ADMIN) as running:
        Couch(running.url, ADMIN).put("/book")
        parts = urlsplit(running.url)
        feed, idle = (http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10) for _ in range(2))
        headers = urllib3.make_headers(basic_auth=":".join(ADMIN))
        idle.request("GET", "/_up")
        assert idle.getresponse().read()
        feed.request("GET", "/book/_changes?feed=longpoll&since=now&timeout=60000", headers=headers)
        answer = feed.getresponse()
        begun = time.monotonic()
        running.stop()
        took = time.monotonic() - begun
        assert json.loads(answer.read())["results"] == []
        assert idle.sock is not None
        assert idle.sock.recv(1) == b""
        feed.close()
        idle.close()
        assert not running.is_running()
    return took


def test_a_store_ends_at_once_and_completes_the_answers_of_feeds(tmp_path: Path) -> None:
    # The computer may be busy with something else: once in a few times is proof enough that nothing is waited for.
    assert any(stopping(tmp_path / str(number)) < AT_ONCE for number in range(5))
    assert not (tmp_path / "0" / "running.json").exists()
