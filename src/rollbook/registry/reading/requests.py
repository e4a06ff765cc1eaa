"""What callers ask of the registry in JSON, parsed once: queries, counts, aggregations and updates.

One rule: anything malformed is refused with its place; nothing malformed is widened to "every cluster".
"""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules, accept_new
from rollbook.clusters.casting import cast_filter
from rollbook.clusters.gpu_aliases import with_gpu_aliases
from rollbook.clusters.large_documents import LARGE_BYTES
from rollbook.clusters.registry_fields import names_registry, registry_fields_in
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import (
    DocumentInvalid,
    FilterRefused,
    IdRefused,
    LanguageRefused,
    PermissionDenied,
    PipelineRefused,
    Problem,
)
from rollbook.language.collating import collated
from rollbook.language.collation import Collation, parse_collation
from rollbook.language.filters import Filter
from rollbook.language.filters.costs import is_cheap
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.language.pipelines import Pipeline, leading_filter, parse_pipeline, with_whole_filters
from rollbook.language.projections import Projection, may_compute, parse_projection
from rollbook.language.search_rules import cluster_search_in, refusals_in_search, translate_search
from rollbook.language.sorting import Sort, parse_sort
from rollbook.limits import Limits
from rollbook.registry.reading.cluster_filters import check_matches, parse_cluster_filter
from rollbook.registry.reading.filters_in_words import has_filter_beside, with_filter_in_json
from rollbook.registry.reading.options import count_in, flag_in, max_time_ms_in, parse_include, refuse_unknown
from rollbook.registry.reading.undocumented import paths_of
from rollbook.registry.writing.commands import Create, encoded
from rollbook.security.access import FULL_ACCESS, Access


class Query(Struct, frozen=True):
    """A query, parsed. ``limit`` 0 means no limit; ``include_registry`` adds ``_registry`` to each document.

    ``reads_registry``: the filter, the sort or the projection looks at ``_registry``; ``projects_registry``: the
    projection does; ``lease_fields`` are the fields of it that are known of the present only. ``may_be_slow``: one
    document can cost much.
    ``explain``: not the documents are asked for, but how they would be found. ``undocumented`` are the paths of the
    filter that no schema has, ``paths`` all that it asks about.
    """

    filter: Filter
    sort: Sort | None = None
    skip: int = 0
    limit: int = 0
    projection: Projection | None = None
    include_registry: bool = False
    reads_registry: bool = False
    projects_registry: bool = False
    lease_fields: tuple[str, ...] = ()
    may_be_slow: bool = False
    explain: bool = False
    max_time_ms: int = 0
    undocumented: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()

    @property
    def answers_as_stored(self) -> bool:
        """Whether each document goes out just as it is stored."""
        return self.projection is None and not self.include_registry


class Aggregation(Struct, frozen=True):
    """An aggregation, parsed. Only clusters that match ``filter`` can matter to it.

    ``reads_registry``, ``lease_fields``, ``undocumented`` and ``paths``: as in a query.
    """

    pipeline: Pipeline
    filter: Filter = EVERYTHING
    reads_registry: bool = False
    lease_fields: tuple[str, ...] = ()
    max_time_ms: int = 0
    undocumented: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()


class WatchRequest(Struct, frozen=True):
    """What is to be watched, and from after which revision (None: from now)."""

    filter: Filter
    since: int | None = None


WATCH_KEYS = ("query", "where", "since")
QUERY_KEYS = (
    "query",
    "where",
    "sort",
    "skip",
    "limit",
    "projection",
    "include",
    "maxTimeMS",
    "explain",
    "collation",
    "comment",
)
COUNT_KEYS = ("query", "where", "skip", "limit", "maxTimeMS", "collation", "comment")
AGGREGATION_KEYS = ("pipeline", "maxTimeMS", "collation", "comment")


def parse_query(body: Maybe, *, limits: Limits, keys: Collection[str] = QUERY_KEYS) -> Query:
    """The query of a request body: a filter, or ``{"query": filter}`` with options beside it; nothing means all.

    Instead of ``query`` there may be ``where``, the filter in words.
    """
    if body is MISSING:
        body = {}
    if not isinstance(body, dict):
        raise FilterRefused("the body must be an object: a filter, or {'query': filter, ...}", mongo_code=14)
    if not has_filter_beside(body):
        filter = parse_cluster_filter(body, at="", limits=limits)
        return _query(filter, body, max_time_ms=limits.max_time_ms)
    refuse_unknown(body, keys, beside="where" if "where" in body else "query")
    body = with_filter_in_json(body, limits=limits)
    sort, projection = body.get("sort"), body.get("projection")
    collation = parse_collation(body.get("collation"), at="/collation")
    return _query(
        collated(parse_cluster_filter(body["query"], at="/query", limits=limits), collation),
        body,
        sort=None if sort is None else collated(parse_sort(sort, at="/sort"), collation),
        skip=count_in(body, "skip"),
        limit=count_in(body, "limit"),
        projection=None if projection is None else _projection(projection, collation, limits),
        projects_registry=names_registry(projection),
        include_registry=parse_include(body.get("include"), at="/include"),
        explain=flag_in(body, "explain"),
        max_time_ms=max_time_ms_in(body, limits),
    )


def _projection(json: Value, collation: Collation | None, limits: Limits) -> Projection:
    return collated(parse_projection(json, at="/projection", limits=limits), collation)


def _query(
    filter: Filter,
    body: Document,
    *,
    projection: Projection | None = None,
    sort: Sort | None = None,
    **options: Any,
) -> Query:
    reads_registry, lease_fields = registry_fields_in(body, FilterRefused)
    asked, undocumented = paths_of(filter)
    return Query(
        filter,
        projection=projection,
        reads_registry=reads_registry,
        lease_fields=lease_fields,
        may_be_slow=not is_cheap(filter) or (projection is not None and may_compute(projection)),
        undocumented=undocumented,
        paths=asked if sort is None else (*asked, *(each.path for each in sort.criteria)),
        sort=sort,
        **options,
    )


def parse_aggregation(body: Maybe, *, limits: Limits) -> Aggregation:
    """The aggregation of a request body: an array of stages, or ``{"pipeline": stages}`` with options beside it."""
    if not isinstance(body, dict):
        return _aggregation([] if body is MISSING else body, at="", limits=limits, max_time_ms=limits.max_time_ms)
    refuse_unknown(body, AGGREGATION_KEYS, beside="pipeline")
    max_time_ms, collation = max_time_ms_in(body, limits), parse_collation(body.get("collation"), at="/collation")
    stages = body.get("pipeline")
    return _aggregation(stages, at="/pipeline", limits=limits, max_time_ms=max_time_ms, collation=collation)


def _aggregation(
    stages: Value, *, at: str, limits: Limits, max_time_ms: int, collation: Collation | None = None
) -> Aggregation:
    # Numbers sent as text are cast as in any query, wherever a filter still sees clusters as they are.
    check_matches(stages, at=at)
    filters: list[Filter] = []

    def read(filter: Filter) -> Filter:
        filters.append(cast_filter(filter))
        return filters[-1]

    pipeline = collated(with_whole_filters(parse_pipeline(stages, at=at, limits=limits), read), collation)
    reads_registry, lease_fields = registry_fields_in(stages, PipelineRefused, at=at)
    filter = leading_filter(pipeline) or EVERYTHING
    paths, undocumented = paths_of(*filters)
    return Aggregation(pipeline, filter, reads_registry, lease_fields, max_time_ms, undocumented, paths)


def parse_watch(body: Value, *, limits: Limits) -> WatchRequest:
    """The watch that ``{"query": filter, "since": REV}`` asks for; both may be left out."""
    if not isinstance(body, dict):
        raise LanguageRefused("the body must be an object: {'query': filter, 'since': revision}", mongo_code=14)
    refuse_unknown(body, WATCH_KEYS, beside="where" if "where" in body else "query")
    at = "/where" if "where" in body else "/query"
    filter = parse_watch_filter(with_filter_in_json(body, limits=limits).get("query", {}), at=at, limits=limits)
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
    return None if body.get("since") is None else count_in(body, "since")


def parse_search_request(values: Value, *, at: str, limits: Limits) -> Query:
    """The query that a search for clusters means: ``{"matchType": "cluster", "filter": {"clusterQuery": ...}}``."""
    condition, place = cluster_search_in(values, at=at)
    search = translate_search(condition, at=place, limits=limits)
    with refusals_in_search(place):
        filter = with_gpu_aliases(parse_cluster_filter(search, at="", limits=limits))
    return _query(filter, search, max_time_ms=limits.max_time_ms)


def parse_creation(
    document: Value, *, rules: SchemaRules, limits: Limits, replace: bool = False, access: Access = FULL_ACCESS
) -> Create:
    """The command that creates ``document``.

    Refuses what breaks the schema (DocumentInvalid) and an id that clients could not address (IdRefused).
    """
    if not isinstance(document, dict):
        raise DocumentInvalid("a cluster is an object", problems=[Problem("", "a cluster is an object")])
    try:
        accepted = accept_new(document, rules=rules)
    except (DocumentInvalid, IdRefused):
        if not access.covers("create", document):  # permission is judged before validity
            raise PermissionDenied("you may not use the verb 'create' for such a cluster") from None
        raise
    id = accepted.document["id"]
    assert isinstance(id, str)
    body = encoded(accepted.document, limits=limits)
    known = accepted.document if len(body) < LARGE_BYTES else None
    return Create(id, body, accepted.warnings, replace, known)
