"""The journal on PostgreSQL keeps the contract, and two of them on one engine see one log."""

from rollbook.journal.interface import Journal
from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.journal.contract import CopyContract, JournalContract, TwoOpen
from tests.postgresql import shared_schemas


class TestPostgresqlJournal(JournalContract):
    def opened(self) -> PostgresqlJournal:
        return PostgresqlJournal.open(shared_schemas().new())

    def reopened(self, journal: Journal) -> PostgresqlJournal:
        assert isinstance(journal, PostgresqlJournal)
        journal.close()
        return PostgresqlJournal.open(journal.target)


class TestPostgresqlCopies(CopyContract):
    def opened(self) -> PostgresqlJournal:
        return PostgresqlJournal.open(shared_schemas().new())


class TestTwoOnPostgresql(TwoOpen):
    def opened(self) -> PostgresqlJournal:
        return PostgresqlJournal.open(shared_schemas().new())

    def opened_beside(self, journal: Journal) -> PostgresqlJournal:
        assert isinstance(journal, PostgresqlJournal)
        return PostgresqlJournal.open(journal.target)
