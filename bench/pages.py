"""Pages a person waits for, asked over real HTTP of a real ``serve``, on a book of made-up documents."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.config import read_settings
from app.couch import Database
from app.design import installing
from app.node import Node, open_node
from app.project import ROOT
from app.security import users
from bench import synthetic
from bench.figures import Figure, figure, percentile

_DEALER = "D001"
_USER, _PASSWORD = "sales0", "a password for measuring"
_ROUNDS = 60
_BATCH = 1000
_START_PATIENCE = 120.0


@dataclass(frozen=True)
class Page:
    """A page to measure: what it is called, its addresses in turn, and its budget in milliseconds at p95."""

    name: str
    addresses: list[str]
    budget: float | None


def figures(documents: int = 10_000) -> list[Figure]:
    """The figures of a dealer's node with so many documents in its book."""
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder:
        data = Path(folder)
        port = _free_port()
        (data / "config.toml").write_text(f'[node]\ndealer = "{_DEALER}"\n[web]\nport = {port}\n', encoding="utf-8")
        with open_node(read_settings(data, {})) as node:
            count, customers, machines = _fill(node, documents)
        with _served(data, port):
            pass
        started = time.monotonic()
        with _served(data, port) as process:
            ready = time.monotonic() - started
            browser = _Browser(f"http://127.0.0.1:{port}")
            browser.sign_in()
            return [
                figure("pages", "serve ready, warm", ready, "s", 2.0),
                *_measure(browser, _pages(customers, machines), count),
                figure("pages", "serve and its store, resident", _resident_megabytes(process.pid), "MB", 150.0),
            ]


def _pages(customers: list[str], machines: list[str]) -> list[Page]:
    return [
        Page("customer's page", [f"/customers/{id}" for id in customers], 50.0),
        Page("list of customers", ["/lists/customers"], 100.0),
        Page("list of machines", ["/lists/machines"], 100.0),
        Page("machine's page", [f"/machines/{id}" for id in machines], None),
        Page("home", ["/?whose=all"], None),
        Page("parts desk", ["/parts-desk?days=90"], None),
    ]


def _fill(node: Node, documents: int) -> tuple[int, list[str], list[str]]:
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
    # As after a sync: whoever opens a page finds the indexes built.
    installing.install(node)
    users.add_user(node.local, _USER, _USER, ["sales"], _PASSWORD, node.role)
    return count, _spread(customers), _spread(machines)


def _write(database: Database, documents: list[dict[str, object]]) -> None:
    for result in database.bulk(documents):
        if result.error:
            raise RuntimeError(f"{result.id} was not written: {result.reason}")


def _spread(ids: list[str]) -> list[str]:
    """As many of the ids as are asked for in one measurement, from everywhere in the list."""
    return ids[:: max(1, len(ids) // _ROUNDS)][:_ROUNDS]


def _measure(browser: _Browser, pages: list[Page], count: int) -> list[Figure]:
    found = []
    for page in pages:
        for warm_up in range(5):
            browser.get(page.addresses[warm_up % len(page.addresses)])
        _wait_for_parts_desk(browser)
        times = []
        for number in range(_ROUNDS):
            started = time.perf_counter()
            browser.get(page.addresses[number % len(page.addresses)])
            times.append((time.perf_counter() - started) * 1000)
        found.append(figure("pages", f"{page.name}, {count:,} documents, p50", percentile(times, 0.5), "ms"))
        found.append(
            figure("pages", f"{page.name}, {count:,} documents, p95", percentile(times, 0.95), "ms", page.budget)
        )
    return found


def _wait_for_parts_desk(browser: _Browser) -> None:
    until = time.monotonic() + _START_PATIENCE
    while "Working out what every machine needs" in browser.get("/parts-desk"):
        if time.monotonic() > until:
            raise RuntimeError("The parts desk was not ready in time.")
        time.sleep(0.1)


class _Browser:
    """Asks for pages with the cookie of one session, on a new connection each time, as a first click does."""

    def __init__(self, address: str) -> None:
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))

    def get(self, path: str) -> str:
        with self._opener.open(self._address + path, timeout=60) as answer:
            return str(answer.read().decode("utf-8"))

    def sign_in(self) -> None:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/sign-in"))
        fields = {"csrf_token": token[1] if token else "", "name": _USER, "password": _PASSWORD}
        request = urllib.request.Request(  # noqa: S310 - this computer's own address
            f"{self._address}/sign-in", urllib.parse.urlencode(fields).encode(), {"Referer": self._address}
        )
        with self._opener.open(request, timeout=60) as answer:
            if "/sign-in" in answer.geturl():
                raise RuntimeError("Signing in did not work.")


@contextlib.contextmanager
def _served(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``ironbook serve`` in a process of its own, from its first answer until the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IRONBOOK_")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "app.cli", "serve", "--quiet", "--data", str(data)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(process, port)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"serve ended with {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("serve did not answer in time.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _resident_megabytes(pid: int) -> float:
    """The memory of a process and its children, what they share counted once where the system says how much that is."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    processes = [tuple(map(int, line.split())) for line in listing.splitlines() if len(line.split()) == 3]
    wanted = {pid}
    for _ in range(5):
        wanted |= {child for child, parent, _ in processes if parent in wanted}
    return sum(_own_kilobytes(process, kilobytes) for process, _, kilobytes in processes if process in wanted) / 1000


def _own_kilobytes(pid: int, resident: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return resident
    shares = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(shares[1]) if shares else resident
