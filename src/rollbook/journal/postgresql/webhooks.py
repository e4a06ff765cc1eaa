"""Webhooks and their dead letters in the database.

One rule: how far a webhook has come may lag behind what was delivered, never run ahead of it. Edits come from every
process; progress and dead letters from the keeper alone.
"""

from collections.abc import Sequence

from rollbook.journal.postgresql.connecting import Row
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.webhook_store import LETTER_BYTES_MAX, LETTERS_MAX, Letter, Progress, WebhookRow

PROGRESS = (
    "revision, attempts, next_attempt_ms, success_at_ms, success_revision, error_at_ms, error_revision, error, "
    "missed_up_to"
)
LOAD = (
    f"SELECT id, created_at_ms, updated_at_ms, target, secret, former, {PROGRESS} "  # noqa: S608
    "FROM webhooks JOIN progress USING (id) ORDER BY created_at_ms, id"
)
SAVE = """
INSERT INTO webhooks VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET
    created_at_ms = excluded.created_at_ms, updated_at_ms = excluded.updated_at_ms, target = excluded.target,
    secret = excluded.secret, former = excluded.former
"""
SET_PROGRESS = ", ".join(f"{name} = excluded.{name}" for name in PROGRESS.split(", "))
SAVE_PROGRESS = f"""
INSERT INTO progress (id, {PROGRESS}) SELECT id, {", ".join(["%s"] * 9)} FROM webhooks WHERE id = %s
ON CONFLICT (id) DO UPDATE SET {SET_PROGRESS}
"""  # noqa: S608
CHANGED = "UPDATE registry SET webhooks_version = webhooks_version + 1"
FORGET = "DELETE FROM webhooks WHERE id = %s"
BURY = """
INSERT INTO dead_letters (webhook, kind, first_revision, revision, at_ms, attempts, problem, retry, body)
SELECT id, %s, %s, %s, %s, %s, %s, false, %s FROM webhooks WHERE id = %s
"""
DROP_SURPLUS = """
WITH ranked AS (
    SELECT number, row_number() OVER newest AS place, sum(octet_length(coalesce(body, ''))) OVER newest AS bytes
    FROM dead_letters WHERE webhook = %(id)s WINDOW newest AS (ORDER BY number DESC)
), dropped AS (
    DELETE FROM dead_letters WHERE webhook = %(id)s AND number <=
        (SELECT max(number) FROM ranked WHERE place > 1 AND (place > %(most)s OR bytes > %(bytes)s))
    RETURNING number
)
UPDATE progress SET dropped = dropped + (SELECT count(*) FROM dropped) WHERE id = %(id)s
"""
LETTER = "SELECT number, kind, first_revision, revision, at_ms, attempts, problem, retry, body FROM dead_letters"
WITHOUT_BODY = LETTER.replace("body", "NULL")
COUNTS = "SELECT id, (SELECT count(*) FROM dead_letters WHERE webhook = id), dropped FROM progress"


class PostgresqlWebhookStore:
    """A store of webhooks (see ``webhook_store.WebhookStore``) in the tables of a registry."""

    def __init__(self, edits: StoreSession, keeping: StoreSession) -> None:
        """``edits`` is what every process uses, ``keeping`` the keeper."""
        self._edits = edits
        self._keeping = keeping
        self.letters = PostgresqlDeadLetters(edits, keeping)

    def load(self) -> list[tuple[WebhookRow, Progress]]:
        """See ``WebhookStore.load``."""
        with self._edits.reading("webhooks can't be read") as session:
            rows = session.rows(LOAD)
        width = len(WebhookRow._fields)
        return [(WebhookRow._make(row[:width]), Progress._make(row[width:])) for row in rows]

    def save(self, row: WebhookRow, progress: Progress) -> None:
        """See ``WebhookStore.save``."""
        with self._edits.writing("webhooks can't be stored") as session:
            session.run(SAVE, row)
            session.run(SAVE_PROGRESS, (*_storable(progress), row.id))
            session.run(CHANGED)

    def forget(self, id: str) -> None:
        """See ``WebhookStore.forget``."""
        with self._edits.writing("webhooks can't be stored") as session:
            session.run(FORGET, (id,))
            session.run(CHANGED)

    def keep(self, progress: Sequence[tuple[str, Progress]]) -> None:
        """See ``WebhookStore.keep``."""
        with self._keeping.writing("webhooks can't be stored") as session:
            for id, each in progress:
                session.run(SAVE_PROGRESS, (*_storable(each), id))

    def close(self) -> None:
        """Release the connections. Closing twice is harmless."""
        self._edits.close()
        self._keeping.close()


class PostgresqlDeadLetters:
    """The dead letters (see ``DeadLetterStore``) in the tables of a registry."""

    def __init__(self, edits: StoreSession, keeping: StoreSession) -> None:
        self._edits = edits
        self._keeping = keeping

    def bury(self, id: str, letter: Letter, progress: Progress) -> None:
        """See ``DeadLetterStore.bury``."""
        kind, first, revision, at_ms, attempts, problem = letter[1:7]
        with self._keeping.writing("webhooks can't be stored") as session:
            row = (kind, first, revision, at_ms, attempts, _text(problem), letter.body, id)
            session.run(BURY, row)
            session.run(SAVE_PROGRESS, (*_storable(progress), id))
            session.run(DROP_SURPLUS, {"id": id, "most": LETTERS_MAX, "bytes": LETTER_BYTES_MAX})

    def counts(self) -> dict[str, tuple[int, int]]:
        """See ``DeadLetterStore.counts``."""
        with self._edits.reading("webhooks can't be read") as session:
            return {id: (count, dropped) for id, count, dropped in session.rows(COUNTS)}

    def all(self, id: str) -> list[Letter]:
        """See ``DeadLetterStore.all``."""
        return self._letters(f"{WITHOUT_BODY} WHERE webhook = %s ORDER BY number", id)

    def get(self, id: str, number: int) -> Letter | None:
        """See ``DeadLetterStore.get``."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = %s AND number = %s", id, number)), None)

    def due(self, id: str) -> Letter | None:
        """See ``DeadLetterStore.due``."""
        return next(iter(self._letters(f"{LETTER} WHERE webhook = %s AND retry ORDER BY number LIMIT 1", id)), None)

    def retry(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.retry``."""
        statement = "UPDATE dead_letters SET retry = true WHERE body IS NOT NULL AND webhook = %s"
        return self._on_letters(statement, id, number)

    def drop(self, id: str, number: int | None = None) -> int:
        """See ``DeadLetterStore.drop``."""
        return self._on_letters("DELETE FROM dead_letters WHERE webhook = %s", id, number)

    def fail(self, id: str, number: int, *, problem: str, at_ms: int) -> None:
        """See ``DeadLetterStore.fail``."""
        with self._keeping.writing("webhooks can't be stored") as session:
            session.run("UPDATE dead_letters SET retry = false WHERE webhook = %s AND retry", (id,))
            session.run(
                "UPDATE dead_letters SET attempts = attempts + 1, problem = %s, at_ms = %s "
                "WHERE webhook = %s AND number = %s",
                (_text(problem), at_ms, id, number),
            )

    def _on_letters(self, statement: str, id: str, number: int | None) -> int:
        with self._edits.writing("webhooks can't be stored") as session:
            session.run(CHANGED)
            if number is None:
                return session.run(statement, (id,))
            return session.run(f"{statement} AND number = %s", (id, number))

    def _letters(self, query: str, *bindings: str | int) -> list[Letter]:
        with self._edits.reading("dead letters can't be read") as session:
            rows: list[Row] = session.rows(query, bindings)
        return [Letter._make(row) for row in rows]


def _storable(progress: Progress) -> Progress:
    return progress._replace(error=_text(progress.error))


def _text(value: str) -> str:
    """A text without the character that the engine has no place for, and without halves of surrogates."""
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()
