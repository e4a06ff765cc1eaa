"""The stage ``$bucket``: documents go into buckets by a value and given boundaries.

One rule: a bucket holds what is not below its lower boundary and below its upper one.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rollbook.documents.ordering import SortKey, bracket
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import PipelineRefused
from rollbook.language.expressions import Expression, compile_expression, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators import Field, Group, parse_fields, starting
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator

OUTPUT: dict[str, Value] = {"count": {"$sum": 1}}
"""What a bucket gives when the request does not say."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The expression of the value, the boundaries, the bucket of all other values if any, and the fields of each."""

    group_by: Expression
    boundaries: tuple[Value, ...]
    default: Maybe
    fields: tuple[Field, ...]
    at: str


def parse_bucket(json: Value, parsing: Parsing) -> Buckets:
    """The value, boundaries, default and output of ``$bucket``."""
    known = ("groupBy", "boundaries", "default", "output")
    options = parsing.options(json, known, no_object=40201, unknown=40197)
    group_by = parse_group_by(options["groupBy"], 40202, parsing) if "groupBy" in options else None
    boundaries = _boundaries(options["boundaries"], parsing) if "boundaries" in options else ()
    default = _default(options["default"], boundaries, parsing) if "default" in options else MISSING
    fields = parse_output(options.get("output", OUTPUT), 40196, parsing)
    if group_by is None or not boundaries:
        raise parsing.refused(40198, "$bucket needs groupBy and boundaries")
    return Buckets(group_by, boundaries, default, fields, parsing.at)


def parse_group_by(json: Value, code: int, parsing: Parsing) -> Expression:
    """The expression of the value that decides the bucket; ``code`` is for what is none."""
    is_path = isinstance(json, str) and json[:1] == "$"
    if not is_path and not isinstance(json, dict):
        raise parsing.refused(code, "groupBy is a path that begins with '$', or an expression", "groupBy")
    return parsing.expression(json, "groupBy")


def parse_output(json: Value, code: int, parsing: Parsing) -> tuple[Field, ...]:
    """The fields of each bucket; ``code`` is for what is no object."""
    if not isinstance(json, dict):
        raise parsing.refused(code, "the output is an object of fields", "output")
    if "_id" in json:
        raise parsing.refused(15948, "_id is the bucket, and can't be a field of the output", "output", "_id")
    return parse_fields(json, parsing.below("output"))


def _boundaries(json: Value, parsing: Parsing) -> tuple[Value, ...]:
    if not isinstance(json, list):
        raise parsing.refused(40200, "the boundaries are an array of values in order", "boundaries")
    boundaries = tuple([_constant(value, 40191, parsing, "boundaries", place) for place, value in enumerate(json)])
    if len(boundaries) < 2:
        raise parsing.refused(40192, "there are two boundaries or more", "boundaries")
    for place, (lower, upper) in enumerate(pairwise(boundaries), start=1):
        if bracket(lower) != bracket(upper):
            raise parsing.refused(40193, "the boundaries are of one type", "boundaries", place)
        if not key_of(lower) < key_of(upper):
            raise parsing.refused(40194, "each boundary is greater than the one before", "boundaries", place)
    return boundaries


def _default(json: Value, boundaries: tuple[Value, ...], parsing: Parsing) -> Value:
    default = _constant(json, 40195, parsing, "default")
    if boundaries and key_of(boundaries[0]) <= key_of(default) < key_of(boundaries[-1]):
        raise parsing.refused(40199, "the default is outside the boundaries", "default")
    return default


def _constant(json: Value, code: int, parsing: Parsing, *keys: str | int) -> Value:
    evaluate = compile_expression(parsing.expression(json, *keys))
    try:
        value = evaluate({})
    except KeyError:  # it looks for a variable, and $$ROOT is not there
        value = MISSING
    if value is MISSING:
        raise parsing.refused(code, "this is a constant: it can't depend on a document", *keys)
    return value


def bucketing(parts: Buckets, running: Running) -> Run:
    """Gives a document for each bucket that is not empty: its lower boundary as ``_id``, and computed fields."""
    value_of = running.expression(parts.group_by)
    start = starting(parts.fields, running)
    keys = [key_of(boundary) for boundary in parts.boundaries]

    def bucket_of(value: Maybe) -> Value:
        key = key_of(None if value is MISSING else value)
        place = bisect_right(keys, key)
        if 0 < place < len(keys):
            return parts.boundaries[place - 1]
        if parts.default is MISSING:
            why = "a value lies outside the boundaries, and there is no default for it"
            raise PipelineRefused(why, at=parts.at, mongo_code=40066)
        return parts.default

    def run(documents: Documents) -> Iterator[Document]:
        buckets: dict[SortKey, tuple[Value, Group]] = {}
        for document in documents:
            scope = scope_of(document)
            bucket = bucket_of(value_of(scope))
            key = key_of(bucket)
            if key not in buckets:
                buckets[key] = bucket, start(bucket)
            buckets[key][1].add(scope)
        for _, (bucket, group) in sorted(buckets.items(), key=lambda item: item[0]):
            yield {"_id": bucket, **group.results()}

    return run


STAGES = (StageOperator("$bucket", parse_bucket, bucketing),)
