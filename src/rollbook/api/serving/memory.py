"""Memory that was freed goes back to the system.

Theory: the C library keeps what is freed for the next time, wherever something behind it is still in use. After a flood
of large answers that is most of the process. So when the process has grown, the library is asked to give back
what it does not need (``malloc_trim``); that takes a while for gigabytes, so it happens on a thread, and when it has
brought nothing it is tried more rarely, until the process has grown or shrunk. Where the library has no such function,
nothing is done.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 5.0
GROWTH = 1.05
GROWTH_BYTES = 8 * 1024 * 1024
LOOKS_BETWEEN_MAX = 6

M_ARENA_MAX, ARENAS = -8, 2
"""Each thread would otherwise have a heap of its own, with gaps of its own."""


class MemoryKeeper:
    """Gives memory back when the process has grown beyond the least that it had after earlier times."""

    def __init__(self, resident_bytes: Callable[[], int], trim: Callable[[], None]) -> None:
        self._resident_bytes = resident_bytes
        self._trim = trim
        self._least = self._latest = resident_bytes()
        self._looks_between = self._looks_left = 1

    async def look(self) -> None:
        """Give memory back if it is due. To be called every LOOK_SECONDS."""
        before = self._resident_bytes()
        self._least = min(self._least, before)
        self._looks_left -= 1
        if before < _grown(self._least) or not (self._looks_left <= 0 or self._has_changed(before)):
            return
        await asyncio.to_thread(self._trim)
        after = self._latest = self._resident_bytes()
        brought = _grown(after) < before
        self._looks_between = 1 if brought else min(self._looks_between * 2, LOOKS_BETWEEN_MAX)
        self._looks_left = self._looks_between

    def _has_changed(self, resident: int) -> bool:
        """Whether much was taken or given since the last time, so that more may be given back now."""
        return resident >= _grown(self._latest) or self._latest >= _grown(resident)


def _grown(resident: int) -> float:
    return resident * GROWTH + GROWTH_BYTES


def memory_keeper() -> MemoryKeeper | None:
    """The keeper of this process's memory; None where it can't do anything."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim") or not Path("/proc/self/statm").exists():
        return None
    return MemoryKeeper(resident_bytes, lambda: library.malloc_trim(0))


def keep_few_heaps() -> None:
    """Have all threads share a few heaps. To be called before there are threads."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_ARENA_MAX, ARENAS)


def resident_bytes() -> int:
    """How much memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
