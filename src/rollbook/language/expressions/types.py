"""Types: ``$type $isNumber``, and ``$toInt $toLong $toDouble $toBool $toString``.

One rule: null and missing stay null; what can't be converted is refused, as by ``$convert`` without ``onError``.
"""

from rollbook.documents.values import Maybe, is_number, type_name
from rollbook.language.expressions.conversions import as_bool, as_double, as_int, as_long, as_string
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Function


def type_of(value: Maybe) -> Maybe:
    """The name of the value's type: double, string, object, array, bool, null, int, long or missing."""
    return type_name(value)


def is_any_number(value: Maybe) -> Maybe:
    """Whether the value is a number of any type."""
    return is_number(value)


def to_int(value: Maybe) -> Maybe:
    """The value as an int: fractions are cut off, strings must be integers."""
    return None if is_null(value) else as_int(value)


def to_long(value: Maybe) -> Maybe:
    """The value as a long: fractions are cut off, strings must be integers."""
    return None if is_null(value) else as_long(value)


def to_double(value: Maybe) -> Maybe:
    """The value as a double: strings must be numbers."""
    return None if is_null(value) else as_double(value)


def to_bool(value: Maybe) -> Maybe:
    """The value as a boolean: zero is false; every string, array and object is true."""
    return None if is_null(value) else as_bool(value)


def to_string(value: Maybe) -> Maybe:
    """The value as text: numbers and booleans as they are written, arrays and objects are refused."""
    return None if is_null(value) else as_string(value)


OPERATORS = (
    Function("$type", type_of),
    Function("$isNumber", is_any_number),
    Function("$toInt", to_int, arity_code=50723),
    Function("$toLong", to_long, arity_code=50723),
    Function("$toDouble", to_double, arity_code=50723),
    Function("$toBool", to_bool, arity_code=50723),
    Function("$toString", to_string, arity_code=50723),
)
