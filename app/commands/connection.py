"""``ironbook connection``: how this node reaches its upstream."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from app.commands.options import CommandGroup, ask_password, data_option, opened
from app.replication import connections
from app.replication.status import status


@click.group("connection", cls=CommandGroup)
def command() -> None:
    """Add, change, check, pause and remove connections to an upstream."""


_SHARES = click.Choice(["manufacturer", "dealer"])
_SHARE_HELP = "Carry only what is shared with the manufacturer, or everything, inside a dealership."


@command.command("add")
@click.argument("url")
@click.option("--name", default=connections.DEFAULT_NAME, show_default=True, help="What this node calls it.")
@click.option("--user", required=True, help="The replication user at the upstream.")
@click.option("--book", required=True, help="The upstream's database that the book is synced with.")
@click.option("--catalog", default="catalog", show_default=True, help="The upstream's database of the catalog.")
@click.option("--share", type=_SHARES, default="manufacturer", show_default=True, help=_SHARE_HELP)
@click.option("--every", "every_minutes", default=15, show_default=True, help="Minutes between syncs; 0: on request.")
@click.option("--at", default="", help="Clock times instead, for example: 06:00,18:30")
@data_option
def add(data: Path | None, **values: str | int) -> int:
    """Add the connection to the upstream's store at URL; its password is asked for, or read from standard input.

    A connection of that name is replaced. Exits 1 when it is kept but does not work yet.
    """
    with opened(data) as node:
        settings = connections.check_values(node, {**values, "url": str(values["url"]).rstrip("/")})
        password = ask_password(f"Password of {settings.user}")
        return _say(connections.check(node, connections.save_connection(node, asdict(settings), password)))


@command.command("change")
@click.argument("name")
@click.option("--url", help="The upstream's store.")
@click.option("--user", help="The replication user at the upstream.")
@click.option("--book", help="The upstream's database that the book is synced with.")
@click.option("--catalog", help="The upstream's database of the catalog.")
@click.option("--share", type=_SHARES, help=_SHARE_HELP)
@click.option("--every", "every_minutes", type=int, help="Minutes between syncs; 0: on request.")
@click.option("--at", help="Clock times instead, for example: 06:00,18:30; empty: by --every again.")
@data_option
def change(name: str, data: Path | None, **values: str | int | None) -> int:
    """Change what is given of a connection; the rest and its password stay (ironbook password NAME changes that).

    Exits 1 when it is kept but does not work yet.
    """
    given = {key: value for key, value in values.items() if value is not None}
    if not given:
        raise click.UsageError("Nothing to change was given; see --help for what can be.")
    if "url" in given:
        given["url"] = str(given["url"]).rstrip("/")
    with opened(data) as node:
        before = asdict(connections.find_connection(node, name))
        before.pop("configured")
        return _say(connections.check(node, connections.save_connection(node, {**before, **given})))


@command.command("list")
@data_option
def show(data: Path | None) -> None:
    """List this node's connections, and how each is doing."""
    with opened(data) as node:
        known = status(node, fresh=True).connections
    if not known:
        click.echo("This node has no connection yet; add one with: ironbook connection add")
    for one in known:
        connection = one.connection
        every = connections.schedule_words(connection)
        click.echo(f"{connection.name:<20} {connection.url}  {connection.book}  {every}  {one.sentence}")


@command.command("check")
@click.argument("name", default=connections.DEFAULT_NAME)
@data_option
def check(name: str, data: Path | None) -> int:
    """Check the address, the password and the databases of a connection; exits 1 when one is wrong."""
    with opened(data) as node:
        return _say(connections.check(node, connections.find_connection(node, name)))


@command.command("pause")
@click.argument("name")
@data_option
def pause(name: str, data: Path | None) -> None:
    """Take a connection off its schedule until it is resumed; ironbook sync still works."""
    with opened(data) as node:
        connections.pause_connection(node, name)
    click.echo(f"The connection {name} is paused. Resume it with: ironbook connection resume {name}")


@command.command("resume")
@click.argument("name")
@data_option
def resume(name: str, data: Path | None) -> None:
    """Put a paused or stopped connection back on its schedule."""
    with opened(data) as node:
        connections.resume_connection(node, name)
    click.echo(f"The connection {name} syncs by its schedule again.")


@command.command("remove")
@click.argument("name")
@data_option
def remove(name: str, data: Path | None) -> None:
    """Forget a connection and its password; what it brought stays."""
    with opened(data) as node:
        connections.remove_connection(node, name)
    click.echo(f"The connection {name} is forgotten. All documents are still here.")


@command.command("rotate")
@click.argument("name", default=connections.DEFAULT_NAME)
@data_option
def rotate(name: str, data: Path | None) -> None:
    """Change the password of a connection, there and here, to a new random one."""
    from app.replication.joining import rotate_password

    with opened(data) as node:
        rotate_password(node, name)
    click.echo(f"A new password for {name} is asked for; the upstream puts it in force within a minute while it runs.")


def _say(check: connections.Check) -> int:
    click.echo(check)
    return 0 if check.ok else 1
