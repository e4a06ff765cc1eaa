"""What SQLite and the system say of the disk, as errors of ours."""

import contextlib
import errno
from collections.abc import Iterator

import apsw

from rollbook.errors import JournalDamaged, JournalForbidden, JournalUnavailable

REASONS: tuple[tuple[type[apsw.Error], type[JournalUnavailable], str], ...] = (
    (apsw.FullError, JournalUnavailable, "the disk is full"),
    (apsw.ReadOnlyError, JournalForbidden, "the disk or the data directory is read-only"),
    (apsw.PermissionsError, JournalForbidden, "permission denied"),
    (apsw.AuthError, JournalForbidden, "permission denied"),
    (apsw.CantOpenError, JournalUnavailable, "the file can't be opened"),
    (apsw.BusyError, JournalUnavailable, "another program holds the file"),
    (apsw.NoMemError, JournalUnavailable, "there is not enough memory"),
    (apsw.IOError, JournalUnavailable, "the disk reports an input/output error"),
    (apsw.CorruptError, JournalDamaged, "the file is damaged"),
    (apsw.NotADBError, JournalDamaged, "the file is damaged"),
)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def disk_errors(consequence: str) -> Iterator[None]:
    """Turns errors of SQLite and of the system, within the block, into JournalUnavailable with its consequence."""
    try:
        yield
    except OSError as error:
        kind = JournalForbidden if error.errno in FORBIDDEN else JournalUnavailable
        reason = "the disk is full" if error.errno in FULL else error.strerror or str(error)
        raise kind(f"{consequence}: {reason} ({error.filename})") from error
    except apsw.Error as error:
        kind, reason = _reason_of(error)
        raise kind(f"{consequence}: {reason} ({error})") from error


def _reason_of(error: apsw.Error) -> tuple[type[JournalUnavailable], str]:
    """The kind of an error of SQLite, and its reason in words."""
    if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:  # its file could not grow
        return JournalUnavailable, "the disk is full"
    return next(
        ((kind, reason) for sqlite, kind, reason in REASONS if isinstance(error, sqlite)),
        (JournalUnavailable, "SQLite refuses"),
    )
