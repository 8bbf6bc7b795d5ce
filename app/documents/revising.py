"""Deciding the next revision of a document when somebody saves it: pure, and the person is never overruled silently.

A save knows what its editor was shown (`base`) and what the document has become meanwhile (`current`). What only the
editor changed is taken; what others changed meanwhile stays; where both changed the same to something different, the
current value stays in its field and what was typed goes to ``disputes``, exactly as when two nodes meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.documents.attachments import attached
from app.documents.common import FIXED_FIELDS, body, generation, same
from app.documents.disputes import DELETED, Dispute, dispute, entry_of, is_settled, open_disputes, ordered, union
from app.documents.entries import Entries, entries, field_of, fields, revisions_of, row_fields, rows_of_whole_fields

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Revision:
    """The next revision of a document, ready to be written when `changed`.

    `kept` are the fields that others changed meanwhile and that stay so; `disputes` what was typed and lost to them.
    """

    document: dict[str, Any]
    changed: bool
    kept: tuple[str, ...] = ()
    disputes: tuple[Dispute, ...] = ()


def first_revision(document: Document, by: str, at: str, after: str | None = None) -> Revision:
    """A new document. `after` is the revision of a deletion that it follows, if there is one."""
    content = {name: value for name, value in body(document).items() if value not in (None, [])}
    made: dict[str, Any] = {"_id": document["_id"]}
    if after:
        made["_rev"] = after
    made |= {name: document[name] for name in FIXED_FIELDS if name in document}
    made.setdefault("created_at", at)
    made.setdefault("created_by", by)
    made |= {"updated_at": at, "updated_by": by, **content}
    rows = row_fields([made])
    number = generation(after) + 1
    made["field_revs"] = {**dict.fromkeys(sorted(entries(made, rows)), number), "*": number}
    if "_attachments" in document:
        made["_attachments"] = document["_attachments"]
    return Revision(made, True)


def next_revision(
    current: Document,
    edited: Document,
    base: Document | None,
    by: str,
    at: str,
    base_rev: str | None = None,
    fork: int | None = None,
) -> Revision:
    """The revision that follows `current` (a whole document with ``_rev``) when somebody saves `edited`.

    Fields in neither `edited` nor `base` are left alone. `base` may hold only the fields that were shown; one that is
    in `edited` alone was shown empty. When `base` is not known any more, `base_rev` says which revision was shown and
    ``field_revs`` what changed since `fork`, the generation at which it and `current` parted (that of `base_rev` where
    `current` was made from it); with neither, `edited` was written without knowing of `current` at all.
    """
    rows = row_fields(filter(None, (current, edited, base)))
    now, mine = entries(current, rows), entries(edited, rows)
    was = entries(base, rows) if base is not None else None
    shown = (base or {}).get("_rev") or base_rev
    parted = generation(shown) if fork is None else fork
    meanwhile = _Meanwhile(current, now, mine, was, shown, parted, revisions_of(current, now))
    touched = dict.fromkeys((*mine, *(was if was is not None else now if shown else ())))
    result, disputed = dict(now), list[Dispute]()
    next_generation = generation(current["_rev"]) + 1
    for entry in touched:
        wanted, is_order = mine.get(entry), entry in rows
        if (was is not None and same(wanted, was.get(entry))) or same(wanted, now.get(entry)):
            continue
        if not meanwhile.changed(entry):
            result[entry] = wanted
        elif not is_order:
            disputed.append(dispute(entry, rows, wanted, next_generation, by, at))
    content = fields(result, rows, (now, mine))
    if "_attachments" in edited:
        edited = {**edited, "_attachments": attached(current, edited, base)}
    return _next(current, edited, content, disputed, meanwhile.kept(rows, disputed), rows, by, at)


@dataclass(frozen=True)
class _Meanwhile:
    """What happened to a document between being shown and being saved."""

    current: Document
    now: Entries
    mine: Entries
    was: Entries | None
    shown: str | None
    parted: int
    revisions: dict[str, int]

    def changed(self, entry: str) -> bool:
        if self.shown is None:
            return self.now.get(entry) is not None
        if self.shown == self.current["_rev"]:
            return False
        numbered = self.revisions.get(entry, 0) > self.parted
        if self.was is None or (entry not in self.was and entry not in self.mine):
            return numbered
        # By what was shown wherever that is known: what was shown may have lost to a branch of as many generations. One
        # shown empty may also have been filled in and emptied again, which only its number tells.
        return not same(self.was.get(entry), self.now.get(entry)) or (entry not in self.was and numbered)

    def kept(self, rows: frozenset[str], disputed: list[Dispute]) -> tuple[str, ...]:
        if self.shown is None or self.shown == self.current["_rev"]:
            return ()
        lost = {each["field"] for each in disputed}
        known = dict.fromkeys((*self.revisions, *self.now, *(self.was or ())))
        changed = (field_of(entry, rows)[0] for entry in known if self.changed(entry))
        return tuple(dict.fromkeys(field for field in changed if field not in lost))


def _next(
    current: Document,
    edited: Document,
    content: dict[str, Any],
    disputed: list[Dispute],
    kept: tuple[str, ...],
    rows: frozenset[str],
    by: str,
    at: str,
    decided: Iterable[str] = (),
) -> Revision:
    number = generation(current["_rev"]) + 1
    before, after = entries(current, rows), entries(content, rows)
    changed = {entry for entry in (*before, *after) if not same(before.get(entry), after.get(entry))}
    changed |= {field_of(entry, rows)[0] for entry in changed}
    changed |= rows_of_whole_fields(changed, rows, (current, content))
    found, resolved = union([current])
    found.update((each["id"], each) for each in disputed if each["id"] not in resolved)
    settled = {id for id, each in found.items() if is_settled(each, content)}
    document = {name: value for name, value in current.items() if name[:1] == "_" or name in FIXED_FIELDS}
    document.pop("_revisions", None)
    if "_attachments" in edited:
        document["_attachments"] = edited["_attachments"]
    if not document.get("_attachments"):
        document.pop("_attachments", None)
    document |= {"updated_at": at, "updated_by": by, **content}
    revisions = {**revisions_of(current, before), **dict.fromkeys((*changed, *decided), number)}
    document["field_revs"] = {**dict(sorted(revisions.items())), "*": number}
    still = ordered(each for id, each in found.items() if id not in settled)
    if still:
        document["disputes"] = still
    if resolved or settled:
        document["resolved"] = sorted(resolved | settled)
    added = tuple(each for each in disputed if each["id"] not in settled)
    files = not same(document.get("_attachments") or {}, current.get("_attachments") or {})
    return Revision(document, bool(changed or added or settled or files), kept, added)


def resolution(
    current: Document,
    dispute_ids: set[str],
    field_value: dict[str, Any],
    by: str,
    at: str,
    set_aside: Iterable[Dispute] = (),
) -> Revision:
    """The revision in which these disputes are resolved; `field_value` are the fields as they should be.

    What is decided counts as changed, also where the value stays: who decides otherwise at the same time on another
    node is not to win silently. `set_aside` are values that were not decided about and have no place any more.
    """
    about = [each for each in open_disputes(current) if each["id"] in dispute_ids and each["field"] != DELETED]
    decided = {entry_of(each) for each in about}
    content = {name: value for name, value in {**body(current), **field_value}.items() if value is not None}
    rows = row_fields([current, content])
    # Whoever chose a whole list over one text chose each of its rows.
    decided |= {entry for entry in entries(content, rows) if field_of(entry, rows)[0] in decided & rows}
    # And whoever chose a row chose it over a text that somebody types for all of them meanwhile.
    decided |= {each["field"] for each in about}
    next_document = _next(current, content, content, list(set_aside), (), rows, by, at, sorted(decided)).document
    still = [each for each in next_document.pop("disputes", ()) if each["id"] not in dispute_ids]
    if still:
        next_document["disputes"] = still
    next_document["resolved"] = sorted({*next_document.get("resolved", ()), *dispute_ids})
    return Revision(next_document, True)
