"""What callers ask for page by page, as JSON: a query with the size of its pages, and where the last page ended."""

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value, is_integer
from rollbook.errors import LanguageRefused
from rollbook.limits import Limits
from rollbook.registry.listing.cursors import digest_of
from rollbook.registry.reading.requests import QUERY_KEYS, Query, parse_query

LIMIT_DEFAULT, LIMIT_MAX = 100, 1000
BAD_VALUE = 2
PAGE_KEYS = (*(key for key in QUERY_KEYS if key not in ("skip", "explain")), "cursor")
SETTLED = ("query", "where", "sort", "collation", "columns")
"""What must stay the same from page to page."""


class PageRequest(Struct, frozen=True):
    """A query, the size of its pages, and the cursor of the last page (None: the first page is asked for).

    ``digest`` stands for what must stay the same from page to page.
    """

    query: Query
    limit: int
    cursor: str | None
    digest: bytes


def parse_page(
    body: Mapping[str, Value], *, limits: Limits, moment: str = "", keys: Collection[str] = PAGE_KEYS
) -> PageRequest:
    """The page that a body with a ``cursor`` asks for: null for the first one. ``moment``: as of when, as written."""
    cursor = body.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        problem = "the cursor is null for the first page, and then what Link gives"
        raise LanguageRefused(problem, at="/cursor", mongo_code=BAD_VALUE)
    limit = limit_in(body)
    options = {key: value for key, value in body.items() if key not in ("cursor", "limit")}
    query = parse_query(options, limits=limits, keys=keys)
    settled: list[Value] = [body.get(key) for key in SETTLED]
    return PageRequest(replace(query, limit=0), limit, cursor or None, digest_of(encode_json([*settled, moment])))


def with_cursor(body: Document, cursor: str | None) -> Document:
    """The body with the cursor of a parameter, where there is one. Refuses (LanguageRefused) a second cursor."""
    if cursor is None:
        return body
    if body.get("cursor") is not None:
        problem = "the cursor is given twice: as a parameter and in the body"
        raise LanguageRefused(problem, at="/cursor", mongo_code=BAD_VALUE)
    return {**body, "cursor": cursor}


def limit_in(body: Mapping[str, Value]) -> int:
    """The size of a page: 100 unless given, 1,000 at most."""
    limit = body.get("limit", LIMIT_DEFAULT)
    if not is_integer(limit) or not 1 <= limit <= LIMIT_MAX:
        problem = f"the limit of a page is an integer from 1 to {LIMIT_MAX}"
        raise LanguageRefused(problem, at="/limit", mongo_code=BAD_VALUE)
    return limit
