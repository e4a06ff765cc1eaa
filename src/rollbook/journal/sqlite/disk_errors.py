"""What SQLite and the system say of the disk, as JournalUnavailable."""

import contextlib
from collections.abc import Iterator

import apsw

from rollbook.errors import JournalUnavailable

REASONS: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, "the disk is full"),
    (apsw.ReadOnlyError, "the disk or the data directory is read-only"),
    (apsw.CantOpenError, "the file can't be opened"),
    (apsw.BusyError, "another program holds the file"),
    (apsw.IOError, "the disk reports an input/output error"),
    (apsw.CorruptError, "the file is damaged"),
)


@contextlib.contextmanager
def disk_trouble(consequence: str) -> Iterator[None]:
    """Turns errors of SQLite and of the system, within the block, into JournalUnavailable with its consequence."""
    try:
        yield
    except OSError as error:
        raise JournalUnavailable(f"{consequence}: {error.strerror or error} ({error.filename})") from error
    except apsw.Error as error:
        reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), "SQLite refuses")
        raise JournalUnavailable(f"{consequence}: {reason} ({error})") from error
