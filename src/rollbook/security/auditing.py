"""Auditing: entries of the audit log, put on the disk by a thread, many at a time.

Theory: entries wait in a queue. One job writes whatever has queued with one sync, and while it does the next ones
gather. The file is opened by the first entry, so a registry whose disk can't be written starts all the same.

One rule: who waits for an entry goes on when it is durable.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from rollbook.documents.values import Document
from rollbook.errors import JournalUnavailable
from rollbook.journal.audit_store import SharedAuditStore
from rollbook.language.filters import Filter, compile_filter
from rollbook.security.audit import AuditEntry, AuditLog, entries_in

QUEUED_MAX = 10_000

logger = logging.getLogger(__name__)


class Auditor:
    """Writes and reads the audit log of one data directory, which this process has locked."""

    def __init__(self, directory: Path, *, now: Callable[[], str], shared: SharedAuditStore | None = None) -> None:
        """``now`` gives the time in ISO 8601; ``shared``: where several processes keep one log."""
        self._shared = shared
        self.dropped = 0
        """Entries that nobody waited for, and that found the queue full."""
        self._directory = directory
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-audit")
        self._log: AuditLog | None = None
        self._queue: list[tuple[AuditEntry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._newest: asyncio.Future[None] | None = None
        self._appended = asyncio.Event()

    async def record(self, actor: str, event: str, **facts: Any) -> None:
        """Log an event. Refuses (JournalUnavailable) when that can't be written."""
        await self._put(actor, event, facts)

    def note(self, actor: str, event: str, **facts: Any) -> None:
        """Log an event soon, unless too many wait already."""
        if len(self._queue) >= QUEUED_MAX:
            self.dropped += 1
            return
        self._put(actor, event, facts).add_done_callback(_taken)

    async def entries(self, filter: Filter, *, since: int, most: int) -> Sequence[Document]:
        """The oldest entries after sequence number ``since`` that match, with all that was noted here before."""
        holds = compile_filter(filter)
        if self._newest is not None:
            await asyncio.wait([self._newest])

        def found() -> list[Document]:
            kept = (
                entries_in(self._directory, since=since) if self._shared is None else self._shared.entries(since=since)
            )
            return list(islice((each for each in kept if holds(each)), most))

        return await asyncio.to_thread(found)

    async def wait(self, seconds: float) -> None:
        """Return when something was logged after the call, or when the time is over."""
        try:
            await asyncio.wait_for(self._appended.wait(), seconds)
        except TimeoutError:
            return

    async def close(self) -> None:
        """Write what has queued, and close the file."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        self._thread.shutdown()
        if self._log is not None:
            self._log.close()
        if self._shared is not None:
            self._shared.close()

    def _put(self, actor: str, event: str, facts: dict[str, Any]) -> "asyncio.Future[None]":
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._newest = written
        self._queue.append((AuditEntry(self._now(), actor, event, facts), written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="rollbook-audit")
        return written

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            batch, self._queue = self._queue, []
            entries = [entry for entry, _ in batch]
            failure: Exception | None = None
            try:
                await loop.run_in_executor(self._thread, self._append, entries)
            except JournalUnavailable as problem:
                logger.error("%s", problem.message)
                failure = problem
            except OSError as problem:
                logger.error("the audit log can't be written: %s", problem)
                failure = JournalUnavailable(f"the audit log can't be written: {problem.strerror}")
            for _, written in batch:
                if not written.done():
                    written.set_result(None) if failure is None else written.set_exception(failure)
            appended, self._appended = self._appended, asyncio.Event()
            appended.set()

    def _append(self, entries: Sequence[AuditEntry]) -> None:
        if self._shared is not None:
            self._shared.append_all(entries)
            return
        if self._log is None:
            self._log = AuditLog(self._directory)
        self._log.append_all(entries)


def _taken(written: "asyncio.Future[None]") -> None:
    """Nobody waits: a failure was logged where it happened."""
    written.exception()
