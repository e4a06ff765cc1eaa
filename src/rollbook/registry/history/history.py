"""The past of clusters: who changed what, one cluster as it was, the fleet as it was.

Theory: the present is in the view, the past in the journal, and both are read as of the view's newest revision. A
version that still stands is answered from the view.

One rule: an answer about the past never changes. A moment that is no longer kept is refused (Compacted), never guessed;
one that is yet to come is refused too.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Self, TypeVar

from msgspec import Struct

from rollbook.errors import ClusterNotFound, Compacted, RequestRefused
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.journal.statuses import StatusChange
from rollbook.limits import Limits, RequestBudget, budget_from_now
from rollbook.registry.answer_bytes import AnswerBytes
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.change_events import ChangeEvent, Detail
from rollbook.registry.feed.times import iso_time
from rollbook.registry.history.earlier import EarlierVersions, entries_at
from rollbook.registry.history.moments import AtRevision, AtTime, Moment
from rollbook.registry.history.past_fleets import PastFleet, entry_of
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.scanning import BYTES_PER_WORK_UNIT
from rollbook.security.callers import Caller
from rollbook.security.sights import WHOLE, Sight
from rollbook.view.entries import Entry
from rollbook.view.views import View

Result = TypeVar("Result")

THREADS = 2
PAGE_BYTES_MAX = 16 * 1024 * 1024
PAGE_SECONDS_MAX = 1.0
WORK_UNITS_PER_CHANGE = 128
NOW_MS = 60_000
"""A time that is so little ago is now, where the dates of changes are ahead of the clock."""


class HistoryPage(Struct, frozen=True):
    """Some changes as JSON, in the order asked for; ``last`` is the revision to go on from, None at the end."""

    items: Sequence[bytes]
    last: int | None


class History:
    """Answers about the past. ``facts`` gives what the journal keeps beside the document of a version.

    ``settled`` waits for what is being written.
    """

    def __init__(
        self,
        journal: Journal,
        view: View,
        facts: Facts,
        *,
        limits: Limits,
        now_ms: Callable[[], int],
        settled: Callable[[], Awaitable[None]],
        computing: ComputingThreads | None = None,
    ) -> None:
        self.facts = facts
        self._journal = journal
        self._view = view
        self._limits = limits
        self._now_ms = now_ms
        self._settled = settled
        self.earlier = EarlierVersions(journal, view)
        computing = computing or ComputingThreads()
        self._answers = computing.answers
        self._lane = computing.lane("history", threads=THREADS)

    async def version(self, caller: Caller, id: str, moment: Moment) -> Entry:
        """The cluster as it was, for the caller. Refuses (ClusterNotFound) when it saw none then, or never."""
        sight = caller.access.reads
        await self._reach(moment)
        entry, newest = self._view.entry(id), self._view.revision
        if entry is not None and _still_stands(entry, moment) and (seen := sight.entry(entry)) is not None:
            return seen
        return await self._run(lambda work: self._version(sight, id, moment, newest, work))

    async def fleet(self, caller: Caller, moment: Moment, verb: str = "read") -> PastFleet:
        """All clusters as they were, as the caller sees them by a verb of reading."""
        sight = caller.access.sight(verb)
        await self._reach(moment)
        present, newest = self._view.select(None), self._view.revision
        entries = await self._run(lambda work: seen_by(sight, self._entries(moment, present, newest, work)))
        facts = self.facts if sight is WHOLE else self.facts.of_what_is_seen()
        return PastFleet(entries, facts, self._limits, self.on_thread, self._answers, sight)

    def facts_for(self, caller: Caller) -> Facts:
        """What the registry knows about former versions, as far as the caller may know it."""
        return self.facts if caller.access.reads is WHOLE else self.facts.of_what_is_seen()

    async def revision_of(self, caller: Caller, moment: Moment) -> int:
        """The newest revision of that moment. Refuses (Compacted) a time whose past is gone."""
        await self._reach(moment)
        newest = self._view.revision
        return await self._run(lambda _: self._revision_of(moment, newest))

    async def of(self, caller: Caller, id: str, *, before: int | None, limit: int, form: Detail) -> HistoryPage:
        """The changes of one cluster, newest first; with ``before``, those older than that revision.

        Refuses (ClusterNotFound) an id that never was a cluster's, and (Compacted) a ``before`` whose past is all gone.
        """
        end = self._view.revision + 1 if before is None else min(before, self._view.revision + 1)
        sight = caller.access.sight("history")
        return await self._run(lambda work: self._of(sight, id, end, limit, form, work))

    async def changes(self, caller: Caller, *, since: int | None, limit: int, form: Detail) -> HistoryPage:
        """The changes of all clusters later than ``since``, oldest first; without it, from the oldest that is kept.

        Refuses (Compacted) when later ones are gone, and (RequestRefused) a revision that is not there yet.
        """
        newest = self._view.revision
        if since is not None:
            self._check(AtRevision(since))
        sight = caller.access.sight("history")
        return await self._run(lambda work: self._changes(sight, since, newest, limit, form, work))

    async def last_body(self, caller: Caller, id: str) -> bytes:
        """The whole newest document of a cluster, deleted or not. Refuses (ClusterNotFound) what was never seen."""
        entry, sight = self._view.entry(id), caller.access.reads
        if entry is not None and sight.entry(entry) is not None:
            return entry.body
        return await self._run(lambda work: self._last_body(sight, id, work))

    async def status(self, caller: Caller, id: str, revision: int | None) -> StatusChange | None:
        """The change that gave the status which a cluster had at a revision (None: last); see ``Past.status``."""
        return await self._run(lambda _: self._journal.past.status(id, revision))

    async def on_thread(self, job: Callable[[], Result], work: RequestBudget) -> Result:
        """Run a job that reads the past on a thread for such jobs. It spends from ``work``."""
        return await self._lane.run(job, work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        """End the reads that are under way, and release the threads."""
        self._lane.close()

    async def _run(self, job: Callable[[RequestBudget], Result]) -> Result:
        work = budget_from_now(self._limits)
        return await self.on_thread(lambda: job(work), work)

    async def _reach(self, moment: Moment) -> None:
        """Refuses a moment that has not come yet, and waits until nothing that is dated so is still being written."""
        self._check(moment)
        if isinstance(moment, AtTime):
            await self._settled()

    def _check(self, moment: Moment) -> None:
        """Refuses (RequestRefused) a moment that has not come yet."""
        match moment:
            case AtRevision(revision):
                if revision > self._view.revision:
                    raise RequestRefused(f"revision {revision} is not there yet; the newest is {self._view.revision}")
            case AtTime(at_ms):
                now_ms = max(self._now_ms(), self._journal.newest_ms())
                if at_ms > now_ms:
                    raise RequestRefused(f"that time is yet to come; it is {iso_time(now_ms)} now")

    def _revision_of(self, moment: Moment, newest: int) -> int:
        match moment:
            case AtRevision(revision):
                return revision
            case AtTime(at_ms):
                now_ms = self._now_ms()
                if self._journal.newest_ms() > now_ms and at_ms >= now_ms - NOW_MS:
                    return newest  # changes that were dated by a clock that was ahead have happened all the same
                return min(self._journal.past.revision_at(at_ms), newest)

    def _version(self, sight: Sight, id: str, moment: Moment, newest: int, work: RequestBudget) -> Entry:
        self._check_known(sight, id, work)
        revision = self._revision_of(moment, newest)
        kept = self._journal.past.version(id, revision, work=work)
        seen = None if kept is None else sight.entry(entry_of(kept))
        if seen is None:
            raise ClusterNotFound(f"there was no cluster {id!r} at revision {revision}")
        return seen

    def _entries(self, moment: Moment, present: Sequence[Entry], newest: int, work: RequestBudget) -> Sequence[Entry]:
        revision = self._revision_of(moment, newest)
        return entries_at(present, self.earlier.since(revision, work))

    def _of(self, sight: Sight, id: str, end: int, limit: int, form: Detail, work: RequestBudget) -> HistoryPage:
        self._check_known(sight, id, work)
        mark = self._journal.compaction.mark()
        if mark and end <= mark:
            raise Compacted(f"changes up to revision {mark} are no longer kept")
        changes = self._journal.past.history(id, before=end, work=work)
        return page_of(changes, sight, limit, form, work, self._answers)

    def _changes(
        self, sight: Sight, since: int | None, newest: int, limit: int, form: Detail, work: RequestBudget
    ) -> HistoryPage:
        since = self._journal.compaction.mark() if since is None else since
        changes = self._journal.follow(since)
        return page_of(until(changes, newest), sight, limit, form, work, self._answers)

    def _last_body(self, sight: Sight, id: str, work: RequestBudget) -> bytes:
        self._check_known(sight, id, work)
        last = next(self._journal.past.history(id), None)
        body = (last.after or last.before) if last is not None else None
        if body is None:
            raise Compacted(f"the last version of {id!r} is no longer kept")
        return body

    def _check_known(self, sight: Sight, id: str, work: RequestBudget) -> None:
        """Refuses (ClusterNotFound) an id that no cluster ever had which the caller saw."""
        if not self._journal.past.knows(id) or not (sight is WHOLE or self._was_seen(sight, id, work)):
            raise ClusterNotFound(f"no cluster has, or ever had, the id {id!r}")

    def _was_seen(self, sight: Sight, id: str, work: RequestBudget) -> bool:
        entry = self._view.entry(id)
        if entry is not None and sight.entry(entry) is not None:
            return True
        past = self._journal.past.history(id, work=work)
        return any(ChangeEvent(change).seen_by(sight) is not None for change in past)


def page_of(
    changes: Iterator[Change], sight: Sight, limit: int, form: Detail, work: RequestBudget, answers: AnswerBytes
) -> HistoryPage:
    """The first changes that ``sight`` shows, as JSON: ``limit`` at most, and less when they are large or take long.

    One at least, unless it takes long to come to one.
    """
    items = answers.gather(())
    size_bytes, deadline = 0, time.monotonic() + PAGE_SECONDS_MAX
    for change in changes:
        is_late = time.monotonic() >= deadline
        work.spend(WORK_UNITS_PER_CHANGE)
        if (seen := ChangeEvent(change).seen_by(sight)) is not None:
            items.add(seen.record(form))
            size_bytes += len(items[-1])
            work.spend(len(items[-1]) // BYTES_PER_WORK_UNIT)
        if len(items) == limit or size_bytes >= PAGE_BYTES_MAX or is_late:
            return HistoryPage(items, change.revision if _goes_on(changes, sight, deadline) else None)
    return HistoryPage(items, None)


def _goes_on(changes: Iterator[Change], sight: Sight, deadline: float) -> bool:
    """Whether there is another change that ``sight`` shows, or it would take long to find out."""
    return any(ChangeEvent(each).seen_by(sight) is not None or time.monotonic() >= deadline for each in changes)


def seen_by(sight: Sight, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries as ``sight`` shows them."""
    return entries if sight is WHOLE else [seen for entry in entries if (seen := sight.entry(entry)) is not None]


def until(changes: Iterator[Change], newest: int) -> Iterator[Change]:
    """The changes up to a revision."""
    for change in changes:
        if change.revision > newest:
            return
        yield change


def _still_stands(entry: Entry, moment: Moment) -> bool:
    """Whether the newest version is the version of the moment already."""
    match moment:
        case AtRevision(revision):
            return entry.revision <= revision
        case AtTime(at_ms):
            return entry.updated_at_ms <= at_ms
