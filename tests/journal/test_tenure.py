"""The sole right to write is held alike in memory and by the lock of a directory."""

from pathlib import Path

import pytest

from rollbook.journal.memory.tenure import MemoryTenure
from rollbook.journal.sqlite.locking import LOCK_NAME, DirectoryLock
from rollbook.journal.tenure import Tenure
from tests.journal.tenure_contract import TenureContract


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
