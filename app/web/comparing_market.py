"""Comparing dealers' replicas with the market at head office, and feeding anew what the market lost."""

from __future__ import annotations

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from app.market.comparing import compare_with_market, dealers_to_compare
from app.market.feed import feed_anew
from app.security.access import needs
from app.web import current, jobs
from app.web.comparison_page import ComparisonPage, comparison_page

pages = Blueprint("comparing_market", __name__, url_prefix="/dealers")
NODE_ROLE = "manufacturer"


@pages.post("/compare")
@needs("read:market")
def start_all() -> ResponseReturnValue:
    """Starts a comparison of every dealer's replica with the market."""
    return _start("Compare all dealers with the market", dealers_to_compare(current.node()))


@pages.post("/<code>/compare")
@needs("read:market")
def start(code: str) -> ResponseReturnValue:
    """Starts a comparison of one dealer's replica with the market."""
    return _start(f"Compare {code} with the market", [_known(code)])


@pages.post("/<code>/feed")
@needs("run:replication")
def feed(code: str) -> ResponseReturnValue:
    """Feeds a dealer's whole replica into the market, whatever was fed before, and compares them again."""
    return _start(f"Feed {code} into the market", [_known(code)], feeding=True)


def _start(title: str, codes: list[str], feeding: bool = False) -> ResponseReturnValue:
    node, forms = current.node(), current.forms()

    def work(job: jobs.Job) -> list[ComparisonPage]:
        def show(done: int, total: int, what: str) -> None:
            job.done, job.total, job.sentence = done, total, what

        found = []
        for code in codes:
            if feeding:
                job.say("Feeding the market")
                feed_anew(node, code)
            compared = compare_with_market(node, code, show, job.stopping)
            found.append(comparison_page(compared, forms))
            if job.stopping.is_set():
                break
        return found

    back = url_for("dealers.show_all") if len(codes) != 1 else url_for("dealers.show", code=codes[0])
    return jobs.start(title, work, "dealers/comparison.html", back, "Dealers" if len(codes) != 1 else "The dealer")


def _known(code: str) -> str:
    if code not in dealers_to_compare(current.node()):
        abort(404, f"Nothing here is of a dealer {code}.")
    return code
