"""Sessions of browsers that were ended, for every process of the registry.

One rule: only what was ended is kept, until it would have ended by itself; a session that is open leaves no trace.
"""

from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.token_store import EndedSession

END_ALL = """
WITH ended AS (DELETE FROM ended_sessions RETURNING ends_at_ms)
INSERT INTO ended_sessions SELECT ''::bytea, max(ends_at_ms) FROM ended
"""
RAISE_VERSION = "UPDATE registry SET tokens_version = tokens_version + 1"


class PostgresqlSessionStore:
    """A store (see ``token_store.SessionStore``) beside that of the tokens, whose version stands for both."""

    def __init__(self, sessions: StoreSession) -> None:
        self._sessions = sessions

    def key(self) -> bytes:
        """See ``SessionStore.key``."""
        with self._sessions.reading("the key of sessions can't be read") as session:
            return bytes(session.rows("SELECT cursor_key FROM registry")[0][0])

    def end(self, session: EndedSession, *, now_ms: int, kept_max: int) -> None:
        """See ``SessionStore.end``."""
        with self._sessions.writing("the end of a session can't be stored") as engine:
            engine.run(RAISE_VERSION)  # which also lets one process at a time count
            engine.run("DELETE FROM ended_sessions WHERE ends_at_ms <= %s", (now_ms,))
            engine.run("INSERT INTO ended_sessions VALUES (%s, %s) ON CONFLICT DO NOTHING", session)
            if engine.rows("SELECT count(*) FROM ended_sessions")[0][0] > kept_max:
                engine.run(END_ALL)

    def ended(self) -> list[EndedSession]:
        """See ``SessionStore.ended``."""
        with self._sessions.reading("ended sessions can't be read") as session:
            return [EndedSession._make(row) for row in session.rows("SELECT digest, ends_at_ms FROM ended_sessions")]
