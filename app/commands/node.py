"""``ironbook node``: the nodes that sync with this one."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import CommandGroup, data_option, opened
from app.loopback import leads_to_loopback
from app.replication import members
from app.replication.invitations import Invitation, write_invitation

hours_option = click.option(
    "--hours",
    default=members.VALID_HOURS,
    show_default=True,
    type=click.FloatRange(1, 24 * 90),
    help="Good for so long.",
)
url_option = click.option("--url", default="", help="How the other node reaches this one (default: store.public_url).")


@click.group("node", cls=CommandGroup)
def command() -> None:
    """Invite, list and remove the nodes that sync with this one."""


@command.command("invite")
@click.argument("label")
@click.option("--dealer", default="", help="On the manufacturer's node: the dealer it belongs to.")
@hours_option
@url_option
@data_option
def invite(label: str, dealer: str, hours: float, url: str, data: Path | None) -> None:
    """Make a one-time invitation for a computer called LABEL, for example "Anna's laptop"."""
    with opened(data) as node:
        invitation = members.invite(node, label, dealer, hours, url)
    say_invitation(invitation)


def say_invitation(invitation: Invitation) -> None:
    """Prints an invitation and what to do with it."""
    click.echo("On the other computer, once:\n")
    click.echo(f"  ironbook join {write_invitation(invitation)}\n")
    until = invitation.expires_at[:16].replace("T", " ")
    click.echo(f"It is good for one node, until {until} UTC. Whoever has it first gets in, so send it to nobody else.")
    if leads_to_loopback(invitation.url):
        click.echo(
            f"Its address, {invitation.url}, is this computer's own: only a node on this computer can join with it. "
            "Set store.public_host in config.toml, start the node again and invite anew.",
            err=True,
        )


@command.command("list")
@data_option
def show(data: Path | None) -> None:
    """List the nodes that were invited and whether they came."""
    with opened(data) as node:
        for member in members.members(node):
            when = member.left_at or member.joined_at or member.invited_at
            click.echo(f"{member.user:<28} {member.dealer:<8} {member.state:<8} {when}  {member.label}")


@command.command("remove")
@click.argument("user")
@data_option
def remove(user: str, data: Path | None) -> None:
    """Take a node's right to sync away, at once; USER as listed."""
    with opened(data) as node:
        member = members.remove_member(node, user)
    click.echo(f"{member.label} may sync no more. What it sent stays here; what it has stays there.")
