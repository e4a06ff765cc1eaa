"""Percentiles of what one document holds: ``$median $percentile``.

One rule: a percentile is one of the numbers, the smallest that so large a part of them does not exceed; what is no
number is not counted.
"""

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from rollbook.documents.values import Maybe, Value, type_name
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.numbers import number_of
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope

_ABSENT, _UNKNOWN, _NOT_AN_OBJECT = 40414, 40415, 7436200
_MEDIAN = Signature((Argument("input", _ABSENT), Argument("method", _ABSENT)), _NOT_AN_OBJECT, _UNKNOWN)
_PERCENTILE = Signature((*_MEDIAN.arguments, Argument("p", _ABSENT)), _NOT_AN_OBJECT, _UNKNOWN)


class Percentiles(Struct, frozen=True):
    """The parts of ``$percentile``: what the numbers are, and which parts of one are asked for."""

    input: Expression
    parts: Expression


def parse_median(json: Value, parsing: Parsing) -> Expression:
    """The expression of the numbers."""
    members = _MEDIAN.members_of(json, parsing)
    _check_method(members["method"], parsing)
    return parsing.child(members["input"], "input")


def median(numbers: Expression, compiling: Compiling) -> Evaluate:
    """The median of the numbers in an array, a double; null when there is none."""
    evaluate = compiling.child(numbers)

    def middle(scope: Scope) -> Maybe:
        ordered = _ordered_numbers(evaluate(scope))
        return percentile_of(ordered, 0.5) if ordered else None

    return middle


def parse_percentile(json: Value, parsing: Parsing) -> Percentiles:
    """The expressions of the numbers and of the parts."""
    members = _PERCENTILE.members_of(json, parsing)
    _check_method(members["method"], parsing)
    return Percentiles(parsing.child(members["input"], "input"), parsing.child(members["p"], "p"))


def percentiles(parts: Percentiles, compiling: Compiling) -> Evaluate:
    """The percentiles of the numbers in an array, for each part of one in ``p``; null for each when there is none."""
    asked = _checked_parts(compiling.folded(parts.parts))
    evaluate = compiling.child(parts.input)

    def each(scope: Scope) -> Maybe:
        ordered = _ordered_numbers(evaluate(scope))
        return [percentile_of(ordered, part) if ordered else None for part in asked]

    return each


def percentile_of(ordered: Sequence[float], part: float) -> float:
    """The number of the ordered ones that stands where ``part`` of one, 0 to 1, of them is reached."""
    return ordered[max(0, ceil(len(ordered) * part) - 1)]


def _check_method(method: Value, parsing: Parsing) -> None:
    if not isinstance(method, str):
        raise parsing.refused(14, f"takes a string as 'method', not {type_name(method)}", "method")
    if method != "approximate":
        raise parsing.refused(2, "knows one method, 'approximate'", "method")


def _checked_parts(parts: Expression) -> list[float]:
    if not isinstance(parts, Constant):
        raise refused(7750300, "takes an array of constants as 'p'")
    if not isinstance(parts.value, list) or not parts.value:
        raise refused(7750301, "takes an array of numbers from 0 to 1 as 'p'")
    checked = []
    for part in parts.value:
        number = number_of(part)
        if number is None:
            raise refused(7750302, f"takes numbers from 0 to 1 in 'p', not {type_name(part)}")
        if not 0 <= number <= 1:
            raise refused(7750303, f"takes numbers from 0 to 1 in 'p', not {number}")
        checked.append(float(number))
    return checked


def _ordered_numbers(value: Maybe) -> list[float]:
    numbers = [number_of(item) for item in (value if isinstance(value, list) else [value])]
    return sorted(float(number) for number in numbers if number is not None)


OPERATORS = (
    SpecialForm("$median", parse_median, median),
    SpecialForm("$percentile", parse_percentile, percentiles),
)
