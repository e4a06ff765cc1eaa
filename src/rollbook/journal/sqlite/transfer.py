"""What the embedded journal gives and takes to be copied, besides its changes."""

from collections.abc import Callable, Iterable

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.changes import StoredVersion
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.sqlite.copying import INSERT, row_of
from rollbook.journal.sqlite.positions import mark_in
from rollbook.journal.sqlite.reading import Readers
from rollbook.journal.sqlite.recording import Tip, tip_in
from rollbook.journal.sqlite.statuses import keep_status
from rollbook.journal.sqlite.writing import Writer
from rollbook.journal.statuses import StatusChange
from rollbook.journal.transfers import Beginning

DEPARTED = "SELECT id, revision FROM departed"
RESULTS = "SELECT key, fingerprint, at_ms, result FROM results"
DEPART = "INSERT INTO departed VALUES (?, ?)"
MOVE = "UPDATE compacted SET revision = ?, at_ms = ?, total_bytes = 0"


class SqliteTransfer:
    """A transfer (see ``transfers.Transfer``) of the tables of the file."""

    def __init__(self, readers: Readers, writer: Writer, begun: Callable[[Tip], None]) -> None:
        """``begun`` is given where the rows end after ``begin``."""
        self._readers = readers
        self._writer = writer
        self._begun = begun

    def beginning(self) -> Beginning:
        """See ``Transfer.beginning``."""
        with self._readers.one_moment() as connection:
            mark = mark_in(connection)
            tombstones = [(id, revision) for id, revision in connection.execute(DEPARTED)]
            results = [KeptResult._make(row) for row in connection.execute(RESULTS)]
        return Beginning(mark.revision, mark.at_ms, tombstones, results)

    def begin(self, beginning: Beginning, documents: Iterable[tuple[StoredVersion, StatusChange | None]]) -> None:
        """See ``Transfer.begin``."""
        with self._writer.transaction() as connection:
            if tip_in(connection).revision:
                raise DataDirectoryUnsound("the journal is not empty")
            connection.execute(MOVE, (beginning.revision, beginning.at_ms))
            connection.executemany(DEPART, beginning.tombstones)
            for version, given in documents:
                connection.execute(INSERT, row_of(version))
                if given is not None:
                    keep_status(connection, version.id, given)
            tip = tip_in(connection)
        self._begun(tip)
