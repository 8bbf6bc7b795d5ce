"""A dealer's machine and customer as head office sees them: everything that the dealer shares, nothing to edit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.documents.disputes import disputes_in
from app.market.standing import hours_on, standing_id
from app.security.access import needs, require
from app.web import current, dispute_marks, machines
from app.web.market_scope import dealer_name
from app.web.own_fields import own_fields

pages = Blueprint("market_documents", __name__, url_prefix="/market")
NODE_ROLE = "manufacturer"

_NEWEST = 25
_MOST = 200
_SHOWN = {"machine": _MOST, "person": _MOST, "opportunity": _MOST, "activity": _NEWEST}


@pages.get("/machines/<path:document_id>")
@needs("read:market")
def machine(document_id: str) -> ResponseReturnValue:
    """A machine with its hours, its service plan, its services, open bulletins and where it is."""
    node = current.node()
    page = machines.page_of(machines.read_machine(node, document_id, node.market), None)
    if page is None:
        return redirect(url_for("documents.show", document_id=document_id))
    dispute_marks.expect(page.ids_shown())
    code = document_id.split(":", 1)[0]
    own = own_fields("machine", page.facts)
    return render_template(
        "market/machine.html", page=page, oob=(), dealer_code=code, dealer_name=dealer_name(code), **own
    )


@pages.get("/customers/<path:document_id>")
@needs("read:market")
def customer(document_id: str) -> ResponseReturnValue:
    """A customer with its machines, people, opportunities and latest activities."""
    node = current.node()
    document = node.market.get(document_id)
    if document is None or document.get("type") != "customer":
        return redirect(url_for("documents.show", document_id=document_id))
    require("read", document)
    kinds = ("machine", "person", "opportunity", "activity")
    queries: list[dict[str, Any]] = [
        {"startkey": [document_id, kind], "endkey": [document_id, kind, {}], "include_docs": True, "limit": _MOST + 1}
        for kind in kinds[:3]
    ]
    queries.append(
        {
            "startkey": [document_id, "activity", {}],
            "endkey": [document_id, "activity"],
            "descending": True,
            "include_docs": True,
            "limit": _NEWEST + 1,
        }
    )
    answers = node.market.view_queries("customers", "by_customer", [{**query, "reduce": False} for query in queries])
    found = {kind: [row.doc for row in rows if row.doc] for kind, rows in zip(kinds, answers, strict=True)}
    more = {kind: most for kind, most in _SHOWN.items() if len(found[kind]) > most}
    shown = {kind: found[kind][:most] for kind, most in _SHOWN.items()}
    standings = node.forecast.get_many(standing_id(each["_id"]) for each in shown["machine"])
    today = node.today()
    code = document_id.split(":", 1)[0]
    return render_template(
        "market/customer.html",
        document=document,
        dealer_code=code,
        dealer_name=dealer_name(code),
        machines=[_machine_line(each, standings.get(standing_id(each["_id"]), {}), today) for each in shown["machine"]],
        people=shown["person"],
        opportunities=shown["opportunity"],
        activities=shown["activity"],
        more=more,
        **own_fields("customer", document),
    )


def _machine_line(machine: Mapping[str, Any], standing: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A machine of a customer, with what its standing says of it."""
    model = str(machine.get("model") or "").removeprefix("model:")
    return {
        "id": machine["_id"],
        "disputes": disputes_in(machine),
        "title": " ".join(str(part) for part in (machine.get("make"), model, machine.get("serial")) if part),
        "status": str(machine.get("status") or "").capitalize(),
        "hours": hours_on(standing, today),
        "hours_per_day": standing.get("hours_per_day"),
        "overdue": standing.get("overdue") or 0,
    }
