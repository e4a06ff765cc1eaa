"""Rounding: ``$ceil $floor $round $trunc``.

One rule: a number keeps its type. Places are decimal, and a double is taken with the 34 decimal digits that MongoDB
gives it: ``{"$round": [1.005, 2]}`` is 1.0, for the double 1.005 is a little less than its name.
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from math import ceil, copysign, floor, isfinite

from rollbook.documents.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Maybe, type_name
from rollbook.language.expressions.numbers import Number, integer, is_long, is_null, number_of
from rollbook.language.expressions.operators import Function, refused

_DIGITS = Context(prec=34, Emin=MIN_EMIN, Emax=MAX_EMAX)
_PLACES_MIN, _PLACES_MAX = -20, 100


def rounded_up(value: Maybe) -> Maybe:
    """The smallest integer that is not less than the number."""
    return _whole(value, ceil)


def rounded_down(value: Maybe) -> Maybe:
    """The largest integer that is not greater than the number."""
    return _whole(value, floor)


def rounded(value: Maybe, places: Maybe = 0) -> Maybe:
    """The number rounded to N decimal places, halves to even; negative places round before the point."""
    return _to_places(value, places, ROUND_HALF_EVEN)


def truncated(value: Maybe, places: Maybe = 0) -> Maybe:
    """The number cut off after N decimal places; negative places cut before the point."""
    return _to_places(value, places, ROUND_DOWN)


def _whole(value: Maybe, whole: Callable[[float], int]) -> Maybe:
    if is_null(value):
        return None
    number = number_of(value)
    if number is None:
        raise refused(28765, f"takes a number, not {type_name(value)}")
    if isinstance(number, int) or not isfinite(number):
        return number
    return copysign(float(whole(number)), number)


def _to_places(value: Maybe, places: Maybe, rounding: str) -> Maybe:
    if is_null(value):
        return None
    number = number_of(value)
    if number is None:
        raise refused(51081, f"takes a number, not {type_name(value)}")
    if is_null(places):
        return None
    return _quantized(number, _checked_places(places), rounding)


def _checked_places(value: Maybe) -> int:
    places = number_of(value)
    if places is None:
        raise refused(16004, f"takes a number of places, not {type_name(value)}")
    if not INT32_MIN <= places <= INT32_MAX or places != int(places):
        raise refused(51082, f"takes an integer of places, not {places}")
    if not _PLACES_MIN <= places <= _PLACES_MAX:
        raise refused(51083, f"takes between {_PLACES_MIN} and {_PLACES_MAX} places, not {int(places)}")
    return int(places)


def _quantized(number: Number, places: int, rounding: str) -> Number:
    quantum = Decimal(1).scaleb(-places)
    if isinstance(number, int):
        return number if places >= 0 else _quantized_integer(number, quantum, rounding)
    if not isfinite(number):
        return number
    try:
        return float(_DIGITS.create_decimal_from_float(number).quantize(quantum, rounding, _DIGITS))
    except InvalidOperation:
        return number


def _quantized_integer(number: int, quantum: Decimal, rounding: str) -> Number:
    result = int(Decimal(number).quantize(quantum, rounding, _DIGITS))
    if not INT64_MIN <= result <= INT64_MAX:
        raise refused(51080, f"the result {result} is too large for a long")
    return integer(result, long=is_long(number))


OPERATORS = (
    Function("$ceil", rounded_up),
    Function("$floor", rounded_down),
    Function("$round", rounded, (1, 2)),
    Function("$trunc", truncated, (1, 2)),
)
