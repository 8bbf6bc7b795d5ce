"""A store to test: an embedded one in a process of its own, or the CouchDB at IRONBOOK_COUCHDB_URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from couch_requests import ADMIN, Couch

import embedded


@pytest.fixture(scope="session")
def couch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Couch]:
    given = os.environ.get("IRONBOOK_COUCHDB_URL")
    if given:
        parts = urlsplit(given)
        yield Couch(
            f"{parts.scheme}://{parts.hostname}:{parts.port or 5984}",
            (parts.username or "admin", parts.password or ""),
            is_embedded=False,
        )
        return
    with embedded.start(tmp_path_factory.mktemp("store"), admin=ADMIN) as running:
        yield Couch(running.url, ADMIN)


@pytest.fixture
def store_url(couch: Couch) -> str:
    return couch.url


@pytest.fixture
def db(couch: Couch) -> Iterator[str]:
    """The path of a new database, `/name`, deleted afterwards."""
    path = f"/{couch.database()}"
    yield path
    couch.delete(path)
