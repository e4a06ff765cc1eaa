"""Committers over a journal in memory, each with a view of its own, as processes would have them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rollbook.clusters.acceptance import SchemaRules
from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.writing.commands import Command
from rollbook.registry.writing.committing import Committer, WriteResult
from rollbook.security.callers import Caller
from rollbook.view.views import View
from tests.examples import cluster


class Process:
    """What a process has of a journal: a view of its own, and a committer."""

    def __init__(self, journal: Journal, *, limits: Limits = DEFAULT_LIMITS, chance: float = 0.0) -> None:
        self.view = View(indexed=False)
        self.view.load(journal.load(), journal.newest())
        self.recent = RecentChanges(self.view.revision)
        self.committer = Committer(
            journal, self.view, self.recent, now_ms=lambda: 1_000, limits=limits, chance=lambda: chance
        )

    async def write(self, command: Command) -> WriteResult:
        """The result of a command."""
        return await self.committer.submit(Caller.FULL, command)


@asynccontextmanager
async def process_on(journal: Journal, **options: Any) -> AsyncIterator[Process]:
    """A process that uses a journal, until the end of the block."""
    process = Process(journal, **options)
    async with process.committer:
        yield process


def creation(id: str, **fields: Any) -> Command:
    """The command that enrols a cluster."""
    return parse_creation(cluster(id, **fields), rules=SchemaRules(), limits=DEFAULT_LIMITS)


def change(id: str, body: Any) -> Command:
    """The command that an update body means."""
    return parse_update_request(id, body, rules=SchemaRules(), limits=DEFAULT_LIMITS)
