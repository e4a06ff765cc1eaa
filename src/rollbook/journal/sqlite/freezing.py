"""Files that can't be written now: a full disk, a read-only one, no permission. They are read as they are.

Theory: SQLite makes companions beside a file to read its log, and fails where it can't. A reader that knows that nobody
writes (this process has locked the directory) needs none: it keeps the index of the log in memory, or, where there is
no log, takes the file as it is.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.transactions import transaction

logger = logging.getLogger(__name__)

CANNOT_WRITE = (apsw.CantOpenError, apsw.ReadOnlyError, apsw.FullError, apsw.IOError, OSError)


def open_frozen_file(path: Path) -> apsw.Connection:
    """A connection that reads a file which nobody writes: needs no permission to write, and no room on the disk."""
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    options = "vfs=unix-none" if has_log else "immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(f"{path.absolute().as_uri()}?{options}", flags=flags)
    if has_log:  # so that its index is held in memory, and no file is made for it
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    return connection


def open_to_look(path: Path, open: Callable[[], apsw.Connection]) -> apsw.Connection:
    """The connection that ``open`` makes, or where that can't be had now, one that reads."""
    try:
        return open()
    except CANNOT_WRITE:
        return open_frozen_file(path)


class Companion:
    """A file beside the journal, of which ``open`` makes the connection that writes.

    Where that can't be had now, it is only read, and each attempt to write tries again.
    """

    def __init__(self, path: Path, open: Callable[[], apsw.Connection], empty: Callable[[], apsw.Connection]) -> None:
        """``empty`` makes a connection that reads an empty store, for when there is no file either."""
        self._path = path
        self._open = open
        self._frozen = False
        try:
            self.connection = open()
        except CANNOT_WRITE as problem:
            logger.warning("can't open %s for writing, it is only read: %s", path, problem)
            self._frozen = True
            has_content = path.exists() and path.stat().st_size > 0
            self.connection = open_frozen_file(path) if has_content else empty()

    @contextlib.contextmanager
    def writing(self, consequence: str) -> Iterator[apsw.Connection]:
        """What the block writes is kept, all or nothing; JournalUnavailable, with the consequence, otherwise."""
        with disk_errors(consequence):
            if self._frozen:
                frozen, self.connection = self.connection, self._open()
                self._frozen = False
                with contextlib.suppress(apsw.Error):
                    frozen.close()
            with transaction(self.connection, "BEGIN IMMEDIATE") as connection:
                yield connection

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        with contextlib.suppress(apsw.Error):  # what is in the log of writes is read when the file is opened again
            self.connection.close()
