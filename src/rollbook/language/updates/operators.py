"""How an operator joins the update language: as a row in the ``OPERATORS`` of its family's module.

One rule: an operator maps an old value to a new one, with MISSING both ways. It knows neither paths nor documents: who
calls it walks there, and adds to its refusals the path and the place in the request.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.documents.values import Maybe, Value
from rollbook.errors import UpdateRefused, below
from rollbook.limits import Limits, RequestBudget

Edit: TypeAlias = Callable[[Maybe], Maybe]
Clock: TypeAlias = Callable[[], datetime]


def refused(mongo_code: int, why: str) -> UpdateRefused:
    """The refusal of an old value: to be raised by an edit."""
    return UpdateRefused(why, mongo_code=mongo_code)


class Parsing(Struct, frozen=True):
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


class Occasion(Struct):
    """What one compiled update knows beside its operands: the time, and the work it may spend."""

    clock: Clock
    work: RequestBudget | None
    _now: str | None = None

    def now(self) -> str:
        """The time as text (ISO 8601, UTC): the clock is read once, when the first operator asks."""
        if self._now is None:
            time = self.clock().astimezone(UTC)
            self._now = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._now


def as_given(operand: Value, _: Parsing) -> Value:
    """Any value is an operand."""
    return operand


class Operator(Struct, frozen=True):
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
