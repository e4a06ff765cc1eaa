"""What a projection takes of an array: ``$slice``, the first match of ``$elemMatch``, the positional ``$``.

One rule: a value that is no array is left as it is, except that ``$elemMatch`` leaves nothing of it.
"""

from collections.abc import Callable
from math import isnan

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value, is_number
from rollbook.errors import ProjectionRefused, below
from rollbook.language.filters import Filter, compile_filter, compile_first_match, parse_filter
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.language.projections.nodes import FirstMatch, Sliced
from rollbook.limits import Limits, RequestBudget

Reshape = Callable[[Document], Document]


def parse_slice(argument: Value, at: str) -> Sliced | None:
    """Returns a part of an array: ``{"$slice": n}`` or ``{"$slice": [skip, n]}``.

    None where the argument is of the expression ``$slice``, which names its array.
    """
    if is_number(argument):
        return Sliced(None, _whole(argument))
    match argument:
        case [skip, count] if is_number(skip) and is_number(count):
            if _whole(count) <= 0:
                raise ProjectionRefused("$slice takes one element or more after skipping", at=at, mongo_code=28724)
            return Sliced(_whole(skip), _whole(count))
    return None


def _whole(number: float) -> int:
    if isnan(number):
        return 0
    return int(max(-(2**31), min(number, 2**31 - 1)))


def slicing(path: Path, cut: Sliced) -> Reshape:
    """The document with the array at ``path`` cut, on all paths through arrays."""

    def cut_at(value: Value, place: int) -> Value:
        if isinstance(value, list):
            return _cut(value, cut) if place == len(path) else [cut_at(element, place) for element in value]
        if not isinstance(value, dict) or place == len(path):
            return value
        name = path[place]
        return {**value, name: cut_at(value[name], place + 1)} if name in value else value

    return lambda document: cut_at(document, 0)  # type: ignore[return-value]


def _cut(array: list[Value], cut: Sliced) -> list[Value]:
    if cut.skip is None:
        return array[: cut.count] if cut.count >= 0 else array[cut.count :]
    start = cut.skip if cut.skip >= 0 else max(0, len(array) + cut.skip)
    return array[start : start + cut.count]


def parse_first_match(name: str, condition: dict[str, Value], *, at: str, limits: Limits) -> FirstMatch:
    """Returns the first element of an array that meets a condition: ``{"nodes": {"$elemMatch": {"status": "live"}}}``.

    The condition, which stands at ``at``, is parsed as that of the query operator ``$elemMatch`` on the field.
    """
    banned = _banned_operator(condition)
    if banned is not None:
        raise ProjectionRefused(f"{banned} can't be used in a projection", at=below(at, banned), mongo_code=224)
    above = at.removesuffix(below(below("", name), "$elemMatch"))
    try:
        return FirstMatch(parse_filter({name: {"$elemMatch": condition}}, at=above, limits=limits))
    except RecursionError:
        raise ProjectionRefused("the condition is nested too deeply", at=at, mongo_code=15) from None


def _banned_operator(condition: dict[str, Value]) -> str | None:
    """An operator of whole documents that stands among the clauses of ``condition``."""
    pending: list[Value] = [condition]
    while pending:
        clause = pending.pop()
        if isinstance(clause, dict):
            found = next((name for name in OPERATORS_OF_WHOLE_DOCUMENTS if name in clause), None)
            if found is not None:
                return found
            pending += [clauses for operator in ("$and", "$or", "$nor") for clauses in _list(clause.get(operator))]
    return None


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def first_matching(name: str, filter: Filter, work: RequestBudget) -> Callable[[Maybe], Maybe]:
    """The array of the first element of a document's array ``name`` that ``filter`` matches; MISSING without one."""
    matches = compile_filter(filter, work=work)

    def first_of(document: Maybe) -> Maybe:
        array = document.get(name) if isinstance(document, dict) else None
        if isinstance(array, list):
            for element in array:
                if matches({name: [element]}):
                    return [element]
        return MISSING

    return first_of


def choosing(path: Path, filter: Filter | None, *, at: str, work: RequestBudget) -> Reshape:
    """The document with the first array on ``path`` reduced to the element that the query's ``filter`` matched.

    Refuses (ProjectionRefused) a document whose array the filter did not look into. The array is that of the whole
    document: elements that the projection will not show count too.
    """
    position = compile_first_match(EVERYTHING if filter is None else filter, work=work)

    def chosen(document: Document) -> Document:
        array_at = _first_array(document, path)
        if array_at is None:
            return document
        array, place = array_at
        index = position(document)
        if index is None:
            raise ProjectionRefused(
                "positional '$': the filter matched no element of an array", at=at, mongo_code=51246
            )
        if index >= len(array):
            why = "positional '$': the filter matched in another array, beyond the end of this one"
            raise ProjectionRefused(why, at=at, mongo_code=51247)
        return _replaced(document, path[:place], [array[index]])

    return chosen


def _first_array(document: Document, path: Path) -> tuple[list[Value], int] | None:
    value: Value = document
    for place, name in enumerate(path, start=1):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
        if isinstance(value, list):
            return value, place
    return None


def _replaced(document: Document, path: Path, array: list[Value]) -> Document:
    result = parent = dict(document)
    for name in path[:-1]:
        child = parent[name] = dict(parent[name])  # type: ignore[arg-type]
        parent = child
    parent[path[-1]] = array
    return result


OPERATORS_OF_WHOLE_DOCUMENTS = ("$jsonSchema", "$expr", "$text", "$where")
