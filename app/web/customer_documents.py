"""Reading what a customer's page shows: a few requests, however many documents the customer has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.web.customer_page import CustomerDocuments

if TYPE_CHECKING:
    from app.node import Node

ACTIVITIES_SHOWN = 20
# A page nobody scrolls through to its end: beyond so many, the list of machines has them.
MACHINES_SHOWN = 200
_MOST = 1000


def read_customer(node: Node, customer_id: str, before: str = "", keepsakes: bool = True) -> CustomerDocuments | None:
    """A customer's documents in two requests; None when there is no such customer.

    `before` is where older activities go on, as an earlier page's `older` gave it. Without the right to read them,
    `keepsakes` are not even asked for.
    """
    kinds = ["customer", "person", "machine", *(["keepsake"] if keepsakes else [])]
    limits = {"machine": MACHINES_SHOWN + 1}
    queries = [_range(customer_id, kind, limits.get(kind, _MOST)) for kind in kinds]
    queries.append(_activities(customer_id, before))
    answers = node.book.view_queries("customers", "by_customer", queries)
    found = {kind: _documents(answer) for kind, answer in zip([*kinds, "activity"], answers, strict=True)}
    if not found["customer"]:
        return None
    upcoming = [
        {
            "startkey": [kind, f"@{customer_id}"],
            "endkey": [kind, f"@{customer_id}", {}],
            "include_docs": True,
            "limit": _MOST,
        }
        for kind in ("opportunity", "task")
    ]
    opportunities, tasks = node.book.view_queries("diary", "upcoming", upcoming)
    following = answers[-1].rows[ACTIVITIES_SHOWN] if len(answers[-1].rows) > ACTIVITIES_SHOWN else None
    return CustomerDocuments(
        customer=found["customer"][0],
        people=found["person"],
        keepsakes=found.get("keepsake", []),
        machines=found["machine"][:MACHINES_SHOWN],
        more_machines=len(found["machine"]) > MACHINES_SHOWN,
        activities=found["activity"][:ACTIVITIES_SHOWN],
        older=json.dumps([following.key[2], following.id]) if following else "",
        opportunities=_documents(opportunities),
        tasks=_documents(tasks),
    )


def _range(customer_id: str, kind: str, limit: int) -> dict[str, Any]:
    return {
        "startkey": [customer_id, kind],
        "endkey": [customer_id, kind, {}],
        "include_docs": True,
        "reduce": False,
        "limit": limit,
    }


def _activities(customer_id: str, before: str) -> dict[str, Any]:
    """The newest activities first, from the one at which the page before ended."""
    asked = {
        "startkey": [customer_id, "activity", {}],
        "endkey": [customer_id, "activity"],
        "descending": True,
        "include_docs": True,
        "reduce": False,
        "limit": ACTIVITIES_SHOWN + 1,
    }
    try:
        at, document_id = json.loads(before)
    except (ValueError, TypeError):
        return asked
    return {**asked, "startkey": [customer_id, "activity", str(at)], "startkey_docid": str(document_id)}


def _documents(rows: Any) -> list[dict[str, Any]]:
    return [row.doc for row in rows if row.doc]
