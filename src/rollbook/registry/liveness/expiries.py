"""When things run out: a queue in order of time, made for ends that move on and on.

One rule: to move an end later costs nothing. The queue keeps the earliest end that it was given for an id, and who
takes an id out of it finds out whether that end still holds.
"""

import heapq
import math
from collections.abc import Iterator

STALE_ENTRIES_MAX = 1_000


class Expiries:
    """Ids, each with the time (seconds) at which it is to be looked at."""

    def __init__(self) -> None:
        self._when: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._when)

    @property
    def entries(self) -> int:
        """How many entries the queue holds; those that are stale count too."""
        return len(self._queue)

    def ends(self, id: str, when: float) -> None:
        """Have the id looked at after ``when``, if that is earlier than what is planned."""
        if when < self._when.get(id, math.inf):
            self._when[id] = when
            heapq.heappush(self._queue, (when, id))

    def discard(self, id: str) -> None:
        """Have the id not looked at any more."""
        self._when.pop(id, None)

    def take(self, now: float) -> Iterator[str]:
        """The ids whose time is before ``now``; each is planned no more, and may be planned again at once."""
        self._sweep()
        while self._queue and self._queue[0][0] < now:
            when, id = heapq.heappop(self._queue)
            if self._when.get(id) == when:
                del self._when[id]
                yield id

    def _sweep(self) -> None:
        """Throw out entries that an earlier end has made stale, when they are the most of the queue."""
        if len(self._queue) > 2 * len(self._when) + STALE_ENTRIES_MAX:
            self._queue = [(when, id) for id, when in self._when.items()]
            heapq.heapify(self._queue)
