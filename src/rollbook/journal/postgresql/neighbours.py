"""The other processes of a registry, as their ticks show them.

One rule: what was not heard while this process itself was paused counts for nothing.
"""

from typing import Any

MISSING_SECONDS = 1.0
"""A tick that is missing for longer is an interruption."""

KEEPER_SECONDS = 3.0
"""A keeper that is not heard for longer has its session ended."""

PAUSE_SECONDS = 1.0


class Neighbours:
    """The processes that are heard, and when each was. Times are seconds of ``time.monotonic``."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._keeper_heard_at: float | None = None
        self._looked_at: float | None = None

    def __len__(self) -> int:
        return len(self._heard)

    def start_over(self) -> None:
        """Begin to listen anew: nobody is missing yet."""
        self._heard.clear()
        self._keeper_heard_at = self._looked_at = None

    def notice_pause(self, now: float) -> bool:
        """Whether this process did not listen for a while before ``now``. To be called all the time."""
        before, self._looked_at = self._looked_at, now
        if self._keeper_heard_at is None:
            self._keeper_heard_at = now
        if before is None or now - before <= PAUSE_SECONDS:
            return False
        self._heard = dict.fromkeys(self._heard, now)
        self._keeper_heard_at = now
        return True

    def hear(self, tick: dict[str, Any], now: float) -> None:
        """A tick of another process."""
        if tick["leaves"]:
            self._heard.pop(tick["process"], None)
            return
        self._heard[tick["process"]] = now
        if tick["keeper"]:
            self._keeper_heard_at = now

    def missing(self, now: float) -> str | None:
        """Which processes are not heard any more, in words; each once."""
        gone = [process for process, at in self._heard.items() if now - at > MISSING_SECONDS]
        for process in gone:
            del self._heard[process]
        return f"{len(gone)} of the processes of this registry are not heard any more" if gone else None

    def misses_keeper(self, now: float) -> bool:
        """Whether no keeper has been heard for long; then that is not reported again at once."""
        if self._keeper_heard_at is None or now - self._keeper_heard_at <= KEEPER_SECONDS:
            return False
        self._keeper_heard_at = now
        return True
