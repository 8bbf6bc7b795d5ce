"""Comparing this replica with its upstream from the replication page, and letting a sync compare everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.replication import acquaintance, connections
from app.replication.comparing import compare
from app.replication.differences import WORDS, Comparison, Difference, Totals
from app.security.access import needs
from app.web import current, jobs

if TYPE_CHECKING:
    from app.design import Form

pages = Blueprint("comparing", __name__)
NODE_ROLE = "dealer"
_WITHOUT_A_FORM = {"change": "Log of changes", "form": "Forms", "view": "Views", "other": "Other"}


@dataclass(frozen=True)
class DifferenceLine:
    """One kind of difference as a page shows it; `more` counts the documents whose ids are not listed."""

    type: str
    count: int
    what: str
    why: str
    words: str
    examples: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True)
class ComparisonPage:
    """A comparison in the words of the forms. `private` are the kinds that the connection does not carry."""

    connection: str
    same: bool
    complete: bool
    mendable: bool
    sentence: str
    syncing: str
    differences: tuple[DifferenceLine, ...]
    totals: tuple[tuple[str, Totals], ...]


@pages.post("/replication/connections/<name>/compare")
@needs("run:replication")
def start(name: str) -> ResponseReturnValue:
    """Starts a comparison of both sides; its page shows how far it is and what it found, and can stop it."""
    node, connection, forms = current.node(), _find(name), current.forms()

    def work(job: jobs.Job) -> ComparisonPage:
        def show(done: int, total: int, what: str) -> None:
            job.done, job.total, job.sentence = done, total, what

        return comparison_page(compare(node, connection, show, job.stopping), forms)

    return jobs.start(
        f"Compare with {name}",
        work,
        result_template="replication/comparison.html",
        back=url_for("replication.show"),
        back_label="Replication",
    )


@pages.post("/replication/connections/<name>/everything")
@needs("run:replication")
def compare_everything(name: str) -> ResponseReturnValue:
    """Lets the next sync compare every document, and starts it where there is a schedule."""
    node, connection = current.node(), _find(name)
    acquaintance.compare_everything(node, connection)
    schedule = current.schedule()
    if schedule is None:
        flash(f"The next sync with {name} compares every document and sends again what one side lacks.", "info")
    else:
        schedule.run_soon(name)
        flash(f"A sync with {name} was started that compares every document.", "info")
    return redirect(url_for("replication.show"), 303)


def comparison_page(found: Comparison, forms: dict[str, Form]) -> ComparisonPage:
    """What a comparison found, as its page shows it (pure)."""

    def label(of: Difference | Totals) -> str:
        form = forms.get(of.type)
        return form.plural if form else _WITHOUT_A_FORM.get(of.type, of.type)

    return ComparisonPage(
        connection=found.connection,
        same=found.same,
        complete=found.complete,
        mendable=found.mendable,
        sentence=found.sentence,
        syncing=found.syncing,
        differences=tuple(
            DifferenceLine(
                type=label(each),
                count=each.count,
                what=each.what[:1].upper() + each.what[1:],
                why=each.why[:1].upper() + each.why[1:],
                words=WORDS[each.why],
                examples=tuple((one.document_id, one.detail) for one in each.examples),
                more=each.count - len(each.examples),
            )
            for each in found.differences
        ),
        totals=tuple((label(each), each) for each in found.totals),
    )


def _find(name: str) -> connections.Connection:
    try:
        return connections.find_connection(current.node(), name)
    except connections.UnknownConnection as problem:
        raise NotFound(str(problem)) from problem
