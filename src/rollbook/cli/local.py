"""Documents in the registry of a data directory, which this process opens alone, or in that of an engine."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from rollbook.assembly import open_registry
from rollbook.cli.lines import Undecoded, content_of
from rollbook.cli.parsing_process import Judged, Judging
from rollbook.cli.parsing_processes import ParsingProcesses, parsing_processes
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
async def open_directory(settings: Settings, reason: str | None, *, processes: int = 0) -> AsyncIterator["Directory"]:
    """The registry of ``settings``; ``reason`` is why it is written to. One in an engine is opened beside its servers.

    As many ``processes`` read and judge lines that are not decoded.
    """
    async with (
        _cached(settings) as own,
        open_registry(own, indexed=False, serves=False) as registry,
        parsing_processes(processes) as parsers,
    ):
        settle_garbage_collection()
        yield Directory(registry, reason, parsers)


@asynccontextmanager
async def _cached(settings: Settings) -> AsyncIterator[Settings]:
    """The settings; where the journal is in an engine, with a cache that ends with the block."""
    if not settings.journal.is_shared:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="rollbook-") as cache:
        yield replace(settings, data=Path(cache))


class Directory:
    """A registry that this process has opened."""

    def __init__(self, registry: Registry, reason: str | None, parsers: ParsingProcesses | None) -> None:
        self._registry = registry
        self._reason = reason
        self.parsers = parsers
        self._submitting: asyncio.Task[AsyncIterator[Outcome]] | None = None
        self.ahead = 1 if parsers is None else 2 * parsers.count
        """See ``ImportTarget``."""

    def put(self, documents: Sequence[Value | Undecoded], *, replace: bool) -> AsyncIterator[Outcome]:
        """As ImportTarget says; all documents at once, so that they share the journal's commits."""
        texts = [each.text for each in documents if isinstance(each, Undecoded)]
        if self.parsers is None or len(texts) < len(documents):
            return self._submit([self._parsed(each, replace=replace) for each in documents])
        judging = self.parsers.judge(texts, self._judging(replace=replace))
        self._submitting = asyncio.create_task(self._submit_judged(texts, judging, self._submitting, replace=replace))
        return _each_of(self._submitting)

    async def bodies(self) -> AsyncIterator[bytes]:
        """As ImportTarget says."""
        for body in self._registry.bodies(COMMAND_LINE):
            yield body

    def _judging(self, *, replace: bool) -> Judging:
        return Judging(self._registry.rules, self._registry.limits, replace)

    def _parsed(self, document: Value | Undecoded, *, replace: bool) -> Create | RegistryError:
        rules, limits = self._registry.rules, self._registry.limits
        content = content_of(document.text, limits=limits) if isinstance(document, Undecoded) else document
        if isinstance(content, RegistryError):
            return content
        try:
            return parse_creation(content, rules=rules, limits=limits, replace=replace)
        except RegistryError as refusal:
            return refusal

    async def _submit_judged(
        self,
        texts: Sequence[bytes],
        judging: "asyncio.Future[Sequence[Judged | None]]",
        before: "asyncio.Task[AsyncIterator[Outcome]] | None",
        *,
        replace: bool,
    ) -> AsyncIterator[Outcome]:
        """Submit lines that others read and judged, after those ``before``."""
        parsed = [
            self._parsed(Undecoded(text), replace=replace)
            if judged is None
            else Create(judged.id, judged.body, judged.warnings, replace)
            for text, judged in zip(texts, await judging, strict=True)
        ]
        if before is not None:
            await asyncio.wait([before])
        return self._submit(parsed)

    def _submit(self, parsed: Sequence[Create | RegistryError]) -> AsyncIterator[Outcome]:
        creations = [each for each in parsed if isinstance(each, Create)]
        if not creations:
            return _outcomes(parsed, None)
        written = self._registry.committer.create_each(COMMAND_LINE, creations, reason=self._reason)
        written.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        return _outcomes(parsed, written)


async def _each_of(submitting: "asyncio.Task[AsyncIterator[Outcome]]") -> AsyncIterator[Outcome]:
    async for outcome in await submitting:
        yield outcome


async def _outcomes(
    parsed: Sequence[Create | RegistryError], written: "asyncio.Future[Outcomes] | None"
) -> AsyncIterator[Outcome]:
    outcomes = iter(() if written is None else (await written).each)
    for each in parsed:
        outcome = each if isinstance(each, RegistryError) else next(outcomes)
        yield outcome.warnings if isinstance(outcome, WriteResult) else concerning_one(outcome)
