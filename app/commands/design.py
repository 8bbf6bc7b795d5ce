"""``ironbook design``: forms, views and design documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import CommandGroup, data_option, opened
from app.couch import Database
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node

_BY = "ironbook design"


@click.group("design", cls=CommandGroup)
def command() -> None:
    """Add, change, show and remove forms and views."""


def dealer_option(function: Any) -> Any:
    """Adds ``--dealer CODE`` to a command."""
    return click.option(
        "--dealer", default="", metavar="CODE", help="On the manufacturer's node: for this dealer only, not for all."
    )(function)


@dataclass(frozen=True)
class _Place:
    node: Node
    database: Database
    dealer: str

    @property
    def whose(self) -> str:
        """Who will have a definition that is put here."""
        return f"for dealer {self.dealer}" if self.dealer else "for all dealers"


@contextmanager
def _place(data: Path | None, dealer: str) -> Iterator[_Place]:
    """Where definitions belong: a dealer's own book, the catalog, or the replica of the dealer that is named."""
    from app.node import book_name

    with opened(data) as node:
        if not node.is_manufacturer:
            if dealer and dealer != node.dealer:
                raise click.UsageError(f"This is the node of dealer {node.dealer}; leave --dealer out.")
            yield _Place(node, node.book, node.dealer)
        elif dealer:
            if not node.store.exists(book_name(dealer)):
                raise click.UsageError(f"There is no dealer {dealer} here; ironbook dealer list shows those there are.")
            yield _Place(node, node.store.database(book_name(dealer)), dealer)
        else:
            yield _Place(node, node.catalog, "")


@command.command("install")
@data_option
def install(data: Path | None) -> None:
    """Install what forms/, views/ and design_docs/ hold; each index is built before it takes the old one's place."""
    with opened(data) as node:
        forms, views = counted(len(node.forms()), "form"), counted(len(node.views()), "view")
        click.echo(f"{forms} and {views} are in force on {node.settings.name}.")


@command.command("put")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@dealer_option
@data_option
def put(files: tuple[Path, ...], dealer: str, data: Path | None) -> None:
    """Put forms and views from TOML files into force; a file's name is the form's or the view's.

    On a dealer's node they are that dealer's own, for its laptops too after a sync. On the manufacturer's node they go
    into the catalog, for all dealers, or with --dealer to one of them. All files are read before the first is put.
    """
    from app.design import additions

    read = [additions.read_definition(path) for path in files]
    with _place(data, dealer) as place:
        for each in read:
            outcome = additions.put(place.node, place.database, place.dealer, each, _BY)
            said = "is as it was" if outcome == "unchanged" else f"is in force {place.whose}"
            click.echo(f"{each.title} {said}.")


@command.command("list")
@dealer_option
@data_option
def show_all(dealer: str, data: Path | None) -> None:
    """List the forms and views in force, and where each comes from."""
    from app.design import additions

    with _place(data, dealer) as place:
        book = place.database if place.dealer else None
        for title, (table, origin) in additions.definitions(place.node, place.dealer, book).items():
            where = {"": "Ironbook's own", "catalog": "from the catalog"}.get(origin, f"of dealer {origin}")
            click.echo(f"{title:<34} {table.get('label', ''):<28} {where}")


@command.command("show")
@click.argument("title", metavar="form:NAME|view:NAME")
@dealer_option
@data_option
def show(title: str, dealer: str, data: Path | None) -> None:
    """Print a form or a view as the text of its file, to change it and put it back."""
    from app.design import additions
    from app.design.toml_text import toml_text

    with _place(data, dealer) as place:
        book = place.database if place.dealer else None
        additions.split_title(title)
        found = additions.definitions(place.node, place.dealer, book).get(title)
        if found is None:
            raise click.UsageError(f"There is no {title}; ironbook design list shows those there are.")
        click.echo(toml_text(found[0]), nl=False)


@command.command("remove")
@click.argument("title", metavar="form:NAME|view:NAME")
@dealer_option
@data_option
def remove(title: str, dealer: str, data: Path | None) -> None:
    """Take a form or a view that was put out of force again. No document is touched."""
    from app.design import additions

    with _place(data, dealer) as place:
        click.echo(additions.remove(place.node, place.database, place.dealer, title, _BY))
