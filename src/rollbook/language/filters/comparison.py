"""Comparison: ``$eq $ne $gt $gte $lt $lte $in $nin``.

One rule: only values of one type compare, as MongoDB's type brackets say: numbers with numbers, texts with texts. Null
and missing are one. Tests are specialised by the operand's type, so that the common ones make no sort key.
"""

import operator
from collections.abc import Callable
from typing import Any

from rollbook.documents.ordering import sort_key
from rollbook.documents.values import MISSING, Int64, Maybe, Value
from rollbook.language.filters.nodes import Field, Filter, Not
from rollbook.language.filters.operators import (
    Fault,
    FilterForm,
    Operator,
    Test,
    check_operand,
    described,
    is_operator_object,
)
from rollbook.language.filters.sites import Site

NUMBERS = frozenset({int, float, Int64})


def equal_to(operand: Value) -> Test:
    """Matches values equal to the operand; null also matches where there is no value."""
    if operand is None:
        return is_nothing
    if isinstance(operand, (dict, list)):
        key = sort_key(operand)
        # Python's equality is the quicker and the looser one: it ignores the order of fields and takes true for 1.
        return lambda value: value == operand and sort_key(value) == key
    if isinstance(operand, bool):
        return lambda value: value is operand
    if operand in (0, 1):
        return lambda value: value == operand and value.__class__ is not bool
    return lambda value: value == operand


def is_nothing(value: Maybe) -> bool:
    """Whether there is no value, or null."""
    return value is None or value is MISSING


def greater(operand: Value) -> Test:
    """Matches values of the operand's type that are greater."""
    return _ranging(operand, operator.gt)


def at_least(operand: Value) -> Test:
    """Matches values of the operand's type that are equal to it or greater."""
    return _ranging(operand, operator.ge)


def less(operand: Value) -> Test:
    """Matches values of the operand's type that are less."""
    return _ranging(operand, operator.lt)


def at_most(operand: Value) -> Test:
    """Matches values of the operand's type that are equal to it or less."""
    return _ranging(operand, operator.le)


def _ranging(operand: Value, holds: Callable[[Any, Any], bool]) -> Test:
    if operand is None:
        # Null is neither greater nor less than null, but equal: {"$gte": null} finds null and missing.
        return is_nothing if holds(0, 0) else never
    kind = operand.__class__
    if isinstance(operand, (dict, list)):
        bound = sort_key(operand)
        return lambda value: value.__class__ is kind and holds(sort_key(value), bound)
    if isinstance(operand, (str, bool)):
        return lambda value: value.__class__ is kind and holds(value, operand)
    return lambda value: value.__class__ in NUMBERS and holds(value, operand)


def never(_: Maybe) -> bool:
    """Matches no value."""
    return False


def one_of(operands: list[Value]) -> Test:
    """Matches values equal to any element of the list."""
    kinds = {operand.__class__ for operand in operands}
    if kinds == {str}:
        texts = frozenset(operands)
        return lambda value: value.__class__ is str and value in texts
    if kinds and kinds <= NUMBERS:
        numbers = frozenset(operands)
        return lambda value: value.__class__ in NUMBERS and value in numbers
    keys = frozenset(sort_key(operand) for operand in operands)
    if None in operands:
        keys |= {sort_key(MISSING)}
    return lambda value: sort_key(value) in keys


def not_a_list_of_values(operand: Value) -> Fault | None:
    """``$in`` and ``$nin`` take lists of plain values."""
    if not isinstance(operand, list):
        return Fault(f"takes a list of values; it got {described(operand)}")
    for position, value in enumerate(operand):
        if value.__class__ is dict and is_operator_object(value):
            return Fault(f"takes values, not operators like {described(value)}", key=position)
    return None


def not_equal(operand: Value, site: Site) -> Filter:
    """Matches values that are not equal to the operand, and documents without the field."""
    return Not(Field(site.path, "$eq", operand, at=site.at))


def none_of(operand: Value, site: Site) -> Filter:
    """Matches values equal to no element of the list, and documents without the field."""
    check_operand(operand, "$nin", not_a_list_of_values, site)
    return Not(Field(site.path, "$in", operand, at=site.at))


OPERATORS = (
    Operator("$eq", equal_to),
    Operator("$gt", greater),
    Operator("$gte", at_least),
    Operator("$lt", less),
    Operator("$lte", at_most),
    Operator("$in", one_of, problem_with=not_a_list_of_values),
)

FORMS = (
    FilterForm("$ne", not_equal),
    FilterForm("$nin", none_of),
)
