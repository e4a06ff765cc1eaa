"""Arithmetic: ``$add $subtract $multiply $divide $mod $abs``.

One rule: null or missing among the operands makes null; anything else that is no number is refused. A sum or product
that a long can't hold is a double from there on, whatever follows.
"""

from math import fmod, isinf, nan

from rollbook.documents.values import INT64_MAX, INT64_MIN, Maybe, type_name
from rollbook.language.expressions.numbers import Number, integer, is_long, is_null, number_of
from rollbook.language.expressions.operators import Function, refused


def added(*values: Maybe) -> Maybe:
    """The sum of the numbers."""
    total: Number = 0
    long = False
    for value in values:
        if is_null(value):
            return None
        number = _operand(value)
        if isinstance(number, int):
            long = long or is_long(number)
        total = total + number
        if isinstance(total, int) and not INT64_MIN <= total <= INT64_MAX:
            total = float(total - number) + number
    return integer(total, long=long) if isinstance(total, int) else total


def multiplied(*values: Maybe) -> Maybe:
    """The product of the numbers."""
    whole: int | None = 1
    product = 1.0
    long = False
    for value in values:
        if is_null(value):
            return None
        number = _operand(value)
        product *= number
        if whole is not None and isinstance(number, int):
            long = long or is_long(number)
            whole *= number
            whole = whole if INT64_MIN <= whole <= INT64_MAX else None
        else:
            whole = None
    return product if whole is None else integer(whole, long=long)


def subtracted(left: Maybe, right: Maybe) -> Maybe:
    """The first number minus the second."""
    if is_null(left) or is_null(right):
        return None
    minuend, subtrahend = _operand(left), _operand(right)
    if isinstance(minuend, int) and isinstance(subtrahend, int):
        return integer(minuend - subtrahend, long=is_long(minuend) or is_long(subtrahend))
    return minuend - subtrahend


def divided(left: Maybe, right: Maybe) -> Maybe:
    """The first number divided by the second, a double; zero as the second is refused."""
    if is_null(left) or is_null(right):
        return None
    dividend, divisor = _operand(left), _operand(right)
    if divisor == 0:
        raise refused(2, "can't divide by zero")
    return float(dividend) / float(divisor)


def remainder(left: Maybe, right: Maybe) -> Maybe:
    """The remainder of the first number divided by the second; it has the sign of the first."""
    if is_null(left) or is_null(right):
        return None
    dividend, divisor = number_of(left), number_of(right)
    if dividend is None or divisor is None:
        raise refused(16611, f"takes two numbers, not {type_name(left)} and {type_name(right)}")
    if divisor == 0:
        raise refused(16610, "can't divide by zero")
    if isinstance(dividend, int) and isinstance(divisor, int):
        rest = abs(dividend) % abs(divisor)
        return integer(-rest if dividend < 0 else rest, long=is_long(dividend) or is_long(divisor))
    return nan if isinf(dividend) else fmod(dividend, divisor)


def magnitude(value: Maybe) -> Maybe:
    """The absolute value of the number."""
    if is_null(value):
        return None
    number = number_of(value)
    if number is None:
        raise refused(28765, f"takes a number, not {type_name(value)}")
    if not isinstance(number, int):
        return abs(number)
    if number == INT64_MIN:
        raise refused(28680, "the smallest long has no absolute value")
    return integer(abs(number), long=is_long(number))


def _operand(value: Maybe) -> Number:
    number = number_of(value)
    if number is None:
        raise refused(14, f"takes numbers, not {type_name(value)}")
    return number


OPERATORS = (
    Function("$add", added, (0, None)),
    Function("$multiply", multiplied, (0, None)),
    Function("$subtract", subtracted, (2, 2)),
    Function("$divide", divided, (2, 2)),
    Function("$mod", remainder, (2, 2)),
    Function("$abs", magnitude),
)
