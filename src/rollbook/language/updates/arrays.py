"""The operators on whole arrays: add unless present, remove an end, remove what equals or meets a condition."""

from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.ordering import SortKey, equal, sort_key
from rollbook.documents.values import MISSING, Maybe, Value, is_number, type_name
from rollbook.language.updates.operators import Edit, Operator, Parsing, refused
from rollbook.language.updates.pulling import compile_selection, parse_selection

Test: TypeAlias = Callable[[Value], bool]


def array_in(old: Maybe, *, mongo_code: int = 2) -> list[Value]:
    """The old value, which has to be an array; a missing one counts as empty."""
    if old is MISSING:
        return []
    if not isinstance(old, list):
        raise refused(mongo_code, f"needs an array, but the document has a value of type {type_name(old)}")
    return old


def add_to_set(elements: list[Value]) -> Edit:
    """Appends the value unless the array holds an equal one; ``{"$each": [...]}`` appends several."""

    def edit(old: Maybe) -> Maybe:
        array = array_in(old)
        added = absent_from(array, elements)
        return [*array, *added] if added or old is MISSING else old

    return edit


def absent_from(array: list[Value], elements: list[Value]) -> list[Value]:
    """Those elements, each once, that the array does not hold."""
    if len(elements) <= FEW:
        added: list[Value] = []
        for element in elements:
            if not holds(array, element) and not holds(added, element):
                added.append(element)
        return added
    keys = {sort_key(element) for element in array}
    new: dict[SortKey, Value] = {}
    for element in elements:
        key = sort_key(element)
        if key not in keys:
            new.setdefault(key, element)
    return list(new.values())


def holds(array: list[Value], element: Value) -> bool:
    """Whether an equal element is there. What is equal in MongoDB is equal in Python, which is quicker to deny."""
    if element not in array:
        return False
    if isinstance(element, (bool, int, float)):  # in Python 1 == True
        is_bool = isinstance(element, bool)
        return any(other == element and isinstance(other, bool) is is_bool for other in array)
    return any(other == element and equal(other, element) for other in array)


def pop(end: int) -> Edit:
    """Removes the last element of an array (1), or the first (-1)."""

    def edit(old: Maybe) -> Maybe:
        array = array_in(old, mongo_code=14)
        if not array:
            return old
        return array[:-1] if end == 1 else array[1:]

    return edit


def pull(matches: Test) -> Edit:
    """Removes every element that equals the value or meets the condition: ``{"$gt": 3}``, ``{"gpu": "A100"}``."""

    def edit(old: Maybe) -> Maybe:
        array = array_in(old)
        kept = [element for element in array if not matches(element)]
        return old if len(kept) == len(array) else kept

    return edit


def pull_all(elements: list[Value]) -> Edit:
    """Removes every element that equals one of the listed values."""
    return pull(membership(elements))


def membership(elements: list[Value]) -> Test:
    """The test whether a value equals one of the elements."""
    if len(elements) <= FEW:
        return lambda value: holds(elements, value)
    keys = {sort_key(element) for element in elements}
    return lambda value: sort_key(value) in keys


def parse_set_elements(operand: Value, parsing: Parsing) -> list[Value]:
    """One value, or the values of ``$each`` where that is the first key: nothing may stand beside it."""
    if not isinstance(operand, dict) or next(iter(operand), None) != "$each":
        return [operand]
    elements = operand["$each"]
    if not isinstance(elements, list):
        raise parsing.refused(14, f"'$each' takes an array, not a value of type {type_name(elements)}", "$each")
    for key in operand:
        if key != "$each":
            raise parsing.refused(2, f"takes nothing beside '$each', but there is {key!r}", key)
    return elements


def parse_end(operand: Value, parsing: Parsing) -> int:
    """1 or -1."""
    if not is_number(operand) or operand not in (1, -1):
        raise parsing.refused(9, "takes 1 (the last element) or -1 (the first)")
    return int(operand)


def parse_elements(operand: Value, parsing: Parsing) -> list[Value]:
    """An array of any values."""
    if not isinstance(operand, list):
        raise parsing.refused(2, f"takes an array of values, not a value of type {type_name(operand)}")
    return operand


FEW = 8
"""Up to this number of values, comparing each is cheaper than a set of their keys."""

OPERATORS = (
    Operator("$addToSet", add_to_set, parse=parse_set_elements, stores=True),
    Operator("$pop", pop, parse=parse_end),
    Operator("$pull", pull, parse=parse_selection, prepare=compile_selection),
    Operator("$pullAll", pull_all, parse=parse_elements),
)
