"""``$sortArray``: the elements of an array in order, by their values or by fields of theirs.

One rule: unlike a sort of documents, no array is looked into: what stands at a path is compared as a whole.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from rollbook.documents.ordering import NULL_KEY, RANK_OBJECT, SortKey, sort_key
from rollbook.documents.paths import Path, array_index, parse_path
from rollbook.documents.values import MISSING, Maybe, Value, is_number, type_name
from rollbook.language.expressions.growth import check_size, make_elements
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.operators import Argument, Compiling, Form, Parsing, Signature, refused
from rollbook.language.expressions.scopes import Evaluate, Scope

_SORT = Signature((Argument("input", absent=2942502), Argument("sortBy", absent=2942503)), 2942500, 2942501)

ByFields: TypeAlias = tuple[tuple[Path, bool], ...]


@dataclass(frozen=True, slots=True)
class Sorting:
    """An array and its order: whether by descending values, or by paths, each with whether it descends."""

    input: Expression
    by: bool | ByFields


def parse_sort(json: Value, parsing: Parsing) -> Sorting:
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
    for name, direction in json.items():
        if not is_number(direction) or direction not in (1, -1):
            raise parsing.refused(2942505, "sorts a field by 1 or -1", "sortBy", name)
    return tuple([(parse_path(name), direction == -1) for name, direction in json.items()])


def compile_sort(form: Sorting, compiling: Compiling) -> Evaluate:
    """Gives the elements of an array in order, by their values or by fields; null for null or missing."""
    input_in, by, work = compiling.child(form.input), form.by, compiling.work

    def sorted_array(scope: Scope) -> Maybe:
        array = input_in(scope)
        if array is None or array is MISSING:
            return None
        if not isinstance(array, list):
            raise refused(2942504, f"needs an array as input, not {type_name(array)}")
        make_elements(work, len(array))
        check_size(array)
        return _by_fields(array, by) if isinstance(by, tuple) else sorted(array, key=sort_key, reverse=by)

    return sorted_array


def _by_fields(array: list[Value], by: ByFields) -> list[Value]:
    """Objects by their fields; as in MongoDB everything else stands where its type belongs, always ascending."""
    objects = [element for element in array if isinstance(element, dict)]
    others = sorted([element for element in array if not isinstance(element, dict)], key=sort_key)
    for path, is_descending in reversed(by):
        objects.sort(key=partial(_key_at, path), reverse=is_descending)
    before = sum(sort_key(element)[0] < RANK_OBJECT for element in others)
    return [*others[:before], *objects, *others[before:]]


def _key_at(path: Path, element: Value) -> SortKey:
    """The key of what stands at ``path``; nothing there counts as null. A component may be an index of an array."""
    for component in path:
        if isinstance(element, dict):
            element = element.get(component)
        elif isinstance(element, list):
            index = array_index(component)
            element = element[index] if index is not None and index < len(element) else None
        else:
            return NULL_KEY
    return sort_key(element)


OPERATORS = (Form("$sortArray", parse_sort, compile_sort),)
