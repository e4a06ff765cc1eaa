"""What callers ask of the registry in JSON, parsed once: queries, counts, aggregations and updates.

One rule: anything malformed is refused with its place; nothing malformed is widened to "every cluster".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.casting import cast_filter, cast_update
from rollbook.documents.values import INT64_MAX, MISSING, Maybe, Value, is_number
from rollbook.errors import FilterRefused, LanguageRefused, UpdateRefused, below
from rollbook.language.edits import parse_edit, parse_update_body
from rollbook.language.filters import Filter, compile_filter, parse_filter
from rollbook.language.pipelines import Pipeline, parse_pipeline
from rollbook.language.projections import Projection, parse_projection
from rollbook.language.sorting import Sort, parse_sort
from rollbook.limits import Limits, Work
from rollbook.registry.commands import ANY_REVISION, Precondition, Update


@dataclass(frozen=True, slots=True)
class Query:
    """A query, parsed. ``limit`` 0 means no limit; ``include_registry`` adds ``_registry`` to each document.

    ``reads_registry``: the filter or the sort looks at ``_registry``. ``may_be_slow``: one document can cost much.
    """

    filter: Filter
    sort: Sort | None = None
    skip: int = 0
    limit: int = 0
    projection: Projection | None = None
    include_registry: bool = False
    reads_registry: bool = False
    may_be_slow: bool = False
    max_time_ms: int = 0

    @property
    def answers_as_stored(self) -> bool:
        """Whether each document goes out just as it is stored."""
        return self.projection is None and not self.include_registry


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregation, parsed."""

    pipeline: Pipeline
    max_time_ms: int = 0


QUERY_KEYS = ("query", "sort", "skip", "limit", "projection", "include", "maxTimeMS")
COUNT_KEYS = ("query", "skip", "limit", "maxTimeMS")
AGGREGATION_KEYS = ("pipeline", "maxTimeMS")


def parse_query(body: Maybe, *, limits: Limits, keys: Collection[str] = QUERY_KEYS) -> Query:
    """The query of a request body: a filter, or ``{"query": filter}`` with options beside it; nothing means all."""
    if body is MISSING:
        body = {}
    if not isinstance(body, dict):
        raise FilterRefused("the body must be an object: a filter, or {'query': filter, ...}", mongo_code=14)
    if "query" not in body:
        return Query(parse_cluster_filter(body, at="", limits=limits), max_time_ms=limits.max_time_ms)
    _refuse_unknown(body, keys, beside="query")
    sort, projection = body.get("sort"), body.get("projection")
    return Query(
        filter=parse_cluster_filter(body["query"], at="/query", limits=limits),
        sort=None if sort is None else parse_sort(sort, at="/sort", limits=limits),
        skip=_count(body, "skip"),
        limit=_count(body, "limit"),
        projection=None if projection is None else parse_projection(projection, at="/projection", limits=limits),
        include_registry=parse_include(body.get("include"), at="/include"),
        max_time_ms=_max_time_ms(body, limits),
    )


def parse_aggregation(body: Maybe, *, limits: Limits) -> Aggregation:
    """The aggregation of a request body: an array of stages, or ``{"pipeline": stages}`` with options beside it."""
    if not isinstance(body, dict):
        pipeline: Value = [] if body is MISSING else body
        return Aggregation(parse_pipeline(pipeline, at="", limits=limits), limits.max_time_ms)
    _refuse_unknown(body, AGGREGATION_KEYS, beside="pipeline")
    pipeline = body.get("pipeline")
    return Aggregation(parse_pipeline(pipeline, at="/pipeline", limits=limits), _max_time_ms(body, limits))


def parse_cluster_filter(json: Value, *, at: str, limits: Limits) -> Filter:
    """A filter on clusters: MongoDB's language, with numbers given as text cast on documented numeric paths."""
    return cast_filter(parse_filter(json, at=at, limits=limits))


def parse_update_request(
    id: str, body: Value, *, rules: SchemaRules, limits: Limits, precondition: Precondition = ANY_REVISION
) -> Update:
    """The command that an update body means for cluster ``id``."""
    update, array_filters, condition, at = parse_update_body(body)
    if not isinstance(update, (dict, list)):
        raise UpdateRefused("an update is an object of operators or fields, or an array of stages", at=at, mongo_code=9)
    work = Work(bytes_left=limits.result_bytes_max)
    filter = None if condition is MISSING else parse_cluster_filter(condition, at="/filter", limits=limits)
    edit = parse_edit(
        cast_update(update, at=at), array_filters=array_filters, filter=filter, at=at, limits=limits, work=work
    )
    return Update(
        id,
        edit,
        rules,
        condition=None if filter is None else compile_filter(filter, work=work),
        precondition=precondition,
        work=work,
        seconds_max=limits.max_time_ms / 1000,
    )


def parse_include(include: Value, *, at: str) -> bool:
    """Whether ``_registry`` is asked for: ``"registry"``, or an array that holds it."""
    asked = include if isinstance(include, list) else [include]
    if any(word not in (None, "registry") for word in asked):
        raise LanguageRefused("'include' can only be \"registry\"", at=at, mongo_code=2)
    return "registry" in asked


def _refuse_unknown(body: Mapping[str, Value], keys: Collection[str], *, beside: str) -> None:
    for key in body:
        if key not in keys:
            known = ", ".join(keys)
            raise LanguageRefused(
                f"{key!r} can't stand beside {beside!r}; these can: {known}", at=below("", key), mongo_code=40415
            )


def _count(body: Mapping[str, Value], key: str) -> int:
    value = body.get(key)
    if value is None:
        return 0
    if not is_number(value) or value != int(value):
        raise LanguageRefused(f"{key!r} must be a whole number", at=below("", key), mongo_code=14)
    if not 0 <= value <= INT64_MAX:
        raise LanguageRefused(f"{key!r} must not be negative", at=below("", key), mongo_code=51024)
    return int(value)


def _max_time_ms(body: Mapping[str, Value], limits: Limits) -> int:
    asked = _count(body, "maxTimeMS")
    return min(asked, limits.max_time_ms) if asked else limits.max_time_ms
