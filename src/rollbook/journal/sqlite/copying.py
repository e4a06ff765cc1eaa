"""Copies of the file while it is written, and what was at an earlier revision made the present of a copy.

Theory: a copy goes through the connection that writes, some pages at a time. What is written meanwhile goes
into the copy too, so writers wait for a few pages at most, and the copy is the file as of its last step.
"""

from pathlib import Path

import apsw

from rollbook.errors import Compacted, DataDirectoryUnsound
from rollbook.journal.changes import StoredVersion
from rollbook.journal.sqlite.checksums import document_checksum
from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.locking import DirectoryLock
from rollbook.journal.sqlite.past import SqlitePast
from rollbook.journal.sqlite.positions import mark_in
from rollbook.journal.sqlite.reading import Readers
from rollbook.journal.sqlite.recording import tip_in
from rollbook.journal.sqlite.schema import FILE_NAME, open_writer
from rollbook.journal.sqlite.transactions import transaction
from rollbook.journal.sqlite.writing import Writer

STEP_PAGES = 512
INSERT = "INSERT INTO clusters VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?)"
LATER = ("changes", "statuses", "departed")


def copy_journal(writer: Writer, into: Path) -> None:
    """Make a journal in the directory ``into`` that holds what this one does, while it is written.

    Fails (JournalUnavailable) when a disk does.
    """
    with disk_errors(f"can't copy the journal into {into}"):
        copy = apsw.Connection(str(into / FILE_NAME))
        try:
            copy.execute("PRAGMA synchronous = OFF").fetchall()  # a copy that is cut off is worth nothing anyway
            with writer.turn() as connection:
                backup = copy.backup("main", connection, "main")
            try:
                while not backup.done:
                    with writer.turn():
                        backup.step(STEP_PAGES)
            finally:
                with writer.turn():
                    backup.finish()
        finally:
            copy.close()


def copy_file(path: Path, into: Path) -> None:
    """Copy a store beside the journal into the directory ``into``, as of one moment. Fails as ``copy_journal``."""
    with disk_errors(f"can't copy {path}"):
        source, copy = (
            apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY),
            apsw.Connection(str(into / path.name)),
        )
        try:
            source.set_busy_timeout(10_000)
            with copy.backup("main", source, "main") as backup:
                backup.step(-1)
        finally:
            copy.close()
            source.close()


def turn_back_journal(directory: Path, *, revision: int | None, at_ms: int | None) -> int:
    """Make what was at ``revision``, or at ``at_ms`` (Unix ms), the present of a journal that no process uses.

    What came later is gone. The revision that it is at then. Refuses (Compacted) what its history does not reach, and
    (DataDirectoryUnsound) a revision that it has not come to.
    """
    lock, readers = DirectoryLock(directory), Readers(directory)
    writer = open_writer(directory)
    try:
        past, tip = SqlitePast(readers), tip_in(writer)
        goal = past.revision_at(at_ms) if revision is None and at_ms is not None else revision
        goal = tip.revision if goal is None else goal
        if goal > tip.revision:
            raise DataDirectoryUnsound(f"there is no revision {goal}: the newest one is {tip.revision}")
        if goal < mark_in(writer).revision:
            raise Compacted(f"what was at revision {goal} is no longer kept")
        with disk_errors("the journal was left as it is"), transaction(writer):
            for id, version in list_earlier(past, goal):
                writer.execute("DELETE FROM clusters WHERE id = ?", (id,))
                if version is not None:
                    writer.execute(INSERT, row_of(version))
            for table in LATER:
                writer.execute(f"DELETE FROM {table} WHERE revision > ?", (goal,))  # noqa: S608
            writer.execute("DELETE FROM results")
        return goal
    finally:
        readers.close()
        writer.close()
        lock.release()


def list_earlier(past: SqlitePast, revision: int) -> list[tuple[str, StoredVersion | None]]:
    """What the documents that were touched later were at ``revision``, read before anything is written."""
    return list(past.earlier(revision))


def row_of(version: StoredVersion) -> tuple[object, ...]:
    """The row of ``clusters`` of a version, as INSERT takes it."""
    checksum = document_checksum(version.id, version.revision, version.updated_at_ms, version.body)
    facts = (version.created_revision, version.id, version.revision, version.created_at_ms, version.updated_at_ms)
    return (*facts, version.protected, version.body, checksum)
