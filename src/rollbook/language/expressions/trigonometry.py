"""Trigonometry: angles are in radians and results are doubles.

One rule: null and missing make null, NaN makes NaN, and a number outside the function's domain is refused.
"""

import math
import sys
from collections.abc import Callable
from math import inf

from rollbook.documents.values import Maybe, type_name
from rollbook.language.expressions.numbers import is_null, number_of
from rollbook.language.expressions.operators import Function, refused

_LARGEST = sys.float_info.max


def sine(angle: Maybe) -> Maybe:
    """The sine of an angle in radians."""
    return _applied(math.sin, angle, -_LARGEST, _LARGEST)


def cosine(angle: Maybe) -> Maybe:
    """The cosine of an angle in radians."""
    return _applied(math.cos, angle, -_LARGEST, _LARGEST)


def tangent(angle: Maybe) -> Maybe:
    """The tangent of an angle in radians."""
    return _applied(math.tan, angle, -_LARGEST, _LARGEST)


def inverse_sine(value: Maybe) -> Maybe:
    """The angle in radians whose sine is a number between -1 and 1."""
    return _applied(math.asin, value, -1, 1)


def inverse_cosine(value: Maybe) -> Maybe:
    """The angle in radians whose cosine is a number between -1 and 1."""
    return _applied(math.acos, value, -1, 1)


def inverse_tangent(value: Maybe) -> Maybe:
    """The angle in radians whose tangent is the number."""
    return _applied(math.atan, value)


def hyperbolic_sine(value: Maybe) -> Maybe:
    """The hyperbolic sine of the number."""
    return _applied(math.sinh, value)


def hyperbolic_cosine(value: Maybe) -> Maybe:
    """The hyperbolic cosine of the number."""
    return _applied(math.cosh, value)


def hyperbolic_tangent(value: Maybe) -> Maybe:
    """The hyperbolic tangent of the number."""
    return _applied(math.tanh, value)


def inverse_hyperbolic_sine(value: Maybe) -> Maybe:
    """The number whose hyperbolic sine is the number."""
    return _applied(math.asinh, value)


def inverse_hyperbolic_cosine(value: Maybe) -> Maybe:
    """The number whose hyperbolic cosine is a number of at least 1."""
    return _applied(math.acosh, value, 1)


def inverse_hyperbolic_tangent(value: Maybe) -> Maybe:
    """The number whose hyperbolic tangent is a number between -1 and 1."""
    return _applied(math.atanh, value, -1, 1)


def to_radians(angle: Maybe) -> Maybe:
    """The angle in radians of an angle in degrees."""
    return _applied(math.radians, angle)


def to_degrees(angle: Maybe) -> Maybe:
    """The angle in degrees of an angle in radians."""
    return _applied(math.degrees, angle)


def inverse_tangent_of_two(ordinate: Maybe, abscissa: Maybe) -> Maybe:
    """The angle in radians between the x axis and the point (second, first)."""
    if is_null(ordinate) or is_null(abscissa):
        return None
    y, x = number_of(ordinate), number_of(abscissa)
    if y is None:
        raise refused(51044, f"takes two numbers, not {type_name(ordinate)}")
    if x is None:
        raise refused(51045, f"takes two numbers, not {type_name(abscissa)}")
    return math.atan2(y, x)


def _applied(function: Callable[[float], float], value: Maybe, least: float = -inf, most: float = inf) -> Maybe:
    """``function`` of a number from ``least`` to ``most``."""
    if is_null(value):
        return None
    number = number_of(value)
    if number is None:
        raise refused(28765, f"takes a number, not {type_name(value)}")
    if number != number:
        return math.nan
    if not least <= number <= most:
        raise refused(50989, f"takes a number from {least} to {most}, not {number}")
    try:
        return function(float(number))
    except (OverflowError, ValueError):
        # Where the C library gives an infinity, at the ends of atanh's domain and far out on sinh and cosh.
        return inf if number > 0 or function is math.cosh else -inf


OPERATORS = (
    Function("$sin", sine),
    Function("$cos", cosine),
    Function("$tan", tangent),
    Function("$asin", inverse_sine),
    Function("$acos", inverse_cosine),
    Function("$atan", inverse_tangent),
    Function("$atan2", inverse_tangent_of_two, (2, 2)),
    Function("$sinh", hyperbolic_sine),
    Function("$cosh", hyperbolic_cosine),
    Function("$tanh", hyperbolic_tangent),
    Function("$asinh", inverse_hyperbolic_sine),
    Function("$acosh", inverse_hyperbolic_cosine),
    Function("$atanh", inverse_hyperbolic_tangent),
    Function("$degreesToRadians", to_radians),
    Function("$radiansToDegrees", to_degrees),
)
