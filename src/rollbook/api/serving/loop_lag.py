"""How late the event loop is: whatever holds it up holds up every request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rollbook.histograms import Histogram

LOOK_SECONDS = 0.1


@contextlib.asynccontextmanager
async def loop_lag_kept(loop_lag: Histogram) -> AsyncIterator[None]:
    """For the length of the block, count ten times a second how late the loop comes to it."""
    looking = asyncio.create_task(_look(loop_lag), name="rollbook-loop-lag")
    try:
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def _look(loop_lag: Histogram) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        loop_lag.add(max(0.0, loop.time() - due))
