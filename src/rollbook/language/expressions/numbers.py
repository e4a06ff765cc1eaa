"""Numbers as MongoDB types them: ``int`` of 32 bits, ``long`` of 64, ``double``; and how results find their type.

One rule: a result is as wide as its widest operand. Two ints may make a long where an int can't hold the result; an
integer that a long can't hold becomes a double.
"""

from rollbook.documents.values import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, MISSING, Int64, Maybe

Number = int | float


def is_null(value: Maybe) -> bool:
    """Whether the value is null or missing: what makes most operators give null."""
    return value is None or value is MISSING


def number_of(value: Maybe) -> Number | None:
    """The number that ``value`` is, a ``float`` where MongoDB has a double; None when it is no number."""
    if type(value) is float:
        return value
    if type(value) is int or type(value) is Int64:
        return value if INT64_MIN <= value <= INT64_MAX else float(value)
    return None


def is_long(value: int) -> bool:
    """Whether the integer is a ``long``."""
    return isinstance(value, Int64) or not INT32_MIN <= value <= INT32_MAX


def integer(value: int, *, long: bool) -> Number:
    """The result ``value`` of integer operands: an int, a ``long`` when an operand was one, a double beyond 64 bits."""
    if INT32_MIN <= value <= INT32_MAX:
        return Int64(value) if long else int(value)
    return int(value) if INT64_MIN <= value <= INT64_MAX else float(value)
