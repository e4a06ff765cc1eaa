"""Stages that put documents into buckets by a value: ``$bucket`` by given boundaries, ``$bucketAuto`` by number.

One rule: a bucket holds what is not below its lower boundary and below its upper one; only the last of ``$bucketAuto``
holds its upper boundary too.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rollbook.documents.ordering import SortKey, bracket
from rollbook.documents.values import INT32_MAX, MISSING, Document, Maybe, Value, is_number
from rollbook.errors import PipelineRefused
from rollbook.language.expressions import Evaluate, Expression, compile_expression, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators import Field, Group, parse_fields, starting
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator
from rollbook.language.pipelines.preferred_numbers import SERIES, Series
from rollbook.language.projections.weighing import charging

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
    group_by = _group_by(options["groupBy"], 40202, parsing) if "groupBy" in options else None
    boundaries = _boundaries(options["boundaries"], parsing) if "boundaries" in options else ()
    default = _default(options["default"], boundaries, parsing) if "default" in options else MISSING
    fields = _output(options.get("output", OUTPUT), 40196, parsing)
    if group_by is None or not boundaries:
        raise parsing.refused(40198, "$bucket needs groupBy and boundaries")
    return Buckets(group_by, boundaries, default, fields, parsing.at)


def _group_by(json: Value, code: int, parsing: Parsing) -> Expression:
    is_path = isinstance(json, str) and json[:1] == "$"
    if not is_path and not isinstance(json, dict):
        raise parsing.refused(code, "groupBy is a path that begins with '$', or an expression", "groupBy")
    return parsing.expression(json, "groupBy")


def _output(json: Value, code: int, parsing: Parsing) -> tuple[Field, ...]:
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


@dataclass(frozen=True, slots=True)
class AutoBuckets:
    """The expression of the value, the number of buckets, the series of their boundaries, and the fields of each."""

    group_by: Expression
    number: int
    series: Series | None
    fields: tuple[Field, ...]
    at: str


def parse_bucket_auto(json: Value, parsing: Parsing) -> AutoBuckets:
    """The value, number, granularity and output of ``$bucketAuto``."""
    known = ("groupBy", "buckets", "output", "granularity")
    options = parsing.options(json, known, no_object=40240, unknown=40245)
    group_by = _group_by(options["groupBy"], 40239, parsing) if "groupBy" in options else None
    number = _number_of_buckets(options["buckets"], parsing) if "buckets" in options else None
    fields = _output(options.get("output", OUTPUT), 40244, parsing)
    series = _series(options["granularity"], parsing) if "granularity" in options else None
    if group_by is None or number is None:
        raise parsing.refused(40246, "$bucketAuto needs groupBy and buckets")
    return AutoBuckets(group_by, number, series, fields, parsing.at)


def _number_of_buckets(json: Value, parsing: Parsing) -> int:
    if not is_number(json):
        raise parsing.refused(40241, "buckets is a number", "buckets")
    if not -INT32_MAX <= json <= INT32_MAX or json != int(json):
        raise parsing.refused(40242, "buckets is a whole number of 32 bits", "buckets")
    if json <= 0:
        raise parsing.refused(40243, "buckets is one or more", "buckets")
    return int(json)


def _series(json: Value, parsing: Parsing) -> Series:
    if not isinstance(json, str):
        raise parsing.refused(40261, "granularity is the name of a series of numbers", "granularity")
    if json not in SERIES:
        raise parsing.refused(40257, f"granularity is one of {', '.join(SERIES)}", "granularity")
    return SERIES[json]


def auto_bucketing(parts: AutoBuckets, running: Running) -> Run:
    """Gives a document for each of several buckets of about equal size: its boundaries as ``_id``, and fields."""
    value_of = running.expression(parts.group_by)
    start = starting(parts.fields, running)

    def run(documents: Documents) -> Iterator[Document]:
        entries = _sorted_entries(documents, value_of, running, parts)
        for lower, upper, chosen in _split(entries, parts.number, parts.series):
            bucket: Value = {"min": lower, "max": upper}
            group = start(bucket)
            for entry in chosen:
                running.work.spend()
                group.add(scope_of(entry.document))
            yield {"_id": bucket, **group.results()}

    return run


@dataclass(frozen=True, slots=True)
class Entry:
    """A document, the value by which it goes into a bucket, and the place of the value in the order."""

    key: SortKey
    value: Value
    document: Document


def _sorted_entries(documents: Documents, value_of: Evaluate, running: Running, parts: AutoBuckets) -> list[Entry]:
    entries = []
    charge = charging(running.work, at=parts.at)
    for document in running.hold(documents):
        found = value_of(scope_of(document))
        value = None if found is MISSING else found
        charge(value)
        if parts.series is not None:
            _check_granular(value, parts.at)
        entries.append(Entry(key_of(value), value, document))
    entries.sort(key=lambda entry: entry.key)
    return entries


def _check_granular(value: Value, at: str) -> None:
    if not is_number(value):
        raise PipelineRefused("with a granularity, all values are numbers", at=at, mongo_code=40258)
    if value < 0:
        raise PipelineRefused("with a granularity, no value is negative", at=at, mongo_code=40260)


def _split(entries: list[Entry], number: int, series: Series | None) -> Iterator[tuple[Value, Value, list[Entry]]]:
    """The lower and upper boundaries of each bucket, and its entries.

    Theory: each bucket takes its share of the entries, the last one all that are left; then what equals its greatest
    value, or lies below the boundary that a series puts above it. So values that are equal never part.
    """
    share = max(1, int(len(entries) / number + 0.5))
    begin = made = 0
    boundary: Value = None
    while begin < len(entries):
        made += 1
        end = len(entries) if made == number else min(len(entries), begin + share)
        lower = entries[begin].value
        if series is None:
            while end < len(entries) and entries[end].key == entries[end - 1].key:
                end += 1
            upper = entries[end].value if end < len(entries) else entries[-1].value
        else:
            lower = series.below(_number(lower)) if made == 1 else boundary
            upper = boundary = series.above(_number(entries[end - 1].value))
            while end < len(entries) and _number(entries[end].value) < upper:
                end += 1
            if not upper and end < len(entries):
                upper = boundary = series.below(_number(entries[end].value))
        yield lower, upper, entries[begin:end]
        begin = end


def _number(value: Value) -> float:
    return value if is_number(value) else 0


STAGES = (
    StageOperator("$bucket", parse_bucket, bucketing),
    StageOperator("$bucketAuto", parse_bucket_auto, auto_bucketing),
)
