"""Conversions between the types that JSON has, each a function of a value that is not null.

One rule: what MongoDB can't convert is refused with its code 241, ConversionFailure; nothing is guessed.
"""

import re
import sys
from math import isfinite, isinf

from rollbook.documents.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, Int64, Maybe, is_number, type_name
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.operators import refused
from rollbook.language.expressions.truth import is_true

CONVERSION_FAILURE = 241

_WHOLE = re.compile(r"[+-]?[0-9]{1,400}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[+-]0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)([pP][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)


def as_int(value: Maybe) -> int:
    """The int of 32 bits; fractions are cut off."""
    return _as_integer(value, "int", INT32_MIN, INT32_MAX)


def as_long(value: Maybe) -> int:
    """The long of 64 bits; fractions are cut off."""
    number = _as_integer(value, "long", INT64_MIN, INT64_MAX)
    return Int64(number) if INT32_MIN <= number <= INT32_MAX else number


def as_double(value: Maybe) -> float:
    """The double."""
    if isinstance(value, bool) or is_number(value):
        return float(value)
    if isinstance(value, str):
        return _parsed_double(value)
    raise impossible(value, "double")


def as_bool(value: Maybe) -> bool:
    """Whether it is no zero and not false: every string, array and object is true."""
    return is_true(value)


def as_string(value: Maybe) -> str:
    """The text of a number or boolean, doubles in as few digits as tell them apart."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if INT64_MIN <= value <= INT64_MAX:
            return str(int(value))
        case int() | float():
            return _text_of_double(float(value))
    raise impossible(value, "string")


def impossible(value: Maybe, target: str) -> ExpressionRefused:
    """The refusal of a conversion between two types."""
    return refused(CONVERSION_FAILURE, f"can't convert from {type_name(value)} to {target}")


def _as_integer(value: Maybe, target: str, least: int, most: int) -> int:
    if isinstance(value, str):
        number: int | float = _parsed_integer(value)
    elif isinstance(value, bool) or is_number(value):
        number = value
    else:
        raise impossible(value, target)
    if not isfinite(number):
        raise refused(CONVERSION_FAILURE, f"can't convert {number} to an integer")
    if not least <= number <= most:
        raise refused(CONVERSION_FAILURE, f"{number} is out of the range of the type {target}")
    return int(number)


def _parsed_integer(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise refused(CONVERSION_FAILURE, f"{_quoted(text)} is no integer")
    return int(text)


def _parsed_double(text: str) -> float:
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    if written := _DECIMAL.fullmatch(text):
        number = float(text)
    elif written := _HEXADECIMAL.fullmatch(text):
        number = _from_hexadecimal(text)
    else:
        raise refused(CONVERSION_FAILURE, f"{_quoted(text)} is no number")
    too_small = abs(number) < sys.float_info.min and written[1].strip("0.")
    if isinf(number) or too_small:
        raise refused(CONVERSION_FAILURE, f"{_quoted(text)} is out of the range of doubles")
    return number


def _from_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return float("inf")


def _text_of_double(number: float) -> str:
    if isfinite(number):
        return repr(number).removesuffix(".0")
    return "NaN" if number != number else ("Infinity" if number > 0 else "-Infinity")


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 100 else f"'{text[:100]}...'"
