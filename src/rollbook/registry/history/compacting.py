"""Retention: how much history is kept, and the deletion of what is beyond it.

One rule: it stays out of the way of writes. The journal gives up a few changes at a time, on a thread of its own, and
between two steps this rests for longer than the step took.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Self

from msgspec import Struct

from rollbook.errors import JournalUnavailable
from rollbook.journal.interface import Journal
from rollbook.registry.feed.duties import Duty
from rollbook.registry.supervising import Supervisor

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0
REST_PER_STEP = 2.0
DAY_MS = 24 * 60 * 60 * 1000


class Retention(Struct, frozen=True):
    """How much history is kept at most; whichever bound is reached first counts."""

    days: int
    changes: int
    bytes: int


class Compactor:
    """Keeps the journal within its retention. Only history is deleted; current documents are never touched."""

    def __init__(
        self,
        journal: Journal,
        retention: Retention,
        *,
        now_ms: Callable[[], int],
        supervisor: Supervisor | None = None,
        duty: Duty | None = None,
    ) -> None:
        self._duty = duty or Duty()
        self.mark = journal.compaction.mark()
        """Changes up to this revision are gone."""
        self.given_up = 0
        """How many changes were given up since the start."""
        self.problem: str | None = None
        """Why the last try failed; None when it did not."""
        self._journal = journal
        self._retention = retention
        self._now_ms = now_ms
        self._closing = asyncio.Event()
        self._supervisor = supervisor or Supervisor()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = self._supervisor.run("rollbook-compactor", self._run)
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Finish the step under way, then stop."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self.compact()
                self.problem = None
            except JournalUnavailable as problem:
                self.problem = problem.message
                logger.warning("the history could not be compacted, and it will be tried again: %s", problem.message)
            await self._rest(LOOK_EVERY_SECONDS)

    async def compact(self) -> None:
        """Give up what is beyond the retention now, step by step."""
        self.mark, goal = await asyncio.to_thread(lambda: (self._journal.compaction.mark(), self._goal()))
        begun = self.mark
        while self.mark < goal and self._duty.is_ours and not self._closing.is_set():
            started = time.monotonic()
            mark = await asyncio.to_thread(self._journal.compaction.step, goal)
            self.given_up += mark - self.mark
            self.mark = mark
            await self._rest(REST_PER_STEP * (time.monotonic() - started))
        if self.mark > begun:
            logger.info(
                "gave up %d changes that are beyond the retention; history goes back to revision %d",
                self.mark - begun,
                self.mark,
            )

    def _goal(self) -> int:
        until_ms = self._now_ms() - self._retention.days * DAY_MS
        bounds = {"changes_max": self._retention.changes, "bytes_max": self._retention.bytes}
        return self._journal.compaction.goal(until_ms=until_ms, **bounds)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
