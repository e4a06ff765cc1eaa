"""The SQLite file of webhooks: its tables, its format number and how it is opened.

One rule: it holds secrets, so it is its owner's alone; and registrations, so it is never begun anew in silence.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

import apsw

from rollbook.errors import DataDirectoryUnsound, RegistryError
from rollbook.journal.sqlite.freezing import open_frozen_file, open_to_look
from rollbook.journal.sqlite.migrating import is_kept, keep_former
from rollbook.journal.sqlite.transactions import transaction

FILE_NAME = "webhooks.sqlite3"
APPLICATION_ID = 0x526F6C57  # "RolW"
FORMAT = 2
BUSY_TIMEOUT_MS = 10_000

TABLES = f"""
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    target TEXT NOT NULL,
    secret TEXT NOT NULL,
    former TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE progress (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    success_at_ms INTEGER NOT NULL,
    success_revision INTEGER NOT NULL,
    error_at_ms INTEGER NOT NULL,
    error_revision INTEGER NOT NULL,
    error TEXT NOT NULL,
    missed_up_to INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('undelivered', 'compacted', 'unjudged')),
    first_revision INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    problem TEXT NOT NULL,
    retry INTEGER NOT NULL,
    body TEXT
) STRICT;
CREATE INDEX dead_letters_of_one ON dead_letters (webhook, number);
CREATE TABLE dropped_letters (webhook TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""
MIGRATION = """
ALTER TABLE webhooks ADD COLUMN former TEXT NOT NULL DEFAULT '[]';
UPDATE webhooks SET former = json_array(json_array(former_secret, former_until_ms)) WHERE former_secret IS NOT NULL;
ALTER TABLE webhooks DROP COLUMN former_secret;
ALTER TABLE webhooks DROP COLUMN former_until_ms;
PRAGMA user_version = 2;
"""
"""From format 1, which kept one former secret, to format 2."""
NEWEST = "SELECT coalesce(max(revision), 0) FROM progress"


def open_webhooks(directory: Path) -> apsw.Connection:
    """A connection to the file in ``directory``, which this process has locked; made when absent.

    Refuses (DataDirectoryUnsound) a file that is damaged, not ours or of another format.
    """
    path = directory / FILE_NAME
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = apsw.Connection(str(path))
    try:
        _prepare(connection, path)
    except (apsw.NotADBError, apsw.CorruptError) as problem:
        connection.close()
        raise DataDirectoryUnsound(
            f"{path} is damaged ({problem}): restore it, or move it away to go on without webhooks"
        ) from None
    except BaseException:
        connection.close()
        raise
    return connection


def without_webhooks() -> apsw.Connection:
    """A connection to a store that has none, in memory."""
    connection = apsw.Connection(":memory:")
    connection.execute(TABLES).fetchall()
    return connection


def problems_in_webhooks(directory: Path) -> list[str]:
    """What is wrong with the file of webhooks in a directory that no process uses, a sentence each."""
    path = directory / FILE_NAME
    if not path.exists():
        return []
    try:
        connection = open_to_look(path, lambda: open_webhooks(directory))
        try:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check(20)")]
        finally:
            connection.close()
    except RegistryError as problem:
        return [problem.message]
    except (apsw.Error, OSError) as problem:
        return [f"{path} can't be read: {problem}"]
    return [f"{path}: {text}" for text in found if text != "ok"]


def newest_in_webhooks(directory: Path) -> int:
    """The newest revision that a webhook has come to: the journal had it then. 0 when there is none."""
    with contextlib.suppress(apsw.Error, OSError):
        connection = open_frozen_file(directory / FILE_NAME)
        try:
            rows: list[tuple[Any, ...]] = connection.execute(NEWEST).fetchall()
            return int(rows[0][0])
        finally:
            connection.close()
    return 0


def turn_back_webhooks(directory: Path, newest: int) -> None:
    """Let no webhook be further than the revision ``newest``: what came after it is lost."""
    if (directory / FILE_NAME).exists():
        connection = open_webhooks(directory)
        try:
            connection.execute("UPDATE progress SET revision = min(revision, ?), attempts = 0", (newest,))
        finally:
            connection.close()


def _prepare(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL").fetchall()
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
        with transaction(connection):
            connection.execute(TABLES).fetchall()
    elif application != APPLICATION_ID:
        raise DataDirectoryUnsound(f"{path} is not Rollbook's file of webhooks: move it away")
    elif version == 1:
        if not is_kept(connection, path.parent, path.name):  # the journal's copy, of this start, has this file too
            keep_former(path.parent, "webhooks-format-1")
        with transaction(connection):
            connection.execute(MIGRATION).fetchall()
    elif version != FORMAT:
        raise DataDirectoryUnsound(f"{path} has format {version}, and this Rollbook knows {FORMAT}")
