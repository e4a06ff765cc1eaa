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
from rollbook.registry.writing.committing import WriteResult
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
        return _outcomes([self._created(each, replace=replace) for each in documents])

    async def bodies(self) -> AsyncIterator[bytes]:
        """As ImportTarget says."""
        for body in self._registry.bodies(COMMAND_LINE):
            yield body

    def _created(self, document: Value, *, replace: bool) -> "asyncio.Future[WriteResult] | RegistryError":
        registry = self._registry
        try:
            command = parse_creation(document, rules=registry.rules, limits=registry.limits, replace=replace)
        except RegistryError as refusal:
            return refusal
        written = registry.write(COMMAND_LINE, command, reason=self._reason)
        written.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        return written


async def _outcomes(
    submitted: "Sequence[asyncio.Future[WriteResult] | RegistryError]",
) -> AsyncIterator[Outcome]:
    writes = [each for each in submitted if isinstance(each, asyncio.Future)]
    if writes:
        await asyncio.wait(writes)
    for each in submitted:
        if isinstance(each, RegistryError):
            yield concerning_one(each)
        else:
            failure = each.exception()
            yield each.result().warnings if failure is None else concerning_one(failure)
