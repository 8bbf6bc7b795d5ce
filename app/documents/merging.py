"""Merging the leaves of one document by field: pure, and the same on every node.

CouchDB keeps concurrent edits as leaf revisions, picks the same winner everywhere and hides the rest. Here the hidden
ones are brought into the winner: a field that only one branch changed has that branch's value, and where several
changed it differently the others go to ``disputes``. No body of a common ancestor is needed (CouchDB does not
replicate them), because ``field_revs`` says which generation last changed each field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.documents.attachment_merging import merge_files
from app.documents.common import UNKNOWN_TIME, body, generation, same, text_in
from app.documents.disputes import (
    DELETED,
    Dispute,
    deletion_dispute,
    dispute,
    dispute_id,
    is_settled,
    open_disputes,
    ordered,
    union,
    value_in,
)
from app.documents.entries import (
    Entries,
    entries,
    field_of,
    fields,
    is_foreign,
    revisions_of,
    row_fields,
    rows_of_whole_fields,
)

Leaf = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One entry on which the leaves differed: the value that stands now, and one that does not.

    `of` is the leaf which said what is new to the winner: the value that stands, or the one in the dispute.
    """

    entry: str
    field: str
    row: str | None
    before: Any
    after: Any
    of: Leaf
    disputed: bool


@dataclass(frozen=True)
class Merged:
    """What the leaves of a document make together.

    `document` goes on the winner's branch (its ``_rev`` is the winner's) and is written only when `changed`.
    `losers` are the other live leaves; after the document is safely written, `tombstones` end them.
    `attachments` are (revision, name) of files that only a losing leaf has. `choices` say what the merge made of
    each entry on which the leaves differed; nothing of what is in them is written with the document.
    """

    document: dict[str, Any]
    losers: tuple[Leaf, ...]
    disputes_added: tuple[Dispute, ...]
    changed: bool
    attachments: tuple[tuple[str, str], ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def tombstones(self) -> list[dict[str, Any]]:
        """A deletion for each losing leaf, with the fields a replication's selector asks for."""
        return [tombstone(leaf) for leaf in self.losers]

    @property
    def needed(self) -> bool:
        """Whether anything has to be written at all."""
        return self.changed or bool(self.losers)


def merge(leaves: Sequence[Leaf]) -> Merged:
    """Merges all leaves of one document, each with ``_rev`` and ``_revisions``; deleted ones have ``_deleted``.

    The result does not depend on the order of the leaves or on doubles among them. With only deleted leaves there is
    nothing to do.
    """
    ranked = sorted({leaf["_rev"]: leaf for leaf in leaves}.values(), key=_rank, reverse=True)
    if not ranked:
        raise ValueError("A document without leaves cannot be merged.")
    winner = ranked[0]
    live = [leaf for leaf in ranked if not leaf.get("_deleted")]
    if not live:
        return Merged(dict(winner), (), (), False)
    found, known, resolved = _known_disputes(live)
    added = [_DisputedBy(deletion_dispute(leaf), DELETED, leaf) for leaf in filter(_is_deletion, ranked)]
    fields_merged = _Fields(body(winner))
    if len(live) > 1:
        fields_merged = _merge_fields(live, known)
        added += fields_merged.disputes
    for each in added:
        if each.dispute["id"] not in resolved:
            found.setdefault(each.dispute["id"], each.dispute)
    content = fields_merged.content
    still_open = ordered(each for each in found.values() if not is_settled(each, content))
    document = _document(winner, live, content, fields_merged.changed, still_open, resolved)
    files, missing = _merge_files(live)
    if files != (document.pop("_attachments", None) or {}):
        fields_merged.changed.add("_attachments")
    if files:
        document["_attachments"] = files
    changed = bool(fields_merged.changed) or any(
        not same(document.get(name) or None, winner.get(name) or None) for name in ("disputes", "resolved")
    )
    before = {each["id"] for each in open_disputes(winner)}
    new = tuple(each for each in still_open if each["id"] not in before)
    return Merged(
        document if changed else {name: value for name, value in winner.items() if name != "_revisions"},
        tuple(live[1:]),
        new,
        changed,
        tuple(missing),
        _choices(fields_merged.taken, added, {each["id"] for each in new}, content),
    )


def tombstone(leaf: Leaf) -> dict[str, Any]:
    """The deletion of a leaf whose content lives on in the merged document: the same on every node that makes it."""
    kept = {name: leaf[name] for name in ("type", "dealer", "share") if name in leaf}
    return {
        "_id": leaf["_id"],
        "_rev": leaf["_rev"],
        "_deleted": True,
        **kept,
        "deleted_by": "merge",
        "deleted_at": text_in(leaf, "updated_at") or UNKNOWN_TIME,
        "merged": True,
    }


def fork_point(one: Leaf, other: Leaf) -> int:
    """The highest generation at which two leaves have the same revision; 0 when they never had."""
    ours, theirs = one["_revisions"], other["_revisions"]
    top = min(ours["start"], theirs["start"])
    mine, others = ours["ids"][ours["start"] - top :], theirs["ids"][theirs["start"] - top :]
    for below, (left, right) in enumerate(zip(mine, others, strict=False)):
        if left == right:
            return int(top - below)
    return 0


def _rank(leaf: Leaf) -> tuple[bool, int, str]:
    """CouchDB's own order of leaves: live before deleted, then the longer history, then the greater digest."""
    number, _, rest = leaf["_rev"].partition("-")
    return not leaf.get("_deleted"), int(number), rest


def _is_deletion(leaf: Leaf) -> bool:
    return bool(leaf.get("_deleted")) and not leaf.get("merged")


def _known_disputes(live: Sequence[Leaf]) -> tuple[dict[str, Dispute], set[str], set[str]]:
    found, resolved = union(live)
    return found, {*found, *resolved}, resolved


class _Branches:
    """The live leaves side by side, the winner first: their entries, and who changed what since they parted."""

    def __init__(self, live: Sequence[Leaf]) -> None:
        self.live = live
        self.rows = row_fields(live)
        self.entries: list[Entries] = [entries(leaf, self.rows) for leaf in live]
        self.revisions = [revisions_of(leaf, found) for leaf, found in zip(live, self.entries, strict=True)]
        self._foreign = [is_foreign(leaf) for leaf in live]
        self._forks = [[fork_point(one, other) for other in live] for one in live]

    def every_entry(self) -> list[str]:
        """The entries of all leaves; those that somebody emptied, too: that was an edit."""
        told = (*self.entries, *self.revisions)
        return list(dict.fromkeys(entry for found in told for entry in found))

    def revision(self, entry: str, leaf: int) -> int:
        if self._foreign[leaf]:
            return generation(self.live[leaf]["_rev"])
        return self.revisions[leaf].get(entry, 0)

    def _changed(self, entry: str, leaf: int, other: int) -> bool:
        return self.revision(entry, leaf) > self._forks[leaf][other]

    def standing(self, entry: str, values: Sequence[Any]) -> list[int]:
        """The leaves whose value no other leaf has seen and replaced, the winner's first."""
        every = range(len(self.live))
        return [
            leaf
            for leaf in every
            if not any(
                self._changed(entry, other, leaf)
                and not self._changed(entry, leaf, other)
                and not same(values[leaf], values[other])
                for other in every
            )
        ]

    def affirmed_elsewhere(self, entry: str, values: Sequence[Any]) -> bool:
        """Whether another branch decided anew for the value that the winner has from before they parted.

        Somebody who settles a dispute for the value that stands changes no value. A third branch that changes it
        without knowing of that meets a decision all the same.
        """
        return any(
            not self._foreign[other]
            and same(values[other], values[0])
            and self._changed(entry, other, 0)
            and not self._changed(entry, 0, other)
            for other in range(1, len(self.live))
        )

    def dispute(self, entry: str, leaf: int) -> Dispute:
        """The dispute that says what a leaf has in an entry, and who wrote that leaf when."""
        said = self.live[leaf]
        by, at = text_in(said, "updated_by"), text_in(said, "updated_at")
        return dispute(entry, self.rows, self.entries[leaf].get(entry), self.revision(entry, leaf), by, at)

    def choice(self, entry: str, before: Any, after: Any, of: Leaf) -> Choice:
        """An entry whose value is another leaf's."""
        name, row = field_of(entry, self.rows)
        return Choice(entry, name, row, before, after, of, disputed=False)


@dataclass(frozen=True)
class _DisputedBy:
    """A dispute, the entry it is about, and the leaf that says so."""

    dispute: Dispute
    entry: str
    leaf: Leaf


@dataclass
class _Fields:
    """The merged fields, the entries that count as changed on the winner's branch, and what was chosen and disputed."""

    content: dict[str, Any]
    changed: set[str] = field(default_factory=set)
    taken: list[Choice] = field(default_factory=list)
    disputes: list[_DisputedBy] = field(default_factory=list)


def _merge_files(live: Sequence[Leaf]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    if not any(leaf.get("_attachments") for leaf in live):
        return {}, []
    return merge_files(live, [[fork_point(one, other) for other in live] for one in live])


def _merge_fields(live: Sequence[Leaf], known: set[str]) -> _Fields:
    branches = _Branches(live)
    merged: Entries = {}
    made = _Fields({})
    for entry in branches.every_entry():
        values = [found.get(entry) for found in branches.entries]
        chosen = 0
        if not all(same(values[0], value) for value in values[1:]):
            standing = branches.standing(entry, values)
            ids = [dispute_id(entry, value, branches.revision(entry, n)) for n, value in enumerate(values)]
            # A value that somebody has already met as a dispute does not come back over the one it was weighed against.
            chosen = next((leaf for leaf in standing if ids[leaf] not in known), standing[0])
            if entry not in branches.rows:
                others = [leaf for leaf in standing if not same(values[leaf], values[chosen])]
                made.disputes += [_DisputedBy(branches.dispute(entry, leaf), entry, live[leaf]) for leaf in others]
        merged[entry] = values[chosen]
        if not same(values[chosen], values[0]):
            made.changed.add(entry)
            made.taken.append(branches.choice(entry, values[0], values[chosen], live[chosen]))
        elif branches.affirmed_elsewhere(entry, values):
            made.changed.add(entry)
    made.content = fields(merged, branches.rows, branches.entries)
    before = body(live[0])
    for name in branches.rows:
        if not same(made.content.get(name) or None, before.get(name) or None):
            made.changed.add(name)
        else:
            made.changed.discard(name)
    made.taken = [choice for choice in made.taken if choice.entry not in branches.rows]
    return made


def _choices(
    taken: Sequence[Choice], added: Sequence[_DisputedBy], new: set[str], content: Mapping[str, Any]
) -> tuple[Choice, ...]:
    """What became of each entry: values set aside, and what stands instead; values taken with none against them."""
    disputed = []
    for each in added:
        if each.dispute["id"] in new:
            stands = value_in(each.dispute, content)
            said = each.dispute
            disputed.append(
                Choice(each.entry, said["field"], said.get("row"), said["value"], stands, each.leaf, disputed=True)
            )
    against = {choice.entry for choice in disputed}
    return (*(choice for choice in taken if choice.entry not in against), *disputed)


def _document(
    winner: Leaf,
    live: Sequence[Leaf],
    content: dict[str, Any],
    changed: set[str],
    disputes: list[Dispute],
    resolved: set[str],
) -> dict[str, Any]:
    rows = row_fields([*live, content])
    next_generation = generation(winner["_rev"]) + 1
    revisions = revisions_of(winner, entries(winner, rows))
    revisions.update(dict.fromkeys(changed, next_generation))
    revisions.update({field_of(entry, rows)[0]: next_generation for entry in changed})
    revisions.update(dict.fromkeys(rows_of_whole_fields(changed, rows, (winner, content)), next_generation))
    document = {name: value for name, value in winner.items() if name in ("_id", "_rev", "_attachments")}
    document |= {name: winner[name] for name in ("type", "dealer") if name in winner}
    shares = [leaf["share"] for leaf in live if isinstance(leaf.get("share"), str)]
    if shares:
        # They cannot differ between honest writers; if they do, the private one is the safe one.
        document["share"] = min(shares)
    document |= _earliest_and_latest(live) | content
    document["field_revs"] = {**dict(sorted(revisions.items())), "*": next_generation}
    if disputes:
        document["disputes"] = disputes
    if resolved:
        document["resolved"] = sorted(resolved)
    return document


def _earliest_and_latest(live: Sequence[Leaf]) -> dict[str, str]:
    created, updated = _said(live, "created_at", "created_by"), _said(live, "updated_at", "updated_by")
    found: dict[str, str] = {}
    if created:
        found["created_at"], found["created_by"] = min(created)
    if updated:
        found["updated_at"], found["updated_by"] = max(updated)
    return found


def _said(live: Sequence[Leaf], at: str, by: str) -> list[tuple[str, str]]:
    """When each leaf was written and by whom, of those that say so in words."""
    return [(text_in(leaf, at), text_in(leaf, by)) for leaf in live if text_in(leaf, at)]
