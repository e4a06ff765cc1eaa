"""``rollbook security``: the security file.

One rule: what is said of a file here is what a start would say of it.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.terminal import say
from rollbook.errors import RequestRefused

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Check the security file.")


@app.callback()
def about() -> None:
    """Check the security file."""  # with a callback, one command is a group too


@app.command("check")
def check(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The file [default: $ROLLBOOK_SECURITY_FILE].")
    ] = None,
) -> None:
    """Say whether a security file is right, as a server would at its start. The exit code is 2 if it is not."""
    from rollbook.security.configuration import read_configuration

    name = file or os.environ.get("ROLLBOOK_SECURITY_FILE") or None
    if name is None:
        raise RequestRefused("name a security file, or set ROLLBOOK_SECURITY_FILE")
    configuration = read_configuration(Path(name))
    roles = len(configuration.roles)
    say(f"{name} is right: {roles} role{'' if roles == 1 else 's'}")
