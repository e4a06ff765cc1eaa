"""Which server a command asks: a context, a file of which there may be one, and the environment.

One rule: flags go before the environment, the environment before the context. The file holds tokens, so only its owner
may read it. Completion reads it at every Tab, so nothing is imported here that takes long.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from rollbook.errors import SettingRefused

DEFAULT_URL = "http://localhost:3000"
TOKEN_COMMAND_SECONDS_MAX = 30


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
        return Target(address, read_secret(Path(token_file)).strip())
    token = (None if context else os.environ.get("ROLLBOOK_TOKEN")) or chosen.get("token")
    return Target(address, token or _asked_for(chosen.get("tokenCommand")))


def contexts_file() -> Path:
    """Where contexts are kept."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(home, "rollbook", "contexts.toml")


def read_contexts() -> Contexts:
    """The contexts that there are. Refuses (SettingRefused) a file that is not one of contexts."""
    path = contexts_file()
    if not path.is_file():
        return Contexts(None, {})
    import tomllib  # only where there is something to read

    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
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


def _asked_for(command: str | None) -> str | None:
    if command is None:
        return None
    import subprocess

    try:
        made = subprocess.run(  # noqa: S602  (the person's own command)
            command, shell=True, capture_output=True, text=True, timeout=TOKEN_COMMAND_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        raise SettingRefused(f"the tokenCommand took longer than {TOKEN_COMMAND_SECONDS_MAX} s") from None
    if made.returncode:
        raise SettingRefused(f"the tokenCommand failed with exit code {made.returncode}: {made.stderr.strip()[:200]}")
    return made.stdout.strip() or None


def read_secret(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingRefused(f"the token file {path} can't be read: {error}") from None


def _quoted(text: str) -> str:
    escaped = "".join(
        {"\\": "\\\\", '"': '\\"'}.get(each, each if each.isprintable() else f"\\u{ord(each):04x}") for each in text
    )
    return f'"{escaped}"'
