"""Moves committed pages from the write-ahead log into the database file, away from the write path.

One rule: an append never copies pages. It only waits, and only when the log has reached its cap, until a checkpoint
has let the log start again from its beginning.
"""

import logging
import threading
from pathlib import Path

import apsw

from rollbook.journal.sqlite.schema import open_checkpointer

logger = logging.getLogger(__name__)

START_PAGES = 8_000
"""A checkpoint begins when the log holds this many pages of 4 KiB."""

CAP_PAGES = 32_000
"""Appends wait for the checkpoint when the log holds this many."""

READERS_TIMEOUT_MS = 200
"""How long a checkpoint at the cap waits for readers of the old pages before it lets the log grow further."""


class Checkpointer:
    """A thread that checkpoints when the log has grown. Call ``wal_grew`` after each commit."""

    def __init__(self, directory: Path, *, start_pages: int = START_PAGES, cap_pages: int = CAP_PAGES) -> None:
        self._connection = open_checkpointer(directory)
        self._connection.set_busy_timeout(READERS_TIMEOUT_MS)
        self._start_pages = start_pages
        self._cap_pages = cap_pages
        self._cap_now = cap_pages
        self._pages = 0
        self._wake = threading.Event()
        self._room = threading.Event()
        self._room.set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rollbook-checkpoint", daemon=True)
        self._thread.start()

    def wal_grew(self, pages: int) -> None:
        """Record how many pages the log holds after a commit."""
        self._pages = pages
        if pages < self._start_pages:
            self._cap_now = self._cap_pages
        elif pages >= self._cap_now:
            self._room.clear()
            self._wake.set()
        else:
            self._wake.set()

    def wait_for_room(self) -> None:
        """Return at once while the log is below its cap, else when a checkpoint has done what it can."""
        self._room.wait()

    def close(self) -> None:
        """End the thread and release the file."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            if self._stopping:
                return
            self._wake.clear()
            try:
                self._checkpoint()
            except apsw.Error as error:
                logger.warning("a checkpoint of the journal could not finish, and will be tried again: %s", error)
            if not self._room.is_set():
                self._cap_now = self._pages + self._start_pages
                self._room.set()

    def _checkpoint(self) -> None:
        """Copy without stopping anyone; then, at the cap, while the writer waits, make the log start again."""
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if not self._room.is_set():
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
