"""What the journal in a database gives and takes to be copied, besides its changes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.changes import StoredVersion
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.postgresql.chain import Chain
from rollbook.journal.postgresql.connecting import Session, Sessions
from rollbook.journal.postgresql.following import newest_in
from rollbook.journal.postgresql.past import MARK
from rollbook.journal.postgresql.schema import Identity
from rollbook.journal.statuses import StatusChange
from rollbook.journal.transfers import Beginning

BATCH_ROWS = 500
DEPARTED = """
SELECT id, revision FROM clusters WHERE body IS NULL AND revision <= %(mark)s
UNION ALL SELECT id, was_revision FROM changes WHERE kind = 'created' AND was_revision <= %(mark)s
"""
RESULTS = "SELECT key, fingerprint, at_ms, result FROM results"
LOCK = "SELECT last FROM log ORDER BY last DESC LIMIT 1 FOR UPDATE"
MOVE = "UPDATE registry SET mark = %s, mark_at_ms = %s, mark_total_bytes = 0"
FORGET = "DELETE FROM log"
BEGIN = "INSERT INTO log VALUES (%s, %s, %s, %s, %s, 0)"
STORE = """
INSERT INTO clusters
    (id, body, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
DEPART = """
INSERT INTO clusters (id, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected)
VALUES (%s, %s, 0, 0, 0, 0, false) ON CONFLICT DO NOTHING
"""
GIVE = "INSERT INTO statuses (id, revision, at_ms, actor, former) VALUES (%s, %s, %s, %s, %s)"


class PostgresqlTransfer:
    """A transfer (see ``transfers.Transfer``) of the tables of the database."""

    def __init__(self, readers: Sessions, chain: Chain, identity: Identity) -> None:
        self._readers = readers
        self._chain = chain
        self._identity = identity

    def beginning(self) -> Beginning:
        """See ``Transfer.beginning``."""
        with self._readers.borrowed() as session, session.transaction(snapshot=True):
            mark, at_ms, _ = session.rows(MARK)[0]
            tombstones = [(id, revision) for id, revision in session.rows(DEPARTED, {"mark": mark})]
            results = [KeptResult._make(row) for row in session.rows(RESULTS)]
        return Beginning(mark, at_ms, tombstones, results)

    def begin(self, beginning: Beginning, documents: Iterable[tuple[StoredVersion, StatusChange | None]]) -> None:
        """See ``Transfer.begin``."""
        mark, at_ms = beginning.revision, beginning.at_ms
        with self._readers.borrowed(deadline=float("inf")) as session:
            with session.transaction():
                if session.rows(LOCK)[0][0]:
                    raise DataDirectoryUnsound("the journal is not empty")
                session.run(MOVE, (mark, at_ms))
                session.run(FORGET)
                session.run(BEGIN, (mark, mark, uuid4(), self._identity.id, at_ms))
                _store(session, iter(documents))
                _run_many(session, DEPART, beginning.tombstones)
            self._chain.begin_at(newest_in(session))


def _store(session: Session, documents: Iterator[tuple[StoredVersion, StatusChange | None]]) -> None:
    while batch := list(islice(documents, BATCH_ROWS)):
        _run_many(session, STORE, [tuple(version) for version, _ in batch])
        # What is known of nothing but a version says that the status was there already: no row says so too.
        given = [(version.id, *given) for version, given in batch if given is not None and given.actor is not None]
        _run_many(session, GIVE, given)


def _run_many(session: Session, statement: str, rows: list[Any]) -> None:
    if rows:
        with session.connection.cursor() as cursor:
            cursor.executemany(statement.encode(), rows)
