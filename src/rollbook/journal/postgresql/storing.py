"""The connection of a store beside the journal, made again when it is lost.

One rule: a write is one transaction. Where the store is the keeper's, the transaction first holds the keeper's term
against the registry's: a process that is not the keeper any more saves nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from rollbook.errors import JournalUnavailable
from rollbook.journal.postgresql.connecting import Session, engine_errors

HOLD_TERM = "SELECT keeper_term FROM registry FOR SHARE"


class StoreSession:
    """One connection for one store. One thread at a time uses it."""

    def __init__(self, target: str, *, term: Callable[[], int] | None = None) -> None:
        self._target = target
        self._term = term
        self._session: Session | None = None

    @contextmanager
    def reading(self, problem: str) -> Iterator[Session]:
        """A session to read with. Fails (JournalUnavailable) with the problem and what the engine says."""
        with engine_errors(problem), self._connected() as session:
            yield session

    @contextmanager
    def writing(self, problem: str) -> Iterator[Session]:
        """A transaction. Fails (JournalUnavailable), and then has changed nothing."""
        with engine_errors(problem), self._connected() as session, session.transaction():
            if self._term is not None and session.rows(HOLD_TERM)[0][0] != self._term():
                raise JournalUnavailable(f"{problem}: another process is the keeper now")
            yield session

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(psycopg.Error):
                session.close()

    @contextmanager
    def _connected(self) -> Iterator[Session]:
        session = self._session
        if session is None or not session.is_open or session.has_ended():
            self.close()
            session = self._session = Session.open(self._target)
        with session.until():
            yield session
