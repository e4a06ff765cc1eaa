"""Arguments that must be whole numbers: indexes, counts, steps.

One rule: MongoDB tells apart what is no number and what is a number but not a whole one of 32 bits, and gives each
argument two codes of its own. ``2.0`` is as whole as ``2``.
"""

from rollbook.documents.values import INT32_MAX, INT32_MIN, Maybe, is_number, type_name
from rollbook.language.expressions.operators import refused


def whole_number(value: Maybe, what: str, *, not_a_number: int, not_whole: int) -> int:
    """The integer of 32 bits that ``value`` is; else refuses with the code for what is wrong. ``what`` names it."""
    if not is_number(value):
        raise refused(not_a_number, f"needs a number as {what}, not {type_name(value)}")
    if not INT32_MIN <= value <= INT32_MAX or value != int(value):
        raise refused(not_whole, f"needs a whole number of 32 bits as {what}, not {value}")
    return int(value)
