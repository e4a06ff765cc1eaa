"""Signals to a command that works for long: it ends in good order, and says how far it came."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

GIVING_UP_SECONDS = 0.5
STOPPED = 130
"""The exit code after SIGINT or SIGTERM, as shells have it."""


@contextmanager
def stopping(*, ends_by_itself: bool = False) -> Iterator[asyncio.Event]:
    """An event that is set at SIGINT and SIGTERM: the work in hand is finished and counted, and no more is begun.

    Work that does not end soon, because a server says nothing more, is given up: the block ends there. Where work
    always ``ends_by_itself``, a second signal is needed for that.
    """
    loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
    assert task is not None
    giving_up: list[asyncio.TimerHandle] = []

    def begin() -> None:
        if stop.is_set() or not ends_by_itself:
            giving_up.append(loop.call_later(GIVING_UP_SECONDS, task.cancel))
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, begin)
    try:
        yield stop
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        task.uncancel()
    finally:
        for timer in giving_up:
            timer.cancel()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
