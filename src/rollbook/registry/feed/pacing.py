"""Long work on the event loop, in slices: a walk through thousands of changes lets other work run in between."""

import asyncio
import time

SLICE_SECONDS = 0.002


class TimeSlice:
    """Says when to yield. One for each walk."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the slice is used up."""
        return time.monotonic() - self._since > SLICE_SECONDS

    async def rest(self) -> None:
        """Let others in, and begin another slice."""
        await asyncio.sleep(0)
        self._since = time.monotonic()
