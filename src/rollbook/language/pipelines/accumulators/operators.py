"""How an accumulator joins the stages that group: as a row in the ``ACCUMULATORS`` of its family's module.

One rule: a group has a state of its own for each accumulator; ``add`` takes the scope of a document of the group,
``result`` gives the value when all have been added. The first line of ``compile``'s docstring is the accumulator's line
in the reference.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from rollbook.documents.values import Value
from rollbook.language.expressions import Evaluate, Expression, Scope
from rollbook.language.pipelines.operators import Parsing, Running


class State(Protocol):
    """What an accumulator knows of one group."""

    def add(self, scope: Scope) -> None:
        """Take in a document of the group."""

    def result(self) -> Value:
        """The value of the accumulator for the group."""


Start: TypeAlias = Callable[[Value], State]
"""Starts the state of the group whose key is given."""


class Accumulator(Struct, frozen=True):
    """``parse(json, parsing)`` makes the parts, of any type; ``compile(parts, running)`` what starts a state."""

    name: str
    parse: Callable[[Value, Parsing], Any]
    compile: Callable[[Any, Running], Start]


def parse_operand(json: Value, parsing: Parsing) -> Expression:
    """The one expression that most accumulators take."""
    if isinstance(json, list):
        raise parsing.refused(40237, "an accumulator takes one expression, no array: use {$literal: [...]}")
    return parsing.expression(json)


def of_operand(name: str, state: Callable[[Evaluate, Running], State]) -> Accumulator:
    """An accumulator of one expression; ``state(evaluate, running)`` starts a group's state, and has the docstring."""

    def compile_operand(parts: Expression, running: Running) -> Start:
        evaluate = running.expression(parts)
        return lambda key: state(evaluate, running)

    compile_operand.__doc__ = state.__doc__
    return Accumulator(name, parse_operand, compile_operand)
