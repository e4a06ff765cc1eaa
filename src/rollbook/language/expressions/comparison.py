"""Comparison: ``$cmp $eq $ne $gt $gte $lt $lte``, in MongoDB's order over all types.

One rule: unlike in filters, values of different types compare too, by type; a missing value stands before null.
"""

from typing import Any

from rollbook.documents.values import Maybe
from rollbook.language.expressions.growth import key_of
from rollbook.language.expressions.operators import Function


def three_way(left: Maybe, right: Maybe) -> Maybe:
    """Compares two values: -1 when the first stands before the second, 0 when they are equal, 1 when after."""
    first, second = _comparable(left, right)
    return int(first > second) - int(first < second)


def are_equal(left: Maybe, right: Maybe) -> Maybe:
    """Whether the two values are equal."""
    first, second = _comparable(left, right)
    return bool(first == second)


def are_unequal(left: Maybe, right: Maybe) -> Maybe:
    """Whether the two values are not equal."""
    first, second = _comparable(left, right)
    return bool(first != second)


def is_greater(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands after the second."""
    first, second = _comparable(left, right)
    return bool(first > second)


def is_at_least(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands after the second or equals it."""
    first, second = _comparable(left, right)
    return bool(first >= second)


def is_less(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands before the second."""
    first, second = _comparable(left, right)
    return bool(first < second)


def is_at_most(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands before the second or equals it."""
    first, second = _comparable(left, right)
    return bool(first <= second)


def _comparable(left: Maybe, right: Maybe) -> tuple[Any, Any]:
    """What Python compares as MongoDB compares the values: themselves where that is so, else their keys."""
    kind = type(left)
    if kind is type(right) and (kind is str or kind is int):
        return left, right
    return key_of(left), key_of(right)


OPERATORS = (
    Function("$cmp", three_way, (2, 2)),
    Function("$eq", are_equal, (2, 2)),
    Function("$ne", are_unequal, (2, 2)),
    Function("$gt", is_greater, (2, 2)),
    Function("$gte", is_at_least, (2, 2)),
    Function("$lt", is_less, (2, 2)),
    Function("$lte", is_at_most, (2, 2)),
)
