"""Why is this document not over there? Answers in sentences, for the command line and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.documents.disputes import DELETED, open_disputes
from app.errors import IronbookError
from app.node import book_name
from app.replication.connections import Connection, carries, connections, password_of
from app.replication.failures import failure_of
from app.replication.passwords import has_joined, reach
from app.replication.refusals import refusals_of
from app.replication.reports import read_reports
from app.replication.sequences import changes_from
from app.replication.state import State, read_states
from app.replication.status import ago
from app.words import counted

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
    said = [f"It was last changed by {_by_and_at(newest)}."]
    if len(living) > 1:
        said.append(f"It has {len(living)} concurrent versions here, which the next sync merges.")
    disputes = [each for leaf in living for each in open_disputes(leaf)]
    if disputes:
        fields = sorted({"its deletion" if each["field"] == DELETED else str(each["field"]) for each in disputes})
        said.append(
            f"It has {counted(len(disputes), 'open dispute')} about {', '.join(fields)}; "
            f"the values travel with it until somebody decides."
        )
    return said


def _by_and_at(leaf: Mapping[str, Any]) -> str:
    if leaf.get("_deleted"):
        return f"{leaf.get('deleted_by') or 'nobody known'} at {leaf.get('deleted_at') or 'an unknown time'}"
    return f"{leaf.get('updated_by') or 'nobody known'} at {leaf.get('updated_at') or 'an unknown time'}"


def _over(
    node: Node, connection: Connection, state: State, document_id: str, leaves: Sequence[dict[str, Any]]
) -> list[str]:
    name = connection.name
    carried = [leaf for leaf in leaves if carries(connection, leaf)]
    if not carried:
        if not any(leaf.get("share") for leaf in leaves):
            return [f"{name}: it does not say with whom it is shared, so no sync carries it."]
        return [f"{name}: it is shared within the dealership only, so it never goes there."]
    said = [f"{name}: {way_of(state)}"] if way_of(state) else []
    refusals = [entry for entry in refusals_of(node, document_id) if entry.connection == name]
    for refused in refusals:
        side = "over there" if refused.direction == "push" else "here"
        said.append(f"{name}: it is refused {side} since {refused.since}: {refused.reason}")
    try:
        there = reach(node, connection, password_of(node, connection)).database(connection.book)
        known = there.leaves(document_id)
        missing_there = there.revs_diff({document_id: [leaf["_rev"] for leaf in carried]})
    except StoreError as error:
        found = failure_of(error, connection.url, connection.user, has_joined(node, name))
        return [*said, f"{name}: {found.sentence}"]
    except IronbookError as error:
        return [*said, f"{name}: {error}"]
    missing_here = node.book.revs_diff({document_id: [leaf["_rev"] for leaf in known]}) if known else {}
    lacking = {"push": missing_there, "pull": missing_here}
    current = {leaf["_rev"] for leaf in (*carried, *known)}
    if any(lacking[refused.direction] and refused.rev in current for refused in refusals):
        return [*said, f"{name}: it is offered again at every sync, and arrives once it is corrected or allowed."]
    unsent = not missing_there or not state.last_success or _changed_since_the_push(node, state, document_id)
    here = "it" if any(not leaf.get("_deleted") for leaf in carried) else "its deletion"
    return [*said, f"{name}: {_difference(here, known, bool(missing_there), bool(missing_here), unsent)}"]


def _difference(
    here: str, there: Sequence[dict[str, Any]], missing_there: bool, missing_here: bool, unsent: bool
) -> str:
    """How the other side has it, in a sentence (pure).

    `here` is what this side has, a document or its deletion; `there` are its leaves over there.
    """
    if not there:
        if unsent:
            return f"{here} is not over there yet; the next sync sends it."
        return (
            f"{here} was sent and is not over there any more: it was purged there, or an older state was restored. "
            "A sync that compares everything sends it again."
        )
    newest = max(there, key=lambda leaf: (not leaf.get("_deleted"), str(leaf.get("updated_at", ""))))
    over_there = f"{'deleted' if newest.get('_deleted') else 'last changed'} by {_by_and_at(newest)}"
    if missing_there and missing_here:
        return (
            f"what was saved here last is not over there yet, and there it was {over_there}; the next sync brings both "
            "together."
        )
    if missing_there:
        sends = "the next sync sends it" if unsent else "a sync that compares everything sends it"
        return f"what was saved here last is not over there yet; {sends}. Over there it was {over_there}."
    if missing_here:
        return f"over there it was {over_there}, which is not here yet; the next sync brings it."
    return "it is over there, as it is here." if here == "it" else f"{here} is over there as well."


def _changed_since_the_push(node: Node, state: State, document_id: str) -> bool:
    return bool(changes_from(node.book, state.pushed_seq, doc_ids=[document_id]).results)


def way_of(state: State) -> str:
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
    refusals = [
        f"It is refused {'here' if each.direction == 'push' else 'there'} since {each.since}, says the computer "
        f"{report.name or 'without a name'} of the dealer: {each.reason}"
        for report in read_reports(node.store.database(name))
        for each in report.refusals
        if each.document_id == document_id
    ]
    if not leaves:
        return [
            f"The dealer's replica {name} does not have it: "
            + ("" if refusals else "it is private to the dealership, was not sent yet, or was refused; ")
            + "the dealer's own node can say more.",
            *refusals,
        ]
    said = [*_about(leaves), *refusals]
    if _has_all(node.market, document_id, leaves):
        return [*said, f"It is in {name} and in the market."]
    return [*said, f"It is in {name}, and comes into the market the next time it is fed, within a minute."]


def _has_all(database: Database, document_id: str, leaves: Sequence[dict[str, Any]]) -> bool:
    return not database.revs_diff({document_id: [leaf["_rev"] for leaf in leaves]})
