"""``rollbook context`` and ``rollbook login``: the servers that a person works with, by name.

One rule: a token is read from a file, from standard input or without an echo, and is never an argument, which every
process of the machine can see.
"""

from pathlib import Path
from typing import Annotated

import typer

from rollbook.cli.nouns.printing import Columns, parse_format
from rollbook.cli.targets import read_contexts, read_secret, write_contexts
from rollbook.errors import SettingRefused

MEMBERS = ("url", "token", "tokenCommand")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Name servers, and choose one."
)


@app.command("ls")
def list_contexts(output: Annotated[str, typer.Option("-o", "--output", metavar="FORMAT")] = "table") -> None:
    """List the contexts; the one in use is marked."""
    contexts = read_contexts()
    rows = [
        {"name": name, "url": each.get("url", ""), "current": "*" if name == contexts.current else ""}
        for name, each in contexts.named.items()
    ]
    parse_format(output).many(rows, Columns(("current", "name", "url"), name="name"))


@app.command("set")
def set_context(
    name: Annotated[str, typer.Argument(help="Its name.")],
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="The address of the server.")] = None,
    token_file: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="A file with the token.")
    ] = None,
    token_command: Annotated[
        str | None, typer.Option("--token-command", metavar="COMMAND", help="A command that prints the token.")
    ] = None,
) -> None:
    """Make a context, or change what is given of it. The first one is used at once."""
    contexts = read_contexts()
    members = contexts.named.setdefault(name, {})
    token = None if token_file is None else read_secret(Path(token_file)).strip()
    for member, value in zip(MEMBERS, (url, token, token_command), strict=True):
        if value is not None:
            members[member] = value
    if "url" not in members:
        raise SettingRefused("a context needs --url")
    contexts.current = contexts.current or name
    write_contexts(contexts)


@app.command("use")
def use_context(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Use a context where a command names no server."""
    contexts = read_contexts()
    if name not in contexts.named:
        raise SettingRefused(f"there is no context {name!r}; rollbook context ls lists them")
    contexts.current = name
    write_contexts(contexts)


@app.command("rm")
def remove_context(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Forget a context and its token."""
    contexts = read_contexts()
    if contexts.named.pop(name, None) is None:
        raise SettingRefused(f"there is no context {name!r}; rollbook context ls lists them")
    contexts.current = None if contexts.current == name else contexts.current
    write_contexts(contexts)
