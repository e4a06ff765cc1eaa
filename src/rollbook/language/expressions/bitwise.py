"""Bitwise operators: ``$bitAnd $bitOr $bitXor $bitNot``, on ints and longs.

One rule: null or missing among the operands makes null; a long among them makes a long.
"""

from collections.abc import Callable
from operator import and_, or_, xor

from rollbook.documents.values import Maybe, type_name
from rollbook.language.expressions.numbers import integer, is_long, is_null, number_of
from rollbook.language.expressions.operators import Function, refused


def bits_in_all(*values: Maybe) -> Maybe:
    """The bits that are set in all of the integers."""
    return _combined(values, and_, -1)


def bits_in_any(*values: Maybe) -> Maybe:
    """The bits that are set in at least one of the integers."""
    return _combined(values, or_, 0)


def bits_that_differ(*values: Maybe) -> Maybe:
    """The bits that are set in an odd number of the integers."""
    return _combined(values, xor, 0)


def bits_not_set(value: Maybe) -> Maybe:
    """The integer with every bit the other way."""
    if is_null(value):
        return None
    number = number_of(value)
    if not isinstance(number, int):
        raise refused(28765 if number is None else 14, f"takes an int or a long, not {type_name(value)}")
    return integer(~number, long=is_long(number))


def _combined(values: tuple[Maybe, ...], combine: Callable[[int, int], int], start: int) -> Maybe:
    result, long = start, False
    for value in values:
        if is_null(value):
            return None
        number = number_of(value)
        if not isinstance(number, int):
            raise refused(14, f"takes ints and longs, not {type_name(value)}")
        result = combine(result, number)
        long = long or is_long(number)
    return integer(result, long=long)


OPERATORS = (
    Function("$bitAnd", bits_in_all, (0, None)),
    Function("$bitOr", bits_in_any, (0, None)),
    Function("$bitXor", bits_that_differ, (0, None)),
    Function("$bitNot", bits_not_set),
)
