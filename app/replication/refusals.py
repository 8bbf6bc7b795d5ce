"""Which documents one side does not take from the other, and why.

The replicator counts a refused document, moves its checkpoint past it and answers success; it is never tried again.
So after a pass that counted one, the documents that changed since the last pass are compared by revision, those that
are missing are offered once more to hear the reason, and each is listed in ``local`` as
``refused:<connection>:<document id>`` until the other side has it. At every pass those that changed since are offered
again, and of the others as many as a batch, in turn, and the next batch as long as all of one are taken: so a
correction on either side is enough, and a book of which nothing is taken is not sent whole at every pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError, Unreachable, WrongPassword
from app.replication.connections import Connection, carries
from app.replication.sequences import changes_from

if TYPE_CHECKING:
    from app.node import Node

_BATCH = 200
# Statuses that say something about the other side at this moment, and nothing about a document.
_OF_THE_MOMENT = (429, 502, 503, 504, 507)

PUSH, PULL = "push", "pull"


@dataclass(frozen=True)
class Refused:
    """A document that one side does not take: `direction` ``"push"`` is refused over there, ``"pull"`` here."""

    document_id: str
    rev: str
    connection: str
    direction: str
    reason: str
    since: str


@dataclass(frozen=True)
class Direction:
    """One direction of a connection. `since` is the source's sequence to look from, None for no new refusals."""

    name: str
    source: Database
    target: Database
    since: Any


def refused_documents(node: Node, connection: str, limit: int = 200, after: str = "") -> list[Refused]:
    """The refused documents of a connection by id; `after` is the id of the last one already seen."""
    prefix = f"refused:{connection}:"
    rows = node.local.all_docs(
        startkey=prefix + after, endkey=f"refused:{connection};", include_docs=True, limit=limit + bool(after)
    ).rows
    found = [_refused(row.doc) for row in rows if row.doc]
    return [entry for entry in found if entry.document_id != after][:limit]


def refusals_of(node: Node, document_id: str) -> list[Refused]:
    """What is refused of one document, over any connection."""
    from app.replication.connections import connections

    ids = [f"refused:{connection.name}:{document_id}" for connection in connections(node)]
    return [_refused(document) for document in node.local.get_many(ids).values()]


def told_upstream(node: Node, connection: str, limit: int) -> list[Refused]:
    """The first refused documents of a connection whose names the upstream may be told: what is meant for everybody.

    A connection may by mistake carry more than that, which the other side then refuses.
    """
    listed = iter(refused_documents(node, connection, limit=_BATCH))
    return list(islice((entry for entry in listed if _is_for_everybody(node, entry)), limit))


def _is_for_everybody(node: Node, entry: Refused) -> bool:
    # What this node does not take has come from there.
    if entry.direction == PULL:
        return True
    leaves = node.book.leaves(entry.document_id)
    return bool(leaves) and all(leaf.get("share") == "manufacturer" for leaf in leaves)


def refresh(node: Node, connection: Connection, turn: int, *directions: Direction) -> int:
    """Brings the list of a connection up to date and returns how many documents are on it.

    `turn` counts the passes: of many that are listed each has its turn to be offered again. Raises StoreError when one
    of the two sides does not answer; the list then stays as it was.
    """
    listed = {(entry.direction, entry.document_id): entry for entry in _all_listed(node, connection.name)}
    if not listed and all(direction.since is None for direction in directions):
        return 0
    for direction in directions:
        known = [entry for entry in listed.values() if entry.direction == direction.name]
        found = _offer_again(direction, connection, known, turn)
        again = set(found)
        if direction.since is not None:
            candidates = _changed_since(direction, connection.book_selector)
            found |= {
                document_id: refusal
                for document_id, refusal in _offer(direction, connection, candidates)
                if document_id not in again
            }
        _write(node, connection.name, direction.name, found, listed)
    return len(listed)


def _offer_again(
    direction: Direction, connection: Connection, known: Sequence[Refused], turn: int
) -> dict[str, tuple[str, str] | None]:
    """Offers what is listed again; (revision, reason) of what is refused still, None for what the other side has."""
    changed, unchanged = _apart(direction.source, known)
    found = _outcomes(direction, connection, changed)
    start = turn * _BATCH % len(unchanged) if unchanged else 0
    in_turn = iter(unchanged[start:] + unchanged[:start])
    while batch := list(islice(in_turn, _BATCH)):
        outcomes = _outcomes(direction, connection, batch)
        found |= outcomes
        if any(outcomes.values()):
            break
    return found


def _apart(source: Database, known: Sequence[Refused]) -> tuple[list[str], list[str]]:
    """The ids of those that are not as they were when they were refused, and of the others, in the order of ids."""
    changed, unchanged = list[str](), list[str]()
    remaining = iter(known)
    while batch := {entry.document_id: entry.rev for entry in islice(remaining, _BATCH)}:
        rows = source.all_docs(keys=list(batch)).rows
        now = {row.id: row.value.get("rev") for row in rows if row.id and isinstance(row.value, dict)}
        for document_id, rev in batch.items():
            (unchanged if now.get(document_id) == rev else changed).append(document_id)
    return changed, unchanged


def _outcomes(
    direction: Direction, connection: Connection, document_ids: Sequence[str]
) -> dict[str, tuple[str, str] | None]:
    refused = dict(_offer(direction, connection, _leaves_of(direction.source, document_ids)))
    return {document_id: refused.get(document_id) for document_id in document_ids}


def _offer(
    direction: Direction, connection: Connection, candidates: Iterable[tuple[str, list[str]]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Offers what the target lacks: the id of each document that it does not take, with (revision, reason)."""
    remaining = iter(candidates)
    while batch := dict(islice(remaining, _BATCH)):
        lacking = direction.target.revs_diff(batch)
        leaves: list[dict[str, Any]] = []
        for document_id, difference in lacking.items():
            leaves += _missing_leaves(direction.source, document_id, difference["missing"], connection)
        reasons = _reasons(direction.target, leaves)
        for leaf in leaves:
            reason = reasons.get((leaf["_id"], leaf["_rev"])) or reasons.get((leaf["_id"], ""))
            if reason is not None:
                yield leaf["_id"], (leaf["_rev"], reason)


def _missing_leaves(
    source: Database, document_id: str, missing: Sequence[str], connection: Connection
) -> list[dict[str, Any]]:
    leaves = []
    for leaf in source.leaves(document_id):
        if leaf["_rev"] not in missing or not carries(connection, leaf):
            continue
        if leaf.get("_attachments"):
            whole = source.get(document_id, rev=leaf["_rev"], revs=True, attachments=True)
            if whole is None:
                continue
            leaf = whole
        leaves.append(leaf)
    return leaves


def _reasons(target: Database, leaves: Sequence[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Writes the leaves as they are; the reason for each one that is refused, by (id, revision or "")."""
    if not leaves:
        return {}
    try:
        results = target.bulk(leaves, new_edits=False)
    except (Unreachable, WrongPassword):
        raise
    except StoreError as error:
        if error.status in _OF_THE_MOMENT:
            raise
        if len(leaves) == 1:
            return {(leaves[0]["_id"], leaves[0]["_rev"]): str(error)}
        # The request as a whole was refused, for its size for example: ask for each by itself.
        alone: dict[tuple[str, str], str] = {}
        for leaf in leaves:
            alone |= _reasons(target, [leaf])
        return alone
    return {(result.id, result.rev or ""): result.reason or result.error for result in results if result.error}


def _leaves_of(source: Database, document_ids: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    for document_id in sorted(document_ids):
        leaves = source.leaves(document_id)
        if leaves:
            yield document_id, [leaf["_rev"] for leaf in leaves]


def _changed_since(direction: Direction, selector: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    since = direction.since
    while True:
        # The selector keeps even the names of what is private from being asked about over there.
        page = changes_from(direction.source, since, limit=_BATCH, style="all_docs", selector=selector)
        for change in page.results:
            yield change["id"], [leaf["rev"] for leaf in change["changes"]]
        if len(page.results) < _BATCH:
            return
        since = page.last_seq


def _write(
    node: Node,
    connection: str,
    direction: str,
    found: Mapping[str, tuple[str, str] | None],
    listed: dict[tuple[str, str], Refused],
) -> None:
    """Writes the differences between what is listed and what was found into ``local`` and into `listed`."""
    existing = node.local.get_many([f"refused:{connection}:{document_id}" for document_id in found]) if found else {}
    documents: list[dict[str, Any]] = []
    for document_id, refusal in found.items():
        key = f"refused:{connection}:{document_id}"
        before = existing.get(key)
        rev = {"_rev": before["_rev"]} if before else {}
        if refusal is None:
            listed.pop((direction, document_id), None)
            if before and before["direction"] == direction:
                documents.append({"_id": key, **rev, "_deleted": True})
            continue
        since = before["since"] if before else datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        entry = Refused(document_id, refusal[0], connection, direction, refusal[1], since)
        listed[direction, document_id] = entry
        if not before or _refused(before) != entry:
            documents.append({"_id": key, **rev, "type": "refused", **_fields(entry)})
    if documents:
        node.local.bulk(documents)


def _all_listed(node: Node, connection: str) -> list[Refused]:
    listed: list[Refused] = []
    after = ""
    while page := refused_documents(node, connection, 1000, after):
        listed += page
        after = page[-1].document_id
        if len(page) < 1000:
            break
    return listed


def _fields(entry: Refused) -> dict[str, str]:
    return {
        "document": entry.document_id,
        "rev": entry.rev,
        "connection": entry.connection,
        "direction": entry.direction,
        "reason": entry.reason,
        "since": entry.since,
    }


def _refused(document: Mapping[str, Any]) -> Refused:
    return Refused(
        document["document"], document["rev"], document["connection"], document["direction"], document["reason"],
        document["since"],
    )  # fmt: skip
