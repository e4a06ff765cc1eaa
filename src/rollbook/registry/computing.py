"""Threads for what may compute for long, and the end of all of it when the registry stops.

Theory: each kind of work has a lane of its own, so that the long waits only for its like; across all lanes the jobs
take turns (``turns``). A job has the budget of its request. When the registry stops, the budgets end: jobs that are
under way, and those that have not begun, are refused (Overloaded), and no thread keeps the process from ending.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rollbook.errors import Overloaded, RegistryError, WorkExceeded
from rollbook.limits import RequestBudget
from rollbook.registry.answer_bytes import AnswerBytes
from rollbook.turns import computing

Result = TypeVar("Result")

NEVER = float("inf")


class ComputingThreads:
    """The lanes of one registry, the budgets of what runs there, and the answers that were made there."""

    def __init__(self, *, answer_bytes_max: float = NEVER) -> None:
        self.answers = AnswerBytes(answer_bytes_max)
        self._budgets: dict[int, RequestBudget] = {}
        self._latest = NEVER

    def lane(self, name: str, *, threads: int) -> "ComputingLane":
        """A lane with as many threads, to be closed."""
        return ComputingLane(self, name, threads)

    def end_by(self, deadline: float) -> None:
        """End all work, what is still to come too, at ``deadline`` (seconds of ``time.monotonic``) at the latest."""
        self._latest = min(self._latest, deadline)
        for budget in list(self._budgets.values()):
            budget.end_by(self._latest)

    def begin(self, budget: RequestBudget) -> None:
        """Count a budget as running. Called from any thread."""
        self._budgets[id(budget)] = budget
        budget.end_by(self._latest)

    def end(self, budget: RequestBudget) -> None:
        """The work of a budget is done."""
        del self._budgets[id(budget)]

    @property
    def is_stopping(self) -> bool:
        """Whether all work is to end."""
        return self._latest < NEVER


class ComputingLane:
    """Threads for work of one kind. Made by ``ComputingThreads.lane``."""

    def __init__(self, around: ComputingThreads, name: str, threads: int) -> None:
        self._around = around
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"rollbook-{name}")
        self._running: dict[int, RequestBudget] = {}
        self._is_closing = False

    async def run(self, job: Callable[[], Result], budget: RequestBudget) -> Result:
        """What ``job`` returns, which spends from ``budget``; waiting for a thread takes from its time too.

        Refuses (WorkExceeded) what has no time left, and (Overloaded) what a stop ended.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, job, budget)

    def close(self) -> None:
        """End what runs here, at its next look at the time, and release the threads."""
        self._is_closing = True
        for budget in list(self._running.values()):
            budget.stop()
        self._threads.shutdown()

    def _run(self, job: Callable[[], Result], budget: RequestBudget) -> Result:
        around = self._around
        around.begin(budget)
        self._running[id(budget)] = budget
        if self._is_closing:
            budget.stop()
        try:
            with computing():
                budget.check()
                return job()
        except RegistryError as refusal:
            if isinstance(refusal, WorkExceeded) and (self._is_closing or around.is_stopping):
                refusal = Overloaded("the registry is stopping; try again when it is back")
            raise frameless(refusal) from None
        finally:
            del self._running[id(budget)]
            around.end(budget)


def frameless(refusal: RegistryError) -> RegistryError:
    """The refusal without the frames that it has passed, which hold all that was computed there.

    To be called before a future is given it: the frame that awaits the future holds it, so frames, future and refusal
    would stay in memory together until the oldest garbage is looked for.
    """
    refusal.__context__ = None
    return refusal.with_traceback(None)
