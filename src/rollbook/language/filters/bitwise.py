"""Bits: ``$bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear``.

One rule: a number is its 64 bits in two's complement, so that a negative number has its sign at every higher position.
Fractions and what 64 bits can't hold match nothing.
"""

from collections.abc import Callable
from typing import Any

from rollbook.documents.values import INT32_MAX, INT64_MAX, INT64_MIN, Value, is_number
from rollbook.language.filters.comparison import NUMBERS
from rollbook.language.filters.operators import Fault, Operator, Test, described
from rollbook.language.filters.sites import FAILED_TO_PARSE

SIGN_POSITION = 63


def all_set(operand: Value) -> Test:
    """Matches integers in which every bit of the mask, or at the positions, is 1."""
    mask = mask_of(operand)
    return _testing(lambda bits: bits & mask == mask)


def all_clear(operand: Value) -> Test:
    """Matches integers in which every bit of the mask, or at the positions, is 0."""
    mask = mask_of(operand)
    return _testing(lambda bits: bits & mask == 0)


def any_set(operand: Value) -> Test:
    """Matches integers in which some bit of the mask, or at the positions, is 1."""
    mask = mask_of(operand)
    return _testing(lambda bits: bits & mask != 0)


def any_clear(operand: Value) -> Test:
    """Matches integers in which some bit of the mask, or at the positions, is 0."""
    mask = mask_of(operand)
    return _testing(lambda bits: bits & mask != mask)


def _testing(holds: Callable[[int], bool]) -> Test:
    def test(value: Any) -> bool:
        if value.__class__ not in NUMBERS:
            return False
        bits = whole_number(value)
        return bits is not None and holds(bits)

    return test


def whole_number(value: object) -> int | None:
    """The number when it is whole and fits 64 bits."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and INT64_MIN <= value <= INT64_MAX else None


def mask_of(operand: Value) -> int:
    """The bits that a faultless operand names. Positions beyond 63 are the sign's."""
    if not isinstance(operand, list):
        return whole_number(operand) or 0
    mask = 0
    for position in operand:
        mask |= 1 << min(whole_number(position) or 0, SIGN_POSITION)
    return mask


def not_bits(operand: Value) -> Fault | None:
    """A mask of bits is an integer that is not negative, or a list of positions."""
    if isinstance(operand, list):
        return next((fault for index, at in enumerate(operand) if (fault := _not_a_position(at, index))), None)
    if not is_number(operand):
        return Fault(f"takes a number or a list of positions; it got {described(operand)}")
    mask = whole_number(operand)
    if mask is None or mask < 0:
        return Fault(f"takes an integer of 64 bits that is not negative; it got {operand}", FAILED_TO_PARSE)
    return None


def _not_a_position(position: Value, index: int) -> Fault | None:
    number = whole_number(position) if is_number(position) else None
    if number is None or not 0 <= number <= INT32_MAX:
        return Fault(f"takes positions, which are integers from 0; it got {described(position)}", key=index)
    return None


OPERATORS = (
    Operator("$bitsAllSet", all_set, problem_with=not_bits),
    Operator("$bitsAllClear", all_clear, problem_with=not_bits),
    Operator("$bitsAnySet", any_set, problem_with=not_bits),
    Operator("$bitsAnyClear", any_clear, problem_with=not_bits),
)
