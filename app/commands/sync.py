"""``ironbook sync``: a sync now, and why a document is not over there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.options import CommandGroup, data_option, opened, stop_on_signals
from app.steps import Steps

if TYPE_CHECKING:
    from app.replication.results import Progress, ProgressCallback


@click.group("sync", cls=CommandGroup, invoke_without_command=True)
@click.option("--connection", "name", help="Only this connection (default: all).")
@data_option
@click.pass_context
def command(context: click.Context, name: str | None, data: Path | None) -> int:
    """Sync with the upstream now; exits 1 when a sync failed or documents were refused.

    Ctrl-C stops it; what was done stays, and the next sync goes on from there.
    """
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
        stopping = stop_on_signals()
        for connection in chosen:
            with steps.step(connection.name, f"Syncing with {connection.name}") as say:
                result = passes.run_pass(node, connection, _progress(say), stopping, wait=60.0)
            click.echo(
                result.error
                or f"{result.read:,} documents read, {result.written:,} written, {result.merged:,} conflicts merged, "
                f"{result.refused:,} refused."
            )
            good = good and not result.error and not result.refused
            if stopping.is_set():
                break
    return 0 if good else 1


def _progress(say: Callable[[str], None]) -> ProgressCallback:
    def show(now: Progress) -> None:
        to_go = "" if now.remaining is None else f", {now.remaining:,} to go"
        say(f"{now.step.lower()}: {now.done:,} done{to_go}")

    return show


@command.command("why")
@click.argument("document_id")
@data_option
def why(document_id: str, data: Path | None) -> None:
    """Say why a document is not at the upstream; the id is in the address of its page."""
    from app.replication import explaining

    if not document_id.strip():
        raise click.UsageError("Give the document's id, for example D001:machine:KRAMER-535355.")
    with opened(data) as node:
        for sentence in explaining.why(node, document_id):
            click.echo(sentence)
