"""Leases and uptime are kept alike in memory and in a file, which is set aside where it can't be read."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import apsw
import pytest

from rollbook.errors import JournalUnavailable
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.memory.leases import MemoryLeaseStore
from rollbook.journal.sqlite.leases import FILE_NAME, SqliteLeaseStore, problems_in_leases
from tests.journal.lease_contract import LeaseStoreContract, batch, row
from tests.journal.lost_room import full_disk, trouble_on


class TestMemory(LeaseStoreContract):
    @pytest.fixture
    def store(self) -> LeaseStore:
        return MemoryLeaseStore()

    def reopened(self, store: LeaseStore) -> LeaseStore:
        store.close()
        return store

    def failing(self, store: LeaseStore) -> AbstractContextManager[None]:
        assert isinstance(store, MemoryLeaseStore)
        return trouble_on(store.disk)


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
