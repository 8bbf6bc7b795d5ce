"""The embedded store over HTTP on loopback, side by side with a CouchDB where one is given.

Without one the budgets are what CouchDB 3.5.0 was measured at on a machine of this kind with 20,000 documents; with one
they are what that CouchDB does in the same run. See docs/decisions/embedded-index.md for the history.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

import embedded
from bench.figures import Figure, figure, percentile
from embedded.http import json_text

_BATCH = 1_000
_ROUNDS = 40
_CHANGES = 100
_MAKES = 12
_MODELS = 120
_MAP = "function (doc) { if (doc.type) { emit([doc.make, doc.model, doc._id], doc.hours); } }"
_SMALL = 20_000


@dataclass(frozen=True)
class Measurement:
    """One thing measured. `rate`: more is better. `budget` in terms of what CouchDB takes: see `_figure`."""

    name: str
    unit: str
    reference: float | None
    share_of_couchdb: float
    rate: bool = False


_MEASUREMENTS = {
    "bulk": Measurement("bulk insert", "documents/s", 13_800, 1.0, rate=True),
    "build": Measurement("build a view", "documents/s", 8_500, 3.0, rate=True),
    "level1": Measurement("group_level=1 over all, p50", "ms", 4.0, 2.0),
    "level2": Measurement("group_level=2 over all (120 groups), p50", "ms", 24.0, 2.0),
    "script": Measurement("group_level=1, JavaScript reduce, p50", "ms", 4.0, 2.0),
    "keyed": Measurement("50 rows from a key with documents, p50", "ms", 3.4, 1.0),
    "one": Measurement("one document, p50", "ms", 1.8, 1.0),
    "one_p95": Measurement("one document, p95", "ms", 2.2, 1.0),
    "update": Measurement(f"the view after {_CHANGES} changes", "ms", 34.0, 1.0),
}
_MOST_MEMORY = 150.0
"""MB resident, at the peak."""


def figures(documents: int = _SMALL, couchdb_url: str | None = None) -> list[Figure]:
    """Measure with so many documents of about 0.8 KB. `couchdb_url` has the admin's name and password in it."""
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder:
        password = secrets.token_hex(16)
        with embedded.start(Path(folder) / "store", admin=("admin", password)) as running:
            ours = _measure(Connection(running.url, "admin", password), documents)
            memory = _peak_memory(running.pid)
    theirs: dict[str, float] = {}
    if couchdb_url is not None:
        parts = urlsplit(couchdb_url)
        url = f"{parts.scheme}://{parts.hostname}:{parts.port or 5984}"
        theirs = _measure(Connection(url, parts.username or "", parts.password or ""), documents)
    found = [_figure(key, value, theirs.get(key)) for key, value in ours.items()]
    if memory is not None:
        found.append(figure("store", "resident memory at its peak", memory, "MB", _MOST_MEMORY))
    found += [
        figure("couchdb", _MEASUREMENTS[key].name, value, _MEASUREMENTS[key].unit) for key, value in theirs.items()
    ]
    return found


def _figure(key: str, value: float, couchdb: float | None) -> Figure:
    measurement = _MEASUREMENTS[key]
    reference = measurement.reference if couchdb is None else couchdb
    budget = None if reference is None else reference * measurement.share_of_couchdb
    return figure("store", measurement.name, value, measurement.unit, budget, least=measurement.rate)


# --- one store


class Connection:
    """Requests to one store on one kept connection."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=600)
        self._url = url
        self._headers = urllib3.make_headers(basic_auth=f"{user}:{password}") | {"Content-Type": "application/json"}

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer's body. `body` is JSON, or its text. Raises RuntimeError for an answer that is not a success."""
        raw = body if body is None or isinstance(body, bytes) else json_text.text(body).encode()
        answer = self._pool.request(method, self._url + path, body=raw, headers=self._headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:200]!r}")
        return answer.data


def _measure(store: Connection, documents: int) -> dict[str, float]:
    with _database(store) as database:
        view = f"/{database}/_design/bench/_view"
        found = {"bulk": documents / _insert(store, database, documents)}
        views = {"plain": {"map": _MAP, "reduce": "_sum"}}
        store.request("PUT", f"/{database}/_design/bench", {"views": views})
        found["build"] = documents / _seconds(lambda: store.request("GET", f"{view}/plain?group_level=1"))
        found["level1"] = _middle(lambda _: store.request("GET", f"{view}/plain?group_level=1"))
        found["level2"] = _middle(lambda _: store.request("GET", f"{view}/plain?group_level=2"))
        keyed = f"{view}/plain?reduce=false&include_docs=true&limit=50&startkey="
        found["keyed"] = _middle(lambda n: store.request("GET", f'{keyed}["make{n % _MAKES}","model{n % _MODELS}"]'))
        one = _times(lambda n: store.request("GET", f"/{database}/doc{n * 37 % documents:07}"), 5 * _ROUNDS)
        found["one"], found["one_p95"] = percentile(one, 0.5), percentile(one, 0.95)
        found["update"] = _middle(lambda n: _change_and_read(store, database, n, documents), _ROUNDS // 4)
        views = {"script": {"map": _MAP, "reduce": "function (keys, values, rereduce) { return sum(values); }"}}
        store.request("PUT", f"/{database}/_design/script", {"views": views})
        script = f"/{database}/_design/script/_view/script?group_level=1"
        store.request("GET", script)
        found["script"] = _middle(lambda _: store.request("GET", script))
        return found


@contextmanager
def _database(store: Connection) -> Iterator[str]:
    name = f"bench{secrets.token_hex(8)}"
    store.request("PUT", f"/{name}?q=1")
    try:
        yield name
    finally:
        store.request("DELETE", f"/{name}")


def _insert(store: Connection, database: str, documents: int) -> float:
    """Returns the seconds the store took; making the documents is not its work."""
    seconds = 0.0
    for first in range(0, documents, _BATCH):
        batch = [_document(number) for number in range(first, min(first + _BATCH, documents))]
        raw = json_text.text({"docs": batch}).encode()
        started = time.perf_counter()
        store.request("POST", f"/{database}/_bulk_docs", raw)
        seconds += time.perf_counter() - started
    return seconds


def _document(number: int) -> dict[str, Any]:
    """About 0.8 KB."""
    return {
        "_id": f"doc{number:07}",
        "type": "machine",
        "make": f"make{number % _MAKES}",
        "model": f"model{number % _MODELS}",
        "serial": f"SN{number:09}",
        "hours": number % 9_000 + 0.5,
        "customer": f"D001:customer:{number // 5:08}",
        "updated_at": "2026-11-25T10:00:00Z",
        "field_revs": dict.fromkeys(("make", "model", "serial", "hours", "customer", "notes"), 1),
        "notes": "An excavator in a quarry, seen every second month, with a worn bucket. " * 6,
    }


def _change_and_read(store: Connection, database: str, round_number: int, documents: int) -> float:
    """Change some documents, unmeasured, then read the view; returns milliseconds."""
    batch = [_document(documents * (round_number + 1) + number) for number in range(_CHANGES)]
    store.request("POST", f"/{database}/_bulk_docs", {"docs": batch})
    return 1000 * _seconds(lambda: store.request("GET", f"/{database}/_design/bench/_view/plain?group_level=1"))


def _seconds(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def _times(what: Callable[[int], object], rounds: int) -> list[float]:
    """Milliseconds of each round; what returns a number has measured itself."""
    found = []
    for number in range(rounds):
        started = time.perf_counter()
        told = what(number)
        found.append(told if isinstance(told, float) else 1000 * (time.perf_counter() - started))
    return found


def _middle(what: Callable[[int], object], rounds: int = _ROUNDS) -> float:
    return percentile(_times(what, rounds), 0.5)


def _peak_memory(pid: int) -> float | None:
    """MB; None where the system does not tell of another process."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
