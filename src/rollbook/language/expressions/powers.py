"""Powers and logarithms: ``$pow $sqrt $exp $ln $log $log10``.

One rule: all give doubles, but ``$pow`` of integers, which gives an integer while 64 bits can hold it.
"""

from collections.abc import Callable
from math import exp, inf, log, log10, nan, pow, sqrt

from rollbook.documents.values import INT64_MAX, INT64_MIN, Maybe, type_name
from rollbook.language.expressions.numbers import Number, integer, is_long, is_null, number_of
from rollbook.language.expressions.operators import Function, refused


def power(base: Maybe, exponent: Maybe) -> Maybe:
    """The first number raised to the second."""
    if is_null(base) or is_null(exponent):
        return None
    number, times = number_of(base), number_of(exponent)
    if number is None:
        raise refused(28762, f"takes a number as base, not {type_name(base)}")
    if times is None:
        raise refused(28763, f"takes a number as exponent, not {type_name(exponent)}")
    if number == 0 and times < 0:
        raise refused(28764, "can't raise 0 to a negative exponent")
    if isinstance(number, int) and isinstance(times, int):
        return _whole_power(number, times)
    return _float_power(float(number), float(times))


def _whole_power(base: int, exponent: int) -> Number:
    long = is_long(base) or is_long(exponent)
    if base in (-1, 0, 1):
        return integer(base ** (exponent % 2 or 2) if exponent else 1, long=long)
    if 0 <= exponent <= 63:
        result = base**exponent
        if INT64_MIN <= result <= INT64_MAX:
            return integer(result, long=long)
    return _float_power(float(base), float(exponent))


def _float_power(base: float, exponent: float) -> float:
    try:
        return pow(base, exponent)
    except OverflowError:
        return -inf if base < 0 and exponent % 2 == 1 else inf
    except ValueError:
        return nan


def square_root(value: Maybe) -> Maybe:
    """The square root of a number that is not negative."""
    return _of_double(value, sqrt, lambda number: number >= 0, 28714, "takes no negative number")


def exponential(value: Maybe) -> Maybe:
    """Euler's number raised to the number."""
    return _of_double(value, _exponential, lambda _: True, 28765, "")


def _exponential(number: float) -> float:
    try:
        return exp(number)
    except OverflowError:
        return inf


def natural_logarithm(value: Maybe) -> Maybe:
    """The natural logarithm of a positive number."""
    return _of_double(value, log, lambda number: number > 0, 28766, "takes a positive number")


def decimal_logarithm(value: Maybe) -> Maybe:
    """The logarithm to base 10 of a positive number."""
    return _of_double(value, log10, lambda number: number > 0, 28761, "takes a positive number")


def logarithm(value: Maybe, base: Maybe) -> Maybe:
    """The logarithm of a positive number to a base."""
    if is_null(value) or is_null(base):
        return None
    number, root = number_of(value), number_of(base)
    if number is None:
        raise refused(28756, f"takes a number, not {type_name(value)}")
    if root is None:
        raise refused(28757, f"takes a number as base, not {type_name(base)}")
    if number <= 0:
        raise refused(28758, f"takes a positive number, not {number}")
    if root <= 0 or root == 1:
        raise refused(28759, f"takes a positive base other than 1, not {root}")
    return log(number) / log(root)


def _of_double(
    value: Maybe, function: Callable[[float], float], allowed: Callable[[float], bool], code: int, why: str
) -> Maybe:
    if is_null(value):
        return None
    number = number_of(value)
    if number is None:
        raise refused(28765, f"takes a number, not {type_name(value)}")
    if number != number:
        return nan
    if not allowed(number):
        raise refused(code, f"{why}, not {number}")
    return function(float(number))


OPERATORS = (
    Function("$pow", power, (2, 2)),
    Function("$sqrt", square_root),
    Function("$exp", exponential),
    Function("$ln", natural_logarithm),
    Function("$log10", decimal_logarithm),
    Function("$log", logarithm, (2, 2)),
)
