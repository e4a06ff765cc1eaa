"""The registry as its callers see it: writes through the committer, reads from the view."""

import asyncio
from collections.abc import Iterator

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.values import Value
from rollbook.errors import ClusterNotFound
from rollbook.journal.interface import Journal
from rollbook.limits import Limits
from rollbook.registry.history.compacting import Compactor
from rollbook.registry.history.history import History
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.commands import ANY_REVISION, Command, Precondition
from rollbook.registry.writing.committing import Author, Committer, WriteResult
from rollbook.view.entries import Entry
from rollbook.view.views import View


class Registry(Struct, frozen=True):
    """One open registry. ``assembly.open_registry`` makes it, and closes it."""

    journal: Journal
    view: View
    committer: Committer
    reader: Reader
    watching: Watching
    webhooks: Webhooks
    history: History
    compactor: Compactor
    facts: Facts
    liveness: LeaseKeeper
    rules: SchemaRules
    limits: Limits

    async def create(
        self, document: Value, *, author: Author, rules: SchemaRules | None = None, replace: bool = False
    ) -> WriteResult:
        """Enrol a cluster. Refuses what breaks the schema (DocumentInvalid) and an id that is taken (ClusterExists)."""
        command = parse_creation(document, rules=rules or self.rules, limits=self.limits, replace=replace)
        return await self.committer.submit(command, author)

    async def write(self, command: Command, *, author: Author) -> WriteResult:
        """Carry out an update or a deletion; what it refuses is raised."""
        return await self.committer.submit(command, author)

    def begin(self, command: Command, *, author: Author) -> asyncio.Future[WriteResult]:
        """As ``write``, for who does not wait here."""
        return self.committer.begin(command, author)

    def entry(self, id: str, *, precondition: Precondition = ANY_REVISION) -> Entry:
        """The newest document of ``id``. Refuses (ClusterNotFound) when there is none."""
        entry = self.view.entry(id)
        if entry is None:
            raise ClusterNotFound(f"no cluster has the id {id!r}")
        precondition.check(entry.revision)
        return entry

    def bodies(self) -> Iterator[bytes]:
        """The JSON of every document, in order of creation."""
        return (entry.body for entry in self.view.entries())
