"""Random histories of two to five nodes: what people do, what a network does, and what must be true afterwards.

Every edit is an event that a node knows of once it holds the document as it was then. Whoever changes a field, settles
a dispute or deletes overwrites the events he was shown. Whatever nobody overwrote has to be found in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.couch import BulkResult, NotFound, Unreachable
from app.documents import saving
from app.documents.common import body, digest
from app.documents.disputes import DELETED, value_in
from app.replication.conflicts import merge_conflicts

CUSTOMER, MACHINE = "D001:customer:1", "D001:machine:CAT-1"
DOCUMENTS = (CUSTOMER, MACHINE)
PLAIN = ("name", "city", "phone")
ROWS = "contacts"
SELECTOR = {"share": "manufacturer"}
ALIVE = "_alive"


_entries = itertools.count()


def next_entry() -> str:
    """The key of the next entry in the log of changes: by chance it would make a history that nobody could repeat."""
    return f"{next(_entries):032}"


class CutOff:
    """A database whose store is killed after it wrote so many documents more, in the middle of a request."""

    def __init__(self, book: Any, after: int) -> None:
        self._book = book
        self._left = after

    def bulk(self, documents: Iterable[Mapping[str, Any]]) -> list[BulkResult]:
        listed = list(documents)
        written: list[BulkResult] = self._book.bulk(listed[: self._left])
        if len(listed) > self._left:
            raise Unreachable("The store was killed.")
        self._left -= len(listed)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)


@dataclass(frozen=True)
class Event:
    """Somebody's edit of a field (of a row of it): `text` is what was typed, None when it was emptied.

    Whoever lets a document live that somebody deleted says what is in it: two who say the same say it once. So do two
    who settle a dispute with the same of its values: `chosen`.
    """

    number: int
    document: str
    field: str
    text: str | None
    row: str | None = None
    chosen: bool = False


@dataclass
class Desk:
    """One node: its book, what it knows of each document, and pages that were opened and not saved yet."""

    number: int
    book: Any
    upgraded: bool = False
    known: dict[str, set[Event]] = field(default_factory=lambda: {id: set() for id in DOCUMENTS})
    opened: dict[str, tuple[dict[str, Any], set[Event]]] = field(default_factory=dict)


def texts(value: Any) -> set[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        return {value}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for part in parts for text in texts(part)}


def stands_in_field(event: Event, document: Mapping[str, Any] | None) -> bool:
    """Whether the document says what the event said, in the field itself."""
    if event.field in (ALIVE, DELETED):
        return (document is not None) == (event.field == ALIVE)
    value = (document or {}).get(event.field)
    if event.text is not None:
        return event.text in texts(value)
    if event.row is None:
        return value in (None, [])
    return not isinstance(value, list) or all(row["id"] != event.row for row in value)


def stands(event: Event, document: Mapping[str, Any] | None) -> bool:
    """Whether the document says it in the field or in a dispute."""
    return stands_in_field(event, document) or _is_disputed(event, document)


def _is_disputed(event: Event, document: Mapping[str, Any] | None) -> bool:
    return any(
        (each["by"] + each["at"] == event.text if each["field"] == DELETED else _says(each, event))
        for each in (document or {}).get("disputes", ())
        if each["field"] == event.field
    )


def _says(dispute: Mapping[str, Any], event: Event) -> bool:
    if event.text is not None:
        return event.text in texts(dispute["value"])
    return dispute["value"] is None or event.row is not None


class Histories(RuleBasedStateMachine):
    """Give it `new_books`: a function of the number of nodes that makes their books, each with ``pull(other, …)``."""

    new_books: Any
    examined = 0
    """How many edits were looked for at the end of all histories so far."""

    def __init__(self) -> None:
        global _entries
        super().__init__()
        _entries = itertools.count()
        self.desks: list[Desk] = []
        self.links: list[tuple[int, int]] = []
        self.overwritten: set[Event] = set()
        # What nobody replaced, but somebody deleted the document over it.
        self.put_away: set[Event] = set()
        self.clock = 0
        self.events = 0

    # The network

    @initialize(count=st.integers(2, 5), star=st.booleans(), kinds=st.sampled_from(["one", "two", "mixed"]))
    def join(self, count: int, star: bool, kinds: str) -> None:
        books = type(self).new_books(count, kinds)
        self.desks = [Desk(number, book) for number, book in enumerate(books)]
        self.links = [(0 if star else number - 1, number) for number in range(1, count)]
        fields = {"name": self._typed(), "city": self._typed(), ROWS: [{"id": "a", "v": self._typed()}]}
        self._create(self.desks[0], CUSTOMER, fields)
        for upper, lower in self.links:
            self._sync(self.desks[lower], self.desks[upper])

    def _sync(self, lower: Desk, upper: Desk) -> None:
        self._carry(upper, lower)
        self._carry(lower, upper)
        if merge_conflicts(lower.book).written:
            self._carry(lower, upper)

    def _carry(self, source: Desk, target: Desk, only: list[str] | None = None) -> None:
        target.book.pull(source.book, SELECTOR, only)
        for id in DOCUMENTS:
            if only is None or id in only:
                target.known[id] |= source.known[id]

    @rule(data=st.data(), downwards=st.booleans())
    def sync(self, data: st.DataObject, downwards: bool) -> None:
        upper, lower = self._link(data)
        one, other = (upper, lower) if downwards else (lower, upper)
        self._sync(one, other)
        for id in DOCUMENTS:
            assert sum(not leaf.get("_deleted") for leaf in one.book.leaves(id)) < 2

    @rule(data=st.data(), downwards=st.booleans(), carried=st.sets(st.sampled_from([*DOCUMENTS, "the log"])))
    def sync_that_is_cut_off(self, data: st.DataObject, downwards: bool, carried: set[str]) -> None:
        upper, lower = self._link(data)
        source, target = (upper, lower) if downwards else (lower, upper)
        ids = [change["id"] for change in source.book.changes().results if not change["id"].startswith("_")]
        self._carry(source, target, [id for id in ids if (id if id in DOCUMENTS else "the log") in carried])

    @rule(data=st.data(), after=st.integers(0, 4))
    def merge_that_is_cut_off(self, data: st.DataObject, after: int) -> None:
        desk = self._desk(data)
        try:
            merge_conflicts(CutOff(desk.book, after))  # type: ignore[arg-type]
        except Unreachable:
            desk.book.restart()

    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        self._desk(data).book.compact()

    @rule(data=st.data())
    def upgrade_the_forms(self, data: st.DataObject) -> None:
        self._desk(data).upgraded = True

    # People

    @rule(data=st.data(), id=st.sampled_from(DOCUMENTS))
    def open_a_page(self, data: st.DataObject, id: str) -> None:
        desk = self._desk(data)
        shown = desk.book.get(id)
        if shown:
            desk.opened[id] = (shown, set(desk.known[id]))

    @rule(
        data=st.data(),
        id=st.sampled_from(DOCUMENTS),
        name=st.sampled_from(PLAIN),
        text=st.sampled_from(["new", "new", "new", "alike", "empty"]),
        stale=st.booleans(),
        after=st.sampled_from([None, None, None, None, 0, 1]),
    )
    def edit(self, data: st.DataObject, id: str, name: str, text: str, stale: bool, after: int | None) -> None:
        desk = self._desk(data, id)
        shown, known = self._page(desk, id, stale)
        if not shown:
            return
        typed = {"new": self._typed(), "alike": "alike", "empty": None}[text]
        self._save(desk, id, shown, known, {name: typed}, self._event(id, name, typed), after)

    @rule(
        data=st.data(),
        id=st.sampled_from(DOCUMENTS),
        row=st.sampled_from("abc"),
        empty=st.booleans(),
        stale=st.booleans(),
    )
    def edit_rows(self, data: st.DataObject, id: str, row: str, empty: bool, stale: bool) -> None:
        """After the upgrade the field holds rows; before it, one text for all of them."""
        desk = self._desk(data, id)
        shown, known = self._page(desk, id, stale)
        typed = self._typed()
        if not shown:
            return
        before = shown.get(ROWS)
        if not desk.upgraded:
            event = self._event(id, ROWS, typed)
            self._save(desk, id, shown, known, {ROWS: typed}, event, None)
            if event in desk.known[id]:
                self._wrote_over(desk, id, before)
            return
        rows = {each["id"]: each for each in before} if isinstance(before, list) else {}
        empty = empty and row in rows
        changed = {**rows, row: {"id": row, "v": typed}}
        if empty:
            del changed[row]
        event = self._event(id, ROWS, None if empty else typed, row)
        gone = texts(before) if not isinstance(before, list) else texts(rows.get(row))
        self._save(desk, id, shown, known, {ROWS: list(changed.values()) or None}, event, None, gone)

    @rule(data=st.data())
    def enter_the_same_machine(self, data: st.DataObject) -> None:
        desk = self._desk(data)
        if desk.book.get(MACHINE) is not None:
            return
        self._create(desk, MACHINE, {"make": "CAT", "serial": "1", "name": self._typed()})

    @rule(data=st.data(), id=st.sampled_from(DOCUMENTS), stale=st.booleans())
    def delete(self, data: st.DataObject, id: str, stale: bool) -> None:
        desk = self._desk(data, id)
        shown, known = self._page(desk, id, stale)
        if shown:
            self._delete(desk, id, shown, known)

    @rule(data=st.data(), id=st.sampled_from(DOCUMENTS))
    def undelete(self, data: st.DataObject, id: str) -> None:
        desk = self._desk(data)
        deleted = {event for event in desk.known[id] if event.field == DELETED}
        if desk.book.get(id) is not None or not deleted:
            return
        try:
            saved = saving.undelete(desk.book, id, self._by(desk), self._now())
        except NotFound:
            return
        if saved.outcome == "created":
            self._did(desk, self._event(id, ALIVE, digest(body(saved.document))), deleted)
            # What waited to be decided does so again.
            self.put_away -= {each for each in desk.known[id] if _is_disputed(each, saved.document)}

    @precondition(lambda self: self._disputed())
    @rule(data=st.data(), choice=st.sampled_from(["now", "other", "typed"]))
    def settle(self, data: st.DataObject, choice: str) -> None:
        desk, id = data.draw(st.sampled_from(self._disputed()), label="where")
        shown = desk.book.get(id)
        dispute = data.draw(st.sampled_from(shown["disputes"]), label="dispute")
        if dispute["field"] == DELETED:
            self._settle_deletion(desk, id, shown, dispute, choice)
            return
        now, typed = value_in(dispute, shown), self._typed()
        fresh = {"id": dispute["row"], "v": typed} if "row" in dispute else typed
        value = {"now": now, "other": dispute["value"], "typed": fresh}[choice]
        met = texts(now) | texts(dispute["value"])
        seen = {
            event
            for event in desk.known[id]
            if event.field == dispute["field"] and (event.text in met or (event.text is None and stands(event, shown)))
        }
        saving.resolve_dispute(desk.book, id, dispute["id"], value, self._by(desk), self._now())
        chosen = texts(value) - {dispute.get("row")}
        text = next(iter(chosen)) if len(chosen) == 1 else None
        # To choose that a list is empty is not to say that nobody may add a row to it meanwhile.
        whole = isinstance(value, list) or (text is None and ("row" in dispute or dispute["field"] == ROWS))
        event = None if whole else self._event(id, dispute["field"], text, dispute.get("row"), choice != "typed")
        self._did(desk, event, seen)
        if dispute["field"] == ROWS and isinstance(value, str):
            self._wrote_over(desk, id, now)
        if whole and value is not None:
            # A whole list was chosen: what is in it was decided for, and so stands for whoever typed it.
            self.overwritten -= {each for each in seen if each.text in texts(value)}

    def _settle_deletion(
        self, desk: Desk, id: str, shown: dict[str, Any], dispute: dict[str, Any], choice: str
    ) -> None:
        if choice == "other":
            known = set(desk.known[id])
            at = self._now()
            saved = saving.resolve_dispute(desk.book, id, dispute["id"], True, self._by(desk), at)
            if saved.outcome == "deleted":
                self._did(desk, self._event(id, DELETED, self._by(desk) + at), set())
                self.put_away |= {event for event in known if stands(event, shown)}
            return
        saved = saving.resolve_dispute(desk.book, id, dispute["id"], False, self._by(desk), self._now())
        seen = {event for event in desk.known[id] if event.field == DELETED and stands(event, shown)}
        self._did(desk, self._event(id, ALIVE, digest(body(saved.document))), seen)

    def _disputed(self) -> list[tuple[Desk, str]]:
        return [(desk, id) for desk in self.desks for id in DOCUMENTS if (desk.book.get(id) or {}).get("disputes")]

    # What they do, and what it means

    def _save(
        self,
        desk: Desk,
        id: str,
        shown: dict[str, Any],
        known: set[Event],
        changes: dict[str, Any],
        event: Event,
        after: int | None,
        gone: set[str] | None = None,
    ) -> None:
        seen = {
            each
            for each in known
            if each.field == event.field
            and stands_in_field(each, shown)
            and (gone is None or each.text in gone or (each.text is None and each.row in (None, event.row)))
        }
        # Saved as it was shown it may still bring back what was deleted meanwhile, but says nothing of the field.
        says_something = any(shown.get(name) != value for name, value in changes.items())
        book = desk.book if after is None else CutOff(desk.book, after)
        base = {"_rev": shown["_rev"], **{name: shown.get(name) for name in changes}}
        try:
            saved = saving.save(book, {"_id": id, **changes}, self._by(desk), base, self._now())
        except Unreachable:
            desk.book.restart()
            # Nobody was told that it was saved. It may have been.
            if not says_something:
                return
            if event.text is None or any(event.text in texts(leaf.get(event.field)) for leaf in desk.book.leaves(id)):
                self._did(desk, event if event.text not in (None, "alike") else None, seen)
            return
        except NotFound:
            return
        if saved.outcome != "unchanged" and says_something:
            self._did(desk, event, seen)

    def _wrote_over(self, desk: Desk, id: str, rows: Any) -> None:
        """One text in the place of rows says of each of them that it is gone, as whoever empties that row says."""
        for row in rows if isinstance(rows, list) else ():
            desk.known[id].add(self._event(id, ROWS, None, row["id"]))

    def _create(self, desk: Desk, id: str, fields: dict[str, Any]) -> None:
        type = id.split(":")[1]
        document = {"_id": id, "type": type, "dealer": "D001", "share": "manufacturer", **fields}
        saving.save(desk.book, document, self._by(desk), now=self._now())
        gone = {event for event in desk.known[id] if event.field == DELETED}
        self._did(desk, self._event(id, ALIVE, None), gone)
        for name, value in fields.items():
            for text in texts(value):
                if text.startswith("typed"):
                    self._did(desk, self._event(id, name, text), set())

    def _delete(self, desk: Desk, id: str, shown: dict[str, Any], known: set[Event]) -> None:
        at = self._now()
        saved = saving.delete(desk.book, shown, self._by(desk), at)
        event = self._event(id, DELETED, self._by(desk) + at)
        if saved.outcome == "deleted":
            # A page from before somebody brought it back, with the same content: what is deleted is what was shown.
            brought_back = {each for each in desk.known[id] if each.field == ALIVE}
            self._did(desk, event, set())
            self.put_away |= brought_back | {each for each in known if stands(each, shown)}
        elif saved.outcome == "merged":
            self._did(desk, event, set())

    def _did(self, desk: Desk, event: Event | None, seen: set[Event]) -> None:
        self.overwritten |= seen
        if event:
            desk.known[event.document].add(event)

    def _page(self, desk: Desk, id: str, stale: bool) -> tuple[dict[str, Any], set[Event]]:
        if stale and id in desk.opened:
            return desk.opened.pop(id)
        return desk.book.get(id) or {}, set(desk.known[id])

    def _desk(self, data: st.DataObject, having: str = "") -> Desk:
        """A node; one that has this document, where there is one."""
        holders = [desk for desk in self.desks if having and desk.book.get(having)] or self.desks
        return data.draw(st.sampled_from(holders), label="node")

    def _link(self, data: st.DataObject) -> tuple[Desk, Desk]:
        upper, lower = self.links[data.draw(st.integers(0, len(self.links) - 1), label="link")]
        return self.desks[upper], self.desks[lower]

    def _event(self, id: str, name: str, text: str | None, row: str | None = None, chosen: bool = False) -> Event:
        self.events += 1
        return Event(self.events, id, name, text, row, chosen)

    def _typed(self) -> str:
        self.clock += 1
        return f"typed{self.clock}"

    def _now(self) -> str:
        self.clock += 1
        return f"2026-01-01T{self.clock // 3600:02}:{self.clock // 60 % 60:02}:{self.clock % 60:02}Z"

    def _by(self, desk: Desk) -> str:
        return f"node{desk.number}"

    def _was_replaced(self, event: Event) -> bool:
        """Whether somebody who was shown the same, whoever typed it, replaced it: who say the same say it once."""
        return any(
            replace(each, number=event.number, chosen=event.chosen) == event
            for each in self.overwritten | self.put_away
            if event.field != ALIVE or event.text
        )

    # What must be true in the end

    def teardown(self) -> None:
        if not self.desks:
            return
        for _ in range(3 * len(self.desks) + 6):
            before = [_everything(desk.book) for desk in self.desks]
            for upper, lower in self.links:
                self._sync(self.desks[lower], self.desks[upper])
            after = [_everything(desk.book) for desk in self.desks]
            if before == after:
                break
        else:
            raise AssertionError("The nodes do not come to an end.")
        assert all(each == after[0] for each in after), "The nodes hold different documents."
        book = self.desks[0].book
        for id in {id for id, _ in after[0]}:
            assert sum(not leaf.get("_deleted") for leaf in book.leaves(id)) < 2, f"{id} has conflicting leaves."
        for id in DOCUMENTS:
            document = book.get(id)
            for event in self.desks[0].known[id] - self.overwritten - self.put_away:
                type(self).examined += 1
                said_by_several = event.text in ("alike", None) or event.field == ALIVE or event.chosen
                if said_by_several and self._was_replaced(event):
                    continue
                assert stands(event, document), f"{event} is lost: {document}"


def _everything(book: Any) -> dict[tuple[str, str], Any]:
    """Every leaf of every document, and what it holds."""
    return {
        (change["id"], leaf["_rev"]): {
            name: value for name, value in leaf.items() if name not in ("_revisions", "_attachments")
        }
        for change in book.changes(limit=100_000, style="all_docs").results
        if not change["id"].startswith("_design/")
        for leaf in book.leaves(change["id"])
    }
