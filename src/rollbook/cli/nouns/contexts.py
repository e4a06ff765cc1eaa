"""``rollbook context``: the servers that a person works with, by name; and which one a command asks.

One rule: flags go before the environment, the environment before the context. A file of contexts holds tokens, so only
its owner may read it.
"""

import os
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from rollbook.cli.nouns.printing import Columns, parse_format
from rollbook.errors import SettingRefused

DEFAULT_URL = "http://localhost:3000"
TOKEN_COMMAND_SECONDS_MAX = 30
MEMBERS = ("url", "token", "tokenCommand")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Name servers, and choose one."
)


class Target(Struct, frozen=True):
    """A server and the token to send to it."""

    url: str
    token: str | None


class Contexts(Struct):
    """The contexts of a file, and the name of the one in use."""

    current: str | None
    named: dict[str, dict[str, str]]


def target_of(url: str | None, token_file: str | None, context: str | None) -> Target:
    """The server that a command asks. Refuses (SettingRefused) a context or a file that is not there."""
    contexts = read_contexts()
    name = context or (None if url or os.environ.get("ROLLBOOK_URL") else contexts.current)
    chosen: Mapping[str, str] = {}
    if name is not None:
        if name not in contexts.named:
            raise SettingRefused(f"there is no context {name!r}; rollbook context ls lists them")
        chosen = contexts.named[name]
    address = url or (None if context else os.environ.get("ROLLBOOK_URL")) or chosen.get("url") or DEFAULT_URL
    if token_file is not None:
        return Target(address, _read(Path(token_file)).strip())
    token = (None if context else os.environ.get("ROLLBOOK_TOKEN")) or chosen.get("token")
    return Target(address, token or _asked_for(chosen.get("tokenCommand")))


def contexts_file() -> Path:
    """Where contexts are kept."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(home, "rollbook", "contexts.toml")


def read_contexts() -> Contexts:
    """The contexts that there are. Refuses (SettingRefused) a file that is not one of contexts."""
    path = contexts_file()
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text()) if path.is_file() else {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingRefused(f"{path} can't be read: {error}") from None
    named = content.get("contexts", {})
    if not isinstance(named, dict) or not all(isinstance(each, dict) for each in named.values()):
        raise SettingRefused(f"{path} has no table [contexts.NAME]")
    return Contexts(content.get("current"), named)


def write_contexts(contexts: Contexts) -> None:
    """Replace the file, readable by its owner alone."""
    path = contexts_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [] if contexts.current is None else [f"current = {_quoted(contexts.current)}", ""]
    for name, members in contexts.named.items():
        lines += [f"[contexts.{_quoted(name)}]", *(f"{key} = {_quoted(value)}" for key, value in members.items()), ""]
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines))
    unfinished.replace(path)


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
    token = None if token_file is None else _read(Path(token_file)).strip()
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


def _asked_for(command: str | None) -> str | None:
    if command is None:
        return None
    try:
        made = subprocess.run(  # noqa: S602  (the person's own command)
            command, shell=True, capture_output=True, text=True, timeout=TOKEN_COMMAND_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        raise SettingRefused(f"the tokenCommand took longer than {TOKEN_COMMAND_SECONDS_MAX} s") from None
    if made.returncode:
        raise SettingRefused(f"the tokenCommand failed with exit code {made.returncode}: {made.stderr.strip()[:200]}")
    return made.stdout.strip() or None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingRefused(f"the token file {path} can't be read: {error}") from None


def _quoted(text: str) -> str:
    escaped = "".join(
        {"\\": "\\\\", '"': '\\"'}.get(each, each if each.isprintable() else f"\\u{ord(each):04x}") for each in text
    )
    return f'"{escaped}"'
