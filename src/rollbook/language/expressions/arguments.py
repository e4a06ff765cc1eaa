"""What an operator asks of an argument: text, an array, an integer; and the refusal of anything else.

One rule: null and missing are one here, and give None where an operator gives null for them.
"""

from rollbook.documents.values import INT32_MAX, INT32_MIN, MISSING, Maybe, Value, is_number, type_name
from rollbook.language.expressions.operators import refused


def text_or_null(value: Maybe, what: str, code: int) -> str | None:
    """The string that ``value`` is, None for null; refuses anything else with ``code``. ``what`` names the argument."""
    if isinstance(value, str):
        return value
    if value is None or value is MISSING:
        return None
    raise refused(code, f"needs a string as {what}, not {type_name(value)}")


def array_or_null(value: Maybe, code: int) -> list[Value] | None:
    """The array that ``value`` is, None for null; refuses anything else with ``code``."""
    if isinstance(value, list):
        return value
    if value is None or value is MISSING:
        return None
    raise refused(code, f"needs an array, not {type_name(value)}")


def whole_number(value: Maybe, what: str, *, not_a_number: int, not_whole: int) -> int:
    """The integer of 32 bits that ``value`` is; ``2.0`` is as whole as ``2``. ``what`` names the argument.

    MongoDB distinguishes what is no number from what is a number but no such integer, and has a code for each.
    """
    if not is_number(value):
        raise refused(not_a_number, f"needs a number as {what}, not {type_name(value)}")
    if not INT32_MIN <= value <= INT32_MAX or value != int(value):
        raise refused(not_whole, f"needs an integer of 32 bits as {what}, not {value}")
    return int(value)
