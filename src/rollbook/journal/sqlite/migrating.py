"""What a data directory was before a migration, kept beside it: a directory that the version before can open.

One rule: nothing is migrated before the copy of all of it is whole and durable.
"""

import logging
import os
import shutil
from pathlib import Path

import apsw

DATABASES, PLAIN_FILES = "*.sqlite3", ("clock", "cursor.key", "audit*.ndjson")
BUSY_TIMEOUT_MS = 10_000

logger = logging.getLogger(__name__)


def keep_former(directory: Path, name: str) -> Path:
    """Copy a data directory into its folder ``before-NAME``, unless that is there already; the folder.

    The caller has the directory for itself. Fails as disks do (OSError, apsw.Error), and leaves nothing then.
    """
    kept = directory / f"before-{name}"
    if kept.exists():
        return kept
    scratch = directory / f"before-{name}.partial"
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
        scratch.rename(kept)
        _sync(directory)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    logger.info("what was in %s before is kept in %s", directory, kept)
    return kept


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
