"""Telematics: ISO 15143-3 (AEMP 2.0) fleet snapshots into a dealer's book.

The file is read to its end before anything is written, so a damaged one changes nothing. What is written is decided in
:mod:`app.exchange.planning`; here it is read from and written to the store, a batch at a time.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.documents import saving
from app.errors import IronbookError
from app.exchange.customers import Customers
from app.exchange.equipment import Equipment
from app.exchange.matching import Machines
from app.exchange.planning import (
    Models,
    Planned,
    changed_machine,
    lacks_customer,
    new_machine,
    new_reading,
    place_all,
)
from app.exchange.report import MachineResult, Report
from app.exchange.snapshot import Snapshot, SnapshotError, read_snapshot
from app.exchange.unfinished import Record
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node

__all__ = [
    "Equipment",
    "InterruptedImportError",
    "Report",
    "Snapshot",
    "SnapshotError",
    "apply_snapshot",
    "import_telematics",
    "read_snapshot",
]

log = logging.getLogger(__name__)

Document = dict[str, Any]
Progress = Callable[[str], None]
Stop = Callable[[], bool]
_BATCH = 500
_PAGE = 1000


class InterruptedImportError(IronbookError):
    """The store failed while an import was writing. `report` says what was written before."""

    def __init__(self, sentence: str, report: Report) -> None:
        super().__init__(sentence)
        self.report = report


def import_telematics(
    node: Node,
    path_or_dash: str,
    by: str,
    progress: Progress | None = None,
    stop: Stop | None = None,
    called: str = "",
) -> Report:
    """Imports a fleet snapshot from a file, or from standard input for ``-``; see :func:`apply_snapshot`.

    `called` is what a person calls the file, where that is not its name here.
    """
    if path_or_dash == "-":
        return apply_snapshot(node, read_snapshot(sys.stdin.buffer), by, progress, stop, called or "standard input")
    path = Path(path_or_dash)
    try:
        with path.open("rb") as stream:
            return apply_snapshot(node, read_snapshot(stream), by, progress, stop, called or path.name)
    except OSError as error:
        raise SnapshotError(
            f"{path_or_dash} cannot be read: {error.strerror or error}. Nothing was imported."
        ) from error


def apply_snapshot(
    node: Node,
    equipment: Iterable[Equipment],
    by: str,
    progress: Progress | None = None,
    stop: Stop | None = None,
    called: str = "a fleet snapshot",
) -> Report:
    """Makes or updates the machines of a snapshot, with their positions, and adds their readings.

    A second run of the same changes nothing. `progress` is told in words how far it is; `stop` is asked between
    batches. Raises what `equipment` raises (SnapshotError), with nothing changed, and InterruptedImportError when the
    store fails on the way: running the import again then does the rest, and doubles nothing. Until it does, an import
    that did not come to its end is told of under the name it is `called` (:mod:`app.exchange.unfinished`).
    """
    tell = progress or (lambda words: None)
    asked_to_stop = stop or (lambda: False)
    book = node.book
    fleet = _read_all(equipment, tell, asked_to_stop)
    if fleet is None:
        return Report(stopped=True)
    known = Machines()
    for machine in _all_of(book, f"{node.dealer}:machine"):
        known.add(machine)
    models = Models(_all_of(node.catalog, "model"))
    planned = place_all(fleet, known, node.dealer)
    customers = _customers(node, planned)
    report = Report(more_pages=isinstance(equipment, Snapshot) and equipment.links.more_pages())
    record = Record(node.local, called, by, len(planned))
    for batch in _batches(planned):
        if asked_to_stop():
            report.stopped = True
            return report
        try:
            if not report.results:
                record.has_written(0)
            report.results += _write(book, batch, models, customers, by)
            record.has_written(len(report.results))
        except StoreError as error:
            raise InterruptedImportError(_interrupted(error, report, len(planned)), report) from error
        tell(f"{len(report.results):,} of {counted(len(planned), 'machine')} written")
    try:
        record.ended()
    except StoreError as error:
        log.warning("The import of %s ended, and that could not be noted: %s", called, error)
    return report


def _read_all(equipment: Iterable[Equipment], tell: Progress, asked_to_stop: Stop) -> list[Equipment] | None:
    fleet: list[Equipment] = []
    for one in equipment:
        fleet.append(one)
        if len(fleet) % _BATCH == 0:
            tell(f"{counted(len(fleet), 'machine')} read")
            if asked_to_stop():
                return None
    return fleet


def _all_of(database: Database, prefix: str) -> Iterator[Document]:
    """Every document of one type, a page at a time: ids of a type stand together."""
    start = f"{prefix}:"
    while True:
        rows = database.all_docs(startkey=start, endkey=f"{prefix};", include_docs=True, limit=_PAGE).rows
        yield from (row.doc for row in rows if row.doc)
        if len(rows) < _PAGE:
            return
        start = f"{rows[-1].id}\x00"


def _customers(node: Node, planned: Iterable[Planned]) -> Customers:
    """The customers whom the equipment ids could mean; nothing is read when they name none."""
    names = {one.suggestion.customer for one in planned if one.machine_id and one.suggestion.customer}
    customers = Customers(names)
    for customer in _all_of(node.book, f"{node.dealer}:customer") if names else ():
        customers.add(customer)
    return customers


def _batches(planned: Iterable[Planned]) -> Iterator[list[Planned]]:
    remaining = iter(planned)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


class _Stored:
    """The batch's machines and readings as the book has them, with what the batch has changed in them so far."""

    def __init__(self, book: Database, batch: Sequence[Planned]) -> None:
        ids = [id for planned in batch if planned.machine_id for id in (planned.machine_id, planned.reading_id()) if id]
        self.documents: dict[str, Document] = {}
        self.deleted: set[str] = set()
        self.changed: dict[str, Document] = {}
        if not ids:
            return
        for row in book.all_docs(keys=list(dict.fromkeys(ids)), include_docs=True):
            if row.doc:
                self.documents[row.key] = row.doc
            elif row.value and row.value.get("deleted"):
                self.deleted.add(row.key)

    def get(self, document_id: str) -> Document | None:
        return self.changed.get(document_id) or self.documents.get(document_id)

    def put(self, document: Document) -> None:
        self.changed[document["_id"]] = document


def _write(
    book: Database, batch: Sequence[Planned], models: Models, customers: Customers, by: str
) -> list[MachineResult]:
    """Decides a batch and writes it: one request to read, one save for the machines, one for their readings."""
    stored = _Stored(book, batch)
    for planned in batch:
        _decide(planned, stored, models, customers)
    refused = _save(book, stored, "machine", by)
    for planned in batch:
        if planned.machine_id in refused:
            planned.notes.append(f"Left out: {refused[planned.machine_id]}")
            planned.machine_id = ""
    readings = {planned.reading_id() for planned in batch if planned.machine_id} & stored.changed.keys()
    refused_readings = _save(book, stored, "reading", by, readings)
    results = []
    told: set[str] = set()
    for planned in batch:
        reading = planned.reading_id()
        if reading in refused_readings:
            planned.notes.append(f"Its reading was refused: {refused_readings[reading]}")
        written = reading in readings and reading not in refused_readings and reading not in told
        told.add(reading)
        results.append(_result(planned, stored, written, told))
        told.add(planned.machine_id)
    return results


def _decide(planned: Planned, stored: _Stored, models: Models, customers: Customers) -> None:
    if not planned.machine_id:
        return
    machine = stored.get(planned.machine_id)
    if machine is None and planned.machine_id in stored.deleted:
        planned.notes.append(f"Left out: {planned.machine_id} was deleted here. Undelete it if it is back.")
        planned.machine_id = ""
        return
    if machine is None:
        wanted: Document | None = new_machine(planned, models, customers)
    else:
        wanted = changed_machine(machine, planned, models, customers)
    if wanted is not None:
        stored.put(wanted)
    reading_id = planned.reading_id()
    if reading_id in stored.deleted:
        planned.notes.append("Its reading of that day was deleted here, and was not brought back.")
        return
    if not reading_id:
        planned.notes.append("The file gives no hours.")
        return
    reading = new_reading(planned, stored.get(reading_id))
    if reading is not None:
        stored.put(reading)


def _save(book: Database, stored: _Stored, kind: str, by: str, ids: set[str] | None = None) -> dict[str, str]:
    """Saves what changed of one type; returns why some were refused, by id."""
    wanted = [document for document in stored.changed.values() if document["type"] == kind]
    if ids is not None:
        wanted = [document for document in wanted if document["_id"] in ids]
    if not wanted:
        return {}
    results = saving.save_many(book, wanted, by)
    return {result.document["_id"]: result.reason for result in results if isinstance(result, saving.Refused)}


def _result(planned: Planned, stored: _Stored, written: bool, told: set[str]) -> MachineResult:
    machine_id = planned.machine_id
    if not machine_id:
        outcome = "left out"
    elif machine_id not in stored.documents and machine_id not in told:
        outcome = "made"
    elif written or (machine_id in stored.changed and machine_id not in told):
        outcome = "updated"
    else:
        outcome = "unchanged"
    if machine_id and machine_id in told:
        planned.notes.append("The file has this machine more than once.")
    machine = stored.get(machine_id) if machine_id else None
    return MachineResult(
        planned.equipment.number,
        planned.equipment.label(),
        outcome,
        machine_id,
        written,
        tuple(planned.notes),
        lacks_customer=machine is not None and lacks_customer(machine),
    )


def _interrupted(error: StoreError, report: Report, count: int) -> str:
    return (
        f"The store failed after {len(report.results):,} of {counted(count, 'machine')}: {error} "
        "What was written is kept. Run the same import again: it does the rest and doubles nothing."
    )
