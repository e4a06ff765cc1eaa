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


class Place(NamedTuple):
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
    places = [place_of(each) for each in signature(command).parameters.values()]
    options = {name: place for place in places for name in place.declared.names}
    given: dict[str, Any] = {}
    rest, arguments = iter(words), []
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        place = options.get(name)
        if place is None:
            arguments.append(plain(word, or_dash=True))
            continue
        if place.name in given or place.is_list or (place.kind is bool and equals):
            raise NotUnderstood
        if place.kind is bool:
            given[place.name] = True
        else:
            given[place.name] = value_of(place, value if equals else next(rest, ""))
    given |= of_arguments([place for place in places if place.declared.kind == "argument"], arguments)
    for place in places:
        if given.setdefault(place.name, place.default) is Parameter.empty:
            raise NotUnderstood
    return given


def of_arguments(places: Sequence[Place], words: Sequence[str]) -> dict[str, Any]:
    """The values of arguments, by their order; a list is the last of them, and takes what is left."""
    given: dict[str, Any] = {}
    for number, place in enumerate(places):
        if place.is_list:
            if number != len(places) - 1:
                raise NotUnderstood
            values = [value_of(place, word) for word in words[number:]]
            return given | ({place.name: values} if values else {})
        if number < len(words):
            given[place.name] = value_of(place, words[number])
    if len(words) > len(places):
        raise NotUnderstood
    return given


def value_of(place: Place, word: str) -> Any:
    """The value that a word stands for."""
    plain(word, or_dash=True)
    if place.kind is str:
        return word
    form = NUMBERS.get(place.kind)
    if form is None or not form.fullmatch(word):
        raise NotUnderstood
    value = place.kind(word)
    settings = place.declared.settings
    if not settings.get("min", value) <= value <= settings.get("max", value):
        raise NotUnderstood
    return value


def plain(word: str, *, or_dash: bool = False) -> str:
    """A word that is a value for certain."""
    if not word or (word.startswith("-") and not (or_dash and word == "-")):
        raise NotUnderstood
    return word


def place_of(parameter: Parameter) -> Place:
    """A parameter, as its annotation declares it."""
    kind, declared, *_ = (*get_args(parameter.annotation), None, None)
    if not isinstance(declared, Declared) or any("/" in name for name in declared.names):
        raise NotUnderstood
    kinds = [each for each in get_args(kind) if each is not NoneType] if NoneType in get_args(kind) else [kind]
    is_list = get_origin(kinds[0]) is list
    return Place(parameter.name, get_args(kinds[0])[0] if is_list else kinds[0], is_list, declared, parameter.default)
