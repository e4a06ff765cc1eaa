"""The journal in memory: the model of what a journal is, and a rival for tests of writing.

One rule: it passes the contract as the other journals do, and is the simplest that does. Nothing survives the process.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from operator import itemgetter
from threading import RLock
from typing import NamedTuple

from rollbook.errors import Compacted, JournalConflict
from rollbook.journal.changes import Change, StoredVersion, protected_after
from rollbook.journal.interface import Alone, Sharing, Size, Syncs
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.memory.kept_results import MemoryKeptResults
from rollbook.journal.memory.transfer import MemoryTransfer
from rollbook.journal.statuses import Formers, StatusChange, formers_in, gives_status
from rollbook.journal.transfers import Transfer
from rollbook.limits import RequestBudget

CHANGE_BYTES = 100
STEP_CHANGES = 256


class _Record(NamedTuple):
    """A change, what stood before it, and the bytes of all changes up to it."""

    change: Change
    before: StoredVersion | None
    total_bytes: int


NOTHING = _Record(Change(0, "", "deleted", 0, None, None), None, 0)


class MemoryJournal:
    """A journal (see ``interface.Journal``) that several writers of one process may share."""

    def __init__(self) -> None:
        self.oldest = NOTHING
        """The newest record that is gone."""
        self.records: list[_Record] = []
        """The kept records; the revision of each is one more than that of its predecessor."""
        self.live: dict[str, StoredVersion] = {}
        self.revisions: dict[str, list[int]] = {}
        """The revisions of all changes of each id, kept or gone."""
        self.statuses: dict[str, list[StatusChange]] = {}
        """The updates that gave each id another status, and its creations after them, kept or gone."""
        self.transfer: Transfer = MemoryTransfer(self, self._begin_at)
        self.lock = RLock()
        self.problem: str | None = None
        self.syncs = Syncs()
        self.past = MemoryPast(self)
        self.compaction = MemoryCompaction(self)
        self.inspection = MemoryInspection(self)
        self.results = MemoryKeptResults()
        self.sharing: Sharing = Alone(self.newest)
        self._rivals: deque[Callable[[], None]] = deque()

    def lose_race_to(self, *rivals: Callable[[], None]) -> None:
        """Let each rival run once, in the midst of an append: the append finds what it did. One rival an append."""
        self._rivals.extend(rivals)

    @property
    def newest_record(self) -> _Record:
        """The newest record, kept or gone."""
        return self.records[-1] if self.records else self.oldest

    def newest(self) -> int:
        """See ``interface.Journal.newest``."""
        return self.newest_record.change.revision

    def newest_ms(self) -> int:
        """See ``interface.Journal.newest_ms``."""
        return self.newest_record.change.at_ms

    def load(self) -> Iterator[StoredVersion]:
        """See ``interface.Journal.load``."""
        with self.lock:
            return iter(sorted(self.live.values(), key=lambda version: version.created_revision))

    def append(
        self,
        changes: Sequence[Change],
        *,
        after: int,
        formers: Formers | None = None,
        results: Sequence[KeptResult] = (),
    ) -> None:
        """See ``interface.Journal.append``."""
        if self._rivals:
            rival, waiting = self._rivals.popleft(), self._rivals
            self._rivals = deque()  # the rival itself loses no race
            rival()
            self._rivals = waiting
        with self.lock:
            if after != self.newest():
                raise JournalConflict(f"the newest revision is {self.newest()}, not {after}")
            live, newest, records = dict(self.live), self.newest_record, []
            formers = formers_in(changes) if formers is None else formers
            for change in changes:
                newest = _recorded(change, live, newest, formers)
                records.append(newest)
            self.live = live
            self.records += records
            for change in changes:
                self.revisions.setdefault(change.id, []).append(change.revision)
                if change.revision in formers or (change.kind == "created" and change.id in self.statuses):
                    former = formers.get(change.revision)
                    given = StatusChange(change.revision, change.at_ms, change.actor, former)
                    self.statuses.setdefault(change.id, []).append(given)
            self.results.keep(results)

    def follow(self, after: int) -> Iterator[Change]:
        """See ``interface.Journal.follow``."""
        position = after
        while position < self.newest():
            with self.lock:
                index = position - self.oldest.change.revision
                if index < 0:
                    raise Compacted(f"the changes after revision {position} are no longer kept")
                change = self.records[index].change
            yield change
            position = change.revision

    def close(self) -> None:
        """See ``interface.Journal.close``. What it holds stays, for who opens it again."""

    def _begin_at(self, revision: int, at_ms: int) -> None:
        self.oldest = _Record(Change(revision, "", "deleted", at_ms, None, None), None, 0)


class MemoryPast:
    """A past (see ``interface.Past``) in the records of a journal."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    def history(self, id: str, *, before: int | None = None, work: RequestBudget | None = None) -> Iterator[Change]:
        """See ``interface.Past.history``."""
        for record in reversed(self._journal.records[:]):
            change = record.change
            if change.id == id and (before is None or change.revision < before):
                _spend(work)
                yield change

    def version(self, id: str, revision: int, *, work: RequestBudget | None = None) -> StoredVersion | None:
        """See ``interface.Past.version``."""
        journal = self._journal
        with journal.lock:
            revisions = journal.revisions.get(id, [])
            following = bisect_right(revisions, revision)
            if following == len(revisions):
                return journal.live.get(id)
            index = revisions[following] - journal.oldest.change.revision - 1
            if index < 0:
                raise Compacted(f"what was at revision {revision} is no longer kept")
            _spend(work)
            return journal.records[index].before

    def earlier(
        self, revision: int, *, work: RequestBudget | None = None
    ) -> Generator[tuple[str, StoredVersion | None], None, None]:
        """See ``interface.Past.earlier``."""
        with self._journal.lock:
            oldest, records = self._journal.oldest.change.revision, self._journal.records[:]
        if revision < oldest:
            raise Compacted(f"what was at revision {revision} is no longer kept")
        seen = set()
        for record in records[revision - oldest :]:
            _spend(work)
            if record.change.id not in seen:
                seen.add(record.change.id)
                yield record.change.id, record.before

    def revision_at(self, at_ms: int) -> int:
        """See ``interface.Past.revision_at``."""
        found = newest_at(self._journal, at_ms)
        if found is None:
            raise Compacted("what was at that time is no longer kept")
        return found

    def status(self, id: str, revision: int | None = None) -> StatusChange | None:
        """See ``interface.Past.status``."""
        given = self._journal.statuses.get(id, [])
        count = len(given) if revision is None else bisect_right(given, revision, key=itemgetter(0))
        return given[count - 1] if count else None

    def result(self, key: bytes) -> KeptResult | None:
        """See ``interface.Past.result``."""
        return self._journal.results.find(key)

    def knows(self, id: str) -> bool:
        """See ``interface.Past.knows``."""
        return id in self._journal.revisions


class MemoryCompaction:
    """A compaction (see ``interface.Compaction``) of the records of a journal."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    def mark(self) -> int:
        """See ``interface.Compaction.mark``."""
        return self._journal.oldest.change.revision

    def goal(self, *, until_ms: int, changes_max: int, bytes_max: int) -> int:
        """See ``interface.Compaction.goal``."""
        with self._journal.lock:
            records, newest = [self._journal.oldest, *self._journal.records], self._journal.newest_record
            surplus_bytes = newest.total_bytes - bytes_max
            by_size = next(record.change.revision for record in records if record.total_bytes >= surplus_bytes)
            by_age, by_count = newest_at(self._journal, until_ms) or 0, newest.change.revision - changes_max
            return max(self.mark(), min(newest.change.revision - 1, max(by_age, by_count, by_size)))

    def step(self, goal: int) -> int:
        """See ``interface.Compaction.step``."""
        with self._journal.lock:
            count = min(goal - self.mark(), STEP_CHANGES, len(self._journal.records))
            if count > 0:
                self._journal.oldest = self._journal.records[count - 1]
                del self._journal.records[:count]
            return self.mark()


class MemoryInspection:
    """An inspection (see ``interface.Inspection``) of the records of a journal."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    def count(self) -> int:
        """See ``interface.Inspection.count``."""
        return len(self._journal.live)

    def size(self) -> Size:
        """See ``interface.Inspection.size``."""
        kept_bytes = self._journal.newest_record.total_bytes - self._journal.oldest.total_bytes
        return Size(kept_bytes + sum(len(version.body) for version in self._journal.live.values()), 0)

    def problems(self) -> list[str]:
        """See ``interface.Inspection.problems``: memory has none."""
        return []


def newest_at(journal: MemoryJournal, at_ms: int) -> int | None:
    """The newest revision that is dated ``at_ms`` or earlier; None when it is gone, 0 when there never was one."""
    with journal.lock:
        records = [journal.oldest, *journal.records]
    found = bisect_right(records, at_ms, key=lambda record: record.change.at_ms)
    if found:
        return records[found - 1].change.revision
    return None if records[0].change.revision else 0


def _recorded(change: Change, live: dict[str, StoredVersion], newest: _Record, formers: Formers) -> _Record:
    """The record of the change after ``newest``; ``live`` is changed with it. Refuses (ValueError) a wrong one."""
    before = live.get(change.id)
    problem = _problem_with(change, before, newest.change)
    if problem is not None:
        raise ValueError(f"revision {change.revision} {problem}")
    if change.after is None:
        del live[change.id]
    else:
        created = (before.created_revision, before.created_at_ms) if before else (change.revision, change.at_ms)
        protected = protected_after(change.kind, before is not None and before.protected)
        since_ms = before.status_since_ms if before and not gives_status(change, formers) else change.at_ms
        times = (*created, change.at_ms, since_ms)
        live[change.id] = StoredVersion(change.id, change.after, change.revision, *times, protected)
    size_bytes = CHANGE_BYTES + len(change.before or b"") + len(change.after or b"")
    return _Record(change, before, newest.total_bytes + size_bytes)


def _problem_with(change: Change, before: StoredVersion | None, newest: Change) -> str | None:
    """Why a change can't follow ``newest`` on a document that stands as ``before``; None when it can."""
    if change.revision != newest.revision + 1:
        return f"does not follow revision {newest.revision}"
    if change.at_ms < newest.at_ms:
        return "is dated before the change that it follows"
    if change.before != (before.body if before else None):
        return f"does not follow from the stored document {change.id!r}"
    is_protected = before is not None and before.protected
    fits = {
        "created": before is None and change.after is not None,
        "updated": before is not None and change.after is not None,
        "deleted": before is not None and change.after is None and not is_protected,
        "protected": before is not None and change.after == change.before and not is_protected,
        "unprotected": before is not None and change.after == change.before and is_protected,
    }
    return None if fits[change.kind] else f"is no {change.kind!r} change of what is stored"


def _spend(work: RequestBudget | None) -> None:
    if work is not None:
        work.spend()
