"""Reads: a query becomes candidates by the view's plan, and candidates become answers.

Theory: the plan narrows; where it is exact, stored bytes go out untouched. Everything else is a scan (``scanning``) of
a snapshot. It runs on a thread of its own when it may take long, so that no query can hold the event loop; each
request's Work ends it at its deadline.
"""

import time
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.limits import Limits, RequestBudget, budget_from_now
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.reading.distinct import DistinctQuery, distinct_in_index
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.faceting import facets_as_json
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.grouping import counts_in_index, grouping_of
from rollbook.registry.reading.known_facets import facets_known
from rollbook.registry.reading.narrowing import index_at, plan_query
from rollbook.registry.reading.offerings import Offerings
from rollbook.registry.reading.plan_steps import beside_index, plan_with, planned_aggregation, planned_query
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.registry.reading.requests import Aggregation, Query
from rollbook.registry.reading.scanning import Scan, are_at_most, stop_of
from rollbook.registry.reading.summaries import summary_of
from rollbook.registry.reading.undocumented import note_on, notes_on_hidden
from rollbook.registry.reading.why_not import clauses_of, why_not_as_json
from rollbook.security.callers import Caller
from rollbook.security.seeing import Seeing, SeenView
from rollbook.security.seen_orders import first_by
from rollbook.security.sights import WHOLE, Sight
from rollbook.steps import step
from rollbook.view.entries import Bodies, Entry
from rollbook.view.index.postings import EMPTY
from rollbook.view.planning.explaining import explain
from rollbook.view.planning.planning import lacking
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View

Result = TypeVar("Result")

AT_ONCE_ENTRIES_MAX = 256
FIRST_ENTRIES_MAX = 10_000
BRIEF_ENTRIES_MAX = 1024
BRIEF_BYTES_MAX = 4 * 1024 * 1024
INLINE_ENTRIES_MAX, INLINE_BYTES_MAX = 64, 256 * 1024
NOTES_MAX = 5

EVERY_ONE = Plan(exact=True)


class Reader:
    """Gives callers the fleet that they see, to be asked. Its threads are what long questions run on."""

    def __init__(
        self, seeing: Seeing, facts: Facts, *, limits: Limits, computing: ComputingThreads | None = None
    ) -> None:
        self.seeing = seeing
        self._facts_of_seen = facts.of_what_is_seen()
        self._limits = limits
        self.threads = ReadingThreads(computing or ComputingThreads())
        self.offerings = Offerings()
        self._whole = PresentFleet(seeing, WHOLE, facts, limits, self.threads)

    def fleet(self, caller: Caller, verb: str = "read") -> "PresentFleet":
        """The clusters as they are now, as the caller sees them by a verb of reading."""
        access = caller.access
        sight = access.reads if verb == "read" else access.sight(verb)
        if sight is WHOLE:
            return self._whole
        return PresentFleet(self.seeing, sight, self._facts_of_seen, self._limits, self.threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """End the reads that are under way, and release the threads."""
        self.threads.close()


class PresentFleet(Struct, frozen=True):
    """The clusters that a caller sees, as they are when they are asked about. Each question has a budget."""

    seeing: Seeing
    sight: Sight
    facts: Facts
    limits: Limits
    threads: ReadingThreads

    @property
    def view(self) -> View | SeenView:
        """What the caller sees now; not to be kept while others may write."""
        return self.seeing.by(self.sight)

    async def find(self, query: Query) -> Sequence[bytes]:
        """The JSON of each matching document, in the order asked for, else in order of creation."""
        view, facts = self.view, self.facts.as_of_now()
        plan = planned_query(facts, view, query)
        if plan.exact and query.sort is None and query.answers_as_stored:
            return Bodies(view.select(_in_window(view, plan, query)))
        first = _first(view, plan, query)
        if first is not None:  # they are in order: what is left to do is to go past some, and to shape the others
            entries, plan, query = first, EVERY_ONE, replace(query, sort=None)
        else:
            entries = view.select(plan.candidates)
        scan = self._scan(entries, query.max_time_ms, None if plan.exact else plan.certain, facts)
        return await self._run(lambda: scan.find(query), query, entries, scan.work)

    def find_at_once(self, query: Query) -> list[bytes] | None:
        """As ``find``, when the indexes alone can tell, and when it is not much; else None."""
        if query.sort is not None or query.explain or not query.answers_as_stored:
            return None
        plan = plan_query(view := self.view, query)
        candidates = _in_window(view, plan, query) if plan.exact else None
        if candidates is None or len(candidates) > AT_ONCE_ENTRIES_MAX:
            return None
        return view.bodies(candidates)

    async def count(self, query: Query) -> int:
        """How many documents match, within the query's ``skip`` and ``limit``."""
        view, facts = self.view, self.facts.as_of_now()
        plan = planned_query(facts, view, query)
        if plan.exact:
            found = len(view.select(None) if plan.candidates is None else plan.candidates)
            return len(range(found)[query.skip : stop_of(query)])
        entries = view.select(plan.candidates)
        scan = self._scan(entries, query.max_time_ms, plan.certain, facts)
        return await self._run(lambda: scan.count(query), query, entries, scan.work)

    async def aggregate(self, aggregation: Aggregation) -> Sequence[bytes]:
        """The JSON of each document that comes out of the pipeline."""
        view, facts = self.view, self.facts.as_of_now()
        plan = planned_aggregation(facts, view, aggregation)
        counted = counts_in_index(view, aggregation, plan)
        if counted is None and (grouped := await self._grouped(view, aggregation, plan, facts)) is not None:
            return grouped
        entries = view.select(plan.candidates if counted is None else EMPTY)
        scan = self._scan(entries, aggregation.max_time_ms, EMPTY, facts)
        if counted is None:
            return await self.threads.run(lambda: scan.aggregate(aggregation), scan.work)
        tally, counts = counted
        if not tally.rest.stages:
            return scan.run(tally.rest, tally.documents(counts))
        return await self.threads.run(lambda: scan.run(tally.rest, tally.documents(counts)), scan.work)

    async def facets(self, asked: FacetQuery) -> dict[str, Value]:
        """How many of the matching documents have which values."""
        view, facts = self.view, self.facts.as_of_now()
        plan = planned_query(facts, view, asked.query)
        known = facets_known(facts, view, asked, plan)
        entries = view.select(plan.candidates)
        missing = [facet for facet in asked.facets if facet.name not in known]
        if not missing:
            return facets_as_json(asked, len(entries), known)
        scan = self._scan(entries, asked.query.max_time_ms, None if plan.exact else plan.certain, facts)
        return await self.threads.run(lambda: scan.facets(asked, known), scan.work)

    async def distinct(self, asked: DistinctQuery) -> list[Value]:
        """The distinct values at a path of the matching documents, in MongoDB's order."""
        view, query, facts = self.view, asked.query, self.facts.as_of_now()
        plan = planned_query(facts, view, query)
        index = index_at(view, asked.path) if plan.exact and asked.collation is None else None
        known = None if index is None else distinct_in_index(asked.path, index, plan.candidates)
        if known is not None:
            return known
        certain = None if plan.exact else plan.certain
        scan = self._scan(view.select(plan.candidates), query.max_time_ms, certain, facts)
        return await self.threads.run(lambda: scan.distinct(asked), scan.work)

    async def explain(self, query: Query, pipeline: Aggregation | None = None) -> dict[str, Value]:
        """How the query, and a pipeline that begins with it, is answered, in words and numbers; times are ms."""
        view, begun = self.view, time.perf_counter()
        plan = plan_with(self.facts, view, query)
        planned = time.perf_counter()
        found = len(await self.find(query))
        done = time.perf_counter()
        numbers = await self._numbers()
        view = self.view
        clauses = explain(query.filter, view.index, live=numbers, veil=view.veil, beside=beside_index(self.facts, view))
        candidates = len(numbers) if plan.candidates is None else len(plan.candidates & numbers)
        return {
            "summary": summary_of(plan, candidates, len(numbers), reads_registry=query.reads_registry)
            + _order(view, query, plan),
            "exact": plan.exact,
            "documents": len(numbers),
            "candidates": candidates,
            "returned": found,
            "milliseconds": {"plan": round((planned - begun) * 1000, 3), "find": round((done - planned) * 1000, 3)},
            "clauses": clauses.as_json(),
            "text": list(clauses.lines()),
            "notes": [*await self.notes_on(query.undocumented, query.paths)],
            **({} if pipeline is None else {"pipeline": await self._groups(pipeline)}),
            **await self._why_not(query),
        }

    def lacking(self, paths: Sequence[Path]) -> list[Path]:
        """Those of the paths at which no cluster has anything; none, where the caller does not see all of them."""
        if not paths:
            return []
        view = self.view
        return lacking(paths, view.index, within=view.numbers, veil=view.veil)

    async def notes_on(self, paths: Sequence[Path], asked: Sequence[Path] = ()) -> list[str]:
        """Notes on undocumented ``paths`` that no cluster has, and on paths ``asked`` about that are not visible."""
        hidden = notes_on_hidden(self.sight, asked)
        return [*hidden, *(note_on(path) for path in self.lacking(paths))][:NOTES_MAX]

    async def _grouped(
        self, view: View | SeenView, aggregation: Aggregation, plan: Plan, facts: Facts
    ) -> Sequence[bytes] | None:
        """What comes out, where the aggregation begins with groups that indexes and columns alone give."""
        job = grouping_of(view, aggregation, plan, self._scan((), aggregation.max_time_ms, EMPTY, facts))
        if job is None or job.is_quick:
            return None if job is None else job.run()
        if job.sums.unwound:  # the index of elements is read only where it is changed
            return None
        return await self.threads.run(job.run, job.scan.work)

    async def _groups(self, aggregation: Aggregation) -> str:
        """What answers the pipeline, in words: the indexes alone, or a look at each document that its filter leaves."""
        view, facts = self.view, self.facts.as_of_now()
        plan = planned_aggregation(facts, view, aggregation)
        grouped = await self._grouped(view, aggregation, plan, facts)
        if grouped is not None or counts_in_index(view, aggregation, plan) is not None:
            return "the indexes alone give the groups: no document is looked at"
        return f"{len(view.select(plan.candidates))} documents are looked at"

    async def _why_not(self, query: Query) -> dict[str, Value]:
        """Why clusters do not match, clause by clause; nothing where that takes longer than the request may."""
        view, clauses = self.view, clauses_of(query.filter)
        scan = self._scan(view.select(None), query.max_time_ms, EMPTY)
        plans = [plan_with(scan.facts, view, replace(query, filter=clause)) for clause in clauses]
        return await self.threads.run(lambda: why_not_as_json(clauses, plans, scan), scan.work)

    async def _numbers(self) -> BitMap:
        """The numbers of all documents; they are looked at where the index can't tell."""
        numbers, entries = self.view.numbers, self.view.select(None)
        if numbers is not None:
            return numbers
        return await self.threads.run(lambda: BitMap([entry.number for entry in entries]), budget_from_now(self.limits))

    def _scan(
        self, entries: Sequence[Entry], max_time_ms: int, certain: BitMap | None, facts: Facts | None = None
    ) -> Scan:
        work = budget_from_now(self.limits, max_time_ms=max_time_ms)
        return Scan(entries, facts or self.facts.as_of_now(), work, certain, self.threads.answers)

    async def _run(
        self, job: Callable[[], Result], query: Query, entries: Sequence[Entry], work: RequestBudget
    ) -> Result:
        """Look at few documents at once, at some on a thread for what is brief, at many on one for what is long."""
        if not query.may_be_slow and are_at_most(INLINE_ENTRIES_MAX, INLINE_BYTES_MAX, entries):
            return job()
        is_brief = not query.may_be_slow and are_at_most(BRIEF_ENTRIES_MAX, BRIEF_BYTES_MAX, entries)
        with step("scan", documents=len(entries)):
            return await self.threads.run(job, work, is_brief=is_brief)


def _in_window(view: View | SeenView, plan: Plan, query: Query) -> BitMap | None:
    """The candidates that the query's ``skip`` and ``limit`` let through; None: all documents."""
    if not query.skip and not query.limit:
        return plan.candidates
    candidates = view.numbers if plan.candidates is None else plan.candidates
    assert candidates is not None, "an exact plan knows its candidates"
    return candidates[query.skip : stop_of(query)]


def _first(view: View | SeenView, plan: Plan, query: Query) -> Sequence[Entry] | None:
    """All up to the end of the query's window in its order, where the indexes alone can tell."""
    stop = stop_of(query)
    if not plan.exact or query.sort is None or len(query.sort.criteria) != 1 or stop is None:
        return None
    if query.sort.collation is not None or stop > FIRST_ENTRIES_MAX:
        return None
    by = query.sort.criteria[0]
    return first_by(view, by.path, plan.candidates, stop, descending=by.descending)


def _order(view: View | SeenView, query: Query, plan: Plan) -> str:
    """How the order comes about, in words."""
    if query.sort is None:
        return ""
    found = _first(view, plan, query)
    return "; what matches is sorted" if found is None else "; the index has them in the order that is asked for"
