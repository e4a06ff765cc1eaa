"""What callers ask of the registry in JSON, parsed once: queries, counts, aggregations and updates.

One rule: anything malformed is refused with its place; nothing malformed is widened to "every cluster".
"""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.clusters.casting import cast_array_filters, cast_filter, cast_update
from rollbook.clusters.gpu_aliases import with_gpu_aliases
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import encode_json
from rollbook.documents.values import INT64_MAX, MISSING, Document, Maybe, Value, is_number
from rollbook.errors import DocumentInvalid, FilterRefused, LanguageRefused, Problem, UpdateRefused, below
from rollbook.language.edits import parse_edit, parse_update_body
from rollbook.language.filters import Filter, parse_filter
from rollbook.language.filters.costs import is_cheap
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.language.pipelines import Pipeline, leading_filter, parse_pipeline, with_whole_filters
from rollbook.language.projections import Projection, may_compute, parse_projection
from rollbook.language.search_rules import cluster_search_in, refusals_in_search, translate_search
from rollbook.language.sorting import Sort, parse_sort
from rollbook.limits import Limits
from rollbook.registry.writing.commands import ANY_REVISION, Create, Precondition, Update, encoded


class Query(Struct, frozen=True):
    """A query, parsed. ``limit`` 0 means no limit; ``include_registry`` adds ``_registry`` to each document.

    ``reads_registry``: the filter, the sort or the projection looks at ``_registry``; ``projects_registry``: the
    projection does. ``may_be_slow``: one document can cost much.
    ``explain``: not the documents are asked for, but how they would be found.
    """

    filter: Filter
    sort: Sort | None = None
    skip: int = 0
    limit: int = 0
    projection: Projection | None = None
    include_registry: bool = False
    reads_registry: bool = False
    projects_registry: bool = False
    may_be_slow: bool = False
    explain: bool = False
    max_time_ms: int = 0

    @property
    def answers_as_stored(self) -> bool:
        """Whether each document goes out just as it is stored."""
        return self.projection is None and not self.include_registry


class Aggregation(Struct, frozen=True):
    """An aggregation, parsed. Only clusters that match ``filter`` can matter to it.

    ``reads_registry``: it looks at ``_registry``.
    """

    pipeline: Pipeline
    filter: Filter = EVERYTHING
    reads_registry: bool = False
    max_time_ms: int = 0


class WatchRequest(Struct, frozen=True):
    """What is to be watched, and from after which revision (None: from now)."""

    filter: Filter
    since: int | None = None


WATCH_KEYS = ("query", "since")
QUERY_KEYS = ("query", "sort", "skip", "limit", "projection", "include", "maxTimeMS", "explain")
COUNT_KEYS = ("query", "skip", "limit", "maxTimeMS")
AGGREGATION_KEYS = ("pipeline", "maxTimeMS")


def parse_query(body: Maybe, *, limits: Limits, keys: Collection[str] = QUERY_KEYS) -> Query:
    """The query of a request body: a filter, or ``{"query": filter}`` with options beside it; nothing means all."""
    if body is MISSING:
        body = {}
    if not isinstance(body, dict):
        raise FilterRefused("the body must be an object: a filter, or {'query': filter, ...}", mongo_code=14)
    if "query" not in body:
        filter = parse_cluster_filter(body, at="", limits=limits)
        return _query(filter, body, max_time_ms=limits.max_time_ms)
    _refuse_unknown(body, keys, beside="query")
    sort, projection = body.get("sort"), body.get("projection")
    return _query(
        parse_cluster_filter(body["query"], at="/query", limits=limits),
        body,
        sort=None if sort is None else parse_sort(sort, at="/sort"),
        skip=_count(body, "skip"),
        limit=_count(body, "limit"),
        projection=None if projection is None else parse_projection(projection, at="/projection", limits=limits),
        projects_registry=names_registry(projection),
        include_registry=parse_include(body.get("include"), at="/include"),
        explain=_flag(body, "explain"),
        max_time_ms=_max_time_ms(body, limits),
    )


def _query(filter: Filter, body: Document, *, projection: Projection | None = None, **options: Any) -> Query:
    may_be_slow = not is_cheap(filter) or (projection is not None and may_compute(projection))
    return Query(filter, projection=projection, reads_registry=names_registry(body), may_be_slow=may_be_slow, **options)


def parse_aggregation(body: Maybe, *, limits: Limits) -> Aggregation:
    """The aggregation of a request body: an array of stages, or ``{"pipeline": stages}`` with options beside it."""
    if not isinstance(body, dict):
        return _aggregation([] if body is MISSING else body, at="", limits=limits, max_time_ms=limits.max_time_ms)
    _refuse_unknown(body, AGGREGATION_KEYS, beside="pipeline")
    max_time_ms = _max_time_ms(body, limits)
    return _aggregation(body.get("pipeline"), at="/pipeline", limits=limits, max_time_ms=max_time_ms)


def _aggregation(stages: Value, *, at: str, limits: Limits, max_time_ms: int) -> Aggregation:
    # Numbers sent as text are cast as in any query, wherever a filter still sees clusters as they are.
    pipeline = with_whole_filters(parse_pipeline(stages, at=at, limits=limits), cast_filter)
    return Aggregation(pipeline, leading_filter(pipeline) or EVERYTHING, names_registry(stages), max_time_ms)


def parse_watch(body: Value, *, limits: Limits) -> WatchRequest:
    """The watch that ``{"query": filter, "since": REV}`` asks for; both may be left out."""
    if not isinstance(body, dict):
        raise LanguageRefused("the body must be an object: {'query': filter, 'since': revision}", mongo_code=14)
    _refuse_unknown(body, WATCH_KEYS, beside="query")
    filter = parse_watch_filter(body.get("query", {}), at="/query", limits=limits)
    return WatchRequest(filter, parse_since(body))


def parse_watch_filter(json: Value, *, at: str, limits: Limits) -> Filter:
    """The filter of a watch, which is small and asks only about documents."""
    filter = parse_cluster_filter(json, at=at, limits=limits)
    if names_registry(json):
        problem = f"a watch can't ask about {REGISTRY_FIELD}, which changes without a change of the document"
        raise FilterRefused(problem, at=at, mongo_code=2)
    if len(encode_json(json)) > limits.watch_filter_bytes_max:
        problem = f"the filter of a watch can have {limits.watch_filter_bytes_max} bytes of JSON at most"
        raise FilterRefused(problem, at=at, mongo_code=2)
    return filter


def parse_since(body: Mapping[str, Value]) -> int | None:
    """The revision in ``since``, where there is one."""
    return None if body.get("since") is None else _count(body, "since")


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
    filter = None if condition is MISSING else parse_cluster_filter(condition, at="/filter", limits=limits)
    if array_filters is not MISSING:
        array_filters = cast_array_filters(array_filters, update)
    edit = parse_edit(cast_update(update, at=at), array_filters=array_filters, filter=filter, at=at, limits=limits)
    return Update(
        id,
        edit,
        rules,
        condition=filter,
        precondition=precondition,
        limits=limits,
    )


def parse_search_request(values: Value, *, at: str, limits: Limits) -> Query:
    """The query that a search for clusters means: ``{"matchType": "cluster", "filter": {"clusterQuery": ...}}``."""
    condition, place = cluster_search_in(values, at=at)
    search = translate_search(condition, at=place, limits=limits)
    with refusals_in_search(place):
        filter = with_gpu_aliases(parse_cluster_filter(search, at="", limits=limits))
    return _query(filter, search, max_time_ms=limits.max_time_ms)


def names_registry(json: Value) -> bool:
    """Whether a request names ``_registry`` anywhere: as a path, or as a field path of an expression."""
    if isinstance(json, str):
        return REGISTRY_FIELD in json
    if isinstance(json, list):
        return any(map(names_registry, json))
    if isinstance(json, dict):
        return any(REGISTRY_FIELD in key or names_registry(value) for key, value in json.items())
    return False


def parse_creation(document: Value, *, rules: SchemaRules, limits: Limits, replace: bool = False) -> Create:
    """The command that enrols ``document``.

    Refuses what breaks the schema (DocumentInvalid) and an id that clients could not address (IdRefused).
    """
    if not isinstance(document, dict):
        raise DocumentInvalid("a cluster is an object", problems=[Problem("", "a cluster is an object")])
    accepted = accept_new(document, rules=rules)
    id = accepted.document["id"]
    assert isinstance(id, str)
    return Create(id, encoded(accepted.document, limits=limits), accepted.warnings, replace)


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


def _flag(body: Mapping[str, Value], key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise LanguageRefused(f"{key!r} must be true or false", at=below("", key), mongo_code=14)
    return value


def _count(body: Mapping[str, Value], key: str) -> int:
    value = body.get(key)
    if value is None:
        return 0
    if not is_number(value) or value != int(value):
        raise LanguageRefused(f"{key!r} must be a whole number", at=below("", key), mongo_code=14)
    if not 0 <= value <= INT64_MAX:
        problem = "must not be negative" if value < 0 else f"must be {INT64_MAX} at most"
        raise LanguageRefused(f"{key!r} {problem}", at=below("", key), mongo_code=2)
    return int(value)


def _max_time_ms(body: Mapping[str, Value], limits: Limits) -> int:
    asked = _count(body, "maxTimeMS")
    return min(asked, limits.max_time_ms) if asked else limits.max_time_ms
