"""What is kept of leases and uptime: an SQLite file of its own, beside the journal.

One rule: a file that can't be read is set aside, and leases begin anew: they are not worth not starting.
"""

import contextlib
import logging
import os
from pathlib import Path
from typing import Any

import apsw

from rollbook.clusters.uptime import Spent, day_of_slot
from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import Counted, LeaseBatch, LeaseRow
from rollbook.journal.sqlite.freezing import Companion, open_frozen_file, open_to_look
from rollbook.journal.sqlite.transactions import transaction

logger = logging.getLogger(__name__)

FILE_NAME = "leases.sqlite3"
DAMAGED_SUFFIX = ".damaged"
APPLICATION_ID = 0x526F6C4C  # "RolL"
FORMAT = 1
BUSY_TIMEOUT_MS = 1_000

TABLES = f"""
CREATE TABLE leases (
    id TEXT PRIMARY KEY,
    life INTEGER NOT NULL,
    ttl_seconds INTEGER NOT NULL,
    observed_at_ms INTEGER NOT NULL,
    noted INTEGER NOT NULL,
    mark TEXT,
    turns TEXT NOT NULL,
    nodes TEXT NOT NULL,
    slot INTEGER NOT NULL,
    alive REAL NOT NULL,
    late REAL NOT NULL,
    silent REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE uptime_slots (
    id TEXT NOT NULL, slot INTEGER NOT NULL, alive REAL NOT NULL, late REAL NOT NULL, silent REAL NOT NULL,
    PRIMARY KEY (id, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE uptime_days (
    id TEXT NOT NULL, day INTEGER NOT NULL, alive REAL NOT NULL, late REAL NOT NULL, silent REAL NOT NULL,
    PRIMARY KEY (id, day)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""

SAVE_LEASE = "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_SLOT = (
    "INSERT INTO uptime_slots VALUES (?, ?, ?, ?, ?) ON CONFLICT (id, slot) DO UPDATE SET "
    "alive = alive + excluded.alive, late = late + excluded.late, silent = silent + excluded.silent"
)
ADD_DAY = ADD_SLOT.replace("uptime_slots", "uptime_days").replace("slot", "day")
FORGET = (
    "DELETE FROM leases WHERE id = ?",
    "DELETE FROM uptime_slots WHERE id = ?",
    "DELETE FROM uptime_days WHERE id = ?",
)
FORGET_BEFORE = ("DELETE FROM uptime_slots WHERE slot < ?", "DELETE FROM uptime_days WHERE day < ?")
SLOTS = "SELECT slot, alive, late, silent FROM uptime_slots WHERE id = ? AND slot >= ? ORDER BY slot"
DAYS = "SELECT day, alive, late, silent FROM uptime_days WHERE id = ? AND day >= ? ORDER BY day"


class SqliteLeaseStore:
    """A store of leases (see ``lease_store.LeaseStore``) in a file. Made by ``open``."""

    def __init__(self, file: Companion) -> None:
        self._file = file

    @classmethod
    def open(cls, directory: Path) -> "SqliteLeaseStore":
        """The store in ``directory``, which this process has locked; made when absent.

        A file that can't be read is set aside, with a warning, and a new one begun: leases are not worth not starting.
        Where it can't be written, it is only read.
        """
        path = directory / FILE_NAME
        try:
            return cls(Companion(path, lambda: _opened(path), _empty))
        except apsw.NoMemError:
            raise MemoryError from None
        except (apsw.NotADBError, apsw.CorruptError, _Strange) as problem:
            aside = path.with_name(path.name + DAMAGED_SUFFIX)
            logger.warning("%s can't be read (%s); it is now %s, and leases begin anew", path, problem, aside.name)
            path.replace(aside)
            for companion in (f"{path}-wal", f"{path}-shm"):
                Path(companion).unlink(missing_ok=True)
            return cls(Companion(path, lambda: _opened(path), _empty))

    def load(self) -> list[LeaseRow]:
        """Every lease."""
        rows = self._file.connection.execute("SELECT * FROM leases")
        return [LeaseRow._make((*row[:4], bool(row[4]), *row[5:-3], Spent(*row[-3:]))) for row in rows]

    def save(self, batch: LeaseBatch) -> None:
        """Keep a batch, whole or not at all. Fails (JournalUnavailable) when the disk does."""
        finished = [(id, slot, spent) for id, slots in batch.finished.items() for slot, spent in slots.items()]
        with self._file.writing("leases can't be stored") as connection:
            for statement in FORGET:
                connection.executemany(statement, [(id,) for id in batch.gone])
            connection.executemany(SAVE_LEASE, [(*row[:-1], *row.spent) for row in batch.leases])
            connection.executemany(ADD_SLOT, [(id, slot, *spent) for id, slot, spent in finished])
            connection.executemany(ADD_DAY, [(id, day_of_slot(slot), *spent) for id, slot, spent in finished])

    def forget_before(self, *, slot: int, day: int) -> None:
        """Drop the uptime of slots and days before these. Fails (JournalUnavailable) when the disk does."""
        with self._file.writing("uptime can't be stored") as connection:
            for statement, number in zip(FORGET_BEFORE, (slot, day), strict=True):
                connection.execute(statement, (number,))

    def uptime(self, id: str, *, slot: int, day: int) -> tuple[list[Counted], list[Counted]]:
        """The finished slots of a lease from ``slot`` on, and its days from ``day`` on."""
        try:
            return self._counted(SLOTS, id, slot), self._counted(DAYS, id, day)
        except apsw.Error as error:
            raise JournalUnavailable(f"uptime can't be read: {error}") from error

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()

    def _counted(self, statement: str, id: str, first: int) -> list[Counted]:
        return [(number, Spent(*spent)) for number, *spent in self._file.connection.execute(statement, (id, first))]


def problems_in_leases(directory: Path) -> list[str]:
    """What is wrong with the file of leases in a directory that no process uses, a sentence each."""
    path = directory / FILE_NAME
    if not path.exists():
        return []
    try:
        connection = open_to_look(path, lambda: _opened(path))
        try:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check(20)")]
        finally:
            connection.close()
    except (apsw.Error, _Strange) as problem:
        return [f"{path} can't be read: {problem}"]
    return [f"{path}: {text}" for text in found if text != "ok"]


def newest_in_leases(directory: Path) -> int:
    """The newest revision that the file knows of: the journal had it then. 0 when there is none, or no sound file."""
    path = directory / FILE_NAME
    with contextlib.suppress(apsw.Error, OSError):
        connection = open_frozen_file(path)
        try:
            rows: list[tuple[Any, ...]] = connection.execute("SELECT coalesce(max(life), 0) FROM leases").fetchall()
            return int(rows[0][0])
        finally:
            connection.close()
    return 0


def forget_later_leases(directory: Path, newest: int) -> None:
    """Drop the leases of clusters that were created after the revision ``newest``, which is lost."""
    if (directory / FILE_NAME).exists():
        connection = _opened(directory / FILE_NAME)
        try:
            connection.execute("DELETE FROM leases WHERE life > ?", (newest,))
        finally:
            connection.close()


class _Strange(Exception):
    """The file is an SQLite database, but not one of ours, or of a newer format."""


def _empty() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(TABLES).fetchall()
    return connection


def _opened(path: Path) -> apsw.Connection:
    with contextlib.suppress(FileNotFoundError):
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))  # which says why it can't be written, where SQLite does not
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL").fetchall()
        application, version = connection.pragma("application_id"), connection.pragma("user_version")
        if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
            with transaction(connection):
                connection.execute(TABLES).fetchall()
        elif application != APPLICATION_ID or version != FORMAT:
            raise _Strange(f"application {application}, format {version}")
        connection.execute("SELECT count(*) FROM leases").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
