"""What becomes of a save, in a form that a page can tell a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.documents.disputes import DELETED, Dispute

Outcome = Literal["created", "changed", "unchanged", "merged", "deleted"]


@dataclass(frozen=True)
class Saved:
    """What became of a save.

    `document` is as it is in the store now. With the outcome ``"merged"`` somebody else (`merged_with`) had changed
    the document since it was shown: `kept` are the fields that stay as they made them, and `disputes` what was typed
    into a field that they had changed too; nothing of it is lost, a person picks later.
    """

    document: dict[str, Any]
    outcome: Outcome
    merged_with: str | None = None
    disputes: tuple[Dispute, ...] = ()
    kept: tuple[str, ...] = ()

    def sentences(self, labels: Mapping[str, str] | None = None) -> list[str]:
        """What to tell the person who saved; empty unless merged. `labels` are the fields' names on the page."""

        def named(fields: Iterable[str]) -> str:
            return ", ".join(dict.fromkeys((labels or {}).get(name, name) for name in fields))

        if self.outcome != "merged":
            return []
        who = self.merged_with or "Somebody else"
        deleted = [each for each in self.disputes if each["field"] == DELETED]
        if deleted:
            return [f"{deleted[0]['by'] or who} deleted this meanwhile. Your changes are kept and so it stays, marked."]
        told = []
        if self.kept:
            told.append(f"{who} saved this meanwhile; the changes to {named(self.kept)} are kept beside yours.")
        if self.disputes:
            fields = named(each["field"] for each in self.disputes)
            told.append(f"{who} changed {fields} meanwhile too. Theirs is shown; yours is kept for you to choose from.")
        return told or [f"{who} saved this meanwhile; your changes are kept with theirs."]


@dataclass(frozen=True)
class Refused:
    """A document that was not written, and why, as a sentence."""

    document: dict[str, Any]
    reason: str
