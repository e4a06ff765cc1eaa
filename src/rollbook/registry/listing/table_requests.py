"""What callers ask for in a table: which clusters, which columns, in which order, and page by page or all at once."""

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.registry_fields import registry_fields_in
from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import Document, Maybe
from rollbook.errors import LanguageRefused, below
from rollbook.limits import Limits
from rollbook.registry.listing.page_requests import PageRequest, parse_page, with_cursor
from rollbook.registry.reading.filters_in_words import has_filter_beside
from rollbook.registry.reading.options import count_in
from rollbook.registry.reading.requests import Query, parse_query

KEYS = ("query", "where", "columns", "sort", "limit", "cursor", "maxTimeMS", "collation", "comment")
COLUMNS_MAX = 100
BAD_VALUE, TYPE_MISMATCH = 2, 14


class TableRequest(Struct, frozen=True):
    """A table: its columns by name, and the clusters that are its rows. ``page`` None: all of them, or the first
    ``query.limit``, if that is not 0."""

    columns: dict[str, Path]
    query: Query
    page: PageRequest | None


def parse_table(body: Maybe, *, limits: Limits, cursor: str | None = None, moment: str = "") -> TableRequest:
    """The table of a body ``{"query": filter, "columns": [path, ...]}``; without a filter it is of every cluster."""
    if not isinstance(body, dict):
        problem = "the body must be an object: {'query': filter, 'columns': [path, ...]}"
        raise LanguageRefused(problem, mongo_code=TYPE_MISMATCH)
    body = with_cursor(body, cursor)
    columns = {name: parse_path(name) for name in _names_in(body)}
    reads_registry, lease_fields = registry_fields_in(dict.fromkeys(columns), LanguageRefused, at="/columns")
    asked: Document = {key: value for key, value in body.items() if key != "columns"}
    asked = asked if has_filter_beside(asked) else {"query": {}, **asked}
    page = None
    if "cursor" in body:
        page = parse_page(asked, limits=limits, moment=moment, keys=KEYS)
        query = page.query
    else:
        query = replace(parse_query(asked, limits=limits, keys=KEYS), limit=count_in(body, "limit"))
    query = replace(
        query,
        reads_registry=query.reads_registry or reads_registry,
        lease_fields=(*query.lease_fields, *lease_fields),
    )
    return TableRequest(columns, query, None if page is None else replace(page, query=query))


def _names_in(body: Document) -> list[str]:
    names, at = body.get("columns"), "/columns"
    if not isinstance(names, list) or not names or len(names) > COLUMNS_MAX:
        problem = f"columns is an array of 1 to {COLUMNS_MAX} paths"
        raise LanguageRefused(problem, at=at, mongo_code=TYPE_MISMATCH)
    found: list[str] = []
    for place, name in enumerate(names):
        if not isinstance(name, str) or any(not each or each.startswith("$") for each in name.split(".")):
            problem = "a column is a dotted path, no component of which is empty or begins with '$'"
            raise LanguageRefused(problem, at=below(at, place), mongo_code=BAD_VALUE)
        found.append(name)
    return list(dict.fromkeys(found))
