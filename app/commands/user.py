"""``ironbook user``: who may sign in to this node."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import CommandGroup, ask_password, data_option, opened
from app.security import rights, users


@click.group("user", cls=CommandGroup)
def command() -> None:
    """Add and list users, and set their passwords."""


@command.command("add")
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(list(rights.ROLES)), help="May be given again."
)
@click.option("--display-name", default="", help="As shown on pages (default: the name).")
@data_option
def add(name: str, roles: tuple[str, ...], display_name: str, data: Path | None) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    with opened(data) as node:
        password = ask_password(f"Password for {name}")
        user = users.add_user(node.local, name, display_name, roles, password, node.role)
    click.echo(f"{user.name} can now sign in.")


@command.command("list")
@data_option
def show(data: Path | None) -> None:
    """List the users and their roles."""
    with opened(data) as node:
        known = users.all_users(node.local, node.role)
        if not known:
            click.echo("Nobody can sign in yet; add somebody with: ironbook user add")
        for user in known:
            ended = "" if user.active else "  (may not sign in)"
            click.echo(f"{user.name:<20} {', '.join(sorted(user.roles)):<30} {user.display_name}{ended}")


@command.command("password")
@click.argument("name")
@data_option
def set_password(name: str, data: Path | None) -> None:
    """Set a user's password, and sign them out everywhere."""
    with opened(data) as node:
        if users.find_user(node.local, name, node.role) is None:
            raise users.UserError(f"There is no user named {name}; ironbook user list shows those there are.")
        users.change_password(node.local, name, ask_password(f"New password for {name}"), node.role)
    click.echo(f"{name} has a new password and was signed out everywhere.")
