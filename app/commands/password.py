"""``ironbook password``: the passwords a node needs to reach its store and its upstream."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import ask_password, data_option, opened, settings_of
from app.errors import ConfigurationError
from app.node import make_data_folder
from app.secrets import STORE, Secrets


@click.command("password")
@click.argument("what", metavar="store|CONNECTION")
@data_option
def command(what: str, data: Path | None) -> None:
    """Keep the password of the store (a CouchDB) or of a connection.

    It is asked for, or read from standard input, and kept in secrets.json in the data folder. A connection that was
    stopped for its old password goes back on its schedule.
    """
    settings = settings_of(data)
    if what != "store":
        _of_a_connection(what, data)
        return
    if settings.embedded:
        raise ConfigurationError(
            "This node uses the embedded store, which makes its own password; set store.url to use a CouchDB."
        )
    make_data_folder(settings.data)
    Secrets(settings.data).set(STORE, ask_password(f"Password of {settings.store_user} at {settings.store_url}"))
    click.echo(f"The password of the store is kept in {settings.data / 'secrets.json'}.")


def _of_a_connection(name: str, data: Path | None) -> None:
    from app.replication import connections

    with opened(data) as node:
        connection = connections.find_connection(node, name)
        connections.set_password(node, name, ask_password(f"Password of {connection.user} at {connection.url}"))
    click.echo(
        f"The password of {name} is kept, and it syncs by its schedule. Check it with: ironbook connection check {name}"
    )
