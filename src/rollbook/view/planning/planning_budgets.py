"""How long planning may take. It happens where everybody waits; looking at documents does not.

Time is the thread's own CPU time: on a busy machine a plan that is cut short would make the machine busier. To ask for
it takes a system call, so nobody asks before as much time has passed on the wall.

One rule: a plan that is cut short is still right. What there was no time to plan is left to the predicate.
"""

import time
from collections.abc import Callable

from msgspec import Struct

PLANNING_SECONDS_MAX = 0.025
BESIDE_SECONDS_MAX = 0.1


class PlanningBudget(Struct):
    """Planning may go on until ``deadline``, in the seconds of ``clock``; for sure until ``first_look`` on the wall.

    ``beside_left``: how many seconds may be spent beside planning, on what later plans will use.
    """

    deadline: float = float("inf")
    clock: Callable[[], float] = time.thread_time
    first_look: float = 0.0
    beside_left: float = BESIDE_SECONDS_MAX

    def spent(self) -> bool:
        """Whether it is time to stop."""
        return time.perf_counter() >= self.first_look and self.clock() > self.deadline

    def spent_beside(self, seconds: float) -> None:
        """Extend the deadline by time that does not count as planning."""
        self.deadline += seconds
        self.first_look += seconds
        self.beside_left -= seconds


UNBOUNDED = PlanningBudget(first_look=float("inf"), beside_left=float("inf"))


def effort_from_now(seconds: float = PLANNING_SECONDS_MAX) -> PlanningBudget:
    """A budget of some seconds that begins now, on the calling thread."""
    return PlanningBudget(time.thread_time() + seconds, first_look=time.perf_counter() + seconds)
