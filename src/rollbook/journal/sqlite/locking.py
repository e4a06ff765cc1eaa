"""One process per data directory: a lock file, held until it is released or its process ends, however it ends.

One rule: who holds the lock of a directory that is no longer at its path holds nothing.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable
from pathlib import Path

from rollbook.errors import DataDirectoryLocked
from rollbook.journal.sqlite.disk_errors import FORBIDDEN

LOCK_NAME = "lock"

PATIENCE_SECONDS = 1.0
"""Who has just been killed may have left a child that has not let go yet: one that writes a snapshot of the index."""

FileIdentity = tuple[int, int]


class DirectoryLock:
    """The lock of one directory. The kernel keeps it (flock): nothing is left behind by a process that dies."""

    __slots__ = ("_descriptor", "_directory", "_identities")

    def __init__(self, directory: Path) -> None:
        """Take the lock; refuses (DataDirectoryLocked) when another process, or this one, holds it and keeps it.

        Where nothing may be written, a lock file that is there is locked all the same; without one nobody needs it.
        """
        path = directory / LOCK_NAME
        descriptor = _opened(path)
        if descriptor is not None and not _is_taken(descriptor):
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DataDirectoryLocked(
                f"the data directory {directory} is used by another process (pid {holder}, lock file {path}): "
                "stop that process, or choose another directory"
            )
        self._directory = directory
        self._descriptor = descriptor
        self._identities: dict[str, FileIdentity] = {}
        """By path, as text: every transaction looks twice."""
        if descriptor is not None:
            with contextlib.suppress(OSError):  # the number is for people; the lock is the kernel's
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
            self.guard([LOCK_NAME])

    def guard(self, names: Iterable[str]) -> None:
        """Remember which files of the directory are meant by these names, for ``loss``."""
        paths = [str(self._directory / name) for name in names]
        self._identities.update({path: _identity(path) for path in paths})

    def loss(self) -> str | None:
        """Says that the directory, or a guarded file in it, is no longer at its path; None while it is."""
        for path, identity in self._identities.items():
            try:
                if _identity(path) != identity:
                    return f"{path} was replaced by another file while this process used it"
            except FileNotFoundError:
                return f"{path} was removed while this process used it"
            except OSError as error:
                return f"{path} can't be reached any more: {error.strerror}"
        return None

    def release(self) -> None:
        """Let others in. Releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _identity(path: str) -> FileIdentity:
    status = os.stat(path)
    return status.st_dev, status.st_ino


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
