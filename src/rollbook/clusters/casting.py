"""Numbers sent as text, in filters and updates: ``{"nodes.count": {"$gt": "1"}}`` means more than one node.

One rule: only at documented paths is text a number (or, in a condition, true or false); everywhere else, free-form
fields included, a text is a text. Operators that do not compare values (``$regex``, ``$type``, ``$size``) are left as
they are. The document that an update makes is read again when it is accepted; what is cast here is what an operator
computes or compares with.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from rollbook.clusters.findings import expectation, shown
from rollbook.clusters.numerals import number_in
from rollbook.clusters.schema import CLUSTER, Fields, Flag, Kind, ListOf, Member, Number, element_kind, kind_at
from rollbook.documents.editing import with_elements, with_members
from rollbook.documents.paths import parse_path
from rollbook.documents.values import Document, Value
from rollbook.errors import FilterRefused, LanguageRefused, UpdateRefused, below
from rollbook.language.filters.nodes import All, Any, ElemMatch, Field, Filter, Not

BAD_VALUE = 2

VALUE_OPERATORS = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
LIST_OPERATORS = frozenset({"$in", "$nin", "$all"})
LOGICAL_OPERATORS = frozenset({"$and", "$or", "$nor"})

ASSIGNING_OPERATORS = frozenset({"$set", "$setOnInsert", "$inc", "$mul", "$min", "$max", "$pullAll"})
ADDING_OPERATORS = frozenset({"$push", "$addToSet"})


def cast_filter(filter: Filter) -> Filter:
    """The filter with text cast where it compares documented numbers.

    Refuses (FilterRefused) text that is no number there. The very same filter when there is nothing to cast.
    """
    return _cast_filter(filter, CLUSTER)


def cast_update(update: Value, *, at: str = "") -> Value:
    """The update with text cast that its operators compute with at documented paths; a pipeline stays as it is.

    Refuses (UpdateRefused) text that is no number in the condition of ``$pull``. Any other such text is left to the
    operator, or to the judgement of the result.
    """
    if not isinstance(update, dict):
        return update
    return _members(update, at, _cast_part)


def cast_array_filters(array_filters: Value, update: Value, *, at: str = "/arrayFilters") -> Value:
    """The ``arrayFilters`` with text cast, as the paths of ``update`` say what their identifiers stand for.

    Refuses (UpdateRefused) text that is no number where a documented number is compared.
    """
    if not isinstance(array_filters, list):
        return array_filters
    root = Fields({name: Member(kind, "") for name, kind in _identified_kinds(update)})
    return _elements(array_filters, at, lambda each, place: _cast_condition(each, root, place))


def _cast_filter(filter: Filter, kind: Kind | None) -> Filter:
    match filter:
        case Field(path, operator, operand, at=at):
            cast = _cast_compared(operator, operand, kind_at(path, kind), at, FilterRefused)
            return filter if cast is operand else replace(filter, operand=cast)
        case All(clauses) | Any(clauses):
            cast_clauses = tuple(_cast_filter(clause, kind) for clause in clauses)
            same = all(new is old for new, old in zip(cast_clauses, clauses, strict=True))
            return filter if same else replace(filter, clauses=cast_clauses)
        case Not(clause):
            cast_clause = _cast_filter(clause, kind)
        case ElemMatch(path, clause):
            cast_clause = _cast_filter(clause, element_kind(kind_at(path, kind)))
        case _:
            return filter
    return filter if cast_clause is clause else replace(filter, clause=cast_clause)


def _cast_compared(operator: str, operand: Value, kind: Kind | None, at: str, refusal: type[LanguageRefused]) -> Value:
    """The operand of an operator that compares values; that of any other stays as it is."""
    if not isinstance(element_kind(kind), (Number, Flag, Fields)):
        return operand
    if operator in LIST_OPERATORS and isinstance(operand, list):
        return _elements(operand, at, lambda value, place: _cast(value, kind, place, refusal))
    return _cast(operand, kind, at, refusal) if operator in VALUE_OPERATORS else operand


def _cast(value: Value, kind: Kind | None, at: str, refusal: type[LanguageRefused] | None) -> Value:
    """The value as its kind has it. ``refusal`` is raised for what can't be cast; None: it stays, and so do flags."""
    match kind, value:
        case Number(), str():
            number = number_in(value)
            if number is None and refusal is not None:
                problem = f"{shown(value)} is not a number; expected {expectation(kind)}"
                raise refusal(problem, at=at, mongo_code=BAD_VALUE)
            return value if number is None else number
        case Flag(), "true" | "false" if refusal is not None:
            return value == "true"
        case Fields(), dict():
            return _members(value, at, lambda name, given, place: _cast(given, kind_at((name,), kind), place, refusal))
        case ListOf(item), list():
            return _elements(value, at, lambda element, place: _cast(element, item, place, refusal))
        case ListOf(item), _:
            return _cast(value, item, at, refusal)
    return value


def _cast_part(name: str, operand: Value, at: str) -> Value:
    """A part of an update: an operator with its paths, or a field outside operators, which means ``$set``."""
    if not name.startswith("$"):
        return _cast_operand("$set", name, operand, at)
    if isinstance(operand, dict):
        return _members(operand, at, lambda dotted, given, place: _cast_operand(name, dotted, given, place))
    return operand


def _cast_operand(operator: str, dotted: str, operand: Value, at: str) -> Value:
    """The operand of an update operator on one path. Only texts are cast, and what may hold some."""
    if not isinstance(operand, (str, dict, list)):
        return operand
    kind = kind_at(parse_path(dotted), CLUSTER)
    if operator in ASSIGNING_OPERATORS:
        return _cast(operand, kind, at, None)
    if operator in ADDING_OPERATORS:
        if isinstance(operand, dict) and "$each" in operand:
            each = _cast(operand["$each"], kind, at, None)
            return operand if each is operand["$each"] else {**operand, "$each": each}
        return _cast(operand, element_kind(kind), at, None)
    return _cast_condition(operand, element_kind(kind), at) if operator == "$pull" else operand


def _cast_condition(json: Value, kind: Kind | None, at: str) -> Value:
    """A condition that has not been parsed: an object of operators, a filter on the members of ``kind``, or a value."""
    if not isinstance(json, dict):
        return _cast(json, kind, at, UpdateRefused)
    return _members(json, at, lambda name, operand, place: _cast_clause(name, operand, kind, place))


def _cast_clause(name: str, operand: Value, kind: Kind | None, at: str) -> Value:
    if name in LOGICAL_OPERATORS and isinstance(operand, list):
        return _elements(operand, at, lambda clause, place: _cast_condition(clause, kind, place))
    if name in ("$not", "$elemMatch"):
        return _cast_condition(operand, element_kind(kind), at)
    if name.startswith("$"):
        return _cast_compared(name, operand, kind, at, UpdateRefused)
    return _cast_condition(operand, kind_at(parse_path(name), kind), at)


def _identified_kinds(update: Value) -> Iterator[tuple[str, Kind]]:
    """The identifiers ``$[name]`` in the paths of an update, with the kind of element that each stands for."""
    for name, operand in update.items() if isinstance(update, dict) else ():
        paths = operand if name.startswith("$") and isinstance(operand, dict) else [name]
        for path in map(parse_path, paths):
            for index, component in enumerate(path):
                kind = kind_at(path[: index + 1], CLUSTER)
                if component.startswith("$[") and kind is not None:
                    yield component[2:-1], kind


def _members(value: Document, at: str, read: Callable[[str, Value, str], Value]) -> Document:
    """The object with each member as ``read`` has it; the very same object when nothing is read otherwise."""
    changes = {name: new for name, given in value.items() if (new := read(name, given, below(at, name))) is not given}
    return with_members(value, changes)


def _elements(values: list[Value], at: str, read: Callable[[Value, str], Value]) -> list[Value]:
    changes = {index: new for index, given in enumerate(values) if (new := read(given, below(at, index))) is not given}
    return with_elements(values, changes)
