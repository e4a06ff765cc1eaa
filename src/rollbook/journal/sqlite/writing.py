"""The connection that writes: whoever writes holds it for one short transaction.

One rule: what could not be made durable is taken back.
"""

import contextlib
import threading
from collections.abc import Iterator

import apsw

from rollbook.errors import JournalUnavailable
from rollbook.journal.sqlite.checkpointing import Checkpointer
from rollbook.journal.sqlite.disk_errors import disk_trouble


class Writer:
    """Gives its connection to one thread at a time, and keeps its log in bounds by ``checkpointer``."""

    def __init__(self, connection: apsw.Connection, checkpointer: Checkpointer) -> None:
        self._connection = connection
        self._checkpointer = checkpointer
        self._turn = threading.Lock()
        self._closed = False
        connection.set_wal_hook(self._committed)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """What the block writes is durable at its end, all or nothing; JournalUnavailable when the disk fails."""
        self._checkpointer.wait_for_room()
        with self._turn:
            if self._closed:
                raise JournalUnavailable("the journal is closed")
            with disk_trouble("nothing was written"):
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._take_back()
                    raise

    def close(self) -> None:
        """Let a transaction under way end, then release the file. Closing twice is harmless."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._checkpointer.close()
            with contextlib.suppress(apsw.Error):
                self._connection.close()

    def _take_back(self) -> None:
        """Undo a batch that failed. When only its fsync failed, its pages stand in the log and a restart would find
        them: writing any page of our own now overwrites their beginning, and without it they count for nothing."""
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        with contextlib.suppress(apsw.Error):
            version = self._connection.pragma("user_version")
            self._connection.execute(f"PRAGMA user_version = {version}")

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._checkpointer.wal_grew(pages)
        return apsw.SQLITE_OK
