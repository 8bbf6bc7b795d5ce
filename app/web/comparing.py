"""Comparing this replica with its upstream from the replication page, and letting a sync compare everything."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.replication import acquaintance, connections
from app.replication.comparing import compare
from app.security.access import needs
from app.web import current, jobs
from app.web.comparison_page import ComparisonPage, comparison_page

pages = Blueprint("comparing", __name__)
NODE_ROLE = "dealer"


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


def _find(name: str) -> connections.Connection:
    try:
        return connections.find_connection(current.node(), name)
    except connections.UnknownConnection as problem:
        raise NotFound(str(problem)) from problem
