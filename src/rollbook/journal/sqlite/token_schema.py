"""The SQLite file of tokens and roles: its tables, its format number and how it is opened.

One rule: it says who may, so it is its owner's alone, and never begun anew in silence.
"""

import os
from pathlib import Path

import apsw

from rollbook.errors import DataDirectoryUnsound, RegistryError
from rollbook.journal.sqlite.freezing import open_to_look
from rollbook.journal.sqlite.transactions import transaction

FILE_NAME = "tokens.sqlite3"
APPLICATION_ID = 0x526F6C54  # "RolT"
FORMAT = 1
BUSY_TIMEOUT_MS = 10_000

TABLES = f"""
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    facts TEXT NOT NULL,
    digest BLOB NOT NULL,
    former_digest BLOB,
    former_until_ms INTEGER,
    expires_at_ms INTEGER,
    last_used_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE roles (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE identities (had INTEGER PRIMARY KEY CHECK (had = 1)) STRICT;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""


def open_tokens(directory: Path) -> apsw.Connection:
    """A connection to the file in ``directory``, which this process has locked; made when absent.

    Refuses (DataDirectoryUnsound) a file that is damaged, not ours or of another format.
    """
    path = directory / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    os.chmod(path, 0o600)
    connection = apsw.Connection(str(path))
    try:
        _prepare(connection, path)
    except (apsw.NotADBError, apsw.CorruptError) as problem:
        connection.close()
        raise DataDirectoryUnsound(f"{path} is damaged ({problem}): restore it from a backup") from None
    except BaseException:
        connection.close()
        raise
    return connection


def without_tokens() -> apsw.Connection:
    """A connection to a store that has none, in memory."""
    connection = apsw.Connection(":memory:")
    connection.execute(TABLES).fetchall()
    return connection


def problems_in_tokens(directory: Path) -> list[str]:
    """What is wrong with the file of tokens in a directory that no process uses, a sentence each."""
    path = directory / FILE_NAME
    if not path.exists():
        return []
    try:
        connection = open_to_look(path, lambda: open_tokens(directory))
        try:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check(20)")]
        finally:
            connection.close()
    except RegistryError as problem:
        return [problem.message]
    except (apsw.Error, OSError) as problem:
        return [f"{path} can't be read: {problem}"]
    return [f"{path}: {text}" for text in found if text != "ok"]


def _prepare(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL").fetchall()
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
        with transaction(connection):
            connection.execute(TABLES).fetchall()
    elif application != APPLICATION_ID:
        raise DataDirectoryUnsound(f"{path} is not Rollbook's file of tokens: move it away")
    elif version != FORMAT:
        raise DataDirectoryUnsound(f"{path} has format {version}, and this Rollbook knows {FORMAT}")
