"""What the registry knows beside the documents, of many clusters at once: filters and facets on it need no document.

One rule: the same as looking at every document with its ``_registry``. What is not one plain value is left to that.
"""

from collections import Counter
from collections.abc import Sequence

from pyroaring import BitMap

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.ordering import sort_key
from rollbook.documents.values import Maybe
from rollbook.language.filters import Filter, compile_filter
from rollbook.language.filters.nodes import All, Constant, Field, Not
from rollbook.language.filters.nodes import Any as AnyOf
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.narrowing import looks_at_registry
from rollbook.view.entries import Entry
from rollbook.view.facets import Bucket, Facet

PLAIN = frozenset({"revision", "createdAt", "updatedAt", "protected", "liveness"})
"""Fields that every cluster has, each one short value."""


def numbers_matching(filter: Filter, entries: Sequence[Entry], facts: Facts) -> BitMap | None:
    """The numbers of the entries that meet the clauses of a filter on ``_registry``; None: documents must be looked at.

    Other clauses are taken as met.
    """
    clauses = filter.clauses if isinstance(filter, All) else (filter,)
    flags = _flags(All(tuple(filter for filter in clauses if looks_at_registry(filter))), entries, facts)
    if flags is None:
        return None
    return BitMap([entry.number for entry, flag in zip(entries, flags, strict=True) if flag])


def facets_of_registry(asked: FacetQuery, entries: Sequence[Entry], facts: Facts) -> dict[str, Facet]:
    """The facets of plain fields of ``_registry``."""
    paths = {facet.name: facet.paths[0] for facet in asked.facets if facet.reads_registry}
    plain = {name: path[1] for name, path in paths.items() if len(path) == 2 and path[1] in PLAIN}
    return {name: _facet(facts.fields_of(entries, field), asked.values_max) for name, field in plain.items()}


def _facet(values: Sequence[Maybe], values_max: int) -> Facet:
    buckets = [Bucket(value, count) for value, count in Counter(values).items()]  # type: ignore[arg-type]
    buckets.sort(key=lambda bucket: (-bucket.documents, sort_key(bucket.value)))
    return Facet(tuple(buckets[:values_max]), len(buckets), 0, 0)


def _flags(filter: Filter, entries: Sequence[Entry], facts: Facts) -> list[bool] | None:
    match filter:
        case Constant(matches):
            return [matches] * len(entries)
        case Not(clause):
            found = _flags(clause, entries, facts)
            return None if found is None else [not flag for flag in found]
        case All(clauses) | AnyOf(clauses):
            parts = [_flags(clause, entries, facts) for clause in clauses]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                return None
            join = all if isinstance(filter, All) else any
            return [join(flags) for flags in zip(*known, strict=True)] if known else [join(())] * len(entries)
        case Field(path) if len(path) == 2 and path[0] == REGISTRY_FIELD and path[1] in PLAIN:
            return _verdicts(filter, path[1], facts.fields_of(entries, path[1]))
    return None


def _verdicts(clause: Filter, name: str, values: Sequence[Maybe]) -> list[bool]:
    """Whether each value meets a clause; equal values are judged once."""
    predicate = compile_filter(clause)
    verdicts = {value: predicate({REGISTRY_FIELD: {name: value}}) for value in set(values)}  # type: ignore[dict-item]
    return [verdicts[value] for value in values]
