"""Keeps the snapshot of the index young while the registry runs, so that a start after a crash has little to follow.

Theory: the index must stand still while it is written, and nobody shall wait. A child process (fork) has the memory of
this moment for itself; the kernel copies only what changes meanwhile. The child writes the file at the lowest priority
and is gone. It keeps none of the parent's files and sockets open: the parent may die and be started again before it.
"""

import logging
import os
import signal
from pathlib import Path
from typing import Self

from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.opening import note_failure, note_success, snapshot_of
from rollbook.view.snapshots import remove_unfinished, write_snapshot
from rollbook.view.views import View

CHANGES_MIN = 10_000
CHANGES_SHARE = 0.1
"""A snapshot is due after this many changes, and after changes of this share of the documents."""

LOWEST_PRIORITY = 19

logger = logging.getLogger(__name__)


class SnapshotKeeper:
    """Writes snapshots when they are due. All calls come from the thread that applies changes to the view."""

    def __init__(
        self,
        view: View,
        journal: Journal,
        directory: Path,
        *,
        limits: Limits = DEFAULT_LIMITS,
        changes_min: int = CHANGES_MIN,
    ) -> None:
        self._view = view
        self._journal = journal
        self._directory = directory
        self._limits = limits
        self._changes_min = changes_min
        self._child: int | None = None
        self._asked = 0
        self._is_closing = False

    def keep(self) -> None:
        """Look after the child, and begin a snapshot when one is due. Returns at once; call it every few seconds.

        A snapshot that can't be begun or written is recorded as a failure, and is due again after more changes.
        """
        if self._child is not None:
            self._reap(os.WNOHANG)
        elif self._is_due():
            try:
                self._begin()
            except OSError as error:  # no memory, or no process, for a child
                note_failure(self._view, error)

    async def look(self) -> None:
        """As ``keep``, for the event loop that applies changes."""
        self.keep()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child that may be writing; what it wrote so far counts for nothing."""
        self._is_closing = True
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)
            self._reap(0)

    def _is_due(self) -> bool:
        newest = max(self._view.snapshot_revision, self._asked)
        return self._view.revision - newest >= max(self._changes_min, len(self._view) * CHANGES_SHARE)

    def _begin(self) -> None:
        self._asked = self._view.revision
        found = snapshot_of(self._view, self._journal)
        if found is None or self._journal.problem is not None:
            return
        remove_unfinished(self._directory)
        child = os.fork()
        if child:
            self._child = child
            return
        status = 1
        try:
            _leave_everything_alone()
            write_snapshot(self._directory, *found, limits=self._limits)
            status = 0
        except Exception:
            logger.exception("a snapshot of the index could not be written")
        finally:
            os._exit(status)

    def _reap(self, options: int) -> None:
        assert self._child is not None
        child, status = os.waitpid(self._child, options)
        if child:
            self._child = None
            if status == 0:
                note_success(self._view, self._asked)
            elif not self._is_closing:
                note_failure(self._view, f"the process that wrote it {_ending_of(status)}")


def _ending_of(status: int) -> str:
    """How a process ended, in words."""
    code = os.waitstatus_to_exitcode(status)
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}; the log says why"


def _leave_everything_alone() -> None:
    """In the child: let go of the parent's signals, files and sockets, and of its place in the queue for the CPU."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.nice(LOWEST_PRIORITY)
