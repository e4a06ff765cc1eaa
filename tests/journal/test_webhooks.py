"""What is kept of webhooks is there after a restart, bounded, and its owner's alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from rollbook.errors import DataDirectoryUnsound, JournalUnavailable
from rollbook.journal.sqlite.webhook_schema import FILE_NAME, TABLES, problems_in_webhooks
from rollbook.journal.sqlite.webhooks import LETTERS_MAX, SqliteWebhookStore
from rollbook.journal.webhook_store import Letter, Progress, WebhookRow

ROW = WebhookRow("hook", 1, 2, '{"url": "https://example.net/"}', "whsec_x")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteWebhookStore]:
    opened = SqliteWebhookStore.open(tmp_path)
    yield opened
    opened.close()


def bury(store: SqliteWebhookStore, revision: int, body: str | None = "{}") -> None:
    store.bury("hook", Letter(0, "undelivered", revision, revision, 5, 3, "why", body=body), Progress(revision))


def test_what_was_saved_is_loaded(store: SqliteWebhookStore, tmp_path: Path) -> None:
    progress = Progress(7, 1, 2, 3, 4, 5, 6, "error", 8)
    store.save(ROW, progress)
    store.close()
    again = SqliteWebhookStore.open(tmp_path)
    assert again.load() == [(ROW, progress)]
    again.keep([("hook", Progress(9))])
    assert again.load() == [(ROW, Progress(9))]
    again.forget("hook")
    assert again.load() == []
    again.close()


def test_a_sound_file_and_none_at_all_have_no_problems(store: SqliteWebhookStore, tmp_path: Path) -> None:
    store.save(ROW, Progress(0))
    store.close()
    assert problems_in_webhooks(tmp_path) == []
    assert problems_in_webhooks(tmp_path / "nowhere") == []


def test_the_file_holds_secrets_and_is_its_owner_s_alone(store: SqliteWebhookStore, tmp_path: Path) -> None:
    store.save(ROW, Progress(0))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE_NAME}*")}
    assert set(modes.values()) == {0o600}, modes


def test_the_oldest_letters_make_room_for_new_ones_and_are_counted(store: SqliteWebhookStore) -> None:
    store.save(ROW, Progress(0))
    for revision in range(1, LETTERS_MAX + 3):
        bury(store, revision)
    assert [letter.revision for letter in store.letters("hook")] == list(range(3, LETTERS_MAX + 3))
    assert store.letter_counts() == {"hook": (LETTERS_MAX, 2)}


def test_letters_are_bounded_in_bytes_but_the_newest_is_kept(store: SqliteWebhookStore) -> None:
    store.save(ROW, Progress(0))
    bury(store, 1, body="x" * 20 * 1024 * 1024)
    bury(store, 2, body="x" * 20 * 1024 * 1024)
    assert [letter.revision for letter in store.letters("hook")] == [2]
    bury(store, 3, body="x" * 40 * 1024 * 1024)
    assert [letter.revision for letter in store.letters("hook")] == [3]


def test_a_letter_without_a_message_is_not_tried_again(store: SqliteWebhookStore) -> None:
    store.save(ROW, Progress(0))
    bury(store, 1, body=None)
    bury(store, 2)
    assert store.retry_letters("hook") == 1
    due = store.due_letter("hook")
    assert due is not None
    assert (due.revision, due.body) == (2, "{}")
    store.leave_letters("hook", due.number, problem="again", at_ms=9)
    assert store.due_letter("hook") is None
    assert [(letter.attempts, letter.problem) for letter in store.letters("hook")] == [(3, "why"), (4, "again")]


def test_a_file_that_is_no_store_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, " * 100)
    with pytest.raises(DataDirectoryUnsound, match="damaged"):
        SqliteWebhookStore.open(tmp_path)
    assert "damaged" in problems_in_webhooks(tmp_path)[0]


def test_another_program_s_file_is_not_used(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / FILE_NAME))
    connection.execute("CREATE TABLE theirs (a); PRAGMA application_id = 5")
    connection.close()
    with pytest.raises(DataDirectoryUnsound, match="not Rollbook's"):
        SqliteWebhookStore.open(tmp_path)


def test_a_full_disk_refuses_and_keeps_what_was_there(store: SqliteWebhookStore) -> None:
    store.save(ROW, Progress(1))
    (pages,) = store._file.connection.execute("PRAGMA page_count").fetchall()[0]
    store._file.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalUnavailable, match="full"):
        bury(store, 2, body="x" * 100_000)
    assert store.load() == [(ROW, Progress(1))]
    assert store.letters("hook") == []


def test_a_file_of_format_1_is_migrated_with_its_former_secret(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / FILE_NAME))
    tables = TABLES.replace("former TEXT NOT NULL", "former_secret TEXT, former_until_ms INTEGER NOT NULL")
    connection.execute(tables.replace("user_version = 2", "user_version = 1"))
    for id, former in (("a", ("whsec_old", 77)), ("b", (None, 0))):
        connection.execute("INSERT INTO webhooks VALUES (?, 1, 2, '{}', ?, ?, ?)", (id, f"whsec_{id}", *former))
        connection.execute("INSERT INTO progress VALUES (?, 0, 0, 0, 0, 0, 0, 0, '', 0)", (id,))
    connection.close()

    for _ in range(2):
        opened = SqliteWebhookStore.open(tmp_path)
        rows = [row for row, _ in opened.load()]
        opened.close()
        assert [(row.id, row.secret, json.loads(row.former)) for row in rows] == [
            ("a", "whsec_a", [["whsec_old", 77]]),
            ("b", "whsec_b", []),
        ]
