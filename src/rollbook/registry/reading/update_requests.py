"""What callers ask of one cluster: updates, each with its condition and how it is answered."""

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.casting import cast_array_filters, cast_update
from rollbook.clusters.registry_fields import names_registry, registry_fields_in, registry_paths_in
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.bounding import holds_more_than
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import FilterRefused, UpdateRefused, below
from rollbook.language.edits import parse_edit, parse_update_body
from rollbook.language.filters import Filter
from rollbook.language.projections import parse_projection
from rollbook.language.strays import check_update_words
from rollbook.limits import Limits
from rollbook.registry.reading.cluster_filters import parse_cluster_filter
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.filters_in_words import with_filter_in_json
from rollbook.registry.reading.narrowing import on_documents
from rollbook.registry.writing.commands import Returned, Update
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition

LARGE_VALUES = 20_000
"""An update of more values is parsed on a thread: to set them and to write them as JSON takes some 5 ms."""

BESIDE_AN_UPDATE = {
    **{
        name: f'{{"update": {{...}}, "{name}": ...}}'
        for name in ("update", "filter", "arrayFilters", "returnDocument", "projection", "comment")
    },
    "query": '{"update": {...}, "filter": {...}}',
    "upsert": "?upsert=true in the address",
    "where": '{"update": {...}, "where": "..."}',
    "multi": "nothing of it, for an update changes one cluster",
}


def parse_update_request(
    id: str,
    body: Value,
    *,
    rules: SchemaRules,
    limits: Limits,
    precondition: Precondition = ANY_REVISION,
    facts: Facts | None = None,
    upsert: bool = False,
) -> Update:
    """The command that an update body means for cluster ``id``.

    ``facts`` answer a condition on ``_registry``, as of the decision; without them it is refused.
    """
    update, array_filters, condition, at = parse_update_body(_in_json(body, limits))
    if not isinstance(update, (dict, list)):
        raise UpdateRefused("an update is an object of operators or fields, or an array of stages", at=at, mongo_code=9)
    check_update_words(update, at=at, options=BESIDE_AN_UPDATE)
    _check_reads(update, at)
    filter, reads_registry = _condition(condition, limits, facts)
    edit = parse_edit(
        cast_update(update, at=at),
        array_filters=MISSING if array_filters is MISSING else cast_array_filters(array_filters, update),
        filter=on_documents(filter) if filter is not None and reads_registry else filter,
        at=at,
        limits=limits,
    )
    return Update(
        id,
        edit,
        rules,
        condition=filter,
        precondition=precondition,
        limits=limits,
        facts=facts if reads_registry else None,
        is_large=holds_more_than(LARGE_VALUES, [body]),
        returned=_returned(body, limits) if at else None,
        upsert=upsert,
    )


def _in_json(body: Value, limits: Limits) -> Value:
    """The body with its condition in JSON, where that stands beside an update in words."""
    if not isinstance(body, dict) or "update" not in body:
        return body
    return with_filter_in_json(body, limits=limits, name="filter")


def _condition(condition: Maybe, limits: Limits, facts: Facts | None) -> tuple[Filter | None, bool]:
    """The condition beside an update, and whether it looks at ``_registry``."""
    if condition is MISSING:
        return None, False
    reads_registry, _ = registry_fields_in(condition, FilterRefused, at="/filter")
    if reads_registry and facts is None:
        raise FilterRefused(f"nothing is known of {REGISTRY_FIELD} here", at="/filter", mongo_code=BAD_VALUE)
    return parse_cluster_filter(condition, at="/filter", limits=limits), reads_registry


def _check_reads(update: Document | list[Value], at: str) -> None:
    """Refuses an update that reads or removes something of ``_registry``, for no document holds it.

    What it would store there is refused with the document.
    """
    places = [place for _, place in registry_paths_in(update, at)] if isinstance(update, list) else []
    for operator, operand in update.items() if isinstance(update, dict) else ():
        if operator in DOING_NOTHING and isinstance(operand, dict):
            here = below(at, operator)
            places += [below(here, path) for path in operand if path.partition(".")[0] == REGISTRY_FIELD]
    if places:
        problem = f"an update can't read or change {REGISTRY_FIELD}: a condition on it stands in the filter beside it"
        raise UpdateRefused(problem, at=places[0], mongo_code=BAD_VALUE)


def _returned(body: Value, limits: Limits) -> Returned | None:
    """How the caller wants the document: before or after the update, and which part of it; None: all of it, after."""
    assert isinstance(body, dict)
    asked, projection = body.get("returnDocument", "after"), body.get("projection")
    if asked not in ("before", "after"):
        raise UpdateRefused('returnDocument is "before" or "after"', at="/returnDocument", mongo_code=BAD_VALUE)
    if asked == "after" and projection is None:
        return None
    if names_registry(projection):
        problem = f"the answer to an update is the document, without {REGISTRY_FIELD}: read it with ?include=registry"
        raise UpdateRefused(problem, at="/projection", mongo_code=BAD_VALUE)
    parsed = None if projection is None else parse_projection(projection, at="/projection", limits=limits)
    return Returned(asked == "before", parsed)


BAD_VALUE = 2

DOING_NOTHING = frozenset({"$unset", "$rename", "$pull", "$pullAll", "$pop", "$setOnInsert"})
"""Operators that would silently do nothing where there is no value."""
