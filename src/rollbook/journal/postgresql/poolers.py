"""Poolers between this process and the engine: one that shares connections between transactions is refused.

Theory: what listens to notifications, holds a lock or counts on having registered needs a connection of the engine to
itself. PgBouncer gives one in session mode; in transaction mode each transaction may go to another. A pooler betrays
itself: the process that serves the connection is not the one that it was announced to be. Then a second connection asks
which process serves it while the first one is idle; in transaction mode it is given the one that the first has just
used.
"""

from contextlib import closing

from rollbook.errors import SettingRefused
from rollbook.journal.postgresql.connecting import Session

ATTEMPTS = 4
BACKEND = "SELECT pg_backend_pid()"
REFUSAL = (
    "a pooler between this process and PostgreSQL gives connections away after each transaction (PgBouncer's "
    "pool_mode = transaction or statement): connect to PostgreSQL itself, or through a pool in session mode"
)


def refuse_transaction_pooling(session: Session, target: str) -> None:
    """Refuses (SettingRefused) a pooler in the wrong mode."""
    if session.backend == session.connection.info.backend_pid:
        return
    with closing(Session.open(target, registered=False)) as other:
        for _ in range(ATTEMPTS):
            mine = session.rows(BACKEND)[0][0]
            if mine != session.backend or other.rows(BACKEND)[0][0] == mine:
                raise SettingRefused(REFUSAL)


def check_backend(session: Session) -> None:
    """Refuses (SettingRefused) to go on where another process of the engine serves a connection than before."""
    if session.rows(BACKEND)[0][0] != session.backend:
        raise SettingRefused(REFUSAL)
