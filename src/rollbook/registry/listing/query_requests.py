"""The body of a query in its other readings: as a page, and as what is to be explained."""

from msgspec import Struct

from rollbook.documents.values import MISSING, Document, Maybe
from rollbook.limits import Limits
from rollbook.registry.listing.page_requests import PageRequest, parse_page, with_cursor
from rollbook.registry.reading.filters_in_words import has_filter_beside, with_filter_in_json
from rollbook.registry.reading.requests import Aggregation, Query, parse_aggregation, parse_query


def parse_pageable(body: Maybe, *, limits: Limits, cursor: str | None, moment: str) -> Query | PageRequest:
    """The query of a body; a page of it where there is a cursor, in the body or as the parameter."""
    if not isinstance(body, dict) or not has_filter_beside(body):
        body = {"query": {} if body is MISSING else body} if cursor is not None else body
    if cursor is None and not (isinstance(body, dict) and has_filter_beside(body) and "cursor" in body):
        return parse_query(body, limits=limits)
    assert isinstance(body, dict)
    return parse_page(with_cursor(body, cursor), limits=limits, moment=moment)


class Explained(Struct, frozen=True):
    """What is to be explained: a query, its filter as JSON, and the aggregation that begins with it, if it is one."""

    query: Query
    filter: Document
    aggregation: Aggregation | None = None


def parse_explained(body: Maybe, *, limits: Limits) -> Explained:
    """The query of a body, or the pipeline under ``pipeline``."""
    if isinstance(body, dict) and isinstance(body.get("pipeline"), list):
        return _explained_pipeline(body, limits=limits)
    query = parse_query(body, limits=limits)
    if not isinstance(body, dict):
        return Explained(query, {})
    if not has_filter_beside(body):
        return Explained(query, body)
    filter = with_filter_in_json(body, limits=limits)["query"]
    assert isinstance(filter, dict)
    return Explained(query, filter)


def _explained_pipeline(body: Document, *, limits: Limits) -> Explained:
    aggregation = parse_aggregation(body, limits=limits)
    query = Query(
        aggregation.filter,
        reads_registry=aggregation.reads_registry,
        lease_fields=aggregation.lease_fields,
        may_be_slow=True,
        max_time_ms=aggregation.max_time_ms,
        undocumented=aggregation.undocumented,
        paths=aggregation.paths,
    )
    stages = body["pipeline"]
    assert isinstance(stages, list)
    first = stages[0] if stages else None
    filter = first.get("$match") if isinstance(first, dict) else None
    return Explained(query, filter if isinstance(filter, dict) else {}, aggregation)
