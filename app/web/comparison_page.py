"""A comparison of two sides as its page shows it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.replication.differences import HERE, THERE, WORDS, Comparison, Difference, Totals

if TYPE_CHECKING:
    from app.design import Form

_WITHOUT_A_FORM = {"change": "Log of changes", "form": "Forms", "view": "Views", "other": "Other"}


@dataclass(frozen=True)
class DifferenceLine:
    """One kind of difference as a page shows it.

    `examples` are ids and what is known of each; `more` counts the documents that are not listed.
    """

    type: str
    count: int
    what: str
    why: str
    words: str
    examples: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True)
class ComparisonPage:
    """A comparison in the words of the forms. `headings` are those of the columns of `totals`.

    `explained` says that a page tells more about each document that differs.
    """

    connection: str
    explained: bool
    same: bool
    complete: bool
    mendable: bool
    sentence: str
    syncing: str
    differences: tuple[DifferenceLine, ...]
    headings: tuple[str, ...]
    totals: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The headings as a table takes them: numbers."""
        return [(heading, "number") for heading in self.headings]


def comparison_page(found: Comparison, forms: Mapping[str, Form]) -> ComparisonPage:
    """What a comparison found, as its page shows it (pure)."""

    def label(of: Difference | Totals) -> str:
        form = forms.get(of.type)
        return form.plural if form else _WITHOUT_A_FORM.get(of.type, of.type)

    here, there = ("here", "over there") if found.places == (HERE, THERE) else found.places
    headings = (_capital(here), _capital(there), f"Deleted {here}", f"Deleted {there}")
    return ComparisonPage(
        connection=found.connection,
        explained=found.places == (HERE, THERE),
        same=found.same,
        complete=found.complete,
        mendable=found.mendable,
        sentence=found.sentence,
        syncing=found.syncing,
        differences=tuple(
            DifferenceLine(
                type=label(each),
                count=each.count,
                what=_capital(found.placed(each.what)),
                why=_capital(each.why),
                words=WORDS[each.why],
                examples=tuple((one.document_id, one.detail) for one in each.examples),
                more=each.count - len(each.examples),
            )
            for each in found.differences
        ),
        headings=headings if found.counts_deletions else headings[:2],
        totals=tuple(
            (
                label(each),
                (each.here, each.there, each.here_deleted, each.there_deleted)[: 4 if found.counts_deletions else 2],
            )
            for each in found.totals
        ),
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
