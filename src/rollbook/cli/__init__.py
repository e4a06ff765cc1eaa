"""The command line: one module a noun, and the commands in one table.

One rule: a command asks ``assembly`` or ``client`` and tells the answer; an error ends in words and in the exit code of
its class, never in a stack trace.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from rollbook import __version__
from rollbook.cli.directories import check, repair
from rollbook.cli.documents import export, import_
from rollbook.cli.exits import FAILED, exit_code_of
from rollbook.cli.servers import serve
from rollbook.cli.terminal import explain, say
from rollbook.errors import RegistryError, is_out_of_memory

COMMANDS = (
    ("serve", serve),
    ("import", import_),
    ("export", export),
    ("check", check),
    ("repair", repair),
)

OUT_OF_MEMORY = b"there is not enough memory: give the process more (see ulimit -v), or set ROLLBOOK_BODIES=packed\n"
"""Ready to be written: whatever makes text of it then would need memory."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, as the shell asks for it, and exit with its code."""
    have_standard_streams()
    try:
        application()(None if arguments is None else list(arguments), prog_name="rollbook")
    except RegistryError as error:
        explain(error)
        raise SystemExit(exit_code_of(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        os.write(2, OUT_OF_MEMORY)
        raise SystemExit(FAILED) from None
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # which means that who read our output has enough of it
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


def application() -> typer.Typer:
    """The commands and their options, for Typer to parse."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback(help="The clusters registry of an AI network.")(about)
    for name, command in COMMANDS:
        app.command(name)(command)
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
