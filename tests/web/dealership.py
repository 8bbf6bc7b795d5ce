"""A small dealership for tests of pages: one customer with an assistant, two machines, a plan, readings, a bulletin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.documents import saving
from app.node import Node

CUSTOMER = "D001:customer:berg"
OWNER = "D001:person:ida"
ASSISTANT = "D001:person:tom"
EXCAVATOR = "D001:machine:ACME-320001"
LOADER = "D001:machine:ACME-950001"


def day(node: Node, days: int) -> str:
    """The date so many days from today."""
    return (node.today() + timedelta(days=days)).isoformat()


def document(node: Node, document_type: str, id: str, /, **fields: Any) -> dict[str, Any]:
    """A new document of the dealer's book, or of the catalog for an id without a dealer."""
    dealer = node.dealer if id.startswith(f"{node.dealer}:") else ""
    share = "dealer" if document_type == "keepsake" else "manufacturer"
    return {"_id": id, "type": document_type, "dealer": dealer, "share": share, **fields}


def add(node: Node, document_type: str, id: str, /, **fields: Any) -> dict[str, Any]:
    """Saves a document of the dealer's book."""
    return saving.save(node.book, document(node, document_type, id, **fields), by="test").document


def open_dealership(node: Node) -> None:
    """Fills the node: the excavator has an oil change due in about ten days, the loader's model is not known."""
    saving.save_many(node.catalog, _catalog(node), by="test")
    saving.save_many(node.book, _book(node), by="test")


def _catalog(node: Node) -> list[dict[str, Any]]:
    plan = [
        {"id": "oil", "title": "Oil change", "part": "part:P-OIL", "quantity": 2, "every_hours": 500},
        {"id": "check", "title": "Yearly check", "every_months": 12},
    ]
    return [
        document(node, "part", "part:P-OIL", number="P-OIL", name="Engine oil filter", unit="pc", price=20.0),
        document(node, "model", "model:ACME-320", make="Acme", name="320", plan=plan),
        document(node, "bulletin", "bulletin:B-7", code="B-7", title="Check the hose", make="Acme", severity="safety"),
    ]


def _book(node: Node) -> list[dict[str, Any]]:
    customer = {"name": "Berg Earthworks", "status": "active", "city": "Linz", "phone": "+43 732 1"}
    tulips = {"birthday": day(node, 6)[5:], "flowers": "white tulips"}
    machine = {"make": "Acme", "customer": CUSTOMER, "status": "in service", "delivered_on": day(node, -200)}
    readings = [(day(node, days), hours) for days, hours in ((-60, 360.0), (-30, 420.0), (0, 480.0))]
    return [
        document(node, "customer", CUSTOMER, salesperson="Sales", **customer),
        document(node, "person", OWNER, customer=CUSTOMER, name="Ida Berg", job="Owner"),
        document(node, "person", ASSISTANT, customer=CUSTOMER, name="Tom Alm", job="Office", assists=OWNER),
        document(node, "keepsake", "D001:keepsake:tom", customer=CUSTOMER, person=ASSISTANT, **tulips),
        document(node, "machine", EXCAVATOR, model="320", serial="320001", fleet_number="B7", **machine),
        document(node, "machine", LOADER, model="950", serial="950001", **machine),
        *(
            document(
                node,
                "reading",
                f"D001:reading:ACME-320001:{at}",
                machine=EXCAVATOR,
                at=f"{at}T06:00:00Z",
                hours=hours,
                source="telematics",
            )
            for at, hours in readings
        ),
    ]
