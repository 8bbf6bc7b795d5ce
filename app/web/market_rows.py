"""The rows behind head office's figures, as tables show them: documents in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.couch import Row
from app.market.standing import standing_id
from app.web.document_fields import ShownField
from app.web.formatting import format_month

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What is known around the rows: documents they name, standings of machines by id, dealers' names by code."""

    documents: Mapping[str, Document]
    standings: Mapping[str, Document]
    dealers: Mapping[str, str]

    def name_of(self, document_id: Any) -> str:
        """What a customer or a machine is called; its id when it is not here."""
        found = self.documents.get(document_id or "", {})
        return str(found.get("name") or _machine_title(found) or document_id or "")


@dataclass(frozen=True)
class Line:
    """A row: the document that it opens, and its cells."""

    id: str
    cells: Sequence[ShownField]


@dataclass(frozen=True)
class Table:
    """A kind of rows: heads ``(label, numeric)``, how a row becomes cells, and which documents it names."""

    heads: tuple[tuple[str, bool], ...]
    cells: Callable[[Row, Known], list[ShownField]]
    opens: Callable[[Row], str]
    names: tuple[str, ...] = ()
    standings: bool = False

    def lines(self, rows: Iterable[Row], known: Known) -> list[Line]:
        """The rows as lines; a row whose document went away meanwhile is left out."""
        return [Line(self.opens(row), self.cells(row, known)) for row in rows if row.doc]

    def named(self, rows: Iterable[Row]) -> set[str]:
        """The ids of documents that the rows name."""
        return {str(row.doc[name]) for row in rows if row.doc for name in self.names if row.doc.get(name)}

    def standings_of(self, rows: Iterable[Row]) -> set[str]:
        """The ids of the standings of the rows' machines."""
        return {standing_id(str(row.id)) for row in rows} if self.standings else set()


def _text(label: str, value: Any) -> ShownField:
    return ShownField("", label, "text", "" if value is None else value)


def _of(kind: str, label: str, value: Any, unit: str = "") -> ShownField:
    return ShownField("", label, kind, value, unit=unit)


def _reference(label: str, value: Any, known: Known) -> ShownField:
    return ShownField("", label, "reference", value, known.name_of(value))


def _dealer(document: Document, known: Known) -> ShownField:
    code = str(document.get("dealer") or "")
    return _text("Dealer", known.dealers.get(code, code))


def _machine_title(document: Document) -> str:
    model = str(document.get("model") or "").removeprefix("model:")
    return " ".join(str(part) for part in (document.get("make"), model, document.get("serial")) if part)


def _machine_cells(row: Row, known: Known) -> list[ShownField]:
    machine = row.doc or {}
    standing = known.standings.get(standing_id(str(row.id)), {})
    return [
        _text("Machine", _machine_title(machine)),
        _dealer(machine, known),
        _reference("Customer", machine.get("customer"), known),
        _text("Status", str(machine.get("status") or "").capitalize()),
        _of("number", "Hours now", standing.get("hours"), "h"),
        _text("Built", machine.get("year")),
        _of("date", "Delivered", machine.get("delivered_on")),
    ]


def _opportunity_cells(row: Row, known: Known) -> list[ShownField]:
    opportunity = row.doc or {}
    return [
        _text("Opportunity", opportunity.get("title") or "(no title)"),
        _dealer(opportunity, known),
        _reference("Customer", opportunity.get("customer"), known),
        _text("Stage", str(opportunity.get("stage") or "").capitalize()),
        _of("money", "Value", opportunity.get("value")),
        _of("date", "Expected", opportunity.get("expected_on")),
        _text("Salesperson", opportunity.get("salesperson")),
    ]


def _activity_cells(row: Row, known: Known) -> list[ShownField]:
    activity = row.doc or {}
    return [
        _text("Subject", activity.get("subject") or "(no subject)"),
        _of("time", "When", activity.get("at")),
        _text("Kind", str(activity.get("kind") or "").capitalize()),
        _dealer(activity, known),
        _reference("Customer", activity.get("customer"), known),
        _text("Salesperson", activity.get("salesperson")),
    ]


def _customer_cells(row: Row, known: Known) -> list[ShownField]:
    customer = row.doc or {}
    return [
        _text("Customer", customer.get("name") or "(no name)"),
        _dealer(customer, known),
        _text("Town", customer.get("city")),
        _text("Line of business", customer.get("industry")),
        _text("Status", str(customer.get("status") or "").capitalize()),
        _text("Salesperson", customer.get("salesperson")),
    ]


def _standing_cells(row: Row, known: Known) -> list[ShownField]:
    standing = row.doc or {}
    return [
        _text("Machine", _machine_title(standing)),
        _dealer(standing, known),
        ShownField("", "Customer", "reference", standing.get("customer"), str(standing.get("customer_name") or "")),
        _of("number", "Hours now", standing.get("hours"), "h"),
    ]


def _demand_cells(row: Row, known: Known) -> list[ShownField]:
    quantity, value = row.value
    return [*_standing_cells(row, known), _of("number", "Quantity", quantity), _of("money", "Value", value or None)]


def _demand_by_month_cells(row: Row, known: Known) -> list[ShownField]:
    cells = _demand_cells(row, known)
    return [*cells[:4], _text("Month", format_month(row.key[-1])), *cells[4:]]


def _bulletin_cells(row: Row, known: Known) -> list[ShownField]:
    state = row.key[2] if row.key[0] == "bulletin" else row.key[3]
    return [*_standing_cells(row, known), _text("Bulletin", "Done" if state == "done" else "Open")]


def _itself(row: Row) -> str:
    return str(row.id)


def _its_machine(row: Row) -> str:
    return str((row.doc or {}).get("machine") or "")


def _heads(*labels: str) -> tuple[tuple[str, bool], ...]:
    numeric = {"Hours now", "Value", "Quantity"}
    return tuple((label, label in numeric) for label in labels)


MACHINES = Table(
    _heads("Machine", "Dealer", "Customer", "Status", "Hours now", "Built", "Delivered"),
    _machine_cells, _itself, ("customer",), standings=True,
)  # fmt: skip
OPPORTUNITIES = Table(
    _heads("Opportunity", "Dealer", "Customer", "Stage", "Value", "Expected", "Salesperson"),
    _opportunity_cells, _itself, ("customer",),
)  # fmt: skip
ACTIVITIES = Table(
    _heads("Subject", "When", "Kind", "Dealer", "Customer", "Salesperson"), _activity_cells, _itself, ("customer",)
)
CUSTOMERS = Table(
    _heads("Customer", "Dealer", "Town", "Line of business", "Status", "Salesperson"), _customer_cells, _itself
)
DEMAND = Table(
    _heads("Machine", "Dealer", "Customer", "Hours now", "Quantity", "Value"), _demand_cells, _its_machine
)  # fmt: skip
DEMAND_BY_MONTH = Table(
    _heads("Machine", "Dealer", "Customer", "Hours now", "Month", "Quantity", "Value"),
    _demand_by_month_cells, _its_machine,
)  # fmt: skip
BULLETIN = Table(_heads("Machine", "Dealer", "Customer", "Hours now", "Bulletin"), _bulletin_cells, _its_machine)
