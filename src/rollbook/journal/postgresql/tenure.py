"""The right to be the keeper: the one process that marks silences, delivers webhooks and compacts.

One rule: the session is the lease. The right is an advisory lock on a connection, and ends with it: no clock and no
renewal. A term that goes up with every keeper lets what a former one still sends be refused.
"""

from contextlib import suppress

import psycopg

from rollbook.errors import DataDirectoryLocked
from rollbook.journal.postgresql.connecting import Session, engine_errors, first_line
from rollbook.journal.postgresql.schema import Identity

KEEPER = 1
"""The number of the keeper's lock."""

TAKE = "SELECT pg_try_advisory_lock(%s)"
RELEASE = "SELECT pg_advisory_unlock(%s)"
BEGIN_TERM = "UPDATE registry SET keeper_term = keeper_term + 1 RETURNING keeper_term"


class KeeperTenure:
    """The right (see ``tenure.Tenure``), on a session that the holder listens with. One thread uses both."""

    def __init__(self, session: Session, identity: Identity) -> None:
        """Take the right. Refuses (DataDirectoryLocked) while another session has it."""
        self._session = session
        self._lock = identity.lock(KEEPER)
        self._is_released = False
        self._loss: str | None = None
        with engine_errors("the right to be the keeper can't be taken"):
            if not session.rows(TAKE, (self._lock,))[0][0]:
                raise DataDirectoryLocked("another process is the keeper of this registry")
            self.term = int(session.rows(BEGIN_TERM)[0][0])
            """The number of this keeper among all."""

    def loss(self) -> str | None:
        """See ``Tenure.loss``."""
        if self._loss is None and not self._is_released:
            try:
                self._session.rows("SELECT 1")
            except psycopg.Error as problem:
                self._loss = f"the connection that holds the right is lost: {first_line(problem)}"
        return self._loss

    def release(self) -> None:
        """See ``Tenure.release``."""
        if not self._is_released and self._loss is None:
            with suppress(psycopg.Error):
                self._session.rows(RELEASE, (self._lock,))
        self._is_released = True
