"""Operators that see arrays as sets: order and repetition don't count.

One rule: elements are equal as values are (``1`` equals ``1.0``, ``true`` is no number), and a nested array is an
element like any other. A result has each element once, in the order in which they first stand in the arguments.
"""

from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.ordering import SortKey, sort_key
from rollbook.documents.values import MISSING, Maybe, Value, type_name
from rollbook.language.expressions.constants import is_constant
from rollbook.language.expressions.growth import check_size, make_elements
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.operators import Compiling, Form, Function, Parsing, refused
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.truth import is_true
from rollbook.limits import Work

Elements: TypeAlias = dict[SortKey, Value]


def union(work: Work, *arrays: Maybe) -> Maybe:
    """Gives the elements that are in any of the arrays; null as soon as one of them is null or missing."""
    united: Elements = {}
    for array in arrays:
        if array is None or array is MISSING:
            return None
        for key, element in _elements(array, 17043).items():
            united.setdefault(key, element)
        make_elements(work, len(united))
    return list(united.values())


def intersection(work: Work, *arrays: Maybe) -> Maybe:
    """Gives the elements that are in all of the arrays; null as soon as one of them is null or missing."""
    common: Elements | None = None
    for array in arrays:
        if array is None or array is MISSING:
            return None
        elements = _elements(array, 17047)
        common = elements if common is None else {key: common[key] for key in common if key in elements}
        make_elements(work, len(elements))
        if not common:
            break
    return list(common.values()) if common else []


def difference(work: Work, array: Maybe, without: Maybe) -> Maybe:
    """Gives the elements of an array that are not in another; null when either is null or missing."""
    if array is None or array is MISSING or without is None or without is MISSING:
        return None
    elements, removed = _elements(array, 17048), _elements(without, 17049)
    make_elements(work, len(elements))
    return [element for key, element in elements.items() if key not in removed]


def is_subset(array: Maybe, of: Maybe) -> Maybe:
    """Says whether every element of an array is in another."""
    return _elements(array, 17046).keys() <= _elements(of, 17042).keys()


def is_any_true(array: Maybe) -> Maybe:
    """Says whether any element of an array counts as true."""
    return any(map(is_true, _array(array, 17041)))


def are_all_true(array: Maybe) -> Maybe:
    """Says whether every element of an array counts as true."""
    return all(map(is_true, _array(array, 17040)))


def parse_equality(json: Value, parsing: Parsing) -> list[Expression]:
    written = json if isinstance(json, list) else [json]
    if len(written) < 2:
        raise parsing.refused(17045, f"takes 2 or more arguments, not {len(written)}")
    return [parsing.child(argument, place) for place, argument in enumerate(written)]


def compile_equality(arguments: list[Expression], compiling: Compiling) -> Evaluate:
    """Says whether arrays have the same elements."""
    first_in, *others_in = [_compile_elements(argument, compiling) for argument in arguments]

    def are_equal(scope: Scope) -> Maybe:
        first = first_in(scope).keys()
        return all(first == other_in(scope).keys() for other_in in others_in)

    return are_equal


def _compile_elements(argument: Expression, compiling: Compiling) -> Callable[[Scope], Elements]:
    evaluate = compiling.child(argument)
    if is_constant(argument):
        elements = _elements(evaluate({}), 5887502)
        return lambda scope: elements
    return lambda scope: _elements(evaluate(scope), 17044)


def _elements(value: Maybe, code: int) -> Elements:
    elements: Elements = {}
    array = _array(value, code)
    check_size(array)
    for element in array:
        elements.setdefault(sort_key(element), element)
    return elements


def _array(value: Maybe, code: int) -> list[Value]:
    if not isinstance(value, list):
        raise refused(code, f"needs arrays, not {type_name(value)}")
    return value


OPERATORS = (
    Function("$setUnion", union, (0, None), spends=True),
    Function("$setIntersection", intersection, (0, None), spends=True),
    Function("$setDifference", difference, (2, 2), spends=True),
    Form("$setEquals", parse_equality, compile_equality),
    Function("$setIsSubset", is_subset, (2, 2)),
    Function("$anyElementTrue", is_any_true),
    Function("$allElementsTrue", are_all_true),
)
