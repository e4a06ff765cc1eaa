"""The operators on numbers: add and multiply.

One rule: an integer stays one. Two ints or longs make an int or long, and what leaves 64 bits is refused; with a double
on either side the result is a double. An integer beyond 64 bits is a double, as ``type_name`` says.
"""

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.values import INT64_MAX, INT64_MIN, MISSING, Maybe, Value, is_number, type_name
from rollbook.language.updates.operators import Edit, Operator, Parsing, refused

Number: TypeAlias = int | float


def increment(amount: Number) -> Edit:
    """Adds the number to the field, which is set to it where it is missing; a negative number subtracts."""
    return arithmetic(operator.add, amount, start=amount)


def multiply(factor: Number) -> Edit:
    """Multiplies the field by the number; a missing field becomes zero."""
    return arithmetic(operator.mul, factor, start=0.0 if type_name(factor) == "double" else 0)


def arithmetic(calculate: Callable[[Number, Number], Number], operand: Number, *, start: Number) -> Edit:
    """The edit that calculates with the old value and the operand; ``start`` is the result where there is no value."""
    is_double = type_name(operand) == "double"

    def edit(old: Maybe) -> Maybe:
        if old is MISSING:
            return start
        if not is_number(old):
            raise refused(14, f"needs a number, but the document has a value of type {type_name(old)}")
        if is_double or type_name(old) == "double":
            return finite(calculate(float(old), float(operand)))
        return within_64_bits(int(calculate(old, operand)))

    return edit


def within_64_bits(result: int) -> int:
    """The result, if it is a long at most."""
    if not INT64_MIN <= result <= INT64_MAX:
        raise refused(2, "the result is no 64-bit integer; use a number with a fraction to calculate in doubles")
    return result


def finite(result: float) -> float:
    """The result, if JSON can hold it."""
    if not math.isfinite(result):
        raise refused(2, "the result is too large for a double")
    return result


def parse_number(operand: Value, parsing: Parsing) -> Number:
    """Any number."""
    if not is_number(operand):
        raise parsing.refused(14, f"takes a number, not a value of type {type_name(operand)}")
    return operand


OPERATORS = (
    Operator("$inc", increment, parse=parse_number),
    Operator("$mul", multiply, parse=parse_number),
)
