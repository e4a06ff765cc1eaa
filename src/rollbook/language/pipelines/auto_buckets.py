"""The stage ``$bucketAuto``: documents go into buckets of about equal size, whose boundaries are found.

One rule: equal values never part. A bucket holds what is below its upper boundary; the last one what equals it too.
"""

from collections.abc import Iterator

from msgspec import Struct

from rollbook.documents.ordering import SortKey
from rollbook.documents.values import INT32_MAX, MISSING, Document, Value, is_number
from rollbook.errors import PipelineRefused
from rollbook.language.expressions import Evaluate, Expression, scope_of
from rollbook.language.expressions.growth import key_of
from rollbook.language.pipelines.accumulators import Field, starting
from rollbook.language.pipelines.buckets import OUTPUT, parse_group_by, parse_output
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, StageOperator
from rollbook.language.pipelines.preferred_numbers import SERIES, Series
from rollbook.language.projections.weighing import charging


class AutoBuckets(Struct, frozen=True):
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
    group_by = parse_group_by(options["groupBy"], 40239, parsing) if "groupBy" in options else None
    number = _number_of_buckets(options["buckets"], parsing) if "buckets" in options else None
    fields = parse_output(options.get("output", OUTPUT), 40244, parsing)
    series = _series(options["granularity"], parsing) if "granularity" in options else None
    if group_by is None or number is None:
        raise parsing.refused(40246, "$bucketAuto needs groupBy and buckets")
    return AutoBuckets(group_by, number, series, fields, parsing.at)


def _number_of_buckets(json: Value, parsing: Parsing) -> int:
    if not is_number(json):
        raise parsing.refused(40241, "buckets is a number", "buckets")
    if not -INT32_MAX <= json <= INT32_MAX or json != int(json):
        raise parsing.refused(40242, "buckets is an integer of 32 bits", "buckets")
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
    charge = charging(running.work, at=parts.at)

    def run(documents: Documents) -> Iterator[Document]:
        entries = _sorted_entries(documents, value_of, running, parts)
        for lower, upper, chosen in _split(entries, parts.number, parts.series):
            bucket: Value = {"min": lower, "max": upper}
            charge(bucket)
            group = start(None)  # unlike a group, a bucket here has no key that its accumulators might ask for
            for entry in chosen:
                running.work.spend()
                group.add(scope_of(entry.document))
            yield {"_id": bucket, **group.results()}

    return run


class Entry(Struct, frozen=True):
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
    value, or lies below the boundary that a series puts above it. So values that are equal never part, but
    for zeros under a series: no boundary is above them.
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


STAGES = (StageOperator("$bucketAuto", parse_bucket_auto, auto_bucketing),)
