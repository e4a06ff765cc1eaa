"""Comparison: ``$cmp $eq $ne $gt $gte $lt $lte``, in MongoDB's order over all types.

One rule: unlike in filters, values of different types compare too, by type; a missing value stands before null.
"""

from rollbook.documents.values import Maybe
from rollbook.language.expressions.growth import key_of
from rollbook.language.expressions.operators import Function


def three_way(left: Maybe, right: Maybe) -> Maybe:
    """Compares two values: -1 when the first stands before the second, 0 when they are equal, 1 when after."""
    left_key, right_key = key_of(left), key_of(right)
    return int(left_key > right_key) - int(left_key < right_key)


def are_equal(left: Maybe, right: Maybe) -> Maybe:
    """Whether the two values are equal."""
    if isinstance(left, str) or isinstance(right, str):
        return left == right
    return key_of(left) == key_of(right)


def are_unequal(left: Maybe, right: Maybe) -> Maybe:
    """Whether the two values are not equal."""
    return not are_equal(left, right)


def is_greater(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands after the second."""
    return key_of(left) > key_of(right)


def is_at_least(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands after the second or equals it."""
    return key_of(left) >= key_of(right)


def is_less(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands before the second."""
    return key_of(left) < key_of(right)


def is_at_most(left: Maybe, right: Maybe) -> Maybe:
    """Whether the first value stands before the second or equals it."""
    return key_of(left) <= key_of(right)


OPERATORS = (
    Function("$cmp", three_way, (2, 2)),
    Function("$eq", are_equal, (2, 2)),
    Function("$ne", are_unequal, (2, 2)),
    Function("$gt", is_greater, (2, 2)),
    Function("$gte", is_at_least, (2, 2)),
    Function("$lt", is_less, (2, 2)),
    Function("$lte", is_at_most, (2, 2)),
)
