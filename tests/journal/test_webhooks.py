"""Webhooks are kept alike in memory, in PostgreSQL and in a file, which is its owner's alone."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import apsw
import pytest

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.memory.webhooks import MemoryWebhookStore
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.postgresql.webhooks import PostgresqlWebhookStore
from rollbook.journal.sqlite.webhook_schema import FILE_NAME, TABLES, problems_in_webhooks
from rollbook.journal.sqlite.webhooks import SqliteWebhookStore
from rollbook.journal.webhook_store import Progress, WebhookStore
from tests.journal.lost_room import full_disk, full_engine, full_room
from tests.journal.webhook_contract import ROW, WebhookStoreContract
from tests.postgresql import shared_schemas


class TestMemory(WebhookStoreContract):
    @pytest.fixture
    def store(self) -> WebhookStore:
        return MemoryWebhookStore()

    def reopened(self, store: WebhookStore) -> WebhookStore:
        store.close()
        return store

    def failing(self, store: WebhookStore) -> AbstractContextManager[None]:
        assert isinstance(store, MemoryWebhookStore)
        return full_room(store.disk)


class TestSqlite(WebhookStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[WebhookStore]:
        self.directory = tmp_path
        opened = SqliteWebhookStore.open(tmp_path)
        yield opened
        opened.close()

    def reopened(self, store: WebhookStore) -> WebhookStore:
        store.close()
        return SqliteWebhookStore.open(self.directory)

    def failing(self, store: WebhookStore) -> AbstractContextManager[None]:
        assert isinstance(store, SqliteWebhookStore)
        return full_disk(store._file.connection)


class TestPostgresql(WebhookStoreContract):
    @pytest.fixture
    def store(self) -> Iterator[WebhookStore]:
        self.target = shared_schemas().new()
        PostgresqlJournal.open(self.target).close()
        opened = self._opened()
        yield opened
        opened.close()

    def _opened(self) -> PostgresqlWebhookStore:
        return PostgresqlWebhookStore(StoreSession(self.target), StoreSession(self.target))

    def reopened(self, store: WebhookStore) -> WebhookStore:
        store.close()
        return self._opened()

    def failing(self, store: WebhookStore) -> AbstractContextManager[None]:
        assert isinstance(store, PostgresqlWebhookStore)
        return full_engine(self.target, "dead_letters", "webhooks")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteWebhookStore]:
    opened = SqliteWebhookStore.open(tmp_path)
    yield opened
    opened.close()


def test_a_sound_file_and_none_at_all_have_no_problems(store: SqliteWebhookStore, tmp_path: Path) -> None:
    store.save(ROW, Progress(0))
    store.close()
    assert problems_in_webhooks(tmp_path) == []
    assert problems_in_webhooks(tmp_path / "nowhere") == []


def test_the_file_holds_secrets_and_is_its_owner_s_alone(store: SqliteWebhookStore, tmp_path: Path) -> None:
    store.save(ROW, Progress(0))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE_NAME}*")}
    assert set(modes.values()) == {0o600}, modes


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


@pytest.mark.parametrize("left", ["before-webhooks-format-1.partial", "before-format-4"])
def test_a_copy_that_is_not_whole_or_of_another_time_is_none(left: str, tmp_path: Path) -> None:
    (tmp_path / left).mkdir()
    for path, revision in ((tmp_path / left, 1), (tmp_path, 7)):
        connection = apsw.Connection(str(path / FILE_NAME))
        tables = TABLES.replace("former TEXT NOT NULL", "former_secret TEXT, former_until_ms INTEGER NOT NULL")
        connection.execute(tables.replace("user_version = 2", "user_version = 1"))
        connection.execute("INSERT INTO webhooks VALUES ('a', 1, 2, '{}', 's', NULL, 0)")
        connection.execute("INSERT INTO progress VALUES ('a', ?, 0, 0, 0, 0, 0, 0, '', 0)", (revision,))
        connection.close()
    SqliteWebhookStore.open(tmp_path).close()
    copy = apsw.Connection(str(tmp_path / "before-webhooks-format-1" / FILE_NAME))
    assert copy.execute("SELECT revision FROM progress").fetchall() == [(7,)]
    copy.close()


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
