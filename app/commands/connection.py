"""``ironbook connection``: how this node reaches its upstream."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import ask_password, data_option, opened
from app.replication import connections


@click.group("connection")
def command() -> None:
    """Add, list, check and remove connections to an upstream."""


@command.command("add")
@click.argument("url")
@click.option("--name", default=connections.DEFAULT_NAME, show_default=True)
@click.option("--user", required=True, help="The replication user at the upstream.")
@click.option("--book", required=True, help="The upstream's database that the book is synced with.")
@click.option("--catalog", default="catalog", show_default=True, help="The upstream's database of the catalog.")
@click.option(
    "--share",
    type=click.Choice(["manufacturer", "dealer"]),
    default="manufacturer",
    show_default=True,
    help="Carry only what is shared with the manufacturer, or everything, inside a dealership.",
)
@click.option("--every", "every_minutes", default=15, show_default=True, help="Minutes between syncs; 0: on request.")
@data_option
def add(data: Path | None, **values: str | int) -> None:
    """Add the connection to the upstream's store at URL, or change it; its password is asked for."""
    with opened(data) as node:
        password = ask_password(f"Password of {values['user']}")
        connection = connections.save_connection(node, values, password)
        click.echo(connections.check(node, connection))


@command.command("list")
@data_option
def show(data: Path | None) -> None:
    """List this node's connections."""
    with opened(data) as node:
        for connection in connections.connections(node):
            every = f"every {connection.every_minutes} minutes" if connection.every_minutes else "on request"
            click.echo(f"{connection.name:<20} {connection.url}  {connection.book}  {every}")


@command.command("check")
@click.argument("name", default=connections.DEFAULT_NAME)
@data_option
def check(name: str, data: Path | None) -> None:
    """Check the address, the password and the databases of a connection."""
    with opened(data) as node:
        click.echo(connections.check(node, connections.find_connection(node, name)))


@command.command("remove")
@click.argument("name")
@data_option
def remove(name: str, data: Path | None) -> None:
    """Forget a connection and its password; what it brought stays."""
    with opened(data) as node:
        connections.remove_connection(node, name)
    click.echo(f"The connection {name} is forgotten.")


@command.command("rotate")
@click.argument("name", default=connections.DEFAULT_NAME)
@data_option
def rotate(name: str, data: Path | None) -> None:
    """Change the password of a connection, there and here, to a new random one."""
    from app.replication.joining import rotate_password

    with opened(data) as node:
        rotate_password(node, name)
    click.echo(f"The connection {name} has a new password; the old one is of no use any more.")
