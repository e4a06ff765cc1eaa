"""Reads: a query becomes candidates by the view's plan, and candidates become answers.

Theory: the plan narrows; where it is exact, stored bytes go out untouched. Everything else is a scan (``scanning``) of
a snapshot. It runs on a thread of its own when it may take long, so that no query can hold the event loop; each
request's Work ends it at its deadline.
"""

import time
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from msgspec.structs import replace
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.language.pipelines import Tally, leading_tally
from rollbook.limits import Limits, RequestBudget, budget_from_now
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.reading.distinct import DistinctQuery, distinct_in_index
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.faceting import facets_as_json, facets_in_index
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.narrowing import on_documents, plan_query
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.registry.reading.requests import Aggregation, Query
from rollbook.registry.reading.scanning import Scan, stop_of
from rollbook.registry.reading.undocumented import note_on
from rollbook.security.callers import Caller
from rollbook.view.entries import Bodies, Entry
from rollbook.view.index.postings import EMPTY
from rollbook.view.orders import first_by
from rollbook.view.planning.planning import lacking
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.plans import Plan
from rollbook.view.tallies import tally_of
from rollbook.view.views import View

Result = TypeVar("Result")

AT_ONCE_ENTRIES_MAX = 256
FIRST_ENTRIES_MAX = 10_000
BRIEF_ENTRIES_MAX = 1024
BRIEF_BYTES_MAX = 4 * 1024 * 1024
INLINE_ENTRIES_MAX = 64
INLINE_BYTES_MAX = 256 * 1024
NOTES_MAX = 5

EVERY_ONE = Plan(exact=True)


class Reader:
    """Answers callers' queries from the view, each within its budget of time and memory."""

    def __init__(self, view: View, facts: Facts, *, limits: Limits, computing: ComputingThreads | None = None) -> None:
        self._view = view
        self._facts = facts
        self._limits = limits
        self.threads = ReadingThreads(computing or ComputingThreads())

    async def find(self, caller: Caller, query: Query) -> Sequence[bytes]:
        """The JSON of each matching document, in the order asked for, else in order of creation."""
        plan = plan_query(self._view, query)
        if plan.exact and query.sort is None and query.answers_as_stored:
            return Bodies(self._view.select(self._in_window(plan, query)))
        first = self._first(plan, query)
        if first is not None:  # they are in order: what is left to do is to go past some, and to shape the others
            entries, plan, query = first, EVERY_ONE, replace(query, sort=None)
        else:
            entries = self._view.select(plan.candidates)
        certain = None if plan.exact else plan.certain
        scan = Scan(entries, self._facts.as_of_now(), self._work(query.max_time_ms), certain=certain)
        return await self._run(lambda: scan.find(query), query, entries, scan.work)

    def find_at_once(self, caller: Caller, query: Query) -> list[bytes] | None:
        """Like ``find``, if the indexes alone answer it and the result is small; else None."""
        if query.sort is not None or query.explain or not query.answers_as_stored:
            return None
        plan = plan_query(self._view, query)
        candidates = self._in_window(plan, query) if plan.exact else None
        if candidates is None or len(candidates) > AT_ONCE_ENTRIES_MAX:
            return None
        return self._view.bodies(candidates)

    async def count(self, caller: Caller, query: Query) -> int:
        """How many documents match, within the query's ``skip`` and ``limit``."""
        plan = plan_query(self._view, query)
        if plan.exact:
            found = len(self._view) if plan.candidates is None else len(plan.candidates)
            return len(range(found)[query.skip : stop_of(query)])
        entries = self._view.select(plan.candidates)
        scan = Scan(entries, self._facts.as_of_now(), self._work(query.max_time_ms), certain=plan.certain)
        return await self._run(lambda: scan.count(query), query, entries, scan.work)

    async def aggregate(self, caller: Caller, aggregation: Aggregation) -> Sequence[bytes]:
        """The JSON of each document that comes out of the pipeline."""
        plan = self._view.plan(on_documents(aggregation.filter) if aggregation.reads_registry else aggregation.filter)
        counted = self._counted(aggregation, plan)
        entries = self._view.select(plan.candidates if counted is None else EMPTY)
        scan = Scan(entries, self._facts.as_of_now(), self._work(aggregation.max_time_ms))
        if counted is None:
            return await self.threads.run(lambda: scan.aggregate(aggregation), scan.work)
        tally, counts = counted
        if not tally.rest.stages:
            return scan.run(tally.rest, tally.documents(counts))
        return await self.threads.run(lambda: scan.run(tally.rest, tally.documents(counts)), scan.work)

    async def facets(self, caller: Caller, asked: FacetQuery) -> dict[str, Value]:
        """How many of the matching documents have which values."""
        plan = Plan() if asked.reads_registry else plan_query(self._view, asked.query)
        told = facets_in_index(asked, self._view.index, plan.candidates) if plan.exact else {}
        untold = [facet for facet in asked.facets if facet.name not in told]
        entries = self._view.select(plan.candidates)
        if not untold:
            return facets_as_json(asked, len(entries), told)
        work, certain = self._work(asked.query.max_time_ms), None if plan.exact else plan.certain
        scan = Scan(entries, self._facts, work, certain=certain)
        return await self.threads.run(lambda: scan.facets(asked, told), scan.work)

    async def distinct(self, caller: Caller, asked: DistinctQuery) -> list[Value]:
        """The distinct values at a path of the matching documents, in MongoDB's order."""
        query = asked.query
        plan = Plan() if query.reads_registry else plan_query(self._view, query)
        from_index = plan.exact and asked.collation is None
        known = distinct_in_index(asked.path, self._view.index, plan.candidates) if from_index else None
        if known is not None:
            return known
        work, certain = self._work(query.max_time_ms), None if plan.exact else plan.certain
        scan = Scan(self._view.select(plan.candidates), self._facts, work, certain=certain)
        return await self.threads.run(lambda: scan.distinct(asked), scan.work)

    async def explain(self, caller: Caller, query: Query) -> dict[str, Value]:
        """How the query is answered, in words and figures, and how long that took now (milliseconds)."""
        begun = time.perf_counter()
        plan = plan_query(self._view, query)
        planned = time.perf_counter()
        found = len(await self.find(caller, query))
        done = time.perf_counter()
        clauses = self._view.explain(query.filter)
        candidates = len(self._view) if plan.candidates is None else len(plan.candidates)
        return {
            "summary": _summary(query, plan, candidates, len(self._view)) + self._order(query, plan),
            "exact": plan.exact,
            "documents": len(self._view),
            "candidates": candidates,
            "returned": found,
            "milliseconds": {"plan": round((planned - begun) * 1000, 3), "find": round((done - planned) * 1000, 3)},
            "clauses": clauses.as_json(),
            "text": list(clauses.lines()),
            "notes": [*await self.notes_on(caller, query.undocumented)],
        }

    def lacking(self, caller: Caller, paths: Sequence[Path]) -> list[Path]:
        """Those of the paths at which no cluster has anything."""
        return lacking(paths, self._view.index) if paths else []

    async def notes_on(self, caller: Caller, paths: Sequence[Path]) -> list[str]:
        """What is to be said about undocumented paths of a filter: a note on each that no cluster has."""
        return [note_on(path) for path in self.lacking(caller, paths)[:NOTES_MAX]]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """End the reads that are under way, and release the threads."""
        self.threads.close()

    def _counted(self, aggregation: Aggregation, plan: Plan) -> tuple[Tally, Sequence[tuple[Value, int]]] | None:
        """The counting that the aggregation begins with, and its counts, where the indexes alone give them."""
        tally = leading_tally(aggregation.pipeline)
        if tally is None or aggregation.reads_registry or not plan.exact:
            return None
        index = self._view.index
        within = index.live if plan.candidates is None else plan.candidates
        counts = tally_of(index.root, tally.path, within, effort=effort_from_now())
        return None if counts is None else (tally, counts)

    def _first(self, plan: Plan, query: Query) -> Sequence[Entry] | None:
        """All up to the end of the query's window in its order, where the indexes alone give it."""
        stop = stop_of(query)
        if not plan.exact or query.sort is None or len(query.sort.criteria) != 1 or stop is None:
            return None
        if query.sort.collation is not None:
            return None
        if stop > FIRST_ENTRIES_MAX:
            return None
        by = query.sort.criteria[0]
        return first_by(self._view, by.path, plan.candidates, stop, descending=by.descending)

    def _order(self, query: Query, plan: Plan) -> str:
        """How the order comes about, in words."""
        if query.sort is None:
            return ""
        found = self._first(plan, query)
        return "; what matches is sorted" if found is None else "; the index has them in the order that is asked for"

    def _in_window(self, plan: Plan, query: Query) -> BitMap | None:
        """The candidates that the query's ``skip`` and ``limit`` let through; None: all documents."""
        if not query.skip and not query.limit:
            return plan.candidates
        candidates = self._view.index.live if plan.candidates is None else plan.candidates
        return candidates[query.skip : stop_of(query)]

    def _work(self, max_time_ms: int) -> RequestBudget:
        return budget_from_now(self._limits, max_time_ms=max_time_ms)

    async def _run(
        self, job: Callable[[], Result], query: Query, entries: Sequence[Entry], work: RequestBudget
    ) -> Result:
        """Look at few documents at once, at some on a thread for what is brief, at many on one for what is long."""
        if not query.may_be_slow and _are_at_most(INLINE_ENTRIES_MAX, INLINE_BYTES_MAX, entries):
            return job()
        is_brief = not query.may_be_slow and _are_at_most(BRIEF_ENTRIES_MAX, BRIEF_BYTES_MAX, entries)
        return await self.threads.run(job, work, is_brief=is_brief)


def _are_at_most(count: int, size_bytes: int, entries: Sequence[Entry]) -> bool:
    return len(entries) <= count and sum(entry.size_bytes for entry in entries) <= size_bytes


def _summary(query: Query, plan: Plan, candidates: int, documents: int) -> str:
    if query.reads_registry and plan.candidates is None:
        return f"all {documents} documents are looked at: what the registry knows about them is not indexed"
    if plan.candidates is None and not plan.exact:
        return f"all {documents} documents are looked at: the indexes do not narrow this filter"
    certainty = "every one of them matches" if plan.exact else "each of them is looked at"
    return f"the indexes leave {candidates} of {documents} documents; {certainty}"
