"""How long planning may take. It happens where everybody waits; looking at documents does not.

Time is the thread's own CPU time: on a busy machine a plan that is cut short would make the machine busier. To ask for
it takes a system call, so nobody asks before as much time has passed on the wall.

One rule: a plan that is cut short is still right. What there was no time to plan is left to the predicate.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

PLANNING_SECONDS_MAX = 0.025

Result = TypeVar("Result")


class Effort(Struct, frozen=True):
    """Planning may go on until ``deadline``, in the seconds of ``clock``; for sure until ``first_look`` on the wall."""

    deadline: float = float("inf")
    clock: Callable[[], float] = time.thread_time
    first_look: float = 0.0

    def spent(self) -> bool:
        """Whether it is time to stop."""
        return time.perf_counter() >= self.first_look and self.clock() > self.deadline

    def beside(self, work: Callable[[], Result]) -> "tuple[Result, Effort]":
        """What ``work`` makes, and the effort that is left, of which the work took nothing."""
        wall, clock = time.perf_counter(), self.clock()
        result = work()
        later, longer = self.first_look + time.perf_counter() - wall, self.deadline + self.clock() - clock
        return result, Effort(longer, self.clock, later)


UNBOUNDED = Effort(first_look=float("inf"))


def effort_from_now(seconds: float = PLANNING_SECONDS_MAX) -> Effort:
    """So many seconds, beginning now, on the calling thread."""
    return Effort(time.thread_time() + seconds, first_look=time.perf_counter() + seconds)
