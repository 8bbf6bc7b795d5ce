"""``ironbook sync``: a sync now, and why a document is not over there."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.options import data_option, opened
from app.steps import Steps


@click.group("sync", invoke_without_command=True)
@click.option("--connection", "name", help="Only this connection (default: all).")
@data_option
@click.pass_context
def command(context: click.Context, name: str | None, data: Path | None) -> int:
    """Sync with the upstream now; exits 1 when a sync failed or documents were refused."""
    if context.invoked_subcommand is not None:
        return 0
    from app.replication import connections, passes

    good = True
    with opened(data) as node:
        chosen = [connections.find_connection(node, name)] if name else connections.connections(node)
        if not chosen:
            click.echo("This node has no connection yet; add one with: ironbook connection add")
            return 1
        steps = Steps()
        for connection in chosen:
            with steps.step(connection.name, f"Syncing with {connection.name}"):
                result = passes.run_pass(node, connection, wait=60.0)
            click.echo(
                result.error
                or f"{result.read:,} documents read, {result.written:,} written, {result.merged:,} conflicts merged, "
                f"{result.refused:,} refused."
            )
            good = good and not result.error and not result.refused
    return 0 if good else 1


@command.command("why")
@click.argument("document_id")
@data_option
def why(document_id: str, data: Path | None) -> None:
    """Say why a document is not at the upstream."""
    from app.replication import explaining

    with opened(data) as node:
        for sentence in explaining.why(node, document_id):
            click.echo(sentence)
