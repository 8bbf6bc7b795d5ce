"""Opening a node: its databases are its own, and its store comes back when it was killed."""

import json
import os
import signal
import time
from dataclasses import replace

import pytest

from app.config import read_settings
from app.documents import saving
from app.documents.ids import document_id, new_key
from app.errors import ConfigurationError
from app.node import open_node

PATIENCE = 20.0


def save_customer(node):
    customer = {
        "_id": document_id(node.dealer, "customer", new_key()),
        "type": "customer",
        "dealer": node.dealer,
        "share": "manufacturer",
        "name": "Steinbruch Nord",
    }
    return saving.save(node.book, customer, "sara").document["_id"]


def refusal(settings):
    with pytest.raises(ConfigurationError) as refused, open_node(settings):
        pass
    return str(refused.value)


def test_a_dealers_databases_are_not_opened_as_the_manufacturers(dealer_node):
    said = refusal(replace(dealer_node.settings, role="manufacturer", dealer=""))
    assert "holds the databases of a dealer" in said
    assert set(dealer_node.store.names()) == {"book", "catalog", "local"}


def test_the_manufacturers_databases_are_not_opened_as_a_dealers(manufacturer_node):
    said = refusal(replace(manufacturer_node.settings, role="dealer", dealer="D001"))
    assert "holds the databases of the manufacturer" in said
    assert "book" not in manufacturer_node.store.names()


def test_a_dealers_book_is_not_opened_as_another_dealers(dealer_node):
    save_customer(dealer_node)
    said = refusal(replace(dealer_node.settings, dealer="D042"))
    assert "holds the book of the dealer D001, and node.dealer is D042" in said


def test_a_mistyped_dealer_code_can_be_corrected_while_the_book_is_empty(dealer_node):
    with open_node(replace(dealer_node.settings, dealer="D042")) as node:
        assert node.dealer == "D042"


def test_a_killed_store_is_started_again_at_its_address_with_all_it_acknowledged(tmp_path):
    with open_node(read_settings(tmp_path, {})) as node:
        customer = save_customer(node)
        process = node.store_process
        assert process is not None
        assert not process.revive()
        url = node.store.url
        note = json.loads((tmp_path / "store" / "running.json").read_text(encoding="utf-8"))
        os.kill(note["pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
        until = time.monotonic() + PATIENCE
        while not process.revive():
            assert time.monotonic() < until
        assert node.store.url == url
        assert node.book.get(customer)["name"] == "Steinbruch Nord"


def test_a_node_takes_over_the_store_of_a_process_that_ended_once_nobody_else_has_it(tmp_path):
    settings = read_settings(tmp_path, {})
    with open_node(settings) as first:
        customer = save_customer(first)
        attached = open_node(settings)
        node = attached.__enter__()
    try:
        process = node.store_process
        assert process is not None
        with open_node(settings), pytest.raises(ConfigurationError, match="another process has begun to use"):
            process.revive()
        assert process.revive()
        assert node.store.url == first.store.url
        assert node.book.get(customer)["name"] == "Steinbruch Nord"
    finally:
        attached.__exit__(None, None, None)


def test_what_is_done_while_the_store_starts_is_done_once_and_before_the_node_is_there(tmp_path):
    done = []
    with open_node(read_settings(tmp_path, {}), meanwhile=lambda: done.append("loaded")) as node:
        assert done == ["loaded"]
        assert node.store.up()


def test_a_store_whose_starter_fails_meanwhile_is_ended(tmp_path):
    def fail():
        raise KeyError("a module that is not there")

    settings = read_settings(tmp_path, {})
    with pytest.raises(KeyError), open_node(settings, meanwhile=fail):
        pass
    with open_node(settings) as node:
        assert node.store.up()
