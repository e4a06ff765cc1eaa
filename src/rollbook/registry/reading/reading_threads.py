"""The threads on which documents are looked at, so that no question holds up the event loop.

What is certain to be brief has threads of its own, and does not wait for what takes long.
"""

from collections.abc import Callable
from typing import TypeVar

from rollbook.limits import RequestBudget
from rollbook.registry.computing import ComputingThreads

Result = TypeVar("Result")

LONG_THREADS = 6
BRIEF_THREADS = 2


class ReadingThreads:
    """A few threads. Every job ends at the deadline of its request."""

    def __init__(self, computing: ComputingThreads) -> None:
        self.answers = computing.answers
        self._long = computing.lane("reader", threads=LONG_THREADS)
        self._brief = computing.lane("brief-reader", threads=BRIEF_THREADS)

    async def run(self, job: Callable[[], Result], work: RequestBudget, *, is_brief: bool = False) -> Result:
        """What ``job`` returns, which spends from ``work``, from one of the threads."""
        return await (self._brief if is_brief else self._long).run(job, work)

    def close(self) -> None:
        """End the jobs that are under way, and release the threads."""
        self._long.close()
        self._brief.close()
