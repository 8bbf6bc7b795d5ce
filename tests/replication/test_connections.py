"""Connections are made, changed and forgotten on a page; nothing half-done, no password where it does not belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from trading import Trade, make

from app.config import ConnectionSettings
from app.errors import ConfigurationError
from app.node import Node
from app.replication import connections
from app.replication.passes import run_pass
from app.replication.state import read_state

VALUES: dict[str, Any] = {
    "name": "manufacturer",
    "url": "http://127.0.0.1:5984",
    "user": "dealer-d001",
    "catalog": "catalog",
    "book": "book-d001",
    "share": "manufacturer",
    "every_minutes": 15,
}


def test_a_connection_is_kept_and_its_password_is_among_the_secrets_only(dealer_node: Node) -> None:
    made = connections.save_connection(dealer_node, VALUES, "a secret")
    assert connections.connections(dealer_node) == [made]
    assert connections.password_of(dealer_node, made) == "a secret"
    assert "a secret" not in str(dealer_node.local.get("connection:manufacturer"))
    assert "a secret" not in repr(connections.upstream(dealer_node, made))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "Head Office"}, "small letters"),
        ({"url": "hq.example"}, "address"),
        ({"url": "http://user:secret@hq.example"}, "password"),
        ({"user": ""}, "user"),
        ({"book": "Book D001"}, "database"),
        ({"share": "everybody"}, "share"),
        ({"every_minutes": -1}, "every_minutes"),
        ({"every_minutes": "often"}, "every_minutes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_in_one_sentence_and_nothing_is_kept(
    dealer_node: Node, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word) as refused:
        connections.save_connection(dealer_node, {**VALUES, **change}, "a secret")
    assert str(refused.value).endswith(".")
    assert "secret@" not in str(refused.value).replace("user:secret@", "")
    assert connections.connections(dealer_node) == []
    assert dealer_node.secrets.get("connection:manufacturer") is None


def test_a_connection_without_a_password_is_refused(dealer_node: Node) -> None:
    with pytest.raises(ConfigurationError, match="password"):
        connections.save_connection(dealer_node, VALUES)
    assert connections.connections(dealer_node) == []


def test_a_change_without_a_password_keeps_the_one_there_is(dealer_node: Node) -> None:
    connections.save_connection(dealer_node, VALUES, "a secret")
    changed = connections.save_connection(dealer_node, {**VALUES, "every_minutes": 5})
    assert connections.connections(dealer_node) == [changed]
    assert connections.password_of(dealer_node, changed) == "a secret"


def test_a_connection_of_the_configuration_is_read_only(make_node: Callable[..., Node]) -> None:
    node = make_node("dealer", connections=(ConnectionSettings("manufacturer", "http://127.0.0.1:9", "dealer-d001"),))
    assert [(each.name, each.configured) for each in connections.connections(node)] == [("manufacturer", True)]
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        connections.save_connection(node, VALUES, "a secret")
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        connections.remove_connection(node, "manufacturer")


def test_an_unknown_connection_is_named_with_those_there_are(trade: Trade) -> None:
    with pytest.raises(connections.UnknownConnection, match="manufacturer"):
        connections.find_connection(trade.dealer, "upstairs")


def test_removing_a_connection_keeps_the_documents_and_forgets_the_rest(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    connections.remove_connection(trade.dealer, "manufacturer")
    assert connections.connections(trade.dealer) == []
    assert trade.dealer.secrets.get("connection:manufacturer") is None
    assert read_state(trade.dealer, "manufacturer").passes == 0
    assert trade.dealer.book.get(made["_id"]) is not None


def test_another_upstream_starts_from_nothing(trade: Trade) -> None:
    make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    document = trade.dealer.local.get("connection:manufacturer")
    assert document is not None
    values = {name: document[name] for name in VALUES} | {"url": "http://127.0.0.1:9"}
    connections.save_connection(trade.dealer, values)
    assert read_state(trade.dealer, "manufacturer").pushed_seq == 0


def test_a_missing_password_is_a_failure_that_waits_for_a_person(trade: Trade) -> None:
    trade.dealer.secrets.remove("connection:manufacturer")
    result = run_pass(trade.dealer, trade.connection)
    assert "no password" in result.error
    assert read_state(trade.dealer, "manufacturer").stopped
