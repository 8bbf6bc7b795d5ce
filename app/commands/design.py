"""``ironbook design``: forms, views and design documents."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import CommandGroup, data_option, opened


@click.group("design", cls=CommandGroup)
def command() -> None:
    """Install forms, views and design documents."""


@command.command("install")
@data_option
def install(data: Path | None) -> None:
    """Install what forms/, views/ and design_docs/ hold; each index is built before it takes the old one's place."""
    with opened(data) as node:
        click.echo(f"{len(node.forms())} forms and {len(node.views())} views are in force on {node.settings.name}.")
