"""Retries after conflicts: how long a batch is decided anew because other processes write first."""

import time
from collections.abc import Callable

from rollbook.errors import JournalConflict

CONFLICT_SECONDS_MAX = 5.0
CONFLICTS_MAX = 250
PAUSE_SECONDS_MAX = 0.02
FIRST_PAUSE_SECONDS = 0.0005


class ConflictRetries:
    """Counts the conflicts that one batch has met, and paces its retries. ``chance`` gives numbers from 0 to 1."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._until = time.monotonic() + CONFLICT_SECONDS_MAX
        self._count = 0

    def pause_seconds(self) -> float:
        """Count a conflict; how long to wait before the next attempt. Refuses (JournalConflict) one too many."""
        self._count += 1
        if self._count >= CONFLICTS_MAX or time.monotonic() >= self._until:
            raise JournalConflict(
                f"other processes wrote first, {self._count} times in a row; nothing was written: try again"
            )
        return min(PAUSE_SECONDS_MAX, FIRST_PAUSE_SECONDS * float(2 ** min(self._count, 10))) * self._chance()
