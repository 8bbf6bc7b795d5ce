"""What can differ between two replicas, why, and the words for it (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.words import counted, noun

# The two sides, as the words for what differs call them.
HERE, THERE = "here", "there"

# What differs.
ONLY_HERE = "only here"
ONLY_THERE = "only there"
NEWER_HERE = "newer here"
NEWER_THERE = "newer there"
BOTH_CHANGED = "changed on both sides"
DELETED_HERE = "deleted here, still there"
DELETED_THERE = "deleted there, still here"
DELETION_HERE = "deleted here, unknown there"
DELETION_THERE = "deleted there, unknown here"
PRIVATE = "kept here"

# Why.
NOT_SENT = "not sent yet"
NEVER_SYNCED = "from before the first sync"
REFUSED_THERE = "refused over there"
LOST_THERE = "was there, and is not any more"
NOT_PULLED = "not pulled yet"
REFUSED_HERE = "refused here"
LOST_HERE = "was here, and is not any more"
BARE = "deleted by a program that did not say who"
NOT_SHARED = "not shared over this connection"
NOT_FOR_MARKET = "not shared with the manufacturer"
NOT_IN_CATALOG = "not in the upstream's catalog"
NOT_FED = "not fed yet"
LOST_IN_MARKET = "was in the market, and is not any more"
ONLY_IN_MARKET = "unknown to the replica"
NO_REPLICA = "of a dealer without a replica"

WORDS: dict[str, str] = {
    NOT_SENT: "Changed here since the last sync; the next one sends it.",
    NEVER_SYNCED: "This connection has not synced yet; the first sync exchanges it.",
    REFUSED_THERE: "The other side does not take it. It is offered again at every sync.",
    LOST_THERE: "It was exchanged once and is gone over there: purged, or an older state was restored. A sync that "
    "compares everything sends it again.",
    NOT_PULLED: "Changed over there since the last sync; the next one brings it.",
    REFUSED_HERE: "This computer does not take it. It is offered again at every sync.",
    LOST_HERE: "It was exchanged once and is gone here: purged, or an older state was restored. A sync that compares "
    "everything brings it again.",
    BARE: "Such a deletion does not say what it deleted, so no sync carries it. Delete it again on the other side, or "
    "bring it back here.",
    NOT_SHARED: "It stays within the dealership.",
    NOT_FOR_MARKET: "It should not have come to head office; the market does not take it.",
    NOT_IN_CATALOG: "The catalog comes from the upstream alone, which does not have this: it was made anew, or "
    "an older state was restored.",
    NOT_FED: "It came since the market was fed last; the next feed, within a minute, brings it.",
    LOST_IN_MARKET: "It was fed once and is gone from the market: purged there. Feeding anew brings it back.",
    ONLY_IN_MARKET: "The replica was purged, made anew or restored from a backup, or somebody wrote into the market "
    "itself. The dealer's next sync brings back what the dealer has; what is left then counts in the figures until it "
    "is deleted in the market.",
    NO_REPLICA: "The dealer's database is not here any more; what was fed from it counts in the figures until it is "
    "deleted in the market.",
}
# Those that a sync which compares everything, or feeding anew, puts right.
MENDED_BY_COMPARING = frozenset((LOST_THERE, LOST_HERE, LOST_IN_MARKET))
_PLACE = re.compile(rf"\b({HERE}|{THERE})\b")
_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
OTHER = "other"


@dataclass(frozen=True)
class Side:
    """One document on one side: `rev` empty when it was never there; `deleted` says of the winning revision."""

    rev: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Example:
    """One document that differs, and what is known about it beyond the reason of its kind."""

    document_id: str
    detail: str = ""


@dataclass(frozen=True)
class Difference:
    """Documents of one type that differ in one way for one reason: how many, and the first of them by id."""

    database: str
    type: str
    what: str
    why: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Totals:
    """Documents of one type that the connection carries: how many live and are deleted here and over there."""

    database: str
    type: str
    here: int
    here_deleted: int
    there: int
    there_deleted: int


@dataclass(frozen=True)
class Comparison:
    """What a comparison found. `complete` is false when it was stopped: then the counts are of what was looked at.

    `connection` is what was compared with, or the code of the dealer whose replica was; `places` are what here and
    there are called. `counts_deletions` is false where those over there were not counted.
    """

    connection: str
    complete: bool
    totals: tuple[Totals, ...]
    differences: tuple[Difference, ...]
    syncing: str = ""
    places: tuple[str, str] = (HERE, THERE)
    counts_deletions: bool = True

    def placed(self, what: str) -> str:
        """What differs, in the words for the two places."""
        return _PLACE.sub(lambda found: self.places[found[0] == THERE], what)

    @property
    def differing(self) -> int:
        """Documents that should be the same on both sides and are not."""
        return sum(each.count for each in self.differences if each.what != PRIVATE)

    @property
    def private(self) -> int:
        """Documents that the connection does not carry."""
        return sum(each.count for each in self.differences if each.what == PRIVATE)

    @property
    def same(self) -> bool:
        """Whether both sides hold the same of what the connection carries."""
        return self.complete and not self.differing

    @property
    def mendable(self) -> bool:
        """Whether a sync that compares everything would put some of it right."""
        return any(each.why in MENDED_BY_COMPARING for each in self.differences)

    @property
    def sentence(self) -> str:
        """The result in words."""
        live = sum(each.here for each in self.totals)
        deleted = sum(each.here_deleted for each in self.totals)
        if self.same:
            held = f"{counted(live, 'document')} and {counted(deleted, 'deletion')}"
            found = f"The same: both sides hold the same {held}."
        elif self.differing:
            found = f"{counted(self.differing, 'document differs', 'documents differ')}."
        else:
            found = "No difference was found so far."
        if self.private:
            why = next(each.why for each in self.differences if each.what == PRIVATE)
            found += f" {self.private:,} more {noun(self.private, 'is', 'are')} {why}."
        return found if self.complete else f"Stopped before the end. {found}"


@dataclass
class Tally:
    """Counts what differs, keeping the first few ids of each kind whatever there is."""

    most: int
    _found: dict[tuple[str, str, str, str], tuple[int, list[Example]]] = field(default_factory=dict)
    _totals: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, database: str, what: str, why: str, document_id: str, detail: str = "") -> None:
        """Counts one document."""
        key = (database, type_of(document_id), what, why)
        count, examples = self._found.get(key, (0, []))
        examples.append(Example(document_id, detail))
        if len(examples) > 2 * self.most:
            examples = _first(examples, self.most)
        self._found[key] = (count + 1, examples)

    def count(self, database: str, document_id: str, place: str, deleted: bool) -> None:
        """Counts a document that is on one side, `place` HERE or THERE."""
        totals = self._totals.setdefault((database, type_of(document_id)), [0, 0, 0, 0])
        totals[(0 if place == HERE else 2) + deleted] += 1

    def differences(self) -> tuple[Difference, ...]:
        """What was counted, by database and type."""
        return tuple(
            Difference(*key, count, tuple(_first(examples, self.most)))
            for key, (count, examples) in sorted(self._found.items())
        )

    def totals(self) -> tuple[Totals, ...]:
        """How much there is on both sides, by database and type."""
        return tuple(Totals(*key, *counts) for key, counts in sorted(self._totals.items()))


def type_of(document_id: str) -> str:
    """The type that a document's id says: ``customer`` of ``D001:customer:…``, ``part`` of ``part:…``."""
    parts = document_id.split(":", 2)
    kind = parts[1] if len(parts) == 3 and parts[0].isupper() else parts[0]
    return kind if _TYPE.fullmatch(kind) else OTHER


def lacking_there(here: Side, there: Side, there_is_known_here: bool) -> str:
    """What differs of a document of which the other side lacks a revision."""
    if not there.rev:
        return DELETION_HERE if here.deleted else ONLY_HERE
    if here.deleted and not there.deleted:
        return DELETED_HERE
    if not there_is_known_here:
        return BOTH_CHANGED
    return NEWER_HERE


def lacking_here(here: Side, there: Side) -> str:
    """What differs of a document of which this side lacks a revision, and the other side none."""
    if not here.rev:
        return DELETION_THERE if there.deleted else ONLY_THERE
    return DELETED_THERE if there.deleted and not here.deleted else NEWER_THERE


def why_not_there(document_id: str, refused: Mapping[str, str], unsent: Iterable[str], synced: bool) -> tuple[str, str]:
    """Why the other side lacks it, and what is known beyond that. `refused` are reasons by id."""
    if document_id in refused:
        return REFUSED_THERE, refused[document_id]
    if not synced:
        return NEVER_SYNCED, ""
    return (NOT_SENT if document_id in unsent else LOST_THERE), ""


def why_not_here(document_id: str, refused: Mapping[str, str], unread: Iterable[str], synced: bool) -> tuple[str, str]:
    """Why this side lacks it, and what is known beyond that."""
    if document_id in refused:
        return REFUSED_HERE, refused[document_id]
    if not synced:
        return NEVER_SYNCED, ""
    return (NOT_PULLED if document_id in unread else LOST_HERE), ""


def _first(examples: Iterable[Example], most: int) -> list[Example]:
    return sorted(examples, key=lambda each: each.document_id)[:most]
