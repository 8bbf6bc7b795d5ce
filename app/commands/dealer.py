"""``ironbook dealer``: on the manufacturer's node, which dealers sync with it."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.node import hours_option, say_invitation, url_option
from app.commands.options import CommandGroup, data_option, opened
from app.replication import dealers, members


@click.group("dealer", cls=CommandGroup)
def command() -> None:
    """On the manufacturer's node: add, list and remove dealers."""


@command.command("add")
@click.argument("code")
@click.option("--name", required=True, help="The dealership's name.")
@click.option("--by-hand", is_flag=True, help="Print a command with a lasting password instead of an invitation.")
@hours_option
@url_option
@data_option
def add(code: str, name: str, by_hand: bool, hours: float, url: str, data: Path | None) -> None:
    """Make a dealer's database and print a one-time invitation for the dealer's first node."""
    with opened(data) as node:
        admitted = dealers.add_dealer(node, code, name)
        address = (url or members.public_url(node.settings)).rstrip("/") or node.store.url
        invitation = None if by_hand else members.invite(node, f"{name}'s first node", code, hours, address)
    click.echo(f"Dealer {admitted.code} is admitted.\n")
    if invitation:
        say_invitation(invitation)
    else:
        _say_how(address, admitted)


def _say_how(url: str, admitted: dealers.Admitted) -> None:
    click.echo("On its node:\n")
    click.echo(
        f"  ironbook connection add {url} --user {admitted.user} "
        f"--book {admitted.database} --catalog {admitted.catalog}\n"
    )
    click.echo(f"and, when it asks, this password, which is not shown again:  {admitted.password}")


@command.command("password")
@click.argument("code")
@data_option
def password(code: str, data: Path | None) -> None:
    """Give a dealer's replication user a new password; the old one stops working at once."""
    with opened(data) as node:
        admitted = dealers.new_password(node, code)
    click.echo(f"The new password of {admitted.user}, which is not shown again:  {admitted.password}")
    click.echo("On the dealer's node:  ironbook password CONNECTION")


@command.command("list")
@data_option
def show(data: Path | None) -> None:
    """List the dealers and when each last synced."""
    with opened(data) as node:
        known = dealers.dealers(node)
        if not known:
            click.echo("No dealer is admitted here yet; admit one with: ironbook dealer add")
        for dealer in known:
            heard = f"last sync {dealer.last_sync}" if dealer.last_sync else "never synced"
            ended = "  (removed)" if dealer.left_at else ""
            click.echo(f"{dealer.code:<16} {dealer.name:<40} {heard}{ended}")


@command.command("remove")
@click.argument("code")
@data_option
def remove(code: str, data: Path | None) -> None:
    """End a dealer's access; its documents stay."""
    with opened(data) as node:
        dealers.remove_dealer(node, code)
    click.echo(f"Dealer {code} can no longer sync. What it sent stays.")
