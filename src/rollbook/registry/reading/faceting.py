"""Counting facets: from the index where possible, else by reading every document.

One rule: both ways give the same. A document counts once for each value that it has at a path, an array for each of its
elements; what is no plain value (an object, an empty array, a long string) is counted as ``unlisted``.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from pyroaring import BitMap

from rollbook.clusters.gpu_models import model_of
from rollbook.documents.ordering import sort_key
from rollbook.documents.values import MISSING, Document, Value
from rollbook.language.filters.traversal import reached
from rollbook.limits import DEFAULT_LIMITS, RequestBudget
from rollbook.registry.reading.facet_requests import FacetAsked, FacetQuery
from rollbook.view.facets import SCALAR_MARKS, Bucket, Facet, facet_of
from rollbook.view.index.indexes import Index
from rollbook.view.index.keys import EMPTY_ARRAY, LONG, NESTED, OBJECT, Key, keys_of
from rollbook.view.merged_facets import merged_facet_of
from rollbook.view.planning.planning_budgets import effort_from_now

UNLISTED = frozenset({OBJECT, NESTED, EMPTY_ARRAY, LONG})
BYTES_PER_VALUE = 200
WORK_UNITS_PER_FACET = 8


def facets_in_index(asked: FacetQuery, index: Index, candidates: BitMap | None) -> dict[str, Facet]:
    """The facets that the index can count among the ``candidates`` (None: among all documents)."""
    within = index.live if candidates is None else candidates
    effort = effort_from_now()
    known: dict[str, Facet] = {}
    for facet in asked.facets:
        bounds: dict[str, Any] = {"buckets_max": asked.values_max, "effort": effort}
        if facet.of_gpus:
            found = merged_facet_of(index.root, facet.paths, within, name_of=model_of, **bounds)
        else:
            found = facet_of(index.root, facet.paths[0], within, **bounds)
        if found is not None:
            known[facet.name] = found
    return known


def facets_in_documents(
    facets: Sequence[FacetAsked], documents: Iterable[Document], *, values_max: int, work: RequestBudget
) -> tuple[int, dict[str, Facet]]:
    """How many documents there are, and the facets of them."""
    tallies = [_Tally(facet, work) for facet in facets]
    count = 0
    for document in documents:
        count += 1
        work.spend(WORK_UNITS_PER_FACET * len(tallies))
        for tally in tallies:
            tally.add(document)
    return count, {tally.facet.name: tally.counted(values_max) for tally in tallies}


def facets_as_json(asked: FacetQuery, count: int, known: dict[str, Facet]) -> dict[str, Value]:
    """The answer: how many documents match, and the facets in the order in which they were asked for."""
    return {"count": count, "facets": {facet.name: _as_json(known[facet.name]) for facet in asked.facets}}


class _Tally(Struct):
    """One facet while documents are looked at."""

    facet: FacetAsked
    work: RequestBudget
    counts: Counter[Key] = field(default_factory=Counter)
    missing: int = 0
    unlisted: int = 0

    def add(self, document: Document) -> None:
        keys = self._keys_in(document)
        listed = {key for key in keys if isinstance(key, (str, int, float)) or key in SCALAR_MARKS}
        if self.facet.of_gpus:
            listed = {model_of(key) for key in listed if isinstance(key, str)}
        before = len(self.counts)
        self.counts.update(listed)
        self.work.allocate(BYTES_PER_VALUE * (len(self.counts) - before))
        self.missing += not keys
        self.unlisted += bool(keys) and not listed if self.facet.of_gpus else bool(keys & UNLISTED)

    def counted(self, values_max: int) -> Facet:
        """The facet. An equally frequent value comes by its place in MongoDB's order."""
        buckets = [Bucket(_value_of(key), documents) for key, documents in self.counts.items()]
        buckets.sort(key=lambda bucket: (-bucket.documents, sort_key(bucket.value)))
        return Facet(tuple(buckets[:values_max]), len(buckets), self.missing, self.unlisted)

    def _keys_in(self, document: Document) -> set[Key]:
        values = (value for path in self.facet.paths for value, _ in reached(document, path, whole=True))
        length_max = DEFAULT_LIMITS.indexed_text_length_max
        return {key for value in values if value is not MISSING for key in keys_of(value, length_max)}


def _value_of(key: Key) -> Value:
    assert isinstance(key, (str, int, float)) or key in SCALAR_MARKS
    return key if isinstance(key, (str, int, float)) else SCALAR_MARKS[key]


def _as_json(facet: Facet) -> Value:
    values: list[Value] = [{"value": bucket.value, "count": bucket.documents} for bucket in facet.buckets]
    return {"values": values, "distinct": facet.distinct, "missing": facet.missing, "unlisted": facet.unlisted}
