"""What is kept of webhooks: an SQLite file of its own, beside the journal.

One rule: how far a webhook has come may lag behind what was delivered, never run ahead of it. What was not delivered
and is given up is a dead letter, which is written down in one step with the revision that it lets the webhook go past.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import apsw

from rollbook.journal.sqlite.disk_errors import disk_errors
from rollbook.journal.sqlite.freezing import Companion
from rollbook.journal.sqlite.webhook_schema import FILE_NAME, open_webhooks, without_webhooks
from rollbook.journal.webhook_store import LETTER_BYTES_MAX, LETTERS_MAX, Letter, Progress, WebhookRow

SAVE = "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)"
SAVE_PROGRESS = (
    "INSERT OR REPLACE INTO progress SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
    "WHERE ?1 IN (SELECT id FROM webhooks)"
)
FORGET = (
    "DELETE FROM webhooks WHERE id = ?",
    "DELETE FROM progress WHERE id = ?",
    "DELETE FROM dead_letters WHERE webhook = ?",
    "DELETE FROM dropped_letters WHERE webhook = ?",
)
BURY = (
    "INSERT INTO dead_letters (webhook, kind, first_revision, revision, at_ms, attempts, problem, retry, body) "
    "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8 WHERE ?1 IN (SELECT id FROM webhooks)"
)
SURPLUS = """
WITH ranked AS (
    SELECT number, row_number() OVER newest AS place, sum(length(CAST(body AS BLOB))) OVER newest AS bytes
    FROM dead_letters WHERE webhook = ? WINDOW newest AS (ORDER BY number DESC)
)
SELECT max(number) FROM ranked WHERE place > 1 AND (place > ? OR bytes > ?)
"""
DROP = "DELETE FROM dead_letters WHERE webhook = ? AND number <= ?"
COUNT_DROPPED = (
    "INSERT INTO dropped_letters VALUES (?, ?) ON CONFLICT (webhook) DO UPDATE SET count = count + excluded.count"
)
LETTER = "SELECT number, kind, first_revision, revision, at_ms, attempts, problem, retry, body FROM dead_letters"
WITHOUT_BODY = LETTER.replace("body", "NULL")
COUNTS = (
    "SELECT id, (SELECT count(*) FROM dead_letters WHERE webhook = id), "
    "coalesce((SELECT count FROM dropped_letters WHERE webhook = id), 0) FROM webhooks"
)


class SqliteWebhookStore:
    """A store of webhooks (see ``webhook_store.WebhookStore``) in a file. Made by ``open``."""

    def __init__(self, file: Companion) -> None:
        self._file = file
        self.letters = SqliteDeadLetters(file)

    @classmethod
    def open(cls, directory: Path) -> "SqliteWebhookStore":
        """The store in ``directory``, which this process has locked; made when absent, for its owner's eyes only.

        Refuses (DataDirectoryUnsound) a file that can't be read: webhooks must not be forgotten in silence.
        """
        path = directory / FILE_NAME
        with disk_errors(f"can't open {path}"):
            return cls(Companion(path, lambda: open_webhooks(directory), without_webhooks))

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """See ``WebhookStore.load``."""
        with disk_errors("webhooks can't be read"):
            rows = self._file.connection.execute(
                "SELECT * FROM webhooks JOIN progress USING (id) ORDER BY created_at_ms, id"
            ).fetchall()
        width = len(WebhookRow._fields)
        return [(WebhookRow._make(row[:width]), Progress._make(row[width:])) for row in rows]

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """See ``WebhookStore.save``."""
        with _writing(self._file) as connection:
            connection.execute(SAVE, row)
            connection.execute(SAVE_PROGRESS, (row.id, *progress))

    def forget(self, id: str) -> None:
        """See ``WebhookStore.forget``."""
        with _writing(self._file) as connection:
            for statement in FORGET:
                connection.execute(statement, (id,))

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """See ``WebhookStore.keep``."""
        with _writing(self._file) as connection:
            connection.executemany(SAVE_PROGRESS, [(id, *each) for id, each in progress])

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()


class SqliteDeadLetters:
    """The dead letters (see ``webhook_store.DeadLetterStore``) in the file of webhooks."""

    def __init__(self, file: Companion) -> None:
        self._file = file

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """See ``DeadLetterStore.bury``."""
        with _writing(self._file) as connection:
            connection.execute(BURY, (id, *letter[1:7], letter.body))
            connection.execute(SAVE_PROGRESS, (id, *progress))
            (surplus,) = connection.execute(SURPLUS, (id, LETTERS_MAX, LETTER_BYTES_MAX)).fetchall()[0]
            if surplus is not None:
                connection.execute(DROP, (id, surplus))
                connection.execute(COUNT_DROPPED, (id, connection.changes()))

    def counts(self) -> dict[str, tuple[int, int]]:
        """See ``DeadLetterStore.counts``."""
        with disk_errors("webhooks can't be read"):
            return {id: (count, dropped) for id, count, dropped in self._file.connection.execute(COUNTS)}

    def all(self, id: str) -> list[Letter]:
        """See ``DeadLetterStore.all``."""
        return self._letters(f"{WITHOUT_BODY} WHERE webhook = ? ORDER BY number", id)

    def get(self, id: str, number: int) -> Letter | None:
        """See ``DeadLetterStore.get``."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = ? AND number = ?", id, number)), None)

    def due(self, id: str) -> Letter | None:
        """See ``DeadLetterStore.due``."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = ? AND retry ORDER BY number LIMIT 1", id)), None)

    def retry(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.retry``."""
        return self._on_letters("UPDATE dead_letters SET retry = 1 WHERE body IS NOT NULL AND webhook = ?", id, number)

    def drop(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.drop``."""
        return self._on_letters("DELETE FROM dead_letters WHERE webhook = ?", id, number)

    def fail(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """See ``DeadLetterStore.fail``."""
        with _writing(self._file) as connection:
            connection.execute("UPDATE dead_letters SET retry = 0 WHERE webhook = ?", (id,))
            connection.execute(
                "UPDATE dead_letters SET attempts = attempts + 1, problem = ?, at_ms = ? "
                "WHERE webhook = ? AND number = ?",
                (problem, at_ms, id, number),
            )

    def _on_letters(self, statement: str, id: str, number: int | None) -> int:
        with _writing(self._file) as connection:
            if number is None:
                connection.execute(statement, (id,))
            else:
                connection.execute(f"{statement} AND number = ?", (id, number))
            return connection.changes()

    def _letters(self, query: str, *bindings: str | int) -> list[Letter]:
        with disk_errors("dead letters can't be read"):
            rows = self._file.connection.execute(query, bindings).fetchall()
        return [Letter._make((*row[:7], bool(row[7]), row[8])) for row in rows]


def _writing(file: Companion) -> AbstractContextManager[apsw.Connection]:
    return file.writing("webhooks can't be stored")
