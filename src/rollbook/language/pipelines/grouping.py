"""Stages that put documents together by a value: ``$group``, ``$count``, ``$sortByCount``.

One rule: a group's key is in its ``_id``, as MongoDB's users expect; nothing else here is named so, for a document's
own identity is its ``id``. Groups come in the order in which their first documents came.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.language.collation import Collation
from rollbook.language.expressions import Expression, Scope, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.expressions.nodes import ObjectOf
from rollbook.language.pipelines.accumulators import Field, Group, parse_fields, starting
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator
from rollbook.language.projections.weighing import charging


class Grouping(Struct, frozen=True):
    """The expression of the key, and the fields of a group. ``collation``: which keys are equal; None: equal values."""

    key: Expression
    fields: tuple[Field, ...]
    at: str
    collation: Collation | None = None


def parse_group(json: Value, parsing: Parsing) -> Grouping:
    """The key of ``$group`` under ``_id``, and its fields."""
    if not isinstance(json, dict):
        raise parsing.refused(15947, "$group takes an object: _id and fields")
    fields = parse_fields({name: said for name, said in json.items() if name != "_id"}, parsing)
    if "_id" not in json:
        raise parsing.refused(15955, "$group needs an _id: an expression for the key, or null for one group")
    _check_key(json["_id"], parsing)
    return Grouping(parsing.expression(json["_id"], "_id"), fields, parsing.pointer("_id"))


def _check_key(json: Value, parsing: Parsing) -> None:
    if not isinstance(json, dict) or next(iter(json), "").startswith("$"):
        return
    for name, value in json.items():
        if isinstance(value, (int, float)):
            why = "the key of $group is made of expressions; 1, 0, true and false include or exclude nothing here"
            raise parsing.refused(17390, f"{why}: use {{$literal: ...}} for a constant", "_id", name)


def grouping(parts: Grouping, running: Running) -> Run:
    """Gives a document for each group of documents with equal keys: the key as ``_id``, and computed fields."""
    value_of = _key_evaluator(parts.key, running)
    start = starting(parts.fields, running)
    charge = charging(running.work, at=parts.at)
    fold = None if parts.collation is None else parts.collation.fold

    def run(documents: Documents) -> Iterator[dict[str, Value]]:
        groups: dict[object, tuple[Value, Group]] = {}
        for document in documents:
            scope = scope_of(document)
            value = value_of(scope)
            compared = value if fold is None else fold(value)
            key = compared if type(compared) is str else key_of(compared)
            if key not in groups:
                charge(value)
                groups[key] = value, start(value)
            groups[key][1].add(scope)
        for value, group in groups.values():
            yield {"_id": value, **group.results()}

    return run


def _key_evaluator(key: Expression, running: Running) -> Callable[[Scope], Value]:
    """Missing becomes null: for the key itself, and as MongoDB has it for the only field of an object too."""
    match key:
        case ObjectOf(((name, member),)):
            value_of = running.expression(member)
            return lambda scope: {name: _present(value_of(scope))}
    evaluate = running.expression(key)
    return lambda scope: _present(evaluate(scope))


def _present(value: Maybe) -> Value:
    return None if value is MISSING else value


def parse_count(json: Value, parsing: Parsing) -> str:
    """The field of ``$count``."""
    if not isinstance(json, str):
        raise parsing.refused(40156, "$count takes the name of a field")
    if json[:1] == "$":
        raise parsing.refused(40158, "the name of the field doesn't begin with '$'")
    if "\0" in json:
        raise parsing.refused(40159, "the name of the field has a null byte")
    if "." in json:
        raise parsing.refused(40160, "the name of the field has no dot")
    if not json:
        raise parsing.refused(40157, "the name of the field can't be empty")
    if json == "_id":
        raise parsing.refused(9039800, "the field can't be named _id")
    return json


def counting(name: str, running: Running) -> Run:
    """Gives one document with the number of documents, or none when there are none."""

    def run(documents: Documents) -> Iterator[dict[str, Value]]:
        number = sum(1 for _ in documents)
        if number:
            yield {name: number}

    return run


def parse_sort_by_count(json: Value, parsing: Parsing) -> Grouping:
    """The expression of ``$sortByCount``."""
    if isinstance(json, str):
        if json[:1] != "$":
            raise parsing.refused(40148, f"the path begins with '$': '${json}'")
    elif not isinstance(json, dict):
        raise parsing.refused(40149, "$sortByCount takes a path or an expression")
    elif next(iter(json), "")[:1] != "$":
        raise parsing.refused(40147, "$sortByCount takes an expression: an object of one operator")
    fields = parse_fields({"count": {"$sum": 1}}, parsing)
    return Grouping(parsing.expression(json), fields, parsing.at)


def sorting_by_count(parts: Grouping, running: Running) -> Run:
    """Gives a document for each value of an expression, with its number as ``count``; the most frequent first."""
    group = grouping(parts, running)
    return lambda documents: iter(sorted(group(documents), key=_count, reverse=True))


def _count(group: dict[str, Value]) -> int:
    count = group["count"]
    return count if isinstance(count, int) else 0


STAGES = (
    StageOperator("$group", parse_group, grouping),
    StageOperator("$count", parse_count, counting),
    StageOperator("$sortByCount", parse_sort_by_count, sorting_by_count),
)
