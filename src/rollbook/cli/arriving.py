"""Lines as they arrive, in batches.

One rule: a line that has arrived is not held back for another one; so an import from a pipe is as far as the pipe.
Only a pipe can make a reader wait: it is read on a thread of its own. A file is read where it is used, and not ahead.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice

from rollbook.cli.lines import Line

BATCH_LINES_MAX = 512
BATCH_BYTES_MAX = 8 * 1024 * 1024
WAITING_LINES_MAX = 1024
ENDING_SECONDS_MAX = 0.5


async def batches_of_file(lines: Iterator[Line], stop: asyncio.Event) -> AsyncIterator[list[Line]]:
    """The lines of a file in batches, until they end or ``stop`` is set."""
    while not stop.is_set() and (batch := _next_of(lines)):
        yield batch
        await asyncio.sleep(0)  # a signal is handled then


async def batches_of_pipe(
    lines: Iterator[Line], stop: asyncio.Event, interrupt: Callable[[], None]
) -> AsyncIterator[list[Line]]:
    """The lines of a pipe as they come, until they end or ``stop`` is set. Raises what reading them raised.

    ``interrupt`` ends the pipe for the thread that reads it.
    """
    arrived: asyncio.Queue[Line | BaseException | None] = asyncio.Queue()
    room = threading.Semaphore(WAITING_LINES_MAX)
    reading = _read_into(arrived, lines, room)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while True:
            coming = asyncio.ensure_future(arrived.get())
            await asyncio.wait((coming, stopped), return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                coming.cancel()
                return
            batch, end = _batch_of(coming.result(), arrived)
            for _ in batch:
                room.release()
            if batch:
                yield batch
            if isinstance(end, BaseException):
                raise end
            if end is None:
                return
    finally:
        stopped.cancel()
        interrupt()
        room.release(WAITING_LINES_MAX)
        reading.join(ENDING_SECONDS_MAX)


def _read_into(
    arrived: "asyncio.Queue[Line | BaseException | None]", lines: Iterator[Line], room: threading.Semaphore
) -> threading.Thread:
    """The thread that puts the lines into a queue as they come, each when there is room, and then why it ended."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        end: BaseException | None = None
        try:
            for line in lines:
                room.acquire()
                loop.call_soon_threadsafe(arrived.put_nowait, line)
        except BaseException as error:  # it is the caller's to handle
            end = error
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(arrived.put_nowait, end)

    reading = threading.Thread(target=read, name="rollbook-reading", daemon=True)
    reading.start()
    return reading


def _next_of(lines: Iterator[Line]) -> list[Line]:
    """The next lines, bounded in number and in bytes; none at the end."""
    batch: list[Line] = []
    size_bytes = 0
    for line in islice(lines, BATCH_LINES_MAX):
        batch.append(line)
        size_bytes += line.size_bytes
        if size_bytes >= BATCH_BYTES_MAX:
            break
    return batch


def _batch_of(
    first: Line | BaseException | None, arrived: "asyncio.Queue[Line | BaseException | None]"
) -> tuple[list[Line], Line | BaseException | None]:
    """What has arrived by now, and what came last: a line while there may be more."""
    batch: list[Line] = []
    size_bytes, last = 0, first
    while isinstance(last, Line):
        batch.append(last)
        size_bytes += last.size_bytes
        if len(batch) == BATCH_LINES_MAX or size_bytes >= BATCH_BYTES_MAX or arrived.empty():
            break
        last = arrived.get_nowait()
    return batch, last
