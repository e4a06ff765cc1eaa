"""Bounds: what a filter says that a matching document must hold somewhere.

Theory: most filters can only match a document with one of a few values at some path: ``{"regionId": "eu"}`` needs the
region, ``{"id": {"$in": [...]}}`` one of the ids, ``{"gpus.count": {"$gte": 8}}`` a number that is at least 8. Such a
(path, relation, value) is a bound. A document that holds none of a filter's bounds does not match.

One rule: bounds narrow, and the predicate decides. So a bound may say too little, never too much.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.documents.ordering import SortKey, sort_key
from rollbook.documents.paths import Path, array_index
from rollbook.documents.values import Value
from rollbook.language.filters import Filter
from rollbook.language.filters.nodes import All, Any, ElemMatch, Field

Relation: TypeAlias = Literal["equal", "at least", "at most"]

RELATIONS: dict[str, Relation] = {
    "$eq": "equal",
    "$gt": "at least",
    "$gte": "at least",
    "$lt": "at most",
    "$lte": "at most",
}


class IndexBound(Struct, frozen=True):
    """At ``path`` there is a scalar that has this relation to ``key``, in the order of sort keys and of its type."""

    path: Path
    relation: Relation
    key: SortKey


def index_bounds_of(filter: Filter) -> list[IndexBound] | None:
    """The bounds of which a matching document holds at least one; None when the filter does not say."""
    match filter:
        case Field(path, "$in", list() as operands) if all(map(is_scalar, operands)):
            return [IndexBound(path, "equal", sort_key(operand)) for operand in operands]
        case Field(path, operator, operand) if operator in RELATIONS and is_scalar(operand):
            return [IndexBound(path, RELATIONS[operator], sort_key(operand))]
        case ElemMatch(path, clause):
            inner = index_bounds_of(clause)
            if inner is None or any(array_index(name) is not None for bound in inner for name in bound.path):
                return None
            return [IndexBound((*path, *bound.path), bound.relation, bound.key) for bound in inner]
        case All(clauses):
            known = [bounds for clause in clauses if (bounds := index_bounds_of(clause)) is not None]
            return min(known, key=_breadth, default=None)
        case Any(clauses):
            each = [index_bounds_of(clause) for clause in clauses]
            return None if None in each else [bound for bounds in each for bound in bounds or []]
    return None


def is_scalar(value: Value) -> bool:
    """Whether only the value itself can equal it: no null (missing equals it), no container."""
    return isinstance(value, (str, int, float, bool))


def keys_at(value: Value, path: Path) -> Iterator[SortKey]:
    """The sort keys of every scalar that a filter's path can reach, through arrays and by their indexes."""
    if isinstance(value, list):
        if not path or path == ("",):  # a path that ends with a dot ends at an array, as it would without the dot
            for element in value:
                yield from keys_at(element, ())
            return
        index = array_index(path[0])
        if index is not None and index < len(value):
            yield from keys_at(value[index], path[1:])
        for element in value:
            if isinstance(element, dict):
                yield from keys_at(element, path)
    elif not path:
        if is_scalar(value):
            yield sort_key(value)
    elif isinstance(value, dict) and path[0] in value:
        yield from keys_at(value[path[0]], path[1:])


def _breadth(bounds: list[IndexBound]) -> tuple[bool, int]:
    """How much a set of bounds lets through: ranges more than values, many values more than few."""
    return any(bound.relation != "equal" for bound in bounds), len(bounds)
