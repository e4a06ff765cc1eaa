"""Giving way: no process writes one batch after the other so fast that the others never get their turn.

Theory: who has written last knows the newest revision first, and would be first again: the others have yet to read what
it wrote. So after a batch of its own a process leaves the others a moment, up to three times as long as the batch took,
as long as others have written lately. A process that is alone never waits, and who has just read what others wrote goes
at once, unless it waits already.

One rule: it is a courtesy, and nothing is right because of it.
"""

import asyncio
from collections.abc import Callable

LATELY_SECONDS = 3.0
PAUSE_SECONDS_MAX = 0.05


def _loop_seconds() -> float:
    return asyncio.get_running_loop().time()


class GivingWay:
    """Paces one process among others. ``chance`` gives numbers from 0 to 1, ``clock`` seconds."""

    def __init__(self, chance: Callable[[], float], *, clock: Callable[[], float] = _loop_seconds) -> None:
        self._chance = chance
        self._clock = clock
        self._others_wrote = self._begun = self._next = float("-inf")

    def others_wrote(self) -> None:
        """Take note that others have written what this process has just read."""
        self._others_wrote = self._next = self._clock()

    def begins(self) -> None:
        """Take note that a batch begins."""
        self._begun = self._clock()

    def wrote(self) -> None:
        """Take note that the batch of this process's own is written."""
        now = self._clock()
        if now - self._others_wrote <= LATELY_SECONDS:
            self._next = now + min(PAUSE_SECONDS_MAX, 3 * self._chance() * (now - self._begun))

    @property
    def pause_seconds(self) -> float:
        """How long the next batch has to wait."""
        return max(0.0, self._next - self._clock())

    async def turn(self) -> None:
        """Return when this process may begin its next batch, which it does."""
        if pause_seconds := self.pause_seconds:
            await asyncio.sleep(pause_seconds)
        self.begins()
