"""What is visible is not yet safe: three ways in which acknowledged writes were lost, on real servers.

Each was found with a protocol that believed what it saw. A primary waits for its synchronous standby; the standby is
gone; what is written then is on the primary alone, and a failover takes it back.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from rollbook.errors import AppendUndecided
from rollbook.journal.postgresql.journal import PostgresqlJournal
from tests.journal.contract import created
from tests.many.proxies import Proxy
from tests.postgresql import WITH_STANDBY, PostgresqlServer, postgresql_directory, shared_schemas

REACHED_SECONDS_MAX = 30.0


class Pair:
    """A primary, its synchronous standby, and a journal on both."""

    def __init__(self, primary: PostgresqlServer, standby: PostgresqlServer) -> None:
        self.primary = primary
        self.standby = standby
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (primary, standby))
        self.url = f"postgresql://postgres@{hosts}/postgres?connect_timeout=2"

    def newest_on_primary(self) -> int:
        """What anybody sees who just looks."""
        with psycopg.connect(self.primary.url, autocommit=True) as connection:
            ((newest,),) = connection.execute("SELECT max(last) FROM log").fetchall()
        return int(newest)

    def fail_over(self) -> None:
        """The primary is gone for good, and the standby takes its place."""
        with suppress(AssertionError):
            self.primary.stop("immediate")
        self.standby.start()
        self.standby.promote()


@pytest.fixture
def pair() -> Iterator[Pair]:
    with postgresql_directory() as directory:
        primary = PostgresqlServer(directory / "one").create().start()
        standby = primary.standby(directory / "other").start()
        primary.stop()
        primary.settings = WITH_STANDBY
        primary.start()
        yield Pair(primary, standby)
        for server in (primary, standby):
            with suppress(AssertionError):
                server.stop("immediate")


@pytest.fixture
def journal(pair: Pair) -> Iterator[PostgresqlJournal]:
    journal = PostgresqlJournal.open(pair.url, seconds=1.0)
    journal.append([created(1, "west")], after=0)
    pair.standby.stop("immediate")
    with pytest.raises(AppendUndecided):
        journal.append([created(2, "east")], after=1)
    yield journal
    journal.close()


def settled_after_failover(journal: PostgresqlJournal, pair: Pair) -> list[str]:
    """What the log of the new primary holds, once the journal has settled what had no answer."""
    pair.fail_over()
    assert journal.sharing.settle() is True
    with psycopg.connect(pair.standby.url) as connection:
        assert connection.execute("SELECT max(last) FROM log").fetchall() == [(2,)]
    assert journal.inspection.problems() == []
    return [change.id for change in journal.follow(0)]


def test_what_a_primary_shows_after_a_crash_is_not_believed(journal: PostgresqlJournal, pair: Pair) -> None:
    pair.primary.stop("immediate")
    pair.primary.start()
    assert pair.newest_on_primary() == 2
    with pytest.raises(AppendUndecided):
        journal.sharing.settle()
    assert settled_after_failover(journal, pair) == ["west", "east"]


def test_a_write_that_takes_too_long_is_not_cancelled(journal: PostgresqlJournal, pair: Pair) -> None:
    assert pair.newest_on_primary() == 1
    assert settled_after_failover(journal, pair) == ["west", "east"]


def test_a_wait_that_is_cancelled_is_no_acknowledgement(journal: PostgresqlJournal, pair: Pair) -> None:
    deadline = time.monotonic() + REACHED_SECONDS_MAX
    with psycopg.connect(pair.primary.url, autocommit=True) as connection:
        while pair.newest_on_primary() < 2 and time.monotonic() < deadline:  # it may not have come to its wait yet
            connection.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            time.sleep(0.05)
    assert pair.newest_on_primary() == 2
    with pytest.raises(AppendUndecided):
        journal.sharing.settle()
    assert settled_after_failover(journal, pair) == ["west", "east"]


def test_a_host_that_gives_no_answer_holds_no_write_up_for_good() -> None:
    server = shared_schemas().server
    one, other = Proxy(server.port), Proxy(server.port)
    hosts = f"127.0.0.1:{one.port},127.0.0.1:{other.port}"
    url = shared_schemas().new().replace(f"127.0.0.1:{server.port}", hosts)
    journal = PostgresqlJournal.open(f"{url}&connect_timeout=2", seconds=1.0)
    try:
        journal.append([created(1, "west")], after=0)
        one.swallows = True  # it is waited for longer than an append may take
        one.cut()
        journal.append([created(2, "east")], after=1)
        one.cut()
        journal.append([created(3, "north")], after=2)
        assert journal.sharing.confirm(3) == 3
    finally:
        journal.close()
        one.close()
        other.close()
