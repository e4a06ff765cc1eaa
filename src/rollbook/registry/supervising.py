"""Supervising: the tasks that must not end, and what happens when one does.

One rule: no task ends unnoticed. One that can go on is started again after a pause that grows; the end of one that
can't is a failure of the whole registry, whose process has to stop and start again. ``/readyz`` names both.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Self, TypeAlias

from rollbook.errors import is_out_of_memory

FIRST_PAUSE_SECONDS = 1.0
PAUSE_SECONDS_MAX = 60.0
SETTLED_SECONDS = 60.0
"""How long a task has to run after it failed until nothing more is said of that."""

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]

logger = logging.getLogger(__name__)


def _traced(fault: Exception) -> Exception | None:
    """The fault, for its trace to be logged; None where there is just not enough memory, which is no fault of ours."""
    return None if is_out_of_memory(fault) else fault


class Supervisor:
    """Runs tasks under their names. Work that returns, or is cancelled, was asked to end, and its task is over."""

    def __init__(self, *, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self.failure: str | None = None
        """Why the registry can't go on; None while it can."""
        self.restarts: Counter[str] = Counter()
        """How often each task was started again."""
        self.problems: dict[str, str] = {}
        """The tasks that failed lately, and why."""
        self._first_pause_seconds = first_pause_seconds
        self._failed = asyncio.Event()
        self._closing = asyncio.Event()

    def run(self, name: str, work: Work, *, restarts: bool = True) -> asyncio.Task[None]:
        """Run a task. Without ``restarts``, a fault in it is a failure of the registry, and is raised by the task."""
        return asyncio.create_task(self._restarted(name, work) if restarts else self._once(name, work), name=name)

    @property
    def is_closing(self) -> bool:
        """Whether everything is about to end."""
        return self._closing.is_set()

    async def failed(self) -> str:
        """Return when the registry can't go on, with the reason."""
        await self._failed.wait()
        return self.failure or ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Start nothing again from now on."""
        self._closing.set()

    async def _once(self, name: str, work: Work) -> None:
        try:
            await work()
        except Exception as fault:
            logger.critical("the task %s has ended, and the registry has to start again", name, exc_info=_traced(fault))
            self.failure = f"the task {name} has ended: {fault}"
            self._failed.set()
            raise

    async def _restarted(self, name: str, work: Work) -> None:
        pause_seconds, loop = self._first_pause_seconds, asyncio.get_running_loop()
        while not self._closing.is_set():
            begun = loop.time()
            settling = loop.call_later(SETTLED_SECONDS, self.problems.pop, name, None)
            try:
                await work()
                return
            except Exception as fault:
                logger.error("the task %s has ended, and is started again", name, exc_info=_traced(fault))
                self.problems[name] = f"it was started again after {type(fault).__name__}: {fault}"
            finally:
                settling.cancel()
            self.restarts[name] += 1
            if loop.time() - begun > SETTLED_SECONDS:
                pause_seconds = self._first_pause_seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause_seconds)
            pause_seconds = min(2 * pause_seconds, PAUSE_SECONDS_MAX)


class Recurring:
    """A job that is done every few seconds for the length of a block, first after the first few."""

    def __init__(
        self, supervisor: Supervisor, name: str, job: Callable[[], Awaitable[None]], *, seconds: float
    ) -> None:
        self._supervisor = supervisor
        self._name = name
        self._job = job
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = self._supervisor.run(self._name, self._run)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await ended(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self._job()


async def ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if it was started, and return when it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
