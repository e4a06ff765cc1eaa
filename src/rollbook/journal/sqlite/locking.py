"""One process per data directory: a lock file, held until it is released or its process ends, however it ends."""

import fcntl
import os
import time
from pathlib import Path

from rollbook.errors import DataDirectoryLocked

LOCK_NAME = "lock"

PATIENCE_SECONDS = 1.0
"""Who has just been killed may have left a child that has not let go yet: one that writes a snapshot of the index."""


class DirectoryLock:
    """The lock of one directory. The kernel keeps it (flock): nothing is left behind by a process that dies."""

    __slots__ = ("_descriptor",)

    def __init__(self, directory: Path) -> None:
        """Take the lock; refuses (DataDirectoryLocked) when another process, or this one, holds it and keeps it."""
        path = directory / LOCK_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _is_taken(descriptor):
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DataDirectoryLocked(
                f"the data directory {directory} is used by another process (pid {holder}, lock file {path}): "
                "stop that process, or choose another directory"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others in. Releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_taken(descriptor: int) -> bool:
    """Take the lock, now or soon; whether it was to be had."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True
