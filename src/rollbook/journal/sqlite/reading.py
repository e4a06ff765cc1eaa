"""Connections that read, beside the one that writes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import apsw

from rollbook.errors import DataDirectoryUnsound, JournalUnavailable
from rollbook.journal.sqlite.checksums import Damage
from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.schema import FILE_NAME, open_frozen, open_reader
from rollbook.journal.sqlite.transactions import transaction


class Readers:
    """As many reading connections as are needed at once, kept for the next ones who need them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.frozen = False
        """Whether nobody can write the file now, not even the companions that readers of a log need."""
        self._idle: list[apsw.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection of one's own for the length of the block."""
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        frozen = self.frozen
        with disk_errors("the journal can't be read"):
            connection = self._idle.pop() if self._idle else self._opened()
            try:
                yield connection
            except Damage as damage:
                connection.close()
                raise damaged(self._directory, damage) from damage
            except BaseException:
                connection.close()
                raise
            if frozen == self.frozen:
                self._idle.append(connection)
            else:
                connection.close()

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[apsw.Connection]:
        """As ``reading``, and all that is read in the block is as of one moment."""
        with self.reading() as connection, transaction(connection):
            yield connection

    def thaw(self) -> None:
        """The file will be written from now on."""
        self.frozen = False
        self._drop_idle()

    def close(self) -> None:
        """Close the connections that nobody uses. Closing twice is harmless."""
        self._closed = True
        self._drop_idle()

    def _opened(self) -> apsw.Connection:
        return open_frozen(self._directory) if self.frozen else open_reader(self._directory)

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            with contextlib.suppress(apsw.Error):
                connection.close()


def damaged(directory: Path, damage: Damage) -> DataDirectoryUnsound:
    """The refusal of a damaged row: which file, which cluster, and what to do."""
    return DataDirectoryUnsound(
        f"{directory / FILE_NAME} is damaged: {damage}. Restore a backup of the directory, or repair this cluster: "
        f"rollbook repair --data {directory} {damage.id!r}"
    )
