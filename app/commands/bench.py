"""``ironbook bench``: what is measured, against the budgets."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from app.errors import IronbookError

if TYPE_CHECKING:
    from bench.figures import Figure


@click.group("bench")
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
    """Pages a person waits for, the start of serve, and its memory."""
    return _show(_figures("pages", documents=documents or 10_000), as_json)


@command.command("sync")
@_documents
@_json
def sync(documents: int | None, as_json: bool) -> int:
    """One pass over a connection: with nothing to do, and with 100 changes each way."""
    return _show(_figures("sync", documents=documents or 10_000), as_json)


@command.command("store")
@click.option("--couchdb", metavar="URL", help="Measure this CouchDB in the same run.")
@_documents
@_json
def store(documents: int | None, couchdb: str | None, as_json: bool) -> int:
    """The embedded store, side by side with a CouchDB where one is given."""
    return _show(_figures("store", documents=documents or 20_000, couchdb_url=couchdb), as_json)
