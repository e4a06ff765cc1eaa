"""Tokens and roles are kept alike in memory, in PostgreSQL and in a file, which is its owner's alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.errors import DataDirectoryUnsound
from rollbook.journal.memory.tokens import MemoryTokenStore
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.postgresql.tokens import PostgresqlTokenStore
from rollbook.journal.sqlite.token_schema import FILE_NAME, problems_in_tokens
from rollbook.journal.sqlite.tokens import SqliteTokenStore
from rollbook.journal.token_store import RoleRow, TokenStore
from tests.journal.token_contract import CI, OPS, TokenStoreContract
from tests.postgresql import shared_schemas


class TestMemory(TokenStoreContract):
    @pytest.fixture
    def store(self) -> TokenStore:
        return MemoryTokenStore()


class TestSqlite(TokenStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[TokenStore]:
        opened = SqliteTokenStore.open(tmp_path)
        yield opened
        opened.close()

    def test_all_is_there_after_a_restart(self, store: TokenStore, tmp_path: Path) -> None:
        store.save_token(CI)
        store.save_token(OPS)
        store.save_role(RoleRow("a", "{}"))
        store.forget_token("ci")
        store.close()
        again = SqliteTokenStore.open(tmp_path)
        assert (again.tokens(), again.roles(), again.has_had_identities()) == ([OPS], [RoleRow("a", "{}")], True)
        again.close()

    def test_the_files_are_their_owner_s_alone(self, store: TokenStore, tmp_path: Path) -> None:
        store.save_token(CI)
        assert {path.stat().st_mode & 0o777 for path in tmp_path.glob(f"{FILE_NAME}*")} == {0o600}

    def test_a_file_that_others_could_read_is_closed_to_them(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).touch(0o644)
        (tmp_path / FILE_NAME).chmod(0o644)
        SqliteTokenStore.open(tmp_path).close()
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


class TestPostgresql(TokenStoreContract):
    @pytest.fixture
    def store(self) -> Iterator[TokenStore]:
        target = shared_schemas().new()
        PostgresqlJournal.open(target).close()
        opened = PostgresqlTokenStore(StoreSession(target))
        opened.target = target  # type: ignore[attr-defined]
        yield opened
        opened.close()

    def test_only_what_another_process_has_changed_is_read_again(self, store: TokenStore) -> None:
        other = PostgresqlTokenStore(StoreSession(store.target))  # type: ignore[attr-defined]
        store.save_token(CI)
        store.save_token(OPS)
        ci, ops = store.tokens()
        other.save_token(OPS._replace(expires_at_ms=5))
        again = store.tokens()
        assert (again[0] is ci, again[1].expires_at_ms) == (True, 5)
        other.forget_token(CI.id)
        assert store.tokens() == [again[1]]
        other.save_token(CI)
        assert store.tokens() == [ci, again[1]] == other.tokens()
        assert ops.expires_at_ms != 5
        other.close()


def test_a_damaged_file_is_refused_and_reported(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, " * 100)
    with pytest.raises(DataDirectoryUnsound):
        SqliteTokenStore.open(tmp_path)
    assert problems_in_tokens(tmp_path)


def test_no_file_has_no_problems(tmp_path: Path) -> None:
    assert problems_in_tokens(tmp_path) == []
