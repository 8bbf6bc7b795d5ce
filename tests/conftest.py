"""What every test can ask for: a store, databases on it, running nodes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from leftovers import leave_nothing

from app.config import Settings, read_settings
from app.couch import Database, Store
from app.node import Node, open_node

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="search longer: more examples, kills, bad requests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--thorough"):
        return
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason="the long version; run with --thorough"))


_CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether the long version of a search was asked for."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Address, user and password of the store that all tests of a session share under different prefixes."""
    outside = os.environ.get("IRONBOOK_COUCHDB_URL")
    if outside:
        parts = urllib.parse.urlsplit(outside)
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        yield address, urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")
        return
    import embedded

    password = secrets.token_urlsafe(12)
    with embedded.start(tmp_path_factory.mktemp("shared-store"), admin=("ironbook", password)) as running:
        yield running.url, "ironbook", password


@pytest.fixture
def store(store_server: tuple[str, str, str]) -> Iterator[Store]:
    """A store with no databases: an embedded one, or ``IRONBOOK_COUCHDB_URL`` under a random prefix."""
    store = Store(*store_server, prefix=f"test-{secrets.token_hex(5)}-")
    yield store
    leave_nothing(store)


@pytest.fixture
def database(store: Store) -> Database:
    """An empty database."""
    return store.create("things")


@contextlib.contextmanager
def nodes(store_server: tuple[str, str, str], folder: Path) -> Iterator[Callable[..., Node]]:
    """``make(role, dealer="D001", **settings)`` opens a node on databases of its own; all are closed at the end.

    The nodes share one store under different prefixes, as several nodes on one CouchDB do.
    """
    from app.secrets import STORE, Secrets

    url, user, password = store_server
    with contextlib.ExitStack() as open_nodes:

        def make(role: str = "dealer", dealer: str = "D001", **changes: object) -> Node:
            data = folder / f"{role}-{dealer}-{secrets.token_hex(3)}"
            data.mkdir()
            Secrets(data).set(STORE, password)
            settings: Settings = replace(
                read_settings(data, {}),
                role=role,
                dealer=dealer if role == "dealer" else "",
                name=f"{role} {dealer}",
                store_url=url,
                store_user=user,
                store_prefix=f"test-{secrets.token_hex(5)}-",
                **changes,  # type: ignore[arg-type]
            )
            node = open_nodes.enter_context(open_node(settings))
            open_nodes.callback(leave_nothing, node.store)
            return node

        yield make


@pytest.fixture
def make_node(store_server: tuple[str, str, str], tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """:func:`nodes` for one test."""
    with nodes(store_server, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_module_node(
    store_server: tuple[str, str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Node]]:
    """:func:`nodes` for all tests of a module, which have to leave one another alone."""
    with nodes(store_server, tmp_path_factory.mktemp("nodes")) as make:
        yield make


@pytest.fixture
def dealer_node(make_node: Callable[..., Node]) -> Node:
    """A running node of the dealer D001, with its design installed and no documents."""
    return make_node("dealer")


@pytest.fixture
def manufacturer_node(make_node: Callable[..., Node]) -> Node:
    """A running node of the manufacturer, with its design installed and no documents."""
    return make_node("manufacturer")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the test command installs it where it can.

    One for all tests of a module, and closed with it: while it is open, its thread counts as one with a running event
    loop, in which neither another of its kind nor anything of asyncio can be started.
    """
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is missing: install it to run the browser tests.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
