"""The time that changes are dated with: that of the system's clock, unless it jumped ahead further than is likely.

Theory: one start with the clock a year ahead would delete a history as too old, and date all later changes a year
ahead, since dates never go back. The time that was last known is kept in a small file of the data directory; between
two readings the monotonic clock says how much later it is. A reading that is too far ahead of both is doubted: time
goes on from what was known. A doubt ends when the clock is right again, when an operator trusts it, or after a day.

One rule: in doubt nothing is deleted by age, and nothing is dated in the future.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from rollbook.clusters.liveness import ClockReading
from rollbook.registry.feed.times import iso_time

FILE_NAME = "clock"
UNFINISHED = "clock.new"
DAY_MS = 24 * 60 * 60 * 1000
STOPPED_MS_MAX = 7 * DAY_MS
"""How long a registry may have been stopped without a doubt about the clock at its start."""
JUMP_MS_MAX = DAY_MS
"""How far the clock may jump ahead of the monotonic one while the registry runs: a machine that slept, a pause."""
DOUBT_SECONDS = 24 * 60 * 60

logger = logging.getLogger(__name__)


class TrustedClock:
    """Reads the time. ``known_ms`` is a time that has surely passed, 0 when none is known; any thread may read."""

    def __init__(
        self, read_clocks: Callable[[], ClockReading], *, known_ms: int, is_trusted: bool, directory: Path | None = None
    ) -> None:
        """``is_trusted``: the system's clock is right, whatever was known. ``directory`` keeps the file."""
        now = read_clocks()
        self._read_clocks = read_clocks
        self._directory = directory
        self._is_trusted = is_trusted or known_ms == 0
        self._anchor = now.seconds, known_ms or now.unix_ms
        self._allowed_ms = STOPPED_MS_MAX
        self._doubted_since: float | None = None
        self.ahead_ms = 0
        """How far the system's clock is ahead of the time that is used; 0 without a doubt."""
        self.now_ms()

    @property
    def problem(self) -> str | None:
        """Why the system's clock is not used; None when it is."""
        if not self.ahead_ms:
            return None
        return (
            f"the system's clock is {self.ahead_ms / DAY_MS:.1f} days ahead of the time that was last known. If it is "
            "right, start once with ROLLBOOK_CLOCK=trust; it is believed after a day in any case. Until then nothing "
            f"is deleted by its age, and changes are dated from the last known time on ({iso_time(self._anchor[1])})"
        )

    def now_ms(self) -> int:
        """The time (Unix ms)."""
        now = self._read_clocks()
        seconds, known_ms = self._anchor
        expected_ms = known_ms + max(0, round((now.seconds - seconds) * 1000))
        if now.unix_ms <= expected_ms:
            self._end_doubt("the system's clock is right again")
            self._allowed_ms = JUMP_MS_MAX
            return now.unix_ms
        if self._is_trusted or now.unix_ms - expected_ms <= self._allowed_ms:
            self._end_doubt("the system's clock is right again")
        elif self._is_doubted_for_long(now.seconds):
            self._end_doubt("the system's clock is believed, after a day")
        else:
            self._doubt(now, expected_ms)
            return expected_ms
        self._anchor, self._allowed_ms = (now.seconds, now.unix_ms), JUMP_MS_MAX
        self._is_trusted = False
        return now.unix_ms

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await asyncio.to_thread(self.save)

    def save(self) -> None:
        """Keep the time for the next start; what the disk refuses is left."""
        if self._directory is None:
            return
        new = self._directory / UNFINISHED
        with contextlib.suppress(OSError):
            new.write_text(f"{self.now_ms()}\n")
            os.replace(new, self._directory / FILE_NAME)

    def _is_doubted_for_long(self, seconds: float) -> bool:
        return self._doubted_since is not None and seconds - self._doubted_since >= DOUBT_SECONDS

    def _doubt(self, now: ClockReading, expected_ms: int) -> None:
        self.ahead_ms = now.unix_ms - expected_ms
        if self._doubted_since is None:
            self._doubted_since = now.seconds
            logger.critical("THE CLOCK IS DOUBTED: %s", self.problem)

    def _end_doubt(self, why: str) -> None:
        if self._doubted_since is not None:
            logger.warning("the clock is not doubted any more: %s", why)
            self._doubted_since, self.ahead_ms = None, 0


def known_time_in(directory: Path) -> int:
    """The time that was last known (Unix ms); 0 when none is kept."""
    with contextlib.suppress(OSError, ValueError):
        return int((directory / FILE_NAME).read_text())
    return 0
