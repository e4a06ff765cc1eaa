"""The operations on the whole fleet: queries, counts, facets and aggregations, now or as of a former moment."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import JSON, NDJSON, Answer, Body, Operation, Verb, array_of, reference
from rollbook.api.paging import CURSOR, PAGE_HEADERS, page_of
from rollbook.api.parameters import AT, INCLUDE, REVISION, moment_of
from rollbook.clusters.fleet_words import FLEET_WORDS
from rollbook.documents.values import Document
from rollbook.errors import PermissionDenied, RequestRefused
from rollbook.language.words import words_of
from rollbook.registry.history.past_fleets import PastFleet
from rollbook.registry.listing.page_requests import PageRequest
from rollbook.registry.listing.query_requests import Explained, parse_explained, parse_pageable
from rollbook.registry.reading import distinct, facet_requests
from rollbook.registry.reading.distinct import parse_distinct
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.queries import PresentFleet
from rollbook.registry.reading.requests import (
    AGGREGATION_KEYS,
    COUNT_KEYS,
    QUERY_KEYS,
    parse_aggregation,
    parse_query,
)


async def query_clusters(request: Request) -> Response:
    """The matching documents: all of them, or a page where a cursor asks for it."""
    registry, moment, cursor = registry_of(request), moment_of(request), CURSOR.of(request)
    query = await QUERY.of(request, limits=registry.limits, cursor=cursor, moment=repr(moment))
    include = INCLUDE.of(request)
    if isinstance(query, PageRequest):
        return await page_of(request, query, moment)
    if "access" in include:
        raise RequestRefused("include=access goes page by page: send a 'cursor', null for the first page")
    if "registry" in include:
        query = replace(query, include_registry=True)
    if query.explain:
        caller = caller_of(request)
        if caller.observed is None and not caller.may("explain"):
            raise PermissionDenied(f"{caller.name} may not explain queries: none of its roles has the verb 'explain'")
        return await explain_query(request)
    revision, fleet = registry.view.revision, await fleet_of(request)
    notes = await fleet.notes_on(query.undocumented, query.paths)
    found = await fleet.find(query)
    return responses.warned(responses.documents(found, revision=revision, form=responses.form_of(request)), notes)


async def explain_query(request: Request) -> Response:
    """How a query is answered, in words and numbers."""
    return await _explained(request, await EXPLAINED.of(request, limits=registry_of(request).limits))


async def count_clusters(request: Request) -> Response:
    """How many documents match."""
    registry = registry_of(request)
    query = await COUNT.of(request, limits=registry.limits, keys=COUNT_KEYS)
    revision, fleet = str(registry.view.revision), await fleet_of(request)
    notes = await fleet.notes_on(query.undocumented, query.paths)
    count = await fleet.count(query)
    response = responses.json_response({"count": count}, headers={responses.REVISION_HEADER: revision})
    return responses.warned(response, notes)


async def aggregate_clusters(request: Request) -> Response:
    """What comes out of the pipeline."""
    registry = registry_of(request)
    aggregation = await AGGREGATION.of(request, limits=registry.limits)
    revision, fleet = registry.view.revision, await fleet_of(request)
    notes = await fleet.notes_on(aggregation.undocumented, aggregation.paths)
    results = await fleet.aggregate(aggregation)
    return responses.warned(responses.documents(results, revision=revision, form=responses.form_of(request)), notes)


async def facet_clusters(request: Request) -> Response:
    """How many of the matching documents have which values."""
    registry = registry_of(request)
    asked = await FACETS.of(request, limits=registry.limits)
    revision, fleet = str(registry.view.revision), await fleet_of(request)
    notes = await fleet.notes_on(asked.query.undocumented, asked.query.paths)
    facets = await fleet.facets(asked)
    response = responses.json_response(facets, headers={responses.REVISION_HEADER: revision})
    return responses.warned(response, notes)


async def distinct_values(request: Request) -> Response:
    """The distinct values at a path of the matching documents."""
    registry = registry_of(request)
    asked = await DISTINCT.of(request, limits=registry.limits)
    revision, fleet = str(registry.view.revision), await fleet_of(request)
    notes = await fleet.notes_on(asked.query.undocumented, asked.query.paths)
    values = await fleet.distinct(asked)
    response = responses.json_response(values, headers={responses.REVISION_HEADER: revision})
    return responses.warned(response, notes)


async def _explained(request: Request, asked: Explained) -> Response:
    fleet, query = await fleet_of(request, "explain"), asked.query
    notes = await fleet.notes_on(query.undocumented, query.paths)
    meant: Document = {"query": asked.filter, "where": words_of(asked.filter, FLEET_WORDS)}
    explanation = await fleet.explain(query, asked.aggregation)
    return responses.warned(responses.json_response({**meant, **explanation}), notes)


async def fleet_of(request: Request, verb: Verb = "read") -> PresentFleet | PastFleet:
    """The clusters that the caller sees: those of now, or of the moment that is asked for."""
    registry, caller, moment = registry_of(request), caller_of(request), moment_of(request)
    if moment is None:
        return registry.reader.fleet(caller, verb)
    return await registry.history.fleet(caller, moment, verb)


EXAMPLE = {"query": {"gpus.count": {"$gte": 2}, "status": "live"}, "sort": {"reputation": -1}, "limit": 10}
QUERY = Body(
    parse_pageable,
    reference("QueryRequest"),
    'a filter, or `{"query": filter, ...}`, as [below](#queries)',
    EXAMPLE,
    optional=True,
    options=QUERY_KEYS,
)
EXPLAINED = Body(
    parse_explained,
    reference("ExplanationRequest"),
    'a filter, or `{"query": filter, ...}`, as [below](#queries), or `{"pipeline": stages}`',
    EXAMPLE,
    optional=True,
    options=QUERY_KEYS,
)
COUNT = Body(
    parse_query,
    reference("CountRequest"),
    'a filter, or `{"query": filter, "skip", "limit", "maxTimeMS"}`',
    {"gpus.count": {"$gte": 2}},
    optional=True,
    options=COUNT_KEYS,
)
AGGREGATION = Body(
    parse_aggregation,
    reference("AggregationRequest"),
    'an array of stages, or `{"pipeline": stages, "maxTimeMS"}`',
    [{"$group": {"_id": "$regionId", "gpus": {"$sum": "$gpus.count"}}}, {"$sort": {"gpus": -1}}],
    options=AGGREGATION_KEYS,
)
FACETS = Body(
    parse_facets,
    reference("FacetsRequest"),
    'a filter, or `{"query": filter, "facets": [path, ...], "limit", "maxTimeMS"}`',
    {"query": {"status": "live"}, "facets": ["regionId", "tags"]},
    optional=True,
    options=facet_requests.KEYS,
)
DISTINCT = Body(
    parse_distinct,
    reference("DistinctRequest"),
    '`{"key": path, "query": filter, "maxTimeMS"}`',
    {"key": "regionId", "query": {"status": "live"}},
    options=distinct.KEYS,
)

OF_FILTERS = (errors.LanguageRefused, errors.FilterRefused, errors.ExpressionRefused)
OF_QUERIES = (*OF_FILTERS, errors.SortRefused, errors.ProjectionRefused, errors.Compacted)
MOMENT = (REVISION, AT)
NOTED = (headers.WARNING,)
ANY_DOCUMENT = reference("AnyDocument")

OPERATIONS = (
    Operation(
        name="queryClusters",
        method="POST",
        path="/clusters/query",
        handler=query_clusters,
        tag="queries",
        summary="Find clusters",
        verb="read",
        parameters=(*MOMENT, INCLUDE, CURSOR),
        headers=(headers.ACCEPT,),
        body=QUERY,
        answers=(
            Answer(
                200,
                "an array of documents, or with a `cursor` a page of it; with `explain`, the explanation",
                {"anyOf": [array_of(ANY_DOCUMENT), reference("Explanation")]},
                (*PAGE_HEADERS, *NOTED),
                (JSON, NDJSON),
            ),
        ),
        refuses=(*OF_QUERIES, errors.CursorRefused),
        shortcut=True,
    ),
    Operation(
        name="countClusters",
        method="POST",
        path="/clusters/count",
        handler=count_clusters,
        tag="queries",
        summary="Count clusters",
        verb="read",
        parameters=MOMENT,
        body=COUNT,
        answers=(Answer(200, '`{"count": number}`', reference("Count"), NOTED),),
        refuses=(*OF_FILTERS, errors.Compacted),
    ),
    Operation(
        name="explainQuery",
        method="POST",
        path="/clusters/explain",
        handler=explain_query,
        tag="queries",
        summary="Explain how a query is answered",
        verb="explain",
        parameters=MOMENT,
        body=EXPLAINED,
        answers=(
            Answer(
                200,
                "how the query is answered: candidates, exactness and time, in words and numbers",
                reference("Explanation"),
                NOTED,
            ),
        ),
        refuses=(*OF_QUERIES, errors.PipelineRefused),
    ),
    Operation(
        name="facetClusters",
        method="POST",
        path="/clusters/facets",
        handler=facet_clusters,
        tag="queries",
        summary="Count clusters by their values",
        verb="read",
        parameters=MOMENT,
        body=FACETS,
        answers=(
            Answer(
                200,
                '`{"count": number, "facets": {path: {"values": [{"value", "count"}], "distinct", "missing", '
                '"unlisted"}}}`',
                reference("Facets"),
                NOTED,
            ),
        ),
        refuses=(*OF_FILTERS, errors.Compacted),
    ),
    Operation(
        name="distinctValues",
        method="POST",
        path="/clusters/distinct",
        handler=distinct_values,
        tag="queries",
        summary="List the distinct values of a field",
        verb="read",
        parameters=MOMENT,
        body=DISTINCT,
        answers=(Answer(200, "an array of the values, in MongoDB's order", {"type": "array"}, NOTED),),
        refuses=(*OF_FILTERS, errors.Compacted),
    ),
    Operation(
        name="aggregateClusters",
        method="POST",
        path="/clusters/aggregate",
        handler=aggregate_clusters,
        tag="queries",
        summary="Run an aggregation pipeline",
        verb="read",
        parameters=MOMENT,
        headers=(headers.ACCEPT,),
        body=AGGREGATION,
        answers=(
            Answer(
                200,
                "an array of what comes out",
                array_of({"type": "object"}),
                NOTED,
                media_types=(JSON, NDJSON),
            ),
        ),
        refuses=(*OF_QUERIES, errors.PipelineRefused),
    ),
)
