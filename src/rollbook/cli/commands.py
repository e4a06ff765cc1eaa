"""The commands of the catalogue, each imported when it is run: one module a noun.

One rule: a command asks ``assembly`` or ``client`` and reports the answer.
"""

from collections.abc import Iterator, MutableMapping
from copy import copy
from functools import wraps
from importlib import import_module
from inspect import Signature, signature
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_command_from_info, get_command_name, get_group

from rollbook import __version__
from rollbook.addresses import without_passwords
from rollbook.cli.catalogue import COMMANDS, Row
from rollbook.cli.nouns.declaring import Command, Declared, Group

USAGE_ERROR: Any = typer.BadParameter.__base__


class Commands(TyperGroup):
    """The commands of the table, for Typer to parse. Help is written from the table alone.

    Typer has a copy of click in it, whose classes have no public names: hence ``Any``.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = dict.fromkeys((row.name for row in COMMANDS), self)  # what misspelt names are compared with

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with this name, imported now."""
        return next((loaded(row) for row in COMMANDS if row.name == cmd_name), None)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. What is wrong with its words is said without the passwords of addresses."""
        try:
            return super().invoke(ctx)
        except USAGE_ERROR as wrong:
            wrong.message = without_passwords(wrong.message)
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the names and summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in COMMANDS])


def loaded(row: Row) -> Any:
    """A command, imported, as Typer runs it."""
    module, _, name = row.home.partition(":")
    found = getattr(import_module(module), name)
    if isinstance(found, Group):
        found = as_typer(found)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(row.name)(found)
        found = alone
    for each in found.registered_commands:
        each.callback = with_typers_options(each.callback)
    command = as_group(found) if len(found.registered_commands) > 1 or found.registered_groups else get_command(found)
    command.name = row.name
    return command


def as_typer(group: Group) -> typer.Typer:
    """The commands of a noun, for Typer."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=group.help,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    if group.is_noun:
        app.callback(help=group.help)(lambda: None)  # with a callback, one command is a group too
    for name, command in group.verbs.items():
        app.command(name)(command)
    return app


def with_typers_options(command: Any) -> Command:
    """A command whose parameters are declared for Typer; itself, if they were."""
    declared = list(signature(command).parameters.values())
    parameters = [each.replace(annotation=for_typer(each.annotation)) for each in declared]
    if parameters == declared:
        return command  # type: ignore[no-any-return]

    @wraps(command)
    def run(**given: Any) -> None:
        command(**given)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def for_typer(annotation: Any) -> Any:
    """The annotation of a parameter, as Typer reads it."""
    kind, declared, *_ = (*get_args(annotation), None, None)
    if not isinstance(declared, Declared):
        return annotation
    make: Any = typer.Option if declared.kind == "option" else typer.Argument
    return Annotated[kind, make(*declared.names, **declared.settings)]


def as_group(app: typer.Typer) -> Any:
    """A group whose commands are made when they are asked for: making one takes milliseconds."""
    empty = copy(app)
    empty.registered_commands = []
    group = get_group(empty)
    group.commands = Verbs(app, dict(group.commands))
    return group


class Verbs(MutableMapping[str, Any]):
    """The commands of a noun, by name; ``made`` are those that exist."""

    def __init__(self, app: typer.Typer, made: dict[str, Any]) -> None:
        self._waiting = {
            each.name or get_command_name(getattr(each.callback, "__name__", "")): each
            for each in app.registered_commands
        }
        self._names = [*self._waiting, *made]
        self._made = made

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            info = self._waiting[name]
            self._made[name] = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._names.append(name)
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        self._names.remove(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
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
