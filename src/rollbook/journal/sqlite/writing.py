"""The connection that writes: a writer holds it for one short transaction.

Theory: where the file can't be opened for writing (a full disk, a read-only one), what is in it can be read all the
same. So every writer tries to open the connection until it is there.

One rule: what could not be made durable is taken back, and nothing is written into a file that is no longer at its
path.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

import apsw

from rollbook.errors import JournalUnavailable
from rollbook.journal.interface import Syncs
from rollbook.journal.sqlite.checkpointing import Checkpointer
from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.locking import DirectoryLock
from rollbook.journal.sqlite.transactions import roll_back

logger = logging.getLogger(__name__)


class Writer:
    """Gives its connection to one thread at a time, and keeps its log in bounds by a checkpointer.

    ``open`` makes both; it fails (JournalUnavailable) where nothing can be written now.
    """

    def __init__(self, lock: DirectoryLock, open: Callable[[], tuple[apsw.Connection, Checkpointer]]) -> None:
        self._lock = lock
        self._open = open
        self._connection: apsw.Connection | None = None
        self._checkpointer: Checkpointer | None = None
        self._turn = threading.Lock()
        self._closed = False
        self.problem: str | None = None
        """Why nothing could be written when that was last looked at; None when there was no reason."""

    def look(self) -> None:
        """See whether the file is at its path and open for writing; says in the log when that has changed."""
        before = self.problem
        with contextlib.suppress(JournalUnavailable), self._turn:
            self._ready()
        if self.problem and self.problem != before:
            logger.critical("NOTHING CAN BE WRITTEN: %s", self.problem)
        elif before and not self.problem:
            logger.warning("the journal can be written again")

    @contextlib.contextmanager
    def turn(self) -> Iterator[apsw.Connection]:
        """The connection, while nobody else has it: to read through it what it writes itself."""
        with self._turn:
            yield self._ready()

    @contextlib.contextmanager
    def transaction(self, syncs: Syncs | None = None) -> Iterator[apsw.Connection]:
        """What the block writes is durable at its end, all or nothing; JournalUnavailable when the disk fails.

        ``syncs`` counts how long the last step takes: the log's pages are written and synced.
        """
        if self._checkpointer is not None:
            self._checkpointer.wait_for_room()
        with self._turn:
            connection = self._ready()
            with disk_errors("nothing was written"):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    self._check_place()
                    begun = time.perf_counter()
                    connection.execute("COMMIT")
                    if syncs is not None:
                        syncs.add(time.perf_counter() - begun)
                except BaseException:
                    _take_back(connection)
                    raise

    def close(self) -> None:
        """Let a transaction under way end, then release the file. Closing twice is harmless."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            if self._checkpointer is not None:
                self._checkpointer.close()
            if self._connection is not None:
                with contextlib.suppress(apsw.Error):
                    self._connection.close()

    def _ready(self) -> apsw.Connection:
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        self._check_place()
        if self._connection is None:
            try:
                self._connection, self._checkpointer = self._open()
            except JournalUnavailable as unavailable:
                self.problem = unavailable.message
                raise
            self._connection.set_wal_hook(self._committed)
        self.problem = None
        return self._connection

    def _check_place(self) -> None:
        loss = self._lock.loss()
        if loss is not None:
            self.problem = f"{loss}; what was written before may be lost: restore the data directory and start again"
            raise JournalUnavailable(f"nothing was written: {self.problem}")

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        assert self._checkpointer is not None
        self._checkpointer.wal_grew(pages)
        return apsw.SQLITE_OK


def _take_back(connection: apsw.Connection) -> None:
    """Undo a batch that failed. When only its fsync failed, its pages stand in the log and a restart would find
    them: writing any page of our own now overwrites their beginning, and without it they count for nothing."""
    roll_back(connection)
    with contextlib.suppress(apsw.Error):
        version = connection.pragma("user_version")
        connection.execute(f"PRAGMA user_version = {version}")
