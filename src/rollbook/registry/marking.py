"""Writing silences into documents, and taking that back when beats return.

One rule: a mark is a change like any other. It goes through the committer, it is decided on the newest document, and
what the registry believes of its marks it reads off the changes themselves: so it knows after a crash, and when
somebody else has written a status meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import (
    RETURN_REASON,
    Lease,
    Mark,
    Reading,
    Step,
    mark_after,
    silence_reason,
    step_due,
)
from rollbook.documents.editing import identical
from rollbook.documents.values import Maybe
from rollbook.errors import JournalUnavailable, RegistryError
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.limits import Limits
from rollbook.registry.committing import Author, Committer
from rollbook.registry.leases import Leases
from rollbook.registry.recent import RecentChanges
from rollbook.registry.status_commands import NOT_DUE, MarkUnreachable, RestoreStatus, SetStatus, status_in
from rollbook.view.entries import Entry, View

logger = logging.getLogger(__name__)

REGISTRY = "registry"
"""The actor of what the registry does by itself."""

TROUBLE_SECONDS = 1.0
"""How long the registry waits before it writes for itself again, after the disk refused."""

ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Book:
    """The parts of a registry that marks are made in and read off."""

    journal: Journal
    view: View
    recent: RecentChanges
    committer: Committer


@dataclass(frozen=True, slots=True)
class StatusRules:
    """How the registry writes a status: the one for the unreachable, and what every document has to obey."""

    unreachable: str
    schema: SchemaRules
    limits: Limits


class Marks:
    """The marks of all leases, kept true to the documents."""

    def __init__(self, leases: Leases, book: Book, rules: StatusRules, *, read_clocks: Callable[[], Reading]) -> None:
        self.marked = 0
        self.restored = 0
        self._leases = leases
        self._book = book
        self._rules = rules
        self._read_clocks = read_clocks
        self._revision = book.recent.revision
        self._statuses: dict[str, tuple[int, Maybe]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._trouble_until = 0.0

    def is_settled(self, lease: Lease, entry: Entry) -> bool:
        """Whether there is surely nothing to take back for a lease that has just heard a beat."""
        if not lease.mark_known and self.status_of(entry) != self._rules.unreachable:
            lease.mark_known = True
        return lease.mark_known and lease.mark is None

    def status_of(self, entry: Entry) -> Maybe:
        """The status in the newest document of a cluster, decoded once for each revision."""
        known = self._statuses.get(entry.id)
        if known is None or known[0] != entry.revision:
            self._statuses[entry.id] = known = (entry.revision, status_in(entry.body))
        return known[1]

    async def set_status(self, lease: Lease, entry: Entry, status: str, author: Author) -> None:
        """Write the status that a beat brings, when it differs. It stands: no mark is taken back after it."""
        if self.status_of(entry) != status:
            command = SetStatus(entry.id, status, self._rules.schema, self._rules.limits)
            await self._book.committer.submit(command, author)
            self.catch_up()
        self._believe(lease, None)

    async def settle(self, lease: Lease) -> None:
        """Do to the document what the lease asks for. Returns when that is durable, or when it has to wait."""
        if self._read_clocks().seconds < self._trouble_until:
            self._again.add(lease.id)
        else:
            await asyncio.shield(self._begin(lease))

    def look(self, due: Iterable[Lease], at: Reading) -> None:
        """Follow what was changed; then begin to settle what is due, and what could not be settled before."""
        self.catch_up()
        if at.seconds < self._trouble_until:
            return
        again, self._again = self._again, set()
        for lease in (*due, *filter(None, map(self._leases.get, again))):
            self._begin(lease)

    def catch_up(self) -> None:
        """Follow the changes that were committed since this was last called."""
        recent = self._book.recent
        changes = recent.after(self._revision, most=recent.revision - self._revision)
        self._revision = recent.revision
        if changes is None:
            self._start_over()
            return
        for change in changes:
            if change.after is None:
                self._leases.drop(change.id)
                self._statuses.pop(change.id, None)
            elif (lease := self._leases.get(change.id)) is not None and self._concerns(lease, change):
                self._follow(lease, change)

    async def knows(self, id: str) -> bool:
        """Whether there ever was a cluster with this id."""
        return await asyncio.to_thread(self._book.journal.past.knows, id)

    async def close(self) -> None:
        """Let what has begun come to its end."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _begin(self, lease: Lease) -> asyncio.Task[None]:
        task = self._tasks.get(lease.id)
        if task is None:
            task = self._tasks[lease.id] = asyncio.create_task(self._settle(lease))
            task.add_done_callback(lambda _: self._tasks.pop(lease.id, None))
        return task

    async def _settle(self, lease: Lease) -> None:
        try:
            for _ in range(ATTEMPTS_MAX):
                if not await self._settle_once(lease):
                    return
            self._again.add(lease.id)
        except JournalUnavailable as trouble:
            self._again.add(lease.id)
            self._trouble_until = self._read_clocks().seconds + TROUBLE_SECONDS
            logger.warning("the status of %s could not be written: %s", lease.id, trouble.message)
        except RegistryError as refusal:
            logger.warning("the status of %s is left as it is: %s", lease.id, refusal.message)
            self._believe(lease, None)
            self._leases.note(lease, self._read_clocks())

    async def _settle_once(self, lease: Lease) -> bool:
        """Take the step that is due; whether there may be another."""
        self.catch_up()
        if not lease.mark_known:
            await self._learn_mark(lease)
            return True
        match self._step(lease):
            case "mark":
                await self._mark(lease)
            case "restore" if lease.mark is not None:
                await self._restore(lease, lease.mark)
            case _:
                return False
        return True

    def _step(self, lease: Lease) -> Step | None:
        if self._leases.get(lease.id) is not lease:
            return None
        now = self._read_clocks().seconds
        return step_due(lease, now, self._leases.listening_since(now), held=self._leases.holds.mass is not None)

    async def _mark(self, lease: Lease) -> None:
        beat_at, rules = lease.beat_at, self._rules
        reason = silence_reason(lease, self._read_clocks().seconds)

        def is_due() -> bool:
            return lease.beat_at == beat_at and self._step(lease) == "mark"

        command = MarkUnreachable(lease.id, rules.unreachable, is_due, rules.schema, rules.limits)
        stored = await self._book.committer.submit(command, Author(REGISTRY, reason))
        self.catch_up()
        self.marked += stored.kind is not None
        if lease.beat_at == beat_at and stored.outcome != NOT_DUE:
            self._leases.note(lease, self._read_clocks())

    async def _restore(self, lease: Lease, mark: Mark) -> None:
        entry, rules = self._book.view.entry(lease.id), self._rules
        if entry is None or self.status_of(entry) != mark.written:
            self._believe(lease, None)
            return
        command = RestoreStatus(lease.id, mark, entry.revision, rules.schema, rules.limits)
        stored = await self._book.committer.submit(command, Author(REGISTRY, RETURN_REASON))
        self.catch_up()
        self.restored += stored.kind is not None

    async def _learn_mark(self, lease: Lease) -> None:
        """Read off the history of a cluster whether the registry wrote the status that it has."""
        entry = self._book.view.entry(lease.id)
        if entry is None or self.status_of(entry) != self._rules.unreachable:
            lease.mark_known = True
            return
        mark = await asyncio.to_thread(self._mark_in_history, lease.id)
        self.catch_up()
        newest = self._book.view.entry(lease.id)
        if not lease.mark_known and newest is not None and newest.revision == entry.revision:
            self._believe(lease, mark)

    def _mark_in_history(self, id: str) -> Mark | None:
        """Whoever changed the status last made it what it is."""
        for change in self._book.journal.past.history(id):
            if not identical(status_in(change.before), status_in(change.after)):
                return self._mark_after(None, change)
        return None

    def _concerns(self, lease: Lease, change: Change) -> bool:
        return lease.mark is not None or change.actor == REGISTRY or self._leases.is_due(lease)

    def _follow(self, lease: Lease, change: Change) -> None:
        """A status may have changed. Whoever wrote it for a cluster whose lease has run out has spoken for it."""
        mark = self._mark_after(lease.mark, change)
        by_others = change.actor != REGISTRY and not identical(status_in(change.before), status_in(change.after))
        if by_others and self._leases.is_due(lease):
            self._leases.note(lease, self._read_clocks(), counts=False)
        self._believe(lease, mark)

    def _mark_after(self, mark: Mark | None, change: Change) -> Mark | None:
        return mark_after(
            mark,
            status_in(change.before),
            status_in(change.after),
            by_registry=change.actor == REGISTRY,
            unreachable=self._rules.unreachable,
        )

    def _believe(self, lease: Lease, mark: Mark | None) -> None:
        if lease.mark != mark or not lease.mark_known:
            lease.mark, lease.mark_known = mark, True
            if self._leases.get(lease.id) is lease:
                self._leases.dirty.add(lease.id)

    def _start_over(self) -> None:
        """More has changed than is remembered: hold every lease against the documents as they are."""
        for lease in self._leases:
            entry = self._book.view.entry(lease.id)
            if entry is None or entry.created_revision != lease.life:
                self._leases.drop(lease.id)
            elif lease.mark is not None and self.status_of(entry) != lease.mark.written:
                self._believe(lease, None)
