"""``ironbook sync``: a sync now, why a document is not over there, and what differs from the upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.options import CommandGroup, data_option, opened, stop_on_signals
from app.errors import IronbookError
from app.steps import Steps
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node
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
    from app.replication.running import running

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
                if running(node).get(connection.name):
                    say("waiting for the one that is running")
                result = passes.run_pass(node, connection, _progress(say), stopping, wait=60.0)
            click.echo(
                result.error
                or f"{counted(result.read, 'document')} read, {result.written:,} written, "
                f"{counted(result.merged, 'conflict')} merged, "
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
@click.option("--dealer", metavar="CODE", help="At head office: only this dealer (default: all).")
@click.option("--feed", is_flag=True, help="At head office: feed anew what the market lost.")
@click.option(
    "--ids", "examples", type=click.IntRange(0, 1000), default=5, help="Ids listed of each kind (default: 5)."
)
@data_option
def compare(name: str | None, dealer: str | None, feed: bool, examples: int, data: Path | None) -> int:
    """Say what differs between this node and its upstream, by type, and why; exits 1 when something does.

    At head office it compares each dealer's replica with the market, from which all figures are. Nothing is written on
    either side, unless --feed says so. Ctrl-C stops it and shows what was found so far.
    """
    with opened(data) as node:
        if node.is_manufacturer and name:
            raise click.UsageError("Head office has no connections; choose a dealer with --dealer CODE.")
        if not node.is_manufacturer and (dealer or feed):
            raise click.UsageError(
                "--dealer and --feed are for head office; choose a connection with --connection NAME."
            )
        if node.is_manufacturer:
            comparisons = _with_market(node, dealer, feed, examples)
        else:
            comparisons = _with_upstreams(node, name, examples)
        compared, same = 0, True
        for found in comparisons:
            for line in comparison_lines(found):
                click.echo(line)
            compared, same = compared + 1, same and found.same
        if not compared:
            what = "no dealer" if node.is_manufacturer else "no connection"
            click.echo(f"This node has {what}, so there is nothing to compare with.")
    return 0 if compared and same else 1


def _with_upstreams(node: Node, name: str | None, examples: int) -> Iterator[Comparison]:
    from app.replication import comparing, connections

    chosen = [connections.find_connection(node, name)] if name else connections.connections(node)
    steps, stopping = Steps(), stop_on_signals()
    for connection in chosen:
        with steps.step(connection.name, f"Comparing with {connection.name}") as say:
            found = comparing.compare(node, connection, _compared(say), stopping, examples)
        yield found
        if stopping.is_set():
            return


def _with_market(node: Node, dealer: str | None, feed: bool, examples: int) -> Iterator[Comparison]:
    from app.market import comparing
    from app.market.feed import feed_anew

    codes = comparing.dealers_to_compare(node)
    if dealer is not None and dealer.upper() not in codes:
        raise IronbookError(f"Nothing here is of a dealer {dealer}. Those there are: {', '.join(codes) or 'none'}.")
    steps, stopping = Steps(), stop_on_signals()
    for code in codes if dealer is None else [dealer.upper()]:
        with steps.step(code, f"Comparing {code} with the market") as say:
            found = comparing.compare_with_market(node, code, _compared(say), stopping, examples)
            if feed and found.mendable:
                say("feeding anew")
                feed_anew(node, code)
                found = comparing.compare_with_market(node, code, _compared(say), stopping, examples)
        yield found
        if stopping.is_set():
            return


def _compared(say: Callable[[str], None]) -> Callable[[int, int, str], None]:
    def show(done: int, total: int, what: str) -> None:
        say(f"{what[:1].lower()}{what[1:]}: {done:,} of about {total:,}")

    return show


def comparison_lines(found: Comparison) -> list[str]:
    """A comparison as lines of text (pure): the result, each difference with its reason, the first ids of each."""
    from app.replication.differences import HERE, THERE, WORDS

    lines = [f"{found.connection}: {found.sentence}"]
    if found.syncing:
        lines.append(found.syncing)
    here, there = found.places
    for total in found.totals:
        name = f"{'' if total.database == 'book' else 'catalog '}{total.type}"
        line = f"  {name}: {total.here:,} {here}, {total.there:,} {there}"
        deleted = f"; deleted {total.here_deleted:,} {here}, {total.there_deleted:,} {there}"
        lines.append(line + (deleted if found.counts_deletions else ""))
    for each in found.differences:
        lines.append(f"{each.count:>9,}  {each.type}: {found.placed(each.what)}, {each.why}. {WORDS[each.why]}")
        lines += [f"           {one.document_id}{': ' + one.detail if one.detail else ''}" for one in each.examples]
        if each.examples and each.count > len(each.examples):
            lines.append(f"           and {each.count - len(each.examples):,} more")
    if found.mendable and found.places == (HERE, THERE):
        lines.append("To send again what is gone on one side: ironbook sync --everything")
    elif found.mendable:
        lines.append(f"To feed again what is gone: ironbook sync compare --feed --dealer {found.connection}")
    return lines
