"""What a node tells its upstream at the end of a sync, so that head office sees who has gone silent.

The report is a ``_local`` document of the replica over there: it costs one write a sync, makes no revision, is not
replicated, and so neither gives the next sync something to do nor wakes what follows the changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.couch import Database

if TYPE_CHECKING:
    from app.node import Node
    from app.replication.refusals import Refused

_REPORTS = "ironbook-nodes"
_OWN = "ironbook-node"
_KEY = "replication.node_id"
# A replica that many laptops sync with keeps the reports of so many nodes, the latest.
_KEPT = 100
_LONGEST_REASON = 300
MOST_TOLD = 10
"""Refused documents that a report names; the others are counted."""


@dataclass(frozen=True)
class ReportedRefusal:
    """A document that a node could not exchange: `direction` ``"push"``, refused by the upstream, or ``"pull"``."""

    document_id: str
    direction: str
    reason: str
    since: str


@dataclass(frozen=True)
class NodeReport:
    """One node's last sync in its own words: `at` by its own clock, `refused` documents it could not exchange.

    `refusals` are the first of them, as far as the upstream may know of them.
    """

    node: str
    name: str
    at: str
    syncs: int
    refused: int
    refusals: tuple[ReportedRefusal, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The report as plain data."""
        return {**asdict(self), "refusals": [asdict(each) for each in self.refusals]}


def report_sync(node: Node, replica: Database, refused: int, told: Iterable[Refused] = ()) -> None:
    """Leaves this node's report in the upstream's `replica`; `told` are refused documents it may know of.

    Raises StoreError.
    """
    known = replica.get_local(_REPORTS) or {}
    nodes: dict[str, dict[str, Any]] = dict(known.get("nodes") or {})
    own = node_id(node)
    syncs = int((nodes.get(own) or {}).get("syncs", 0)) + 1
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    refusals = tuple(
        ReportedRefusal(each.document_id, each.direction, each.reason[:_LONGEST_REASON], each.since) for each in told
    )
    nodes[own] = NodeReport(own, node.settings.name, at, syncs, refused, refusals).fields()
    latest = sorted(nodes.items(), key=lambda entry: (entry[0] == own, str(entry[1].get("at", ""))))[-_KEPT:]
    # Two nodes that report in the same moment may undo each other's report; the next sync makes it good.
    replica.put_local({**known, "_id": _REPORTS, "nodes": dict(latest)})


def read_reports(replica: Database) -> list[NodeReport]:
    """The reports of every node that syncs with this replica, by node."""
    nodes = (replica.get_local(_REPORTS) or {}).get("nodes") or {}
    return [report_of(name, entry) for name, entry in sorted(nodes.items()) if isinstance(entry, dict)]


def node_id(node: Node) -> str:
    """What tells this node from every other: made once and kept in ``local``."""
    found = node.extensions.get(_KEY)
    if not isinstance(found, str):
        document = node.local.get_local(_OWN)
        found = str(document["id"]) if document else uuid.uuid4().hex
        if not document:
            node.local.put_local({"_id": _OWN, "id": found})
        node.extensions[_KEY] = found
    return found


def report_of(name: str, entry: Mapping[str, Any]) -> NodeReport:
    """A report from its plain data."""
    # Whoever may write to the replica may have written anything: only texts and numbers get through.
    refusals = entry.get("refusals")
    return NodeReport(
        node=str(name)[:64],
        name=str(entry.get("name", ""))[:200],
        at=str(entry.get("at", ""))[:40],
        syncs=_number(entry.get("syncs")),
        refused=_number(entry.get("refused")),
        refusals=tuple(
            ReportedRefusal(
                document_id=str(each.get("document_id", ""))[:300],
                direction="pull" if each.get("direction") == "pull" else "push",
                reason=str(each.get("reason", ""))[:_LONGEST_REASON],
                since=str(each.get("since", ""))[:40],
            )
            for each in (refusals[:MOST_TOLD] if isinstance(refusals, list) else ())
            if isinstance(each, dict)
        ),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
