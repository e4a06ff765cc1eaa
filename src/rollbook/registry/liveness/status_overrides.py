"""Which leases have a mark in their document, as the changes of the documents show.

One rule: a mark is believed only because a change says so. The registry follows its own changes as anybody's, so it
knows after a crash what it did before, and when somebody else has written a status meanwhile.
"""

import asyncio

from msgspec import Struct

from rollbook.clusters.liveness import REGISTERED, ClockReading, Lease, StatusOverride, mark_after, status_in
from rollbook.documents.codec import decode_json
from rollbook.documents.editing import identical
from rollbook.documents.values import MISSING, Maybe
from rollbook.journal.changes import Change
from rollbook.journal.interface import Journal
from rollbook.journal.statuses import StatusChange
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.liveness.leases import Leases
from rollbook.security.sights import WHOLE, Sight
from rollbook.view.entries import Entry
from rollbook.view.views import View

REGISTRY = "registry"
"""The actor of what the registry does by itself."""


class Book(Struct, frozen=True):
    """The parts of a registry that marks are read off."""

    journal: Journal
    view: View
    recent: RecentChanges


class StatusWords(Struct, frozen=True):
    """The status that the registry writes for silent clusters, and that of clusters that are heard (empty: none)."""

    unreachable: str
    live: str

    def override_of(self, status: Maybe, given: StatusChange | None) -> StatusOverride | None:
        """The override in a document of this status, by the change that gave it; None: it has had it always.

        Where it is not known who gave it, it is taken for the registry's own word, and the cluster for one that was
        heard: else it would stay unreachable for ever.
        """
        if given is None or status != self.unreachable:
            return None
        if given.actor is None:
            return StatusOverride(self.unreachable, self.live or REGISTERED)
        if given.actor != REGISTRY:
            return None
        return StatusOverride(self.unreachable, MISSING if given.former is None else decode_json(given.former))


class StatusOverrides:
    """The marks of all leases, kept true to the documents."""

    def __init__(self, leases: Leases, book: Book, words: StatusWords) -> None:
        self.words = words
        self._leases = leases
        self._book = book
        self._revision = book.recent.revision
        self._statuses: dict[str, tuple[int, Maybe]] = {}

    def entry(self, id: str) -> Entry | None:
        """The newest document of a cluster."""
        return self._book.view.entry(id)

    def status_of(self, entry: Entry) -> Maybe:
        """The status in the newest document of a cluster, decoded once for each revision."""
        known = self._statuses.get(entry.id)
        if known is None or known[0] != entry.revision:
            self._statuses[entry.id] = known = (entry.revision, status_in(entry.body))
        return known[1]

    def is_none(self, lease: Lease, entry: Entry) -> bool:
        """Whether a lease surely has no mark. Not sure is the status of a mark, if it is not known who wrote it."""
        if not lease.mark_known and self.status_of(entry) != self.words.unreachable:
            lease.mark_known = True
        return lease.mark_known and lease.mark is None

    def believe(self, lease: Lease, mark: StatusOverride | None) -> None:
        """Take it for certain that a lease has this mark, or none."""
        if lease.mark != mark or not lease.mark_known:
            lease.mark, lease.mark_known = mark, True
            self._leases.changed(lease)

    def catch_up(self, at: ClockReading) -> None:
        """Follow the changes that were committed since this was last called."""
        recent = self._book.recent
        changes = recent.after(self._revision, most=recent.revision - self._revision)
        self._revision = recent.revision
        if changes is None:
            self._start_over()
            return
        for change in changes:
            if change.after is None:
                self._statuses.pop(change.id, None)
            lease = self._leases.get(change.id)
            if lease is None or change.revision < lease.life:  # what a former cluster of this id came to
                continue
            if change.after is None:
                self._leases.drop(change.id)
            elif self._concerns(lease, change):
                self._follow(lease, change, at)

    async def learn(self, lease: Lease) -> None:
        """Find out who wrote the status that a cluster has; a document that changes meanwhile is looked at again."""
        entry = self.entry(lease.id)
        if entry is None or self.is_none(lease, entry):
            lease.mark_known = True
            return
        given = await asyncio.to_thread(self._book.journal.past.status, lease.id, entry.revision)
        mark = self.words.override_of(self.status_of(entry), given)
        newest = self.entry(lease.id)
        if not lease.mark_known and newest is not None and newest.revision == entry.revision:
            self.believe(lease, mark)

    async def knows(self, id: str, sight: Sight) -> bool:
        """Whether there ever was a cluster with this id that ``sight`` shows."""
        return await asyncio.to_thread(self._knows, id, sight)

    def _knows(self, id: str, sight: Sight) -> bool:
        past = self._book.journal.past
        if sight is WHOLE or not past.knows(id):
            return past.knows(id)
        return any(sight.change(change) is not None for change in past.history(id))

    def _concerns(self, lease: Lease, change: Change) -> bool:
        return lease.mark is not None or change.actor == REGISTRY or lease.id in self._leases.due

    def _follow(self, lease: Lease, change: Change, at: ClockReading) -> None:
        """A status may have changed. A status that is written for a cluster whose lease has expired decides for it."""
        by_others = change.actor != REGISTRY and not identical(status_in(change.before), status_in(change.after))
        if by_others and lease.id in self._leases.due:
            self._leases.note(lease, at, counts=False)
        self.believe(lease, self._mark_after(lease.mark, change))

    def _mark_after(self, mark: StatusOverride | None, change: Change) -> StatusOverride | None:
        before, after = status_in(change.before), status_in(change.after)
        return mark_after(mark, before, after, by_registry=change.actor == REGISTRY, unreachable=self.words.unreachable)

    def _start_over(self) -> None:
        """More has changed than is remembered: hold every lease against the documents as they are."""
        for lease in self._leases:
            entry = self.entry(lease.id)
            if entry is None or entry.created_revision != lease.life:
                self._leases.drop(lease.id)
            elif lease.mark is not None and self.status_of(entry) != lease.mark.written:
                self.believe(lease, None)
