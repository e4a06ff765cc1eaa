"""Accumulators that give several values of the group: ``$firstN``, ``$lastN``, ``$minN``, ``$maxN``.

One rule: how many is an integer, one or more, which may depend on the group's key but on no document.
"""

from collections.abc import Callable
from functools import partial
from heapq import nlargest, nsmallest

from msgspec import Struct

from rollbook.documents.values import INT64_MAX, MISSING, Value, is_number
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions import Evaluate, Expression, Scope, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators.keeping import GATHERED_MAX, Keeping, Ranked, place_of
from rollbook.language.pipelines.accumulators.operators import Accumulator, Start, State
from rollbook.language.pipelines.operators import Parsing, Running


class Several(Struct, frozen=True):
    """What is taken of each document, of how many of them, and where the number stands."""

    input: Expression
    number: Expression
    at: str


def parse_several(json: Value, parsing: Parsing) -> Several:
    """The input and the number of values, ``n``."""
    options = parsing.options(json, ("input", "n"), no_object=5787801, unknown=5787901)
    if "n" not in options:
        raise parsing.refused(5787906, "this accumulator needs n, the number of values")
    if "input" not in options:
        raise parsing.refused(5787907, "this accumulator needs an input")
    number = parsing.expression(options["n"], "n")
    return Several(parsing.expression(options["input"], "input"), number, parsing.pointer("n"))


def whole_number(evaluate: Evaluate, at: str, key: Value) -> int:
    """The number of values for the group of ``key``."""
    number = evaluate(scope_of(key if isinstance(key, dict) else {}))
    if not is_number(number) or not 1 <= number <= INT64_MAX or number != int(number):
        raise ExpressionRefused("n must be an integer, one or more", at=at, mongo_code=7548606)
    return int(number)


def first_several(parts: Several, running: Running) -> Start:
    """Gives the values of the first ``n`` documents of the group."""
    return _starting(FirstSeveral, parts, running)


def last_several(parts: Several, running: Running) -> Start:
    """Gives the values of the last ``n`` documents of the group."""
    return _starting(LastSeveral, parts, running)


def least_several(parts: Several, running: Running) -> Start:
    """Gives the ``n`` least values of the group, the least first; null and missing are passed over."""
    return _starting(partial(ExtremeSeveral, nsmallest), parts, running)


def greatest_several(parts: Several, running: Running) -> Start:
    """Gives the ``n`` greatest values of the group, the greatest first; null and missing are passed over."""
    return _starting(partial(ExtremeSeveral, nlargest), parts, running)


def _starting(state: Callable[[Evaluate, int, Running], State], parts: Several, running: Running) -> Start:
    evaluate, number = running.expression(parts.input), running.expression(parts.number)
    return lambda key: state(evaluate, whole_number(number, parts.at, key), running)


class FirstSeveral:
    """The values of the first documents."""

    __slots__ = ("_evaluate", "_kept", "_most")

    def __init__(self, evaluate: Evaluate, most: int, running: Running) -> None:
        self._evaluate, self._most = evaluate, most
        self._kept = Keeping(running)

    def add(self, scope: Scope) -> None:
        if len(self._kept.items) < self._most:
            value = self._evaluate(scope)
            self._kept.add(None, None if value is MISSING else value)

    def result(self) -> Value:
        return self._kept.values()


class LastSeveral:
    """The values of the last documents: many are gathered before the others are dropped."""

    __slots__ = ("_evaluate", "_kept", "_most")

    def __init__(self, evaluate: Evaluate, most: int, running: Running) -> None:
        self._evaluate, self._most = evaluate, most
        self._kept = Keeping(running)

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        self._kept.add(None, None if value is MISSING else value)
        if len(self._kept.items) >= 2 * self._most + GATHERED_MAX:
            self._kept.keep(self._kept.items[-self._most :])

    def result(self) -> Value:
        return self._kept.values()[-self._most :]


class ExtremeSeveral:
    """The values that come first in an order: many are gathered before the others are dropped."""

    __slots__ = ("_evaluate", "_extremes", "_kept", "_most")

    def __init__(self, extremes: Callable[..., list[Ranked]], evaluate: Evaluate, most: int, running: Running) -> None:
        self._evaluate, self._most = evaluate, most
        self._extremes = extremes
        self._kept = Keeping(running)

    def add(self, scope: Scope) -> None:
        value = self._evaluate(scope)
        if value is not None and value is not MISSING:
            self._kept.add(key_of(value), value)
            if len(self._kept.items) >= 2 * self._most + GATHERED_MAX:
                self._kept.keep(self._first())

    def result(self) -> Value:
        return [kept.value for kept in self._first()]

    def _first(self) -> list[Ranked]:
        return self._extremes(self._most, self._kept.items, key=place_of)


ACCUMULATORS = (
    Accumulator("$firstN", parse_several, first_several),
    Accumulator("$lastN", parse_several, last_several),
    Accumulator("$minN", parse_several, least_several),
    Accumulator("$maxN", parse_several, greatest_several),
)
