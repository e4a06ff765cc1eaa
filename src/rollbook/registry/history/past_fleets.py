"""The fleet as it was at a revision, to be asked what the fleet of today can be asked.

Theory: it is the present with, for each cluster that was touched after the revision, what stood before the first such
change. So it costs as much as has changed since.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from rollbook.clusters.registry_fields import STORED_FIELDS
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import check_stored
from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.errors import JournalDamaged, LanguageRefused
from rollbook.journal.changes import StoredVersion
from rollbook.language.filters.nodes import Field
from rollbook.limits import Limits, RequestBudget, budget_from_now
from rollbook.registry.answer_bytes import AnswerBytes
from rollbook.registry.reading.distinct import DistinctQuery
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.requests import Aggregation, Query
from rollbook.registry.reading.scanning import Scan
from rollbook.registry.reading.undocumented import note_on, notes_on_hidden
from rollbook.registry.reading.why_not import clauses_of, why_not_as_json
from rollbook.security.sights import WHOLE, Sight
from rollbook.view.entries import Entry
from rollbook.view.planning.plans import Plan

OnThread: TypeAlias = Callable[[Callable[[], Any], RequestBudget], Awaitable[Any]]
"""Runs a job, which spends from a budget, on a thread that is meant for it."""


class PastFleet(Struct, frozen=True):
    """Every cluster as of one revision, in order of creation. It has no indexes: every question looks at them all."""

    entries: Sequence[Entry]
    facts: Facts
    limits: Limits
    on_thread: OnThread
    answers: AnswerBytes
    sight: Sight = WHOLE

    async def find(self, query: Query) -> Sequence[bytes]:
        """As ``Reader.find``."""
        check_past(query)
        scan = self._scan(query.max_time_ms)
        found: Sequence[bytes] = await self.on_thread(lambda: scan.find(query), scan.work)
        return found

    async def count(self, query: Query) -> int:
        """As ``Reader.count``."""
        check_past(query)
        scan = self._scan(query.max_time_ms)
        count: int = await self.on_thread(lambda: scan.count(query), scan.work)
        return count

    async def aggregate(self, aggregation: Aggregation) -> Sequence[bytes]:
        """As ``Reader.aggregate``."""
        check_past(aggregation)
        scan = self._scan(aggregation.max_time_ms)
        results: Sequence[bytes] = await self.on_thread(lambda: scan.aggregate(aggregation), scan.work)
        return results

    async def facets(self, asked: FacetQuery) -> dict[str, Value]:
        """As ``Reader.facets``."""
        check_past(asked.query)
        scan = self._scan(asked.query.max_time_ms)
        found: dict[str, Value] = await self.on_thread(lambda: scan.facets(asked, {}), scan.work)
        return found

    async def distinct(self, asked: DistinctQuery) -> list[Value]:
        """As ``Reader.distinct``."""
        check_past(asked.query)
        scan = self._scan(asked.query.max_time_ms)
        values: list[Value] = await self.on_thread(lambda: scan.distinct(asked), scan.work)
        return values

    async def explain(self, query: Query, pipeline: Aggregation | None = None) -> dict[str, Value]:
        """As ``Reader.explain``, of which there is little to say here."""
        check_past(query)
        count = len(self.entries)
        summary = f"all {count} documents are looked at: what was in the past is not indexed"
        notes: list[Value] = [*await self.notes_on(query.undocumented, query.paths)]
        scan, clauses = self._scan(query.max_time_ms), clauses_of(query.filter)
        plans = [Plan() for _ in clauses]
        why: dict[str, Value] = await self.on_thread(lambda: why_not_as_json(clauses, plans, scan), scan.work)
        facts: dict[str, Value] = {"summary": summary, "exact": False, "documents": count, "candidates": count}
        groups: dict[str, Value] = {} if pipeline is None else {"pipeline": summary}
        return {**facts, **groups, "notes": notes, **why}

    async def notes_on(self, paths: Sequence[Path], asked: Sequence[Path] = ()) -> list[str]:
        """As ``PresentFleet.notes_on``, of the clusters as they were. The first few paths are looked at."""
        hidden = notes_on_hidden(self.sight, asked)
        if not paths:
            return hidden
        scan = self._scan(self.limits.max_time_ms)
        notes: list[str] = await self.on_thread(lambda: notes_in(scan, paths[:NOTES_MAX]), scan.work)
        return [*hidden, *notes][:NOTES_MAX]

    def _scan(self, max_time_ms: int) -> Scan:
        return Scan(
            self.entries, self.facts, budget_from_now(self.limits, max_time_ms=max_time_ms), answers=self.answers
        )


def notes_in(scan: Scan, paths: Sequence[Path]) -> list[str]:
    """A note on each path at which no document has anything."""
    queries = ((path, Query(Field(path, "$exists", True), limit=1)) for path in paths)
    return [note_on(path) for path, query in queries if not scan.count(query)]


def check_past(asked: Query | Aggregation) -> None:
    """Refuses what asks about heartbeats: they are not kept, and their fields would all be missing."""
    if asked.lease_fields:
        unknown = ", ".join(f"{REGISTRY_FIELD}.{name}" for name in asked.lease_fields)
        known = ", ".join(f"{REGISTRY_FIELD}.{name}" for name in STORED_FIELDS)
        problem = f"of the past nobody knows {unknown}, for heartbeats are not kept; what is known is {known}"
        raise LanguageRefused(problem, mongo_code=BAD_VALUE)


BAD_VALUE, NOTES_MAX = 2, 5


def entry_of(kept: StoredVersion) -> Entry:
    """A version as an entry; its number means nothing, for no index knows it.

    Refuses (JournalDamaged) one that is no JSON.
    """
    try:
        check_stored(kept.body)
    except (ValueError, RecursionError):
        problem = f"what is stored of the cluster {kept.id!r} at revision {kept.revision} is not JSON"
        raise JournalDamaged(problem) from None
    times = (kept.created_at_ms, kept.updated_at_ms, kept.status_since_ms)
    return Entry(0, kept.id, kept.revision, kept.created_revision, *times, kept.body, kept.protected)
