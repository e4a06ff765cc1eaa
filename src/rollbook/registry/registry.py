"""The registry as its callers see it: writes through the committer, reads from the view.

One rule: who asks comes first in every method.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules
from rollbook.errors import ClusterNotFound
from rollbook.journal.interface import Journal
from rollbook.limits import Limits
from rollbook.registry.backups import Backups
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.clocks import TrustedClock
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.following import Follower
from rollbook.registry.history.compacting import Compactor
from rollbook.registry.history.history import History
from rollbook.registry.listing.filtered_writes import FilteredWrites
from rollbook.registry.listing.fits import Fits
from rollbook.registry.listing.node_tables import NodeTables
from rollbook.registry.listing.pages import Pages
from rollbook.registry.listing.tables import Tables
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.supervising import Supervisor
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.commands import Command
from rollbook.registry.writing.committing import Committer, WriteResult
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.registry.writing.preconditions import ANY_REVISION, Precondition
from rollbook.registry.writing.submissions import Outcomes, Write
from rollbook.security.callers import Caller
from rollbook.security.seeing import Seeing
from rollbook.security.sights import WHOLE
from rollbook.view.entries import Entry
from rollbook.view.views import View


class Registry(Struct, frozen=True):
    """One open registry. ``assembly.open_registry`` makes it, and closes it."""

    journal: Journal
    view: View
    committer: Committer
    reader: Reader
    pages: Pages
    watching: Watching
    webhooks: Webhooks
    history: History
    compactor: Compactor
    facts: Facts
    liveness: LeaseKeeper
    clock: TrustedClock
    rules: SchemaRules
    limits: Limits
    supervisor: Supervisor
    backups: Backups
    computing: ComputingThreads
    follower: Follower
    recent: RecentChanges
    unix_ms: Callable[[], int]
    """The time (Unix ms): where processes share a journal, the engine's for all of them."""

    @property
    def fits(self) -> Fits:
        """What fits where."""
        return Fits(self.reader, limits=self.limits)

    @property
    def filtered_writes(self) -> FilteredWrites:
        """Writes on all clusters that match a filter."""
        return FilteredWrites(
            self.pages,
            self.committer,
            self.journal,
            facts=self.facts_for,
            key=self.pages.key,
            now_ms=self.clock.now_ms,
        )

    @property
    def tables(self) -> Tables:
        """Tables of clusters."""
        view, threads, facts = self.view, self.reader.threads, self.facts
        return Tables(view, threads, self.history, self.pages, facts=facts, limits=self.limits)

    @property
    def node_tables(self) -> NodeTables:
        """Tables of nodes."""
        return NodeTables(self.pages, self.reader.threads, key=self.pages.key)

    @property
    def seeing(self) -> Seeing:
        """The view as callers see it."""
        return self.reader.seeing

    def write(
        self,
        caller: Caller,
        command: Command,
        *,
        reason: str | None = None,
        dry_run: bool = False,
        key: IdempotencyKey | None = None,
    ) -> asyncio.Future[WriteResult]:
        """Carry out a command. The future has its result once that is durable and visible; it raises the refusal.

        A dry run is decided in its turn, and changes nothing: its result is that which the write would have.
        What was done before with the same ``key`` is not done again, and its result is given.
        """
        return self.committer.submit(caller, command, reason=reason, dry_run=dry_run, key=key)

    def write_together(
        self, writes: Sequence[Write], *, dry_run: bool = False, key: IdempotencyKey | None = None
    ) -> asyncio.Future[Outcomes]:
        """Like ``write``, for writes of which all are done, in one step, or none.

        The future has the outcome of each; it raises what they are refused with together.
        """
        return self.committer.submit_together(writes, dry_run=dry_run, key=key)

    def entry(self, caller: Caller, id: str, *, precondition: Precondition = ANY_REVISION) -> Entry:
        """The newest document of ``id``, as the caller sees it. Refuses (ClusterNotFound) when it sees none."""
        entry = self.seeing.entry(caller.access.reads, id)
        if entry is None:
            raise ClusterNotFound(f"no cluster has the id {id!r}")
        precondition.check(entry.revision)
        return entry

    def bodies(self, caller: Caller) -> Iterator[bytes]:
        """The JSON of every document that the caller sees, in order of creation."""
        return (entry.body for entry in self.seeing.by(caller.access.reads).select(None))

    def facts_for(self, caller: Caller) -> Facts:
        """What the registry knows about clusters, as far as the caller may know it."""
        return self.facts if caller.access.reads is WHOLE else self.facts.of_what_is_seen()
