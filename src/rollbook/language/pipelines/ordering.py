"""Stages about order and number: ``$sort``, ``$limit``, ``$skip``.

One rule: a sort that is followed by a limit keeps no more documents than the limit lets through.
"""

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from math import isfinite
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.values import INT64_MAX, Document, Value, is_number
from rollbook.language.pipelines.operators import Documents, Parsing, Run, Running, Stage, StageOperator
from rollbook.language.sorting import Sort, compile_sort, parse_sort


class Sorted(Struct, frozen=True):
    """A sort, and how many documents of its result are used; None for all."""

    sort: Sort
    most: int | None = None


def parse_sort_stage(json: Value, parsing: Parsing) -> Sorted:
    """The sort of ``$sort``: as a query's, but it must name a path."""
    if json == {}:
        raise parsing.refused(15976, "$sort names at least one path")
    return Sorted(parse_sort(json, at=parsing.at))


def sorting(parts: Sorted, running: Running) -> Run:
    """Orders the documents by the values at paths; equal ones stay in the order in which they came."""
    key = compile_sort(parts.sort)
    spend = running.work.spend

    def spent_key(document: Document) -> Any:
        spend()
        return key(document)

    def run(documents: Documents) -> Iterator[Document]:
        if parts.most is None:
            yield from sorted(running.hold(documents), key=spent_key)
        else:
            yield from nsmallest(parts.most, running.hold(documents, parts.most), key=spent_key)

    return run


def parse_limit(json: Value, parsing: Parsing) -> int:
    """The number of ``$limit``: one or more."""
    number = _count(json)
    if number is None:
        raise parsing.refused(5107201, "$limit takes an integer, one or more")
    if number == 0:
        raise parsing.refused(15958, "$limit lets one document or more through")
    return number


def limiting(most: int, running: Running) -> Run:
    """Lets no more documents through than a number."""
    return lambda documents: islice(documents, most)


def parse_skip(json: Value, parsing: Parsing) -> int:
    """The number of ``$skip``: zero or more."""
    number = _count(json)
    if number is None:
        raise parsing.refused(5107200, "$skip takes an integer, zero or more")
    return number


def skipping(number: int, running: Running) -> Run:
    """Leaves out the first documents, as many as a number says."""
    return lambda documents: islice(documents, number, None)


def _count(json: Value) -> int | None:
    if not is_number(json) or not isfinite(json) or json != int(json) or not 0 <= json <= INT64_MAX:
        return None
    return int(json)


def with_bounded_sorts(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same stages, each sort bounded by the limit after it."""
    return tuple([_bounded(stage, stages[place + 1 :]) for place, stage in enumerate(stages)])


def _bounded(stage: Stage, following: Sequence[Stage]) -> Stage:
    if stage.operator is not SORT:
        return stage
    skipped = 0
    for after in following:
        if after.operator is SKIP:
            skipped += after.parts
        elif after.operator is LIMIT:
            return replace(stage, parts=replace(stage.parts, most=skipped + after.parts))
        else:
            break
    return stage


SORT = StageOperator("$sort", parse_sort_stage, sorting)
LIMIT = StageOperator("$limit", parse_limit, limiting)
SKIP = StageOperator("$skip", parse_skip, skipping)

STAGES = (SORT, LIMIT, SKIP)
