"""Pages a person waits for, asked over real HTTP of a real ``serve``, on a book of made-up documents.

A book of 1,000 documents is served beside the large one, and their customer's pages are asked for in turns: what else
the computer does then slows both, and their ratio says what the size of the book costs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from app.config import read_settings
from app.couch import Database
from app.design.indexes import IndexKeeper
from app.node import Node, open_node
from app.security import users
from app.steps import Steps
from bench import synthetic
from bench.figures import Figure, figure, percentile
from bench.processes import processor_seconds, proportional_megabytes, resident_megabytes
from bench.serving import Browser, Served, served

_DEALER = "D001"
_USER, _PASSWORD = "sales0", "a password for measuring"
_SMALL = 1_000
_ROUNDS = 60
_WARM_UPS = 5
_STARTS = 3
_BATCH = 1000
# Nobody is left without a word for longer than this, in milliseconds: pages that have no budget of their own.
_WITHOUT_A_WORD = 1000.0


@dataclass(frozen=True)
class Page:
    """A page to measure: what it is called, its addresses in turn, and its budget in milliseconds at p95."""

    name: str
    addresses: list[str]
    budget: float = _WITHOUT_A_WORD


@dataclass(frozen=True)
class _Book:
    """A data folder with a book in it: so many documents, and ids from everywhere in it."""

    data: Path
    count: int
    customers: list[str]
    machines: list[str]


def figures(documents: int = 10_000, quiet: bool = False) -> list[Figure]:
    """The figures of a dealer's node with so many documents in its book."""
    steps = Steps(quiet)
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder, ExitStack() as running:
        with steps.step("fill", f"Filling a book with {documents:,} documents, and one with {_SMALL:,}"):
            large = _fill(Path(folder) / "large", documents)
            # A book that is no larger than the small one stands beside itself.
            small = _fill(Path(folder) / "small", _SMALL) if documents > _SMALL else large
        with steps.step("parts desk", "Starting, and letting the parts desk read its book"), served(large.data) as node:
            desk = _signed_in(node).wait_for_parts_desk()
        with steps.step("starts", f"Starting {_STARTS} times"):
            earlier = [_seconds_until_ready(large.data) for _ in range(_STARTS - 1)]
            node = running.enter_context(served(large.data))
            ready = min([*earlier, node.ready])
        beside = node if small is large else running.enter_context(served(small.data))
        with steps.step("pages", "Asking for pages"):
            browser = _signed_in(node)
            found = _first_views(browser, large)
            found += _beside_each_other(node, browser, large, beside, small)
            for page in _pages(large):
                found += _measure(node, browser, page, large.count)
            found += _after_changes(node, browser, large)
        return [
            figure("pages", f"serve ready, warm, best of {_STARTS}", ready, "s", 2.0),
            figure("pages", f"parts desk, first reading of {large.count:,} documents (with progress)", desk, "s"),
            *found,
            *_memory(node),
        ]


def _pages(book: _Book) -> list[Page]:
    return [
        Page("customer's page", [f"/customers/{id}" for id in book.customers], 50.0),
        Page("list of customers", ["/lists/customers"], 100.0),
        Page("list of machines", ["/lists/machines"], 100.0),
        Page("machine's page", [f"/machines/{id}" for id in book.machines]),
        Page("home", ["/?whose=all"]),
        Page("home, not visited", ["/home/not-visited?whose=all"]),
        Page("parts desk", ["/parts-desk?days=90"]),
        Page("parts desk by customer", ["/parts-desk?days=90&by=customer"]),
        Page("search box", [f"/search?q={word}" for word in ("gravel", "1000", "quarry", "F12", "660")]),
        Page("birthdays", ["/birthdays"]),
        Page("replication", ["/replication"]),
    ]


def _fill(data: Path, documents: int) -> _Book:
    data.mkdir()
    (data / "config.toml").write_text(f'[node]\ndealer = "{_DEALER}"\n', encoding="utf-8")
    with open_node(read_settings(data, {})) as node:
        today = node.today()
        _write(node.catalog, synthetic.catalog(today))
        count = 0
        customers: list[str] = []
        machines: list[str] = []
        remaining = synthetic.book(documents, today, _DEALER)
        while batch := list(islice(remaining, _BATCH)):
            count += len(batch)
            customers += [document["_id"] for document in batch if document["type"] == "customer"]
            machines += [document["_id"] for document in batch if document["type"] == "machine"]
            _write(node.book, batch)
        _finish(node)
    return _Book(data, count, _spread(customers), _spread(machines))


def _finish(node: Node) -> None:
    """As a few seconds after a sync: whoever opens a page finds the indexes built."""
    IndexKeeper(node).build()
    users.add_user(node.local, _USER, _USER, ["sales"], _PASSWORD, node.role)


def _write(database: Database, documents: list[dict[str, object]]) -> None:
    for result in database.bulk(documents):
        if result.error:
            raise RuntimeError(f"{result.id} was not written: {result.reason}")


def _spread(ids: list[str]) -> list[str]:
    """As many of the ids as are asked for in one measurement, from everywhere in the list."""
    return ids[:: max(1, len(ids) // _ROUNDS)][:_ROUNDS]


def _signed_in(node: Served) -> Browser:
    browser = Browser(node.address)
    browser.sign_in(_USER, _PASSWORD)
    return browser


def _seconds_until_ready(data: Path) -> float:
    with served(data) as node:
        return node.ready


def _first_views(browser: Browser, book: _Book) -> list[Figure]:
    """What is asked for first after a start, when nothing is in memory yet."""
    pages = [
        Page("home", ["/?whose=all"]),
        Page("parts desk", ["/parts-desk?days=90"]),
        Page("customer's page", [f"/customers/{book.customers[0]}"]),
        Page("list of customers", ["/lists/customers"]),
    ]
    return [
        figure("pages", f"{page.name}, first view after a start", browser.timed(page.addresses[0]), "ms", page.budget)
        for page in pages
    ]


def _beside_each_other(node: Served, browser: Browser, large: _Book, beside: Served, small: _Book) -> list[Figure]:
    """The customer's page of both books, and a bare document from the large one's store, in turns."""
    other, book = _signed_in(beside), node.store().database("book")
    other.wait_for_parts_desk()

    def document(id: str) -> float:
        started = time.perf_counter()
        book.get(id)
        return (time.perf_counter() - started) * 1000

    times: dict[str, list[float]] = {"large": [], "small": [], "document": []}
    for number in range(_WARM_UPS + _ROUNDS):
        id = large.customers[number % len(large.customers)]
        taken = {
            "large": browser.timed(f"/customers/{id}"),
            "small": other.timed(f"/customers/{small.customers[number % len(small.customers)]}"),
            "document": document(id),
        }
        for which, milliseconds in taken.items():
            times[which] += [milliseconds] if number >= _WARM_UPS else []
    p50 = {which: percentile(values, 0.5) for which, values in times.items()}
    return [
        figure("pages", f"customer's page, {large.count:,} documents, in turns, p50", p50["large"], "ms"),
        figure("pages", f"customer's page, {small.count:,} documents, in turns, p50", p50["small"], "ms"),
        figure(
            "pages", "customer's page, the larger over the smaller (p50)", p50["large"] / p50["small"], "times", 1.5
        ),
        figure("pages", "one document from the store, in turns, p50", p50["document"], "ms"),
        figure("pages", "customer's page over one document (p50)", p50["large"] / p50["document"], "times"),
    ]


def _measure(node: Served, browser: Browser, page: Page, count: int) -> list[Figure]:
    for warm_up in range(_WARM_UPS):
        browser.get(page.addresses[warm_up % len(page.addresses)])
    before = processor_seconds(node.pid)
    times = [browser.timed(page.addresses[number % len(page.addresses)]) for number in range(_ROUNDS)]
    after = processor_seconds(node.pid)
    name = f"{page.name}, {count:,} documents"
    found = [
        figure("pages", f"{name}, p50", percentile(times, 0.5), "ms"),
        figure("pages", f"{name}, p95", percentile(times, 0.95), "ms", page.budget),
    ]
    if before is not None and after is not None:
        found.append(figure("pages", f"{name}, processor time", (after - before) / _ROUNDS * 1000, "ms"))
    return found


def _after_changes(node: Served, browser: Browser, book: _Book) -> list[Figure]:
    """The pages that follow the book, each after a change: another machine has new hours every time."""
    store = node.store().database("book")
    views: list[tuple[str, Callable[[int], str]]] = [
        ("customer's page", lambda number: f"/customers/{book.customers[number % len(book.customers)]}"),
        ("home", lambda _: "/?whose=all"),
        ("parts desk", lambda _: "/parts-desk?days=90"),
    ]
    found = []
    for name, address in views:
        times = []
        for number in range(max(1, _ROUNDS // 3)):
            _write(store, [_reading(book.machines[number % len(book.machines)], name, number)])
            times.append(browser.timed(address(number)))
        p95 = percentile(times, 0.95)
        found.append(figure("pages", f"{name}, right after a change, p95", p95, "ms", _WITHOUT_A_WORD))
    return found


def _reading(machine: str, page: str, number: int) -> dict[str, object]:
    """A reading of a day that has none: each page's changes are on days of their own."""
    day = date(1990 + len(page), 1, 1) + timedelta(days=number)
    return synthetic.reading(_DEALER, machine, day, 1.0 + number)


def _memory(node: Served) -> list[Figure]:
    """After all these pages. Some systems do not say what two processes share."""
    shared_once = proportional_megabytes(node.pid)
    found = [figure("pages", "serve and its store, resident (RSS)", resident_megabytes(node.pid), "MB", 150.0)]
    if shared_once is not None:
        found.append(figure("pages", "the same, what they share counted once (PSS)", shared_once, "MB"))
    return found
