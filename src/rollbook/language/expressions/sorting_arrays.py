"""``$sortArray``: the elements of an array in order, by their values or by fields of theirs.

One rule: unlike a sort of documents, no array is looked into: what stands at a path is compared as a whole.
"""

from typing import TypeAlias

from msgspec import Struct

from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path, array_index, parse_path
from rollbook.documents.values import Maybe, Value, is_number, type_name
from rollbook.language.expressions.arguments import array_or_null
from rollbook.language.expressions.growth import make_elements, walk
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.operators import Argument, Compiling, Parsing, Signature, SpecialForm
from rollbook.language.expressions.scopes import Evaluate, Scope
from rollbook.limits import RequestBudget

_SORT = Signature((Argument("input", absent=2942502), Argument("sortBy", absent=2942503)), 2942500, 2942501)

ByFields: TypeAlias = tuple[tuple[Path, bool], ...]


class Sorting(Struct, frozen=True):
    """An array and its order: whether by descending values, or by paths, each with whether it descends."""

    input: Expression
    by: bool | ByFields


def parse_sort(json: Value, parsing: Parsing) -> Sorting:
    """The array and its order, which is no expression."""
    members = _SORT.members_of(json, parsing)
    return Sorting(parsing.child(members["input"], "input"), _order(members["sortBy"], parsing))


def _order(json: Value, parsing: Parsing) -> bool | ByFields:
    if is_number(json):
        if json not in (1, -1):
            raise parsing.refused(2942506, "needs 1 or -1 as sortBy, or an object of fields", "sortBy")
        return json == -1
    if not isinstance(json, dict):
        raise parsing.refused(2942507, f"needs 1, -1 or an object of fields as sortBy, not {type_name(json)}", "sortBy")
    if not json:
        raise parsing.refused(2942505, "needs at least one field in sortBy", "sortBy")
    return tuple([_by_field(name, direction, parsing) for name, direction in json.items()])


def _by_field(name: str, direction: Value, parsing: Parsing) -> tuple[Path, bool]:
    path = parse_path(name)
    if not is_number(direction) or direction not in (1, -1):
        raise parsing.refused(2942505, "sorts a field by 1 or -1", "sortBy", name)
    if "" in path:
        raise parsing.refused(2942505, f"sorts by fields whose names are not empty, unlike in '{name}'", "sortBy", name)
    return path, direction == -1


def compile_sort(form: Sorting, compiling: Compiling) -> Evaluate:
    """The elements of an array in order, by their values or by fields; null for null or missing."""
    input_in, by, work = compiling.child(form.input), form.by, compiling.work

    def sorted_array(scope: Scope) -> Maybe:
        array = array_or_null(input_in(scope), 2942504)
        if array is None:
            return None
        make_elements(work, len(array))
        if isinstance(by, bool):
            return _ordered(work, array, array, is_descending=by)
        for path, is_descending in reversed(by):
            array = _ordered(work, array, [_at(path, element) for element in array], is_descending=is_descending)
        return array

    return sorted_array


def _ordered(work: RequestBudget, array: list[Value], by: list[Value], *, is_descending: bool) -> list[Value]:
    """The elements in the order of the values that stand for them; equal ones stay as they are."""
    walk(work, by)
    keys = [sort_key(value) for value in by]
    return [array[place] for place in sorted(range(len(array)), key=keys.__getitem__, reverse=is_descending)]


def _at(path: Path, element: Value) -> Value:
    """What stands at ``path`` in an object, null when nothing does; whatever is no object counts as null too.

    A component may be the index of an array in the object.
    """
    if not isinstance(element, dict):
        return None
    for component in path:
        if isinstance(element, dict):
            element = element.get(component)
        elif isinstance(element, list):
            index = array_index(component)
            element = element[index] if index is not None and index < len(element) else None
        else:
            return None
    return element


OPERATORS = (SpecialForm("$sortArray", parse_sort, compile_sort),)
