"""What a data directory was before a migration, kept beside it: a directory that the version before can open.

One rule: nothing is migrated before the copy of all of it is whole and durable.
"""

import logging
import os
import shutil
from pathlib import Path

import apsw

DATABASES, PLAIN_FILES = "*.sqlite3", ("clock", "cursor.key", "audit*.ndjson")
PARTIAL = ".partial"
BUSY_TIMEOUT_MS = 10_000

logger = logging.getLogger(__name__)


def keep_former(directory: Path, name: str) -> Path:
    """Copy a data directory into its folder ``before-NAME``, in place of an earlier copy; the folder.

    The caller has the directory for itself. Fails as disks do (OSError, apsw.Error), and leaves nothing then.
    """
    kept = directory / f"before-{name}"
    scratch = directory / f"before-{name}{PARTIAL}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        for path in sorted(directory.glob(DATABASES)):
            _copy_database(path, scratch / path.name)
        for pattern in PLAIN_FILES:
            for path in sorted(directory.glob(pattern)):
                shutil.copy2(path, scratch / path.name)
        for path in (*scratch.iterdir(), scratch):
            _sync(path)
        shutil.rmtree(kept, ignore_errors=True)  # the new copy is whole: an older one is of a time before it
        scratch.rename(kept)
        _sync(directory)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    logger.info("what was in %s before is kept in %s", directory, kept)
    return kept


def is_kept(connection: apsw.Connection, directory: Path, name: str) -> bool:
    """Whether a copy of a data directory has all that a database, which is its file ``name``, holds."""
    held = _contents_of(connection)
    for path in directory.glob(f"before-*/{name}"):
        if path.parent.suffix != PARTIAL:
            copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                if _contents_of(copy) == held:
                    return True
            finally:
                copy.close()
    return False


def _contents_of(connection: apsw.Connection) -> list[object]:
    schema = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    return [schema, *(connection.execute(f'SELECT * FROM "{name}"').fetchall() for name, _ in schema)]  # noqa: S608


def _copy_database(path: Path, to: Path) -> None:
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        source.set_busy_timeout(BUSY_TIMEOUT_MS)
        copy = apsw.Connection(str(to))
        try:
            with copy.backup("main", source, "main") as backup:
                backup.step(-1)
        finally:
            copy.close()
    finally:
        source.close()
    to.chmod(path.stat().st_mode & 0o777)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
