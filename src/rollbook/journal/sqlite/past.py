"""History: former versions of one document and of all, as far as the file keeps them."""

from collections.abc import Generator, Iterator

import apsw

from rollbook.errors import Compacted
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.sqlite.kept_results import result_in
from rollbook.journal.sqlite.paging import page_of
from rollbook.journal.sqlite.positions import mark_in, newest_at
from rollbook.journal.sqlite.reading import Readers
from rollbook.journal.sqlite.rebuilding import (
    CHANGE_COLUMNS,
    NEVER,
    WAS_COLUMNS,
    Row,
    body_before,
    kept_before,
    live,
    newest_first,
)
from rollbook.journal.sqlite.statuses import dated, newest_status
from rollbook.journal.statuses import StatusChange
from rollbook.limits import RequestBudget

HISTORY = f"SELECT {CHANGE_COLUMNS} FROM changes WHERE id = ? AND revision < ? ORDER BY revision DESC"  # noqa: S608
FIRST_AFTER = f"SELECT revision, {WAS_COLUMNS} FROM changes WHERE id = ? AND revision > ? ORDER BY revision LIMIT 1"  # noqa: S608
TOUCHED = f"SELECT id, revision, {WAS_COLUMNS} FROM changes WHERE revision > ? ORDER BY revision"  # noqa: S608
KNOWN = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM clusters WHERE id = :id) OR EXISTS (SELECT 1 FROM changes WHERE id = :id) "
    "OR EXISTS (SELECT 1 FROM departed WHERE id = :id)"
)
DEPARTED = "SELECT coalesce((SELECT revision FROM departed WHERE id = ?), 0)"


class SqlitePast:
    """A past (see ``interface.Past``) in the tables of the file."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def history(self, id: str, *, before: int | None = None, work: RequestBudget | None = None) -> Iterator[Change]:
        """See ``interface.Past.history``."""
        position = NEVER if before is None else before
        body: bytes | None = None
        while True:
            with self._readers.one_moment() as connection:
                body = body_before(connection, id, position, work=work) if body is None else body
                page = page_of(newest_first(connection.execute(HISTORY, (id, position)), body))
            if not page:
                return
            yield from page
            position, body = page[-1].revision, page[-1].before or b""

    def version(self, id: str, revision: int, *, work: RequestBudget | None = None) -> StoredVersion | None:
        """See ``interface.Past.version``."""
        with self._readers.one_moment() as connection:
            rows: list[Row] = connection.execute(FIRST_AFTER, (id, revision)).fetchall()
            if rows:
                first, *was = rows[0]
                if (was[0] or _departed(connection, id)) > revision:
                    raise gone(revision)
                kept = kept_before(id, was, body_before(connection, id, first, work=work))
                return None if kept is None else dated(connection, kept)
            version = live(connection, id)
            if max(version.revision if version else 0, _departed(connection, id)) > revision:
                raise gone(revision)
            return None if version is None else dated(connection, version)

    def earlier(
        self, revision: int, *, work: RequestBudget | None = None
    ) -> Generator[tuple[str, StoredVersion | None], None, None]:
        """See ``interface.Past.earlier``."""
        with self._readers.one_moment() as connection:
            if revision < mark_in(connection).revision:
                raise gone(revision)
            seen = set()
            for id, first, *was in connection.execute(TOUCHED, (revision,)):
                if work is not None:
                    work.spend()
                if id not in seen:
                    seen.add(id)
                    body = b"" if was[0] is None else body_before(connection, id, first, work=work)
                    kept = kept_before(id, was, body)
                    yield id, None if kept is None else dated(connection, kept)

    def revision_at(self, at_ms: int) -> int:
        """See ``interface.Past.revision_at``."""
        with self._readers.one_moment() as connection:
            found = newest_at(connection, at_ms)
        if found is None:
            raise Compacted("what was at that time is no longer kept")
        return found

    def status(self, id: str, revision: int | None = None) -> StatusChange | None:
        """See ``interface.Past.status``."""
        with self._readers.reading() as connection:
            return newest_status(connection, id, NEVER if revision is None else revision)

    def result(self, key: bytes) -> KeptResult | None:
        """See ``interface.Past.result``. Where nothing can be written, nothing can be done twice, and none is found."""
        if self._readers.frozen:
            return None
        with self._readers.reading() as connection:
            return result_in(connection, key)

    def knows(self, id: str) -> bool:
        """See ``interface.Past.knows``."""
        with self._readers.reading() as connection:
            return bool(connection.execute(KNOWN, {"id": id}).fetchall())


def gone(revision: int) -> Compacted:
    """The refusal of a moment that is not kept."""
    return Compacted(f"what was at revision {revision} is no longer kept")


def _departed(connection: apsw.Connection, id: str) -> int:
    """The revision of the last deletion of ``id`` whose row is gone; 0 when there is none."""
    rows: list[Row] = connection.execute(DEPARTED, (id,)).fetchall()
    return int(rows[0][0])
