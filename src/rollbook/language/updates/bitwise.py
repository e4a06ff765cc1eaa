"""The operator on the bits of integers."""

import operator
from typing import TypeAlias

from rollbook.documents.values import MISSING, Maybe, Value, type_name
from rollbook.language.updates.operators import Edit, Operator, Parsing, refused

Steps: TypeAlias = tuple[tuple[str, int], ...]


def change_bits(steps: Steps) -> Edit:
    """Changes the bits of an integer: ``{"and": number}``, ``{"or": number}``, ``{"xor": number}``, one or more.

    A missing field counts as 0. Numbers are in two's complement.
    """

    def edit(old: Maybe) -> Maybe:
        if old is not MISSING and not is_64_bit_integer(old):
            raise refused(2, f"needs an integer, but the document has a value of type {type_name(old)}")
        result = old if isinstance(old, int) else 0
        for name, operand in steps:
            result = CALCULATIONS[name](result, operand)
        return result

    return edit


def parse_steps(operand: Value, parsing: Parsing) -> Steps:
    """The calculations of an object, in its order: at least one, of known names, with integers."""
    if not isinstance(operand, dict) or not operand:
        raise parsing.refused(2, "takes an object of calculations: {'and': 5}, {'or': 5} or {'xor': 5}")
    return tuple(_step(name, number, parsing) for name, number in operand.items())


def _step(name: str, number: Value, parsing: Parsing) -> tuple[str, int]:
    if name not in CALCULATIONS:
        raise parsing.refused(2, f"knows 'and', 'or' and 'xor', not {name!r}", name)
    if not isinstance(number, int) or not is_64_bit_integer(number):
        raise parsing.refused(2, f"calculates with an integer, not with a value of type {type_name(number)}", name)
    return name, number


def is_64_bit_integer(value: Maybe) -> bool:
    """Whether the value is an int or a long."""
    return type_name(value) in ("int", "long")


CALCULATIONS = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}

OPERATORS = (Operator("$bit", change_bits, parse=parse_steps),)
