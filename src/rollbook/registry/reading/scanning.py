"""A scan: entries of one moment, looked at one by one, and answered in the order and the form that is asked for."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from pyroaring import BitMap

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.values import INT64_MAX, Document, Value
from rollbook.language.filters import compile_filter
from rollbook.language.pipelines import Pipeline, stream_pipeline
from rollbook.language.projections import compile_projection
from rollbook.language.sorting import Sort, compile_sort
from rollbook.limits import RequestBudget
from rollbook.registry.answer_bytes import AnswerBytes
from rollbook.registry.reading.distinct import DistinctQuery, distinct_in_documents
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.faceting import facets_as_json, facets_in_documents
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.requests import Aggregation, Query
from rollbook.view.entries import Bodies, Entry
from rollbook.view.facets import Facet
from rollbook.view.index.postings import EMPTY

SORT_RUN_ENTRIES = 4096
UNBOUNDED = AnswerBytes()
WORK_UNITS_PER_DOCUMENT = 64
BYTES_PER_WORK_UNIT = 64


class Scan(Struct, frozen=True):
    """What to look at, within which budget.

    ``certain`` are the numbers of entries that match the query's filter for sure; None: all of them do. ``answers``
    hold what is found.
    """

    entries: Iterable[Entry]
    facts: Facts
    work: RequestBudget
    certain: BitMap | None = EMPTY
    answers: AnswerBytes = UNBOUNDED

    def find(self, query: Query) -> Sequence[bytes]:
        """The JSON of each matching document, as the query asks for it."""
        matching = self.matching(query)
        if query.sort is not None:
            matching = self._sorted(matching, query, query.sort)
        if query.answers_as_stored:
            return Bodies([entry for entry, _ in islice(matching, query.skip, stop_of(query))])
        shape = self._shape(query)
        window = islice(matching, query.skip, stop_of(query))
        return self.answers.gather(shape(entry, document) for entry, document in window)

    def count(self, query: Query) -> int:
        """How many documents match, within the query's ``skip`` and ``limit``."""
        return sum(1 for _ in islice(self.matching(query), query.skip, stop_of(query)))

    def aggregate(self, aggregation: Aggregation) -> Sequence[bytes]:
        """The JSON of each document that comes out of the pipeline."""
        documents = (self.document_of(entry, with_facts=aggregation.reads_registry) for entry in self.entries)
        return self.run(aggregation.pipeline, documents)

    def run(self, pipeline: Pipeline, documents: Iterable[Document]) -> Sequence[bytes]:
        """The JSON of each document that comes out when ``documents`` go through ``pipeline``."""
        return self.encoded(stream_pipeline(pipeline, documents, work=self.work))

    def encoded(self, documents: Iterable[Document]) -> Sequence[bytes]:
        """The JSON of each of the documents, none of which is too large."""
        return self.answers.gather(map(self._encoded, documents))

    def facets(self, asked: FacetQuery, known: Mapping[str, Facet]) -> dict[str, Value]:
        """How many of the matching documents have which values; ``known`` has the facets that are known already."""
        query = replace(asked.query, reads_registry=asked.reads_registry)
        documents = (document for _, document in self.matching(query))
        missing = [facet for facet in asked.facets if facet.name not in known]
        count, found = facets_in_documents(missing, documents, values_max=asked.values_max, work=self.work)
        return facets_as_json(asked, count, {**known, **found})

    def distinct(self, asked: DistinctQuery) -> list[Value]:
        """The distinct values at a path of the matching documents."""
        documents = (document for _, document in self.matching(asked.query))
        return distinct_in_documents(asked.path, documents, work=self.work, collation=asked.collation)

    def matching(self, query: Query) -> Iterator[tuple[Entry, Document]]:
        """The matching entries with their documents, in the order of the entries."""
        certain = self.certain
        matches = None if certain is None else compile_filter(query.filter, work=self.work)
        for entry in self.entries:
            document = self.document_of(entry, with_facts=query.reads_registry)
            if matches is None or certain is None or entry.number in certain or matches(document):
                yield entry, document

    def document_of(self, entry: Entry, *, with_facts: bool) -> Document:
        """The document of an entry, with what the registry knows about it."""
        self.work.spend(WORK_UNITS_PER_DOCUMENT + entry.size_bytes // BYTES_PER_WORK_UNIT)
        return self.facts.document_of(entry) if with_facts else decode_stored(entry.body)

    def _sorted(
        self, matching: Iterator[tuple[Entry, Document]], query: Query, sort: Sort
    ) -> Iterator[tuple[Entry, Document]]:
        """The matching documents in sorted order; equal ones keep their order.

        Only the keys are held while sorting. They are sorted in runs and merged, for one long sort in C would not let
        the event loop's thread in.
        """
        key_of = compile_sort(sort)
        keyed: Iterator[tuple[Any, int, Entry]] = (
            (key_of(document), place, entry) for place, (entry, document) in enumerate(matching)
        )
        stop = stop_of(query)
        if stop is not None and stop <= SORT_RUN_ENTRIES:
            ordered = iter(heapq.nsmallest(stop, keyed))
        else:
            runs = []
            while run := list(islice(keyed, SORT_RUN_ENTRIES)):
                run.sort()
                runs.append(run)
            ordered = heapq.merge(*runs)
        for _, _, entry in ordered:
            yield entry, self.document_of(entry, with_facts=query.reads_registry)

    def _shape(self, query: Query) -> Callable[[Entry, Document], bytes]:
        project = None
        if query.projection is not None:
            project = compile_projection(query.projection, filter=query.filter, work=self.work)

        def shaped(entry: Entry, document: Document) -> bytes:
            document.pop(REGISTRY_FIELD, None)
            if query.projects_registry:
                document[REGISTRY_FIELD] = self.facts.of(entry)
            if project is not None:
                document = project(document)
            if query.include_registry and not query.projects_registry:
                document[REGISTRY_FIELD] = self.facts.of(entry)
            return self._encoded(document)

        return shaped

    def _encoded(self, document: Document) -> bytes:
        body = encode_json(document)
        self.work.allocate(len(body))
        return body


def stop_of(query: Query) -> int | None:
    """Where the window of a query ends; None when it is open, or ends beyond what can be counted."""
    end = query.skip + query.limit
    return end if query.limit and end <= INT64_MAX else None


def are_at_most(count: int, size_bytes: int, entries: Sequence[Entry]) -> bool:
    """Whether there are at most this number of entries, of at most this size together."""
    return len(entries) <= count and sum(entry.size_bytes for entry in entries) <= size_bytes
