"""The commands in one table, each imported when it is run: one module a noun.

One rule: a command asks ``assembly`` or ``client`` and reports the answer; an error ends in words and in the exit code
of its class, never in a stack trace.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from rollbook import __version__
from rollbook.cli.exits import FAILED, exit_code_of
from rollbook.errors import RegistryError, is_out_of_memory


class Row(NamedTuple):
    """A command. ``home`` is where its function is, or its group of commands (a Typer); ``summary`` begins its help."""

    name: str
    home: str
    summary: str


COMMANDS = (
    Row("serve", "rollbook.cli.servers:serve", "Serve the registry over HTTP."),
    Row("import", "rollbook.cli.documents:import_", "Import the clusters of a file, or of a MongoDB."),
    Row(
        "export",
        "rollbook.cli.documents:export",
        "Write every document to standard output, a file or a MongoDB.",
    ),
    Row("check", "rollbook.cli.directories:check", "Say whether a data directory is sound."),
    Row("repair", "rollbook.cli.directories:repair", "Repair what a start was refused for."),
    Row("backup", "rollbook.cli.backups:app", "Back up a registry, verify a backup, and restore it."),
    Row("cluster", "rollbook.cli.nouns.cluster:app", "Clusters: list, read, create, change, follow and delete them."),
    Row("node", "rollbook.cli.nouns.others:nodes", "Nodes of a cluster."),
    Row("fleet", "rollbook.cli.nouns.others:fleet", "The fleet as a whole."),
    Row("heartbeat", "rollbook.cli.nouns.others:heartbeat", "Heartbeats of a cluster."),
    Row("webhook", "rollbook.cli.nouns.others:webhooks", "Webhooks and their dead letters."),
    Row("context", "rollbook.cli.nouns.contexts:app", "Name servers, and choose one."),
    Row("demo", "rollbook.cli.demo.command:demo", "Fill a running registry with a made-up fleet that lives."),
    Row("schema", "rollbook.cli.nouns.general:schema", "Explain the fields of cluster documents."),
    Row("api", "rollbook.cli.nouns.general:api", "Send any request."),
    Row("version", "rollbook.cli.nouns.general:version", "Print versions."),
    Row("token", "rollbook.cli.accounts:tokens", "Make, list, rotate and revoke tokens."),
    Row("role", "rollbook.cli.accounts:roles", "List, read and apply roles."),
    Row("access", "rollbook.cli.accounts:access", "Ask what may be done."),
)

OUT_OF_MEMORY = b"there is not enough memory: give the process more (see ulimit -v), or set ROLLBOOK_BODIES=packed\n"
"""Ready to be written: whatever makes text of it then would need memory."""


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command, as the shell asks for it, and exit with its code."""
    have_standard_streams()
    try:
        application()(None if arguments is None else list(arguments), prog_name="rollbook")
    except RegistryError as error:
        from rollbook.cli.terminal import explain

        explain(error)
        raise SystemExit(exit_code_of(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        os.write(2, OUT_OF_MEMORY)
        raise SystemExit(FAILED) from None
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # which means that who read our output has enough of it
            from rollbook.cli.terminal import say

            say(str(error))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        raise SystemExit(FAILED) from None


def have_standard_streams() -> None:
    """Open what was closed of 0, 1 and 2: the next file to be opened would be taken for it."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:  # those below are open, so it is the lowest that is free
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


class Commands(TyperGroup):
    """The commands of the table, for Typer to parse. Help is written from the table alone.

    Typer has a copy of click in it, whose classes have no public names: hence ``Any``.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with this name, imported now."""
        return next((loaded(row) for row in COMMANDS if row.name == cmd_name), None)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the names and summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS])


def loaded(row: Row) -> Any:
    """A command, imported, as Typer runs it."""
    module, _, name = row.home.partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(row.name)(found)
        found = alone
    command = get_command(found)
    command.name = row.name
    return command


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help="The clusters registry of an AI network.")(about)
    return app


def tell_version(asked: bool) -> None:
    """Say the version and be done, when it was asked for."""
    if asked:
        typer.echo(f"rollbook {__version__}")
        raise typer.Exit


def about(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=tell_version, help="Say which version this is.")
    ] = False,
) -> None:
    """Options that stand before any command."""
