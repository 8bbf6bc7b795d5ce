"""The command line: ``ironbook COMMAND``. Each command lives in ``app/commands/`` and is loaded when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from app.errors import IronbookError

# Command → module in app/commands and what the overview says of it. Loading on demand keeps the start short.
COMMANDS = {
    "demo": ("demo", "Show Ironbook with a manufacturer and two dealers on this computer."),
    "serve": ("serve", "Run this node: its store, its pages and its schedule."),
    "sync": ("sync", "Sync with the upstream now, ask why a document is not there, or compare the two sides."),
    "deleted": ("deleted", "List what was deleted in the last 90 days, and bring it back."),
    "join": ("join", "Join an upstream with an invitation."),
    "connection": ("connection", "Add, change, check, pause and remove connections to an upstream."),
    "dealer": ("dealer", "On the manufacturer's node: add, list and remove dealers."),
    "node": ("node", "Invite, list and remove the nodes that sync with this one."),
    "user": ("user", "Add and list users, and set their passwords."),
    "password": ("password", "Keep the password of the store or of a connection."),
    "import": ("importing", "Import machines and readings from a file."),
    "design": ("design", "Add, change, show and remove forms and views."),
    "bench": ("bench", "Measure speed and size against the budgets."),
    "test": ("testing", "Run the tests."),
    "doctor": ("doctor", "Check that everything Ironbook needs is there and works."),
}


class _Commands(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"app.commands.{COMMANDS[name][0]}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=None, version="0.1.0", prog_name="ironbook")
def ironbook() -> None:
    """Ironbook: a customer book for heavy-equipment dealers and their manufacturer."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits.

    0 done, 1 done with a bad result, 2 a sentence says what to correct, 3 a fault of Ironbook's own; then
    IRONBOOK_TRACEBACK=1 in the environment shows where.
    """
    try:
        given = list(arguments) if arguments is not None else None
        result = ironbook.main(args=given, prog_name="ironbook", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except IronbookError as error:
        click.echo(f"ironbook: {error}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("IRONBOOK_TRACEBACK"):
            raise
        click.echo(
            f"ironbook: This failed in a way Ironbook did not expect: {type(error).__name__}: {error}\n"
            f"What had been saved before is kept. To report it, run the same command again with IRONBOOK_TRACEBACK=1.",
            err=True,
        )
        sys.exit(3)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
