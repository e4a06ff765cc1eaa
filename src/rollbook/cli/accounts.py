"""``rollbook token``, ``rollbook role`` and ``rollbook access``: who may, and what.

One rule: a command sends the calls of the client, whichever way it goes: to a server at a URL with a token, to the
admin socket of a data directory, or to the registry in a directory that no server uses. What is slow to import is
imported when a command runs.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from rollbook.cli.exits import REFUSED
from rollbook.cli.options import DataOption
from rollbook.cli.terminal import say
from rollbook.errors import RequestRefused, SettingRefused

if TYPE_CHECKING:
    from rollbook.client import AsyncClient

T = TypeVar("T")

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Ask the server at this address, with a token [default: $ROLLBOOK_URL]."),
]
TokenFileOption = Annotated[
    str | None,
    typer.Option("--token-file", metavar="FILE", help="A file with the token to send [default: $ROLLBOOK_TOKEN]."),
]
RoleOption = Annotated[list[str], typer.Option("--role", metavar="ROLE", help="A role of the token; may be repeated.")]
ClusterOption = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="ID", help="A cluster that it is bound to; may be repeated.")
]
CertificateOption = Annotated[
    list[str] | None,
    typer.Option("--certificate", metavar="NAME", help="A name (SAN) of client certificates; may be repeated."),
]
OwnerOption = Annotated[str | None, typer.Option("--owner", metavar="OWNER", help="The owner that it is bound to.")]
NetworkOption = Annotated[
    list[str] | None,
    typer.Option("--network", metavar="NETWORK", help="A network that it can be used from; may be repeated."),
]


def group(help: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=help)


tokens = group("Make, list, rotate and revoke tokens.")
roles = group("List, read and apply roles.")
access = group("Ask what may be done.")


@access.callback()
def about_access() -> None:
    """Ask what may be done."""  # with a callback, one command is a group too


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the history and the log call its callers.")],
    role: RoleOption,
    cluster: ClusterOption = None,
    owner: OwnerOption = None,
    network: NetworkOption = None,
    certificate: CertificateOption = None,
    ttl: Annotated[
        float | None, typer.Option("--ttl", metavar="SECONDS", help="How long it holds; for ever without it.")
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Make a token, and print it: it is shown this once."""
    asked: dict[str, Any] = {
        "name": name,
        "roles": role,
        "clusters": cluster,
        "owner": owner,
        "networks": network,
        "certificates": certificate,
        "ttlSeconds": ttl,
    }
    token = {member: each for member, each in asked.items() if each is not None}
    print(asked_of(data, url, token_file, lambda client: client.tokens.create(token))["token"])


@tokens.command("ls")
def list_tokens(data: DataOption = None, url: UrlOption = None, token_file: TokenFileOption = None) -> None:
    """Print all tokens, a JSON object a line, without their secrets."""
    for token in asked_of(data, url, token_file, lambda client: client.tokens.list()):
        print(json.dumps(token))


@tokens.command("rotate")
def rotate_token(
    id: Annotated[str, typer.Argument(help="The id of the token.")],
    grace: Annotated[
        float | None,
        typer.Option("--grace", metavar="SECONDS", help="How long the former secret holds; a day without it."),
    ] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Give a token a new secret, and print it."""
    print(asked_of(data, url, token_file, lambda client: client.tokens.rotate(id, grace_seconds=grace))["token"])


@tokens.command("revoke")
def revoke_token(
    id: Annotated[str, typer.Argument(help="The id of the token.")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """End a token."""
    asked_of(data, url, token_file, lambda client: client.tokens.revoke(id))
    say(f"the token {id} is revoked")


@roles.command("ls")
def list_roles(data: DataOption = None, url: UrlOption = None, token_file: TokenFileOption = None) -> None:
    """Print the names of all roles, and what they are for."""
    for role in asked_of(data, url, token_file, lambda client: client.roles.list()):
        print(f"{role['name']:<16} {role['description']}".rstrip())


@roles.command("get")
def get_role(
    name: Annotated[str, typer.Argument(help="The name of the role.")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Print a role as JSON, which can be changed and applied under another name."""
    print(json.dumps(asked_of(data, url, token_file, lambda client: client.roles.read(name)), indent=2))


@roles.command("apply")
def apply_role(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A role as JSON; - is standard input.")],
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Make the role in a file, or replace the one of its name."""
    try:
        role = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    except ValueError as error:
        raise RequestRefused(f"{file} is not JSON: {error}") from None
    if not isinstance(role, dict) or not isinstance(role.get("name"), str):
        raise RequestRefused(f"{file} must hold a role with its 'name', as `rollbook role get` prints one")
    asked_of(data, url, token_file, lambda client: client.roles.put(role["name"], role))
    say(f"the role {role['name']} is in force")


@access.command("can")
def can(
    verb: Annotated[str, typer.Argument(help="What is to be done, such as read, update or delete.")],
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="To which cluster.", show_default=False)] = None,
    path: Annotated[
        list[str] | None, typer.Option("--path", metavar="PATH", help="At this path of it; may be repeated.")
    ] = None,
    token: Annotated[str | None, typer.Option("--token", metavar="ID", help="By this token, instead of you.")] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="By a caller of this role; may be repeated.")
    ] = None,
    cluster: ClusterOption = None,
    owner: OwnerOption = None,
    data: DataOption = None,
    url: UrlOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Print whether something is allowed, and why. The exit code is 0 if it is, 3 if not."""
    given: dict[str, Any] = {"token": token, "roles": role, "clusters": cluster, "owner": owner}
    subject = {name: each for name, each in given.items() if each is not None}
    judgement = asked_of(
        data,
        url,
        token_file,
        lambda client: client.access.can(verb, id, paths=path or (), subject=subject or None),
    )
    print(f"{'yes' if judgement['allowed'] else 'no'}: {judgement['reason']}")
    if not judgement["allowed"]:
        raise typer.Exit(REFUSED)


def asked_of(
    data: str | None, url: str | None, token_file: str | None, ask: "Callable[[AsyncClient], Awaitable[T]]"
) -> T:
    """What the registry that the options mean answers to a call."""
    url = url or os.environ.get("ROLLBOOK_URL") or None

    async def asked() -> T:
        async with _client_of(data, url, token_file) as client:
            return await ask(client)

    return asyncio.run(asked())


@asynccontextmanager
async def _client_of(data: str | None, url: str | None, token_file: str | None) -> "AsyncIterator[AsyncClient]":
    """A client of the server at ``url``; or of the registry in the data directory, whether a server uses it or not."""
    import httpx2

    from rollbook.client import AsyncClient
    from rollbook.settings import settings_from

    token = _token(token_file)
    if url is not None:
        async with AsyncClient(url, token=token) as client:
            yield client
        return
    settings = settings_from(os.environ, data=data)
    socket = settings.data.absolute() / "admin.sock"
    if _is_listening(socket):
        transport: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(uds=str(socket))
        async with AsyncClient("http://localhost", token=token, transport=transport) as client:
            yield client
        return
    from rollbook.cli.unattended import application_of

    async with application_of(settings) as application:
        transport = httpx2.ASGITransport(app=application)
        async with AsyncClient("http://localhost", transport=transport) as client:
            yield client


def _token(token_file: str | None) -> str | None:
    """The token to send. Refuses (SettingRefused) a file that can't be read."""
    if token_file is None:
        return os.environ.get("ROLLBOOK_TOKEN") or None
    try:
        return Path(token_file).read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingRefused(f"the token can't be read from {token_file}: {error}") from None


def _is_listening(path: Path) -> bool:
    """Whether a server listens on the socket, and not only its file was left over."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
