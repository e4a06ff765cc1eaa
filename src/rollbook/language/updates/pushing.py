"""``$push``: insert at a position, then sort, then slice, in this order.

One rule: the order of the modifiers in the request does not matter, and each works on what the one before it left.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from rollbook.documents.editing import value_at
from rollbook.documents.ordering import NULL_KEY, SortKey, sort_key
from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import MISSING, Maybe, Value, is_number, type_name
from rollbook.language.updates.arrays import array_in
from rollbook.language.updates.operators import Edit, Operator, Parsing

Order: TypeAlias = tuple[tuple[Path, bool], ...]


class Push(Struct, frozen=True):
    """``order`` lists paths into the elements and whether they descend; the empty path is the whole element."""

    elements: list[Value]
    position: int | None = None
    order: Order = ()
    slice: int | None = None


def push(operand: Push) -> Edit:
    """Appends the value to an array; ``{"$each": [...]}`` appends several and takes the modifiers below.

    ``$position`` inserts elsewhere (negative: counted from the end), ``$sort`` orders the whole array afterwards (1 or
    -1, or an object of paths), ``$slice`` then keeps the first elements (negative: the last).
    """

    def edit(old: Maybe) -> Maybe:
        array = array_in(old)
        if not operand.elements and not operand.order and operand.slice is None:
            return array if old is MISSING else old
        return sliced(ordered(inserted(array, operand.elements, operand.position), operand.order), operand.slice)

    return edit


def inserted(array: list[Value], elements: Sequence[Value], position: int | None) -> list[Value]:
    """The array with the elements before index ``position``; beyond an end means at that end."""
    if position is None:
        return [*array, *elements]
    return [*array[:position], *elements, *array[position:]]


def ordered(array: list[Value], order: Order) -> list[Value]:
    """The array in the order of several keys. Elements that compare equal keep their order."""
    for path, descending in reversed(order):
        array = sorted(array, key=sorting_by(path), reverse=descending)
    return array


def sorting_by(path: Path) -> Callable[[Value], SortKey]:
    """The key of an element: of what stands at the path, and where nothing does, null."""
    if not path:
        return sort_key
    return lambda element: NULL_KEY if (value := value_at(element, path)) is MISSING else sort_key(value)


def sliced(array: list[Value], size: int | None) -> list[Value]:
    """At most ``size`` elements: the first ones, or the last ones where it is negative."""
    if size is None:
        return array
    return array[:size] if size >= 0 else array[size:]


def parse_push(operand: Value, parsing: Parsing) -> Push:
    """One value, or an object with ``$each`` and other modifiers."""
    if not isinstance(operand, dict) or "$each" not in operand:
        return Push([operand])
    for modifier in operand:
        if modifier not in MODIFIERS:
            known = ", ".join(MODIFIERS)
            raise parsing.refused(2, f"has no modifier {modifier!r} beside '$each'; there are {known}", modifier)
    elements = operand["$each"]
    if not isinstance(elements, list):
        raise parsing.refused(2, f"'$each' takes an array, not a value of type {type_name(elements)}", "$each")
    return Push(
        elements,
        position=_whole_number(operand, "$position", parsing),
        order=parse_order(operand["$sort"], parsing.below("$sort")) if "$sort" in operand else (),
        slice=_whole_number(operand, "$slice", parsing),
    )


def _whole_number(operand: dict[str, Value], modifier: str, parsing: Parsing) -> int | None:
    if modifier not in operand:
        return None
    number = operand[modifier]
    if not is_number(number) or number != int(number):
        raise parsing.refused(2, f"{modifier!r} takes an integer", modifier)
    return int(number)


def parse_order(json: Value, parsing: Parsing) -> Order:
    """1 or -1 for whole elements, or an object of paths with 1 or -1 each."""
    if not isinstance(json, dict):
        return (((), _descends(json, parsing)),)
    if not json:
        raise parsing.refused(2, "'$sort' names no path; use 1 or -1 to sort whole elements")
    if len(json) > SORT_PATHS_MAX:
        raise parsing.refused(13103, f"'$sort' has at most {SORT_PATHS_MAX} paths")
    return tuple((_sort_path(dotted, parsing), _descends(way, parsing.below(dotted))) for dotted, way in json.items())


def _sort_path(dotted: str, parsing: Parsing) -> Path:
    path = parse_path(dotted)
    if "" in path:
        raise parsing.refused(2, f"'$sort' has a path with an empty component: {dotted!r}", dotted)
    return path


def _descends(way: Value, parsing: Parsing) -> bool:
    if not is_number(way) or way not in (1, -1):
        raise parsing.refused(2, "'$sort' takes 1 or -1, or an object of paths with 1 or -1 each")
    return way == -1


SORT_PATHS_MAX = 32

MODIFIERS = ("$each", "$position", "$slice", "$sort")

OPERATORS = (Operator("$push", push, parse=parse_push, stores=True),)
