"""What hangs on a document that is to be deleted: counted by kind, and what of it goes along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import Database
from app.web.formatting import format_count

if TYPE_CHECKING:
    from app.design import Form

_PAGE = 500


@dataclass(frozen=True)
class Hanging:
    """Documents of one kind that name another. `along` says in words what goes with them when they go.

    `belongs`: they cannot be without it, for their form requires it; such go along unless somebody says otherwise.
    """

    type: str
    words: str
    count: int
    belongs: bool
    along: str = ""
    editable: bool = True


def hanging(
    database: Database, document: Mapping[str, Any], forms: Mapping[str, Form], may: Callable[[str, str], bool]
) -> list[Hanging]:
    """What names `document`, by kind: those first that belong to it. One request."""
    document_id, own_type = str(document["_id"]), str(document.get("type", ""))
    rows = database.view("references", "to", startkey=[document_id], endkey=[document_id, {}], group_level=2)
    found = []
    for row in rows:
        kind, count = str(row.key[1]), int(row.value)
        if not may("read", kind):
            continue
        along = sorted(forms[each].plural.lower() for each in requiring(forms, kind) if may("edit", each))
        found.append(
            Hanging(
                kind,
                _counted(forms.get(kind), kind, count),
                count,
                kind in requiring(forms, own_type),
                " and ".join(along),
                may("edit", kind),
            )
        )
    return sorted(found, key=lambda each: (not each.belongs, each.type))


def requiring(forms: Mapping[str, Form], kind: str) -> frozenset[str]:
    """The kinds of documents whose form requires one of `kind`: a reading requires its machine (pure)."""
    return frozenset(
        form.name
        for form in forms.values()
        if any(each.type == "reference" and each.required and each.target == kind for each in form.fields)
    )


def going_along(
    database: Database,
    document: Mapping[str, Any],
    kinds: Iterable[str],
    forms: Mapping[str, Form],
    may: Callable[[str, str], bool],
) -> Iterator[str]:
    """The ids of what is deleted along with `document`: what names it of the `kinds`, and what those take along.

    A machine takes its readings along, a person what is known about them; nothing that the user may not edit goes.
    """
    seen = {str(document["_id"])}
    level: dict[str, list[str]] = {str(document.get("type", "")): list(seen)}
    told: Iterable[str] | None = list(kinds)
    while level:
        below: dict[str, list[str]] = {}
        for kind, ids in level.items():
            for each in sorted(requiring(forms, kind)) if told is None else told:
                if not may("edit", each):
                    continue
                for id in _naming(database, ids, each):
                    if id not in seen:
                        seen.add(id)
                        below.setdefault(each, []).append(id)
                        yield id
        level, told = below, None


def _naming(database: Database, ids: list[str], kind: str) -> Iterator[str]:
    """The ids of the documents of a kind that name one of these: a request for a page of ids, however many name one."""
    for start in range(0, len(ids), _PAGE):
        keys = [[id, kind] for id in ids[start : start + _PAGE]]
        for row in database.view("references", "to", keys=keys, reduce=False):
            yield str(row.id)


def _counted(form: Form | None, kind: str, count: int) -> str:
    one, many = (form.label, form.plural) if form else (kind, kind)
    return format_count(count, one[:1].lower() + one[1:], many[:1].lower() + many[1:])
