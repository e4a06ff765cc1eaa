"""The SQLite file of the embedded journal: its tables, its format number and how it is opened.

One rule: the file is ordinary. ``sqlite3`` opens it, live documents are JSON text in ``clusters``, and each row of
``changes`` shows what was removed and what was inserted.

Beside the change itself, a row records what stood before it (``was_...``; NULL before a creation), so that each version
can be rebuilt even when the rows before it are gone; and in ``total_bytes`` the size of it and all before it.
Revisions, times and totals only grow, and no revision is left out: any of the three is found by halving. ``compacted``
says where the kept rows begin, as the last row that is gone had it, and ``departed`` holds the ids whose deletion is
among what is gone.

A change in several places that lie far apart, as in a large document, has the first of them in ``start``, ``removed``
and ``inserted``, and the others in ``more``, a JSON array of ``[start, removed, inserted]``, to be done in this order.
Rows of large documents in ``clusters`` may lag behind (see ``lagging``): ``revision`` says as of when they are.

``statuses`` says of the changes that gave a document another status who made them, when, and which status was there
``former``ly, as JSON; its rows outlive the changes (see ``statuses``).

``checksum`` is the CRC-32 of a row (see ``checksums``), and ``was_checksum`` that of the document which stood before a
change; NULL where a version that kept none wrote the row.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import apsw

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.sqlite.freezing import open_frozen_file
from rollbook.journal.sqlite.migrating import keep_former
from rollbook.journal.sqlite.statuses import fill_statuses
from rollbook.journal.sqlite.transactions import transaction

FILE_NAME = "rollbook.sqlite3"
APPLICATION_ID = 0x526F6C6C  # "Roll"
FORMAT = 5
WITHOUT_STATUSES, WITHOUT_MORE, WITHOUT_CHECKSUMS = 4, 3, 2
"""The formats before, which are migrated when they are opened: columns that are new are empty in rows that are not."""
BUSY_TIMEOUT_MS = 10_000

TABLES = """
CREATE TABLE clusters (
    created_revision INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    protected INTEGER NOT NULL,
    body TEXT NOT NULL,
    checksum INTEGER
) STRICT;
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted', 'protected', 'unprotected')),
    at_ms INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    was_revision INTEGER,
    was_created_revision INTEGER,
    was_created_at_ms INTEGER,
    was_updated_at_ms INTEGER,
    was_protected INTEGER,
    actor TEXT NOT NULL,
    reason TEXT,
    start INTEGER NOT NULL,
    removed TEXT NOT NULL,
    inserted TEXT NOT NULL,
    was_checksum INTEGER,
    checksum INTEGER,
    more TEXT
) STRICT;
CREATE INDEX changes_of_one ON changes (id, revision);
CREATE TABLE compacted (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO compacted VALUES (1, 0, 0, 0);
CREATE TABLE departed (id TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
ADD_STATUSES = """
CREATE TABLE statuses (
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT,
    former TEXT,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (id, revision)
) STRICT, WITHOUT ROWID;
"""

RESULTS = """
CREATE TABLE IF NOT EXISTS results (
    key BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    result BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS results_by_age ON results (at_ms);
"""
"""What is kept for idempotency keys. It is made wherever it is missing; older versions do not look at it."""

ADD_CHECKSUMS = """
ALTER TABLE clusters ADD COLUMN checksum INTEGER;
ALTER TABLE changes ADD COLUMN was_checksum INTEGER;
ALTER TABLE changes ADD COLUMN checksum INTEGER;
"""
ADD_MORE = "ALTER TABLE changes ADD COLUMN more TEXT;"
AS_IF_WITH_STATUSES = """
PRAGMA temp_store = MEMORY;
CREATE TEMP VIEW statuses AS
SELECT id, revision, updated_at_ms AS at_ms, NULL AS actor, NULL AS former, NULL AS checksum FROM main.clusters;
"""
AS_IF_WITH_CHECKSUMS = """
CREATE TEMP VIEW clusters AS SELECT *, NULL AS checksum FROM main.clusters;
CREATE TEMP VIEW changes AS SELECT *, NULL AS was_checksum, NULL AS checksum, NULL AS more FROM main.changes;
"""
AS_IF_WITH_MORE = """
CREATE TEMP VIEW changes AS SELECT *, NULL AS more FROM main.changes;
"""

logger = logging.getLogger(__name__)


def open_writer(directory: Path) -> apsw.Connection:
    """The connection that appends; makes the file when there is none.

    Refuses (DataDirectoryUnsound) a file that is not ours, or of another format.
    """
    path = directory / FILE_NAME
    connection = _opened(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    try:
        _recognise(connection, path)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0").fetchall()
        if _number(connection, "user_version") == 0:
            _create(connection)
        else:
            _migrate(connection, path)
        with transaction(connection):
            connection.execute(RESULTS).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(directory: Path) -> apsw.Connection:
    """A connection that only reads, beside the writer of the same process."""
    connection = _opened(directory / FILE_NAME, apsw.SQLITE_OPEN_READONLY)
    connection.execute("PRAGMA query_only = 1")
    return connection


def open_frozen(directory: Path) -> apsw.Connection:
    """A connection that reads a file which nobody writes: needs no permission to write, and no room on the disk."""
    path = directory / FILE_NAME
    connection = open_frozen_file(path)
    try:
        _recognise(connection, path)
        for views in _views_of(_number(connection, "user_version")):
            connection.execute(views).fetchall()
        connection.execute("PRAGMA query_only = 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def open_checkpointer(directory: Path) -> apsw.Connection:
    """A connection that only moves pages from the write-ahead log into the file."""
    connection = _opened(directory / FILE_NAME, apsw.SQLITE_OPEN_READWRITE)
    connection.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0").fetchall()
    return connection


def _opened(path: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def _recognise(connection: apsw.Connection, path: Path) -> None:
    try:
        application, version = _number(connection, "application_id"), _number(connection, "user_version")
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()[0]
    except apsw.NotADBError:
        raise DataDirectoryUnsound(f"{path} is not an SQLite database: restore it, or move it away") from None
    if tables and application != APPLICATION_ID:
        raise DataDirectoryUnsound(f"{path} is an SQLite database that Rollbook did not make: choose another directory")
    if version > FORMAT:
        raise DataDirectoryUnsound(f"{path} has format {version}, and this Rollbook knows {FORMAT}: use the newer one")
    if version not in (0, WITHOUT_CHECKSUMS, WITHOUT_MORE, WITHOUT_STATUSES, FORMAT):
        raise DataDirectoryUnsound(
            f"{path} has format {version}, and this Rollbook knows {FORMAT}: with the older one that made it run "
            f"rollbook export --data {path.parent} > clusters.ndjson, "
            "and with this one rollbook import --data NEW-DIRECTORY clusters.ndjson"
        )


def _create(connection: apsw.Connection) -> None:
    with transaction(connection):
        connection.execute(TABLES + ADD_STATUSES).fetchall()
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}").fetchall()


def _migrate(connection: apsw.Connection, path: Path) -> None:
    version = _number(connection, "user_version")
    if version == FORMAT:
        return
    keep_former(path.parent, f"format-{version}")
    logger.info("%s is migrated: format %d becomes %d", path, version, FORMAT)
    with transaction(connection):
        if version == WITHOUT_CHECKSUMS:
            connection.execute(ADD_CHECKSUMS).fetchall()
        if version <= WITHOUT_MORE:
            connection.execute(ADD_MORE).fetchall()
        connection.execute(ADD_STATUSES).fetchall()
        fill_statuses(connection)
        connection.execute(f"PRAGMA user_version = {FORMAT}").fetchall()


def _views_of(version: int) -> Iterator[str]:
    """What makes a file of an older format look like one of this format to its reader."""
    if version in (WITHOUT_CHECKSUMS, WITHOUT_MORE, WITHOUT_STATUSES):
        yield AS_IF_WITH_STATUSES
    if version == WITHOUT_CHECKSUMS:
        yield AS_IF_WITH_CHECKSUMS
    if version == WITHOUT_MORE:
        yield AS_IF_WITH_MORE


def _number(connection: apsw.Connection, pragma: str) -> int:
    value = connection.pragma(pragma)
    assert isinstance(value, int)
    return value
