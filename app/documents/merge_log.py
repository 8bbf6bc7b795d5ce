"""What a merge leaves in the log of changes: which values it took from whom, and which it set aside (pure).

Every node that merges the same leaves writes the same entry, on its own: its id is a digest of what it says, and it
names the people and times of the edits that met, never the clock of the node that merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.documents.changes import entry_of_log, file_rows
from app.documents.common import UNKNOWN_TIME, digest, text_in
from app.documents.merging import Choice, Leaf, Merged, merge

# What a merge is signed by, as programs sign: nobody was asked.
MERGE = "ironbook:merge"


def merge_entry(winner: Leaf, merged: Merged, document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The entry that tells how `winner` became `document` by a merge; None when nothing in it is told.

    Each row has the field (and ``row``, its id, when it is one row of a field), the value ``to`` that stands now, and
    the one that does not: ``from``, where a value that only another branch changed was taken; ``set_aside``, where both
    were changed and that one waits in a dispute. ``by`` and ``at`` say who wrote what came from the other branch.
    """
    rows = [_row(choice) for choice in merged.choices] + file_rows(winner, document)
    if not rows or document.get("type") == "change":
        return None
    at = max(text_in(document, "updated_at"), *(text_in(row, "at") for row in rows)) or UNKNOWN_TIME
    entry = entry_of_log(document, digest([document["_id"], rows, at]), rows, MERGE, at)
    return {**entry, "merged": True}


def made_again(winner: Leaf, parent: Leaf, losers: list[Leaf]) -> dict[str, Any] | None:
    """The entry of a merge that wrote `winner` on `parent` and was cut off before it told of it; None if it was none.

    What a merge writes can be made again from what it merged: when that comes out differently, somebody edited.
    """
    again = merge([parent, *losers])
    expected = {name: value for name, value in again.document.items() if name[:1] != "_"}
    found = {name: value for name, value in winner.items() if name[:1] != "_"}
    if not again.changed or again.document["_rev"] != parent["_rev"] or expected != found:
        return None
    return merge_entry(parent, again, winner)


def _row(choice: Choice) -> dict[str, Any]:
    by, at = text_in(choice.of, "updated_by", "deleted_by"), text_in(choice.of, "updated_at", "deleted_at")
    row: dict[str, Any] = {"field": choice.field}
    if choice.row is not None:
        row["row"] = choice.row
    row |= {"set_aside" if choice.disputed else "from": choice.before, "to": choice.after, "by": by, "at": at}
    return {"id": digest([choice.entry, row]), **row}
