"""What is kept of tokens and roles: an SQLite file of its own, beside the journal.

One rule: what is kept is on the disk before its method returns, so that a revoked token stays revoked.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import apsw

from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.freezing import Companion
from rollbook.journal.sqlite.token_schema import FILE_NAME, open_tokens, without_tokens
from rollbook.journal.token_store import RoleRow, TokenRow

SAVE = "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SAVE_ROLE = "INSERT OR REPLACE INTO roles VALUES (?, ?)"


class SqliteTokenStore:
    """A store of tokens (see ``token_store.TokenStore``) in a file. Made by ``open``."""

    def __init__(self, file: Companion) -> None:
        self._file = file

    @classmethod
    def open(cls, directory: Path) -> "SqliteTokenStore":
        """The store in ``directory``, which this process has locked; made when absent, for its owner's eyes only.

        Refuses (DataDirectoryUnsound) a file that can't be read: who may must not be forgotten in silence.
        """
        path = directory / FILE_NAME
        with disk_errors(f"can't open {path}"):
            return cls(Companion(path, lambda: open_tokens(directory), without_tokens))

    def tokens(self) -> list[TokenRow]:
        """Every token, in order of creation."""
        with disk_errors("tokens can't be read"):
            rows = self._file.connection.execute("SELECT * FROM tokens ORDER BY created_at_ms, id").fetchall()
        return [TokenRow._make(row) for row in rows]

    def save_token(self, row: TokenRow) -> None:
        """Keep a token, in place of the one with its id."""
        with self._writing() as connection:
            connection.execute(SAVE, row)
            connection.execute("INSERT OR IGNORE INTO identities VALUES (1)")

    def forget_token(self, id: str) -> bool:
        """Forget a token; whether there was one."""
        with self._writing() as connection:
            connection.execute("DELETE FROM tokens WHERE id = ?", (id,))
            return connection.changes() > 0

    def keep_uses(self, uses: Sequence[tuple[str, int]]) -> None:
        """Keep when some tokens were last used."""
        with self._writing() as connection:
            connection.executemany(
                "UPDATE tokens SET last_used_at_ms = ? WHERE id = ?", [(at_ms, id) for id, at_ms in uses]
            )

    def roles(self) -> list[RoleRow]:
        """Every role, by name."""
        with disk_errors("roles can't be read"):
            return [RoleRow._make(row) for row in self._file.connection.execute("SELECT * FROM roles ORDER BY name")]

    def save_role(self, row: RoleRow) -> None:
        """Keep a role, in place of the one with its name."""
        with self._writing() as connection:
            connection.execute(SAVE_ROLE, row)

    def forget_role(self, name: str) -> bool:
        """Forget a role; whether there was one."""
        with self._writing() as connection:
            connection.execute("DELETE FROM roles WHERE name = ?", (name,))
            return connection.changes() > 0

    def has_had_identities(self) -> bool:
        """Whether a token was ever kept."""
        with disk_errors("tokens can't be read"):
            return bool(self._file.connection.execute("SELECT 1 FROM identities").fetchall())

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()

    def _writing(self) -> AbstractContextManager[apsw.Connection]:
        return self._file.writing("the change of tokens or roles was not kept")
