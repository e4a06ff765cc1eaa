"""The embedded journal: one SQLite file, one process, one appending thread.

One rule: ``append`` is one transaction with one fsync, and what it could not make durable it takes back.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import Self

import apsw

from rollbook.errors import Compacted, DataDirectoryUnsound, JournalConflict, JournalDamaged, JournalUnavailable
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Alone, Sharing, Size, Syncs
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.sqlite.checkpointing import CAP_PAGES, START_PAGES, Checkpointer
from rollbook.journal.sqlite.checksums import Damage
from rollbook.journal.sqlite.compaction import SqliteCompaction
from rollbook.journal.sqlite.copying import copy_journal
from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.integrity import problems_in
from rollbook.journal.sqlite.kept_results import keep_results
from rollbook.journal.sqlite.lagging import LargeRows
from rollbook.journal.sqlite.locking import DirectoryLock
from rollbook.journal.sqlite.paging import PAGE_CHANGES, page_of
from rollbook.journal.sqlite.past import SqlitePast
from rollbook.journal.sqlite.reading import Readers
from rollbook.journal.sqlite.rebuilding import CHANGE_COLUMNS, LIVE, Bodies, Row, kept_of, with_later
from rollbook.journal.sqlite.recording import Tip, record, record_creations, tip_in
from rollbook.journal.sqlite.repairing import repair
from rollbook.journal.sqlite.schema import FILE_NAME, open_writer
from rollbook.journal.sqlite.statuses import checked_status, record_status
from rollbook.journal.sqlite.transfer import SqliteTransfer
from rollbook.journal.sqlite.writing import Writer
from rollbook.journal.statuses import Formers, formers_in
from rollbook.journal.transfers import Transfer

LOAD = f"""
SELECT live.*, given.revision, given.at_ms, given.actor, CAST(given.former AS BLOB), given.checksum
FROM ({LIVE}) AS live LEFT JOIN statuses AS given ON given.id = live.id AND given.revision = (
    SELECT max(revision) FROM statuses WHERE statuses.id = live.id
)
ORDER BY live.created_revision
"""  # noqa: S608
LIVE_WIDTH = 8
COUNT = "SELECT count(*) FROM clusters"
FOLLOW = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE revision > ? ORDER BY revision LIMIT {PAGE_CHANGES}"  # noqa: S608

logger = logging.getLogger(__name__)


class SqliteJournal:
    """A journal (see ``interface.Journal``) in one directory. Made by ``SqliteJournal.open``."""

    def __init__(self, directory: Path, lock: DirectoryLock, writer: Writer, readers: Readers, tip: Tip) -> None:
        self.directory = directory
        self.tenure = lock
        self._writer = writer
        self._readers = readers
        self._tip = tip
        self._large = LargeRows()
        self.syncs = Syncs()
        self._lagging: set[str] = set()
        """Ids whose row lagged when it was read."""
        self.sharing: Sharing = Alone(self.newest)
        self.past = SqlitePast(self._readers)
        self.compaction = SqliteCompaction(self._readers, writer)
        self.inspection = SqliteInspection(directory, self._readers)
        self.copy: Callable[[Path], None] = partial(copy_journal, writer)
        """See ``interface.DirectoryJournal.copy``."""
        self.transfer: Transfer = SqliteTransfer(readers, writer, self._begin_at)

    @classmethod
    def open(cls, directory: Path, *, start_pages: int = START_PAGES, cap_pages: int = CAP_PAGES) -> Self:
        """The journal in ``directory``, both made when absent. Where nothing can be written, what is there is read.

        Refuses a directory that another process uses (DataDirectoryLocked), that holds something else or another
        format (DataDirectoryUnsound), or where nothing can be read nor made (JournalUnavailable).
        """
        with contextlib.ExitStack() as undo, disk_errors(f"can't open the journal in {directory}"):
            _make_directory(directory)
            lock = DirectoryLock(directory)
            undo.callback(lock.release)
            readers = Readers(directory)
            writer = Writer(lock, lambda: _opened(directory, lock, readers, start_pages, cap_pages))
            undo.callback(writer.close)
            try:
                with writer.transaction() as connection:
                    tip = tip_in(connection)
            except JournalUnavailable as unavailable:
                if isinstance(unavailable, JournalDamaged) or not _has_content(directory / FILE_NAME):
                    raise
                readers.frozen = True
                with readers.one_moment() as connection:
                    tip = tip_in(connection)
                logger.warning("%s: writes are refused until that is over", unavailable.message)
            undo.pop_all()
            return cls(directory, lock, writer, readers, tip)

    @property
    def problem(self) -> str | None:
        """Why nothing can be written, as far as is known; None when there is no reason."""
        return self._writer.problem

    def look(self) -> None:
        """See whether the file is still at its path, and can be written; ``problem`` says it afterwards."""
        self._writer.look()

    def newest(self) -> int:
        """The newest durable revision; 0 when nothing was ever written."""
        return self._tip.revision

    def newest_ms(self) -> int:
        """When the newest revision was made (Unix ms); 0 when nothing was ever written."""
        return self._tip.at_ms

    def load(self) -> Iterator[StoredVersion]:
        """Every live document, in order of creation, as of one moment."""
        with self._readers.reading() as connection:
            for row in connection.execute(LOAD):
                version, lag = with_later(connection, kept_of(row[:LIVE_WIDTH]))
                if row[LIVE_WIDTH] is not None:
                    given = checked_status(version.id, row[LIVE_WIDTH:])
                    version = version._replace(status_since_ms=given.at_ms)
                if lag.changes:
                    self._lagging.add(version.id)
                yield version

    def append(
        self,
        changes: Sequence[Change],
        *,
        after: int,
        formers: Formers | None = None,
        results: Sequence[KeptResult] = (),
    ) -> None:
        """Make a batch durable, all or nothing. See ``interface.Journal.append``."""
        tip = self._tip
        if after != tip.revision:
            raise JournalConflict(f"the newest revision is {tip.revision}, not {after}")
        formers = formers_in(changes) if formers is None else formers
        with self._writer.transaction(self.syncs) as connection:
            large = self._large.draft()
            if all(change.kind == "created" for change in changes):
                tip = record_creations(connection, changes, tip)
            else:
                for change in changes:
                    tip = record(connection, change, tip, large)
                    record_status(connection, change, formers)
            keep_results(connection, results)
        self._tip, self._large = tip, large

    def follow(self, after: int) -> Iterator[Change]:
        """The changes later than ``after``, in order, up to the newest at the end of the walk."""
        bodies, position = Bodies(), after
        while position < self.newest():
            with self._readers.one_moment() as connection:
                rows = connection.execute(FOLLOW, (position,))
                page = page_of(bodies.step(connection, row) for row in rows)
            if not page or page[0].revision != position + 1:
                raise Compacted(f"the changes after revision {position} are no longer kept")
            yield from page
            position = page[-1].revision

    def repair(self, id: str, *, drop: bool) -> str:
        """Repair one damaged cluster before anything else reads it; see ``repairing.repair``."""
        with self._writer.transaction() as connection:
            done = repair(connection, self.directory / FILE_NAME, id, drop=drop)
            tip = tip_in(connection)
        self._tip, self._large = tip, LargeRows()
        return done

    def _begin_at(self, tip: Tip) -> None:
        self._tip = tip

    def close(self) -> None:
        """Write what lags, finish the log and release the directory. Closing twice is harmless."""
        with contextlib.suppress(JournalUnavailable, Damage), self._writer.transaction() as connection:
            self._large.write_all(connection, self._lagging)
        self._lagging.clear()
        self._readers.close()
        self._writer.close()  # the last, since only it can put the log's pages into the file and remove the log
        self.tenure.release()


class SqliteInspection:
    """What is asked of the file (see ``interface.Inspection``)."""

    def __init__(self, directory: Path, readers: Readers) -> None:
        self._directory = directory
        self._readers = readers

    def count(self) -> int:
        """See ``interface.Inspection.count``."""
        with self._readers.reading() as connection:
            rows: list[Row] = connection.execute(COUNT).fetchall()
        return int(rows[0][0])

    def size(self) -> Size:
        """See ``interface.Inspection.size``; the log is SQLite's write-ahead log."""
        data, log = self._directory / FILE_NAME, self._directory / f"{FILE_NAME}-wal"
        with disk_errors("the journal can't be measured"):
            free_bytes = disk_usage(self._directory).free
            return Size(data.stat().st_size, log.stat().st_size if log.exists() else 0, free_bytes)

    def problems(self) -> list[str]:
        """See ``interface.Inspection.problems``."""
        with self._readers.reading() as connection:
            return problems_in(connection)


def _opened(
    directory: Path, lock: DirectoryLock, readers: Readers, start_pages: int, cap_pages: int
) -> tuple[apsw.Connection, Checkpointer]:
    """The connection that appends, and the checkpointer of its log."""
    path = directory / FILE_NAME
    with contextlib.ExitStack() as undo, disk_errors(f"can't open {path} for writing"):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))  # which says why, where SQLite does not
        connection = open_writer(directory)
        undo.callback(connection.close)
        checkpointer = Checkpointer(directory, start_pages=start_pages, cap_pages=cap_pages)
        lock.guard([FILE_NAME])
        readers.thaw()
        undo.pop_all()
        return connection, checkpointer


def _has_content(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size > 0
    return False


def _make_directory(directory: Path) -> None:
    """The directory and its place in its parent are durable before the first write."""
    made = not directory.exists()
    if made and directory.is_symlink():
        raise DataDirectoryUnsound(
            f"{directory} is a link to {directory.readlink()}, which does not exist: make that directory, "
            "or choose another one"
        )
    directory.mkdir(parents=True, exist_ok=True)
    if made:
        descriptor = os.open(directory.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
