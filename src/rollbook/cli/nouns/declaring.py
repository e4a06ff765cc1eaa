"""Options, arguments and groups of verbs as plain values: declared without Typer, which takes long to import.

One rule: nothing is done with them here. ``parsing`` reads well-formed command lines by them; ``commands`` makes
commands of Typer from them, for help and for what is wrong.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct

Command: TypeAlias = Callable[..., None]


class Declared(Struct, frozen=True):
    """How a parameter is given on a command line. ``settings`` are Typer's: ``metavar``, ``help``, ``min``, ``max``."""

    kind: Literal["option", "argument"]
    names: tuple[str, ...]
    settings: dict[str, Any]


def option(*names: str, **settings: Any) -> Declared:
    """An option; one of a boolean is a flag."""
    return Declared("option", names, settings)


def argument(**settings: Any) -> Declared:
    """An argument, in its place."""
    return Declared("argument", (), settings)


class Group(Struct):
    """The verbs of a noun by name. ``is_noun`` says that a single verb has to be named too."""

    help: str
    is_noun: bool = False
    verbs: dict[str, Command] = {}

    @property
    def needs_verb(self) -> bool:
        """Whether a verb is named on the command line."""
        return self.is_noun or len(self.verbs) > 1

    def command(self, name: str) -> Callable[[Command], Command]:
        """Register a function as a verb."""

        def register(command: Command) -> Command:
            self.verbs[name] = command
            return command

        return register
