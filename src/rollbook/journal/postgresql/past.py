"""History: former versions of one document and of all, as far as the tables keep them."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from rollbook.errors import Compacted
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.postgresql.batches import body_before
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.statuses import StatusChange
from rollbook.limits import RequestBudget

CHANGE = (
    "revision, id, kind, at_ms, actor, reason, start, removed, inserted_bytes, after, was_revision, "
    "was_created_revision, was_created_at_ms, was_updated_at_ms, was_status_since_ms, was_protected"
)
PAGE_CHANGES = 64
NEVER = 2**63 - 1

HISTORY = f"SELECT {CHANGE} FROM changes WHERE id = %s AND revision < %s ORDER BY revision DESC LIMIT {PAGE_CHANGES}"  # noqa: S608
FIRST_AFTER = f"SELECT {CHANGE} FROM changes WHERE id = %s AND revision > %s ORDER BY revision LIMIT 1"  # noqa: S608
VERSION = (
    "SELECT id, body, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected "
    "FROM clusters WHERE id = %s"
)
TOUCHED = (
    f"SELECT {CHANGE} FROM changes WHERE revision IN "  # noqa: S608
    "(SELECT min(revision) FROM changes WHERE revision > %s GROUP BY id) ORDER BY revision"
)
MARK = "SELECT mark, mark_at_ms, mark_total_bytes FROM registry"
ENTRY_AFTER = "SELECT first, last FROM log WHERE at_ms > %s ORDER BY at_ms, last LIMIT 1"
LAST_IN = "SELECT coalesce(max(revision), %s - 1) FROM changes WHERE revision BETWEEN %s AND %s AND at_ms <= %s"
NEWEST = "SELECT last FROM log ORDER BY last DESC LIMIT 1"
STATUS = (
    "SELECT revision, at_ms, actor, former FROM statuses WHERE id = %s AND revision <= %s "
    "ORDER BY revision DESC LIMIT 1"
)
RESULT = "SELECT key, fingerprint, at_ms, result FROM results WHERE key = %s"
KNOWN = "SELECT EXISTS (SELECT FROM clusters WHERE id = %s)"


def change_of(row: Sequence[Any]) -> Change:
    """The change in a row of CHANGE."""
    revision, id, kind, at_ms, actor, reason, *difference = row[:10]
    before = None if kind == "created" else body_before(*difference)
    return Change(revision, id, kind, at_ms, before, difference[3], actor, reason)


def version_before(row: Sequence[Any]) -> StoredVersion | None:
    """What stood before the change in a row of CHANGE."""
    before = change_of(row).before
    return None if before is None else StoredVersion(row[1], before, *row[10:16])


class PostgresqlPast:
    """A past (see ``interface.Past``) in the tables of the database."""

    def __init__(self, readers: Sessions) -> None:
        self._readers = readers

    def history(self, id: str, *, before: int | None = None, work: RequestBudget | None = None) -> Iterator[Change]:
        """See ``interface.Past.history``."""
        position = NEVER if before is None else min(before, NEVER)
        while True:
            with self._readers.borrowed() as session:
                rows = session.rows(HISTORY, (id, position))
            for row in rows:
                _spend(work)
                yield change_of(row)
            if len(rows) < PAGE_CHANGES:
                return
            position = rows[-1][0]

    def version(self, id: str, revision: int, *, work: RequestBudget | None = None) -> StoredVersion | None:
        """See ``interface.Past.version``."""
        _spend(work)
        with self._readers.borrowed() as session, session.transaction(snapshot=True):
            rows = session.rows(FIRST_AFTER, (id, min(revision, NEVER)))
            if rows:
                if (rows[0][10] or 0) > revision:
                    raise gone(revision)
                return version_before(rows[0])
            rows = session.rows(VERSION, (id,))
        if rows and rows[0][2] > revision:
            raise gone(revision)
        return StoredVersion._make(rows[0]) if rows and rows[0][1] is not None else None

    def earlier(
        self, revision: int, *, work: RequestBudget | None = None
    ) -> Generator[tuple[str, StoredVersion | None], None, None]:
        """See ``interface.Past.earlier``."""
        with self._readers.borrowed() as session, session.transaction(snapshot=True):
            if revision < session.rows(MARK)[0][0]:
                raise gone(revision)
            with session.connection.cursor(name="earlier", binary=True) as cursor:
                cursor.itersize = PAGE_CHANGES
                cursor.execute(TOUCHED, (min(revision, NEVER),))
                for row in cursor:
                    _spend(work)
                    yield row[1], version_before(row)

    def revision_at(self, at_ms: int) -> int:
        """See ``interface.Past.revision_at``."""
        with self._readers.borrowed() as session, session.transaction(snapshot=True):
            found = revision_at(session, at_ms)
        if found is None:
            raise Compacted("what was at that time is no longer kept")
        return found

    def status(self, id: str, revision: int | None = None) -> StatusChange | None:
        """See ``interface.Past.status``."""
        with self._readers.borrowed() as session:
            rows = session.rows(STATUS, (id, NEVER if revision is None else min(revision, NEVER)))
        return StatusChange._make(rows[0]) if rows else None

    def result(self, key: bytes) -> KeptResult | None:
        """See ``interface.Past.result``."""
        with self._readers.borrowed() as session:
            rows = session.rows(RESULT, (key,))
        return KeptResult._make(rows[0]) if rows else None

    def knows(self, id: str) -> bool:
        """See ``interface.Past.knows``."""
        with self._readers.borrowed() as session:
            return bool(session.rows(KNOWN, (id,))[0][0])


def revision_at(session: Session, at_ms: int) -> int | None:
    """The newest revision that is dated ``at_ms`` or earlier; None when it is gone, 0 when there never was one."""
    at_ms = max(min(at_ms, NEVER), -1)
    mark, mark_at_ms, _ = session.rows(MARK)[0]
    if mark and at_ms < mark_at_ms:
        return None
    entries = session.rows(ENTRY_AFTER, (at_ms,))
    if not entries:
        return int(session.rows(NEWEST)[0][0])
    first, last = entries[0]
    first = max(first, mark + 1)
    return max(int(session.rows(LAST_IN, (first, first, last, at_ms))[0][0]), int(mark))


def gone(revision: int) -> Compacted:
    """What is raised where the past is no longer kept."""
    return Compacted(f"what was at revision {revision} is no longer kept")


def _spend(work: RequestBudget | None) -> None:
    if work is not None:
        work.spend()
