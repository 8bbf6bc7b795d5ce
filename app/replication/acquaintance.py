"""Whether the two sides of a connection are still the ones that met at the last sync.

A replicator's checkpoints say how far it came. They are right while each side only ever goes on; they may be wrong
after a side was restored from a backup, copied to a second computer, made anew or purged. So each sync that moved
something leaves a mark on both sides, in ``_local`` documents that travel with a backup and with a copy. When the marks
do not fit any more, the next sync compares everything again: it takes a new name for its replications, under which
there is no checkpoint. The name is a condition in the selector that is always true, because what a replication's id is
made of is all that CouchDB and the embedded store have in common here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from app.couch import Database
from app.replication.connections import Connection

if TYPE_CHECKING:
    from app.node import Node

# A backup older than so many syncs is told from a replica nobody knows no more; everything is compared either way.
_KEPT = 100

ASKED = "Everything was compared again, as somebody asked."
NEW_THERE = (
    "The upstream does not know this replica: it was made anew, or restored from a backup from before the first sync. "
    "Everything was compared again."
)
OLD_THERE = "The upstream was restored from an older state. Everything was compared again."
OLD_HERE = (
    "This computer's data was restored from an older state, or is a copy of another computer's. "
    "Everything was compared again."
)
APART = "This replica and the upstream's are not the ones that met last. Everything was compared again."
PURGED = (
    "Documents were purged on one side since the last sync; what the other side still has was brought back. "
    "Delete what is to be gone: only a deletion reaches every replica."
)


@dataclass(frozen=True)
class Acquaintance:
    """What this side knows of the other: `marks` are the latest syncs that moved something, newest first.

    `id` names this replica over there, `name` its replications (empty: no name, as at the first meeting), `purges`
    how often something was purged on either side, `anew` that a person wants everything compared. `left` is false
    while nobody knows whether the other side has the newest mark.
    """

    place: str
    id: str
    name: str
    marks: tuple[str, ...]
    purges: str
    anew: bool = False
    left: bool = True


@dataclass(frozen=True)
class Meeting:
    """The beginning of a sync: the name for its replications, and why everything is compared, empty when it is not."""

    acquaintance: Acquaintance
    reason: str

    def selector(self, selector: Mapping[str, Any]) -> dict[str, Any]:
        """`selector` under the name of this replica: it admits the same documents and has checkpoints of its own."""
        name = self.acquaintance.name
        return under_name(selector, name) if name else dict(selector)


def under_name(selector: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A selector that admits the same documents and has checkpoints of its own; of a new name there are none yet."""
    return {field: {**_conditions(wanted), "$ne": f"replica:{name}"} for field, wanted in selector.items()}


def meet(node: Node, connection: Connection, there: Database) -> Meeting:
    """Compares the marks of both sides and settles what is to be done. Raises StoreError.

    A replica that is not the one of the last sync is given a new name on both sides before anything is replicated, so
    that a sync which is cut off goes on where it was.
    """
    place = f"{connection.url}/{connection.book}"
    document = node.book.get_local(_here(connection)) or {}
    known = _known(document)
    purges = f"{_purges(node.book)} {_purges(there)}"
    if known is None or known.place != place:
        new = Acquaintance(place, uuid.uuid4().hex, "", (uuid.uuid4().hex,), purges)
        _keep(node, connection, there, new)
        return Meeting(new, "")
    marks = (there.get_local(_there(known)) or {}).get("marks") or ()
    reason = ASKED if known.anew else what_happened(known, marks, purges)
    if reason:
        id = uuid.uuid4().hex
        known = Acquaintance(place, id, id, (uuid.uuid4().hex,), purges)
        _keep(node, connection, there, known)
    return Meeting(known, reason)


def part(node: Node, connection: Connection, there: Database, meeting: Meeting) -> None:
    """Leaves a new mark on both sides, after a sync that moved something. Raises StoreError.

    Here first and as not left yet: cut off in between, the mark over there may be the one before.
    """
    known = meeting.acquaintance
    marks = (uuid.uuid4().hex, *known.marks)[:_KEPT]
    _keep(node, connection, there, replace(known, marks=marks))


def compare_everything(node: Node, connection: Connection) -> None:
    """Lets the next sync compare every document, whatever the checkpoints say."""
    document = node.book.get_local(_here(connection))
    if document:
        node.book.put_local({**document, "anew": True})


def what_happened(known: Acquaintance, there: object, purges: str) -> str:
    """Why the checkpoints of the last sync are not to be relied on, in a sentence; empty when they are (pure).

    `there` are the marks the other side has, newest first; `known` is what this side has.
    """
    marks = [str(mark) for mark in there] if isinstance(there, (list, tuple)) else []
    if not marks:
        return NEW_THERE
    expected = known.marks[: 1 if known.left else 2]
    if marks[0] not in expected:
        if any(mark in marks for mark in expected):
            return OLD_HERE
        return OLD_THERE if marks[0] in known.marks else APART
    return PURGED if purges != known.purges else ""


def _conditions(wanted: Any) -> dict[str, Any]:
    return dict(wanted) if isinstance(wanted, Mapping) else {"$eq": wanted}


def _keep(node: Node, connection: Connection, there: Database, known: Acquaintance) -> None:
    fields = {**asdict(known), "marks": list(known.marks)}
    here = {"_id": _here(connection), **_rev(node.book.get_local(_here(connection)))}
    rev = node.book.put_local({**here, **fields, "left": False})
    there.put_local({"_id": _there(known), **_rev(there.get_local(_there(known))), "marks": fields["marks"]})
    node.book.put_local({**here, "_rev": rev, **fields, "left": True})


def _rev(document: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"_rev": document["_rev"]} if document else {}


def _here(connection: Connection) -> str:
    return f"ironbook-upstream-{connection.name}"


def _there(known: Acquaintance) -> str:
    return f"ironbook-replica-{known.id}"


def _known(document: Mapping[str, Any]) -> Acquaintance | None:
    names = ("place", "id", "name", "purges")
    if not all(isinstance(document.get(name), str) for name in names) or not document.get("marks"):
        return None
    values = {name: str(document[name]) for name in names}
    return Acquaintance(
        **values,
        marks=tuple(document["marks"]),
        anew=bool(document.get("anew")),
        left=document.get("left") is not False,
    )


def _purges(database: Database) -> str:
    # What follows the number differs between the members of a cluster.
    return str(database.info().get("purge_seq", "")).partition("-")[0]
