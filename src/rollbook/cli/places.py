"""Where documents are kept: a data directory that this process opens, or a server at a URL. Both look the same here.

One rule: what concerns one document is returned beside it; what would stop the next one too (no connection, no disk)
is raised.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias

from rollbook import assembly
from rollbook.cli.exits import UNAVAILABLE, exit_code_of
from rollbook.documents.values import Value
from rollbook.errors import RegistryError
from rollbook.registry.reading.requests import parse_creation
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.security.callers import Caller
from rollbook.settings import Settings

Outcome: TypeAlias = "tuple[str, ...] | RegistryError"


COMMAND_LINE = Caller("command-line", "command-line")


class ImportTarget(Protocol):
    """A registry that documents are read from and written to."""

    def put(self, documents: Sequence[Value], *, replace: bool) -> AsyncIterator[Outcome]:
        """Import each document, in their order; for each, its warnings, or why it was refused."""
        ...

    def bodies(self) -> Iterator[bytes]:
        """The JSON of every document, in order of creation, as of one moment."""
        ...


@asynccontextmanager
async def open_place(settings: Settings, url: str | None, *, reason: str | None = None) -> AsyncIterator[ImportTarget]:
    """The server at ``url``, or without one the data directory of ``settings``."""
    if url is not None:
        from rollbook.cli.remote import open_server  # which takes long to import, and not all need it

        async with open_server(url, reason) as server:
            yield server
    else:
        async with assembly.open_registry(settings, indexed=False) as registry:
            yield Directory(registry, reason)


class Directory:
    """The registry in a data directory, opened by this process alone."""

    def __init__(self, registry: Registry, reason: str | None) -> None:
        self._registry = registry
        self._reason = reason

    async def put(self, documents: Sequence[Value], *, replace: bool) -> AsyncIterator[Outcome]:
        """As ImportTarget says; all documents at once, so that they share the journal's commits."""
        creations = (self._create(each, replace=replace) for each in documents)
        for result in await asyncio.gather(*creations, return_exceptions=True):
            yield result.warnings if isinstance(result, WriteResult) else concerning_one(result)

    def bodies(self) -> Iterator[bytes]:
        """As ImportTarget says."""
        return self._registry.bodies(COMMAND_LINE)

    async def _create(self, document: Value, *, replace: bool) -> WriteResult:
        registry = self._registry
        command = parse_creation(document, rules=registry.rules, limits=registry.limits, replace=replace)
        return await registry.write(COMMAND_LINE, command, reason=self._reason)


def concerning_one(error: BaseException) -> RegistryError:
    """The error, when it is about one document; raises it when the next document would meet it too."""
    if isinstance(error, RegistryError) and exit_code_of(error) != UNAVAILABLE:
        return error
    raise error
