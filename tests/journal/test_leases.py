"""Leases and uptime are kept alike in memory, in PostgreSQL and in a file; a file that can't be read is set aside."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import apsw
import pytest

from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.memory.leases import MemoryLeaseStore
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.leases import PostgresqlLeaseStore
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.sqlite.leases import FILE_NAME, SqliteLeaseStore, problems_in_leases
from tests.journal.lease_contract import LeaseStoreContract, batch, row
from tests.journal.lost_room import full_disk, full_engine, full_room
from tests.postgresql import shared_schemas


class TestMemory(LeaseStoreContract):
    @pytest.fixture
    def store(self) -> LeaseStore:
        return MemoryLeaseStore()

    def reopened(self, store: LeaseStore) -> LeaseStore:
        store.close()
        return store

    def failing(self, store: LeaseStore) -> AbstractContextManager[None]:
        assert isinstance(store, MemoryLeaseStore)
        return full_room(store.disk)


class TestSqlite(LeaseStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[LeaseStore]:
        self.directory = tmp_path
        opened = SqliteLeaseStore.open(tmp_path)
        yield opened
        opened.close()

    def reopened(self, store: LeaseStore) -> LeaseStore:
        store.close()
        return SqliteLeaseStore.open(self.directory)

    def failing(self, store: LeaseStore) -> AbstractContextManager[None]:
        assert isinstance(store, SqliteLeaseStore)
        return full_disk(store._file.connection)

    def test_a_batch_that_another_writer_is_in_the_way_of_is_not_stored(self, store: LeaseStore) -> None:
        store.save(batch(row()))
        other = apsw.Connection(str(self.directory / FILE_NAME))
        with other:
            other.execute("DELETE FROM leases")  # the lock of another writer
            with pytest.raises(JournalUnavailable, match="leases can't be stored"):
                store.save(batch(row("east"), gone=("west",)))
        other.close()
        store.save(batch(row("east")))
        assert [kept.id for kept in store.load()] == ["east"]


class TestPostgresql(LeaseStoreContract):
    @pytest.fixture
    def store(self) -> Iterator[LeaseStore]:
        self.target = shared_schemas().new()
        PostgresqlJournal.open(self.target).close()
        opened = PostgresqlLeaseStore(StoreSession(self.target))
        yield opened
        opened.close()

    def reopened(self, store: LeaseStore) -> LeaseStore:
        store.close()
        return PostgresqlLeaseStore(StoreSession(self.target))

    def failing(self, store: LeaseStore) -> AbstractContextManager[None]:
        assert isinstance(store, PostgresqlLeaseStore)
        return full_engine(self.target, "leases")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLeaseStore]:
    opened = SqliteLeaseStore.open(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("content", [b"no database" * 500, b"", "another's"])
def test_a_file_that_is_none_of_ours_is_set_aside(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / FILE_NAME
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        other = apsw.Connection(str(path))
        other.execute("CREATE TABLE theirs (a)")
        other.close()
    store = SqliteLeaseStore.open(tmp_path)
    store.save(batch(row()))
    assert store.load() == [row()]
    store.close()
    assert (tmp_path / (FILE_NAME + ".damaged")).exists() == bool(content)


def test_what_is_wrong_with_the_file_is_told(store: SqliteLeaseStore, tmp_path: Path) -> None:
    store.save(batch(*(row(f"cluster-{n}", nodes='{"a":5}' * 100) for n in range(100))))
    store.close()
    assert problems_in_leases(tmp_path) == []
    path = tmp_path / FILE_NAME
    body = bytearray(path.read_bytes())
    body[8192:12288] = b"x" * 4096
    path.write_bytes(body)
    assert problems_in_leases(tmp_path)
    assert problems_in_leases(tmp_path / "nowhere") == []
