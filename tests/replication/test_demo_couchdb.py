"""The demo with head office's databases on a CouchDB that it was given."""

import contextlib
import secrets
from functools import cache

import pytest
from leftovers import leave_nothing

from app.couch import Store
from app.demo import business, filling
from app.demo.folders import DEALERS, DemoFolders, OutsideCouch, free_port
from app.demo.preparing import prepare
from app.errors import IronbookError
from app.node import open_node
from app.steps import Steps

DATABASES = ["book-d001", "book-d002", "catalog", "forecast", "local", "market"]


@contextlib.contextmanager
def a_couch(store_server):
    """The store of these tests as a CouchDB for the demo, under a prefix of its own."""
    url, user, password = store_server
    outside = OutsideCouch(url, user, password, prefix=f"test-{secrets.token_hex(5)}-")
    yield outside
    leave_nothing(store_of(outside))


@pytest.fixture
def couch(store_server):
    """A CouchDB for one demo."""
    with a_couch(store_server) as outside:
        yield outside


@pytest.fixture
def folders(tmp_path):
    return DemoFolders(tmp_path / "demo")


@pytest.fixture(scope="module")
def started(small_business, store_server, tmp_path_factory):
    """A demo on a CouchDB, for tests that change nothing of it: the CouchDB and the demo's folders."""
    with a_couch(store_server) as outside:
        folders = DemoFolders(tmp_path_factory.mktemp("started") / "demo")
        start(folders, outside)
        yield outside, folders


@cache
def few(dealer, today, whole=business.book_documents):
    return whole(dealer, today)[:60]


@pytest.fixture(scope="module", autouse=True)
def small_business():
    """A few dozen documents say as much here as thousands."""
    catalog = business.catalog_documents
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(business, "book_documents", few)
        patch.setattr(business, "catalog_documents", lambda today: catalog(today)[:30])
        yield


def store_of(couch):
    return Store(couch.url, couch.user, couch.password, couch.prefix)


def start(folders, couch, reset=False):
    prepare(folders, [free_port() for _ in range(4)], couch, reset, Steps(quiet=True))


def test_head_offices_databases_are_there_under_the_prefix_and_the_password_is_in_no_other_file(started):
    couch, folders = started
    store = store_of(couch)
    assert store.names() == DATABASES
    for code in DEALERS:
        customers = f"{code}:customer:"
        found = store.database(f"book-{code.lower()}").all_docs(startkey=customers, endkey=customers + "\ufff0").rows
        assert len(found) >= 40
    holding = [
        path.name for path in folders.root.rglob("*") if path.is_file() and couch.password.encode() in path.read_bytes()
    ]
    assert holding == ["secrets.json"]


def test_a_second_start_keeps_what_was_done_and_a_reset_removes_the_demos_databases_only(couch, folders):
    others = Store(couch.url, couch.user, couch.password, f"test-{secrets.token_hex(5)}-")
    others.create("strangers")
    try:
        start(folders, couch)
        store_of(couch).database("local").put({"_id": "note:kept"})
        start(folders, couch)
        assert store_of(couch).database("local").get("note:kept")
        start(folders, couch, reset=True)
        assert store_of(couch).database("local").get("note:kept") is None
        assert store_of(couch).names() == DATABASES
        assert others.names() == ["strangers"]
    finally:
        others.delete("strangers")


def test_what_an_interrupted_start_left_is_made_anew_and_complete(couch, folders):
    start(folders, couch)
    (folders.root / "ready.json").unlink()
    start(folders, couch)
    assert folders.ready
    with open_node(folders.settings(folders.dealer("D001"))) as node:
        assert filling.count_types(node.book).total() == 60


def test_a_demo_from_another_folder_is_not_removed_without_being_asked(started, tmp_path):
    couch, _ = started
    with pytest.raises(IronbookError, match="from another folder"):
        start(DemoFolders(tmp_path / "second"), couch)
    assert store_of(couch).names() == DATABASES


def test_a_demo_is_not_started_with_its_databases_elsewhere(started):
    couch, folders = started
    with pytest.raises(IronbookError, match="start it in the same way"):
        start(folders, None)
    assert folders.couch_address() == couch.url


def test_a_wrong_password_removes_nothing(started):
    couch, folders = started
    wrong = OutsideCouch(couch.url, f"nobody-{secrets.token_hex(4)}", "wrong", couch.prefix)
    with pytest.raises(IronbookError, match="does not accept"):
        start(folders, wrong, reset=True)
    assert folders.ready
    assert store_of(couch).names() == DATABASES
