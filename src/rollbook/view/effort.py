"""How long planning may take. It happens where everybody waits; looking at documents does not.

Time is the thread's own CPU time: on a busy machine a plan that is cut short would make the machine busier.

One rule: a plan that is cut short is still right. What there was no time to plan is left to the predicate.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

PLANNING_SECONDS_MAX = 0.025


@dataclass(frozen=True, slots=True)
class Effort:
    """Planning may go on until ``deadline``, in the seconds of ``clock``."""

    deadline: float = float("inf")
    clock: Callable[[], float] = time.thread_time

    def spent(self) -> bool:
        """Whether it is time to stop."""
        return self.clock() > self.deadline


UNBOUNDED = Effort()


def effort_from_now(seconds: float = PLANNING_SECONDS_MAX) -> Effort:
    """So many seconds, beginning now, on the calling thread."""
    return Effort(time.thread_time() + seconds)
