"""The body of a query in its other readings: as a page, and as what is to be explained."""

from rollbook.documents.values import MISSING, Document, Maybe
from rollbook.limits import Limits
from rollbook.registry.listing.page_requests import PageRequest, parse_page, with_cursor
from rollbook.registry.reading.filters_in_words import has_filter_beside, with_filter_in_json
from rollbook.registry.reading.requests import Query, parse_query


def parse_pageable(body: Maybe, *, limits: Limits, cursor: str | None, moment: str) -> Query | PageRequest:
    """The query of a body; a page of it where there is a cursor, in the body or as the parameter."""
    if not isinstance(body, dict) or not has_filter_beside(body):
        body = {"query": {} if body is MISSING else body} if cursor is not None else body
    if cursor is None and not (isinstance(body, dict) and has_filter_beside(body) and "cursor" in body):
        return parse_query(body, limits=limits)
    assert isinstance(body, dict)
    return parse_page(with_cursor(body, cursor), limits=limits, moment=moment)


def parse_explained(body: Maybe, *, limits: Limits) -> tuple[Query, Document]:
    """The query of a body, and its filter as JSON."""
    query = parse_query(body, limits=limits)
    if not isinstance(body, dict):
        return query, {}
    if not has_filter_beside(body):
        return query, body
    filter = with_filter_in_json(body, limits=limits)["query"]
    assert isinstance(filter, dict)
    return query, filter
