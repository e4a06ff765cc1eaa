"""Tokens and roles in the database, for every process of the registry.

One rule: whatever changes them raises their version in the same transaction. Every process asks for it four times a
second, and when it has gone up it reads again what has changed: the tokens whose row another transaction has written
(``xmin``), and all roles, which are few.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rollbook.journal.postgresql.connecting import Session
from rollbook.journal.postgresql.sessions import RAISE_VERSION, PostgresqlSessionStore
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.token_store import RoleRow, SessionStore, TokenRow

COLUMNS = "id, created_at_ms, facts, digest, former_digest, former_until_ms, expires_at_ms, last_used_at_ms"
SAVE = f"""
INSERT INTO tokens ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[1:])}
"""  # noqa: S608
WRITERS = "SELECT id, xmin::text FROM tokens ORDER BY created_at_ms, id"
SOME = f"SELECT {COLUMNS} FROM tokens WHERE id = ANY(%s)"  # noqa: S608
SAVE_ROLE = "INSERT INTO roles VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET body = excluded.body"
NOTE_IDENTITY = "UPDATE registry SET had_identities = true WHERE NOT had_identities"


class PostgresqlTokenStore:
    """A store (see ``token_store.TokenStore``) in the tables of a registry."""

    def __init__(self, sessions: StoreSession) -> None:
        self.sessions: SessionStore = PostgresqlSessionStore(sessions)
        self._sessions = sessions
        self._known: dict[str, tuple[str, TokenRow]] = {}
        """Each token as it was read last, with the transaction that wrote it."""

    def tokens(self) -> list[TokenRow]:
        """See ``TokenStore.tokens``. A token that nobody has written since the last call is the very same row.

        One that is written while this reads is read again by the next call, for its transaction is another one.
        """
        known = self._known
        with self._sessions.reading("tokens can't be read") as session:
            writers: dict[str, str] = dict(session.rows(WRITERS))
            changed = {id for id, writer in writers.items() if id not in known or known[id][0] != writer}
            read = {row.id: row for row in map(TokenRow._make, session.rows(SOME, ([*changed],)) if changed else ())}
        rows = {id: read.get(id) or known[id][1] for id in writers if id in read or id not in changed}
        self._known = {id: (writers[id], row) for id, row in rows.items()}
        return list(rows.values())

    def save_token(self, row: TokenRow) -> None:
        """See ``TokenStore.save_token``."""
        with self._changing() as session:
            session.run(SAVE, row)
            session.run(NOTE_IDENTITY)

    def forget_token(self, id: str) -> bool:
        """See ``TokenStore.forget_token``."""
        with self._changing() as session:
            return session.run("DELETE FROM tokens WHERE id = %s", (id,)) > 0

    def keep_uses(self, uses: Sequence[tuple[str, int]]) -> None:
        """See ``TokenStore.keep_uses``; the latest use stays, whichever process saw it."""
        with self._sessions.writing("uses of tokens can't be stored") as session:
            for id, at_ms in sorted(uses):
                session.run(
                    "UPDATE tokens SET last_used_at_ms = greatest(last_used_at_ms, %s) WHERE id = %s", (at_ms, id)
                )

    def roles(self) -> list[RoleRow]:
        """See ``TokenStore.roles``."""
        with self._sessions.reading("roles can't be read") as session:
            return [RoleRow._make(row) for row in session.rows("SELECT name, body FROM roles ORDER BY name")]

    def save_role(self, row: RoleRow) -> None:
        """See ``TokenStore.save_role``."""
        with self._changing() as session:
            session.run(SAVE_ROLE, row)

    def forget_role(self, name: str) -> bool:
        """See ``TokenStore.forget_role``."""
        with self._changing() as session:
            return session.run("DELETE FROM roles WHERE name = %s", (name,)) > 0

    def has_had_identities(self) -> bool:
        """See ``TokenStore.has_had_identities``."""
        with self._sessions.reading("tokens can't be read") as session:
            return bool(session.rows("SELECT had_identities FROM registry")[0][0])

    def close(self) -> None:
        """Release the connection. Closing twice is harmless."""
        self._sessions.close()

    @contextmanager
    def _changing(self) -> Iterator[Session]:
        with self._sessions.writing("tokens and roles can't be stored") as session:
            yield session
            session.run(RAISE_VERSION)
