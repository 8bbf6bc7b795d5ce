"""``ironbook join``: make this node one that syncs with whoever invited it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.commands.options import data_option, opened
from app.steps import Steps
from app.words import counted


@click.command("join")
@click.argument("invitation", default="-")
@click.option("--name", default="", help="What the connection is called here.")
@data_option
def command(invitation: str, name: str, data: Path | None) -> int:
    """Join with an INVITATION (as an argument, or - to read it from standard input) and sync for the first time.

    A new data folder becomes a node of the dealer who was invited. Afterwards `ironbook serve` runs it.
    """
    from app.replication import joining
    from app.replication.connections import find_connection
    from app.replication.invitations import read_invitation
    from app.replication.passes import run_pass

    text = invitation
    if invitation == "-":
        text = click.prompt("Invitation") if sys.stdin.isatty() else sys.stdin.read()
    read = read_invitation(text)
    steps = Steps()
    with opened(data) as node, steps.step("join", f"Joining {read.url}"):
        joined = joining.join(node, read, name)
    # The node's own settings may have been written just now.
    with opened(data) as node:
        with steps.step("sync", "Syncing for the first time"):
            result = run_pass(node, find_connection(node, joined.name), wait=60.0)
        if result.error:
            click.echo(f"Joined, but the first sync did not finish: {result.error}")
            return 1
        click.echo(f"Joined as a node of dealer {node.dealer}: {counted(result.read, 'document')} came.")
    click.echo("Run it with:  ironbook serve" + (f" --data {data}" if data else ""))
    return 0
