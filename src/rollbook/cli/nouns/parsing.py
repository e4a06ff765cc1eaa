"""Well-formed command lines of verbs, understood without Typer, which takes longer to import than most verbs to run.

One rule: what is understood here is understood as Typer understands it. Help, mistakes and rare forms (``-ojson``,
values that begin with ``-``, an option given twice) are left to Typer, which knows more of them.
"""

import re
from collections.abc import Sequence
from importlib import import_module
from inspect import Parameter, signature
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

from rollbook.cli.catalogue import COMMANDS
from rollbook.cli.nouns.declaring import Command, Declared, Group

NUMBERS = {int: re.compile(r"-?\d{1,15}", re.ASCII), float: re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)}


class NotUnderstood(Exception):
    """This line is left to Typer."""


class Slot(NamedTuple):
    """A parameter of a verb: the type of its value, or of the elements of its list, and how it is declared."""

    name: str
    kind: type
    is_list: bool
    declared: Declared
    default: Any


def verb_of(words: Sequence[str]) -> tuple[Command, dict[str, Any]] | None:
    """The verb that a command line asks for, with all that it is given; None where Typer has to look at it."""
    home = next((row.home for row in COMMANDS if words and row.name == words[0]), "")
    if not home.startswith("rollbook.cli.nouns."):
        return None
    module, _, name = home.partition(":")
    group = getattr(import_module(module), name)
    if not isinstance(group, Group):
        return None
    rest = list(words[1:])
    verb = (rest.pop(0) if rest else "") if group.needs_verb else next(iter(group.verbs))
    try:
        return (group.verbs[verb], given_to(group.verbs[verb], rest)) if verb in group.verbs else None
    except NotUnderstood:
        return None


def given_to(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """The value of each parameter of a verb, as these words give it. Raises NotUnderstood."""
    slots = [slot_of(each) for each in signature(command).parameters.values()]
    options = {name: slot for slot in slots for name in slot.declared.names}
    given: dict[str, Any] = {}
    rest, arguments = iter(words), []
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        slot = options.get(name)
        if slot is None:
            arguments.append(plain(word))
            continue
        if slot.name in given or slot.is_list or (slot.kind is bool and equals):
            raise NotUnderstood
        if slot.kind is bool:
            given[slot.name] = True
        else:
            given[slot.name] = value_of(slot, value if equals else next(rest, ""))
    given |= of_arguments([slot for slot in slots if slot.declared.kind == "argument"], arguments)
    for slot in slots:
        if given.setdefault(slot.name, slot.default) is Parameter.empty:
            raise NotUnderstood
    return given


def of_arguments(slots: Sequence[Slot], words: Sequence[str]) -> dict[str, Any]:
    """The values of arguments, by their order; a list is the last of them, and takes what is left."""
    given: dict[str, Any] = {}
    for number, slot in enumerate(slots):
        if slot.is_list:
            if number != len(slots) - 1:
                raise NotUnderstood
            values = [value_of(slot, word) for word in words[number:]]
            return given | ({slot.name: values} if values else {})
        if number < len(words):
            given[slot.name] = value_of(slot, words[number])
    if len(words) > len(slots):
        raise NotUnderstood
    return given


def value_of(slot: Slot, word: str) -> Any:
    """The value that a word stands for."""
    plain(word)
    if slot.kind is str:
        return word
    form = NUMBERS.get(slot.kind)
    if form is None or not form.fullmatch(word):
        raise NotUnderstood
    value = slot.kind(word)
    settings = slot.declared.settings
    if not settings.get("min", value) <= value <= settings.get("max", value):
        raise NotUnderstood
    return value


def plain(word: str) -> str:
    """A word that is a value for certain; ``-`` alone is one."""
    if not word or (word.startswith("-") and word != "-"):
        raise NotUnderstood
    return word


def slot_of(parameter: Parameter) -> Slot:
    """A parameter, as its annotation declares it."""
    kind, declared, *_ = (*get_args(parameter.annotation), None, None)
    if not isinstance(declared, Declared) or any("/" in name for name in declared.names):
        raise NotUnderstood
    kinds = [each for each in get_args(kind) if each is not NoneType] if NoneType in get_args(kind) else [kind]
    is_list = get_origin(kinds[0]) is list
    return Slot(parameter.name, get_args(kinds[0])[0] if is_list else kinds[0], is_list, declared, parameter.default)
