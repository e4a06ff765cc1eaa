"""The threads on which documents are looked at, so that no question holds up the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = 2


class ReadingThreads:
    """A few threads. Every job ends at the deadline of its request."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="rollbook-reader")

    async def run(self, job: Callable[[], Result]) -> Result:
        """What ``job`` returns, from one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)

    def close(self) -> None:
        """Let running jobs finish, then release the threads."""
        self._pool.shutdown()
