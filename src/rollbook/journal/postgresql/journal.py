"""The journal in a PostgreSQL database, which any number of processes append to and follow.

One rule: what is acknowledged is safe: on the standbys that the engine waits for, when it waits for some. See
``appending`` for the protocol, ``connecting`` and ``writing`` for what is done where there is no answer.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Self
from uuid import uuid4

from rollbook.errors import JournalConflict
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Sharing, Size, Syncs
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.postgresql.appending import Appending, columns_of_results
from rollbook.journal.postgresql.batches import Position, columns_of
from rollbook.journal.postgresql.chain import Chain
from rollbook.journal.postgresql.checking import check
from rollbook.journal.postgresql.compaction import PostgresqlCompaction
from rollbook.journal.postgresql.connecting import Session, Sessions, check_target
from rollbook.journal.postgresql.following import check_newest, follow, newest_in
from rollbook.journal.postgresql.past import PostgresqlPast
from rollbook.journal.postgresql.poolers import refuse_transaction_pooling
from rollbook.journal.postgresql.schema import Identity, open_tables
from rollbook.journal.postgresql.transfer import PostgresqlTransfer
from rollbook.journal.postgresql.writing import WRITE_SECONDS, EngineWriter
from rollbook.journal.statuses import Formers, formers_in
from rollbook.journal.transfers import Transfer

LOAD = """
SELECT id, body, revision, created_revision, created_at_ms, updated_at_ms, status_since_ms, protected
FROM clusters WHERE body IS NOT NULL ORDER BY created_revision
"""
LOAD_ROWS = 2_000
COUNT = "SELECT count(*) FROM clusters WHERE body IS NOT NULL"
POSITION_AT = "SELECT last, token, at_ms, total_bytes FROM log WHERE last = %s"
SIZE = "SELECT coalesce(sum(pg_total_relation_size(c)), 0)::bigint FROM unnest(%s::regclass[]) c"
MEASURED = ["log", "changes", "clusters", "statuses", "results"]


class PostgresqlJournal:
    """A journal (see ``interface.Journal``) in the schema that a connection string leads to. Made by ``open``."""

    def __init__(
        self, identity: Identity, newest: Position, *, target: str, writer: EngineWriter, readers: Sessions
    ) -> None:
        self.target = target
        self.identity = identity
        self._readers = readers
        self._writer = writer
        self._chain = Chain(newest)
        self.syncs = Syncs()
        self.sharing: Sharing = PostgresqlSharing(self._writer, self._chain, self._readers)
        self.transfer: Transfer = PostgresqlTransfer(self._readers, self._chain, identity)
        self.past = PostgresqlPast(self._readers)
        self.compaction = PostgresqlCompaction(self._readers)
        self.inspection = PostgresqlInspection(self._readers)

    @classmethod
    def open(cls, target: str, *, seconds: float = WRITE_SECONDS) -> Self:
        """The journal that a connection string leads to; its tables are made when absent.

        ``seconds``: how long an append is tried. Refuses (SettingRefused) a connection string that is none, an engine
        that is too old, and a pooler that shares connections between transactions; (DataDirectoryUnsound) tables of
        another format. Fails (JournalUnavailable) when the engine can't be reached.
        """
        check_target(target)
        with ExitStack() as undo:
            session = undo.enter_context(closing(Session.open(target, registered=False)))
            refuse_transaction_pooling(session, target)
            identity = open_tables(session)
            session.register()
            newest = newest_in(session)

        def open_session(deadline: float | None) -> Session:
            return Session.open(target, deadline=deadline)

        writer, readers = EngineWriter(open_session, seconds=seconds), Sessions(open_session)
        return cls(identity, newest, target=target, writer=writer, readers=readers)

    @property
    def problem(self) -> str | None:
        """Why the engine could not be written to when it was last tried; None when it could."""
        return self._writer.problem

    def newest(self) -> int:
        """The newest revision that this process has loaded, read or written."""
        return self._chain.newest.revision

    def newest_ms(self) -> int:
        """When that revision was made (Unix ms); 0 when nothing was ever written."""
        return self._chain.newest.at_ms

    def load(self) -> Iterator[StoredVersion]:
        """Every live document, in order of creation, as of one moment, which is the newest revision from now on."""
        undo = ExitStack()
        with undo:
            session = undo.enter_context(self._readers.borrowed())
            session.connection.deadline = float("inf")
            undo.enter_context(session.transaction(snapshot=True))
            self._chain.begin_at(newest_in(session))
            held = undo.pop_all()
        return _loaded(session, held)

    def append(
        self,
        changes: Sequence[Change],
        *,
        after: int,
        formers: Formers | None = None,
        results: Sequence[KeptResult] = (),
    ) -> None:
        """Make a batch durable, all or nothing. See ``interface.Journal.append``."""
        stand = self._position(after)
        if not changes:
            if results:
                self._writer.keep_results(results, stand)
            return
        columns, total_bytes = columns_of(changes, stand, formers_in(changes) if formers is None else formers)
        columns |= columns_of_results(results)
        position = Position(changes[-1].revision, uuid4(), changes[-1].at_ms, total_bytes)
        begun = time.perf_counter()
        self._writer.append(Appending.of(columns, stand, position, channel=self.identity.channel))
        self.syncs.add(time.perf_counter() - begun)
        self._chain.add(position)

    def follow(self, after: int) -> Iterator[Change]:
        """See ``interface.Journal.follow``."""
        return follow(self._readers, self._chain, after)

    def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        self._writer.close()
        self._readers.close()

    def _position(self, after: int) -> Position:
        """The entry that ends at ``after``. Refuses (JournalConflict) when there is none."""
        known = self._chain.at(after)
        if known is None:
            rows = self._writer.asked(partial(_position_rows, after))
            if not rows:
                raise JournalConflict(f"no entry of the log ends at revision {after}")
            known = Position._make(rows[0])
            self._chain.add(known)
        return known


class PostgresqlSharing:
    """What a writer asks about the other processes (see ``interface.Sharing``)."""

    def __init__(self, writer: EngineWriter, chain: Chain, readers: Sessions) -> None:
        self._writer = writer
        self._readers = readers
        self._chain = chain

    def settle(self) -> bool | None:
        """See ``Sharing.settle``."""
        undecided = self._writer.undecided
        outcome = self._writer.settle()
        if outcome and undecided is not None:
            self._chain.add(undecided.position)
        return outcome

    def confirm(self, after: int) -> int:
        """See ``Sharing.confirm``."""
        position = Position._make(self._writer.asked(lambda session: [newest_in(session)])[0])
        check_newest(self._chain, after, position)
        return position.revision

    def newest(self) -> int:
        """See ``Sharing.newest``."""
        with self._readers.borrowed() as session:
            return newest_in(session).revision


class PostgresqlInspection:
    """What is asked of the tables (see ``interface.Inspection``)."""

    def __init__(self, readers: Sessions) -> None:
        self._readers = readers

    def count(self) -> int:
        """See ``interface.Inspection.count``."""
        with self._readers.borrowed() as session:
            return int(session.rows(COUNT)[0][0])

    def size(self) -> Size:
        """The room that the tables take in the database; their log is the engine's own."""
        with self._readers.borrowed() as session:
            return Size(int(session.rows(SIZE, (MEASURED,))[0][0]), 0)

    def problems(self) -> list[str]:
        """See ``interface.Inspection.problems``; all is read as of one moment."""
        return check(self._readers)


def _position_rows(after: int, session: Session) -> list[tuple[object, ...]]:
    return list(session.rows(POSITION_AT, (after,)))


def _loaded(session: Session, held: ExitStack) -> Iterator[StoredVersion]:
    with held, session.connection.cursor(name="load", binary=True) as cursor:
        cursor.itersize = LOAD_ROWS
        cursor.execute(LOAD)
        yield from map(StoredVersion._make, cursor)
