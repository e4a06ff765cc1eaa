"""What callers ask of all clusters that match a filter: one update of each, or their deletion."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value, is_integer
from rollbook.errors import FilterRefused, LanguageRefused
from rollbook.limits import Limits
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.filters_in_words import with_filter_in_json
from rollbook.registry.reading.options import refuse_unknown
from rollbook.registry.reading.requests import Query, parse_query
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.writing.commands import Command, Delete

AT_MOST_DEFAULT = 1_000
UPDATE_KEYS = ("filter", "where", "update", "arrayFilters", "atMost", "maxTimeMS", "comment")
DELETE_KEYS = ("filter", "where", "atMost", "confirm", "maxTimeMS", "comment")

MakeCommand: TypeAlias = Callable[[str], Command]
"""Makes the command for the cluster with an id."""


class FilteredWrite(Struct, frozen=True):
    """One command for each cluster that a query finds, of which there may be ``at_most``.

    ``asked`` stands for the filter. ``confirm`` is what a dry run has answered (None: nothing is brought).
    """

    query: Query
    command_for: MakeCommand
    at_most: int
    asked: bytes
    confirm: str | None = None


def parse_filtered_update(body: Value, *, rules: SchemaRules, limits: Limits, facts: Facts) -> FilteredWrite:
    """The update that ``{"filter": ..., "update": ...}`` asks for. The filter also gives positional ``$`` its place."""
    members = _members(body, UPDATE_KEYS, limits)
    if "update" not in members:
        raise LanguageRefused("an update is missing: {'filter': ..., 'update': ...}", mongo_code=BAD_VALUE)
    asked: Document = {name: members[name] for name in ("filter", "update", "arrayFilters") if name in members}
    query = _query(members, limits)
    update = replace(parse_update_request("", asked, rules=rules, limits=limits, facts=facts), condition=None)
    update = replace(update, facts=None)
    return _write(query, lambda id: replace(update, id=id), members, limits)


def parse_filtered_deletion(body: Value, *, limits: Limits) -> FilteredWrite:
    """The deletion that ``{"filter": ..., "confirm": ...}`` asks for."""
    members = _members(body, DELETE_KEYS, limits)
    confirm = members.get("confirm")
    if confirm is not None and not isinstance(confirm, str):
        raise LanguageRefused("confirm is what the dry run has answered, a string", at="/confirm", mongo_code=BAD_VALUE)
    return replace(_write(_query(members, limits), Delete, members, limits), confirm=confirm)


def _members(body: Value, keys: tuple[str, ...], limits: Limits) -> Document:
    if not isinstance(body, dict):
        raise LanguageRefused("the body is an object with a filter: {'filter': ...}", mongo_code=TYPE_MISMATCH)
    if "query" in body:
        problem = "'query' is not read here: the filter of a write on all that match is named 'filter'"
        raise LanguageRefused(problem, at="/query", mongo_code=UNKNOWN_FIELD)
    refuse_unknown(body, keys, beside="where" if "where" in body else "filter")
    members = with_filter_in_json(body, limits=limits, name="filter")
    if "filter" not in members:
        problem = "a filter is missing: {'filter': {...}}; {} is every cluster"
        raise FilterRefused(problem, at="/filter", mongo_code=BAD_VALUE)
    return members


def _query(members: Document, limits: Limits) -> Query:
    options: Document = {name: members[name] for name in ("maxTimeMS", "comment") if name in members}
    with _refusals_at_filter():
        return parse_query({"query": members["filter"], **options}, limits=limits)


@contextmanager
def _refusals_at_filter() -> Iterator[None]:
    """Makes refusals of the query name the member that the caller has sent."""
    try:
        yield
    except LanguageRefused as refused:
        if refused.at.startswith("/query"):
            refused.at = "/filter" + refused.at.removeprefix("/query")
        raise


def _write(query: Query, command_for: MakeCommand, members: Document, limits: Limits) -> FilteredWrite:
    at_most = members.get("atMost", AT_MOST_DEFAULT)
    if not is_integer(at_most) or not 1 <= at_most <= limits.filtered_writes_max:
        problem = f"atMost is an integer from 1 to {limits.filtered_writes_max}"
        raise LanguageRefused(problem, at="/atMost", mongo_code=BAD_VALUE)
    return FilteredWrite(query, command_for, at_most, encode_json(members["filter"]))


BAD_VALUE, TYPE_MISMATCH, UNKNOWN_FIELD = 2, 14, 40415
