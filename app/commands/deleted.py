"""``ironbook deleted``: what was deleted, and bringing it back."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import CommandGroup, data_option, opened


@click.group("deleted", cls=CommandGroup, invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="How many are listed (default: 50).")
@data_option
@click.pass_context
def command(context: click.Context, limit: int, data: Path | None) -> None:
    """List what was deleted in the last 90 days, newest first: when, by whom, the id, and how much went along."""
    if context.invoked_subcommand is not None:
        return
    from app.documents.deletions import read_deletions

    with opened(data) as node:
        database = node.catalog if node.is_manufacturer else node.book
        found, _ = read_deletions(database, limit=limit)
        for each in found:
            along = f", and {each.others:,} along with it" if each.others else ""
            click.echo(f"{each.at}  {each.by}  {each.document_id}{along}")
        if not found:
            click.echo("Nothing was deleted in the last 90 days that is still deleted.")


@command.command("restore")
@click.argument("document_id")
@data_option
def restore(document_id: str, data: Path | None) -> int:
    """Bring a deleted document back, with what was deleted along with it; exits 1 when something could not be."""
    from app.documents import saving
    from app.documents.deletions import OFFERED_DAYS, is_too_old

    with opened(data) as node:
        database = node.catalog if node.is_manufacturer else node.book
        leaves = database.leaves(document_id)
        if not leaves:
            raise click.UsageError(f"This node never had a document {document_id}.")
        if is_too_old(leaves):
            raise click.UsageError(f"It was deleted more than {OFFERED_DAYS} days ago and is not offered any more.")
        back = saving.undelete_together(database, document_id, "command line")
    if back.saved.outcome == "unchanged":
        click.echo("It is not deleted.")
    else:
        along = f", and {back.others:,} along with it" if back.others else ""
        click.echo(f"{document_id} was brought back{along}.")
    for failed in back.failed:
        click.echo(f"{failed} could not be brought back.")
    return 1 if back.failed else 0
