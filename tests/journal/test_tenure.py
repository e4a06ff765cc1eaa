"""The sole right to write is held alike in memory, by the lock of a directory and by a session of PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.journal.memory.tenure import MemoryTenure
from rollbook.journal.postgresql.connecting import Session
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.tenure import KeeperTenure
from rollbook.journal.sqlite.locking import LOCK_NAME, DirectoryLock
from rollbook.journal.tenure import Tenure
from tests.journal.tenure_contract import TenureContract
from tests.postgresql import shared_schemas


class TestMemory(TenureContract):
    @pytest.fixture(autouse=True)
    def _holders(self) -> None:
        self.holders: list[MemoryTenure] = []

    def taken(self) -> Tenure:
        return MemoryTenure(self.holders)

    def lose(self, tenure: Tenure) -> None:
        assert isinstance(tenure, MemoryTenure)
        tenure.lose("another writer was let in")


class TestSqlite(TenureContract):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def taken(self) -> Tenure:
        return DirectoryLock(self.directory)

    def lose(self, tenure: Tenure) -> None:
        (self.directory / LOCK_NAME).unlink()


class TestPostgresql(TenureContract):
    @pytest.fixture(autouse=True)
    def _journal(self) -> Iterator[None]:
        self.journal = PostgresqlJournal.open(shared_schemas().new())
        self.sessions: list[Session] = []
        yield
        for session in self.sessions:
            session.close()
        self.journal.close()

    def taken(self) -> Tenure:
        self.sessions.append(Session.open(self.journal.target))
        return KeeperTenure(self.sessions[-1], self.journal.identity)

    def lose(self, tenure: Tenure) -> None:
        with Session.open(self.journal.target).connection as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (self.sessions[-1].backend,))
