"""Pages of the clusters that match, all of one revision, however much is written meanwhile.

Theory: the first page settles the revision; a cursor carries it, and which cluster was last. Most clusters *stand* as
they were at that revision and come from the view. Those that changed since come from the journal, as they were then.
Both are put into the order that is asked for, behind the last one. What is read from the view comes first: a cluster
that changes before the journal is read is in both, as the same version, and is taken from the journal.

One rule: each cluster that was there at the revision is on exactly one page, as it was. What heartbeats say is of now.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from rollbook.errors import ClusterNotFound, Compacted, CursorRefused
from rollbook.limits import Limits, budget_from_now
from rollbook.registry.history.earlier import EarlierVersions
from rollbook.registry.history.history import History
from rollbook.registry.history.moments import AtRevision, Moment
from rollbook.registry.history.past_fleets import check_past
from rollbook.registry.listing.cursors import Cursor, CursorKey, digest_of
from rollbook.registry.listing.page_requests import PageRequest
from rollbook.registry.listing.row_orders import in_order
from rollbook.registry.listing.seeing import sees_everything
from rollbook.registry.listing.windows import Placed, Position, Window, plain_value_at, window_behind
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.plan_steps import plan_with
from rollbook.registry.reading.reading_threads import ReadingThreads
from rollbook.registry.reading.requests import Query
from rollbook.registry.reading.scanning import Scan
from rollbook.security.callers import Caller
from rollbook.security.sights import WHOLE
from rollbook.view.entries import Bodies, Entry
from rollbook.view.index.postings import EMPTY
from rollbook.view.index.trees import PathIndex
from rollbook.view.orders import created_after, first_by, first_created, last_created
from rollbook.view.planning.plans import Plan
from rollbook.view.selections import Selection
from rollbook.view.sorting import SortPosition
from rollbook.view.views import View


class ClusterPage(Struct, frozen=True):
    """The clusters of a page, how many match in all, of which revision, and the cursor of the next page.

    ``scan`` is what their documents are read with: the facts and the budget of the request.
    """

    entries: Sequence[Entry]
    total: int
    revision: int
    cursor: str | None
    scan: Scan


class Pages:
    """Answers page by page. ``facts`` know what heartbeats say; a moment of the past is answered without.

    ``key`` seals the cursors.
    """

    def __init__(
        self,
        view: View,
        threads: ReadingThreads,
        history: History,
        *,
        facts: Facts,
        key: CursorKey,
        limits: Limits,
    ) -> None:
        self._view = view
        self._threads = threads
        self._history = history
        self._facts = facts
        self.key = key
        """Seals cursors, and by keys that are derived from it other texts that callers bring back."""
        self._limits = limits

    async def documents(
        self, caller: Caller, asked: PageRequest, moment: Moment | None = None
    ) -> tuple[ClusterPage, Sequence[bytes]]:
        """Like ``page``, with the JSON of each cluster as the query asks for it."""
        page = await self.page(caller, asked, moment)
        if asked.query.answers_as_stored:
            return page, Bodies(page.entries)
        scan, query = replace(page.scan, entries=page.entries, certain=None), replace(asked.query, sort=None)
        return page, await self._threads.run(lambda: scan.find(query), scan.work)

    async def page(self, caller: Caller, asked: PageRequest, moment: Moment | None = None) -> ClusterPage:
        """The first page, or the one behind the cursor.

        Refuses (CursorRefused) a cursor of another request, and one whose revision is no longer kept; (Compacted) a
        moment that is no longer kept.
        """
        if moment is not None:
            check_past(asked.query)
        sight = caller.access.reads
        asked = replace(asked, digest=_digest_for(caller, asked))
        facts = self._facts if sight is WHOLE else self._facts.of_what_is_seen()
        facts = facts.as_of_now() if moment is None else self._history.facts_for(caller)
        work = budget_from_now(self._limits, max_time_ms=asked.query.max_time_ms)
        scan = Scan((), facts, work, answers=self._threads.answers)
        if asked.cursor is None:
            revision = self._view.revision if moment is None else await self._history.revision_of(caller, moment)
            return await self._page(caller, asked, scan, revision, None, None)
        cursor = self.key.opened(asked.cursor, asked=asked.digest)
        try:
            last = await self._last(caller, cursor) if cursor.id else None
            return await self._page(caller, asked, scan, cursor.revision, last, cursor.total)
        except Compacted:
            problem = f"the cursor has expired: what was at revision {cursor.revision} is no longer kept"
            raise CursorRefused(f"{problem}; begin again without one") from None

    def cursor_behind(self, caller: Caller, asked: PageRequest, page: ClusterPage, number: int) -> str | None:
        """The cursor behind a cluster of a page; -1: behind those before it, which is None but for the first page."""
        if number < 0 and asked.cursor is not None:
            return None
        id = page.entries[number].id if number >= 0 else ""
        return self.key.sealed(Cursor(page.revision, id, page.total, _digest_for(caller, asked)))

    async def _last(self, caller: Caller, cursor: Cursor) -> Entry:
        """The cluster that was last on the page before, as it was."""
        if cursor.revision > self._view.revision:
            raise CursorRefused("the cursor is of a revision that is not there; begin again without one")
        try:
            return await self._history.version(caller, cursor.id, AtRevision(cursor.revision))
        except ClusterNotFound:
            raise CursorRefused("the cursor is of a cluster that was not there; begin again without one") from None

    async def _page(
        self, caller: Caller, asked: PageRequest, scan: Scan, revision: int, last: Entry | None, total: int | None
    ) -> ClusterPage:
        """The page behind ``last``, of ``total`` clusters, where they are counted already."""
        query = asked.query
        known = None if last is None else (last, scan.document_of(last, with_facts=query.reads_registry))
        window = window_behind(query.sort, known, asked.limit + 1)
        found: Sequence[Entry]
        if sees_everything(caller):
            found, matching = await self._of_all(query, scan, revision, window, total)
        else:
            fleet = await self._history.fleet(caller, AtRevision(revision))
            job = _Job(query, replace(scan, entries=fleet.entries), window, None, None, total)
            found, matching = await self._threads.run(lambda: job.run(self._history.earlier), scan.work)
        cursor = None
        if len(found) > asked.limit:
            cursor = self.key.sealed(Cursor(revision, found[asked.limit - 1].id, matching, asked.digest))
        return ClusterPage(found[: asked.limit], matching, revision, cursor, scan)

    async def _of_all(
        self, query: Query, scan: Scan, revision: int, window: Window, total: int | None
    ) -> tuple[Sequence[Entry], int]:
        """What the window shows of the whole fleet, and how many match; the index helps."""
        plan = plan_with(scan.facts, self._view, query)  # from here to the thread, everything is of one moment
        until = revision if revision < self._view.revision else None
        first = self._first(plan, window, until) if plan.exact else None
        candidates, last = plan.candidates, window.last
        if first is not None and until is None:
            matching = len(self._view) if candidates is None else len(candidates)
            return first, matching if total is None else total
        if window.sort is None and last is not None and total is not None:
            candidates = created_after(self._view, candidates, last[0].created_revision)
        certain = None if plan.exact else plan.certain
        scan = replace(scan, entries=self._view.selection(candidates), certain=certain)
        job = _Job(query, scan, window, first, until, total, self._view.index.root)
        return await self._threads.run(lambda: job.run(self._history.earlier), scan.work)

    def _first(self, plan: Plan, window: Window, until: int | None) -> Sequence[Entry] | None:
        """The first of the window that stand since ``until``, where the index knows the order."""
        view, last = self._view, window.last
        number = None if last is None else last_created(view, last[0].created_revision)
        if window.sort is None:
            return first_created(view, plan.candidates, window.size, behind=number, until=until)
        if len(window.sort.criteria) != 1 or window.sort.collation is not None:
            return None
        by, place = window.sort.criteria[0], None
        if last is not None and number is not None:
            value = plain_value_at(last[1], by.path)
            if isinstance(value, (dict, list)):
                return None
            place = SortPosition(value, number)
        return first_by(
            view, by.path, plan.candidates, window.size, descending=by.descending, behind=place, until=until
        )


def _digest_for(caller: Caller, asked: PageRequest) -> bytes:
    """What a cursor keeps of a request: another caller may see other clusters."""
    sight = caller.access.reads
    return asked.digest if sight is WHOLE else digest_of(asked.digest + sight.key)


class _Job(Struct, frozen=True):
    """A page for which documents must be looked at: ``scan`` has the candidates, of the present.

    ``first`` are the first of the window that stand since ``until``, where the index knows them. ``until`` None:
    nothing has changed since the revision of the page. ``total`` None: all that match are counted. ``root``: the index
    of what ``scan`` selects, if that helps.
    """

    query: Query
    scan: Scan
    window: Window
    first: Sequence[Entry] | None
    until: int | None
    total: int | None
    root: PathIndex | None = None

    def run(self, versions: EarlierVersions) -> tuple[list[Entry], int]:
        """The clusters of the window, and how many match in all."""
        earlier = () if self.until is None else self._behind(versions.since(self.until, self.scan.work).entries)
        scan = replace(self.scan, entries=earlier, certain=EMPTY)
        changed, changed_count = self.window.first_of(scan.matching(self.query), counts=self.total is None)
        standing, count = self._standing({entry.created_revision for entry in earlier})
        total = changed_count + count if self.total is None else self.total
        return self.window.together(changed, standing), total

    def _behind(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Of entries in order of creation those that the window can show, or that are to be counted."""
        last, counts = self.window.last, self.total is None
        if last is None or self.window.sort is not None or counts:
            return entries
        return entries[bisect_right(entries, last[0].created_revision, key=lambda entry: entry.created_revision) :]

    def _standing(self, changed: set[int]) -> tuple[list[Placed], int]:
        """The first of those that stand, and how many there are."""
        counts, until = self.total is None, self.until

        def stands(entry: Entry) -> bool:
            return until is None or (entry.revision <= until and entry.created_revision not in changed)

        known = self._in_order(stands) if self.first is None else self.first
        if known is None:
            standing = replace(self.scan, entries=filter(stands, self.scan.entries))
            return self.window.first_of(standing.matching(self.query), counts=counts)
        first = list(filter(stands, known))
        scan, with_facts = self.scan, self.query.reads_registry
        documents = ((entry, scan.document_of(entry, with_facts=with_facts)) for entry in first)
        entries = self.scan.entries
        if counts and until is None and isinstance(entries, Selection):
            return list(self.window.placed(documents)), len(entries)
        return list(self.window.placed(documents)), sum(map(stands, entries)) if counts else 0

    def _in_order(self, stands: Callable[[Entry], bool]) -> Iterable[Entry] | None:
        """The first of those that stand, where the index can tell which match, and in which order they are."""
        scan, query, selection = self.scan, replace(self.query, sort=self.window.sort), self.scan.entries
        if self.root is None or query.sort is None or scan.certain is not None or not isinstance(selection, Selection):
            return None
        numbers = in_order(selection.numbers(), query, self.root, selection, scan)
        behind = None if self.window.last is None else next(self.window.placed([self.window.last]))[0]

        def position(number: int) -> Position:
            entry = selection.at(int(number))
            document = scan.document_of(entry, with_facts=query.reads_registry)
            return next(self.window.placed([(entry, document)]))[0]

        start = 0 if behind is None else bisect_right(numbers, behind, key=position)
        return islice(filter(stands, map(selection.at, numbers[start:].tolist())), self.window.size)
