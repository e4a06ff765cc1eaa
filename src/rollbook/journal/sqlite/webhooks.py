"""What is kept of webhooks: an SQLite file of its own, beside the journal.

One rule: how far a webhook has come may lag behind what was delivered, never run ahead of it. What was not delivered
and is given up is a dead letter, which is written down in one step with the revision that it lets the webhook go past.
Whoever shares a registry among processes gives this another body; its methods block, one thread calls them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import apsw

from rollbook.journal.sqlite.disk_errors import disk_trouble
from rollbook.journal.sqlite.freezing import Companion
from rollbook.journal.sqlite.webhook_schema import FILE_NAME, open_webhooks, without_webhooks
from rollbook.journal.webhook_store import Letter, Progress, WebhookRow

LETTERS_MAX = 1_000
LETTER_BYTES_MAX = 32 * 1024 * 1024

SAVE = "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)"
SAVE_PROGRESS = "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
FORGET = (
    "DELETE FROM webhooks WHERE id = ?",
    "DELETE FROM progress WHERE id = ?",
    "DELETE FROM dead_letters WHERE webhook = ?",
    "DELETE FROM dropped_letters WHERE webhook = ?",
)
BURY = (
    "INSERT INTO dead_letters (webhook, kind, first_revision, revision, at_ms, attempts, problem, retry, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)"
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

    @classmethod
    def open(cls, directory: Path) -> "SqliteWebhookStore":
        """The store in ``directory``, which this process has locked; made when absent, for its owner's eyes only.

        Refuses (DataDirectoryUnsound) a file that can't be read: webhooks must not be forgotten in silence.
        """
        path = directory / FILE_NAME
        with disk_trouble(f"can't open {path}"):
            return cls(Companion(path, lambda: open_webhooks(directory), without_webhooks))

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """Every webhook, in order of creation."""
        with disk_trouble("webhooks can't be read"):
            rows = self._file.connection.execute(
                "SELECT * FROM webhooks JOIN progress USING (id) ORDER BY created_at_ms, id"
            ).fetchall()
        width = len(WebhookRow._fields)
        return [(WebhookRow._make(row[:width]), Progress._make(row[width:])) for row in rows]

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """Keep a webhook and how far it has come. Fails (JournalUnavailable) when the disk does."""
        with self._writing() as connection:
            connection.execute(SAVE, row)
            connection.execute(SAVE_PROGRESS, (row.id, *progress))

    def forget(self, id: str) -> None:
        """Forget a webhook and all that belongs to it. Fails (JournalUnavailable) when the disk does."""
        with self._writing() as connection:
            for statement in FORGET:
                connection.execute(statement, (id,))

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """Keep how far some webhooks have come. Fails (JournalUnavailable) when the disk does."""
        with self._writing() as connection:
            connection.executemany(SAVE_PROGRESS, [(id, *each) for id, each in progress])

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """Keep a dead letter (its number is given here) and the progress past it; the oldest letters make room."""
        with self._writing() as connection:
            connection.execute(BURY, (id, *letter[1:7], letter.body))
            connection.execute(SAVE_PROGRESS, (id, *progress))
            (surplus,) = connection.execute(SURPLUS, (id, LETTERS_MAX, LETTER_BYTES_MAX)).fetchall()[0]
            if surplus is not None:
                connection.execute(DROP, (id, surplus))
                connection.execute(COUNT_DROPPED, (id, connection.changes()))

    def letter_counts(self) -> dict[str, tuple[int, int]]:
        """For every webhook, how many dead letters there are, and how many had to make room."""
        with disk_trouble("webhooks can't be read"):
            return {id: (count, dropped) for id, count, dropped in self._file.connection.execute(COUNTS)}

    def letters(self, id: str) -> list[Letter]:
        """The dead letters of a webhook, oldest first, without their bodies."""
        return self._letters(f"{WITHOUT_BODY} WHERE webhook = ? ORDER BY number", id)

    def letter(self, id: str, number: int) -> Letter | None:
        """One dead letter."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = ? AND number = ?", id, number)), None)

    def due_letter(self, id: str) -> Letter | None:
        """The oldest dead letter that shall be delivered after all."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = ? AND retry ORDER BY number LIMIT 1", id)), None)

    def retry_letters(self, id: str, number: int | None = None) -> int:
        """Say of one dead letter, or of all that have a body, that it shall be delivered after all; how many."""
        return self._on_letters("UPDATE dead_letters SET retry = 1 WHERE body IS NOT NULL AND webhook = ?", id, number)

    def drop_letters(self, id: str, number: int | None = None) -> int:
        """Forget one dead letter, or all; how many."""
        return self._on_letters("DELETE FROM dead_letters WHERE webhook = ?", id, number)

    def leave_letters(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """Write down that another attempt at a dead letter failed: with it end the retries of all others."""
        with self._writing() as connection:
            connection.execute("UPDATE dead_letters SET retry = 0 WHERE webhook = ?", (id,))
            connection.execute(
                "UPDATE dead_letters SET attempts = attempts + 1, problem = ?, at_ms = ? WHERE number = ?",
                (problem, at_ms, number),
            )

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._file.close()

    def _on_letters(self, statement: str, id: str, number: int | None) -> int:
        with self._writing() as connection:
            if number is None:
                connection.execute(statement, (id,))
            else:
                connection.execute(f"{statement} AND number = ?", (id, number))
            return connection.changes()

    def _letters(self, query: str, *bindings: str | int) -> list[Letter]:
        with disk_trouble("dead letters can't be read"):
            rows = self._file.connection.execute(query, bindings).fetchall()
        return [Letter._make((*row[:7], bool(row[7]), row[8])) for row in rows]

    def _writing(self) -> AbstractContextManager[apsw.Connection]:
        return self._file.writing("webhooks can't be stored")
