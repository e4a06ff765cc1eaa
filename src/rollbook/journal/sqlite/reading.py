"""Connections that read, beside the one that writes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import apsw

from rollbook.errors import JournalUnavailable
from rollbook.journal.sqlite.disk_errors import disk_trouble
from rollbook.journal.sqlite.schema import open_reader


class Readers:
    """As many reading connections as are needed at once, kept for the next ones who need them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: list[apsw.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection of one's own for the length of the block."""
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        with disk_trouble("the journal can't be read"):
            connection = self._idle.pop() if self._idle else open_reader(self._directory)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[apsw.Connection]:
        """As ``reading``, and all that is read in the block is as of one moment."""
        with self.reading() as connection, connection:
            yield connection

    def close(self) -> None:
        """Close the connections that nobody uses. Closing twice is harmless."""
        self._closed = True
        for connection in self._idle:
            with contextlib.suppress(apsw.Error):
                connection.close()
