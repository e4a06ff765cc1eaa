"""Long work on the event loop: in slices, and thousands of small pieces of it a few at a time.

Theory: a walk through thousands of changes, and thousands of readers that are due at once, would each hold the loop,
and everybody else would wait for all of them. Therefore they take turns. In each iteration of the loop one walk goes on
for a slice, and a few readers are woken; once they have had the loop for 2 ms together, they rest for as long.

One rule: whatever waits here, everything else has the loop for half of the time at least.
"""

import asyncio
import time
from asyncio import Future
from collections import deque
from collections.abc import Callable

SLICE_SECONDS = REST_SECONDS = 0.002
WOKEN_AT_ONCE = 8
"""How many readers go on in one iteration of the event loop."""


class LoopTurns:
    """Who has the event loop next, of the walks and the readers that share it."""

    def __init__(self) -> None:
        self._walks: deque[Future[None]] = deque()
        self._readers: deque[Callable[[], None]] = deque()
        self._woken = 0
        self._since: float | None = None
        """When the turns of this slice began; None while nobody has one."""

    async def next(self) -> None:
        """Return when it is the turn of a walk, which may then go on for SLICE_SECONDS."""
        turn = asyncio.get_running_loop().create_future()
        self._walks.append(turn)
        if self._since is None:
            self._begin()
        await turn

    def soon(self, wake: Callable[[], None]) -> None:
        """Call ``wake``, which lets a reader go on: now, or after those who were due earlier."""
        if self._since is None:
            self._begin()
        if self._woken < WOKEN_AT_ONCE and not self._readers:
            self._woken += 1
            wake()
        else:
            self._readers.append(wake)

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._give()

    def _give(self) -> None:
        self._woken = 0
        while self._walks:
            turn = self._walks.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        while self._readers and self._woken < WOKEN_AT_ONCE:
            self._woken += 1
            self._readers.popleft()()
        asyncio.get_running_loop().call_soon(self._pass_on)  # after those who have just been given a turn

    def _pass_on(self) -> None:
        if not self._walks and not self._readers:
            self._since = None
        elif self._since is not None and time.monotonic() - self._since < SLICE_SECONDS:
            self._give()
        else:
            asyncio.get_running_loop().call_later(REST_SECONDS, self._begin)


class TimeSlice:
    """Says when a walk has to pause. One for each walk; its first turn is to be waited for (``rest``) too."""

    def __init__(self, turns: LoopTurns) -> None:
        self._turns = turns
        self._since = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the slice is used up."""
        return time.monotonic() - self._since > SLICE_SECONDS

    async def rest(self) -> None:
        """Let others in, and begin another slice."""
        await self._turns.next()
        self._since = time.monotonic()
