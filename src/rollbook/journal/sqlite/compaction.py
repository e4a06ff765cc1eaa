"""Giving up the oldest rows of ``changes``, a few at a time.

One rule: a step is one short transaction. The mark moves with the rows, so the file is sound wherever a step is cut
off, and a writer waits for one step at most.
"""

import apsw

from rollbook.journal.sqlite.lagging import write_lagging_up_to
from rollbook.journal.sqlite.positions import mark_in, newest_at, oldest_within
from rollbook.journal.sqlite.reading import Readers
from rollbook.journal.sqlite.rebuilding import Row
from rollbook.journal.sqlite.recording import Tip, tip_in
from rollbook.journal.sqlite.statuses import forget_statuses
from rollbook.journal.sqlite.writing import Writer

STEP_CHANGES = 256
STEP_BYTES = 4 * 1024 * 1024

END_OF_STEP = (
    "SELECT revision, at_ms, total_bytes FROM changes WHERE revision <= :most AND "
    "(revision = :least OR total_bytes <= :total) ORDER BY revision DESC LIMIT 1"
)
REMEMBER = (
    "INSERT OR REPLACE INTO departed SELECT id, revision FROM changes WHERE revision <= ? AND kind = 'deleted' "
    "ORDER BY revision"
)
FORGET = "DELETE FROM changes WHERE revision <= ?"
MOVE = "UPDATE compacted SET revision = ?, at_ms = ?, total_bytes = ?"


class SqliteCompaction:
    """A compaction (see ``interface.Compaction``) of the tables of the file."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    def mark(self) -> int:
        """See ``interface.Compaction.mark``."""
        with self._readers.reading() as connection:
            return mark_in(connection).revision

    def goal(self, *, until_ms: int, changes_max: int, bytes_max: int) -> int:
        """See ``interface.Compaction.goal``."""
        with self._readers.one_moment() as connection:
            mark, newest = mark_in(connection).revision, tip_in(connection).revision
            by_age, by_size = newest_at(connection, until_ms) or 0, oldest_within(connection, bytes_max)
            return max(mark, min(newest - 1, max(by_age, newest - changes_max, by_size)))

    def step(self, goal: int, *, changes_max: int = STEP_CHANGES, bytes_max: int = STEP_BYTES) -> int:
        """See ``interface.Compaction.step``."""
        with self._writer.transaction() as connection:
            mark = mark_in(connection)
            end = _end_of_step(connection, mark, min(goal, mark.revision + changes_max), bytes_max)
            if end is None:
                return mark.revision
            connection.execute(REMEMBER, (end.revision,))
            write_lagging_up_to(connection, end.revision)
            forget_statuses(connection, end.revision)
            connection.execute(FORGET, (end.revision,))
            connection.execute(MOVE, (end.revision, end.at_ms, end.total_bytes))
            return end.revision


def _end_of_step(connection: apsw.Connection, mark: Tip, most: int, bytes_max: int) -> Tip | None:
    """The last row of a step, which takes one row at least; None when there is none to take."""
    bounds = {"most": most, "least": mark.revision + 1, "total": mark.total_bytes + bytes_max}
    rows: list[Row] = connection.execute(END_OF_STEP, bounds).fetchall()
    return Tip(*rows[0]) if rows else None
