"""Giving up the oldest changes, a few at a time.

One rule: a step is one transaction, and the mark moves in it. The newest entry of the log stays, for the next one names
it; its changes may be gone.
"""

from rollbook.journal.postgresql.connecting import Sessions
from rollbook.journal.postgresql.past import MARK, revision_at

STEP_CHANGES = 256
STEP_BYTES = 4 * 1024 * 1024

LOCK_MARK = f"{MARK} FOR UPDATE"
TIP = "SELECT last, total_bytes FROM log ORDER BY last DESC LIMIT 1"
FIRST_WITHIN = "SELECT revision FROM changes WHERE total_bytes >= %s ORDER BY revision LIMIT 1"
END_OF_STEP = """
SELECT revision, at_ms, total_bytes FROM changes
WHERE revision BETWEEN %(least)s AND %(most)s AND (revision = %(least)s OR total_bytes <= %(total)s)
ORDER BY revision DESC LIMIT 1
"""
FORGET_STATUSES = """
DELETE FROM statuses USING (
    SELECT id, max(statuses.revision) AS newest FROM statuses
    WHERE statuses.revision <= %(end)s AND id IN (SELECT id FROM changes WHERE revision <= %(end)s) GROUP BY id
) kept WHERE statuses.id = kept.id AND statuses.revision < kept.newest
"""
FORGET = "DELETE FROM changes WHERE revision <= %(end)s"
FORGET_ENTRIES = "DELETE FROM log WHERE last <= %(end)s AND last < (SELECT max(last) FROM log)"
MOVE = "UPDATE registry SET mark = %(end)s, mark_at_ms = %(at_ms)s, mark_total_bytes = %(total)s"


class PostgresqlCompaction:
    """A compaction (see ``interface.Compaction``) of the tables of the database."""

    def __init__(self, readers: Sessions) -> None:
        self._readers = readers

    def mark(self) -> int:
        """See ``interface.Compaction.mark``."""
        with self._readers.borrowed() as session:
            return int(session.rows(MARK)[0][0])

    def goal(self, *, until_ms: int, changes_max: int, bytes_max: int) -> int:
        """See ``interface.Compaction.goal``."""
        with self._readers.borrowed() as session, session.transaction(snapshot=True):
            mark, _, mark_bytes = session.rows(MARK)[0]
            newest, total_bytes = session.rows(TIP)[0]
            by_size = mark
            if total_bytes - mark_bytes > bytes_max:
                rows = session.rows(FIRST_WITHIN, (total_bytes - bytes_max,))
                by_size = rows[0][0] if rows else newest
            by_age = revision_at(session, until_ms) or 0
            return int(max(mark, min(newest - 1, max(by_age, newest - changes_max, by_size))))

    def step(self, goal: int, *, changes_max: int = STEP_CHANGES, bytes_max: int = STEP_BYTES) -> int:
        """See ``interface.Compaction.step``."""
        with self._readers.borrowed() as session, session.transaction():
            mark, _, mark_bytes = session.rows(LOCK_MARK)[0]
            bounds = {"least": mark + 1, "most": min(goal, mark + changes_max), "total": mark_bytes + bytes_max}
            rows = session.rows(END_OF_STEP, bounds)
            if not rows:
                return int(mark)
            end, at_ms, total_bytes = rows[0]
            parameters = {"end": end, "at_ms": at_ms, "total": total_bytes}
            for statement in (FORGET_STATUSES, FORGET, FORGET_ENTRIES):
                session.run(statement, {"end": end})
            session.run(MOVE, parameters)
            return int(end)
