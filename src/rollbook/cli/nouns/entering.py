"""``rollbook login`` and ``rollbook completion``: what a person does once."""

import sys
from typing import Annotated

from rollbook.cli.completing import SCRIPTS
from rollbook.cli.nouns.declaring import argument, option
from rollbook.cli.nouns.printing import meant_by, write
from rollbook.cli.targets import DEFAULT_URL, read_contexts, read_secret, write_contexts
from rollbook.cli.terminal import say
from rollbook.errors import SettingRefused


def login(
    url: Annotated[str, argument(metavar="URL", help="The server.", show_default=False)] = DEFAULT_URL,
    name: Annotated[str | None, option("--name", metavar="NAME", help="The context [default: the host].")] = None,
    token_file: Annotated[
        str | None, option("--token-file", metavar="FILE", help="A file with the token, instead of asking.")
    ] = None,
) -> None:
    """Keep a server and a token as a context.

    The context is used from then on. The token is asked for without an echo, or read from standard input. It is tried
    before it is kept.
    """
    from getpass import getpass
    from pathlib import Path
    from urllib.parse import urlsplit

    from rollbook.client import Client

    if token_file is not None:
        token = read_secret(Path(token_file)).strip()
    elif sys.stdin.isatty():
        token = getpass(f"Token for {url}: ", sys.stderr).strip()
    else:
        token = sys.stdin.readline().strip()
    if not token.isascii() or not token.isprintable():
        raise SettingRefused("a token is printable ASCII: this is none")
    with Client(url, token=token or None) as client:
        access = client.access.read()
    contexts = read_contexts()
    context = name or urlsplit(url).hostname or "default"
    contexts.named[context] = {"url": url} | ({"token": token} if token else {})
    contexts.current = context
    write_contexts(contexts)
    say(f"you are {access['caller']} at {url}; the context {context} is in use")


def completion(
    shell: Annotated[str, argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print what makes a shell complete commands.

    And options, ids, fields and contexts. For bash: source <(rollbook completion bash), in ~/.bashrc. For zsh: source
    <(rollbook completion zsh), after compinit in ~/.zshrc. For fish: rollbook completion fish | source.
    """
    if shell not in SCRIPTS:
        raise SettingRefused(
            f"there is completion for {', '.join(SCRIPTS)}, not for {shell!r}{meant_by(shell, SCRIPTS)}"
        )
    write(SCRIPTS[shell].rstrip())
