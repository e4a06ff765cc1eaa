"""``rollbook token``, ``rollbook role`` and ``rollbook access``: who may, and what.

One rule: a command sends the calls of the client, whichever way it goes (``reaching``). What is slow to import is
imported when a command runs.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

from rollbook.cli.exits import REFUSED
from rollbook.cli.nouns.declaring import Group
from rollbook.cli.nouns.printing import Columns, Printer, parse_format
from rollbook.cli.nouns.verbs import Shared as OfVerbs
from rollbook.cli.nouns.verbs import give_options, group, read_document, seconds_of
from rollbook.cli.options import DataOption
from rollbook.cli.reaching import answer_of
from rollbook.cli.terminal import confirm, printable, say, write_errors_as_json
from rollbook.errors import RequestRefused, SettingRefused

if TYPE_CHECKING:
    from rollbook.client import AsyncClient

P = ParamSpec("P")
Ask: TypeAlias = "Callable[[Callable[[AsyncClient], Awaitable[Any]]], Any]"

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


NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name, as an option.")]
ExpiresOption = Annotated[
    str | None, typer.Option("--expires", metavar="TIME", help="How long it holds: 90d, 12h, 30m; for ever without it.")
]
AsOption = Annotated[
    str | None, typer.Option("--as", "--token", metavar="TOKEN", help="By the token with this id, instead of you.")
]

JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="TARGET",
        help="The registry whose journal is at postgresql://..., whether servers run or not.",
    ),
]

Shared = {**OfVerbs, "data": DataOption, "journal": JournalOption}
TOKENS = Columns(("id", "name", "roles", "clusters", "owner", "expiresAt"), ("networks", "certificates", "lastUsedAt"))
ROLES = Columns(("name", "description"), name="name")

tokens = group("Make, list, rotate and revoke tokens.")
roles = group("List, read and apply roles.")
access = group("Ask what may be done.", is_noun=True)


def account(
    app: Group, name: str
) -> "Callable[[Callable[Concatenate[Ask, Printer, P], None]], Callable[Concatenate[Ask, Printer, P], None]]":
    """Register a function as a command; it is given a function that sends a call to the registry, and a printer."""

    def register(
        function: "Callable[Concatenate[Ask, Printer, P], None]",
    ) -> "Callable[Concatenate[Ask, Printer, P], None]":
        @wraps(function)
        def command(*args: Any, **given: Any) -> None:
            shared = {each: given.pop(each) for each in Shared}
            output = shared.pop("output")
            write_errors_as_json(output in ("json", "jsonl"))
            function(lambda ask: asyncio.run(answer_of(ask, **shared)), parse_format(output), *args, **given)

        give_options(command, function, Shared)
        app.command(name)(command)
        return function

    return register


@account(tokens, "create")
def create_token(
    ask: "Ask",
    printer: Printer,
    role: RoleOption,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="What the history and the log call its callers.")
    ] = None,
    named: NameOption = None,
    cluster: ClusterOption = None,
    owner: OwnerOption = None,
    network: NetworkOption = None,
    certificate: CertificateOption = None,
    expires: ExpiresOption = None,
    ttl: Annotated[float | None, typer.Option("--ttl", metavar="SECONDS", help="The same in seconds.")] = None,
) -> None:
    """Make a token, and print it: it is shown this once."""
    if (name is None) == (named is None):
        raise SettingRefused("name the token once: rollbook token create NAME, or --name NAME")
    if expires is not None and ttl is not None:
        raise SettingRefused("give --expires or --ttl, not both")
    asked: dict[str, Any] = {
        "name": name or named,
        "roles": role,
        "clusters": cluster,
        "owner": owner,
        "networks": network,
        "certificates": certificate,
        "ttlSeconds": ttl if expires is None else seconds_of(expires, "--expires"),
    }
    token = {member: each for member, each in asked.items() if each is not None}
    print(ask(lambda client: client.tokens.create(token))["token"])


@account(tokens, "ls")
def list_tokens(ask: "Ask", printer: Printer) -> None:
    """Print all tokens, without their secrets."""
    printer.many(ask(lambda client: client.tokens.list()), TOKENS)


@account(tokens, "rotate")
def rotate_token(
    ask: "Ask",
    printer: Printer,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id of the token.")],
    grace: Annotated[
        float | None,
        typer.Option("--grace", metavar="SECONDS", help="How long the former secret holds; a day without it."),
    ] = None,
) -> None:
    """Give a token a new secret, and print it."""
    print(ask(lambda client: client.tokens.rotate(id, grace_seconds=grace))["token"])


@account(tokens, "revoke")
def revoke_token(
    ask: "Ask",
    printer: Printer,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id of the token.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End a token. On a terminal this is asked about first."""
    if not yes and sys.stdin.isatty():
        confirm(f"Revoke the token {id}?")
    ask(lambda client: client.tokens.revoke(id))
    say(f"the token {id} is revoked")


@account(roles, "ls")
def list_roles(ask: "Ask", printer: Printer) -> None:
    """Print all roles, and what they are for."""
    printer.many(ask(lambda client: client.roles.list()), ROLES)


@account(roles, "get")
def get_role(ask: "Ask", printer: Printer, name: Annotated[str, typer.Argument(help="The name of the role.")]) -> None:
    """Print a role as JSON, which can be changed and applied under another name."""
    printer.one(ask(lambda client: client.roles.read(name)), ROLES)


@account(roles, "apply")
def apply_role(
    ask: "Ask",
    printer: Printer,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A role as JSON or YAML; - is standard input.")],
) -> None:
    """Make the role in a file, or replace the one of its name."""
    role = read_document(file)
    if not isinstance(role, dict) or not isinstance(role.get("name"), str):
        raise RequestRefused(f"{file} must hold a role with its 'name', as `rollbook role get` prints one")
    ask(lambda client: client.roles.put(role["name"], role))
    say(f"the role {role['name']} is in force")


@account(access, "can")
def can(
    ask: "Ask",
    printer: Printer,
    verb: Annotated[str, typer.Argument(help="What is to be done, such as read, update or delete.")],
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="To which cluster.", show_default=False)] = None,
    path: Annotated[
        list[str] | None, typer.Option("--path", metavar="PATH", help="At this path of it; may be repeated.")
    ] = None,
    token: AsOption = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", metavar="ROLE", help="By a caller of this role; may be repeated.")
    ] = None,
    cluster: ClusterOption = None,
    owner: OwnerOption = None,
) -> None:
    """Print whether something is allowed, and why. The exit code is 0 if it is, 3 if not."""
    given: dict[str, Any] = {"token": token, "roles": role, "clusters": cluster, "owner": owner}
    subject = {name: each for name, each in given.items() if each is not None}
    judgement = ask(lambda client: client.access.can(verb, id, paths=path or (), subject=subject or None))
    if printer.wants_documents:
        printer.one(judgement, Columns(("allowed", "reason")))
    else:
        print(f"{'yes' if judgement['allowed'] else 'no'}: {printable(judgement['reason'])}")
    if not judgement["allowed"]:
        raise typer.Exit(REFUSED)
