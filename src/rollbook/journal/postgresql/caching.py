"""The journal in PostgreSQL as a server uses it: beside a directory of its own, which is a cache and may be lost."""

from pathlib import Path
from typing import Self

from rollbook.errors import Compacted, JournalUnavailable, SettingRefused
from rollbook.journal.postgresql.copying import copy_registry
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.sqlite.locking import DirectoryLock
from rollbook.journal.tenure import Tenure


class CachedJournal(PostgresqlJournal):
    """A journal (see ``interface.DirectoryJournal``) with the lock of a cache."""

    tenure: Tenure
    target: str

    @classmethod
    def open_with(cls, target: str, cache: Path, *, seconds: float) -> Self:
        """The journal that a connection string leads to. Refuses (DataDirectoryLocked) a cache that is in use."""
        cache.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(cache)
        try:
            journal = cls.open(target, seconds=seconds)
        except BaseException:
            lock.release()
            raise
        journal.tenure, journal.target = lock, target
        return journal

    def look(self) -> None:
        """Nothing has to be looked for: the link hears the engine all the time."""

    def copy(self, into: Path, /) -> None:
        """See ``interface.DirectoryJournal.copy``. The stores beside it are in the database too, and come along."""
        try:
            copy_registry(self, self.target, into)
        except Compacted:
            raise JournalUnavailable("history was given up while it was copied: ask again") from None

    def repair(self, id: str, *, drop: bool) -> str:
        """Refuses (SettingRefused): damage of the database is the engine's to repair."""
        raise SettingRefused(f"{id!r} is in PostgreSQL: restore the database from a backup of it (--drop is {drop})")

    def close(self) -> None:
        """Close the connections, and let others use the cache. Closing twice is harmless."""
        super().close()
        if hasattr(self, "tenure"):
            self.tenure.release()
