"""The distinct values at one path of the clusters that match: as MongoDB's ``distinct`` gives them.

One rule: an array counts by its elements, and an array in it as a value; what is missing gives no value. Values come
in MongoDB's order.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace
from pyroaring import BitMap

from rollbook.clusters.registry_fields import registry_fields_in
from rollbook.documents.codec import encode_json
from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import LanguageRefused
from rollbook.language.collation import Collation, parse_collation
from rollbook.language.filters.traversal import reached
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.reading.filters_in_words import has_filter_beside
from rollbook.registry.reading.requests import Query, parse_query
from rollbook.view.facets import facet_of
from rollbook.view.index.indexes import Index
from rollbook.view.planning.planning_budgets import effort_from_now

KEYS = ("key", "query", "where", "maxTimeMS", "collation", "comment")
VALUES_IN_INDEX_MAX = 100_000
BAD_VALUE, TYPE_MISMATCH = 2, 14


class DistinctQuery(Struct, frozen=True):
    """The clusters that are looked at, the path whose values are asked for, and how texts are compared."""

    query: Query
    path: Path
    collation: Collation | None = None


def parse_distinct(body: Maybe, *, limits: Limits) -> DistinctQuery:
    """The request of a body ``{"key": path, "query": filter}``; without a filter it is about every cluster."""
    if not isinstance(body, dict):
        raise LanguageRefused("the body must be an object: {'key': path, 'query': filter}", mongo_code=TYPE_MISMATCH)
    key = body.get("key")
    if not isinstance(key, str):
        raise LanguageRefused("'key' must be a dotted path, a string", at="/key", mongo_code=TYPE_MISMATCH)
    if not key or any(not name or name.startswith("$") for name in key.split(".")):
        problem = "'key' is a dotted path, no component of which is empty or begins with '$'"
        raise LanguageRefused(problem, at="/key", mongo_code=BAD_VALUE)
    asked = body if has_filter_beside(body) else {"query": {}, **body}
    query = parse_query(asked, limits=limits, keys=KEYS)
    reads_registry, lease_fields = registry_fields_in({key: 1}, LanguageRefused, at="/key")
    query = replace(
        query,
        reads_registry=query.reads_registry or reads_registry,
        lease_fields=(*query.lease_fields, *lease_fields),
        paths=(*query.paths, parse_path(key)),
    )
    return DistinctQuery(query, parse_path(key), parse_collation(body.get("collation"), at="/collation"))


def distinct_in_index(path: Path, index: Index, candidates: BitMap | None) -> list[Value] | None:
    """The values of the ``candidates`` (None: of all documents); None when the index does not know them all."""
    within = index.live if candidates is None else candidates
    facet = facet_of(index.root, path, within, buckets_max=VALUES_IN_INDEX_MAX, effort=effort_from_now())
    if facet is None or facet.unlisted or facet.distinct > VALUES_IN_INDEX_MAX:
        return None
    return sorted((bucket.value for bucket in facet.buckets), key=sort_key)


def distinct_in_documents(
    path: Path, documents: Iterable[Document], *, work: RequestBudget, collation: Collation | None = None
) -> list[Value]:
    """The values of these documents; of those that the collation holds equal, the first.

    Refuses (WorkExceeded) more than one request may make.
    """
    found: dict[object, Value] = {}
    fold = collation.fold if collation else _itself
    for document in documents:
        for value, _ in reached(document, path, whole=True):
            for one in value if isinstance(value, list) else () if value is MISSING else (value,):
                key = sort_key(fold(one))
                if key not in found:
                    work.allocate(len(encode_json(one)))
                    found[key] = one
    return sorted(found.values(), key=lambda value: sort_key(fold(value)))


def _itself(value: Maybe) -> Maybe:
    return value
