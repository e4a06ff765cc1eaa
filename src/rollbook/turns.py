"""Turns: of all threads that compute for long, one computes at a time, and the event loop runs in between.

Theory: Python runs one thread at a time. The event loop needs the interpreter at every callback and waits for whichever
thread has it, so beside N threads that compute it would wait for N of them, at every callback. Therefore such threads
take turns. A turn is a slice of a few milliseconds; before it passes on there is a rest, in which the event loop runs
undisturbed. A step that could not be interrupted, as compiling a regular expression, is followed by a rest as long as
the step. Jobs that have computed little so far go first; every fourth turn is that of a longer one.

One rule: only a thread inside ``computing`` takes turns. On all others ``give_way`` does nothing.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.002
"""CPU time of a turn."""

REST_SECONDS = 0.000_05
REST_SECONDS_MAX = 0.25

BRIEF_SECONDS = 0.05
"""A job that has computed for longer is a long one."""

BRIEF_IN_A_ROW_MAX = 3


class Turns:
    """Who computes now, and who waits for it: brief jobs and long ones, each in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._brief: deque[threading.Lock] = deque()
        self._long: deque[threading.Lock] = deque()
        self._brief_in_a_row = 0

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._brief) + len(self._long)

    def take(self, *, is_long: bool) -> None:
        """Wait for a turn."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            gate = threading.Lock()
            gate.acquire()
            (self._long if is_long else self._brief).append(gate)
        gate.acquire()

    def pass_on(self) -> None:
        """End a turn. The next one begins, if somebody waits."""
        with self._lock:
            waiting = self._next()
            if waiting:
                waiting.popleft().release()
            else:
                self._is_taken = False

    def _next(self) -> deque[threading.Lock]:
        if self._brief and (self._brief_in_a_row < BRIEF_IN_A_ROW_MAX or not self._long):
            self._brief_in_a_row += 1
            return self._brief
        self._brief_in_a_row = 0
        return self._long


class Job:
    """What one thread computes, and how much CPU time it has taken so far."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._seconds = 0.0
        turns.take(is_long=False)
        self._since = time.thread_time()

    def give_way(self) -> None:
        """Rest and let others have their turn, if this one is used up."""
        taken = time.thread_time() - self._since
        if taken < SLICE_SECONDS:
            return
        self._seconds += taken
        time.sleep(rest_after(taken))
        self._turns.pass_on()
        self._turns.take(is_long=self._seconds > BRIEF_SECONDS)
        self._since = time.thread_time()

    def end(self) -> None:
        """Let the next one begin."""
        taken = time.thread_time() - self._since
        if taken >= 2 * SLICE_SECONDS:
            time.sleep(rest_after(taken))
        self._turns.pass_on()


def rest_after(seconds: float) -> float:
    """How long a thread rests that has had the interpreter for these seconds."""
    overrun = seconds - SLICE_SECONDS
    return REST_SECONDS if overrun < SLICE_SECONDS else min(overrun, REST_SECONDS_MAX)


@contextmanager
def computing() -> Iterator[None]:
    """Compute in turns with others, for the length of the block. A block within another one changes nothing."""
    if getattr(_here, "job", None) is not None:
        yield
        return
    job = _here.job = Job(_TURNS)
    try:
        yield
    finally:
        _here.job = None
        job.end()


def give_way() -> None:
    """Let others have their turn, where this thread's is used up. To be called every millisecond or so."""
    job: Job | None = getattr(_here, "job", None)
    if job is not None:
        job.give_way()


_TURNS = Turns()
_here = threading.local()
