"""An event loop that runs one callback at a time, when it is asked to, and jobs of threads among them.

A job runs in a callback of its own, one at a time as on one thread. While it runs, other loops may take steps, and so
may its own: tasks go on while the thread is busy.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from heapq import heappop
from typing import Any

from tests.journal.simulation.engine import Engine


class SteppedLoop(asyncio.BaseEventLoop):
    """The loop of one process. Its time is the engine's."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._jobs: deque[tuple[Callable[..., Any], asyncio.Future[Any]]] = deque()
        self.is_working = False
        """Whether a job is under way."""
        self.set_exception_handler(lambda loop, context: None)  # tasks of a process that was killed

    def time(self) -> float:
        return self._engine.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = self.create_future()
        self._jobs.append((func, future))
        self.call_soon(self._work)
        return future

    def step(self) -> bool:
        """Run one callback, the earliest; whether there was one."""
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            timer = heappop(scheduled)
            timer._scheduled = False
            self._engine.now = max(self._engine.now, timer.when())
            ready.append(timer)
        if not ready:
            return False
        handle = ready.popleft()
        if not handle.cancelled():
            with self.entered():
                handle._run()
        return True

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this be the running loop in the block."""
        former = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            asyncio._set_running_loop(former)

    def _work(self) -> None:
        if self.is_working or not self._jobs:
            return
        self.is_working = True
        job, future = self._jobs.popleft()
        try:
            result = job()
        except Exception as fault:
            future.set_exception(fault)
        else:
            future.set_result(result)
        self.is_working = False
        if self._jobs:
            self.call_soon(self._work)
