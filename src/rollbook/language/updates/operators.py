"""How an operator joins the update language: as a row in the ``OPERATORS`` of its family's module.

One rule: an operator maps an old value to a new one, with MISSING both ways. It knows neither paths nor documents: who
calls it walks there, and adds to its refusals the path and the place in the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from rollbook.documents.values import Maybe, Value
from rollbook.errors import UpdateRefused, below
from rollbook.limits import Limits, Work

Edit: TypeAlias = Callable[[Maybe], Maybe]


def refused(mongo_code: int, why: str) -> UpdateRefused:
    """The refusal of an old value: to be raised by an edit."""
    return UpdateRefused(why, mongo_code=mongo_code)


@dataclass(frozen=True, slots=True)
class Parsing:
    """What a parser is given beside the JSON: where that stands in the request, and how large things may be."""

    at: str
    limits: Limits

    def below(self, key: str | int) -> "Parsing":
        """The same for what stands at ``key``."""
        return Parsing(below(self.at, key), self.limits)

    def refused(self, mongo_code: int, why: str, *keys: str | int) -> UpdateRefused:
        """The refusal of what stands at ``keys`` below."""
        at = self.at
        for key in keys:
            at = below(at, key)
        return UpdateRefused(why, at=at, mongo_code=mongo_code)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What one compiled update knows beside its operands: the time (ISO 8601, UTC), and the work it may spend."""

    now: str
    work: Work | None


def as_given(operand: Value, _: Parsing) -> Value:
    """Any value is an operand."""
    return operand


@dataclass(frozen=True, slots=True)
class Operator:
    """A row: ``parse`` checks the operand, ``prepare`` readies it for one compiled update, ``edit`` gives it meaning.

    ``stores`` where the operand itself may end up in the document. ``yields`` where the operator does nothing when a
    path can't go on through a value that is there; others are refused then (PathNotViable).
    """

    name: str
    edit: Callable[[Any], Edit]
    parse: Callable[[Value, Parsing], Any] = as_given
    prepare: Callable[[Any, Occasion], Any] | None = None
    stores: bool = False
    yields: bool = False
