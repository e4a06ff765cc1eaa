"""The condition of ``$pull``: which elements of an array go.

One rule: a plain object is a filter on the elements that are objects; an object of operators is a condition on each
element itself; any other value takes the elements equal to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, assert_never

from msgspec import Struct

from rollbook.documents.ordering import equal
from rollbook.documents.values import Value
from rollbook.errors import FilterRefused, UpdateRefused
from rollbook.language.filters import Filter, compile_condition, compile_filter, parse_condition, parse_filter
from rollbook.language.updates.operators import Occasion, Parsing


class EqualTo(Struct, frozen=True):
    """Elements equal to the value."""

    value: Value


class Matching(Struct, frozen=True):
    """Elements that are objects and match the filter."""

    filter: Filter


class Meeting(Struct, frozen=True):
    """Elements of any type that meet the condition."""

    condition: Filter


Selection: TypeAlias = EqualTo | Matching | Meeting


def parse_selection(operand: Value, parsing: Parsing) -> Selection:
    """The selection that a value, a filter or an object of operators states."""
    if not isinstance(operand, dict):
        return EqualTo(operand)
    first = next(iter(operand), "")
    with as_update_refusal():
        if first.startswith("$") and first not in OPERATORS_OF_WHOLE_FILTERS:
            return Meeting(parse_condition(operand, at=parsing.at, limits=parsing.limits))
        return Matching(parse_filter(operand, at=parsing.at, limits=parsing.limits))


def compile_selection(selection: Selection, occasion: Occasion) -> Callable[[Value], bool]:
    """The function that decides whether an element goes."""
    match selection:
        case EqualTo(value):
            return lambda element: equal(element, value)
        case Matching(filter):
            matches = compile_filter(filter, work=occasion.work)
            return lambda element: isinstance(element, dict) and matches(element)
        case Meeting(filter):
            return compile_condition(filter, work=occasion.work)
        case _:
            assert_never(selection)


@contextmanager
def as_update_refusal() -> Iterator[None]:
    """A filter that is refused inside an update is a refusal of the update."""
    try:
        yield
    except FilterRefused as refused:
        raise UpdateRefused(refused.message, at=refused.at, mongo_code=refused.mongo_code) from None


OPERATORS_OF_WHOLE_FILTERS = frozenset({"$and", "$or", "$nor", "$expr", "$jsonSchema", "$comment", "$where", "$text"})
"""What starts a filter on elements. All others start a condition on an element, and ``$not`` too, unlike in MongoDB."""
