"""The rows behind head office's figures, as tables show them: documents in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.couch import Row
from app.documents.disputes import disputes_in
from app.market.standing import hours_on, standing_id
from app.web.document_fields import ShownField
from app.web.formatting import format_count, format_money, format_number
from app.words import unit_for

Document = Mapping[str, Any]
# Where the values of the forecast's views say how many rows know no price.
_UNPRICED = 3


@dataclass(frozen=True)
class Known:
    """What is known around the rows: documents they name, standings of machines by id, parts and bulletins by id,
    dealers' names by code, and what day it is.
    """

    documents: Mapping[str, Document]
    standings: Mapping[str, Document]
    catalog: Mapping[str, Document]
    dealers: Mapping[str, str]
    today: date

    def name_of(self, document_id: Any) -> str:
        """What a customer or a machine is called; its id when it is not here."""
        found = self.documents.get(document_id or "", {})
        return str(found.get("name") or _machine_title(found) or document_id or "")


@dataclass(frozen=True)
class Line:
    """A row: the document that it opens, and its cells."""

    id: str
    cells: Sequence[ShownField]
    disputes: int = 0


@dataclass(frozen=True)
class Table:
    """A kind of rows: its heads, how a row becomes cells, the document a row opens, and which documents it names
    (fields of its own; standings; parts or bulletins of the catalog by their place in the key).

    `value_at` and `quantity_at` are the places of value and quantity in the view's value, where it is a list.
    """

    heads: tuple[str, ...]
    cells: Callable[[Row, Known], list[ShownField]]
    opens: Callable[[Row], str]
    names: tuple[str, ...] = ()
    standings: bool = False
    in_catalog: int | None = None
    of_machines: bool = True
    value_at: int | None = None
    quantity_at: int | None = None

    @property
    def heads_and_kinds(self) -> list[str | tuple[str, str]]:
        """The heads as ``ui.table`` takes them."""
        return [(head, "number") if head in _NUMERIC else head for head in self.heads]

    def lines(self, rows: Iterable[Row], known: Known) -> list[Line]:
        """The rows as lines; a row whose document went away meanwhile is left out."""
        return [Line(self.opens(row), self.cells(row, known), disputes_in(row.doc)) for row in rows if row.doc]

    def csv_heads(self, currency: str) -> list[str]:
        """The heads of the table as a file: money says its currency, machines are told in parts as well."""
        told = [f"{head}, {currency}" if head in _MONEY else head for head in self.heads]
        return [*told, "Dealer code", *(("Make", "Model", "Serial number") if self.of_machines else ())]

    def csv_rows(self, rows: Iterable[Row], known: Known) -> Iterator[list[Any]]:
        """The rows as a file has them: days and months as ISO 8601 writes them, numbers as numbers."""
        for row in rows:
            if row.doc:
                cells = [cell.title or cell.value for cell in self.cells(row, known)]
                model = str(row.doc.get("model") or "").removeprefix("model:")
                machine = [row.doc.get("make"), model, row.doc.get("serial")] if self.of_machines else []
                yield [*cells, row.doc.get("dealer"), *machine]

    def named(self, rows: Iterable[Row]) -> set[str]:
        """The ids of documents that the rows name."""
        return {str(row.doc[name]) for row in rows if row.doc for name in self.names if row.doc.get(name)}

    def standings_of(self, rows: Iterable[Row]) -> set[str]:
        """The ids of the standings of the rows' machines."""
        return {standing_id(str(row.id)) for row in rows} if self.standings else set()

    def catalog_of(self, rows: Iterable[Row]) -> set[str]:
        """The ids of the parts or bulletins that the rows are about."""
        return set() if self.in_catalog is None else {str(row.key[self.in_catalog]) for row in rows}


_NUMERIC = frozenset({"Hours now", "Value", "Quantity", "Overdue lines"})
_MONEY = frozenset({"Value"})
# What is short stays on one line; names may wrap.
TIGHT = frozenset({"Status", "Stage", "Delivered", "Expected", "When", "Month", "Unit", "Kind", "Issued", "Part"})


def totals(counted: Any, table: Table, called: tuple[str, str], currency: str, unit: str = "") -> list[str]:
    """What the reduced value of all rows says, in words: how many there are, their quantity in the part's `unit`, what
    they are worth, and how many of them know no price.
    """
    if not isinstance(counted, list):
        stats = counted if isinstance(counted, dict) else {"count": counted}
        value = [format_money(stats["sum"], currency)] if "sum" in stats else []
        return [format_count(int(stats["count"]), *called), *value]
    words = [format_count(int(counted[0]), *called)]
    if table.quantity_at is not None and unit:
        words.append(f"{format_number(counted[table.quantity_at])} {unit_for(unit, counted[table.quantity_at])}")
    if table.value_at is not None and counted[table.value_at]:
        words.append(f"{format_money(round(counted[table.value_at], 2), currency)} at list prices")
    if len(counted) > _UNPRICED and counted[_UNPRICED]:
        words.append(f"{format_number(counted[_UNPRICED])} without a list price")
    return words


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
        _of("number", "Hours now", _rounded(hours_on(standing, known.today)), "h"),
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
        _of("number", "Hours now", _rounded(hours_on(standing, known.today)), "h"),
    ]


def _rounded(hours: float | None) -> float | None:
    return None if hours is None else round(hours, 1)


def _amount_cells(row: Row, known: Known, part: str) -> list[ShownField]:
    _, quantity, value, unpriced = row.value
    return [
        _of("number", "Quantity", round(quantity, 3)),
        _text("Unit", known.catalog.get(part, {}).get("unit")),
        _of("money", "Value", None if unpriced else round(value, 2)),
    ]


def _part_in(row: Row) -> str:
    return str(row.key[-1])


def _need_cells(row: Row, known: Known) -> list[ShownField]:
    part = _part_in(row)
    document = known.catalog.get(part, {})
    return [
        *_standing_cells(row, known),
        ShownField("", "Part", "reference", part, str(document.get("number") or part.removeprefix("part:"))),
        _text("Name", document.get("name")),
        *_amount_cells(row, known, part),
    ]


def _need_of_part_cells(row: Row, known: Known) -> list[ShownField]:
    return [*_standing_cells(row, known), *_amount_cells(row, known, _part_in(row))]


def _model_need_cells(row: Row, known: Known) -> list[ShownField]:
    month = ShownField("", "Month", "month", row.key[-1])
    return [*_standing_cells(row, known), month, _of("money", "Value", round(row.value[1], 2) or None)]


def _overdue_cells(row: Row, known: Known) -> list[ShownField]:
    return [*_standing_cells(row, known), _of("number", "Overdue lines", row.value)]


def _bulletin_cells(row: Row, known: Known) -> list[ShownField]:
    bulletin = str(row.key[3])
    states = {each.get("bulletin"): each.get("done") for each in (row.doc or {}).get("bulletins") or ()}
    return [*_standing_cells(row, known), _text("Status", "Done" if states.get(bulletin) else "Open")]


def _any_bulletin_cells(row: Row, known: Known) -> list[ShownField]:
    bulletin = str(row.key[3])
    document = known.catalog.get(bulletin, {})
    *machine, status = _bulletin_cells(row, known)
    code = str(document.get("code") or bulletin.removeprefix("bulletin:"))
    return [
        *machine,
        ShownField("", "Bulletin", "reference", bulletin, code),
        _text("Title", document.get("title")),
        status,
    ]


def _itself(row: Row) -> str:
    return str(row.id)


def _its_machine(row: Row) -> str:
    return str((row.doc or {}).get("machine") or "")


_MACHINE = ("Machine", "Dealer", "Customer", "Hours now")
MACHINES = Table(
    ("Machine", "Dealer", "Customer", "Status", "Hours now", "Built", "Delivered"),
    _machine_cells, _itself, ("customer",), standings=True,
)  # fmt: skip
OPPORTUNITIES = Table(
    ("Opportunity", "Dealer", "Customer", "Stage", "Value", "Expected", "Salesperson"),
    _opportunity_cells, _itself, ("customer",), of_machines=False,
)  # fmt: skip
ACTIVITIES = Table(
    ("Subject", "When", "Kind", "Dealer", "Customer", "Salesperson"),
    _activity_cells, _itself, ("customer",), of_machines=False,
)  # fmt: skip
CUSTOMERS = Table(
    ("Customer", "Dealer", "Town", "Line of business", "Status", "Salesperson"),
    _customer_cells, _itself, of_machines=False,
)  # fmt: skip
NEEDS = Table(
    (*_MACHINE, "Part", "Name", "Quantity", "Unit", "Value"), _need_cells, _its_machine, in_catalog=-1, value_at=2
)
NEEDS_OF_PART = Table(
    (*_MACHINE, "Quantity", "Unit", "Value"), _need_of_part_cells, _its_machine,
    in_catalog=-1, value_at=2, quantity_at=1,
)  # fmt: skip
MODEL_NEEDS = Table((*_MACHINE, "Month", "Value"), _model_need_cells, _its_machine, value_at=1)
OVERDUE = Table((*_MACHINE, "Overdue lines"), _overdue_cells, _its_machine)
BULLETIN = Table((*_MACHINE, "Status"), _bulletin_cells, _its_machine)
BULLETINS = Table((*_MACHINE, "Bulletin", "Title", "Status"), _any_bulletin_cells, _its_machine, in_catalog=3)
