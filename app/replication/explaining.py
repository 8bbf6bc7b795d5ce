"""Why is this document not over there? Answers in sentences, for the command line and a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.errors import IronbookError
from app.node import book_name
from app.replication.connections import Connection, connections, upstream
from app.replication.failures import failure_of
from app.replication.refusals import refusals_of
from app.replication.state import State, read_states
from app.replication.status import ago

if TYPE_CHECKING:
    from app.node import Node


class UnknownDocument(IronbookError):  # noqa: N818
    """This node's book never had a document of that id."""


def why(node: Node, document_id: str) -> list[str]:
    """What is known about a document and its way to every upstream, one fact a sentence, the decisive ones last.

    Raises UnknownDocument on a dealer's node for an id its book does not know.
    """
    if node.is_manufacturer:
        return _at_the_manufacturer(node, document_id)
    leaves = node.book.leaves(document_id)
    if not leaves:
        raise UnknownDocument(
            f"This node's book has no document {document_id}, and never had one that it still knows of."
        )
    said = _about(leaves)
    known = connections(node)
    if not known:
        return [*said, "This node has no connection, so nothing leaves it."]
    states = read_states(node)
    for connection in known:
        said += _over(node, connection, states.get(connection.name, State()), document_id, leaves)
    return said


def _about(leaves: Sequence[dict[str, Any]]) -> list[str]:
    living = [leaf for leaf in leaves if not leaf.get("_deleted")]
    if not living:
        last = max(leaves, key=lambda leaf: str(leaf.get("deleted_at", "")))
        if not last.get("deleted_by"):
            return [
                "It was deleted here by a program that did not say who and when; such a deletion stays on this node."
            ]
        return [f"It was deleted by {last['deleted_by']} at {last.get('deleted_at', 'an unknown time')}."]
    newest = max(living, key=lambda leaf: str(leaf.get("updated_at", "")))
    who, when = newest.get("updated_by") or "nobody known", newest.get("updated_at", "an unknown time")
    said = [f"It was last changed by {who} at {when}."]
    if len(living) > 1:
        said.append(f"It has {len(living)} concurrent versions here, which the next sync merges.")
    return said


def _over(
    node: Node, connection: Connection, state: State, document_id: str, leaves: Sequence[dict[str, Any]]
) -> list[str]:
    name = connection.name
    carried = [leaf for leaf in leaves if connection.shares_all or leaf.get("share") == "manufacturer"]
    if not carried:
        return [f"{name}: it is shared within the dealership only, so it never goes there."]
    said = [f"{name}: {_way(state)}"] if _way(state) else []
    for refused in (entry for entry in refusals_of(node, document_id) if entry.connection == name):
        side = "over there" if refused.direction == "push" else "here"
        said.append(f"{name}: it is refused {side} since {refused.since}: {refused.reason}")
    try:
        there = upstream(node, connection).database(connection.book)
        missing = there.revs_diff({document_id: [leaf["_rev"] for leaf in carried]})
    except StoreError as error:
        return [*said, f"{name}: {failure_of(error, connection.url, connection.user).sentence}"]
    except IronbookError as error:
        return [*said, f"{name}: {error}"]
    if missing:
        return [*said, f"{name}: what was saved here last is not over there yet; the next sync sends it."]
    return [*said, f"{name}: it is over there, as it is here."]


def _way(state: State) -> str:
    """What keeps a connection from syncing, or when it did; empty when there is nothing to say."""
    if state.paused:
        return "syncing is paused."
    if state.failing_since:
        return f"syncs have been failing since {state.failing_since}. {state.sentence}"
    if not state.last_success:
        return "it never synced yet."
    return f"synced {ago(state.last_success, datetime.now(UTC))}."


def _at_the_manufacturer(node: Node, document_id: str) -> list[str]:
    dealer = document_id.split(":", 1)[0]
    name = book_name(dealer)
    if name not in node.books():
        return [f"There is no dealer {dealer} here, whose document {document_id} could be."]
    leaves = node.store.database(name).leaves(document_id)
    if not leaves:
        return [
            f"The dealer's replica {name} does not have it: it is private to the dealership, was not sent yet, or was "
            f"refused; the dealer's own node can say which."
        ]
    said = _about(leaves)
    if _has_all(node.market, document_id, leaves):
        return [*said, f"It is in {name} and in the market."]
    return [*said, f"It is in {name}, and comes into the market the next time it is fed, within a minute."]


def _has_all(database: Database, document_id: str, leaves: Sequence[dict[str, Any]]) -> bool:
    return not database.revs_diff({document_id: [leaf["_rev"] for leaf in leaves]})
