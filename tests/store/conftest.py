"""The store under test: an embedded one of its own, or the CouchDB at IRONBOOK_COUCHDB_URL (with admin credentials)."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Iterator

import pytest
from plain_http import Address, Client

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def is_couchdb() -> bool:
    return "IRONBOOK_COUCHDB_URL" in os.environ


@pytest.fixture(scope="session")
def address(is_couchdb: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """The server all tests of a session share; each makes databases of its own."""
    if is_couchdb:
        parts = urllib.parse.urlsplit(os.environ["IRONBOOK_COUCHDB_URL"])
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        yield Address(url, urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or ""))
        return
    import embedded

    with embedded.start(tmp_path_factory.mktemp("store"), admin=("admin", PASSWORD)) as store:
        yield Address(store.url.rstrip("/"), "admin", PASSWORD)


@pytest.fixture
def client(address: Address) -> Iterator[Client]:
    """The admin."""
    client = Client(address, (address.user, address.password))
    yield client
    client.close()
