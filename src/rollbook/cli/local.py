"""Documents in the registry of a data directory, which this process opens alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rollbook.assembly import open_registry
from rollbook.cli.places import Outcome, concerning_one
from rollbook.collecting import settle_garbage_collection
from rollbook.documents.values import Value
from rollbook.errors import RegistryError
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.registry import Registry
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.submissions import Outcomes, WriteResult
from rollbook.security.callers import Caller
from rollbook.settings import Settings

COMMAND_LINE = Caller("command-line", "command-line")


@asynccontextmanager
async def open_directory(settings: Settings, reason: str | None) -> AsyncIterator["Directory"]:
    """The registry in the data directory of ``settings``; ``reason`` is why it is written to."""
    async with open_registry(settings, indexed=False, serves=False) as registry:
        settle_garbage_collection()
        yield Directory(registry, reason)


class Directory:
    """The registry in a data directory, opened by this process alone."""

    def __init__(self, registry: Registry, reason: str | None) -> None:
        self._registry = registry
        self._reason = reason

    def put(self, documents: Sequence[Value], *, replace: bool) -> AsyncIterator[Outcome]:
        """As ImportTarget says; all documents at once, so that they share the journal's commits."""
        parsed = [self._parsed(each, replace=replace) for each in documents]
        creations = [each for each in parsed if isinstance(each, Create)]
        if not creations:
            return _outcomes(parsed, None)
        written = self._registry.committer.create_each(COMMAND_LINE, creations, reason=self._reason)
        written.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        return _outcomes(parsed, written)

    async def bodies(self) -> AsyncIterator[bytes]:
        """As ImportTarget says."""
        for body in self._registry.bodies(COMMAND_LINE):
            yield body

    def _parsed(self, document: Value, *, replace: bool) -> Create | RegistryError:
        registry = self._registry
        try:
            return parse_creation(document, rules=registry.rules, limits=registry.limits, replace=replace)
        except RegistryError as refusal:
            return refusal


async def _outcomes(
    parsed: Sequence[Create | RegistryError], written: "asyncio.Future[Outcomes] | None"
) -> AsyncIterator[Outcome]:
    outcomes = iter(() if written is None else (await written).each)
    for each in parsed:
        outcome = each if isinstance(each, RegistryError) else next(outcomes)
        yield outcome.warnings if isinstance(outcome, WriteResult) else concerning_one(outcome)
