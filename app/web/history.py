"""What the log of changes tells about a document, and what is disputed in it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from app.documents.common import same
from app.documents.disputes import DELETED, open_disputes, value_in
from app.web.document_fields import NO_FIELD, InputField, ShownField, as_input, plain, shown

if TYPE_CHECKING:
    from app.design import Field, Form

Document = Mapping[str, Any]


@dataclass(frozen=True)
class ChangedField:
    """One field of a change: what it was and what it became.

    In a merge `by` wrote what came from the other branch: what it became, or with `set_aside` what it did not become.
    """

    label: str
    before: ShownField
    after: ShownField
    by: str = ""
    set_aside: bool = False
    is_deletion: bool = False


@dataclass(frozen=True)
class Change:
    """One entry of the log."""

    by: str
    at: str
    deleted: bool
    fields: Sequence[ChangedField]
    merged: bool = False


@dataclass(frozen=True)
class DisputedField:
    """Two values for one field: what stands in it now (written by `now_by` at `now_at`, empty when the log does not go
    back so far), and what somebody else wanted (`by` at `at`).

    `input` is where a third is typed, for a field that can be asked for by itself.
    """

    id: str
    label: str
    is_deletion: bool
    now: ShownField
    other: ShownField
    by: str
    at: str
    editable: bool = True
    input: InputField | None = None
    now_by: str = ""
    now_at: str = ""


def changes_of(
    entries: Iterable[Document], form: Form | None, titles: Mapping[str, str], roles: Iterable[str]
) -> list[Change]:
    """The entries of the log in the words of the form, without the fields that `roles` may not read.

    A deletion's entry holds everything there was: its fields are left out.
    """
    mine = frozenset(roles)
    return [
        Change(
            by=str(entry.get("by") or ""),
            at=str(entry.get("at") or ""),
            deleted=bool(entry.get("deleted")),
            fields=[
                _changed(row, form, titles)
                for row in entry.get("changes") or ()
                if not entry.get("deleted") and _readable(form, row.get("field"), mine)
            ],
            merged=bool(entry.get("merged")),
        )
        for entry in entries
    ]


def _changed(row: Document, form: Form | None, titles: Mapping[str, str]) -> ChangedField:
    found = _field(form, str(row.get("field")))
    label = found.label if found else str(row.get("field"))
    set_aside = "set_aside" in row
    before, after = row.get("set_aside" if set_aside else "from"), row.get("to")
    if "row" in row:
        before, after = [before] if before else None, [after] if after else None
    return ChangedField(
        label,
        _shown(found, before, titles),
        _shown(found, after, titles),
        by=str(row.get("by") or ""),
        set_aside=set_aside,
        is_deletion=row.get("field") == DELETED,
    )


def disputes_of(
    document: Document,
    form: Form | None,
    titles: Mapping[str, str],
    roles: Iterable[str],
    zone: tzinfo = UTC,
    typed: Mapping[str, tuple[Any, str]] | None = None,
    entries: Sequence[Document] = (),
) -> list[DisputedField]:
    """The open disputes of a document with both values, without those about fields that `roles` may not read.

    `typed` are values that were typed to settle one, by its id, each with what is wrong with it. `entries` of the log,
    newest first, say who wrote which value.
    """
    mine = frozenset(roles)
    disputes = []
    for each in open_disputes(document):
        if not _readable(form, each["field"], mine):
            continue
        found = _field(form, each["field"])
        label = found.label if found else each["field"]
        now, other = value_in(each, document), each.get("value")
        now_by, now_at = who_wrote(entries, each, now) or ("", "")
        by, at = who_wrote(entries, each, other) or (str(each.get("by") or ""), str(each.get("at") or ""))
        if "row" in each:
            now, other = [now] if now else None, [other] if other else None
        disputes.append(
            DisputedField(
                id=each["id"],
                label=label,
                is_deletion=each["field"] == DELETED,
                now=_shown(found, now, titles),
                other=_shown(found, other, titles),
                by=by,
                at=at,
                now_by=now_by,
                now_at=now_at,
                editable=found is None or found.may_edit(mine),
                input=_input(each, found, mine, titles, zone, (typed or {}).get(each["id"], (now, ""))),
            )
        )
    return disputes


def who_wrote(entries: Iterable[Document], disputed: Document, value: Any) -> tuple[str, str] | None:
    """Who last wrote a value of what is disputed, and when, by the log (newest first); None when it does not say.

    A dispute itself names whoever saved its branch last, which may have been for another field.
    """
    name = disputed["field"]
    if name == DELETED:
        return None
    rows = [(entry, row) for entry in entries for row in entry.get("changes") or () if row.get("field") == name]

    def has(row: Document, side: str) -> bool:
        return same(value_in(disputed, {name: row.get(side)}), value)

    for entry, row in rows:
        if not entry.get("merged") and has(row, "to") and not has(row, "from"):
            return str(entry.get("by") or ""), str(entry.get("at") or "")
    for entry, row in rows:
        said = row.get("set_aside", row.get("to"))
        if entry.get("merged") and row.get("row") == disputed.get("row") and same(said, value):
            return str(row.get("by") or ""), str(row.get("at") or "")
    return None


def _input(
    each: Document,
    found: Field | None,
    roles: frozenset[str],
    titles: Mapping[str, str],
    zone: tzinfo,
    typed: tuple[Any, str],
) -> InputField | None:
    if found is None or "row" in each or found.type in ("rows", "attachment") or not found.may_edit(roles):
        return None
    value, error = typed
    return as_input(found, value, {found.name: error}, titles, zone=zone, scope=f"dispute-{each['id']}")


def ids_in(entries: Iterable[Document], document: Document, form: Form | None) -> set[str]:
    """The documents named by former and disputed values, so that their titles can be read in one request."""
    if form is None:
        return set()
    named = {each.name for each in form.fields if each.type == "reference"}
    values = [row.get(side) for entry in entries for row in entry.get("changes") or () if row.get("field") in named
              for side in ("from", "to")]  # fmt: skip
    values += [each.get("value") for each in open_disputes(document) if each.get("field") in named]
    return {value for value in values if isinstance(value, str) and value}


def _field(form: Form | None, name: str) -> Field | None:
    return form.by_name.get(name) if form else None


def _readable(form: Form | None, name: Any, roles: frozenset[str]) -> bool:
    found = _field(form, str(name))
    return found is None or found.may_read(roles)


def _shown(found: Field | None, value: Any, titles: Mapping[str, str]) -> ShownField:
    if found is None:
        return ShownField(NO_FIELD, "", "text", plain(value))
    return shown(found, value, titles)
