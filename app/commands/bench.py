"""``ironbook bench``: what is measured, against the budgets."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from app.commands.options import CommandGroup
from app.errors import IronbookError

if TYPE_CHECKING:
    from bench.figures import Figure


@click.group("bench", cls=CommandGroup)
def command() -> None:
    """Measure speed and size against the budgets; exits 1 when one is missed."""


def _figures(module: str, **options: object) -> list[Figure]:
    try:
        loaded = importlib.import_module(f"bench.{module}")
    except ModuleNotFoundError as error:
        raise IronbookError(f"The measurements are in Ironbook's source folder: {error}.") from error
    return list(loaded.figures(**options))


def _show(figures: list[Figure], as_json: bool) -> int:
    from bench import figures as printing

    return int(printing.show(figures, as_json))


_documents = click.option("--documents", type=click.IntRange(min=100), help="How many documents the book holds.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a figure.")


@command.command("pages")
@_documents
@_json
def pages(documents: int | None, as_json: bool) -> int:
    """Pages a person waits for, the start of serve, and its memory.

    Fills a dealer's book with made-up documents (10,000 unless told otherwise), and one with 1,000; serves both as
    `ironbook serve` does; asks for each page sixty times over HTTP, signed in, on a new connection each time. The
    customer's pages of both books are asked for in turns, so that what else the computer does slows both.

    \b
    p50, p95        what half, and 95 in a hundred, of the answers do not exceed
    processor time  of the pages' process and the store's together, for one page (Linux only)
    first view      the first time after a start; after a change: a machine has new hours before every view
    RSS, PSS        memory of both processes after all this; PSS counts once what they share

    Pages without a budget in the design have one second here: whatever takes longer shows its progress. Everything
    is in a temporary folder that is removed. 100,000 documents take two or three minutes.
    """
    return _show(_figures("pages", documents=documents or 10_000, quiet=as_json), as_json)


@command.command("sync")
@_documents
@click.option("--first", type=click.IntRange(min=100), help="Measure the first sync of so many documents instead.")
@click.option("--conflicts", type=click.IntRange(min=2), help="Measure merging so many conflicts instead.")
@click.option("--dealers", type=click.IntRange(min=1), help="Measure so many made-up dealers on one upstream instead.")
@click.option("--all", "everything", is_flag=True, help="Measure all four, at the sizes that the budgets are for.")
@_json
def sync(
    documents: int | None,
    first: int | None,
    conflicts: int | None,
    dealers: int | None,
    everything: bool,
    as_json: bool,
) -> int:
    """One pass over a connection: with nothing to do, and with 100 changes each way.

    Opens a manufacturer's and a dealer's node with a store each on this computer, fills the dealer's book (10,000
    documents of 0.8 KB unless told otherwise), and runs passes as the schedule does: the best of five counts. The
    same three replications are also asked of the store bare, without a pass around them, in the same run. A pass's
    share in the store is the time of its requests to the two stores over the time of all of it. What is written
    between passes is not counted.

    With `--first`, a book of so many documents, some with photographs, is sent to an empty replica and then fetched
    from there by a second computer; before and after each of the two the store replicates the same documents bare,
    between the same two stores; `--first 50000` is what the budget of 1.3 times is for, and takes two or three minutes.

    With `--conflicts`, so many documents that two nodes changed while apart are merged on an embedded store, and as
    many are written bare in the same run; `--conflicts 10000` is what the budget of a minute is for.

    With `--dealers`: each has a book of 500 documents, all of them on one embedded store of their own, and syncs with a
    manufacturer's node. First all of them together, sixteen at a time; then for a minute each changes ten documents
    and syncs at a moment of its own; at the end every document is compared. All runs on this computer's processors.
    `--dealers 200` takes four or five minutes.

    With `--all`, everything above at the sizes named there, one after the other: about ten minutes.
    """
    if everything:
        first, conflicts, dealers = first or 50_000, conflicts or 10_000, dealers or 200
    found: list[Figure] = []
    if everything or not (first or conflicts or dealers):
        found += _figures("sync", documents=documents or 10_000)
    if first:
        found += _figures("first_sync", documents=first, quiet=as_json)
    if conflicts:
        found += _figures("conflicts", conflicts=conflicts)
    if dealers:
        found += _figures("dealers", count=dealers, quiet=as_json)
    return _show(found, as_json)


@command.command("store")
@click.option("--couchdb", metavar="URL", help="Measure this CouchDB in the same run.")
@_documents
@_json
def store(documents: int | None, couchdb: str | None, as_json: bool) -> int:
    """The embedded store, side by side with a CouchDB where one is given."""
    return _show(_figures("store", documents=documents or 20_000, couchdb_url=couchdb), as_json)
