"""The stage ``$bucket``: documents go into buckets by a value and given boundaries.

One rule: a bucket holds what is not below its lower boundary and below its upper one.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from rollbook.documents.ordering import SortKey, bracket
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language.expressions import Expression, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators import Field, Group, parse_fields, starting
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator

OUTPUT: dict[str, Value] = {"count": {"$sum": 1}}
"""What a bucket gives when the request does not say."""


class Buckets(Struct, frozen=True):
    """The expression of the value, the boundaries, the bucket of all other values if any, and the fields of each."""

    group_by: Expression
    boundaries: tuple[Expression, ...]
    default: Expression | None
    fields: tuple[Field, ...]
    parsing: Parsing


def parse_bucket(json: Value, parsing: Parsing) -> Buckets:
    """The value, boundaries, default and output of ``$bucket``."""
    known = ("groupBy", "boundaries", "default", "output")
    options = parsing.options(json, known, no_object=40201, unknown=40197)
    group_by = parse_group_by(options["groupBy"], 40202, parsing) if "groupBy" in options else None
    boundaries = _boundaries(options["boundaries"], parsing) if "boundaries" in options else ()
    default = parsing.expression(options["default"], "default") if "default" in options else None
    fields = parse_output(options.get("output", OUTPUT), 40196, parsing)
    if group_by is None or not boundaries:
        raise parsing.refused(40198, "$bucket needs groupBy and boundaries")
    return Buckets(group_by, boundaries, default, fields, parsing)


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


def _boundaries(json: Value, parsing: Parsing) -> tuple[Expression, ...]:
    if not isinstance(json, list):
        raise parsing.refused(40200, "the boundaries are an array of values in order", "boundaries")
    if len(json) < 2:
        raise parsing.refused(40192, "there are two boundaries or more", "boundaries")
    return tuple([parsing.expression(value, "boundaries", place) for place, value in enumerate(json)])


class Places(Struct, frozen=True):
    """The boundaries, their places in MongoDB's order, and the bucket of what lies outside; MISSING without one."""

    boundaries: tuple[Value, ...]
    keys: tuple[SortKey, ...]
    default: Maybe

    def bucket_of(self, value: Maybe) -> Maybe:
        """The lower boundary of the bucket of ``value``."""
        place = bisect_right(self.keys, key_of(None if value is MISSING else value))
        return self.boundaries[place - 1] if 0 < place < len(self.keys) else self.default


def _places(parts: Buckets, running: Running) -> Places:
    parsing = parts.parsing
    boundaries = [
        _constant(boundary, 40191, running, parsing.below("boundaries", place))
        for place, boundary in enumerate(parts.boundaries)
    ]
    for place, (lower, upper) in enumerate(pairwise(boundaries), start=1):
        if bracket(lower) != bracket(upper):
            raise parsing.refused(40193, "the boundaries are of one type", "boundaries", place)
        if not key_of(lower) < key_of(upper):
            raise parsing.refused(40194, "each boundary is greater than the one before", "boundaries", place)
    keys = tuple(map(key_of, boundaries))
    if parts.default is None:
        return Places(tuple(boundaries), keys, MISSING)
    default = _constant(parts.default, 40195, running, parsing.below("default"))
    if keys[0] <= key_of(default) < keys[-1]:
        raise parsing.refused(40199, "the default is outside the boundaries", "default")
    return Places(tuple(boundaries), keys, default)


def _constant(expression: Expression, code: int, running: Running, parsing: Parsing) -> Value:
    try:
        value = running.expression(expression)({})
    except KeyError:  # it looks for a variable, and $$ROOT is not there
        value = MISSING
    if value is MISSING:
        raise parsing.refused(code, "this is a constant: it can't depend on a document")
    return value


def bucketing(parts: Buckets, running: Running) -> Run:
    """Gives a document for each bucket that is not empty: its lower boundary as ``_id``, and computed fields."""
    value_of = running.expression(parts.group_by)
    start = starting(parts.fields, running)
    places = _places(parts, running)

    def run(documents: Documents) -> Iterator[Document]:
        buckets: dict[SortKey, tuple[Value, Group]] = {}
        for document in documents:
            scope = scope_of(document)
            bucket = places.bucket_of(value_of(scope))
            if bucket is MISSING:
                raise parts.parsing.refused(40066, "a value lies outside the boundaries, and there is no default")
            key = key_of(bucket)
            if key not in buckets:
                buckets[key] = bucket, start(bucket)
            buckets[key][1].add(scope)
        for _, (bucket, group) in sorted(buckets.items(), key=lambda item: item[0]):
            yield {"_id": bucket, **group.results()}

    return run


STAGES = (StageOperator("$bucket", parse_bucket, bucketing),)
