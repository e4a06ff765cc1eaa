"""Operators that see arrays as sets: order and repetition don't count.

One rule: elements are equal as values are (``1`` equals ``1.0``, ``true`` is no number), and a nested array is an
element like any other.
"""

from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.ordering import SortKey, sort_key
from rollbook.documents.values import Maybe, Value, type_name
from rollbook.language.expressions.growth import make_elements, walk
from rollbook.language.expressions.nodes import Constant, Expression
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Compiling, Function, Parsing, SpecialForm, refused
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.language.expressions.truth import is_true
from rollbook.limits import RequestBudget

Elements: TypeAlias = dict[SortKey, Value]


def union(work: RequestBudget, *arrays: Maybe) -> Maybe:
    """The elements that are in any of the arrays; null as soon as one of them is null or missing."""
    united: Elements = {}
    for array in arrays:
        if is_null(array):
            return None
        for key, element in _elements(work, array, 17043).items():
            united.setdefault(key, element)
        make_elements(work, len(united))
    return _in_order(united)


def intersection(work: RequestBudget, *arrays: Maybe) -> Maybe:
    """The elements that are in all of the arrays; null as soon as one of them is null or missing."""
    common: Elements | None = None
    for array in arrays:
        if is_null(array):
            return None
        elements = _elements(work, array, 17047)
        make_elements(work, len(elements))
        common = elements if common is None else {key: common[key] for key in common if key in elements}
    return _in_order(common or {})


def _in_order(elements: Elements) -> list[Value]:
    return [elements[key] for key in sorted(elements)]


def difference(work: RequestBudget, array: Maybe, without: Maybe) -> Maybe:
    """The elements of an array that are not in another, in their order; null when either is null or missing."""
    if is_null(array) or is_null(without):
        return None
    elements, removed = _elements(work, array, 17048), _elements(work, without, 17049)
    make_elements(work, len(elements))
    return [element for key, element in elements.items() if key not in removed]


def is_any_true(work: RequestBudget, array: Maybe) -> Maybe:
    """Whether any element of an array counts as true."""
    return any(map(is_true, _counted(work, array, 17041)))


def are_all_true(work: RequestBudget, array: Maybe) -> Maybe:
    """Whether every element of an array counts as true."""
    return all(map(is_true, _counted(work, array, 17040)))


def _counted(work: RequestBudget, value: Maybe, code: int) -> list[Value]:
    array = _array(value, code)
    work.spend(1 + len(array))
    return array


def parse_arrays(json: Value, parsing: Parsing) -> list[Expression]:
    """The arguments of ``$setEquals``: two or more."""
    arguments = _arguments(json, parsing)
    if len(arguments) < 2:
        raise parsing.refused(17045, f"takes 2 or more arguments, not {len(arguments)}")
    return arguments


def parse_pair(json: Value, parsing: Parsing) -> list[Expression]:
    """The arguments of ``$setIsSubset``: two."""
    arguments = _arguments(json, parsing)
    if len(arguments) != 2:
        raise parsing.refused(16020, f"takes 2 arguments, not {len(arguments)}")
    return arguments


def _arguments(json: Value, parsing: Parsing) -> list[Expression]:
    written = json if isinstance(json, list) else [json]
    return [parsing.child(argument, place) for place, argument in enumerate(written)]


def compile_equality(arguments: list[Expression], compiling: Compiling) -> Evaluate:
    """Whether all of the arrays have the same elements."""
    first_in, *others_in = [_compile_elements(argument, compiling, 17044, 5887502) for argument in arguments]

    def are_equal(scope: Scope) -> Maybe:
        first = first_in(scope).keys()
        return all(first == other_in(scope).keys() for other_in in others_in)

    return are_equal


def compile_inclusion(arguments: list[Expression], compiling: Compiling) -> Evaluate:
    """Whether every element of an array is in another."""
    part, whole = map(compiling.folded, arguments)
    part_in = _compile_elements(part, compiling, 17046, 17046)
    whole_in = _compile_elements(whole, compiling, 17042, 17042 if isinstance(part, Constant) else 17311)
    return lambda scope: part_in(scope).keys() <= whole_in(scope).keys()


def _compile_elements(
    argument: Expression, compiling: Compiling, code: int, constant_code: int
) -> Callable[[Scope], Elements]:
    """The function that gives the elements; what is constant is looked at once, and refused with a code of its own."""
    folded = compiling.folded(argument)
    if isinstance(folded, Constant):
        elements = _elements(compiling.work, folded.value, constant_code)
        return lambda scope: elements
    array_in, work = compiling.child(folded), compiling.work
    return lambda scope: _elements(work, array_in(scope), code)


def _elements(work: RequestBudget, value: Maybe, code: int) -> Elements:
    elements: Elements = {}
    array = _array(value, code)
    walk(work, array)
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
    SpecialForm("$setEquals", parse_arrays, compile_equality),
    SpecialForm("$setIsSubset", parse_pair, compile_inclusion),
    Function("$anyElementTrue", is_any_true, spends=True),
    Function("$allElementsTrue", are_all_true, spends=True),
)
