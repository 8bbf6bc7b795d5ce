"""``ironbook sync``: a sync now, why a document is not over there, and what differs from the upstream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.options import CommandGroup, data_option, opened, stop_on_signals
from app.steps import Steps

if TYPE_CHECKING:
    from app.replication.differences import Comparison
    from app.replication.results import Progress, ProgressCallback


@click.group("sync", cls=CommandGroup, invoke_without_command=True)
@click.option("--connection", "name", help="Only this connection (default: all).")
@click.option("--everything", is_flag=True, help="Compare every document, instead of going on from the last sync.")
@data_option
@click.pass_context
def command(context: click.Context, name: str | None, everything: bool, data: Path | None) -> int:
    """Sync with the upstream now; exits 1 when a sync failed or documents were refused.

    Ctrl-C stops it; what was done stays, and the next sync goes on from there. With --everything whatever one side
    lacks is sent again, whatever was exchanged before; that takes longer and nothing else.
    """
    if context.invoked_subcommand is not None:
        return 0
    from app.replication import acquaintance, connections, passes

    good = True
    with opened(data) as node:
        chosen = [connections.find_connection(node, name)] if name else connections.connections(node)
        if not chosen:
            click.echo("This node has no connection yet; add one with: ironbook connection add")
            return 1
        steps = Steps()
        stopping = stop_on_signals()
        for connection in chosen:
            if everything:
                acquaintance.compare_everything(node, connection)
            with steps.step(connection.name, f"Syncing with {connection.name}") as say:
                result = passes.run_pass(node, connection, _progress(say), stopping, wait=60.0)
            click.echo(
                result.error
                or f"{result.read:,} documents read, {result.written:,} written, {result.merged:,} conflicts merged, "
                f"{result.refused:,} refused."
            )
            if result.note and not result.error:
                click.echo(result.note)
            good = good and not result.error and not result.refused
            if stopping.is_set():
                break
    return 0 if good else 1


def _progress(say: Callable[[str], None]) -> ProgressCallback:
    def show(now: Progress) -> None:
        say(f"{now.step.lower()}: {now.words}" if now.words else now.step.lower())

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


@command.command("compare")
@click.option("--connection", "name", help="Only this connection (default: all).")
@click.option(
    "--ids", "examples", type=click.IntRange(0, 1000), default=5, help="Ids listed of each kind (default: 5)."
)
@data_option
def compare(name: str | None, examples: int, data: Path | None) -> int:
    """Say what differs between this node and its upstream, by type, and why; exits 1 when something does.

    Nothing is written on either side. Ctrl-C stops it and shows what was found so far.
    """
    from app.replication import comparing, connections

    same = True
    with opened(data) as node:
        chosen = [connections.find_connection(node, name)] if name else connections.connections(node)
        if not chosen:
            where = "; dealers sync with it: compare on a dealer's node" if node.is_manufacturer else ""
            click.echo(f"This node has no connection, so there is nothing to compare with{where}.")
            return 1
        steps = Steps()
        stopping = stop_on_signals()
        for connection in chosen:
            with steps.step(connection.name, f"Comparing with {connection.name}") as say:
                found = comparing.compare(node, connection, _compared(say), stopping, examples)
            for line in comparison_lines(found):
                click.echo(line)
            same = same and found.same
            if stopping.is_set():
                break
    return 0 if same else 1


def _compared(say: Callable[[str], None]) -> Callable[[int, int, str], None]:
    def show(done: int, total: int, what: str) -> None:
        say(f"{what.lower()}: {done:,} of about {total:,}")

    return show


def comparison_lines(found: Comparison) -> list[str]:
    """A comparison as lines of text (pure): the result, each difference with its reason, the first ids of each."""
    from app.replication.differences import WORDS

    lines = [f"{found.connection}: {found.sentence}"]
    if found.syncing:
        lines.append(found.syncing)
    lines += [
        f"  {'' if each.database == 'book' else 'catalog '}{each.type}: {each.here:,} here, {each.there:,} there; "
        f"deleted {each.here_deleted:,} here, {each.there_deleted:,} there"
        for each in found.totals
    ]
    for each in found.differences:
        lines.append(f"{each.count:>9,}  {each.type}: {each.what}, {each.why}. {WORDS[each.why]}")
        lines += [f"           {one.document_id}{': ' + one.detail if one.detail else ''}" for one in each.examples]
        if each.examples and each.count > len(each.examples):
            lines.append(f"           and {each.count - len(each.examples):,} more")
    if found.mendable:
        lines.append("To send again what is gone on one side: ironbook sync --everything")
    return lines
