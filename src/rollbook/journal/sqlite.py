"""The embedded journal: one SQLite file, one process, one appending thread.

One rule: ``append`` is one transaction with one fsync, and what it could not make durable it takes back.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw

from rollbook.errors import Compacted, JournalConflict, JournalUnavailable
from rollbook.journal.changes import Change, Kept
from rollbook.journal.checkpointing import CAP_PAGES, START_PAGES, Checkpointer
from rollbook.journal.locking import DirectoryLock
from rollbook.journal.rebuilding import CHANGE_COLUMNS, Bodies, kept_of, rebuilt
from rollbook.journal.schema import open_reader, open_writer
from rollbook.journal.soundness import problems_in
from rollbook.journal.splices import Splice, splice_between

PAGE_OF_CHANGES = 500

RECORD = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT))"
CREATE = (
    "INSERT INTO clusters (created_revision, id, revision, created_at_ms, updated_at_ms, body) "
    "VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT))"
)
UPDATE = (
    "UPDATE clusters SET body = CAST(? AS TEXT), revision = ?, updated_at_ms = ?, protected = coalesce(?, protected) "
    "WHERE id = ? AND body = CAST(? AS TEXT)"
)
DELETE = "DELETE FROM clusters WHERE id = ? AND body = CAST(? AS TEXT)"
LOAD = (
    "SELECT id, CAST(body AS BLOB), revision, created_revision, created_at_ms, updated_at_ms, protected "
    "FROM clusters ORDER BY created_revision"
)
FOLLOW = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE revision > ? ORDER BY revision LIMIT {PAGE_OF_CHANGES}"  # noqa: S608
HISTORY = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE id = ? ORDER BY revision"  # noqa: S608

PROTECTED_BY = {"protected": 1, "unprotected": 0}

REASONS: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, "the disk is full"),
    (apsw.ReadOnlyError, "the disk or the data directory is read-only"),
    (apsw.CantOpenError, "the file can't be opened"),
    (apsw.BusyError, "another program holds the file"),
    (apsw.IOError, "the disk reports an input/output error"),
    (apsw.CorruptError, "the file is damaged"),
)


class SqliteJournal:
    """A journal (see ``interface.Journal``) in one directory. Made by ``SqliteJournal.open``."""

    def __init__(
        self, directory: Path, lock: DirectoryLock, writer: apsw.Connection, checkpointer: Checkpointer
    ) -> None:
        self.directory = directory
        self._lock = lock
        self._writer = writer
        self._checkpointer = checkpointer
        self._newest = _newest_in(writer)
        self._readers: list[apsw.Connection] = []
        self._closing = threading.Lock()
        self._closed = False
        writer.set_wal_hook(self._committed)

    @classmethod
    def open(cls, directory: Path, *, start_pages: int = START_PAGES, cap_pages: int = CAP_PAGES) -> "SqliteJournal":
        """The journal in ``directory``, both made when absent.

        Refuses a directory that another process uses (DataDirectoryLocked), that holds something else or a newer
        format (DataDirectoryUnsound), or where nothing can be written (JournalUnavailable).
        """
        with contextlib.ExitStack() as undo, _disk_trouble(f"can't open the journal in {directory}"):
            _make_directory(directory)
            lock = DirectoryLock(directory)
            undo.callback(lock.release)
            writer = open_writer(directory)
            undo.callback(writer.close)
            checkpointer = Checkpointer(directory, start_pages=start_pages, cap_pages=cap_pages)
            undo.callback(checkpointer.close)
            journal = cls(directory, lock, writer, checkpointer)
            undo.pop_all()
            return journal

    def newest(self) -> int:
        """The newest durable revision; 0 when nothing was ever written."""
        return self._newest

    def load(self) -> Iterator[Kept]:
        """Every live document, in order of creation, as of one moment."""
        with self._reading() as connection:
            for row in connection.execute(LOAD):
                yield kept_of(row)

    def append(self, changes: Sequence[Change], *, after: int) -> None:
        """Make a batch durable, all or nothing. See ``interface.Journal.append``."""
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        if after != self._newest:
            raise JournalConflict(f"the newest revision is {self._newest}, not {after}")
        self._checkpointer.wait_for_room()
        with _disk_trouble("nothing was written"):
            self._write(changes, after)
        self._newest = after + len(changes)

    def follow(self, after: int) -> Iterator[Change]:
        """The changes later than ``after``, in order, up to the newest at the end of the walk."""
        bodies, position = Bodies(), after
        while position < self._newest:
            with self._reading() as connection, connection:
                rows = connection.execute(FOLLOW, (position,)).fetchall()
                if not rows or rows[0][0] != position + 1:
                    raise Compacted(f"the changes after revision {position} are no longer kept")
                page = [bodies.step(connection, row) for row in rows]
            yield from page
            position = page[-1].revision

    def history(self, id: str) -> Iterator[Change]:
        """The kept changes of one document, oldest first, through deletions and new creations."""
        with self._reading() as connection:
            yield from rebuilt(connection.execute(HISTORY, (id,)))

    def problems(self) -> list[str]:
        """What is wrong with the file, a sentence each; empty when it is sound."""
        with self._reading() as connection:
            return problems_in(connection)

    def close(self) -> None:
        """Finish the log and release the directory. Closing twice is harmless."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._checkpointer.close()
        for connection in (*self._readers, self._writer):
            with contextlib.suppress(apsw.Error):
                connection.close()
        self._lock.release()

    def _write(self, changes: Sequence[Change], after: int) -> None:
        writer = self._writer
        try:
            writer.execute("BEGIN IMMEDIATE")
            for revision, change in enumerate(changes, after + 1):
                if change.revision != revision:
                    raise ValueError(f"the change after revision {revision - 1} has revision {change.revision}")
                _record(writer, change)
            writer.execute("COMMIT")
        except BaseException:
            self._take_back()
            raise

    def _take_back(self) -> None:
        """Undo a batch that failed. When only its fsync failed, its pages stand in the log and a restart would find
        them: writing any page of our own now overwrites their beginning, and without it they count for nothing."""
        with contextlib.suppress(apsw.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        with contextlib.suppress(apsw.Error):
            version = self._writer.pragma("user_version")
            self._writer.execute(f"PRAGMA user_version = {version}")

    def _committed(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._checkpointer.wal_grew(pages)
        return apsw.SQLITE_OK

    @contextlib.contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """A reading connection of one's own for the length of the block; kept for the next reader."""
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        with _disk_trouble("the journal can't be read"):
            connection = self._readers.pop() if self._readers else open_reader(self.directory)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._readers.append(connection)


def _record(writer: apsw.Connection, change: Change) -> None:
    """One change in both tables. Refuses (ValueError) a change that does not follow from what is stored."""
    before, after = change.before, change.after
    try:
        match change.kind:
            case "created" if before is None and after is not None:
                splice = Splice(0, b"", after)
                times = (change.at_ms, change.at_ms)
                writer.execute(CREATE, (change.revision, change.id, change.revision, *times, after))
            case "updated" | "protected" | "unprotected" if before is not None and after is not None:
                splice = splice_between(before, after)
                protected = PROTECTED_BY.get(change.kind)
                writer.execute(UPDATE, (after, change.revision, change.at_ms, protected, change.id, before))
            case "deleted" if before is not None and after is None:
                splice = Splice(0, before, b"")
                writer.execute(DELETE, (change.id, before))
            case _:
                raise ValueError(f"revision {change.revision} is no {change.kind!r} change: before or after is wrong")
    except apsw.ConstraintError:
        raise ValueError(f"revision {change.revision} creates {change.id!r}, which is there") from None
    if writer.changes() != 1:
        raise ValueError(f"revision {change.revision} does not follow from the stored document {change.id!r}")
    facts = (change.revision, change.id, change.kind, change.at_ms, change.actor, change.reason)
    writer.execute(RECORD, (*facts, splice.start, splice.removed, splice.inserted))


def _newest_in(connection: apsw.Connection) -> int:
    newest: int = connection.execute("SELECT coalesce(max(revision), 0) FROM changes").get
    return newest


def _make_directory(directory: Path) -> None:
    """The directory and its place in its parent are durable before the first write."""
    made = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    if made:
        descriptor = os.open(directory.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _disk_trouble(consequence: str) -> Iterator[None]:
    """Turns what SQLite and the system say of the disk into JournalUnavailable."""
    try:
        yield
    except OSError as error:
        raise JournalUnavailable(f"{consequence}: {error.strerror or error} ({error.filename})") from error
    except apsw.Error as error:
        reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), "SQLite refuses")
        raise JournalUnavailable(f"{consequence}: {reason} ({error})") from error
