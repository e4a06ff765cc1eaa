"""JSON values as MongoDB sees them, and the types it gives them.

One rule: a value is what ``orjson.loads`` returns. An integer is an ``int`` while it fits 32 bits, a ``long`` while it
fits 64, a ``double`` beyond; a number with a fraction or an exponent is a ``double``. Booleans are no numbers.
"""

from enum import Enum
from typing import Final, TypeAlias, TypeGuard

Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None
Document: TypeAlias = dict[str, Value]

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Missing(Enum):
    """The type of ``MISSING``: what a path gives where there is no value. Not the same as ``null``."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING

Maybe: TypeAlias = Value | Missing


class Int64(int):
    """An integer that an expression made a ``long`` though it would fit 32 bits (``{"$toLong": 5}``).

    Stored, it is an ordinary JSON number.
    """

    __slots__ = ()


TYPE_NUMBERS = {"double": 1, "string": 2, "object": 3, "array": 4, "bool": 8, "null": 10, "int": 16, "long": 18}
"""MongoDB's number for each type that JSON has."""


def type_name(value: Maybe) -> str:
    """MongoDB's name for the type of ``value``; ``"missing"`` for MISSING."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "string"
        case Int64():
            return "long"
        case int():
            if INT32_MIN <= value <= INT32_MAX:
                return "int"
            return "long" if INT64_MIN <= value <= INT64_MAX else "double"
        case float():
            return "double"
        case dict():
            return "object"
        case list():
            return "array"
    return "missing"


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether ``value`` is a number (a boolean is none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value: object) -> TypeGuard[int]:
    """Whether ``value`` is an ``int`` or a ``long`` (``5`` is, ``5.0`` and ``true`` are not)."""
    return isinstance(value, int) and not isinstance(value, bool)
