"""Many dealers on one upstream: first all of them in the same minute, then each with its changes of every minute."""

from __future__ import annotations

import itertools
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import embedded
from app.config import read_settings
from app.couch import Database, Store
from app.documents import saving
from app.documents.common import utc_now
from app.documents.revising import first_revision
from app.market.feed import FeedReport, feed_market
from app.node import Node, open_node
from app.replication import dealers
from app.replication.results import session_counts
from app.steps import Steps
from bench.figures import Figure, figure, percentile

DOCUMENTS = 500
CHANGES = 10
_MINUTE = 60.0
_SELECTOR = {"share": "manufacturer"}
_BY = "bench"
# Syncs under way at once: in the same minute, but not two hundred programs on the bench's own processors.
_AT_ONCE = 16


@dataclass(frozen=True)
class _Dealer:
    """A simulated dealer: a book of its own on a store that all of them share, and where it syncs to."""

    code: str
    book: Database
    upstream: Any


def figures(count: int, minutes: float = 1.0, quiet: bool = False) -> list[Figure]:
    """The figures of `count` dealers, who change things for so many `minutes`. Raises RuntimeError for a loss."""
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder, ExitStack() as stack:
        head_office = stack.enter_context(open_node(_settings(Path(folder))))
        laptops = stack.enter_context(embedded.start(Path(folder) / "laptops", admin=("bench", "bench")))
        here = Store(laptops.url, "bench", "bench")
        steps = Steps(quiet)
        with steps.step("make", f"Making {count} dealers with a book each"):
            made = [_dealer(head_office, here, number) for number in range(count)]
        with steps.step("first", "Syncing all of them together"):
            started = time.perf_counter()
            first = _in_turns(here, made)
            first_seconds = time.perf_counter() - started
        with steps.step("feed", "Feeding the market"):
            feed_market(head_office)
        with steps.step("change", "Changing and syncing for a minute each"):
            waits, late, rounds = _changing(here, made, minutes)
            _in_turns(here, made)
        fed_seconds, report = _fed(head_office)
        idle_seconds, idle = _fed(head_office)
        if report.fed != count or idle.fed:
            raise RuntimeError(f"{report.fed} of {count} books were fed, and {idle.fed} again for nothing.")
        _compare(head_office, made)
    name = f"{count} dealers"
    return [
        figure("dealers", f"{name} of {DOCUMENTS} documents, first sync of all", first_seconds, "s"),
        figure("dealers", "the same, documents/s", count * DOCUMENTS / first_seconds, "documents/s"),
        figure("dealers", f"{name} in the same minute, slowest sync over the median", _unfairness(first), "times", 5.0),
        figure("dealers", f"{name}, {CHANGES} changes a minute each: a sync, p50", percentile(waits, 0.5), "s"),
        figure("dealers", f"{name}, {CHANGES} changes a minute each: a sync, p95", percentile(waits, 0.95), "s"),
        figure("dealers", f"{name}: a minute's changes there after it began, slowest round", max(rounds), "s", _MINUTE),
        figure("dealers", f"{name}: those changes into the market", fed_seconds, "s", _MINUTE),
        figure("dealers", f"{name}: the market when nothing changed", idle_seconds, "s"),
        figure("dealers", f"{name}: syncs that began later than planned by over 5 s", late, "syncs", 0.0),
    ]


def _settings(folder: Path) -> Any:
    data = folder / "manufacturer"
    data.mkdir()
    return replace(read_settings(data, {}), role="manufacturer", dealer="", name="manufacturer")


def _dealer(head_office: Node, here: Store, number: int) -> _Dealer:
    code = f"D{number:03}"
    admitted = dealers.add_dealer(head_office, code, f"Dealer {code}")
    book = here.create(f"book-{code.lower()}")
    book.bulk([first_revision(document, _BY, utc_now()).document for document in _documents(code)])
    upstream = Store(head_office.store.url, admitted.user, admitted.password)
    return _Dealer(code, book, upstream.endpoint(admitted.database))


def _documents(code: str) -> Iterator[dict[str, Any]]:
    for number in range(DOCUMENTS):
        yield {
            "_id": f"{code}:customer:{number:05}",
            "type": "customer",
            "dealer": code,
            "share": "manufacturer",
            "name": f"Customer {number}",
            "notes": "Wants to be called before noon. " * 12,
        }


def _sync(here: Store, dealer: _Dealer) -> float:
    """Pulls and pushes once, as a pass does; returns its seconds."""
    started = time.perf_counter()
    for source, target in ((dealer.upstream, dealer.book.name), (dealer.book.name, dealer.upstream)):
        _read, _written, failed = session_counts(here.replicate(source, target, selector=_SELECTOR))
        if failed:
            raise RuntimeError(f"{failed} documents of {dealer.code} were refused.")
    return time.perf_counter() - started


def _in_turns(here: Store, made: list[_Dealer]) -> list[float]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda dealer: _sync(here, dealer), made))


def _changing(here: Store, made: list[_Dealer], minutes: float) -> tuple[list[float], float, list[float]]:
    """Every dealer changes its documents and syncs once a minute, at a moment of its own; the seconds of each sync,
    how many began late, and for each round the seconds from the first change to the last sync's end."""
    chance = random.Random(7)
    numbers = itertools.count()
    late = itertools.count()
    waits: list[float] = []
    rounds: list[float] = []
    for _ in range(max(1, round(minutes))):
        began = time.perf_counter()
        moments = sorted(((chance.random() * _MINUTE * 0.9, dealer) for dealer in made), key=lambda one: one[0])

        def work(planned: tuple[float, _Dealer], began: float = began) -> float:
            moment, dealer = planned
            threading.Event().wait(max(0.0, began + moment - time.perf_counter()))
            if time.perf_counter() - began - moment > 5:
                next(late)
            _change(dealer.book, dealer.code, next(numbers))
            return _sync(here, dealer)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waits += pool.map(work, moments)
        rounds.append(time.perf_counter() - began)
    return waits, float(next(late)), rounds


def _fed(head_office: Node) -> tuple[float, FeedReport]:
    started = time.perf_counter()
    report = feed_market(head_office)
    return time.perf_counter() - started, report


def _change(book: Database, code: str, number: int) -> None:
    wanted = [f"{code}:customer:{(number * CHANGES + each) % DOCUMENTS:05}" for each in range(CHANGES)]
    changed = [{**document, "city": f"Town {number}"} for document in book.get_many(wanted).values()]
    saving.save_many(book, changed, _BY)


def _compare(head_office: Node, made: list[_Dealer]) -> None:
    for dealer in made:
        there = {row.id: row.value["rev"] for row in head_office.book_of(dealer.code).all_docs()}
        missing = [row.id for row in dealer.book.all_docs() if there.get(row.id) != row.value["rev"]]
        missing = [id for id in missing if not str(id).startswith("_design/")]
        if missing:
            raise RuntimeError(f"{len(missing)} documents of {dealer.code} did not arrive, {missing[0]} among them.")


def _unfairness(seconds: list[float]) -> float:
    return max(seconds) / percentile(seconds, 0.5)
