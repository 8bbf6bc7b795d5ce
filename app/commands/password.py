"""``ironbook password``: the passwords a node needs to reach its store and its upstream."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import ask_password, data_option, settings_of
from app.errors import ConfigurationError
from app.node import make_data_folder
from app.secrets import STORE, Secrets, connection_entry


@click.command("password")
@click.argument("what", metavar="store|CONNECTION")
@data_option
def command(what: str, data: Path | None) -> None:
    """Keep the password of the store (a CouchDB) or of a connection.

    It is asked for, or read from standard input, and kept in secrets.json in the data folder.
    """
    settings = settings_of(data)
    if what == "store" and settings.embedded:
        raise ConfigurationError(
            "This node uses the embedded store, which makes its own password; set store.url to use a CouchDB."
        )
    make_data_folder(settings.data)
    Secrets(settings.data).set(
        STORE if what == "store" else connection_entry(what), ask_password(f"Password of {what}")
    )
    click.echo(f"The password of {what} is kept in {settings.data / 'secrets.json'}.")
