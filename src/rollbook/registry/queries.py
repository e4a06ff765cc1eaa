"""Reads: a query becomes candidates by the view's plan, and candidates become documents.

Theory: the plan narrows; where it is exact, stored bytes go out untouched. Everything else (the predicate, sort,
projection, aggregation) needs decoded documents and works on a snapshot: a list of entries, which never change. Such
work runs on a thread of its own when it may take long, so that no query can hold the event loop; each request's Work
ends it at its deadline.
"""

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.values import Document, Value
from rollbook.language.filters import Predicate, compile_filter
from rollbook.language.pipelines import run_pipeline
from rollbook.language.projections import compile_projection
from rollbook.language.sorting import compile_sort
from rollbook.limits import Limits, Work
from rollbook.registry.requests import REGISTRY_FIELD, Aggregation, Query
from rollbook.view.entries import Entry, View
from rollbook.view.plans import Plan

Result = TypeVar("Result")

READER_THREADS = 4
INLINE_ENTRIES_MAX = 64
INLINE_BYTES_MAX = 256 * 1024
SORT_RUN_ENTRIES = 4096
WORK_UNITS_PER_DOCUMENT = 64


class Reader:
    """Answers queries from the view, each within its budget of time and memory."""

    def __init__(self, view: View, *, limits: Limits) -> None:
        self._view = view
        self._limits = limits
        self._threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="rollbook-reader")

    async def find(self, query: Query) -> Sequence[bytes]:
        """The JSON of each matching document, in the order asked for, else in order of creation."""
        plan = self._plan(query)
        entries = self._view.select(plan.candidates)
        if plan.exact and query.sort is None and query.answers_as_stored:
            return [entry.body for entry in _window(entries, query)]
        work = self._work(query.max_time_ms)
        predicate = None if plan.exact else compile_filter(query.filter, work=work)
        return await self._run(partial(_find, entries, predicate, query, work), query, entries)

    async def count(self, query: Query) -> int:
        """How many documents match, within the query's ``skip`` and ``limit``."""
        plan = self._plan(query)
        entries = self._view.select(plan.candidates)
        if plan.exact:
            return len(_window(entries, query))
        work = self._work(query.max_time_ms)
        predicate = compile_filter(query.filter, work=work)
        return await self._run(partial(_count, entries, predicate, query, work), query, entries)

    async def aggregate(self, aggregation: Aggregation) -> Sequence[bytes]:
        """The JSON of each document that comes out of the pipeline."""
        entries = self._view.select(None)
        work = self._work(aggregation.max_time_ms)
        return await self._on_thread(partial(_aggregate, entries, aggregation, work))

    def close(self) -> None:
        """Let running reads finish, then release the threads."""
        self._threads.shutdown()

    def _plan(self, query: Query) -> Plan:
        """The view's plan; the view does not index what only the registry knows."""
        return Plan() if query.reads_registry else self._view.plan(query.filter)

    def _work(self, max_time_ms: int) -> Work:
        return Work(deadline=time.monotonic() + max_time_ms / 1000, bytes_left=self._limits.result_bytes_max)

    async def _run(self, job: Callable[[], Result], query: Query, entries: Sequence[Entry]) -> Result:
        if not query.may_be_slow and _is_small(entries):
            return job()
        return await self._on_thread(job)

    async def _on_thread(self, job: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, job)


def document_of(entry: Entry, *, with_registry: bool) -> Document:
    """The entry's document; with ``_registry``, what the registry knows about it, when asked."""
    document = decode_stored(entry.body)
    if with_registry:
        document[REGISTRY_FIELD] = registry_of(entry)
    return document


def registry_of(entry: Entry) -> dict[str, Value]:
    """What the registry knows about a document: its revision (a decimal integer), and its times (ISO 8601, UTC)."""
    return {
        "revision": entry.revision,
        "createdAt": _iso(entry.created_at_ms),
        "updatedAt": _iso(entry.updated_at_ms),
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_small(entries: Sequence[Entry]) -> bool:
    return len(entries) <= INLINE_ENTRIES_MAX and sum(len(entry.body) for entry in entries) <= INLINE_BYTES_MAX


def _window(entries: Sequence[Entry], query: Query) -> Sequence[Entry]:
    if not query.skip and not query.limit:
        return entries
    return entries[query.skip : query.skip + query.limit if query.limit else None]


def _find(entries: Sequence[Entry], predicate: Predicate | None, query: Query, work: Work) -> Sequence[bytes]:
    matching = _matching(entries, predicate, query, work)
    if query.sort is not None:
        matching = _sorted(matching, query, work)
    shape = _shape(query, work)
    stop = query.skip + query.limit if query.limit else None
    return [shape(entry, document) for entry, document in islice(matching, query.skip, stop)]


def _count(entries: Sequence[Entry], predicate: Predicate, query: Query, work: Work) -> int:
    stop = query.skip + query.limit if query.limit else None
    return sum(1 for _ in islice(_matching(entries, predicate, query, work), query.skip, stop))


def _aggregate(entries: Sequence[Entry], aggregation: Aggregation, work: Work) -> Sequence[bytes]:
    documents = (document_of(entry, with_registry=aggregation.reads_registry) for entry in entries)
    return [_encoded(document, work) for document in run_pipeline(aggregation.pipeline, documents, work=work)]


def _matching(
    entries: Sequence[Entry], predicate: Predicate | None, query: Query, work: Work
) -> Iterator[tuple[Entry, Document]]:
    for entry in entries:
        work.spend(WORK_UNITS_PER_DOCUMENT)
        document = document_of(entry, with_registry=query.reads_registry)
        if predicate is None or predicate(document):
            yield entry, document


def _sorted(matching: Iterator[tuple[Entry, Document]], query: Query, work: Work) -> Iterator[tuple[Entry, Document]]:
    """The matching documents in sorted order; equal ones keep their order.

    Only the keys are held while sorting. They are sorted in runs and merged, for one long sort in C would not let the
    event loop's thread in.
    """
    assert query.sort is not None
    key_of = compile_sort(query.sort)
    keyed: Iterator[tuple[Any, int, Entry]] = (
        (key_of(document), place, entry) for place, (entry, document) in enumerate(matching)
    )
    if query.limit and query.skip + query.limit <= SORT_RUN_ENTRIES:
        ordered = iter(heapq.nsmallest(query.skip + query.limit, keyed))
    else:
        runs = []
        while run := list(islice(keyed, SORT_RUN_ENTRIES)):
            run.sort()
            runs.append(run)
        ordered = heapq.merge(*runs)
    for _, _, entry in ordered:
        work.spend(WORK_UNITS_PER_DOCUMENT)
        yield entry, document_of(entry, with_registry=query.reads_registry)


def _shape(query: Query, work: Work) -> Callable[[Entry, Document], bytes]:
    if query.answers_as_stored:
        return lambda entry, document: entry.body
    project = None
    if query.projection is not None:
        project = compile_projection(query.projection, filter=query.filter, work=work)

    def shaped(entry: Entry, document: Document) -> bytes:
        document.pop(REGISTRY_FIELD, None)
        if query.include_registry:
            document[REGISTRY_FIELD] = registry_of(entry)
        return _encoded(document if project is None else project(document), work)

    return shaped


def _encoded(document: Document, work: Work) -> bytes:
    body = encode_json(document)
    work.allocate(len(body))
    return body
